"""Cohort tables against a slow and plain count, customer by customer; incomplete cells stay out of pooled rates."""

import random
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
from django.db import transaction

from analytics.behind import cohort_group, customers_behind, said
from analytics.cohorts import BEGINNINGS, MODES, UNITS, Asked, borders, cohort_table
from analytics.scope import Scope
from analytics.sorting import segment
from clm.lib.periods import day_start, local_day, preset
from clm.lib.questions import QuestionError
from customers.models import Profile, Role, Touchpoint, TouchpointType
from lifecycle.models import Transition
from tests.lifecycle.making import happened, installed, settle, tell

pytestmark = pytest.mark.django_db
AS_OF = datetime(2025, 3, 31, 22, 30, tzinfo=UTC)  # in London already the last half hour of the month's last day
ZONE = "Europe/London"
MILLISECOND = timedelta(milliseconds=1)


def scope(as_of: datetime = AS_OF, zone: str = ZONE, **more: Any) -> Scope:
    return Scope(preset(key="30d", now=as_of, zone=zone), as_of, **more)


def unit_of(day: date, unit: str) -> date:
    if unit == "month":
        return day.replace(day=1)
    return day - timedelta(days=day.weekday()) if unit == "week" else day


@pytest.fixture(scope="module")
def shop(django_db_setup: None, django_db_blocker: object) -> object:
    """Sixty people who visit, sign up, buy and give back between January 2024 and March 2025, some of them at borders
    of months, weeks and days."""
    with django_db_blocker.unblock(), transaction.atomic():  # type: ignore[attr-defined]
        installed(time_zone=ZONE)
        chance = random.Random(7)
        edges = [day_start(date(2024, month, day), ZONE) for month in (2, 3, 4, 11) for day in (1, 26)]
        events = []
        for person in range(60):
            name = f"p{person}"
            begins = chance.randint(0, 448)
            for number in range(chance.randint(1, 9)):
                at = datetime(2024, 1, 5, tzinfo=UTC) + timedelta(
                    minutes=chance.randint(60 * 24 * begins, 60 * 24 * 450)
                )
                if chance.random() < 0.3 and begins < 100:
                    at = chance.choice(edges) - chance.choice((MILLISECOND, timedelta()))
                kind = chance.choice(("Order Completed",) * 4 + ("Order Refunded", "Signed Up", "Page Viewed"))
                amount = {"Order Completed": chance.choice((0, 1_000, 2_500)), "Order Refunded": -700}.get(kind)
                events.append(happened(name, kind, at, id=f"{person}/{number}", amount=amount))
        tell(*events)
        settle()
        yield
        transaction.set_rollback(True)


def plain(asked: Asked, as_of: datetime) -> tuple[dict[date, set[int]], dict[tuple[date, date], dict[int, int]], dict]:
    """Cohorts by first day; orders and money by cohort and unit; counted customer by customer."""
    roles = dict(TouchpointType.objects.values_list("pk", "role"))
    owner = dict(Profile.objects.values_list("pk", "customer"))
    told: dict[int, list[tuple[datetime, str, int]]] = defaultdict(list)
    for row in Touchpoint.objects.filter(occurred_at__lte=as_of).order_by("occurred_at"):
        told[owner[row.profile_id]].append((row.occurred_at, roles[row.type_id], row.amount or 0))
    wanted = BEGINNINGS[asked.by][1]
    members: dict[date, set[int]] = defaultdict(set)
    ordered: dict[tuple[date, date], dict[int, int]] = defaultdict(dict)
    money: dict[tuple[date, date], int] = defaultdict(int)
    for customer, happenings in told.items():
        begun = [
            at
            for at, role, amount in happenings
            if wanted is None or (role in wanted and (asked.by != "purchase" or amount > 0))
        ]
        if not begun:
            continue
        cohort = unit_of(local_day(begun[0], ZONE), asked.unit)
        members[cohort].add(customer)
        for at, role, amount in happenings:
            if at >= begun[0] and role in (Role.PURCHASE, Role.REFUND):
                unit = unit_of(local_day(at, ZONE), asked.unit)
                money[cohort, unit] += amount
                if role == Role.PURCHASE and amount > 0:
                    ordered[cohort, unit][customer] = 1
    return members, ordered, money


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("by", BEGINNINGS)
def test_a_table_is_what_counting_everybody_gives(by: str, unit: str, mode: str, shop: None, db: None) -> None:
    asked = Asked(by, unit, mode)
    table = cohort_table(scope=scope(), asked=asked)
    members, ordered, money = plain(asked, AS_OF)
    starts = [one.start for one in table.cohorts]
    for one in table.cohorts:
        assert one.size == len(members[one.start])
        for k, cell in enumerate(one.cells):
            later = starts[starts.index(one.start) + k :]
            units = later if mode == "after" else later[:1]
            came = {customer for unit_start in units for customer in ordered[one.start, unit_start]}
            assert (cell.customers, cell.revenue) == (len(came), money[one.start, later[0]])
            listed = customers_behind(scope=scope(), group=cohort_group(asked, one.start, k))
            assert listed == sorted(came)
        assert customers_behind(scope=scope(), group=cohort_group(asked, one.start, None)) == sorted(members[one.start])
    assert sum(one.size for one in table.cohorts) > 0 or unit == "day"


def test_the_first_cell_of_a_cohort_of_first_purchases_is_all_of_it(shop: None, db: None) -> None:
    for unit in UNITS:
        for one in cohort_table(scope=scope(), asked=Asked("purchase", unit)).cohorts:
            assert one.cells[0].customers == one.size
            assert one.share(0) in (1, None)


