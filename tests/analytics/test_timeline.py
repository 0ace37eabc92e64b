"""Everything that ever happened with a customer, latest first."""

from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from analytics.customer_record import (
    consents,
    customer_head,
    found_customer,
    identities,
    memberships,
    merged_from,
    profiles_of,
    purchase_marks,
    standings,
    traits,
)
from analytics.sorting import stage_model, stage_models
from analytics.spells import bands, spells
from analytics.timeline import timeline
from clm.lib.questions import NotThereError, QuestionError
from customers.events import Event, Line
from customers.ingest import clock
from customers.merge import merge, unmerge
from customers.models import Consent, Touchpoint
from tests.factories import day, make_customer, make_order, make_refund
from tests.lifecycle.making import ago, customer_of, happened, installed, settle, tell

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna() -> int:
    installed()
    tell(
        happened("anna", "Page Viewed", day("2024-05-01T22:30"), id="p1"),
        happened("anna", "Page Viewed", day("2024-05-01T23:30"), id="p2"),
        happened("anna", "Page Viewed", day("2024-05-01T23:30"), id="p3", properties={"name": "Shoes", "size": 42}),
        make_order("anna", "2024-05-02", 50_00),
        make_refund("anna", "2024-05-03", -10_00),
    )
    settle()
    return customer_of("anna")


def test_pages_of_a_timeline_leave_nothing_out_and_repeat_nothing(anna: int) -> None:
    profiles = profiles_of(customer=anna)
    whole = timeline(profiles=profiles)
    assert [entry.role for entry in whole.entries] == ["refund", "purchase", "visit", "visit", "visit"]
    assert whole.older is None
    found, cursor = [], None
    while True:
        page = timeline(profiles=profiles, before=cursor, page_size=2)
        found += page.entries
        cursor = page.older
        if cursor is None:
            break
    assert tuple(found) == whole.entries


def test_days_are_those_of_the_business(anna: int) -> None:
    profiles = profiles_of(customer=anna)
    assert [(one.day.day, len(one.entries)) for one in timeline(profiles=profiles, zone="UTC").days] == [
        (3, 1),
        (2, 1),
        (1, 3),
    ]
    london = timeline(profiles=profiles, zone="Europe/London").days
    assert [(one.day.day, len(one.entries)) for one in london] == [(3, 1), (2, 3), (1, 1)]


def test_a_timeline_can_be_narrowed(anna: int) -> None:
    profiles = profiles_of(customer=anna)
    found = timeline(profiles=profiles, roles=["purchase", "refund"], with_kinds=True)
    assert [entry.amount for entry in found.entries] == [-10_00, 50_00]
    assert [(kind.key, kind.count, kind.chosen) for kind in found.kinds] == [
        ("visit", 3, False),
        ("purchase", 1, True),
        ("refund", 1, True),
    ]
    assert len(timeline(profiles=profiles, types=["Page Viewed"]).entries) == 3
    with pytest.raises(QuestionError):
        timeline(profiles=profiles, roles=["gift"])


def test_an_entry_says_all_that_was_told() -> None:
    lines = (Line("85123A", Decimal("6"), 15_30, description="White hanging heart"), Line("POST", Decimal(1), 4_00))
    tell(
        Event(
            message_id="o1",
            identities=(("user_id", "anna"),),
            type="Order Completed",
            channel="store",
            occurred_at=day("2024-05-02"),
            amount=19_30,
            original_amount=Decimal("22.5"),
            currency="USD",
            order_ref="536365",
            properties={"coupon": "MAY", "gift": True, "text": "Leave at the door"},
            lines=lines,
            flags=int(Touchpoint.Flag.TAGGED),
        )
    )
    (entry,) = timeline(profiles=profiles_of(customer=customer_of("anna"))).entries
    assert (entry.amount, entry.original, entry.order_ref, entry.channel) == (19_30, "22.5 USD", "536365", "store")
    assert entry.title == "Order Completed: White hanging heart (+1)"
    assert [(line.product, line.name, line.quantity, line.amount) for line in entry.lines] == [
        ("85123A", "White hanging heart", Decimal("6.000"), 15_30),
        ("POST", "POST", Decimal("1.000"), 4_00),
    ]
    assert (entry.text, entry.told) == ("Leave at the door", {"coupon": "MAY", "gift": "true"})
    assert len(entry.flags) == 1


