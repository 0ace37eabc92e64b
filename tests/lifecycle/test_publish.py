"""Versions going live: built in silence beside what is live, shown to everybody in one instant, told as history."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from pytest_django import Settings

from customers.ingest import clock
from customers.models import Cause, TouchpointType
from lifecycle.install import build, draft, finish_building, install, new_segment
from lifecycle.live import live
from lifecycle.models import Announcement, Move, Replay, Segment, Standing, Subject, Version
from lifecycle.publish import make_live
from lifecycle.replay import replay_all, replay_next, start_replay

from .conftest import Side
from .making import (
    ago,
    believed,
    check_standings,
    customer_of,
    happened,
    installed,
    new_version,
    settle,
    stage,
    stands,
    tell,
    waiting,
)

pytestmark = pytest.mark.django_db

BOUGHT = {"did": {"role": "purchase"}}
TWICE = {"did": {"role": "purchase"}, "at_least": 2}
LOOKED = {"did": {"role": "visit"}, "within": "30d"}


def made(key: str, rule: object) -> Version:
    """A segment by that key as a draft, or its next draft."""
    known = Segment.objects.filter(key=key).first()
    if known is not None:
        return draft(subject=known, document={"rule": rule}, note="")
    return new_segment(key=key, name=key, rule=rule)


def test_installing_again_changes_nothing() -> None:
    installed()
    versions = list(Version.objects.order_by("pk").values_list("pk", "state"))
    assert install(now=clock()) == 0
    assert list(Version.objects.order_by("pk").values_list("pk", "state")) == versions
    assert [state for _pk, state in versions] == ["live"] * 4


def test_what_was_compiled_while_being_built_is_not_taken_for_it_once_it_is_live() -> None:
    tell(happened("a", "Order Completed", ago(days=400)))
    version = made("buyers", BOUGHT)
    Version.objects.filter(pk=version.pk).update(state=Version.State.BUILDING)
    assert [one.is_live for one in live().subjects] == [False]
    finish_building(now=clock())
    assert [one.is_live for one in live().subjects] == [True]


def test_right_after_installing_live_touchpoints_are_told_in_the_same_process() -> None:
    installed()
    tell(happened("a", "Signed Up", ago(minutes=5)))
    settle()
    told = Announcement.objects.filter(customer=customer_of("a"), subject__key="seven")
    assert [(one.stage.key, one.is_news) for one in told.order_by("pk")] == [("acquisition", True)]


def test_a_type_that_commits_after_a_later_one_is_known_by_name() -> None:
    installed()
    new_version("callers", {"did": {"type": "Rang Twice"}})
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence('customers_touchpointtype', 'id'))")
        ((early,),) = cursor.fetchall()
    tell(happened("a", "Some Later Type", ago(days=1)))
    settle()
    TouchpointType.objects.create(pk=early, name="Rang Twice")
    tell(happened("a", "Rang Twice", ago(hours=1)))
    settle()
    assert stage(customer_of("a"), "callers") == "in"


def test_the_next_version_of_a_segment_stands_for_everybody_from_the_moment_it_is_live() -> None:
    installed()
    tell(happened("once", "Order Completed", ago(days=9)), happened("looked", "Page Viewed", ago(days=9)))
    tell(*[happened("twice", "Order Completed", ago(days=days)) for days in (7, 8)])
    settle()
    new_version("chosen", BOUGHT)
    assert {name: stage(customer_of(name), "chosen") for name in ("once", "twice", "looked")} == {
        "once": "in",
        "twice": "in",
        "looked": None,
    }
    new_version("chosen", {"any": [TWICE, LOOKED]})
    assert {name: stage(customer_of(name), "chosen") for name in ("once", "twice", "looked")} == {
        "once": None,
        "twice": "in",
        "looked": "in",
    }
    check_standings()
    assert replay_all().rows_changed == 0
    # The old version's rows stay and answer for the time it was live.
    assert (customer_of("once"), "chosen v1") in {(row[0], row[1]) for row in believed()}


def test_a_publish_is_told_as_history_once_and_the_next_live_touchpoint_does_not_make_news_of_it() -> None:
    installed()
    new_version("chosen", {"did": {"role": "referral"}})
    tell(happened("a", "Order Completed", ago(hours=2)))
    settle()
    before = Announcement.objects.count()
    new_version("chosen", BOUGHT)
    one = customer_of("a")
    tell(happened("a", "Page Viewed", ago(minutes=1)))
    settle()
    told = Announcement.objects.filter(pk__gt=0, subject__key="chosen", customer=one)
    assert [(row.stage.key, row.kind, row.cause, row.is_news) for row in told] == [
        ("in", "correction", Cause.PUBLISH, False)
    ]
    assert stage(one, "chosen") == "in"
    assert Announcement.objects.count() == before + 1
    new_version("chosen", TWICE)
    last = Announcement.objects.filter(subject__key="chosen", customer=one).latest("pk")
    assert (last.from_stage.key, last.stage.key, last.is_news) == ("in", "out", False)


def test_a_first_version_is_built_in_silence_whatever_arrives_meanwhile() -> None:
    installed()
    tell(happened("a", "Page Viewed", ago(days=3)))
    settle()
    version = made("chosen", {"did": {"role": "purchase"}, "within": "1h"})
    Version.objects.filter(pk=version.pk).update(state=Version.State.BUILDING)
    tell(happened("a", "Order Completed", ago(minutes=130)))
    settle()
    tell(happened("a", "Order Completed", ago(minutes=2)))
    settle()
    finish_building(now=clock())
    assert stage(customer_of("a"), "chosen") == "in"
    assert not Announcement.objects.filter(subject__key="chosen").exists()
    tell(happened("b", "Order Completed", ago(minutes=1)))
    settle()
    assert Announcement.objects.filter(subject__key="chosen", is_news=True).count() == 1


def test_a_build_that_was_killed_and_its_successor_do_not_stand_in_each_others_way() -> None:
    installed()
    tell(happened("a", "Order Completed", ago(days=3)), happened("a", "Page Viewed", ago(days=2)))
    settle()
    first = made("chosen", {"did": {"role": "visit"}})
    Version.objects.filter(pk=first.pk).update(state=Version.State.BUILDING)  # and killed
    second = made("chosen", BOUGHT)
    Version.objects.filter(pk=second.pk).update(state=Version.State.BUILDING)  # and killed
    tell(happened("b", "Order Completed", ago(days=3)), happened("b", "Page Viewed", ago(days=2)))
    assert settle().parked == 0
    build(versions=[made("chosen", BOUGHT)], now=clock())
    tell(happened("c", "Order Completed", ago(days=1)))
    assert settle().parked == 0
    assert [stage(customer_of(name), "chosen") for name in "abc"] == ["in"] * 3
    assert list(Version.objects.filter(subject__key="chosen").order_by("number").values_list("state", flat=True)) == [
        "retired",
        "retired",
        "live",
    ]
    check_standings()


def test_a_new_version_is_computed_for_those_whom_a_killed_build_had_already_passed(settings: Settings) -> None:
    installed()
    settings.CLM_BUCKET_SIZE = 2
    tell(*[happened(name, "Order Completed", ago(days=3)) for name in "abcdef"])
    settle()
    first = made("one", {"did": {"role": "visit"}})
    Version.objects.filter(pk=first.pk).update(state=Version.State.BUILDING)
    killed = start_replay(cause=Cause.PUBLISH)
    assert replay_next(replay=killed)  # the first bucket is done, then the process dies
    build(versions=[made("two", BOUGHT)], now=clock())
    assert [stage(customer_of(name), "two") for name in "abcdef"] == ["in"] * 6
    assert not Replay.objects.filter(finished_at=None).exists()
    assert replay_all().rows_changed == 0


@pytest.mark.parametrize("state", ["draft", "building"])
def test_an_installation_killed_half_way_is_finished_by_the_next(state: str) -> None:
    installed()
    # What a kill leaves: the subjects and their versions are there, but nothing is computed or live.
    Subject.objects.update(live_version=None)
    Version.objects.update(state=state, published_at=None)
    tell(happened("a", "Signed Up", ago(days=1)))
    assert install(now=clock()) == 4
    assert set(Version.objects.values_list("state", flat=True)) == {"live"}
    assert stage(customer_of("a")) == "acquisition"
    assert waiting() == 0
    assert install(now=clock()) == 0


def test_a_subject_that_is_retired_is_evaluated_no_more() -> None:
    installed()
    new_version("chosen", BOUGHT)
    Subject.objects.filter(key="chosen").update(retired_at=clock())
    tell(happened("a", "Order Completed", ago(days=1)))
    settle()
    assert "chosen" not in stands(customer_of("a"))


def test_a_building_version_is_fed_and_then_equals_a_replay() -> None:
    installed()
    new_version("chosen", BOUGHT)
    tell(happened("a", "Order Completed", ago(days=3)))
    settle()
    version = made("chosen", TWICE)
    Version.objects.filter(pk=version.pk).update(state=Version.State.BUILDING)
    tell(happened("a", "Order Completed", ago(days=2)))
    settle()
    # Beside the live version, which alone says where customers stand.
    assert {row[1] for row in believed([customer_of("a")])} >= {"chosen v1", "chosen v2"}
    assert Standing.objects.get(customer=customer_of("a"), subject__key="chosen").stage.key == "in"
    finish_building(now=clock() + timedelta(0))
    assert replay_all().rows_changed == 0
    check_standings()


@pytest.mark.django_db(transaction=True)
def test_two_who_install_at_once_install_one(run: Callable[..., Any]) -> None:
    tell(happened("a", "Signed Up", ago(days=1)))
    installing = [run(lambda: install(now=clock())) for _one in range(3)]
    assert sum(one.result() > 0 for one in installing) >= 1
    assert list(Version.objects.order_by("pk").values_list("state", "number")) == [("live", 1)] * 4
    assert stage(customer_of("a")) == "acquisition"
    check_standings()
    assert replay_all().rows_changed == 0


@pytest.mark.django_db(transaction=True)
def test_who_is_advanced_after_a_publish_has_worked_out_its_moves_stands_right_all_the_same(
    run: Callable[..., Any], side: Side
) -> None:
    installed()
    new_version("chosen", {"did": {"role": "signup"}})
    for name in ("moves", "returns", "stays"):
        tell(happened(name, "Signed Up", ago(days=3)))
    settle()
    second = made("chosen", {"all": [{"did": {"role": "signup"}}, {"not": {"did": {"role": "refund"}}}]})
    third = made("looked", LOOKED)
    Version.objects.filter(pk__in=[second.pk, third.pk]).update(state=Version.State.BUILDING)
    tell(happened("returns", "Order Refunded", ago(days=2)))
    settle()
    replay_all(cause=Cause.PUBLISH)
    # Somebody advances, and nobody else is held up by the publish that waits for it.
    with side.holding("SELECT pg_advisory_xact_lock_shared(7302, 0)"):
        publishing = run(lambda: make_live(versions=[second.pk, third.pk]))
        side.waits_for("7302")
        tell(happened("moves", "Order Refunded", ago(hours=2)), happened("new", "Signed Up", ago(hours=1)))
        tell(happened("new", "Page Viewed", ago(minutes=30)), happened("moves", "Page Viewed", ago(minutes=30)))
        settle()
    assert publishing.result() == 2
    names = ("moves", "returns", "stays", "new")
    assert [stage(customer_of(name), "chosen") for name in names] == ["out", "out", "in", "in"]
    assert [stage(customer_of(name), "looked") for name in names] == ["in", None, None, "in"]
    check_standings()
    assert not Move.objects.exists()
    told = (
        Announcement.objects.filter(subject__key="chosen").order_by("pk").values_list("customer", "stage__key", "kind")
    )
    assert [(kind, key) for customer, key, kind in told if customer == customer_of("moves")] == [
        ("transition", "in"),
        ("correction", "out"),
    ]
    assert [(kind, key) for customer, key, kind in told if customer == customer_of("returns")] == [
        ("transition", "in"),
        ("correction", "out"),
    ]
    before = Announcement.objects.count()
    assert replay_all().rows_changed == 0
    settle()
    assert Announcement.objects.count() == before