def test_the_first_entry_into_a_segment_begins_a_cohort(shop: None, db: None) -> None:
    asked = Asked("segment:active_customer", "month")
    assert "Active customer" in asked.beginning
    entries: dict[int, datetime] = {}
    for row in Transition.objects.filter(
        version=segment("active_customer").version,
        superseded_at=None,
        entered_at__lte=AS_OF,
        stage=segment("active_customer").stage_id("in"),
    ).order_by("-entered_at"):
        entries[row.customer_id] = row.entered_at
    members: dict[date, set[int]] = defaultdict(set)
    for customer, at in entries.items():
        members[unit_of(local_day(at, ZONE), "month")].add(customer)
    table = cohort_table(scope=scope(), asked=asked)
    assert sum(one.size for one in table.cohorts) > 10
    for one in table.cohorts:
        assert one.size == len(members[one.start])
        assert customers_behind(scope=scope(), group=cohort_group(asked, one.start, None)) == sorted(members[one.start])
        for k, cell in enumerate(one.cells):
            group = cohort_group(asked, one.start, k)
            assert len(customers_behind(scope=scope(), group=group)) == cell.customers and said(group)


def test_a_segment_that_there_is_not_begins_no_cohort(shop: None, db: None) -> None:
    with pytest.raises(QuestionError) as fault:
        cohort_table(scope=scope(), asked=Asked("segment:moon"))
    assert fault.value.field == "by"


def test_incomplete_cells_are_part_of_no_pooled_rate(shop: None, db: None) -> None:
    table = cohort_table(scope=scope(), asked=Asked())
    for pooled in table.pooled:
        over = [one for one in table.cohorts if len(one.cells) > pooled.k and one.cells[pooled.k].is_complete]
        assert pooled.size == sum(one.size for one in over)
        assert pooled.customers == sum(one.cells[pooled.k].customers for one in over)
        if pooled.size:
            assert pooled.share == Fraction(pooled.customers, pooled.size)
            assert 0 <= pooled.share <= 1
    # In London the month has half an hour to go, so every cohort's last cell is incomplete; a moment later none is.
    assert [one.cells[-1].is_complete for one in table.cohorts] == [False] * len(table.cohorts)
    end = day_start(date(2025, 4, 1), ZONE) - MILLISECOND
    later = cohort_table(scope=scope(end), asked=Asked())
    assert all(cell.is_complete for one in later.cohorts for cell in one.cells)
    assert all(one.is_over for one in later.cohorts)


def test_back_on_or_after_is_never_less_than_back_on(shop: None, db: None) -> None:
    on, after = (cohort_table(scope=scope(), asked=Asked("touch", "month", mode)) for mode in ("on", "after"))
    for left, right in zip(on.cohorts, after.cohorts, strict=True):
        counts = [cell.customers for cell in right.cells]
        assert counts == sorted(counts, reverse=True)
        assert all(a.customers <= b.customers for a, b in zip(left.cells, right.cells, strict=True))


def test_as_of_hides_what_happened_later(shop: None, db: None) -> None:
    as_of = datetime(2024, 9, 30, tzinfo=UTC)
    table = cohort_table(scope=scope(as_of), asked=Asked())
    members, ordered, _money = plain(Asked(), as_of)
    assert table.cohorts[-1].start == date(2024, 9, 1)
    for one in table.cohorts:
        assert one.size == len(members[one.start])
        assert one.cells[0].customers == len(ordered[one.start, one.start])


@pytest.mark.parametrize(
    ("unit", "as_of", "zone", "first", "last"),
    [
        ("month", datetime(2025, 3, 31, 23, 30, tzinfo=UTC), "Europe/London", date(2024, 4, 1), date(2025, 5, 1)),
        ("month", datetime(2024, 2, 29, 12, tzinfo=UTC), "UTC", date(2023, 2, 1), date(2024, 3, 1)),
        ("day", datetime(2024, 2, 29, 10, 30, tzinfo=UTC), "Pacific/Kiritimati", date(2024, 2, 16), date(2024, 3, 2)),
        ("day", datetime(2024, 3, 1, 10, 30, tzinfo=UTC), "Pacific/Pago_Pago", date(2024, 2, 15), date(2024, 3, 1)),
        ("week", datetime(2025, 1, 1, tzinfo=UTC), "UTC", date(2024, 10, 7), date(2025, 1, 6)),
    ],
)
def test_cohorts_are_days_weeks_and_months_of_the_business_zone(
    unit: str, as_of: datetime, zone: str, first: date, last: date
) -> None:
    found = borders(unit=unit, as_of=as_of, zone=zone)
    assert (found[0], found[-1]) == (first, last)
    assert found == sorted(set(found))


@pytest.mark.parametrize(
    "group", ["cohort:purchase", "cohort:x:month:on:2025-01-01:1", "cohort:purchase:month:on:soon:1", "cohort::::::"]
)
def test_a_cell_that_there_is_not_is_a_fault_of_its_field(group: str) -> None:
    with pytest.raises(QuestionError):
        customers_behind(scope=scope(), group=group)


def test_a_list_of_a_cell_says_who_is_in_it() -> None:
    start = date(2025, 1, 1)
    assert said(cohort_group(Asked(), start, None)) == "whose first purchase lies"
    assert "an order 3 months after" in said(cohort_group(Asked(), start, 3))
    assert "an order 3 weeks or more after" in said(cohort_group(Asked("touch", "week", "after"), start, 3))