@pytest.mark.parametrize("size", [1, 30])
def test_a_page_of_a_timeline_costs_two_queries(size: int, django_assert_num_queries) -> None:
    tell(*[make_order("anna", ago(days=n)) for n in range(size)])
    profiles = profiles_of(customer=customer_of("anna"))
    with django_assert_num_queries(2):
        timeline(profiles=profiles)


def test_spells_follow_one_another_without_a_gap(anna: int) -> None:
    found = spells(customer=anna, model=stage_model())
    assert found[0].stage.key == "awareness"
    assert found[0].entered == day("2024-05-01T22:30")
    assert found[-1].left is None
    assert found[-1].stage.key == "lapsed"
    assert all(one.left == following.entered for one, following in pairwise(found))
    assert [band.model.key for band in bands(customer=anna, models=stage_models())] == ["seven", "five", "cycle"]
    assert spells(customer=10**9, model=stage_model()) == ()


def test_the_head_of_a_customer(anna: int) -> None:
    customer, merged_into = found_customer(anna)
    head = customer_head(
        customer=customer, profiles=profiles_of(customer=anna), memberships=memberships(customer=customer.pk)
    )
    assert merged_into is None
    assert (head.touchpoints, head.orders, head.revenue, head.profiles, head.is_active) == (5, 1, 40_00, 1, False)
    assert (head.first_seen, head.last_seen) == (day("2024-05-01T22:30"), day("2024-05-03"))
    (now, *_others) = standings(customer=anna, models=stage_models(), now=clock())
    assert now.stage is not None
    assert (now.stage.key, now.next) == ("lapsed", None)
    assert purchase_marks(profiles=profiles_of(customer=anna)) == (day("2024-05-02"),)


def test_what_comes_next_is_told_with_its_instant() -> None:
    installed()
    bought = ago(days=10)
    customer = make_customer(bought)
    (now, *_others) = standings(customer=customer, models=stage_models(), now=clock())
    assert now.next is not None
    assert now.next.stage.key == "lapsed"
    assert abs(now.next.at - bought - timedelta(days=180)) < timedelta(milliseconds=1)


def test_merged_customers_are_one_with_everything_of_both() -> None:
    installed()
    first, second = make_customer("2024-01-01", name="Anna"), make_customer("2024-02-01", name="Annie")
    merged = merge(customers=(first, second), now=clock())
    settle()
    customer, merged_into = found_customer(second)
    assert (customer.pk, merged_into) == (first, first)
    profiles = profiles_of(customer=first)
    assert len(timeline(profiles=profiles).entries) == 2
    assert len(identities(profiles=profiles)) == 2
    assert [row.id for row in merged_from(customer=first)] == [second]
    unmerge(merge=merged.pk, now=clock())
    assert merged_from(customer=first) == ()
    assert len(profiles_of(customer=first)) == 1


def test_the_latest_trait_and_the_latest_consent_count() -> None:
    tell(
        happened("anna", "Page Viewed", ago(days=5), traits={"plan": "pro", "size": 3}),
        happened("anna", "Page Viewed", ago(days=6), traits={"plan": "free"}),
        happened("anna", "Page Viewed", ago(days=1), traits={"size": None}),
    )
    profiles = profiles_of(customer=customer_of("anna"))
    assert {row.key: row.value for row in traits(profiles=profiles)} == {"plan": "pro"}
    for hours, state in ((5, "granted"), (1, "withdrawn"), (9, "pending")):
        Consent.objects.create(
            profile_id=profiles[0],
            address="a@b.example",
            channel="email",
            purpose="news",
            state=state,
            at=ago(hours=hours),
        )
    assert [row.state for row in consents(profiles=profiles)] == ["withdrawn"]


def test_an_unknown_customer_is_not_there() -> None:
    with pytest.raises(NotThereError):
        found_customer(10**12)
