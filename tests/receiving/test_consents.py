"""Messages that say that somebody must not be written to any more are statements of consent; none ever allows."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from customers.consents import counting_statements, state_consent
from customers.importing.asking import ask
from customers.importing.begin import keep_upload
from customers.importing.work import Beyond, work_on_imports
from customers.ingest import clock
from customers.models import Consent, Identity, Profile, Touchpoint
from lifecycle.erase import erase

from .sending import Sender, identify, track
from .test_budget import statements

pytestmark = pytest.mark.django_db

ANN = "ann@example.org"


def ago(days: int) -> datetime:
    return timezone.now() - timedelta(days=days)


def said(id: str, event: str, *, days: int = 1, **properties: Any) -> dict[str, Any]:
    return track(id, event, timestamp=ago(days).isoformat(), properties=properties)


def ann(sender: Sender) -> int:
    sender.batch(identify("ann", traits={"email": ANN}, timestamp=ago(30).isoformat()))
    return Identity.objects.get(kind="email", value=ANN).profile.customer_id


def in_force(customer: int) -> dict[str, str]:
    profiles = list(Profile.objects.filter(customer=customer).values_list("pk", flat=True))
    return {one.address: one.state for one in counting_statements(profiles=profiles)}


@pytest.mark.parametrize(
    ("event", "state"),
    [
        ("Email Bounced", "refused"),
        ("Email Marked as Spam", "refused"),
        ("Email Unsubscribed", "withdrawn"),
        ("Unsubscribed", "withdrawn"),
    ],
)
def test_what_forbids_is_a_statement_from_its_instant_on(sender: Sender, event: str, state: str) -> None:
    customer = ann(sender)
    message = said("no", event, days=3)
    assert sender.batch(message).status_code == 200
    assert sender.batch(message, {**message, "timestamp": ago(2).isoformat()}).status_code == 200
    (one,) = Consent.objects.all()
    touchpoint = Touchpoint.objects.get(type__name=event)
    assert (one.address, one.channel, one.purpose, one.state) == (ANN, "email", "marketing", state)
    assert (one.at, one.profile_id) == (touchpoint.occurred_at, touchpoint.profile_id)
    assert one.source == f"Web shop: {event}"
    assert in_force(customer) == {ANN: state}


def test_the_address_that_a_message_names_counts_before_those_of_the_person(sender: Sender) -> None:
    ann(sender)
    sender.batch(said("1", "Email Bounced", email="Old.Ann@Example.org"))
    assert list(Consent.objects.values_list("address", "state")) == [("old.ann@example.org", "refused")]


def test_a_bounce_that_passes_forbids_nothing(sender: Sender) -> None:
    ann(sender)
    for number, kind in enumerate(["soft", "Transient", "blocked"]):
        sender.batch(
            said(f"t{number}", "Email Bounced", type=kind), said(f"b{number}", "Email Bounced", bounce_type=kind)
        )
    assert not Consent.objects.exists()
    sender.batch(said("hard", "Email Bounced", type="hard"))
    assert Consent.objects.get().state == "refused"


def test_what_is_forbidden_already_is_not_stated_again_and_a_stricter_no_stays(sender: Sender) -> None:
    customer = ann(sender)
    sender.batch(
        said("1", "Email Bounced", days=9), said("2", "Email Bounced", days=8), said("3", "Unsubscribed", days=7)
    )
    assert list(Consent.objects.values_list("state", flat=True)) == ["refused"]
    assert in_force(customer) == {ANN: "refused"}
    sender.batch(said("4", "Unsubscribed", days=20))  # earlier than all of that, and told last
    assert Consent.objects.count() == 2
    assert in_force(customer) == {ANN: "refused"}


def test_whoever_said_yes_afterwards_stays_subscribed_until_the_next_no(sender: Sender) -> None:
    customer = ann(sender)
    sender.batch(said("1", "Unsubscribed", days=9))
    yes = {"channel": "email", "purpose": "marketing", "state": "granted", "source": "a form"}
    state_consent(customer=customer, address=ANN, now=timezone.now(), at=ago(5), **yes)
    sender.batch(said("late", "Email Bounced", days=7))
    assert in_force(customer) == {ANN: "granted"}
    sender.batch(said("3", "Unsubscribed", days=2))
    assert in_force(customer) == {ANN: "withdrawn"}


def test_nobody_is_subscribed_by_any_message(sender: Sender) -> None:
    ann(sender)
    sender.batch(said("1", "Subscribed"), said("2", "Email Subscribed"), said("3", "Email Opened"))
    assert not Consent.objects.exists()


def test_no_address_of_somebody_erased_is_kept(sender: Sender) -> None:
    customer = ann(sender)
    erase(customer=customer, now=clock())
    sender.batch(track("1", "Unsubscribed", user="somebody else", properties={"email": ANN}))
    assert Touchpoint.objects.filter(type__name="Unsubscribed").exists()
    assert not Consent.objects.filter(address=ANN).exists()


def test_a_dump_says_the_same_and_takes_it_back(sender: Sender) -> None:
    customer = ann(sender)
    text = json.dumps(said("1", "Unsubscribed", days=3)).encode()
    record = keep_upload(blocks=[text], file_name="events.jsonl", preset="", now=clock())
    ask(record=record.pk, wish="start")
    work_on_imports()
    record.refresh_from_db()
    assert (record.state, in_force(customer)) == ("done", {ANN: "withdrawn"})
    ask(record=record.pk, wish="undo")
    work_on_imports(beyond=Beyond(lambda _customers: 0, lambda: None))
    assert in_force(customer) == {}


@pytest.mark.django_db(transaction=True)
def test_only_batches_with_such_messages_pay_for_them(sender: Sender) -> None:
    ann(sender)
    plain = [track(f"p{number}") for number in range(20)]
    with statements() as without:
        sender.batch(*plain)
    with statements() as beside:
        sender.batch(*[{**one, "messageId": f"again {one['messageId']}"} for one in plain], said("no", "Email Bounced"))
    assert len(without) <= 6
    assert len(beside) <= len(without) + 3
