"""Whatever a receiver answers: it is tried again on the published schedule, left in peace when it asks for that, and
switched off when it is dead."""

import random
from datetime import timedelta

import pytest
from django.core import mail

from campaigns.models import Attempt, Delivery, Endpoint
from campaigns.outgoing import deliver as delivering
from campaigns.outgoing.deliver import SCHEDULE, TRIES, Claimed, claim, record
from campaigns.outgoing.events import STAGE_CHANGED
from campaigns.outgoing.keeping import ask_resending, ping, switch_on
from campaigns.outgoing.plan import plan
from clm.lib.pinned_post import Answered
from clm.lib.questions import ConflictError
from customers.ingest import clock
from tests.factories import make_user
from tests.lifecycle.making import ago, customer_of, installed

from .conftest import Make, live, now_due, signup, told
from .sink import Answer, Sink

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("status", [301, 302, 400, 401, 404, 408, 500, 503])
def test_anything_but_success_is_tried_again(status: int, sink: Sink, make_endpoint: Make) -> None:
    installed()
    endpoint, _secret = make_endpoint(events=[STAGE_CHANGED], model_keys=["seven"])
    live(signup("ann"))
    where = {"Location": sink.url("/elsewhere")}
    sink.answer = lambda _got, _number: Answer(status, where, [b"no, \x00because"])
    before = clock()
    assert told() == 1
    delivery, attempt = Delivery.objects.get(), Attempt.objects.get()
    assert delivery.state == "waiting"
    assert timedelta(seconds=4.4) < delivery.due_at - before < timedelta(seconds=12)
    assert (attempt.status, attempt.excerpt) == (status, "no, because")
    assert [got.path for got in sink.got] == ["/hook"], "nothing is followed"
    endpoint.refresh_from_db()
    assert endpoint.failures == 1
    assert endpoint.failing_since is not None


@pytest.mark.parametrize(
    ("status", "header", "seconds"),
    [(429, "120", 120), (502, "120", 120), (504, "", 60), (429, "soon", 60), (429, "99999999", 6 * 3600)],
)
def test_a_receiver_that_asks_for_patience_gets_it(
    status: int, header: str, seconds: int, sink: Sink, make_endpoint: Make
) -> None:
    installed()
    endpoint, _secret = make_endpoint(events=[STAGE_CHANGED], model_keys=["seven"])
    live(signup("ann"))
    sink.answer = lambda _got, _number: Answer(status, {"Retry-After": header} if header else {})
    before = clock()
    told()
    endpoint.refresh_from_db()
    wanted = timedelta(seconds=seconds)
    assert wanted - timedelta(seconds=1) < endpoint.paused_until - before < wanted + timedelta(seconds=10)
    assert Delivery.objects.get().due_at >= endpoint.paused_until
    live(signup("bea"))
    assert told() == 0, "nobody else is told meanwhile either"
    sink.answer = lambda _got, _number: Answer()
    now_due()
    assert told() == 2


def test_gone_switches_an_endpoint_off_and_tells_the_admins(sink: Sink, make_endpoint: Make) -> None:
    installed()
    admin = make_user("admin")
    make_user("marketer")
    endpoint, _secret = make_endpoint()
    live(signup("ann"))
    sink.answer = lambda _got, _number: Answer(410)
    told()
    endpoint.refresh_from_db()
    assert endpoint.disabled_at is not None
    assert "410" in endpoint.disabled_because
    assert set(Delivery.objects.values_list("state", flat=True)) == {"given_up"}
    (letter,) = mail.outbox
    assert letter.to == [admin.email]
    assert sink.url() in letter.body
    number = len(sink.got)
    live(signup("bea"))
    assert told() == 0
    assert len(sink.got) == number


def test_an_endpoint_that_is_dead_for_days_is_switched_off_and_can_catch_up(sink: Sink, make_endpoint: Make) -> None:
    installed()
    endpoint, _secret = make_endpoint(events=[STAGE_CHANGED], model_keys=["seven"])
    live(signup("ann"), signup("bea"))
    sink.answer = lambda _got, _number: Answer(500)
    told()
    Endpoint.objects.update(failing_since=ago(days=5, seconds=1))
    now_due()
    told()
    endpoint.refresh_from_db()
    assert "5 days" in endpoint.disabled_because
    with pytest.raises(ConflictError):
        ping(endpoint=endpoint, now=clock())
    live(signup("cy"))
    assert told() == 0
    sink.answer = lambda _got, _number: Answer()
    switch_on(endpoint=endpoint)
    endpoint.refresh_from_db()
    sink.got.clear()
    ask_resending(endpoint=endpoint, since=ago(hours=1), by="ada", now=clock())
    told()
    assert {got.data["customer"] for got in sink.got} == {str(customer_of(one)) for one in ("ann", "bea", "cy")}


def test_the_schedule_is_the_published_one(sink: Sink, make_endpoint: Make) -> None:
    assert timedelta(seconds=sum(SCHEDULE)) == timedelta(hours=75, minutes=35, seconds=5)
    installed()
    make_endpoint(events=[STAGE_CHANGED], model_keys=["seven"])
    live(signup("ann"))
    plan()
    now, gaps = clock(), []
    for number in range(1, TRIES + 1):
        Endpoint.objects.update(paused_until=None, failing_since=None)
        (claimed,) = claim(now=now, most=1)
        assert claim(now=now, most=1) == [], "it is in our hands"
        record(claimed, Answered(500), now=now, chance=random.Random(number))
        delivery = Delivery.objects.get()
        if number < TRIES:
            assert delivery.state == "waiting"
            gaps.append((delivery.due_at - now).total_seconds())
            assert claim(now=delivery.due_at - timedelta(milliseconds=1), most=1) == []
            now = delivery.due_at
    assert delivery.state == "given_up"
    assert all(0.9 <= gap / wanted <= 1.1 for gap, wanted in zip(gaps, SCHEDULE, strict=True))
    assert len({round(gap / wanted, 6) for gap, wanted in zip(gaps, SCHEDULE, strict=True)}) == len(gaps)
    assert Attempt.objects.count() == 10


def test_an_endpoint_that_keeps_failing_is_tried_ever_more_seldom(sink: Sink, make_endpoint: Make) -> None:
    installed()
    make_endpoint(events=[STAGE_CHANGED], model_keys=["seven"])
    live(*(signup(f"person {n}") for n in range(20)))
    sink.answer = lambda _got, _number: Answer(500)
    told()
    # Those on the way when the fifth failed are recorded, too.
    assert delivering.UNWELL <= len(sink.got) <= delivering.UNWELL + delivering.AT_ONCE_EACH
    number = len(sink.got)
    for _ in range(3):
        Endpoint.objects.update(paused_until=None)
        assert told() == 1
    assert len(sink.got) == number + 3
    sink.answer = lambda _got, _number: Answer()
    now_due()
    told()
    assert not Delivery.objects.filter(state="waiting").exists()


def test_a_success_that_came_late_counts(sink: Sink, make_endpoint: Make) -> None:
    installed()
    make_endpoint(events=[STAGE_CHANGED], model_keys=["seven"])
    live(signup("ann"))
    plan()
    (first,) = claim(now=clock(), most=1)
    Delivery.objects.update(lease_until=ago(seconds=1))
    (second,) = claim(now=clock(), most=1)
    record(first, Answered(500), now=clock())
    assert Delivery.objects.get().lease_until > clock(), "the second is on its way"
    record(second, Answered(204), now=clock())
    record(Claimed(second.delivery, first.attempt, "", {}, b""), Answered(500), now=clock())
    assert Delivery.objects.get().state == "delivered"
