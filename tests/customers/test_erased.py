"""What names an erased customer again is noticed and not stored, until somebody lets it in."""

from collections.abc import Iterator
from typing import Any

import pytest

from clm.lib.questions import QuestionError
from customers.consents import state_consent
from customers.erase import work_on_erasures
from customers.erased import digest_of, readmit, sift
from customers.ingest import clock, ingest
from customers.keeping import create_customer, log_touchpoint
from customers.models import (
    Customer,
    ErasedIdentifier,
    Erasure,
    Identity,
    RawBody,
    Reject,
    Touchpoint,
    Trait,
)
from customers.receiving import door, joining, money
from lifecycle.erase import erase
from tests.factories import client_of, make_customer
from tests.lifecycle.making import ago, customer_of, happened, installed, source, tell
from tests.receiving.sending import Sender, identify, track

pytestmark = pytest.mark.django_db
MAIL = "Una.Zwillingsohn@Example.org"


@pytest.fixture(autouse=True)
def nothing_remembered_of_senders() -> Iterator[None]:
    yield
    for one in (door, joining, money):
        one.forget()


def test_what_names_an_erased_person_again_is_not_stored_and_is_noticed() -> None:
    sender = Sender()
    sender.batch(identify("1", user="u", anonymousId="a", traits={"email": "una@example.org"}))
    erase(customer=customer_of("u"), now=clock())
    work_on_erasures()
    before = Touchpoint.objects.count()
    again = [
        track("2", user="u"),
        track("3", user=None, anonymousId="a"),
        identify("4", user="UNA@example.org"),
        {"type": "group", "messageId": "5", "groupId": "acme", "userId": "u"},
        track("6", user="somebody else"),
    ]
    assert sender.batch(*again).status_code == 200
    assert sender.batch(*again).status_code == 200
    assert Touchpoint.objects.count() == before + 1
    assert list(Identity.objects.values_list("value", flat=True)) == ["somebody else"]
    assert not Reject.objects.exists()
    met = dict(ErasedIdentifier.objects.filter(met__gt=0).values_list("digest", "met"))
    assert met == {
        digest_of("user_id", "u"): 4,
        digest_of("anonymous_id", "a"): 2,
        digest_of("email", "una@example.org"): 2,
    }


def test_of_an_event_that_names_somebody_else_too_only_what_was_erased_is_left_out() -> None:
    sender = Sender()
    sender.batch(
        identify("1", user="u", anonymousId="a", traits={"email": "una@example.org", "phone": "+442079460958"})
    )
    erase(customer=customer_of("u"), now=clock())
    work_on_erasures()
    told = {"email": " Una@Example.org", "plan": "pro", "phone": "+44 20 7946 0958"}
    sender.batch(
        identify("2", user="new", anonymousId="a", traits=told),
        track("3", user="new", properties={"contact": "una@example.org", "page": 1}, context={"traits": told}),
    )
    assert list(Identity.objects.values_list("kind", "value")) == [("user_id", "new")]
    assert set(Trait.objects.values_list("key", flat=True)) == {"plan"}
    assert Touchpoint.objects.get(type__name="Feature Used").properties == {"page": 1}
    assert not RawBody.objects.exists(), "what arrived names the person"


def test_somebody_who_comes_back_is_let_in_again() -> None:
    sender = Sender()
    sender.batch(identify("1", user="u", traits={"email": "una@example.org"}))
    erase(customer=customer_of("u"), now=clock())
    with pytest.raises(QuestionError, match="was erased"):
        create_customer(email="una@example.org", author="Ada", now=clock())
    assert readmit(kind="email", value=" UNA@example.org")
    assert not readmit(kind="email", value="una@example.org")
    new = create_customer(email="una@example.org", author="Ada", now=clock())
    assert new != Erasure.objects.get().customer_id
    sender.batch(track("2", user="u"))
    assert not Identity.objects.filter(kind="user_id").exists()
    assert readmit(kind="user_id", value="u")
    sender.batch(track("3", user="u"))
    assert customer_of("u") not in (new, Erasure.objects.get().customer_id)


@pytest.mark.parametrize(("kind", "value"), [("email", "nobody"), ("phone", "020 7946"), ("user_id", "")])
def test_what_is_no_identifier_is_not_let_in(kind: str, value: str) -> None:
    with pytest.raises(QuestionError):
        readmit(kind=kind, value=value)


def test_of_an_erased_customer_nothing_more_can_be_told() -> None:
    customer = make_customer(name="Una")
    erase(customer=customer, now=clock())
    with pytest.raises(QuestionError):
        log_touchpoint(customer=customer, kind="note", text="x", author="Ada", now=clock())
    with pytest.raises(QuestionError):
        state_consent(
            customer=customer, address="x", channel="email", purpose="p", state="granted", source="", now=clock()
        )


def test_a_hash_cannot_be_made_without_the_secret_key(settings: Any) -> None:
    one = digest_of("email", "una@example.org")
    assert one != digest_of("user_id", "una@example.org")
    settings.SECRET_KEY = "another"
    assert digest_of("email", "una@example.org") != one


def test_an_identity_that_is_stored_now_is_nobodys_who_was_erased() -> None:
    event = happened("u", "Page Viewed", ago(days=1))
    erased = {digest_of("user_id", "u")}
    assert sift(events=[event], erased=erased, known=set()).events == ()
    assert sift(events=[event], erased=erased, known={("user_id", "u")}).events == (event,)


def test_profiles_are_told_by_position_also_beside_those_who_were_erased() -> None:
    tell(happened("u", "Page Viewed", ago(days=1)))
    erase(customer=customer_of("u"), now=clock())
    events = [happened(who, "Page Viewed", ago(hours=2)) for who in ("a", "u", "b")]
    done = ingest(source=source(), events=events)
    assert (done.new, done.erased, done.profiles[1]) == (2, 1, 0)
    assert Identity.objects.get(value="b").profile_id == done.profiles[2]
    nothing = ingest(source=source(), events=events[1:2])
    assert (nothing.new, nothing.erased, nothing.profiles) == (0, 1, (0,))


def test_the_answer_of_a_request_sent_twice_names_nobody_any_more() -> None:
    installed()
    api = client_of("admin")
    told = {"name": "Una Zwillingsohn", "email": MAIL}
    once = {"Idempotency-Key": "k1"}
    made = api.post("/api/v1/customers/", told, "application/json", headers=once)
    assert made.status_code == 201
    erase(customer=int(made.json()["id"]), now=clock())
    work_on_erasures()
    answer = api.post("/api/v1/customers/", told, "application/json", headers=once)
    assert (answer.status_code, Customer.objects.filter(erased_at=None).count()) == (410, 0)
