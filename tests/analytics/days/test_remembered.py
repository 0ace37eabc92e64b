"""Answers from history are told again for a while, and never after a fact has changed them."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from analytics.behind import ids_behind
from analytics.days.kept import Kept, kept
from analytics.days.remembered import (
    forget_old,
    generation,
    next_generation,
    remembered_ids,
    remembered_now,
    remembered_rows,
)
from analytics.retention import Retention, retention
from analytics.scope import Scope, parse_scope
from clm.lib.periods import days, local_day
from tests.lifecycle.making import ago, customer_of, happened, installed, settle, tell

from .filling import filled

pytestmark = pytest.mark.django_db


def counted() -> Kept:
    settle()
    filled()
    return kept()


def asked(found: Kept) -> tuple[Retention, bool]:
    """Retention of a period that is not kept, and whether history was asked for it."""
    assert found.known_at is not None
    today = local_day(found.known_at, "UTC")
    period = days(start=today - timedelta(days=50), until=today - timedelta(days=9), zone="UTC")
    with CaptureQueriesContext(connection) as statements:
        answer = retention(scope=Scope(period, found.known_at, kept=found))
    return answer, any("lifecycle_transition" in one["sql"] for one in statements.captured_queries)


@pytest.fixture
def shop() -> Kept:
    installed(time_zone="UTC")
    tell(happened("a", "Order Completed", ago(days=60), amount=100))
    return counted()


def test_an_answer_is_told_again_until_a_finished_day_moves(shop: Kept) -> None:
    first, looked = asked(shop)
    assert looked and first.started == 1
    tell(happened("b", "Page Viewed", ago(minutes=1)))
    again, looked = asked(counted())
    assert not looked and again == first  # a fill alone, and what happens today, change nothing of it
    tell(happened("c", "Order Completed", ago(days=55), amount=100))
    late, looked = asked(counted())
    assert looked and late.started == 2


def test_who_is_behind_a_number_is_told_again_until_a_finished_day_moves(shop: Kept) -> None:
    def listed(found: Kept) -> tuple[list[int], bool]:
        today = local_day(shop.known_at or ago(), "UTC")
        period = days(start=today - timedelta(days=50), until=today - timedelta(days=9), zone="UTC")
        assert shop.known_at is not None
        with CaptureQueriesContext(connection) as statements:
            ids = ids_behind(scope=Scope(period, shop.known_at, kept=found), group="started")
        return ids.tolist(), any("lifecycle_transition" in one["sql"] for one in statements.captured_queries)

    assert listed(shop) == ([customer_of("a")], True)
    assert listed(counted()) == ([customer_of("a")], False)
    tell(happened("c", "Order Completed", ago(days=55), amount=100))
    assert listed(counted()) == ([customer_of("a"), customer_of("c")], True)


def test_a_generation_that_fell_out_of_the_cache_never_comes_back(shop: Kept) -> None:
    known = generation()
    assert known == generation()
    cache.clear()
    assert generation() != known
    next_generation(known_at=ago())
    assert generation() == generation() != known


def test_what_is_too_old_is_dropped_and_nothing_else(shop: Kept) -> None:
    forget_old()
    cache.set("old", 1, -1)  # Django writes it, to be over at once
    cache.set("young", 2, 60)
    assert forget_old() == 1
    assert (cache.get("old"), cache.get("young")) == (None, 2)


@pytest.mark.parametrize("ids", [[], [5], [1, 2, 2**40, 2**62]])
def test_ids_are_remembered_as_they_are(ids: list[int]) -> None:
    for of in ("one", "one", None):
        assert remembered_ids("test", of=of, count=lambda: ids).tolist() == ids


def test_nothing_is_remembered_while_nothing_is_counted() -> None:
    installed(time_zone="UTC")
    found = Kept("UTC", {})
    assert found.remembered_by is None
    with CaptureQueriesContext(connection) as statements:
        remembered_rows("analytics/customers_estimated", of=None)
    assert len(statements) == 1


def test_pages_of_a_segment_mean_the_same_now_for_some_minutes(shop: Kept) -> None:
    assert shop.known_at is not None
    first = parse_scope({"segment": "active_customer"}, now=ago(), counted=shop, may_be_remembered=True).scope
    later = counted()
    again = parse_scope({"segment": "active_customer"}, now=ago(), counted=later, may_be_remembered=True).scope
    assert again.as_of == first.as_of < (later.known_at or first.as_of)
    # The API is told what is known now.
    api = parse_scope({"segment": "active_customer"}, now=ago(), counted=later).scope
    assert api.as_of == later.known_at
    # An earlier now than the remembered one is not led astray.
    earlier = first.as_of - timedelta(hours=1)
    assert remembered_now(now=earlier, zone="UTC") == earlier
