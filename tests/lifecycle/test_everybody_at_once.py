"""Everybody acts at once, on connections of their own."""

import random
import threading
import time
from collections.abc import Callable
from contextlib import suppress

import pytest
from django.db import connections
from pytest_django import Settings

from clm.lib.questions import ConflictError, QuestionError
from customers.ingest import clock
from customers.merge import MergeError, merge, unmerge
from customers.models import Customer, Merge, Stale
from lifecycle.advance import advance
from lifecycle.install import build, draft, new_segment
from lifecycle.list_members import add_members, remove_members
from lifecycle.models import Parked, Placement, Segment, Standing, Subject
from lifecycle.place import place, withdraw
from lifecycle.replay import replay_all

from .conftest import Side
from .making import ago, all_is_true, happened, new_version, tell, two_people


@pytest.fixture(autouse=True)
def world(transactional_db: None) -> None:
    two_people()


def test_everybody_at_once_for_a_while(settings: Settings, side: Side) -> None:
    """Ingests, advances, merges, undone merges, replays and publishes, two of each kind on connections of their own:
    no deadlock, no error, no event lost, and in the end what a replay says."""
    settings.CLM_BUCKET_SIZE, settings.CLM_ADVANCE_BATCH = 3, 4
    people = [f"p{number}" for number in range(12)]
    types = ("Page Viewed", "Signed Up", "Order Completed", "Referral Made", "Feedback Submitted", "Product Added")
    tell(*[happened(name, "Page Viewed", ago(days=20)) for name in people])
    chosen = new_segment(key="chosen", name="chosen", rule={"did": {"role": "purchase"}})
    build(versions=[chosen], now=clock())
    new_version(
        "named", {"any": [{"trait": "plan", "is": "pro"}, {"segment": "chosen"}, {"stage": ["seven", "lapsed"]}]}
    )
    seven = Subject.objects.get(key="seven").pk
    told, errors, until = [0], [], time.monotonic() + 3

    def ingests(chance: random.Random, number: int) -> None:
        at = ago(hours=chance.randrange(1, 20 * 24), minutes=chance.randrange(60))
        some = [
            happened(
                name,
                chance.choice(types),
                at,
                id=f"{number} {told[0]} {name}",
                properties={"nps": 10},
                traits={"plan": chance.choice(("free", "pro"))},
            )
            for name in chance.sample(people, 3)
        ]
        tell(*some)
        told[0] += len(some)

    def merges(chance: random.Random, number: int) -> None:
        one, other = chance.sample(list(Customer.objects.filter(merged_into=None).values_list("pk", flat=True)), 2)
        with suppress(MergeError):  # somebody was quicker
            merge(customers=(one, other), now=clock())

    def undoes(chance: random.Random, number: int) -> None:
        in_force = list(Merge.objects.filter(undone_at=None).values_list("pk", flat=True))
        with suppress(MergeError):
            if in_force:
                unmerge(merge=chance.choice(in_force), now=clock())

    def decides(chance: random.Random, number: int) -> None:
        somebody = chance.choice(list(Customer.objects.filter(merged_into=None).values_list("pk", flat=True)))
        with suppress(QuestionError, ConflictError, IndexError):  # merged meanwhile, withdrawn, or none there
            if number == 0:
                if chance.random() < 0.7:
                    place(
                        customer=somebody, model=seven, stage="advocacy", reason="r", now=clock(), from_at=ago(days=2)
                    )
                else:
                    withdraw(placement=chance.choice(Placement.objects.values_list("pk", flat=True)), now=clock())
            else:
                chance.choice((add_members, remove_members))(
                    segment=chosen.subject_id, customers=[somebody], now=clock()
                )
        time.sleep(0.01)

    def publishes(chance: random.Random, number: int) -> None:
        if number == 0:
            rule = {"did": {"role": chance.choice(("purchase", "visit", "referral"))}}
            build(
                versions=[draft(subject=Segment.objects.get(key="chosen"), document={"rule": rule}, note="")],
                now=clock(),
            )
        time.sleep(0.3)

    acts: list[Callable[[random.Random, int], object]] = [
        ingests,
        lambda _chance, _number: advance(),
        merges,
        undoes,
        decides,
        lambda _chance, _number: replay_all(),
        publishes,
    ]

    def keep(act: Callable[[random.Random, int], object], number: int) -> None:
        chance = random.Random(f"{number} {acts.index(act)}")
        try:
            while time.monotonic() < until and not errors:
                act(chance, number)
        except BaseException as error:
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=keep, args=(act, number)) for act in acts for number in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []
    assert not any(thread.is_alive() for thread in threads)
    assert not Parked.objects.exists()
    all_is_true()
    ((stored,),) = side.ask(
        "SELECT count(*) FROM customers_touchpoint WHERE occurred_at > now() - interval '19 days 23 hours'"
    )
    assert stored > 0
    assert Stale.objects.count() == 0
    assert Standing.objects.filter(customer__profiles=None).count() == 0
