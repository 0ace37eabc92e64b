"""Customers with more touchpoints than one person has, and customers that raise: nobody else waits for them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db.models import F
from pytest_django import Settings

from customers.ingest import clock
from customers.merge import merge
from customers.models import Cause, PropertyValue, Stale
from lifecycle.advance import advance, advance_customers, advance_hot
from lifecycle.models import Due, HotCustomer, Parked, Standing
from lifecycle.parking import unpark
from lifecycle.replay import replay_all

from .making import (
    ago,
    check_standings,
    customer_of,
    happened,
    history_of,
    installed,
    new_version,
    profile_of,
    settle,
    stage,
    tell,
    waiting,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def small(settings: Settings, db: None) -> None:
    settings.CLM_HOT_TOUCHPOINTS, settings.CLM_PARK_TOUCHPOINTS = 5, 8
    installed()


def looked(name: str, times: int, *, hours: int = 0) -> None:
    tell(*[happened(name, "Page Viewed", ago(hours=hours, minutes=10 + number)) for number in range(times)])


@contextmanager
def raising(name: str) -> Iterator[None]:
    """The facts of a customer cannot be read: a kept property holds what is no number. (No constraint of ours lets it
    in; a damaged row does.)"""
    broken = PropertyValue.objects.filter(profile__identities__value=name)
    assert broken.update(text="so many") > 0
    yield
    broken.update(text="10")


def answered(*names: str) -> None:
    tell(*[happened(name, "Feedback Submitted", ago(hours=1), properties={"nps": 10}) for name in names])


def test_a_hot_customer_is_advanced_once_a_minute_and_nobody_waits_for_it() -> None:
    looked("hot", 6)
    looked("cool", 1)
    settle()
    assert list(HotCustomer.objects.values_list("customer", "touchpoints")) == [(customer_of("hot"), 6)]
    tell(happened("hot", "Signed Up", ago(minutes=1)), happened("cool", "Signed Up", ago(minutes=1)))
    settle()
    assert (stage(customer_of("hot")), stage(customer_of("cool"))) == ("awareness", "acquisition")
    assert waiting() == 1  # kept for its turn
    HotCustomer.objects.update(not_before=F("not_before") - timedelta(minutes=1))
    settle()
    assert stage(customer_of("hot")) == "acquisition"
    assert waiting() == 0


def test_time_alone_waits_for_a_hot_customers_turn_too() -> None:
    looked("hot", 6)
    settle()
    Due.objects.update(due_at=ago(minutes=1))
    assert advance().customers == 0
    HotCustomer.objects.update(not_before=clock())
    assert advance().customers == 1


def test_hot_customers_waiting_their_turn_hide_nobody_behind_them() -> None:
    names = [f"hot {number}" for number in range(5)]
    for name in names:
        looked(name, 6)
    settle()
    for name in names:
        looked(name, 1, hours=1)
    tell(happened("cool", "Signed Up", ago(minutes=1)))
    settle(limit=1)
    assert stage(customer_of("cool")) == "acquisition"


def test_a_customer_found_to_be_hot_is_left_to_the_lane_of_its_own() -> None:
    looked("hot", 6)
    looked("cool", 1)
    assert advance(hot=False).customers == 1
    assert (stage(customer_of("hot")), stage(customer_of("cool"))) == (None, "awareness")
    assert advance(hot=False).customers == 0
    assert advance_hot().customers == 1
    assert stage(customer_of("hot")) == "awareness"
    Due.objects.update(due_at=ago(minutes=1))
    HotCustomer.objects.update(not_before=clock())
    assert [advance(hot=False).customers, advance(hot=False).customers, advance_hot().customers] == [1, 0, 1]


def test_a_customer_that_is_hot_no_more_goes_back_to_the_others(settings: Settings) -> None:
    looked("hot", 6)
    settle()
    settings.CLM_HOT_TOUCHPOINTS = 7
    HotCustomer.objects.update(not_before=clock())
    looked("hot", 1, hours=1)
    assert advance_hot().customers == 1
    assert not HotCustomer.objects.exists()


def test_a_batch_takes_on_only_so_many_touchpoints_the_longest_waiting_first(settings: Settings) -> None:
    settings.CLM_BATCH_TOUCHPOINTS = 6
    for name in ("third", "second", "first"):
        tell(happened(name, "Page Viewed", ago(days=1)))
    settle()
    for name in ("first", "second", "third"):
        looked(name, 2)
    assert (advance().customers, advance().customers, advance().customers) == (2, 1, 0)
    assert Standing.objects.filter(subject__key="seven").count() == 3
    looked("first", 1, hours=2)
    looked("third", 1, hours=2)
    settings.CLM_BATCH_TOUCHPOINTS = 1  # one too large for any batch is taken alone
    advance()
    assert Stale.objects.values_list("profile", flat=True).get() == profile_of("third")


def test_above_the_limit_a_customer_is_parked_and_shown_and_its_neighbours_advance() -> None:
    looked("shared", 9)
    looked("neighbour", 1)
    done = settle()
    assert done.parked == 1
    parked = Parked.objects.get()
    assert parked.customer_id == customer_of("shared")
    assert "9 touchpoints" in parked.error
    assert stage(customer_of("shared")) is None
    assert stage(customer_of("neighbour")) == "awareness"
    assert not HotCustomer.objects.exists()
    looked("shared", 1, hours=5)
    assert settle().parked == 0
    assert waiting() == 0  # dropped: whoever puts it back marks it as changed


def test_a_customer_that_raises_is_tried_alone_and_parked_with_its_error() -> None:
    answered("before", "broken", "after")
    with raising("broken"):
        assert settle().parked == 1
        assert stage(customer_of("before")) == stage(customer_of("after")) == "awareness"
        parked = Parked.objects.get()
        assert (parked.customer_id, parked.error.split(":")[0]) == (customer_of("broken"), "InvalidOperation")
        tell(happened("after", "Signed Up", ago(minutes=1)), happened("broken", "Signed Up", ago(minutes=1)))
        assert settle().parked == 0
        assert stage(customer_of("after")) == "advocacy"
    unpark(customer=customer_of("broken"))
    settle()
    assert stage(customer_of("broken")) == "advocacy"
    assert waiting() == 0
    check_standings()
    assert replay_all().rows_changed == 0


def test_a_replay_parks_who_raises_and_passes_everybody_else() -> None:
    answered(*"abcdefg")
    settle()
    Standing.objects.all().delete()
    with raising("d"):
        assert replay_all().rows_changed == 6 * Standing.objects.filter(customer=customer_of("a")).count()
        assert list(Parked.objects.values_list("customer", flat=True)) == [customer_of("d")]
        assert replay_all().rows_changed == 0
        new_version("everybody", {"did": {}})  # a publish does not wait for it either
        assert [stage(customer_of(name), "everybody") for name in "cde"] == ["in", None, "in"]
    unpark(customer=customer_of("d"))
    settle()
    assert stage(customer_of("d"), "everybody") == "in"
    check_standings()


def test_a_publish_leaves_a_parked_customer_standing_where_it_stood() -> None:
    new_version("everybody", {"did": {}})
    answered("a", "d")
    settle()
    Parked.objects.create(customer_id=customer_of("d"), error="x", parked_at=clock())
    new_version("everybody", {"did": {"role": "feedback"}})
    assert [stage(customer_of(name), "everybody") for name in "ad"] == ["in", "in"]


def test_somebody_waiting_for_the_answer_does_not_wake_a_parked_customer() -> None:
    looked("shared", 9)
    settle()
    done = advance_customers(customers=[customer_of("shared")])
    assert (done.customers, done.parked) == (0, 0)


def test_what_a_parked_survivor_absorbed_loses_its_stages_once_it_is_put_back() -> None:
    answered("survivor", "absorbed")
    settle()
    survivor, absorbed = customer_of("survivor"), customer_of("absorbed")
    with raising("survivor"):
        Stale.objects.create(profile_id=profile_of("survivor"), cause=Cause.LIVE)
        assert settle().parked == 1
        merge(customers=(survivor, absorbed), now=clock())
        settle()
    unpark(customer=survivor)
    settle()
    assert history_of(absorbed) == []
    assert not Standing.objects.filter(customer=absorbed).exists()
    check_standings()
