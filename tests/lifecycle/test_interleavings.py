"""Everything that can come between two steps, forced with real connections: somebody holds a table or a lock, so a
process stops exactly at the step that needs it, and meanwhile another acts."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import pytest
from pytest_django import Settings

from customers.ingest import clock
from customers.merge import merge
from customers.models import Cause, PropertyKey, PropertyValue
from customers.named_properties import register_properties
from lifecycle.advance import advance
from lifecycle.install import build, draft
from lifecycle.list_members import add_members
from lifecycle.models import Announcement, HotCustomer, Parked, Segment, Subject, Version
from lifecycle.place import place
from lifecycle.replay import replay_all

from .conftest import PATIENCE, Running, Side
from .making import (
    ago,
    all_is_true,
    customer_of,
    happened,
    new_version,
    profile_of,
    settle,
    stage,
    tell,
    two_people,
    waiting,
)

Run = Callable[[Callable[[], Any]], Running]

VERSIONS, BUCKET, PROPERTY_KEYS = 7302, 7304, 7301
# In the order in which advance comes to them: acts of its own, where ingest needs every table that is read meanwhile,
# and tables that ingest of somebody known does not need.
STEPS = {
    "lifecycle.advance.news_about": "before the Stale rows are read",
    "lifecycle.load._properties": "between touchpoints and their properties",
    "lifecycle_transition": "after everything was loaded and evaluated",
    "lifecycle_standing": "before anything is written",
    "lifecycle_announcement": "when stages are written and the Stale rows are still there",
}


@pytest.fixture(autouse=True)
def world(transactional_db: None) -> None:
    two_people()


@contextmanager
def stopped_at(
    step: str, side: Side, monkeypatch: pytest.MonkeyPatch, act: Callable[[], Any], run: Run
) -> Iterator[Any]:
    """The act running, at a step: a table that somebody else holds, or a function that waits before it begins."""
    if "." not in step:
        with side.table(step):
            running = run(act)
            side.waits_for(step)
            yield running
        return
    module, _, name = step.rpartition(".")
    begins = getattr(import_module(module), name)
    reached, may_go_on = threading.Event(), threading.Event()

    def waits(*args: Any, **options: Any) -> Any:
        reached.set()
        assert may_go_on.wait(PATIENCE)
        return begins(*args, **options)

    monkeypatch.setattr(step, waits)
    running = run(act)
    assert reached.wait(PATIENCE)
    try:
        yield running
    finally:
        may_go_on.set()


@pytest.mark.parametrize("step", STEPS, ids=STEPS.values())
def test_what_commits_while_an_advance_runs_is_not_lost(
    side: Side, run: Run, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell(happened("a", "Signed Up", ago(hours=2)))
    with stopped_at(step, side, monkeypatch, advance, run) as advancing:
        tell(
            happened("a", "Feedback Submitted", ago(hours=1), properties={"nps": 10}),
            happened("a", "Signed Up", ago(hours=2), properties={"nps": 10}),  # alike but for its property
        )
    assert advancing.result().customers == 1
    assert not Parked.objects.exists()
    # Read before the lock was held or not, it is kept until it has been read.
    assert waiting() == (0 if step == "lifecycle.advance.news_about" else 1)
    settle()
    assert stage(customer_of("a")) == "advocacy"
    all_is_true()
    told = list(Announcement.objects.filter(subject__key="seven", customer=customer_of("a")).order_by("pk"))
    assert [one.stage.key for one in told] == ["awareness", "acquisition", "advocacy"]


@pytest.mark.parametrize("step", ["lifecycle_placement", "lifecycle_transition", "lifecycle_announcement"])
def test_what_people_decide_and_tell_while_an_advance_runs_is_not_lost(side: Side, run: Run, step: str) -> None:
    new_version("asked", {"trait": "plan", "is": "pro"})
    new_version("named", {"all": [{"segment": "asked"}, {"stage": ["seven", "retention"]}]})
    seven, asked = (Subject.objects.get(key=key).pk for key in ("seven", "asked"))
    one, other = customer_of("a"), customer_of("b")
    tell(happened("a", "Signed Up", ago(hours=2)), happened("b", "Signed Up", ago(hours=2)))
    with side.table(step):
        advancing = run(advance)
        side.waits_for(step)
        if step == "lifecycle_placement":  # the very table an advance waits to read
            tell(happened("a", "Page Viewed", ago(hours=1), traits={"plan": "pro"}))
        else:
            tell(happened("a", "Page Viewed", ago(hours=1), traits={"plan": "pro"}))
            place(customer=one, model=seven, stage="retention", reason="asked", now=clock(), from_at=ago(minutes=30))
            add_members(segment=asked, customers=[other], now=clock())
    assert advancing.result().customers == 2
    settle()
    if step != "lifecycle_placement":
        assert (stage(one), stage(one, "named"), stage(other, "asked")) == ("retention", "in", "in")
    assert stage(one, "asked") == "in"
    all_is_true()


def test_two_workers_and_one_customer(side: Side, run: Run) -> None:
    tell(happened("a", "Signed Up", ago(hours=2)))
    with side.table("lifecycle_standing"):
        first = run(advance)
        side.waits_for("lifecycle_standing")
        assert run(advance).result().customers == 0  # it neither waits nor takes the Stale rows away
        assert waiting() == 1
    assert first.result().customers == 1
    all_is_true()


def test_a_customer_that_somebody_holds_is_left_out_and_found_later(side: Side) -> None:
    tell(happened("a", "Signed Up", ago(hours=2)), happened("b", "Signed Up", ago(hours=2)))
    with side.holding("SELECT 1 FROM customers_customer WHERE id = %s FOR NO KEY UPDATE", [customer_of("a")]):
        assert settle().customers == 1
        assert (stage(customer_of("a")), stage(customer_of("b"))) == ("awareness", "acquisition")
    all_is_true()
    assert stage(customer_of("a")) == "acquisition"


def test_a_bucket_that_a_replay_holds_is_left_out_and_the_others_advance(settings: Settings, side: Side) -> None:
    settings.CLM_BUCKET_SIZE = 1
    tell(happened("a", "Signed Up", ago(hours=2)), happened("b", "Signed Up", ago(hours=2)))
    with side.holding("SELECT pg_advisory_xact_lock(%s, %s)", [BUCKET, customer_of("a")]):
        assert settle().customers == 1
        assert (stage(customer_of("a")), stage(customer_of("b"))) == ("awareness", "acquisition")
    all_is_true()


def test_a_replay_waits_for_an_advance_and_lets_nobody_new_in(side: Side, run: Run) -> None:
    tell(happened("a", "Signed Up", ago(hours=2)))
    with side.table("lifecycle_standing"):
        advancing = run(advance)
        side.waits_for("lifecycle_standing")
        replaying = run(replay_all)
        side.waits_for(str(BUCKET))
        tell(happened("b", "Signed Up", ago(hours=1)))
        assert run(advance).result().customers == 0
    assert advancing.result().customers == 1
    assert replaying.result().rows_changed > 0  # b's, whose Stale row it took along
    all_is_true()


def test_whatever_comes_while_a_replay_runs_waits_or_passes_by(side: Side, run: Run) -> None:
    with side.table("lifecycle_standing"):
        replaying = run(replay_all)
        side.waits_for("lifecycle_standing")
        tell(happened("a", "Signed Up", ago(hours=1)))
        assert run(advance).result().customers == 0
        merging = run(lambda: merge(customers=(customer_of("a"), customer_of("b")), now=clock()))
        side.waits_for(str(BUCKET))
    assert replaying.result().rows_changed == 0
    merging.result()
    all_is_true()
    assert stage(customer_of("b")) == "acquisition"


def test_a_property_registered_while_an_ingest_is_under_way_is_kept_by_the_backfill(side: Side, run: Run) -> None:
    with side.table("customers_orderline"):
        telling = run(lambda: tell(happened("a", "Note", ago(hours=1), properties={"mood": "good"})))
        side.waits_for("customers_orderline")  # it has read which properties are kept
        registering = run(lambda: register_properties(keys=["mood"], now=clock()))
        side.waits_for(str(PROPERTY_KEYS))
    telling.result()
    registering.result()
    assert list(PropertyValue.objects.filter(property_key__key="mood").values_list("text", flat=True)) == ["good"]
    assert PropertyKey.objects.get(key="mood").backfilled_at is not None


def test_an_ingest_while_a_property_is_registered_keeps_it_itself(side: Side, run: Run) -> None:
    with side.table("customers_propertykey"):
        registering = run(lambda: register_properties(keys=["mood"], now=clock()))
        side.waits_for("customers_propertykey")
        telling = run(lambda: tell(happened("a", "Note", ago(hours=1), properties={"mood": "good"})))
        side.waits_for(str(PROPERTY_KEYS))
    registering.result()
    telling.result()
    assert list(PropertyValue.objects.filter(property_key__key="mood").values_list("text", flat=True)) == ["good"]


def test_a_publish_waits_for_an_advance_and_no_advance_sees_two_versions(side: Side, run: Run) -> None:
    new_version("chosen", {"did": {"role": "signup"}})
    segment = Segment.objects.get(key="chosen")
    second = draft(subject=segment, document={"rule": {"did": {"role": "visit"}}}, note="")
    tell(happened("a", "Signed Up", ago(hours=2)))
    with side.table("lifecycle_transition"):
        advancing = run(advance)
        side.waits_for("lifecycle_transition")
        building = run(lambda: build(versions=[second], now=clock()))
        side.waits_for(str(VERSIONS))
        tell(happened("b", "Signed Up", ago(hours=2)))
        following = run(advance)  # waits behind the publish, holding nothing
        side.waits_for(str(VERSIONS), count=2)
    advancing.result()
    following.result()
    building.result()
    all_is_true()
    assert [stage(customer_of(name), "chosen") for name in "ab"] == ["in", "in"]
    assert Subject.objects.get(key="chosen").live_version_id == second.pk
    assert list(Version.objects.filter(subject=segment).order_by("pk").values_list("state", flat=True)) == [
        "retired",
        "live",
    ]


def test_an_advance_between_the_build_and_the_publish_feeds_both_versions(side: Side, run: Run) -> None:
    new_version("chosen", {"did": {"role": "signup"}})
    segment = Segment.objects.get(key="chosen")
    second = draft(subject=segment, document={"rule": {"did": {"role": "referral"}}}, note="")
    with side.holding("LOCK TABLE lifecycle_subject IN SHARE MODE"):  # the pointer cannot move
        building = run(lambda: build(versions=[second], now=clock()))
        side.waits_for("lifecycle_subject")
        tell(happened("a", "Referral Made", ago(hours=2)), happened("b", "Signed Up", ago(hours=2)))
        advancing = run(advance)
        side.waits_for(str(VERSIONS))
    building.result()
    advancing.result()
    all_is_true()
    assert [stage(customer_of(name), "chosen") for name in "ab"] == ["in", None]


def test_putting_back_a_parked_customer_while_its_rows_are_dropped(side: Side, run: Run) -> None:
    a = customer_of("a")
    Parked.objects.create(customer_id=a, error="x", parked_at=clock())
    tell(happened("a", "Signed Up", ago(hours=1)))
    with side.holding("LOCK TABLE customers_stale IN SHARE ROW EXCLUSIVE MODE"):
        advancing = run(advance)
        side.waits_for("customers_stale")  # it has seen the customer parked, and is about to drop its rows
        side.ask("DELETE FROM lifecycle_parked")
        side.ask(
            "INSERT INTO customers_stale (profile_id, cause, attempts) VALUES (%s, %s, 1)",
            [profile_of("a"), Cause.ENGINE],
        )
        side.ask("COMMIT")
        side.ask("BEGIN")
    advancing.result()
    all_is_true()
    assert stage(a) == "acquisition"


def test_a_hot_customer_that_another_has_just_advanced_waits_for_its_next_turn(side: Side, run: Run) -> None:
    a = customer_of("a")
    HotCustomer.objects.create(customer_id=a, touchpoints=10**6, not_before=ago(minutes=1))
    tell(happened("a", "Signed Up", ago(hours=1)))
    with side.holding("SELECT pg_advisory_xact_lock(%s, 0)", [VERSIONS]):
        advancing = run(advance)
        side.waits_for(str(VERSIONS))  # it has chosen the customer
        HotCustomer.objects.update(not_before=ago(minutes=-1))
    assert advancing.result().customers == 0
    assert waiting() == 1
    HotCustomer.objects.all().delete()
    all_is_true()
