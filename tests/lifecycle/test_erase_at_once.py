"""Erasing while others work: nothing arrives under a closed profile; a killed erasure is taken up where it stopped."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction

from customers.erase import work_on_erasures
from customers.ingest import clock, ingest
from customers.models import Erasure, Identity, Profile, Reject, Stale, Touchpoint, Trait
from lifecycle.advance import advance
from lifecycle.erase import erase

from .conftest import Running, Side
from .making import ago, check_standings, customer_of, happened, installed, settle, source, tell
from .test_kills import EXCLUSIVE, WRITERS, Forked, forked, gone  # noqa: F401 (a fixture)

Run = Callable[[Callable[[], Any]], Running]


@pytest.fixture(autouse=True)
def world(transactional_db: None) -> None:
    installed()


def somebody() -> int:
    tell(
        happened("u", "Form Sent", ago(days=3), properties={"text": "me"}, traits={"name": "Una"}),
        happened("u", "Form Sent", ago(days=2), properties={"text": "me"}),
    )
    settle()
    return customer_of("u")


def test_an_ingest_that_waited_for_the_erasure_finds_the_profile_closed(side: Side, run: Run) -> None:
    customer = somebody()
    late = happened("u", "Form Sent", ago(hours=1), properties={"text": "me again"}, traits={"name": "Una"})
    beside = happened("v", "Form Sent", ago(hours=1))
    with transaction.atomic():
        erase(customer=customer, now=clock())
        waits = run(lambda: ingest(source=source(), events=[late, beside]))
        side.waits_for("7301")
    done = waits.result()
    assert (done.new, done.erased) == (1, 1)
    assert list(Identity.objects.values_list("value", flat=True)) == ["v"]
    assert Touchpoint.objects.filter(profile__customer=customer).count() == 2
    assert not Trait.objects.exists()


def test_an_erasure_waits_for_what_is_on_its_way(side: Side, run: Run) -> None:
    customer = somebody()
    with transaction.atomic():
        tell(
            happened(
                "u",
                "Form Sent",
                ago(hours=1),
                properties={"text": "me again"},
                id="late",
                identities=[("user_id", "u"), ("email", "una@example.org")],
                traits={"plan": "pro"},
            )
        )
        waits = run(lambda: erase(customer=customer, now=clock()))
        side.waits_for("7301")
    waits.result()
    work_on_erasures()
    assert Touchpoint.objects.filter(profile__customer=customer).count() == 3
    assert not Touchpoint.objects.exclude(properties={}).exists()
    assert not Identity.objects.exists()
    assert not Trait.objects.exists()


def test_an_advance_under_way_and_an_erasure_wait_for_each_other(side: Side, run: Run) -> None:
    customer = somebody()
    tell(happened("u", "Order Completed", ago(hours=1), amount=100))
    with side.table("lifecycle_standing"):
        working = run(advance)
        side.waits_for("lifecycle_standing")
        erasing = run(lambda: erase(customer=customer, now=clock()))
    working.result()
    erasing.result()
    work_on_erasures()
    settle()
    check_standings()
    assert not Stale.objects.exists()


# Where an erasure is killed: what the next step needs, and from whom it is kept.
STEPS = {
    "before the hashes are kept": ("customers_erasedidentifier", WRITERS),
    "before names are taken away": ("customers_identity", WRITERS),
    "while names are taken away": ("customers_customer", WRITERS),
    "before the lists are left": ("lifecycle_listmember", WRITERS),
    "before texts are blanked": ("customers_touchpoint", WRITERS),
    "before refused messages are looked through": ("customers_reject", WRITERS),
    "before kept answers are looked through": ("access_keptanswer", EXCLUSIVE),
}


@pytest.mark.parametrize("step", sorted(STEPS))
def test_an_erasure_killed_at_any_step_is_whole_when_it_is_called_again(
    step: str,
    side: Side,
    forked: Forked,  # noqa: F811 (the fixture)
) -> None:
    customer = somebody()
    Reject.objects.create(source=source(), reason="x", raw=b'{"userId": "u"}')
    table, mode = STEPS[step]

    def act() -> None:
        erase(customer=customer, now=clock())
        work_on_erasures()

    with side.holding(f"LOCK TABLE {table} IN {mode} MODE"):
        child = forked(act)
        pids = side.waits_for(table)
        child.kill()
    gone(side, pids)
    begun = Erasure.objects.exists()
    assert begun == (not Identity.objects.exists()) == Profile.objects.filter(erasure__isnull=False).exists()
    if not begun:
        assert Trait.objects.exists()
        erase(customer=customer, now=clock())
    work_on_erasures()
    settle()
    record = Erasure.objects.get()
    assert record.finished_at is not None
    assert (record.wanted, record.counts["touchpoints"], record.counts["rejects"]) == ([], 2, 1)
    assert not Touchpoint.objects.exclude(properties={}).exists()
    assert not Identity.objects.exists()
    assert not Reject.objects.exists()
    check_standings()


def test_several_workers_share_the_erasures(run: Run) -> None:
    for person in "abcdef":
        tell(happened(person, "Form Sent", ago(days=2), properties={"text": person}, id=person))
        erase(customer=customer_of(person), now=clock())
    working = [run(work_on_erasures) for _ in range(3)]
    for one in working:
        one.result()
    work_on_erasures()
    assert not Erasure.objects.filter(finished_at=None).exists()
    assert not Touchpoint.objects.exclude(properties={}).exists()


def test_the_command_erases_and_finishes_what_was_begun(manage: Callable[..., Any]) -> None:
    customer = somebody()
    tell(happened("w", "Form Sent", ago(days=2), properties={"text": "w"}))
    erase(customer=customer_of("w"), now=clock())
    said = manage("erase", str(customer), check=True).stdout
    assert f"customer {customer} is erased" in said
    assert said.splitlines()[-1] == "2 erasures finished"
    assert not Touchpoint.objects.exclude(properties={}).exists()
    refused = manage("erase", str(customer))
    assert refused.returncode != 0
    assert "erased already" in refused.stderr
