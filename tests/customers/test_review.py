"""The review queue: who is put into it, once, and what deciding does."""

from typing import Any

import pytest
from django.db import connection

from clm.lib.questions import ConflictError
from customers.ingest import clock
from customers.merge import merge, unmerge
from customers.models import Merge, PossibleMerge
from customers.review import Possible, accept, propose, refuse
from lifecycle.erase import erase
from tests.lifecycle.making import ago, customer_of, happened, profile_of, tell

pytestmark = pytest.mark.django_db


def people(*names: str) -> list[int]:
    """The profiles of people who were met in this order."""
    for name in names:
        tell(happened(name, "Page Viewed", ago(days=3)))
    return [profile_of(name) for name in names]


def pair(one: int, other: int, **more: Any) -> PossibleMerge:
    assert propose(pairs=[Possible(one, other, **{"kind": "email", "value": "x@example.org", **more})]) == 1
    return PossibleMerge.objects.order_by("pk").last()  # type: ignore[return-value]


def test_a_pair_is_put_in_once_whichever_is_named_first() -> None:
    a, b = people("a", "b")
    pair(b, a)
    assert propose(pairs=[Possible(a, b, "phone", "+49"), Possible(b, a, "alike", score=90)]) == 0
    one = PossibleMerge.objects.get()
    assert (one.profile_id, one.other_id, one.kind, one.decision) == (min(a, b), max(a, b), "email", "")


def test_of_several_reasons_told_at_once_the_likeliest_is_kept() -> None:
    a, b = people("a", "b")
    assert propose(pairs=[Possible(a, b, "alike", score=80), Possible(b, a, "alike", score=95)]) == 1
    assert PossibleMerge.objects.get().score == 95


def test_they_are_one_merges_them_and_closes_every_pair_of_theirs() -> None:
    a, b, c = people("a", "b", "c")
    merge(customers=(customer_of("b"), customer_of("c")), now=clock())
    first, second = pair(a, b), None
    # Found before both profiles had one owner.
    second = PossibleMerge.objects.create(profile_id=min(a, c), other_id=max(a, c), kind="phone", value="+49")
    done = accept(possible=first.pk, now=clock(), reason="same address")
    assert customer_of("a") == customer_of("b") == customer_of("c") == done.survivor_id
    for one in (first, second):
        one.refresh_from_db()
        assert (one.decision, one.merge_id) == ("merged", done.pk)
    with pytest.raises(ConflictError, match="decided"):
        accept(possible=first.pk, now=clock())
    with pytest.raises(ConflictError, match="decided"):
        refuse(possible=first.pk, now=clock())


def test_they_are_two_and_nobody_is_asked_again_whatever_names_them() -> None:
    a, b, c = people("a", "b", "c")
    refuse(possible=pair(a, b).pk, now=clock())
    assert propose(pairs=[Possible(a, b, "phone", "+49")]) == 0
    # Nor when they are met under other profiles of the same customers.
    merge(customers=(customer_of("b"), customer_of("c")), now=clock())
    assert propose(pairs=[Possible(a, c, "phone", "+49"), Possible(c, a, "alike", score=90)]) == 0
    assert [one.decision for one in PossibleMerge.objects.all()] == ["refused"]
    assert customer_of("a") != customer_of("b")


def test_a_merge_by_hand_closes_the_pair_and_undoing_it_does_not_ask_again() -> None:
    a, b = people("a", "b")
    one = pair(a, b)
    done = merge(customers=(customer_of("a"), customer_of("b")), now=clock())
    one.refresh_from_db()
    assert (one.decision, one.merge_id, one.decided_at is not None) == ("merged", done.pk, True)
    unmerge(merge=done.pk, now=clock())
    assert propose(pairs=[Possible(a, b, "email", "x@example.org")]) == 0


def test_one_customer_or_one_who_was_erased_is_no_pair() -> None:
    a, b, c = people("a", "b", "c")
    merge(customers=(customer_of("a"), customer_of("b")), now=clock())
    assert propose(pairs=[Possible(a, b, "email", "x")]) == 0
    pair(a, c)
    erase(customer=customer_of("c"), now=clock())
    assert not PossibleMerge.objects.exists()
    assert propose(pairs=[Possible(a, c, "email", "x")]) == 0
    assert propose(pairs=[]) == 0


def test_deciding_is_a_mans_work_alone(django_assert_max_num_queries: Any) -> None:
    """No machine merges two who have names, however alike: putting a pair in merges nobody."""
    a, b = people("a", "b")
    with django_assert_max_num_queries(3):
        pair(a, b, kind="alike", value="", score=100, evidence={"name": 100, "email": 100})
    assert not Merge.objects.exists()


def test_the_queue_is_read_by_its_indexes() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        for narrowed in ("", " AND kind = 'email'"):
            cursor.execute(
                "EXPLAIN SELECT id FROM customers_possiblemerge"
                f" WHERE decided_at IS NULL{narrowed} ORDER BY score DESC, id DESC LIMIT 51"
            )
            plan = " ".join(line for (line,) in cursor.fetchall())
            assert "possible_merge_queue" in plan
            assert "Sort" not in plan
