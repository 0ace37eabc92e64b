"""When a report is due: once a day at most, whatever the clock does on it."""

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st

from analytics.reports.schedule import LAST_DAY, Schedule
from analytics.reports.spans import SPANS, question_at
from analytics.reports.views import VIEWS
from clm.lib.periods import local_day, zone_of

LONDON, LORD_HOWE, APIA, NEW_YORK = "Europe/London", "Australia/Lord_Howe", "Pacific/Apia", "America/New_York"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("schedule", "zone", "after", "due"),
    [
        (Schedule("daily", time(8)), LONDON, "2026-03-28T08:00", "2026-03-29T07:00"),
        (Schedule("daily", time(8)), LONDON, "2026-03-29T06:59", "2026-03-29T07:00"),
        # 01:30 is skipped in London on 29 March: due as much later as the clock jumps.
        (Schedule("daily", time(1, 30)), LONDON, "2026-03-28T12:00", "2026-03-29T01:30"),
        (Schedule("daily", time(1, 30)), LONDON, "2026-03-29T01:30", "2026-03-30T00:30"),
        # 01:30 comes twice on 25 October: due the first time, and not again an hour later.
        (Schedule("daily", time(1, 30)), LONDON, "2026-10-24T12:00", "2026-10-25T00:30"),
        (Schedule("daily", time(1, 30)), LONDON, "2026-10-25T00:30", "2026-10-26T01:30"),
        # 30 December 2011 was left out in Samoa.
        (Schedule("daily", time(8)), APIA, "2011-12-29T18:00", "2011-12-30T18:00"),
        (Schedule("weekly", time(9), weekday=0), LONDON, "2026-11-22T12:00", "2026-11-23T09:00"),
        (Schedule("weekly", time(9), weekday=0), LONDON, "2026-11-23T09:00", "2026-11-30T09:00"),
        (Schedule("monthly", time(9), day=1), NEW_YORK, "2026-12-01T14:00", "2027-01-01T14:00"),
        (Schedule("monthly", time(9), day=31), LONDON, "2028-01-31T09:00", "2028-02-29T09:00"),
        (Schedule("monthly", time(9), day=LAST_DAY), LONDON, "2027-01-31T09:00", "2027-02-28T09:00"),
        (Schedule("monthly", time(9), day=LAST_DAY), LONDON, "2027-02-28T09:00", "2027-03-31T08:00"),
    ],
)
def test_the_next_instant(schedule: Schedule, zone: str, after: str, due: str) -> None:
    assert schedule.next_after(at(after), zone=zone) == at(due)
    assert schedule.last_until(at(due), zone=zone) == at(due)


def test_a_report_that_is_sent_only_by_hand_is_never_due() -> None:
    schedule = Schedule("never", time(8))
    assert schedule.next_after(at("2026-01-01T00:00"), zone=LONDON) is None
    assert schedule.last_until(at("2026-01-01T00:00"), zone=LONDON) is None


@given(
    cadence=st.sampled_from(["daily", "weekly", "monthly"]),
    clock=st.times(),
    weekday=st.integers(0, 6),
    day=st.integers(0, 31),
    zone=st.sampled_from([LONDON, LORD_HOWE, APIA, NEW_YORK, "Pacific/Kiritimati", "Pacific/Pago_Pago"]),
    start=st.dates(date(2007, 1, 1), date(2030, 1, 1)),
)
def test_every_day_it_is_on_has_one_instant_and_they_come_in_order(
    cadence: str, clock: time, weekday: int, day: int, zone: str, start: date
) -> None:
    schedule = Schedule(cadence, clock.replace(second=0, microsecond=0), weekday, day)
    begin = datetime(start.year, start.month, start.day, tzinfo=UTC)
    end = begin + timedelta(days=70)
    found = list(schedule.between(begin, end, zone=zone))
    assert found == sorted(set(found))
    for one in found:
        assert schedule.last_until(one, zone=zone) == one
        assert schedule.last_until(one - timedelta(milliseconds=1), zone=zone) != one
    # Where the clock is not changed the time is the one that was asked for; a day is never met twice.
    local = [one.astimezone(zone_of(zone)) for one in found]
    usual = [one for one in local if (one.hour, one.minute) == (schedule.at.hour, schedule.at.minute)]
    assert len(usual) >= len(local) - 2
    assert max(Counter(one.date() for one in usual).values(), default=1) == 1
    if cadence == "daily":
        assert len(found) in range(68, 73)
    if cadence == "monthly":
        last = {one.date() for one in usual if (one.date() + timedelta(days=1)).day == 1}
        assert day not in (0, 31) or len(last) >= len(usual) - 1


# --- what it is about ------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("span", "first", "until"),
    [
        ("last_day", "2028-02-29", "2028-03-01"),
        ("last_week", "2028-02-21", "2028-02-28"),
        ("last_month", "2028-02-01", "2028-03-01"),
        ("last_quarter", "2027-10-01", "2028-01-01"),
        ("last_year", "2027-01-01", "2028-01-01"),
        ("this_month", "2028-03-01", "2028-03-02"),
    ],
)
def test_a_period_that_goes_along_takes_the_place_of_the_pages_own(span: str, first: str, until: str) -> None:
    question = "period=30d&segment=vip&as_of=2020-01-01&compare=year"
    asked = QueryDict(
        question_at(view=VIEWS["overview"], question=question, span=span, due_at=at("2028-03-01T07:00"), zone=LONDON)
    )
    assert asked.dict() == {"segment": "vip", "compare": "year", "from": first, "until": until}


def test_the_day_is_that_of_the_organisation() -> None:
    """At 23:30 in London on 31 March it is due; in UTC that is the same day, in Tokyo it would be April."""
    due = at("2026-03-31T22:30")
    assert local_day(due, LONDON) == date(2026, 3, 31)
    told = {
        zone: QueryDict(question_at(view=VIEWS["overview"], question="", span="last_month", due_at=due, zone=zone))
        for zone in (LONDON, "Asia/Tokyo")
    }
    assert told[LONDON]["from"] == "2026-02-01"
    assert told["Asia/Tokyo"]["from"] == "2026-03-01"


def test_a_page_without_a_period_is_asked_none() -> None:
    told = question_at(
        view=VIEWS["retention"],
        question="by=signup&as_of=2026-01-01",
        span="last_month",
        due_at=at("2026-03-01T00:00"),
        zone=LONDON,
    )
    assert told == "by=signup"
    assert (
        question_at(
            view=VIEWS["retention"],
            question="by=signup&as_of=2026-01-01",
            span="asked",
            due_at=at("2026-03-01T00:00"),
            zone=LONDON,
        )
        == "by=signup&as_of=2026-01-01"
    )
    assert all(label for label, _days in SPANS.values())
