"""What people tell by hand goes through the same door as every machine, and every refusal names its field."""

from datetime import timedelta
from typing import Any

import pytest

from clm.lib.questions import QuestionError
from customers.ingest import clock
from customers.keeping import create_customer, edit_customer, folded_email, log_touchpoint
from customers.merge import merge
from customers.models import Customer, Identity, Touchpoint, Trait
from lifecycle.advance import advance_customers
from tests.factories import make_customer
from tests.lifecycle.making import ago, installed, settle, stage

pytestmark = pytest.mark.django_db


def create(**told: Any) -> int:
    number = create_customer(**told, author="ann@example.org", now=clock())
    advance_customers(customers=[number])
    return number


def edit(customer: int, **changes: str) -> tuple[str, ...]:
    changed = edit_customer(customer=customer, changes=changes, now=clock())
    advance_customers(customers=[customer])
    return changed


def log(customer: int, **told: Any) -> Any:
    return log_touchpoint(
        **{"customer": customer, "kind": "note", "text": "said", "author": "ann", "now": clock(), **told}
    )


def portrait(customer: int) -> tuple[str, str, str]:
    return Customer.objects.values_list("name", "email", "phone").get(pk=customer)


def touchpoints(customer: int) -> list[tuple[str, str, dict[str, Any]]]:
    found = Touchpoint.objects.filter(profile__customer=customer).order_by("occurred_at", "pk")
    return list(found.values_list("type__name", "channel__key", "properties"))


def test_a_customer_made_by_hand_has_a_stage_and_says_who_made_it() -> None:
    installed()
    customer = create(name="  Anna   Karenina ", email=" Anna@Example.ORG ", phone="+44 20 7946 0000")
    assert portrait(customer) == ("Anna Karenina", "anna@example.org", "+44 20 7946 0000")
    assert touchpoints(customer) == [("Created", "manual", {"author": "ann@example.org"})]
    assert stage(customer) == "awareness"
    assert set(Identity.objects.filter(profile__customer=customer).values_list("kind", "value")) == {
        ("email", "anna@example.org"),
        ("phone", "+442079460000"),
    }


def test_a_name_is_enough() -> None:
    one, other = create(name="Anna"), create(name="Anna")
    assert one != other
    assert portrait(one)[0] == portrait(other)[0] == "Anna"


def test_a_note_may_come_with_it() -> None:
    customer = create(external_id=" A-17 ", note="Met at the fair.\r\nWants a call.")
    assert touchpoints(customer)[1] == (
        "Note",
        "manual",
        {"author": "ann@example.org", "text": "Met at the fair.\nWants a call."},
    )
    assert Identity.objects.get(profile__customer=customer).kind == "external_id"


def test_letters_written_in_two_ways_are_one() -> None:
    assert folded_email("ZOE\u0301@example.org") == folded_email("zo\u00e9@example.org")


@pytest.mark.parametrize(
    ("told", "field"),
    [
        ({}, "name"),
        ({"name": "   "}, "name"),
        ({"name": "a\x00b"}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"name": "\ud800"}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"email": "nobody"}, "email"),
        ({"email": "a@b"}, "email"),
        ({"email": "a@b.example, c@d.example"}, "email"),
        ({"email": "x" * 250 + "@example.org"}, "email"),
        ({"phone": "call me"}, "phone"),
        ({"external_id": "x" * 201}, "external_id"),
        ({"name": "A", "note": "x" * 10_001}, "note"),
    ],
)
def test_what_cannot_be_told_is_refused_by_its_field(told: dict[str, str], field: str) -> None:
    with pytest.raises(QuestionError) as refusal:
        create(**told)
    assert refusal.value.field == field
    assert Customer.objects.count() == 0


@pytest.mark.parametrize("key", ["email", "external_id"])
def test_what_another_customer_is_known_by_is_refused(key: str) -> None:
    value = "anna@example.org"
    first = create(**{key: value})
    for told in (value, f" {value} "):
        with pytest.raises(QuestionError, match=str(first)) as refusal:
            create(name="Other", **{key: told})
        assert refusal.value.field == key
    assert Customer.objects.count() == 1


