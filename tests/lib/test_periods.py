"""Periods: half-open days of the business time zone, whatever the clock does there."""

from datetime import UTC, date, datetime, timedelta

import pytest

from clm.lib.periods import (
    asked_instant,
    asked_period,
    between,
    day_start,
    days,
    last_days,
    month,
    parse_moment,
    preset,
)
from clm.lib.questions import QuestionError

NOW = datetime(2026, 3, 30, 12, tzinfo=UTC)


def asked(start: str | None = None, until: str | None = None, zone: str = "UTC"):
    return asked_period(start=start, until=until, now=NOW, zone=zone)


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/London", date(2026, 3, 29), 23),
        ("Europe/London", date(2026, 10, 25), 25),
        ("Europe/London", date(2026, 6, 1), 24),
        ("Australia/Lord_Howe", date(2026, 4, 5), 24.5),
        ("Pacific/Kiritimati", date(2026, 1, 1), 24),
        ("America/Sao_Paulo", date(2018, 11, 4), 23),
        ("Pacific/Apia", date(2011, 12, 30), 0),
    ],
)
def test_a_day_is_as_long_as_its_clock_says(zone: str, day: date, hours: float) -> None:
    one = days(start=day, until=day + timedelta(days=1), zone=zone)
    assert one.until_at - one.start_at == timedelta(hours=hours)


def test_where_the_clock_jumps_over_midnight_the_day_starts_with_the_jump() -> None:
    assert day_start(date(2018, 11, 4), "America/Sao_Paulo") == datetime(2018, 11, 4, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "first"),
    [("Pacific/Kiritimati", "2026-03-31"), ("Pacific/Pago_Pago", "2026-03-30"), ("UTC", "2026-03-30")],
)
def test_today_is_the_business_zones_today(zone: str, first: str) -> None:
    period = last_days(count=1, now=NOW, zone=zone)
    assert period.start.isoformat() == first
    assert period.start_at <= NOW < period.until_at


def test_by_default_the_last_thirty_days_with_today() -> None:
    period = asked()
    assert (period.key, period.start, period.until) == ("30d", date(2026, 3, 1), date(2026, 3, 31))
    assert period.last_day == date(2026, 3, 30)


def test_a_month_is_preceded_by_a_month_and_other_periods_by_their_length() -> None:
    assert month(day=date(2026, 3, 15), zone="UTC").previous() == month(day=date(2026, 2, 1), zone="UTC")
    assert month(day=date(2026, 1, 31), zone="UTC").previous().start == date(2025, 12, 1)
    assert asked("2026-03-10", "2026-03-20").previous().start == date(2026, 2, 28)
    april = preset(key="30d", now=datetime(2026, 4, 30, 12, tzinfo=UTC), zone="UTC")
    assert (april.start, april.until) == (date(2026, 4, 1), date(2026, 5, 1))
    assert (april.previous().start, april.previous().until) == (date(2026, 3, 2), date(2026, 4, 1))
    leap = month(day=date(2024, 3, 1), zone="UTC").previous()
    assert (leap.start, leap.until) == (date(2024, 2, 1), date(2024, 3, 1))


def test_periods_may_be_given_as_instants() -> None:
    period = asked("2026-01-01T10:00:00Z", "2026-01-02T10:00:00+01:00", "Europe/London")
    assert period.start_at == datetime(2026, 1, 1, 10, tzinfo=UTC)
    assert period.until_at == datetime(2026, 1, 2, 9, tzinfo=UTC)
    assert period.previous().until_at == period.start_at
    assert period.previous().until_at - period.previous().start_at == timedelta(hours=23)
    assert asked(*period.asked(), zone="Europe/London") == period


def test_a_period_asks_for_itself_again() -> None:
    period = asked("2026-03-01", "2026-04-01", "Europe/London")
    assert period.asked() == ("2026-03-01", "2026-04-01")
    part = between(start_at=period.start_at, until_at=NOW, zone="Europe/London")
    assert asked(*part.asked(), zone="Europe/London") == part


def test_a_plus_eaten_by_the_address_is_put_back() -> None:
    assert asked_instant("2026-01-01T10:00:00 01:00", field="as_of", now=NOW, zone="UTC").hour == 9


def test_a_bare_date_is_the_first_instant_of_the_business_day() -> None:
    at = asked_instant("2026-03-30", field="as_of", now=NOW, zone="Europe/London")
    assert at == datetime(2026, 3, 29, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2026-02-30",
        "2026-13-01",
        "10000-01-01",
        "1989-12-31",
        "2200-01-01",
        "0001-01-01",
        "9999-12-31T23:59:59-10:00",
        "2026-01-01T10:00:00",
        "2026-01-01T25:00:00Z",
        "2026-01-01T10:00:00+25:00",
        "2026-1-1",
        "２０２６-01-01",
        "2026-01-01\x00",
        "20260101",
        "1e9",
    ],
)
def test_what_is_no_moment_is_refused_by_name(text: str) -> None:
    with pytest.raises(QuestionError) as refusal:
        parse_moment(text, field="as_of", zone="UTC")
    assert refusal.value.field == "as_of"


@pytest.mark.parametrize(
    ("start", "until", "field"),
    [
        ("2026-02-01", "2026-02-01", "until"),
        ("2026-02-02", "2026-02-01", "until"),
        ("2026-05-01", None, "from"),
        ("2026-01-01T00:00:00Z", "2026-01-01", "until"),
    ],
)
def test_a_period_ends_after_it_starts(start: str, until: str | None, field: str) -> None:
    with pytest.raises(QuestionError) as refusal:
        asked(start, until)
    assert refusal.value.field == field


def test_nothing_is_known_of_the_future() -> None:
    with pytest.raises(QuestionError, match="future"):
        asked_instant("2026-03-30T12:00:00.001Z", field="as_of", now=NOW, zone="UTC")
    assert asked_instant("2026-03-30T12:00:00Z", field="as_of", now=NOW, zone="UTC") == NOW
