"""What outlives a delivery: the secrets that sign, and the log that all of it can be told again from."""

import hashlib
from datetime import timedelta
from typing import Any

import pytest
import standardwebhooks

from campaigns.models import Attempt, Delivery, Endpoint, Reading
from campaigns.outgoing.ending import forget_deliveries
from campaigns.outgoing.events import STAGE_CHANGED
from campaigns.outgoing.keeping import ask_resending, ping, rotate_secret, try_again
from campaigns.outgoing.plan import plan
from clm.lib.questions import ConflictError
from customers.ingest import clock
from customers.merge import merge
from tests.lifecycle.conftest import Side
from tests.lifecycle.making import ago, customer_of, installed

from .conftest import Make, live, now_due, order, signup, told
from .sink import Answer, Sink

pytestmark = pytest.mark.django_db(transaction=True)


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
