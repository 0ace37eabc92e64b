"""Retention: who was active when, with borders to the millisecond, against a count done by hand and one done slowly."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from analytics.retention import GROUPS, Retention, customers_of, retention, retentions
from analytics.scope import Scope
from analytics.sorting import segment
from clm.lib.periods import days
from customers.models import Customer
from lifecycle.models import Segment, Stage, Transition
from tests.factories import day, make_customer
from tests.lifecycle.making import installed

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 1, 1, tzinfo=UTC)
LAPSE = timedelta(days=180)
YEAR = days(start=day("2024-01-01").date(), until=day("2025-01-01").date(), zone="UTC")


def scope(as_of: datetime = NOW, **more: object) -> Scope:
    return Scope(YEAR, as_of, **more)


@pytest.fixture
def shop() -> dict[str, int]:
    """One customer for every fate in 2024."""
    installed()
    return {
        "kept": make_customer("2023-12-01", "2024-11-01"),
        "lost": make_customer("2023-10-01"),
        "first": make_customer("2024-09-01"),
        "reactivated": make_customer("2022-01-01", "2024-10-01"),
        "came_and_went": make_customer("2024-02-01"),
        "long gone": make_customer("2022-02-01"),
        "later": make_customer("2025-02-01"),
    }


def test_every_customer_has_one_fate(shop: dict[str, int]) -> None:
    found = retention(scope=scope())
    assert found == Retention(started=2, ended=3, kept=1, lost=1, first=1, reactivated=1, came_and_went=1, active=5)
    assert found.crr == found.churn
    assert float(found.crr or 0) == 0.5
    for group in ("kept", "lost", "first", "reactivated", "came_and_went"):
        assert customers_of(scope=scope(), group=group) == [shop[group]]
    assert customers_of(scope=scope(), group="started") == sorted([shop["kept"], shop["lost"]])
    assert len(customers_of(scope=scope(), group="ended")) == 3


def test_start_and_end_are_taken_one_millisecond_before() -> None:
    installed()
    start, end = YEAR.start_at, YEAR.until_at
    bought_at_start = make_customer(start)  # active on [start, start + L): not yet at the start, gone at the end
    until_start = make_customer(start - LAPSE)  # active until the start, which it just reaches
    too_early = make_customer(start - LAPSE - timedelta(milliseconds=1))
    until_end = make_customer(end - LAPSE)
    bought_at_end = make_customer(end)
    found = retention(scope=scope())
    assert (found.started, found.ended, found.lost, found.first, found.came_and_went) == (1, 1, 1, 1, 1)
    assert customers_of(scope=scope(), group="lost") == [until_start]
    assert customers_of(scope=scope(), group="first") == [until_end]
    assert customers_of(scope=scope(), group="came_and_went") == [bought_at_start]
    everybody = [one for group in GROUPS for one in customers_of(scope=scope(), group=group)]
    assert too_early not in everybody
    assert bought_at_end not in everybody


def test_as_of_ends_an_unfinished_period(shop: dict[str, int]) -> None:
    # On 1 March the kept one is still active from 2023, the lost one too, and one came and has not yet gone.
    found = retention(scope=scope(day("2024-03-01")))
    assert (found.started, found.ended, found.kept, found.lost, found.first) == (2, 3, 2, 0, 1)


def test_nobody_at_the_start_is_no_rate_and_no_error() -> None:
    installed()
    found = retention(scope=scope())
    assert found == Retention()
    assert found.crr is None
    assert found.churn_interval is None


def test_without_a_segment_of_active_customers_nobody_is_active() -> None:
    assert retention(scope=scope()) == Retention()


def test_among_a_segment_only_its_members_count(shop: dict[str, int]) -> None:
    members = segment("active_customer")
    # In February 2025 those who bought since September are active, and the later one.
    found = retention(scope=scope(day("2025-02-15"), segment=members))
    assert (found.started, found.ended, found.kept, found.first, found.reactivated) == (1, 3, 1, 1, 1)


def test_any_history_is_counted_as_a_slow_count_does() -> None:
    installed()
    chance = random.Random(20)
    active = Segment.objects.get(key="active_customer")
    stages = {stage.key: stage.pk for stage in Stage.objects.filter(subject=active)}
    grid = [day("2024-01-01") + timedelta(hours=12 * n) for n in range(60)]
    history: dict[int, list[datetime]] = {}
    rows = []
    for _ in range(120):
        customer = Customer.objects.create().pk
        borders = sorted(chance.sample(grid, chance.randint(1, 6)))
        jitter = timedelta(milliseconds=chance.choice([-1, 0, 0, 1]))
        history[customer] = [at + jitter for at in borders]
        rows += [
            Transition(
                customer_id=customer,
                version_id=active.live_version_id,
                stage_id=stages["in" if place % 2 == 0 else "out"],
                entered_at=at,
                recorded_at=NOW,
                cause=4,
            )
            for place, at in enumerate(history[customer])
        ]
    Transition.objects.bulk_create(rows)

    def active_at(borders: list[datetime], at: datetime) -> bool:
        return sum(1 for border in borders if border <= at) % 2 == 1

    windows = [(grid[a], grid[b]) for a, b in [(0, 1), (5, 30), (10, 11), (20, 59)]]
    for (start, end), found in zip(windows, retentions(scope=scope(), windows=windows), strict=True):
        before, last = start - timedelta(milliseconds=1), end - timedelta(milliseconds=1)
        starters = {c for c, borders in history.items() if active_at(borders, before)}
        enders = {c for c, borders in history.items() if active_at(borders, last)}
        inside = {c for c, borders in history.items() if any(start <= at < end for at in borders[0::2])}
        fresh = {c for c in enders - starters if history[c][0] >= start}
        assert found == Retention(
            started=len(starters),
            ended=len(enders),
            kept=len(starters & enders),
            lost=len(starters - enders),
            first=len(fresh),
            reactivated=len(enders - starters - fresh),
            came_and_went=len(inside - starters - enders),
            active=len(starters | enders | inside),
        )
