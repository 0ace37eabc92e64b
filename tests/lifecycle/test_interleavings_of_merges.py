"""Everything that can come between two steps of a merge, forced with real connections: somebody holds a table or a
lock, so a process stops exactly at the step that needs it, and meanwhile another acts."""

from collections.abc import Callable
from typing import Any

import pytest

from customers.ingest import clock
from customers.merge import MergeError, merge, unmerge
from customers.models import Profile
from lifecycle.advance import advance
from lifecycle.replay import replay_all

from .conftest import Running, Side
from .making import ago, all_is_true, customer_of, happened, history_of, settle, stage, tell, two_people

Run = Callable[[Callable[[], Any]], Running]

VERSIONS, MERGES, BUCKET = 7302, 7303, 7304


@pytest.fixture(autouse=True)
def world(transactional_db: None) -> None:
    two_people()


def test_a_merge_while_an_ingest_is_under_way(side: Side, run: Run) -> None:
    a, b = customer_of("a"), customer_of("b")
    with side.table("customers_touchpoint"):
        telling = run(lambda: tell(happened("b", "Signed Up", ago(hours=1), identities=[("user_id", "b"), ("x", "y")])))
        side.waits_for("customers_touchpoint")  # it knows the profile, and has stored an identity
        merge(customers=(a, b), now=clock())
    telling.result()
    all_is_true()
    assert (stage(a), history_of(b), customer_of("y", "x")) == ("acquisition", [], a)


def test_an_ingest_while_a_merge_is_under_way_does_not_wait(side: Side, run: Run) -> None:
    a, b = customer_of("a"), customer_of("b")
    with side.table("customers_mergedprofile"):
        merging = run(lambda: merge(customers=(a, b), now=clock()))
        side.waits_for("customers_mergedprofile")
        run(lambda: tell(happened("b", "Signed Up", ago(hours=1)))).result()
        assert run(advance).result().customers == 0  # both are held
    merging.result()
    all_is_true()
    assert (stage(a), history_of(b)) == ("acquisition", [])


@pytest.mark.parametrize("whose", ["a", "b"], ids=["the survivor", "the absorbed"])
def test_a_merge_waits_for_the_advance_of(side: Side, run: Run, whose: str) -> None:
    a, b = customer_of("a"), customer_of("b")
    tell(happened(whose, "Signed Up", ago(hours=1)))
    with side.table("lifecycle_standing"):
        advancing = run(advance)
        side.waits_for("lifecycle_standing")
        merging = run(lambda: merge(customers=(a, b), now=clock()))
        side.waits(2)  # for the table, and for the customer's row
        assert not merging.is_over
    assert advancing.result().customers == 1
    merging.result()
    assert stage(customer_of("a")) is not None
    all_is_true()
    assert (stage(a), history_of(b)) == ("acquisition", [])


def test_a_merge_between_finding_a_candidate_and_locking_it(side: Side, run: Run) -> None:
    a, b = customer_of("a"), customer_of("b")
    tell(happened("b", "Signed Up", ago(hours=1)))
    with side.holding("SELECT pg_advisory_xact_lock(%s, 0)", [VERSIONS]):
        advancing = run(advance)
        side.waits_for(str(VERSIONS))
        merge(customers=(a, b), now=clock())
    advancing.result()
    all_is_true()
    assert (stage(a), history_of(b)) == ("acquisition", [])


def test_a_survivor_waits_until_those_it_absorbed_can_be_emptied_with_it(side: Side) -> None:
    a, b = customer_of("a"), customer_of("b")
    tell(happened("b", "Signed Up", ago(hours=1)))
    settle()
    merge(customers=(a, b), now=clock())
    with side.holding("SELECT 1 FROM customers_customer WHERE id = %s FOR UPDATE", [b]):
        assert settle().customers == 0
        assert (stage(a), stage(b)) == ("awareness", "acquisition")
        assert replay_all().rows_changed > 0  # which holds the bucket, and may empty whom nobody advances
    all_is_true()
    assert (stage(a), stage(b)) == ("acquisition", None)


def test_an_undone_merge_waits_for_a_replay(side: Side, run: Run) -> None:
    a, b = customer_of("a"), customer_of("b")
    record = merge(customers=(a, b), now=clock())
    tell(happened("b", "Signed Up", ago(hours=1)))
    settle()
    with side.table("lifecycle_standing"):
        replaying = run(replay_all)
        side.waits_for("lifecycle_standing")
        undoing = run(lambda: unmerge(merge=record.pk, now=clock()))
        side.waits_for(str(BUCKET))
    assert replaying.result().rows_changed == 0
    undoing.result()
    all_is_true()
    assert (stage(a), stage(b)) == ("awareness", "acquisition")


def test_a_replay_waits_for_an_undone_merge(side: Side, run: Run) -> None:
    a, b = customer_of("a"), customer_of("b")
    record = merge(customers=(a, b), now=clock())
    settle()
    with side.table("customers_stale"):
        undoing = run(lambda: unmerge(merge=record.pk, now=clock()))
        side.waits_for("customers_stale")
        replaying = run(replay_all)
        side.waits_for(str(BUCKET))
    undoing.result()
    replaying.result()
    all_is_true()
    assert {stage(a), stage(b)} == {"awareness"}


def test_merges_of_the_same_people_at_once_do_not_wait_in_a_circle(side: Side, run: Run) -> None:
    tell(happened("c", "Page Viewed", ago(days=1)))
    a, b, c = (customer_of(name) for name in "abc")
    with side.holding("SELECT pg_advisory_xact_lock(%s, 0)", [MERGES]):
        merging = [
            run(lambda pair=pair: merge(customers=pair, now=clock())) for pair in ((a, b), (b, c), (c, a), (b, a))
        ]
        side.waits_for(str(MERGES), count=4)
    refused = 0
    for one in merging:
        try:
            one.result()
        except MergeError:
            refused += 1
    assert refused == 2
    all_is_true()
    assert Profile.objects.exclude(customer=a).count() == 0
