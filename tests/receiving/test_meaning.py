"""What messages mean: Segment's names have roles, money is exact, orders have lines, campaigns are touches."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.utils import timezone

from customers.models import (
    Account,
    Affiliation,
    ExchangeRate,
    Installation,
    OrderLine,
    Touchpoint,
    TouchpointType,
    Trait,
    TraitTelling,
)
from customers.raw_bodies import body_of
from customers.receiving.meaning import query_of
from customers.receiving.people import ILLEGAL, is_illegal
from customers.standard_types import STANDARD_TYPES

from .sending import Sender, identify, track

pytestmark = pytest.mark.django_db

ORDER = {
    "order_id": "1001",
    "total": 110,
    "revenue": "100.005",
    "currency": "eur",
    "products": [
        {"product_id": "p1", "sku": "s", "name": "Heart", "category": "Home", "price": 25.5, "quantity": 2},
        {"sku": "s2", "price": 49},
        {"name": "no price"},
        "nonsense",
    ],
}


def test_an_order_has_its_amount_its_reference_and_its_lines(sender: Sender) -> None:
    sender.batch(track("1", "Order Completed", properties=ORDER))
    order = Touchpoint.objects.get()
    assert (order.type.role, order.amount, order.original_amount) == ("purchase", 10_000, Decimal("100.005"))
    assert (order.currency, order.order_ref, order.flags) == ("EUR", "1001", 0)
    assert order.properties["products"] == ORDER["products"]
    lines = OrderLine.objects.order_by("number").values_list("product", "description", "quantity", "amount")
    assert list(lines) == [("p1", "Heart", Decimal(2), 5_100), ("s2", "", Decimal(1), 4_900)]


def test_a_refund_is_negative(sender: Sender) -> None:
    sender.batch(track("1", "Order Refunded", properties={"order_id": 7, "total": 20, "products": ORDER["products"]}))
    refund = Touchpoint.objects.get()
    assert (refund.amount, refund.order_ref) == (-2_000, "7")
    assert {line.amount for line in OrderLine.objects.all()} == {-5_100, -4_900}


def test_only_what_may_be_an_order_has_a_reference_and_lines(sender: Sender) -> None:
    sender.batch(track("1", "Order Updated", properties=ORDER), track("2", "Sold", properties=ORDER))
    assert {row.type.name: row.order_ref for row in Touchpoint.objects.all()} == {"Order Updated": "", "Sold": "1001"}
    assert {line.touchpoint.type.name for line in OrderLine.objects.all()} == {"Sold"}


@pytest.mark.parametrize(
    ("event", "properties", "amount"),
    [
        ("Product Added", {"price": "9.99", "quantity": 3}, 2_997),
        ("Product Added", {"price": 5}, 500),
        ("Checkout Started", {"value": 12}, 1_200),
        ("Order Completed", {"value": 3, "total": 2, "revenue": None}, 200),
        ("Product Viewed", {"price": 5, "value": 5, "revenue": 5}, None),
        ("Survey Answered", {"value": 9}, None),
        ("Donated", {"revenue": 5}, 500),
        ("Donated", {"revenue": True}, None),
        ("Donated", {"revenue": "five"}, None),
        ("Order Completed", {"total": 0}, 0),
        ("Order Completed", {}, None),
    ],
)
def test_amounts_are_found_where_the_specification_has_them(
    sender: Sender, event: str, properties: dict[str, Any], amount: int | None
) -> None:
    sender.batch(track("1", event, properties=properties))
    assert Touchpoint.objects.get().amount == amount


def test_another_currency_is_converted_by_its_day_or_flagged(sender: Sender) -> None:
    assert Installation.current().currency == "EUR"
    ExchangeRate.objects.create(currency="GBP", day="2026-01-01", rate="1.2")
    at = {"timestamp": "2026-02-01T00:00:00Z"}
    sender.batch(
        track("1", "Order Completed", properties={"total": 10, "currency": "GBP"}, **at),
        track("2", "Order Completed", properties={"total": 10, "currency": "USD"}, **at),
        track("3", "Order Completed", properties={"total": 10, "currency": "Euro"}, **at),
        track("4", "Order Completed", properties={"total": 10, "currency": "GBP"}, timestamp="2025-01-01"),
    )
    stored = {row.flags: (row.amount, row.original_amount) for row in Touchpoint.objects.filter(currency="GBP")}
    assert stored == {0: (1_200, Decimal(10)), Touchpoint.Flag.NO_RATE: (None, Decimal(10))}
    others = Touchpoint.objects.exclude(currency="GBP")
    assert {(row.amount, row.flags) for row in others} == {(None, Touchpoint.Flag.NO_RATE)}


def test_pages_and_screens_keep_their_names(sender: Sender) -> None:
    sender.batch(
        {"type": "page", "messageId": "1", "anonymousId": "a", "name": "Home", "properties": {"path": "/"}},
        {"type": "screen", "messageId": "2", "anonymousId": "a", "name": "Start", "category": "App"},
    )
    rows = Touchpoint.objects.order_by("type__name").values_list("type__name", "channel__key", "properties")
    assert list(rows) == [
        ("Page Viewed", "web", {"name": "Home", "path": "/"}),
        ("Screen Viewed", "app", {"name": "Start", "category": "App"}),
    ]


@pytest.mark.parametrize(
    ("message", "channel"),
    [
        ({"event": "Email Opened"}, "email"),
        ({"event": "Push Notification Tapped"}, "push"),
        ({"event": "Live Chat Message Sent"}, "chat"),
        ({"context": {"library": {"name": "analytics-ios"}}}, "app"),
        ({"context": {"library": {"name": "analytics.js"}}}, "web"),
        ({"context": {"library": {"name": "analytics-python"}}}, "server"),
        ({"channel": "mobile"}, "app"),
    ],
)
def test_the_channel_is_where_it_happened(sender: Sender, message: dict[str, Any], channel: str) -> None:
    sender.batch({**track("1"), **message})
    assert Touchpoint.objects.get().channel.key == channel


def test_first_and_last_touch_are_traits_whatever_arrives_first(sender: Sender) -> None:
    now = timezone.now()

    def visit(id: str, days: int, source: str) -> dict[str, Any]:
        campaign = {"source": source, "name": " Spring SALE"}
        at = (now - timedelta(days=days)).isoformat()
        return {**track(id), "type": "page", "context": {"campaign": campaign}, "timestamp": at}

    for message in (visit("2", 5, "Google"), visit("3", 2, "mail"), visit("1", 9, "NEWS"), visit("1", 9, "NEWS")):
        sender.batch(message)
    steps = Trait.objects.order_by("key", "set_at")
    told = [(step.key, step.value) for step in steps]
    assert told == [
        ("first_utm_campaign", "spring sale"),
        ("first_utm_source", "news"),
        ("utm_campaign", "spring sale"),
        ("utm_source", "news"),
        ("utm_source", "google"),
        ("utm_source", "mail"),
    ]
    assert {row.properties["utm_source"] for row in Touchpoint.objects.all()} == {"google", "mail", "news"}


def test_a_group_call_makes_an_account_and_whoever_belongs_to_it(sender: Sender) -> None:
    one = {"type": "group", "messageId": "1", "userId": "u", "groupId": "acme", "traits": {"name": "Acme", "seats": 5}}
    sender.batch(one, {**one, "messageId": "2", "traits": {"seats": 6}})
    sender.batch(one, {**one, "messageId": "3", "userId": "v"})
    account = Account.objects.get()
    assert (account.key, account.name) == ("acme", "Acme")
    assert Affiliation.objects.count() == 2
    assert not Trait.objects.exists()


# --- when -----------------------------------------------------------------------------------------------------
def at(id: str) -> Touchpoint:
    return Touchpoint.objects.get(properties__id=id)


def test_a_wrong_clock_is_corrected_and_what_it_said_is_kept(sender: Sender) -> None:
    now = timezone.now()
    for hours in (-48, 3):
        wrong = now + timedelta(hours=hours)
        said = (wrong - timedelta(minutes=10)).isoformat()
        sent = wrong.isoformat()
        message = track(str(hours), properties={"id": str(hours)}, timestamp=said)
        sender.batch(message, sentAt=sent)
        stored = at(str(hours))
        assert abs(stored.occurred_at - (now - timedelta(minutes=10))) < timedelta(seconds=30)
        assert stored.flags == 0
        kept = body_of((stored.received_at, stored.source_id, stored.message_hash))
        assert kept is not None and said.encode() in kept


def test_a_right_clock_is_believed_to_the_millisecond(sender: Sender) -> None:
    said = datetime(2024, 3, 1, tzinfo=UTC)
    sender.batch(track("1", timestamp="2024-03-01T01:00:00+01:00"), sentAt=timezone.now().isoformat())
    assert Touchpoint.objects.get().occurred_at == said


def test_the_same_message_sent_later_is_no_conflict(sender: Sender) -> None:
    message = track("1", timestamp=(timezone.now() - timedelta(minutes=3)).isoformat())
    for minutes in (0, 2, 60):
        sender.batch(message, sentAt=(timezone.now() - timedelta(minutes=minutes)).isoformat())
    assert Touchpoint.objects.count() == 1


def test_what_lies_ahead_is_set_to_its_arrival_and_flagged(sender: Sender) -> None:
    sender.batch(track("1", timestamp="2199-01-01T00:00:00Z"), identify("2", traits={"a": 1}, timestamp="2199-01-01"))
    stored = Touchpoint.objects.get()
    assert (stored.flags, stored.occurred_at) == (Touchpoint.Flag.CLAMPED, stored.received_at)
    assert Trait.objects.get().set_at <= timezone.now()


def test_a_message_without_an_id_or_a_time_is_taken(sender: Sender) -> None:
    sender.batch(*({"type": "track", "event": "E", "userId": "u"} for _one in range(2)))
    assert Touchpoint.objects.count() == 2
    timed = {"type": "track", "event": "E", "userId": "u", "timestamp": timezone.now().isoformat()}
    sender.batch(timed, timed)
    sender.batch(timed)
    assert Touchpoint.objects.count() == 3
    assert TraitTelling.objects.count() == 0


def mapped(name: str, role: str, **reads: str) -> None:
    TouchpointType.objects.create(name=name, role=role, reads=reads, mapped_at=timezone.now())


def test_a_mapped_name_is_read_where_its_messages_say_it(sender: Sender) -> None:
    mapped(
        "Deal Won",
        "purchase",
        amount="deal.worth",
        currency="deal.money",
        order="deal.number",
        products="items",
        campaign="origin",
        ticket="case",
    )
    ExchangeRate.objects.create(currency="USD", day="2020-01-01", rate="0.5")
    told = {
        "deal": {"worth": "40.50", "money": "usd", "number": 77},
        "items": [{"name": "Seat", "price": 10, "quantity": 2}],
        "origin": " Spring Fair ",
        "case": "T1",
        "total": 3,
    }
    sender.batch(track("1", "Deal Won", properties=told))
    one = Touchpoint.objects.get()
    assert (one.amount, one.original_amount, one.currency, one.order_ref) == (2_025, Decimal("40.5"), "USD", "77")
    assert [(line.product, line.quantity, line.amount) for line in one.lines.all()] == [("Seat", 2, 1_000)]
    assert (one.properties["utm_campaign"], one.properties["ticket_id"]) == ("spring fair", "T1")
    assert one.properties["deal"] == told["deal"]
    assert dict(Trait.objects.values_list("key", "value"))["utm_campaign"] == "spring fair"


def test_a_mapped_refund_is_taken_off_and_an_unsaid_place_leaves_the_usual_one(sender: Sender) -> None:
    mapped("Money Back", "refund", amount="not.there")
    sender.batch(track("1", "Money Back", properties={"value": 12, "order_id": "o1"}))
    one = Touchpoint.objects.get()
    assert (one.amount, one.order_ref) == (-1_200, "o1")


@pytest.mark.parametrize(
    ("event", "products", "amount"),
    [
        ("Order Completed", [{"name": "a", "price": "1.50", "quantity": 2}, {"name": "b", "price": 4}], 700),
        ("Order Refunded", [{"name": "a", "price": "1.50", "quantity": 2}], -300),
        ("Order Completed", [{"name": "a", "price": 1}, {"name": "b"}], None),
        ("Order Completed", [{"name": "a", "price": 1}, "b"], None),
        ("Order Completed", [], None),
        ("Product List Viewed", [{"name": "a", "price": 1}], None),
    ],
    ids=["all priced", "a refund", "one without a price", "one that is no product", "none", "only looked at"],
)
def test_an_order_without_an_amount_is_worth_its_products(
    sender: Sender, event: str, products: list[Any], amount: int | None
) -> None:
    sender.batch(track("1", event, properties={"products": products}))
    assert Touchpoint.objects.get().amount == amount


@pytest.mark.parametrize(
    "more",
    [
        {"context": {"campaign": {"name": "Spring", "source": "NEWS"}}},
        {"properties": {"utm_campaign": "Spring", "utm_source": "NEWS"}},
        {"context": {"page": {"search": "?utm_campaign=Spring&utm_source=NEWS&x=1"}}},
        {"context": {"page": {"url": "https://shop.example/a?utm_source=NEWS&utm_campaign=Spring#top"}}},
        {"properties": {"url": "https://shop.example/?utm_source=NEWS&utm_campaign=Spring"}},
    ],
    ids=["the library read it", "properties", "the query", "the address", "the address in the properties"],
)
def test_a_campaign_is_found_wherever_it_is_said_in_small_letters(sender: Sender, more: dict[str, Any]) -> None:
    sender.batch({**track("1", "Page Viewed"), **more})
    told = Touchpoint.objects.get().properties
    assert (told["utm_campaign"], told["utm_source"]) == ("spring", "news")
    traits = dict(Trait.objects.values_list("key", "value"))
    assert (traits["utm_campaign"], traits["first_utm_campaign"]) == ("spring", "spring")


def test_what_the_library_read_counts_before_the_address(sender: Sender) -> None:
    context = {"campaign": {"name": "One"}, "page": {"url": "https://a.example/?utm_campaign=two&utm_term=T"}}
    sender.batch(track("1", "Page Viewed", context=context))
    told = Touchpoint.objects.get().properties
    assert (told["utm_campaign"], told["utm_term"]) == ("one", "t")


# The names of the specification's pages on e-commerce, B2B SaaS, e-mail, mobile apps and live chat.
SPECIFIED = """
Products Searched, Product List Viewed, Product List Filtered, Promotion Viewed, Promotion Clicked, Product Clicked,
Product Viewed, Product Added, Product Removed, Cart Viewed, Checkout Started, Checkout Step Viewed,
Checkout Step Completed, Payment Info Entered, Order Updated, Order Completed, Order Refunded, Order Cancelled,
Coupon Entered, Coupon Applied, Coupon Denied, Coupon Removed, Product Added to Wishlist,
Product Removed from Wishlist, Wishlist Product Added to Cart, Product Shared, Cart Shared, Product Reviewed,
Account Created, Account Deleted, Account Added User, Account Removed User, Signed Up, Signed In, Signed Out,
Invite Sent, Trial Started, Trial Ended, Email Bounced, Email Delivered, Email Link Clicked, Email Marked as Spam,
Email Opened, Unsubscribed, Application Installed, Application Opened, Application Updated,
Application Backgrounded, Application Crashed, Application Uninstalled, Push Notification Received,
Push Notification Tapped, Push Notification Bounced, Install Attributed, Deep Link Clicked, Deep Link Opened,
Live Chat Conversation Started, Live Chat Conversation Ended, Live Chat Message Sent, Live Chat Message Received
"""


def test_every_name_of_the_specification_comes_mapped() -> None:
    assert [name for name in " ".join(SPECIFIED.split()).split(", ") if name not in STANDARD_TYPES] == []


@pytest.mark.parametrize(
    "text",
    [
        "https://shop.example.org/a?utm_source=x&b=1",
        "https://shop.example.org/a?b=1#c?utm_source=x",
        "https://shop.example.org/#?utm_source=x",
        "?utm_source=a?b",
        "utm_source=a",
        "utm_source=a#b",
        "a:b?utm_source=c",
        "//host?utm_source=c",
        "https://[::1]/?utm_source=c",
        "  https://a.b/?utm_source=c d",
        "https://a.b/\n?utm_source=c\td",
        "https://ä.example/?utm_source=ö",
    ],
)
def test_the_query_of_an_address_is_cut_as_the_library_cuts_it(text: str) -> None:
    assert query_of(text) == urlsplit(text if "?" in text else f"?{text}").query


def test_an_id_that_means_nobody_does_so_however_it_is_wrapped() -> None:
    for name in ILLEGAL:
        for text in (name, name.upper(), f"  {name}  ", f"'{name}'", f' "{name}" ' + " " * 40):
            assert is_illegal(text), text
    for text in ("user-0000000000000001", "[object object] of mine", "anonymous user 17", "nobody"):
        assert not is_illegal(text), text
