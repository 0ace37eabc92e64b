"""Events arrive: signed, at least once, in the order of each customer, whoever is killed and whatever is answered."""

import hashlib
import random
import time
from collections import defaultdict
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import standardwebhooks
from django.core import mail

from campaigns.models import Attempt, Delivery, Endpoint, Reading
from campaigns.outgoing import deliver as delivering
from campaigns.outgoing.deliver import SCHEDULE, TRIES, Claimed, claim, deliver, record
from campaigns.outgoing.ending import forget_deliveries
from campaigns.outgoing.events import MERGED, STAGE_CHANGED, TYPES
from campaigns.outgoing.keeping import ask_resending, ping, rotate_secret, switch_on, try_again
from campaigns.outgoing.plan import plan
from clm.lib.pinned_post import Answered
from clm.lib.questions import ConflictError
from customers import locks
from customers.ingest import clock
from customers.merge import merge, unmerge
from customers.models import Cause
from lifecycle.models import Announcement
from tests.factories import make_user
from tests.lifecycle.conftest import Side
from tests.lifecycle.making import ago, customer_of, happened, installed

from .conftest import live, now_due, told
from .sink import Answer, Sink

pytestmark = pytest.mark.django_db(transaction=True)
Make = Callable[..., tuple[Endpoint, str]]


def signup(person: str, **more: Any) -> Any:
    return happened(person, "Signed Up", ago(minutes=5), traits={"name": f"Name of {person}"}, **more)


def order(person: str, **of: float) -> Any:
    return happened(person, "Order Completed", ago(**(of or {"minutes": 1})), amount=1_000)


# --- what is told ---------------------------------------------------------------------------------------------
def test_a_change_of_stage_is_told_and_its_signature_holds(sink: Sink, make_endpoint: Make) -> None:
    installed()
    endpoint, secret = make_endpoint(events=[STAGE_CHANGED], model_keys=["seven"])
    live(signup("ann"))
    assert told() == 1
    (got,) = sink.got
    assert standardwebhooks.Webhook(secret).verify(got.body, got.headers) == got.event
    assert got.event["type"] == "customer.stage_changed"
    data = got.data
    assert data.pop("since").endswith("Z")
    assert data == {
        "customer": str(customer_of("ann")),
        "model": "seven",
        "from": None,
        "to": "acquisition",
        "cause": "live",
        "is_correction": False,
        "is_news": True,
    }
    assert got.headers["content-type"] == "application/json"
    assert got.headers["host"] == f"127.0.0.1:{sink.port}"
    assert b"Name of" not in got.body
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.attempts, delivery.event) == ("delivered", 1, got.id)
    attempt = Attempt.objects.get()
    assert (attempt.status, attempt.trouble, attempt.number) == (204, "", 1)
    endpoint.refresh_from_db()
    assert endpoint.succeeded_at is not None
    assert told() == 0


def test_an_endpoint_hears_what_it_asked_for_and_nothing_else(sink: Sink, make_endpoint: Make) -> None:
    installed()
    make_endpoint(events=[STAGE_CHANGED], model_keys=["five"], url=sink.url("/five"))
    make_endpoint(events=["segment.entered"], segment_keys=["active_customer"], url=sink.url("/segment"))
    make_endpoint(events=[MERGED], url=sink.url("/merged"))
    live(signup("ann"), order("ann"))
    told()
    by_path = defaultdict(list)
    for got in sink.got:
        by_path[got.path].append(got)
    assert {one.data["model"] for one in by_path["/five"]} == {"five"}
    assert [(one.event["type"], one.data["segment"]) for one in by_path["/segment"]] == [
        ("segment.entered", "active_customer")
    ]
    assert set(by_path) == {"/five", "/segment"}


