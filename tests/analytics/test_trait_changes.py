"""An edit of a name or an address leaves its mark in the timeline."""

import pytest

from analytics.customer_record import contacts, identities, profiles_of, traits
from analytics.timeline import Timeline, timeline
from analytics.trait_changes import TraitChange, trait_changes
from customers.ingest import clock
from customers.keeping import create_customer, edit_customer, log_touchpoint
from customers.models import Customer, Touchpoint
from tests.factories import make_customer
from tests.lifecycle.making import ago, settle

pytestmark = pytest.mark.django_db


def edit(customer: int, **changes: str) -> None:
    edit_customer(customer=customer, changes=changes, now=clock())
    settle()


def read(customer: int, **how: object) -> Timeline:
    return timeline(profiles=profiles_of(customer=customer), with_changes=True, **how)  # type: ignore[arg-type]


def told(found: Timeline) -> list[str]:
    """What stands on a timeline, latest first."""
    return [
        f"{one.key}: {one.was} > {one.became}" if isinstance(one, TraitChange) else one.type
        for day in found.days
        for one in day.entries
    ]


def test_an_edit_is_shown_with_what_was_and_what_became() -> None:
    customer = make_customer(ago(days=3), name="Ana", email="ana@example.org")
    edit(customer, name="Anna", phone="+44 20 7946 0018")
    edit(customer, phone="")
    touchpoints = Touchpoint.objects.count()
    assert told(read(customer)) == [
        "phone: +44 20 7946 0018 > ",
        "phone:  > +44 20 7946 0018",
        "name: Ana > Anna",
        "Order Completed",
    ]
    assert Touchpoint.objects.count() == touchpoints == 1  # to correct a name is not to have met somebody


def test_what_a_touchpoint_tells_for_the_first_time_is_its_own_news() -> None:
    customer = make_customer(ago(days=3), name="Ana")
    assert told(read(customer)) == ["Order Completed"]
    assert [one.key for one in trait_changes(profiles=profiles_of(customer=customer))] == ["name"]


def test_every_change_stands_on_exactly_one_page() -> None:
    customer = make_customer(*[ago(days=n) for n in range(1, 6)], name="Ana")
    for name in ("Anna", "Hanna"):
        edit(customer, name=name)
        log_touchpoint(customer=customer, kind="note", text=name, author="J", now=clock())
    settle()
    found: list[str] = []
    before = None
    while True:
        page = read(customer, before=before, page_size=2)
        found += told(page)
        before = page.older
        if before is None:
            break
    assert found == ["Note", "name: Anna > Hanna", "Note", "name: Ana > Anna"] + ["Order Completed"] * 5


def test_a_narrowed_timeline_shows_touchpoints_alone() -> None:
    customer = make_customer(ago(days=3), name="Ana")
    edit(customer, name="Anna")
    assert told(read(customer, roles=["purchase"])) == ["Order Completed"]


def test_a_replaced_address_is_called_former() -> None:
    customer = create_customer(name="Ana", email="ana@example.org", author="J", now=clock())
    settle()
    edit(customer, phone="020 7946 0018", external_id="7")
    edit(customer, email="anna@example.org", external_id="8")
    profiles = profiles_of(customer=customer)
    now = Customer.objects.get(pk=customer)
    found = contacts(
        email=now.email,
        phone=now.phone,
        identities=identities(profiles=profiles),
        traits=traits(profiles=profiles),
    )
    assert [(one.kind, one.value, one.is_former) for one in found] == [
        ("email", "anna@example.org", False),
        ("phone", "020 7946 0018", False),
        ("external_id", "8", False),
        ("email", "ana@example.org", True),
        ("external_id", "7", True),
    ]
