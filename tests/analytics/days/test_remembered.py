"""Answers from history are told again for a while, and never after a fact has changed them."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from analytics.days.kept import Kept, kept
from analytics.days.remembered import remembered_now, remembered_rows
from analytics.retention import Retention, retention
from analytics.scope import Scope, parse_scope
from clm.lib.periods import days, local_day
from tests.lifecycle.making import ago, happened, installed, settle, tell

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