def test_history_is_told_only_to_those_who_ask_for_it(sink: Sink, make_endpoint: Make) -> None:
    installed()
    make_endpoint(url=sink.url("/live"))
    make_endpoint(url=sink.url("/all"), takes_history=True)
    live(signup("old"), cause=Cause.IMPORT)
    live(order("older", days=3))
    told()
    if Announcement.objects.exists():
        assert {got.path for got in sink.got} == {"/all"}
        assert {got.data["is_news"] for got in sink.got} == {False}
    live(signup("new"))
    told()
    assert {got.path for got in sink.got if got.data.get("is_news")} == {"/live", "/all"}


def test_a_merge_and_its_end_are_told_in_order(sink: Sink, make_endpoint: Make) -> None:
    installed()
    live(signup("ann"), signup("bea"))
    make_endpoint()
    both = customer_of("ann"), customer_of("bea")
    made = merge(customers=both, now=clock())
    live(order("bea"))
    unmerge(merge=made.pk, now=clock())
    live(order("ann", seconds=5))
    told()
    types = [got.event["type"] for got in sink.got]
    assert types[0] == "customer.merged"
    assert sink.got[0].data == {
        "customer": str(made.survivor_id),
        "absorbed": str(made.absorbed_id),
        "merge": str(made.pk),
    }
    assert types.count("customer.merged") == types.count("customer.unmerged") == 1
    assert "customer.stage_changed" in types[1 : types.index("customer.unmerged")]
    assert (sink.ids[0], sink.ids[types.index("customer.unmerged")]) == (f"evt_m{made.pk}", f"evt_u{made.pk}")


def test_nobody_is_told_what_happened_before_they_came(sink: Sink, make_endpoint: Make) -> None:
    installed()
    plan()
    live(signup("ann"))
    assert plan() == -1
    make_endpoint()
    assert told() == 0
    live(signup("bea"))
    told()
    assert {got.data["customer"] for got in sink.got} == {str(customer_of("bea"))}


# --- order ----------------------------------------------------------------------------------------------------
def test_a_customers_events_wait_for_each_other_and_nobody_else_for_them(sink: Sink, make_endpoint: Make) -> None:
    installed()
    make_endpoint()
    live(*(signup(name) for name in ("ann", "bea", "cy")))
    live(*(order(name) for name in ("ann", "bea", "cy")))
    ann = str(customer_of("ann"))
    failing = 3

    def answer(got: Any, _number: int) -> Answer:
        nonlocal failing
        if got.data["customer"] == ann and failing:
            failing -= 1
            return Answer(500)
        return Answer()

    sink.answer = answer
    told()
    planned = defaultdict(list)
    for customer, event in Delivery.objects.order_by("pk").values_list("customer", "event"):
        planned[str(customer)].append(event)
    assert len(planned[ann]) > 2
    of_ann = [got.id for got in sink.got if got.data["customer"] == ann]
    assert of_ann == planned[ann][:1], "the others wait for the first"
    for other in ("bea", "cy"):
        number = str(customer_of(other))
        assert [got.id for got in sink.got if got.data["customer"] == number] == planned[number]
    for _ in range(3):
        now_due()
        told()
    of_ann = [got.id for got in sink.got if got.data["customer"] == ann]
    assert of_ann == planned[ann][:1] * 3 + planned[ann]
    assert not Delivery.objects.filter(state="waiting").exists()


def test_a_merge_waits_for_both_and_both_wait_for_it(sink: Sink, make_endpoint: Make) -> None:
    installed()
    live(signup("ann"), signup("bea"))
    make_endpoint()
    live(order("bea"))
    made = merge(customers=(customer_of("ann"), customer_of("bea")), now=clock())
    live(order("ann", seconds=5))
    sink.answer = lambda _got, number: Answer(500 if number == 1 else 204)
    deliver(seconds=20)
    assert sink.got[0].data["customer"] == str(made.absorbed_id)
    assert f"evt_m{made.pk}" not in sink.ids
    assert not any(got.data["customer"] == str(made.survivor_id) for got in sink.got)
    now_due()
    told()
    types = [got.event["type"] for got in sink.got]
    assert not any(got.data["customer"] == str(made.absorbed_id) for got in sink.got[types.index(MERGED) :])
    assert not Delivery.objects.filter(state="waiting").exists()