def test_an_edit_tells_what_changed_and_keeps_what_was() -> None:
    customer = create(name="Anna", email="anna@example.org")
    assert edit(customer, name="Anna", email="anna@example.org") == ()
    assert edit(customer, name="Anna K.", email="NEW@example.org", phone="123 456") == ("name", "email", "phone")
    assert portrait(customer) == ("Anna K.", "new@example.org", "123 456")
    assert list(Trait.objects.filter(key="name").order_by("set_at").values_list("value", flat=True)) == [
        "Anna",
        "Anna K.",
    ]
    assert set(Identity.objects.values_list("value", flat=True)) == {"anna@example.org", "new@example.org"}
    assert len(touchpoints(customer)) == 1, "an edit is not something that happened with the customer"


def test_what_was_told_can_be_cleared_but_not_an_address_one_is_known_by() -> None:
    customer = create(name="Anna", email="anna@example.org", phone="123 456")
    assert edit(customer, name="", phone="") == ("name", "phone")
    assert portrait(customer) == ("", "anna@example.org", "")
    with pytest.raises(QuestionError) as refusal:
        edit(customer, email="")
    assert refusal.value.field == "email"


def test_an_edit_takes_nobodys_address_away() -> None:
    create(email="anna@example.org")
    other = create(name="Other")
    with pytest.raises(QuestionError) as refusal:
        edit(other, email="anna@example.org", name="Changed")
    assert refusal.value.field == "email"
    assert portrait(other)[0] == "Other"


def test_a_number_with_its_country_recognises_a_customer_unless_it_is_anothers_already() -> None:
    first = create(name="Anna", phone="+44 20 7946 0018")
    second = create(name="Ben", phone="+44 (20) 7946-0018")
    third = create(name="Cleo", phone="020 7946 0018")
    assert len({first, second, third}) == 3
    assert list(Identity.objects.filter(kind="phone").values_list("profile__customer", "value")) == [
        (first, "+442079460018")
    ]
    assert portrait(second)[2] == "+44 (20) 7946-0018"
    assert edit(third, phone="+44 20 7946 0019") == ("phone",)
    assert Identity.objects.get(kind="phone", profile__customer=third).value == "+442079460019"
    assert edit(third, phone="+44 20 7946 0018") == ("phone",)
    assert Identity.objects.filter(kind="phone", value="+442079460018").get().profile.customer_id == first


def test_only_three_things_can_be_edited() -> None:
    with pytest.raises(QuestionError) as refusal:
        edit(create(name="Anna"), stage="retention")
    assert refusal.value.field == "stage"


def test_after_a_merge_the_latest_telling_counts() -> None:
    first, second = create(name="Anna", email="a@example.org"), create(name="Annie", email="b@example.org")
    merge(customers=(first, second), now=clock())
    settle()
    assert portrait(first)[0] == "Annie"
    assert edit(first, name="Anna", email="b@example.org") == ("name",)
    assert portrait(first)[:2] == ("Anna", "b@example.org")


def test_a_call_is_support_and_a_note_is_not() -> None:
    customer = make_customer()
    log(customer, kind="call", text="Asked about delivery", direction="in", occurred_at=ago(hours=2))
    log(customer, text="Nice person")
    assert touchpoints(customer)[1:] == [
        ("Call", "phone", {"text": "Asked about delivery", "author": "ann", "direction": "in"}),
        ("Note", "manual", {"text": "Nice person", "author": "ann"}),
    ]


def test_a_repeated_message_is_logged_once() -> None:
    customer = make_customer()
    assert log(customer, message_id="m1").is_new
    again = log(customer, message_id="m1")
    assert (again.message_id, again.is_new) == ("m1", False)
    assert len(touchpoints(customer)) == 2


@pytest.mark.parametrize(
    ("told", "field"),
    [
        ({"kind": "gift"}, "kind"),
        ({"text": "  "}, "text"),
        ({"text": "a\x00"}, "text"),
        ({"direction": "up"}, "direction"),
        ({"occurred_at": "future"}, "occurred_at"),
        ({"occurred_at": "long ago"}, "occurred_at"),
        ({"customer": 999_999}, "customer"),
    ],
)
def test_what_cannot_be_logged_is_refused_by_its_field(told: dict[str, Any], field: str) -> None:
    now = clock()
    when = {"future": now + timedelta(seconds=1), "long ago": now - timedelta(days=36_000)}
    told = {**told, **({"occurred_at": when[told["occurred_at"]]} if "occurred_at" in told else {})}
    with pytest.raises(QuestionError) as refusal:
        log(**{"customer": make_customer(), "now": now, **told})
    assert refusal.value.field == field
