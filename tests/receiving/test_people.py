"""Whom messages are about: nameless visitors become people, people are never merged by a machine, and nobody is made of
`null`."""

from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from customers.merge import merge, unmerge
from customers.models import Customer, Identity, Merge, PossibleMerge, Touchpoint
from customers.receiving import joining
from customers.receiving.people import ILLEGAL, email_of, is_illegal, phone_of

from .sending import Sender, identify, track

pytestmark = pytest.mark.django_db


def customer(kind: str, value: str) -> int:
    return Identity.objects.get(kind=kind, value=value).profile.customer_id


def people() -> int:
    return Customer.objects.filter(merged_into=None).count()


def test_a_visitor_who_signs_up_keeps_what_he_did_before(sender: Sender) -> None:
    sender.batch(track("1", user=None, anonymousId="a"))
    sender.batch(identify("2", user="u", anonymousId="a", traits={"email": " U@Example.org "}))
    assert people() == 1
    assert customer("user_id", "u") == customer("anonymous_id", "a") == customer("email", "u@example.org")


def test_a_visitor_who_signs_in_elsewhere_is_joined_to_whom_he_is(sender: Sender) -> None:
    sender.batch(track("1", user="u"))
    sender.batch(track("2", user=None, anonymousId="a"))
    assert people() == 2
    both = track("3", user="u", anonymousId="a")
    sender.batch(both)
    assert people() == 1
    assert customer("user_id", "u") == customer("anonymous_id", "a")
    sender.batch(both, track("4", user="u", anonymousId="a"))
    assert Merge.objects.count() == 1


def test_another_user_on_the_same_device_is_another_person_and_shown_as_a_possible_merge(sender: Sender) -> None:
    sender.batch(track("1", user="u1", anonymousId="a"))
    sender.batch(track("2", user="u2", anonymousId="a"), track("3", user="u2", anonymousId="a"))
    sender.batch(track("4", user="u1", anonymousId="a"))
    assert people() == 2
    assert customer("user_id", "u1") != customer("user_id", "u2")
    one = PossibleMerge.objects.get()
    assert (one.kind, one.value) == ("anonymous_id", "a")
    assert not Merge.objects.exists()


def test_two_of_whom_nothing_was_asked_while_others_were_one_are_asked_about_when_these_are_two_again(
    sender: Sender,
) -> None:
    sender.batch(track("1", user="u3", anonymousId="b"), track("2", user="u1", anonymousId="a"))
    sender.batch(track("3", user="u2", anonymousId="b"))
    one = merge(customers=(customer("user_id", "u1"), customer("user_id", "u3")), now=timezone.now())
    sender.batch(track("4", user="u2", anonymousId="a"))
    assert PossibleMerge.objects.count() == 1  # these two customers stand in the queue
    unmerge(merge=one.pk, now=timezone.now())
    sender.batch(track("5", user="u2", anonymousId="a"))
    assert sorted(PossibleMerge.objects.values_list("value", flat=True)) == ["a", "b"]


def test_two_of_whom_nothing_was_asked_because_one_of_them_was_with_others_are_asked_about_once_these_have_left(
    sender: Sender,
) -> None:
    sender.batch(track("1", user="u1", anonymousId="a"), track("2", user="u3", anonymousId="b"))
    sender.batch(track("3", user="u2", anonymousId="b"))
    # u1 was met first and stays the customer it is, with u3 and without.
    one = merge(customers=(customer("user_id", "u1"), customer("user_id", "u3")), now=timezone.now())
    sender.batch(track("4", user="u2", anonymousId="a"))
    assert list(PossibleMerge.objects.values_list("value", flat=True)) == ["b"]  # these two customers are asked about
    unmerge(merge=one.pk, now=timezone.now())
    sender.batch(track("5", user="u2", anonymousId="a"))
    assert sorted(PossibleMerge.objects.values_list("value", flat=True)) == ["a", "b"]


def test_a_visitor_who_was_left_to_people_while_somebody_named_was_merged_in_is_joined_once_nameless_again(
    sender: Sender,
) -> None:
    sender.batch(track("1", user=None, anonymousId="a"))
    sender.batch(track("2", user="u1"), track("3", user="u2"))
    one = merge(customers=(customer("anonymous_id", "a"), customer("user_id", "u1")), now=timezone.now())
    sender.batch(track("4", user="u2", anonymousId="a"))
    assert customer("user_id", "u2") != customer("anonymous_id", "a")
    unmerge(merge=one.pk, now=timezone.now())
    sender.batch(track("5", user="u2", anonymousId="a"))
    assert customer("user_id", "u2") == customer("anonymous_id", "a") != customer("user_id", "u1")