def test_what_is_given_up_lets_the_next_one_go(sink: Sink, make_endpoint: Make) -> None:
    installed()
    make_endpoint(events=[STAGE_CHANGED], model_keys=["seven"])
    live(signup("ann"))
    sink.answer = lambda _got, number: Answer(500 if number == 1 else 204)
    told()
    live(order("ann", seconds=1), happened("ann", "Subscription Upgraded", ago(seconds=1)))
    now_due()
    Delivery.objects.filter(attempts=1).update(attempts=TRIES - 1)
    sink.answer = lambda _got, number: Answer(500 if number == 2 else 204)
    told()
    assert [one.state for one in Delivery.objects.order_by("pk")] == ["given_up", "delivered"]


def test_no_more_than_some_are_on_the_way_to_one_endpoint(sink: Sink, make_endpoint: Make) -> None:
    installed()
    make_endpoint(events=[STAGE_CHANGED], model_keys=["seven"])
    live(*(signup(f"person {n}") for n in range(12)))

    def slowly(_got: Any, _number: int) -> Answer:
        time.sleep(0.1)
        return Answer()

    sink.answer = slowly
    told()
    assert len(sink.got) == 12
    assert 1 < sink.most_at_once <= delivering.AT_ONCE_EACH


# --- kills ----------------------------------------------------------------------------------------------------
DELIVER = """
from django.conf import settings
settings.CLM_WEBHOOK_NETWORKS = ["127.0.0.0/8"]
import time
from campaigns.outgoing import deliver
{patch}
deliver.deliver(seconds=30)
"""
HANGS = {
    "before it is sent": "deliver.send = lambda claimed: (print('here', flush=True), time.sleep(600))",
    "before it is written down": "deliver.record = lambda *a, **k: (print('here', flush=True), time.sleep(600))",
}


@pytest.mark.parametrize("where", sorted(HANGS))
def test_a_killed_process_loses_nothing_and_ids_tell_what_came_twice(
    where: str, sink: Sink, make_endpoint: Make, spawn: Any, side: Side
) -> None:
    installed()
    make_endpoint(events=[STAGE_CHANGED], model_keys=["seven"])
    live(signup("ann"))
    process = spawn(DELIVER.format(patch=HANGS[where]))
    assert process.stdout.readline().strip() == "here"
    process.kill()
    process.wait()
    deadline = time.monotonic() + 20
    while side.ask("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND classid = %s", [locks.DELIVERING]):
        assert time.monotonic() < deadline, "the server has not noticed"
        time.sleep(0.01)
    before = len(sink.got)
    assert before == (1 if where == "before it is written down" else 0)
    assert Delivery.objects.get().state == "waiting"
    assert told() == 0, "somebody may still be at it"
    Delivery.objects.update(lease_until=ago(seconds=1))
    assert told() == 1
    assert len(set(sink.ids)) == 1
    assert len(sink.got) == before + 1
    first, second = Attempt.objects.order_by("number")
    assert (first.ended_at, second.status) == (None, 204)
    assert Delivery.objects.get().attempts == 2


def test_a_kill_while_planning_plans_nothing_twice(sink: Sink, make_endpoint: Make, spawn: Any, side: Side) -> None:
    installed()
    make_endpoint()
    live(signup("ann"))
    with side.holding("LOCK TABLE campaigns_delivery IN SHARE ROW EXCLUSIVE MODE"):
        process = spawn("from campaigns.outgoing.plan import plan\nplan()")
        side.waits_for("campaigns_delivery")
        process.kill()
        process.wait()
    assert not Delivery.objects.exists()
    announced = Announcement.objects.filter(is_news=True).count()
    assert plan() == announced > 0
    assert plan() == -1
    assert Delivery.objects.count() == announced


