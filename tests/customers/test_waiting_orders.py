"""Files of orders in a currency without an exchange rate: stored as they are, counted in no sum, and made by a later
rate into what they would have been made into at once."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from analytics.left_out import waiting_currencies, waiting_touchpoints
from customers.conversions import ask_to_convert, convert_asked
from customers.importing.try_orders import try_orders
from customers.ingest import clock
from customers.management.commands.import_file import account_lines
from customers.models import AmountChange, Conversion, Installation, OrderLine, Touchpoint
from customers.order_import import Imported, import_orders
from customers.order_mapping import OrderMapping
from customers.rates import enter_rate
from customers.waiting_orders import waiting_of

from .order_files import NOW, bring_in, line, mapping, write

pytestmark = pytest.mark.django_db

SHOP: dict[str, Any] = {
    "source": {"key": "shop"},
    "columns": {
        "invoice": "order", "product": "item", "quantity": "many", "price": "each", "time": "at", "customer": "who",
    },
    "order": {
        "subtotal": "subtotal", "shipping": "shipping", "taxes": "taxes", "total": "total", "refunded": "refunded",
        "refunded_at": "refunded_at", "status": "status", "currency": "currency",
    },
    "cancelled_statuses": ["voided"],
    "time_format": "iso",
    "time_zone": "America/New_York",
    "currency": "EUR",
    "not_products": ["POST"],
}  # fmt: skip
SHOP_HEADER = "order,item,many,each,at,who,subtotal,shipping,taxes,total,refunded,refunded_at,status,currency"


@pytest.fixture(autouse=True)
def pounds() -> None:
    Installation.objects.update_or_create(id=1, defaults={"currency": "GBP", "time_zone": "Europe/London"})


def shop(folder: Any, *lines: str, name: str = "shop.csv", **overrides: Any) -> Imported:
    path = write(folder, *lines, header=SHOP_HEADER, name=name)
    document = OrderMapping.from_document({**SHOP, **overrides})
    return import_orders(path=path, mapping=document, now=NOW, tell=lambda _line: None)


def shop_order(number: str = "7", *, back: str = "", status: str = "paid", currency: str = "USD") -> tuple[str, ...]:
    """Listed at 60.00, sold for 50.00 net of a discount, late in the evening of 4 March in New York."""
    said = f"50.00,4.00,6.00,60.00,{back},{'2025-03-20 12:00' if back else ''},{status},{currency}"
    return (
        f"{number},T1,3,13.33,2025-03-04 22:30,ada,{said}",
        f"{number},C1,1,10.01,2025-03-04 22:30,ada,,,,,,,,",
        f"{number},POST,1,10.00,2025-03-04 22:30,ada,,,,,,,,",
    )


def rated(rate: str = "0.64125", day: date = date(2000, 1, 1), currency: str = "USD") -> None:
    enter_rate(currency=currency, day=day, rate=Decimal(rate), source="test")


def converted() -> int:
    ask_to_convert(currencies=["USD", "EUR"], now=clock())
    return convert_asked()


def stored() -> list[tuple[Any, ...]]:
    """Everything that money and products are counted from."""
    lines: dict[int, list[tuple[Any, ...]]] = {}
    for each in OrderLine.objects.order_by("touchpoint_id", "number"):
        told = (each.number, each.product, each.description, each.category, each.quantity, each.amount, each.is_product)
        lines.setdefault(each.touchpoint_id, []).append(told)
    touchpoints = Touchpoint.objects.order_by("message_hash").values_list(
        "pk", "message_hash", "type__name", "occurred_at", "amount", "original_amount", "currency", "flags"
    )
    return [(*told, lines.get(number, [])) for number, *told in touchpoints]


def test_an_order_without_a_rate_is_stored_listed_and_in_no_sum(tmp_path):
    path = write(tmp_path, line("1", price="10"), line("1", "POST", price="2.5"), line("C2", quantity="-1", price="4"))
    done = bring_in(path, currency="USD")
    assert done.record.set_aside == {}
    assert (done.record.lines_read, done.record.lines_used) == (3, 3)
    counts = done.record.counts
    assert (counts["orders"], counts["refunds"], counts["touchpoints_waiting"]) == (1, 1, 2)
    assert counts["order_amount"] == counts["refund_amount"] == counts["tagged_amount"] == 0
    order = Touchpoint.objects.get(order_ref="1")
    assert (order.amount, order.original_amount, order.currency) == (None, Decimal("12.5"), "USD")
    assert order.flags == Touchpoint.Flag.NO_RATE | Touchpoint.Flag.TAGGED
    assert order.properties["total"] == 12.5
    assert Touchpoint.objects.get(order_ref="C2").original_amount == -4
    assert OrderLine.objects.count() == 0
    assert [(one.currency, one.touchpoints, one.amount) for one in waiting_currencies()] == [("USD", 2, Decimal("8.5"))]
    assert {one.order_ref for one in waiting_touchpoints(currency="USD").rows} == {"1", "C2"}
    assert any("2 touchpoints carry money without an exchange rate" in each for each in account_lines(done.record))


def test_a_currency_that_there_is_not_waits_too(tmp_path):
    shop(tmp_path, *shop_order(currency="Taler"))
    order = Touchpoint.objects.get()
    assert (order.amount, order.currency, order.flags & Touchpoint.Flag.NO_RATE) == (None, "", Touchpoint.Flag.NO_RATE)
    assert [one.key for one in waiting_currencies()] == ["-"]


@pytest.mark.parametrize(
    "overrides", [{}, {"price_is_total": True}, {"order": {"currency": "currency"}}], ids=["shares", "totals", "prices"]
)
def test_a_later_rate_makes_of_it_what_it_would_have_made_at_once(tmp_path, overrides):
    def rates() -> None:
        rated("0.64125", date(2025, 3, 1))
        rated("0.7001", date(2025, 3, 5))  # the day of the order by UTC, and before its refund: neither is its own
        rated("0.5", date(2025, 3, 20))

    lines = (*shop_order(back="30.00"), *shop_order("8"))
    shop(tmp_path, *lines, **overrides)
    assert all(amount is None for amount in Touchpoint.objects.values_list("amount", flat=True))
    rates()
    assert converted() == Touchpoint.objects.count() == AmountChange.objects.count()
    later = stored()
    assert any(not each[-1] for told in later for each in told[-1])
    OrderLine.objects.all().delete()
    Touchpoint.objects.all().delete()
    shop(tmp_path, *lines, **overrides)
    assert stored() == later


def test_the_lines_of_an_order_by_the_piece_come_back_by_their_own_prices(tmp_path):
    path = write(
        tmp_path,
        line("1", "22752", '"SET 7, BOXES"', "600", price="0.015"),
        line("1", "POST", "POSTAGE", "1", price="18"),
        line("2", price="0.005"),
    )
    bring_in(path, currency="USD")
    rated("0.3")
    assert converted() == 2
    lines = OrderLine.objects.filter(touchpoint__order_ref="1").order_by("number")
    assert list(lines.values_list("product", "description", "quantity", "amount", "is_product")) == [
        ("22752", "SET 7, BOXES", Decimal(600), 270, True),
        ("POST", "POSTAGE", Decimal(1), 540, False),
    ]
    assert Touchpoint.objects.get(order_ref="1").flags == Touchpoint.Flag.TAGGED


def test_the_same_file_again_changes_nothing_before_and_after_its_rate(tmp_path):
    path = write(tmp_path, line("1", price="10"), line("2", price="3"))
    bring_in(path, currency="USD")
    assert bring_in(path, currency="USD").rows_changed == 0
    rated()
    assert converted() == 2
    again = bring_in(path, currency="USD")
    assert again.rows_changed == 0
    counts = again.record.counts
    assert (counts["touchpoints_repeated"], counts.get("touchpoints_conflicting", 0)) == (2, 0)
    assert (counts["touchpoints_waiting"], counts["order_amount"]) == (0, 641 + 192)
    # Another price is another thing to say, as ever.
    other = bring_in(write(tmp_path, line("1", price="11"), line("2", price="3")), currency="USD")
    assert other.record.counts["touchpoints_conflicting"] == 1


def test_what_is_said_of_a_waiting_order_later_comes_to_the_same_once_its_rate_is_known(tmp_path):
    shop(tmp_path, *shop_order(back="12.00"), *shop_order("8"))
    shop(tmp_path, *shop_order(back="30.00"), *shop_order("8", status="voided"), name="later.csv")
    back = Touchpoint.objects.filter(order_ref="7", type__name="Order Refunded").order_by("pk")
    assert [(one.amount, one.original_amount) for one in back] == [(None, -10), (None, -15)]
    off = Touchpoint.objects.get(order_ref="8", type__name="Order Refunded")
    assert (off.amount, off.original_amount, off.currency) == (None, -50, "USD")
    rated("0.64", date(2025, 3, 1))
    rated("0.5", date(2025, 3, 20))
    converted()
    sums = {
        ref: sum(Touchpoint.objects.filter(order_ref=ref).exclude(amount=None).values_list("amount", flat=True))
        for ref in ("7", "8")
    }
    assert sums == {"7": 3_200 - 640 - 960, "8": 0}


def test_what_is_paid_back_of_an_order_that_waits_is_not_counted_twice_when_a_rate_comes_between(tmp_path):
    shop(tmp_path, *shop_order(back="12.00"))
    rated("0.64", date(2025, 3, 1))  # nobody has converted anything yet
    shop(tmp_path, *shop_order(back="30.00"), name="later.csv")
    converted()
    refunds = Touchpoint.objects.filter(type__name="Order Refunded").order_by("pk")
    assert [one.amount for one in refunds] == [-640, -960]


def test_orders_of_one_file_may_be_in_several_currencies(tmp_path):
    rated("2", currency="EUR")
    done = shop(tmp_path, *shop_order("1", currency="EUR"), *shop_order("2", currency="gbp"), *shop_order("3"))
    assert dict(Touchpoint.objects.values_list("order_ref", "amount")) == {"1": 10_000, "2": 5_000, "3": None}
    assert done.record.counts["touchpoints_waiting"] == 1


def test_a_dry_run_says_what_would_wait(tmp_path):
    path = write(tmp_path, *shop_order(back="30.00"), *shop_order("8", currency="GBP"), header=SHOP_HEADER)
    found = try_orders(path=path, mapping=OrderMapping.from_document(SHOP), now=NOW, tell=lambda _line: None)
    assert (found["orders_new"], found["rejected"]) == (2, 0)
    assert found["waiting"] == [{"currency": "USD", "touchpoints": 2, "first": "2025-03-05", "last": "2025-03-20"}]
    assert Touchpoint.objects.count() == 0


def test_a_rate_that_comes_while_a_file_is_being_stored_reaches_all_of_it(tmp_path, monkeypatch):
    monkeypatch.setattr("customers.order_import.CHUNK_EVENTS", 1)
    monkeypatch.setattr("customers.order_import.TELL_SECONDS", 0)
    path = write(tmp_path, *[line(str(number), price="10") for number in range(3)])

    def tell(sentence: str) -> None:
        if sentence.startswith("stored 1 orders"):
            rated()
            ask_to_convert(currencies=["USD"], now=clock())
            convert_asked()

    import_orders(path=path, mapping=mapping(currency="USD"), now=NOW, tell=tell)
    assert Touchpoint.objects.filter(amount=None).count() == 2
    assert Conversion.objects.filter(finished_at=None).count() == 1
    assert convert_asked() == 2


def test_more_money_than_there_is_is_set_aside_with_or_without_a_rate(tmp_path):
    done = bring_in(write(tmp_path, line("1", quantity="99999999999", price="9999999999"), line("2")), currency="USD")
    assert {reason: kept["ranges"] for reason, kept in done.record.set_aside.items()} == {"too_large": [[2, 2]]}
    assert Touchpoint.objects.get().order_ref == "2"


@pytest.mark.parametrize("told", [{}, {"rate_day": 7}, {"rate_day": "soon"}, {"rate_day": "2025-13-01"}])
def test_properties_that_keep_nothing_of_the_kind_are_none(told):
    assert waiting_of(told) is None


def test_a_blanked_order_gets_its_amount_by_its_own_instant_and_no_lines(tmp_path):
    bring_in(write(tmp_path, line("1", price="10", time="12/1/2010 23:30")), currency="USD")
    Touchpoint.objects.update(properties={}, order_ref="", body_hash=0)
    rated("0.5", date(2010, 12, 1))
    assert converted() == 1
    one = Touchpoint.objects.get()
    assert (one.amount, one.lines.count()) == (500, 0)
