"""Who comes first when there is more to do than is done: nobody waits for ever."""

import pytest
from django.db.models import F

from customers.ingest import clock
from customers.models import Cause, Stale
from lifecycle.advance import advance
from lifecycle.models import Due

from .making import ago, customer_of, happened, installed, profile_of, settle, tell, waiting

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def world(db: None) -> None:
    installed()


def again(*names: str) -> None:
    """Something new is known about them, in this order."""
    Stale.objects.bulk_create([Stale(profile_id=profile_of(name), cause=Cause.LIVE) for name in names])


def test_who_is_due_by_time_alone_gets_every_fourth_place_however_many_others_wait() -> None:
    busy, due = [f"busy {number}" for number in range(12)], [f"due {number}" for number in range(4)]
    tell(*[happened(name, "Page Viewed", ago(days=1)) for name in busy + due])
    settle()
    Due.objects.filter(customer__in=[customer_of(name) for name in due]).update(due_at=ago(minutes=1))
    again(*busy)
    assert advance(limit=4).customers == 4
    assert (waiting(), Due.objects.filter(due_at__lte=clock()).count()) == (9, 3)
    assert advance(limit=8).customers == 8
    assert (waiting(), Due.objects.filter(due_at__lte=clock()).count()) == (3, 1)
    settle()
    assert (waiting(), Due.objects.filter(due_at__lte=clock()).count()) == (0, 0)


def test_everybody_due_is_served_when_nobody_else_waits() -> None:
    names = [f"due {number}" for number in range(9)]
    tell(*[happened(name, "Page Viewed", ago(days=1)) for name in names])
    settle()
    Due.objects.update(due_at=F("due_at") - (F("due_at") - ago(minutes=1)))
    assert advance(limit=8).customers == 8
    assert advance(limit=8).customers == 1


def test_under_constant_overload_the_longest_waiting_come_first_whatever_their_number() -> None:
    names = [f"person {number:02}" for number in range(30)]
    tell(*[happened(name, "Page Viewed", ago(days=1)) for name in names])
    settle()
    last = names[-1]  # of the greatest id
    again(last)
    again(*names[:20])
    rounds = 0
    while Stale.objects.filter(profile=profile_of(last)).exists():
        assert advance(limit=2).customers == 2
        again(*names[rounds * 2 : rounds * 2 + 2])  # as many come as are served
        rounds += 1
        assert rounds < 5