def test_one_process_delivers_at_a_time(sink: Sink, make_endpoint: Make, side: Side) -> None:
    installed()
    make_endpoint()
    live(signup("ann"))
    side.ask("SELECT pg_advisory_lock(%s, 0)", [locks.DELIVERING])
    assert deliver(seconds=5) == 0
    side.ask("SELECT pg_advisory_unlock(%s, 0)", [locks.DELIVERING])
    assert deliver(seconds=5) > 0


# --- answers --------------------------------------------------------------------------------------------------
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


# --- secrets --------------------------------------------------------------------------------------------------
def test_a_new_secret_and_the_former_one_both_sign_for_a_day(sink: Sink, make_endpoint: Make) -> None:
    installed()
    endpoint, old = make_endpoint(events=[STAGE_CHANGED], model_keys=["seven"])
    endpoint, new = rotate_secret(endpoint=endpoint, now=clock())
    assert new != old
    live(signup("ann"))
    told()
    for secret in (old, new):
        standardwebhooks.Webhook(secret).verify(sink.got[0].body, sink.got[0].headers)
    Endpoint.objects.update(former_until=ago(seconds=1))
    live(signup("bea"))
    told()
    standardwebhooks.Webhook(new).verify(sink.got[1].body, sink.got[1].headers)
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        standardwebhooks.Webhook(old).verify(sink.got[1].body, sink.got[1].headers)


def test_no_secret_lies_in_the_database(sink: Sink, make_endpoint: Make, side: Side) -> None:
    endpoint, secret = make_endpoint()
    assert secret.startswith("whsec_")
    rows = str(side.ask("SELECT * FROM campaigns_endpoint")) + str(side.ask("SELECT * FROM campaigns_endpointevent"))
    assert secret.removeprefix("whsec_") not in rows
    assert hashlib.sha256(secret.encode()).hexdigest() not in rows
    assert endpoint.salt in rows


def test_another_key_of_the_installation_is_noticed(sink: Sink, make_endpoint: Make, settings: Any) -> None:
    installed()
    _endpoint, secret = make_endpoint(events=[STAGE_CHANGED], model_keys=["seven"])
    live(signup("ann"))
    former, settings.SECRET_KEY = settings.SECRET_KEY, "another key"
    told()
    assert "SECRET_KEY has changed" in Attempt.objects.get().trouble
    assert sink.got == []
    settings.SECRET_KEY_FALLBACKS = [former]
    now_due()
    told()
    standardwebhooks.Webhook(secret).verify(sink.got[0].body, sink.got[0].headers)


# --- from the log ---------------------------------------------------------------------------------------------
def test_what_was_told_can_be_told_again_from_an_instant_on(sink: Sink, make_endpoint: Make) -> None:
    installed()
    endpoint, _secret = make_endpoint()
    make_endpoint(url=sink.url("/other"))
    live(signup("ann"))
    told()
    between = clock()
    live(signup("bea"), order("ann", seconds=1))
    merge(customers=(customer_of("ann"), customer_of("bea")), now=clock())
    told()
    first = [got for got in sink.got if got.path == "/hook"]
    later = [got.id for got in first if got.event["timestamp"] > between.isoformat().replace("+00:00", "Z")]
    assert 0 < len(later) < len(first)
    sink.got.clear()
    asked = ask_resending(endpoint=endpoint, since=between, by="ada", now=clock())
    with pytest.raises(ConflictError):
        ask_resending(endpoint=endpoint, since=between, by="ada", now=clock())
    told()
    assert sorted(sink.ids) == sorted(later)
    assert {got.path for got in sink.got} == {"/hook"}
    of_ann = [got.id for got in first if got.data["customer"] == str(customer_of("ann"))]
    assert [one for one in of_ann if one in later] == [
        got.id for got in sink.got if got.data["customer"] == str(customer_of("ann"))
    ]
    asked.refresh_from_db()
    assert (asked.deliveries, asked.done_at is not None) == (len(later), True)