def test_two_who_met_at_a_device_of_very_many_are_asked_about_when_something_else_names_both(
    sender: Sender, settings: Any
) -> None:
    settings.CLM_NAMES_OF_A_DEVICE = 2
    for number in range(3):
        sender.batch(track(str(number), user=f"u{number}", anonymousId="kiosk"))
    assert PossibleMerge.objects.count() == 1
    sender.batch({"type": "alias", "messageId": "alias", "userId": "u2", "previousId": "u0"})
    told = PossibleMerge.objects.order_by("pk").values_list("kind", "value")
    assert list(told) == [("anonymous_id", "kiosk"), ("user_id", "u0")]


def test_of_three_whom_one_message_names_the_one_it_belongs_to_is_asked_about_with_each_other(sender: Sender) -> None:
    sender.batch(track("1", user="u1", anonymousId="a"))
    sender.batch(identify("2", user="u2", traits={"email": "m@example.org"}))
    sender.batch(identify("3", user="u0", anonymousId="a", traits={"email": "m@example.org"}))
    own = customer("user_id", "u0")
    asked = {frozenset(one) for one in PossibleMerge.objects.values_list("profile__customer", "other__customer")}
    assert asked == {frozenset((own, customer("user_id", other))) for other in ("u1", "u2")}


@pytest.mark.django_db(transaction=True)
def test_a_merge_that_must_wait_is_tried_again_with_the_same_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joining, "PATIENCE", "200ms")
    sender = Sender()
    sender.batch(track("1", user="u"), track("2", user=None, anonymousId="a"))
    both = track("3", user="u", anonymousId="a")
    holder = connection.copy()
    try:
        with holder.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(7303, 0)")
        assert sender.batch(both).status_code == 503
    finally:
        holder.close()
    assert people() == 2
    assert sender.batch(both).status_code == 200
    assert people() == 1
    assert Touchpoint.objects.count() == 3


def test_a_device_of_very_many_says_nothing_of_any_two(sender: Sender, settings: Any) -> None:
    settings.CLM_NAMES_OF_A_DEVICE = 25
    for number in range(40):
        sender.batch(track(str(number), user=f"u{number}", anonymousId="kiosk"))
    assert people() == 40
    assert PossibleMerge.objects.count() == 24


def test_an_alias_joins_a_visitor_names_a_new_id_and_never_merges_two_people(sender: Sender) -> None:
    sender.batch(track("1", user=None, anonymousId="a"), track("2", user="u"), track("3", user="v"))
    sender.batch({"type": "alias", "messageId": "4", "userId": "u", "previousId": "a"})
    assert customer("user_id", "u") == customer("anonymous_id", "a")
    sender.batch({"type": "alias", "messageId": "5", "userId": "new", "previousId": "v"})
    assert customer("user_id", "new") == customer("user_id", "v")
    sender.batch({"type": "alias", "messageId": "6", "userId": "u", "previousId": "v"})
    assert customer("user_id", "u") != customer("user_id", "v")
    assert PossibleMerge.objects.count() == 1
    assert people() == 2


def test_two_addresses_of_two_people_are_not_one(sender: Sender) -> None:
    sender.batch(identify("1", user="u1", traits={"email": "one@example.org"}))
    sender.batch(identify("2", user="u2", traits={"email": "one@example.org"}))
    assert people() == 2
    assert PossibleMerge.objects.get().kind == "email"


@pytest.mark.parametrize("illegal", [*sorted(ILLEGAL), " NULL ", "Undefined", "'none'", 0, False])
def test_what_means_nobody_names_nobody(sender: Sender, illegal: object) -> None:
    if illegal is not False:
        assert is_illegal(str(illegal))
    sender.batch(track("1", user=illegal, anonymousId="a"), track("2", user=illegal), track("3", user="u"))  # type: ignore[arg-type]
    stored = 1 if illegal is False else 2
    assert Touchpoint.objects.count() == stored
    assert not Identity.objects.filter(value=str(illegal)).exists()


def test_numbers_are_ids_too(sender: Sender) -> None:
    sender.batch(track("1", user=42), track("2", user="42"))  # type: ignore[arg-type]
    assert people() == 1


@pytest.mark.parametrize(
    ("told", "folded"),
    [
        (" A@B.De ", "a@b.de"),
        ("e\u0301@x.org", "é@x.org"),
        ("no address", ""),
        ("a@b", ""),
        (5, ""),
        (None, ""),
        ("a@b.de, c@d.de", ""),
    ],
)
def test_addresses_are_folded(told: object, folded: str) -> None:
    assert email_of(told) == folded


@pytest.mark.parametrize(
    ("told", "folded"),
    [("+44 20 7946 0958", "+442079460958"), ("020 7946 0958", ""), ("+1", ""), ("+999999999999999999", ""), (7, "")],
)
def test_numbers_are_folded_to_e164_if_they_say_their_country(told: object, folded: str) -> None:
    assert phone_of(told) == folded
