"""Business hours: weekdays and hours of a zone, whatever its clock does; against counting every minute."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from clm.lib.business_hours import BusinessHours, BusinessTime, is_clock
from clm.lib.periods import zone_of

WEEK = BusinessHours("Europe/London", frozenset({1, 2, 3, 4, 5}), "09:00", "17:00")
HOUR = timedelta(hours=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def between(hours: BusinessHours, start: str, until: str) -> timedelta:
    return BusinessTime(hours, instants=[at(start), at(until)]).between(at(start), at(until))


def by_minutes(hours: BusinessHours, start: datetime, until: datetime) -> timedelta:
    """Minutes that begin while the wall clock shows business hours."""
    zone, found = zone_of(hours.zone), 0
    while start < until:
        local = start.astimezone(zone)
        clock = f"{local:%H:%M}"
        found += local.isoweekday() in hours.weekdays and hours.opens <= clock < hours.closes
        start += timedelta(minutes=1)
    return timedelta(minutes=found)


def test_nights_and_weekends_do_not_count() -> None:
    assert between(WEEK, "2026-01-05T09:00", "2026-01-05T17:00") == 8 * HOUR
    assert between(WEEK, "2026-01-05T16:00", "2026-01-06T10:00") == 2 * HOUR
    assert between(WEEK, "2026-01-09T16:30", "2026-01-12T09:15") == timedelta(minutes=45)
    assert between(WEEK, "2026-01-10T00:00", "2026-01-11T23:00") == timedelta()
    assert between(WEEK, "2026-01-05T18:00", "2026-01-05T12:00") == timedelta()


def test_a_working_day_is_as_long_as_the_clock_lets_it_be() -> None:
    """Hours over midnight of a Sunday: the clock is put on at 01:00 UTC on 29 March 2026 and back on 25 October."""
    round_the_clock = BusinessHours("Europe/London", frozenset({7}), "00:00", "24:00")
    assert between(round_the_clock, "2026-03-28T12:00", "2026-03-30T12:00") == 23 * HOUR
    assert between(round_the_clock, "2026-10-24T12:00", "2026-10-26T12:00") == 25 * HOUR
    assert between(round_the_clock, "2026-02-28T12:00", "2026-03-02T12:00") == 24 * HOUR
    night = BusinessHours("Europe/London", frozenset({7}), "01:00", "02:00")
    assert between(night, "2026-03-28T12:00", "2026-03-30T12:00") == timedelta()  # there is no such hour


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago", "Europe/London", "Asia/Kathmandu", "UTC"])
@pytest.mark.parametrize("first", [date(2028, 2, 28), date(2025, 12, 31), date(2026, 10, 24)])
def test_it_is_what_counting_minutes_gives(zone: str, first: date) -> None:
    start = datetime(first.year, first.month, first.day, 7, 30, tzinfo=UTC)
    for hours in (
        BusinessHours(zone, frozenset({1, 2, 3, 4, 5}), "09:00", "17:30"),
        BusinessHours(zone, frozenset({6, 7}), "00:00", "24:00"),
    ):
        until = start + timedelta(days=3, hours=5)
        assert BusinessTime(hours, instants=[start, until]).between(start, until) == by_minutes(hours, start, until)


@settings(max_examples=60)
@given(some.lists(some.integers(0, 60 * 24 * 400), min_size=3, max_size=3))
def test_two_spans_that_touch_make_one(minutes: list[int]) -> None:
    start, middle, until = (at("2026-01-01T00:00") + timedelta(minutes=one) for one in sorted(minutes))
    clock = BusinessTime(WEEK, instants=[start, until])
    assert clock.between(start, middle) + clock.between(middle, until) == clock.between(start, until)
    assert timedelta() <= clock.between(start, until) <= until - start


def test_a_clock_is_a_time_of_the_day() -> None:
    assert all(is_clock(text) for text in ("00:00", "09:30", "23:59", "24:00"))
    assert not any(is_clock(text) for text in ("9:00", "24:01", "12:60", "", "noon"))


def test_nothing_asked_costs_nothing() -> None:
    BusinessTime(WEEK, instants=[])