def test_logs_are_read_portion_by_portion_in_one_order(sink: Sink, make_endpoint: Make) -> None:
    installed()
    make_endpoint()
    for n in range(3):
        live(signup(f"a{n}"), signup(f"b{n}"))
        merge(customers=(customer_of(f"a{n}"), customer_of(f"b{n}")), now=clock())
        live(order(f"a{n}", seconds=1))
    whole = Reading.objects.get()
    assert plan() > 0
    planned = list(Delivery.objects.order_by("pk").values_list("event", flat=True))
    Delivery.objects.all().delete()
    Reading.objects.update(announcement=whole.announcement, merge=whole.merge)
    while plan(portion=2) >= 0:
        pass
    assert list(Delivery.objects.order_by("pk").values_list("event", flat=True)) == planned
    assert sum(event.startswith("evt_m") for event in planned) == 3


def test_one_event_is_tried_again_when_somebody_asks(sink: Sink, make_endpoint: Make) -> None:
    installed()
    make_endpoint(events=[STAGE_CHANGED], model_keys=["seven"])
    live(signup("ann"))
    told()
    try_again(delivery=Delivery.objects.get(), now=clock())
    assert told() == 1
    assert len(set(sink.ids)) == 1
    assert list(Attempt.objects.order_by("number").values_list("number", flat=True)) == [1, 2]
    sink.answer = lambda _got, _number: Answer(500)
    try_again(delivery=Delivery.objects.get(), now=clock())
    before = clock()
    told()
    assert Delivery.objects.get().due_at - before < timedelta(seconds=12), "the schedule begins anew"


def test_a_ping_arrives_whatever_waits(sink: Sink, make_endpoint: Make) -> None:
    installed()
    endpoint, secret = make_endpoint()
    live(signup("ann"))
    sink.answer = lambda got, _number: Answer(204 if got.event["type"] == "webhook.ping" else 500)
    told()
    ping(endpoint=endpoint, now=clock())
    told()
    (got,) = [one for one in sink.got if one.event["type"] == "webhook.ping"]
    assert standardwebhooks.Webhook(secret).verify(got.body, got.headers)["data"] == {"endpoint": str(endpoint.pk)}


def test_what_was_told_long_ago_is_forgotten(sink: Sink, make_endpoint: Make) -> None:
    installed()
    make_endpoint()
    live(signup("ann"), signup("bea"))
    sink.answer = lambda _got, number: Answer(500 if number == 1 else 204)
    told()
    Delivery.objects.filter(state="delivered").update(finished_at=ago(days=31))
    many = Delivery.objects.filter(state="delivered").count()
    assert forget_deliveries(now=clock()) == many > 0
    assert set(Delivery.objects.values_list("state", flat=True)) == {"waiting"}
    assert forget_deliveries(now=clock()) == 0


def test_the_log_says_nothing_of_what_was_told(sink: Sink, make_endpoint: Make, caplog: Any) -> None:
    installed()
    make_endpoint(url=sink.url("/hook?token=whisper"))
    live(signup("ann"))
    sink.answer = lambda _got, _number: Answer(410, {}, [b"private words"])
    with caplog.at_level("DEBUG"):
        told()
    said = " ".join(str(record.__dict__) for record in caplog.records if record.name.startswith(("campaigns", "clm")))
    assert "webhook" in said
    for private in ("whisper", "private words", "Name of ann", "whsec_"):
        assert private not in said
    assert set(TYPES) <= set(TYPES)


def test_the_command_delivers(sink: Sink, make_endpoint: Make, manage: Any) -> None:
    installed()
    make_endpoint(events=[STAGE_CHANGED], model_keys=["seven"])
    live(signup("ann"))
    done = manage("deliver", env={"WEBHOOK_NETWORKS": "127.0.0.0/8"}, check=True)
    assert done.stdout.strip() == "1 attempts made"
    assert len(sink.got) == 1
    assert manage("deliver", "--forget", check=True).stdout.strip() == "0 deliveries deleted"
