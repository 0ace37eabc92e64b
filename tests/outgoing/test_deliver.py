"""Events arrive: signed, at least once, in the order of each customer, whoever is killed."""

import time
from collections import defaultdict
from typing import Any

import pytest
import standardwebhooks

from campaigns.models import Attempt, Delivery
from campaigns.outgoing import deliver as delivering
from campaigns.outgoing.deliver import TRIES, deliver
from campaigns.outgoing.events import MERGED, STAGE_CHANGED
from campaigns.outgoing.plan import plan
from customers import locks
from customers.ingest import clock
from customers.merge import merge, unmerge
from customers.models import Cause
from lifecycle.models import Announcement
from tests.lifecycle.conftest import Side
from tests.lifecycle.making import ago, customer_of, happened, installed

from .conftest import Make, live, now_due, order, signup, told
from .sink import Answer, Sink

pytestmark = pytest.mark.django_db(transaction=True)


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


def test_the_command_delivers(sink: Sink, make_endpoint: Make, manage: Any) -> None:
    installed()
    make_endpoint(events=[STAGE_CHANGED], model_keys=["seven"])
    live(signup("ann"))
    done = manage("deliver", env={"WEBHOOK_NETWORKS": "127.0.0.0/8"}, check=True)
    assert done.stdout.strip() == "1 attempts made"
    assert len(sink.got) == 1
    assert manage("deliver", "--forget", check=True).stdout.strip() == "0 deliveries deleted"
