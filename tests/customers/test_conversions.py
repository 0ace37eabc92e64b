"""Money without an exchange rate: kept, listed, counted in no sum; converted when a rate arrives, figures put right."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

import pytest

from analytics.days.fill import fill
from analytics.left_out import left_out, waiting_currencies, waiting_days, waiting_touchpoints
from analytics.models import CONVERTED, Listed, Revision, SalesDay
from customers import conversions
from customers.conversions import ask_to_convert, convert_asked
from customers.ingest import clock
from customers.models import (
    AmountChange,
    Conversion,
    ExchangeRate,
    OrderLine,
    PropertyValue,
    Stale,
    Touchpoint,
)
from customers.named_properties import register_properties
from customers.rates import enter_rate
from customers.receiving import door, money
from lifecycle.install import publish
from lifecycle.revise import add_segment
from tests.lifecycle.making import customer_of, installed, settle, stage
from tests.receiving.sending import Sender, track

pytestmark = pytest.mark.django_db

PRODUCTS = [{"product_id": "p", "name": "Heart", "category": "Home", "price": 25, "quantity": 2}]


@pytest.fixture
def sender(db: None) -> Iterator[Sender]:
    yield Sender()
    door.forget()
    money.forget()


def order(number: int, *, user: str = "u1", currency: str = "USD", total: float = 50, days: int = 10) -> dict:
    at = (clock() - timedelta(days=days)).isoformat()
    properties = {"order_id": f"o{number}", "total": total, "currency": currency, "products": PRODUCTS}
    return track(str(number), "Order Completed", user=user, properties=properties, timestamp=at)


def rated(currency: str = "USD", rate: str = "0.5", day: date = date(2000, 1, 1)) -> None:
    enter_rate(currency=currency, day=day, rate=Decimal(rate), source="test")


def test_money_waits_is_listed_and_opens_its_touchpoints(sender: Sender) -> None:
    assert left_out() is None
    sender.batch(order(1), order(2, days=11, total=20), order(3, currency="CHF"), order(4, currency="Taler"))
    sender.batch(order(5, currency="EUR"))
    found = left_out()
    assert found is not None and (found.touchpoints, found.is_more) == (4, False)
    assert [(one.currency, one.touchpoints, one.amount) for one in waiting_currencies()] == [
        ("USD", 2, Decimal(70)),
        ("", 1, Decimal(50)),
        ("CHF", 1, Decimal(50)),
    ]
    first = waiting_days(page_size=2)
    rest = waiting_days(page_size=2, cursor_text=first.next_cursor)
    told = [(one.key, one.touchpoints, one.amount) for one in (*first.rows, *rest.rows)]
    assert told == [("-", 1, Decimal(50)), ("CHF", 1, Decimal(50)), ("USD", 1, Decimal(50)), ("USD", 1, Decimal(20))]
    assert rest.next_cursor is None
    day = rest.rows[-1].day
    assert [one.order_ref for one in waiting_touchpoints(currency="USD", day=day).rows] == ["o2"]
    assert [one.original_amount for one in waiting_touchpoints(currency="-").rows] == [Decimal(50)]
    everything = waiting_touchpoints(page_size=3)
    assert len(everything.rows) == 3
    assert len(waiting_touchpoints(page_size=3, cursor_text=everything.next_cursor).rows) == 1


def test_a_rate_converts_amounts_lines_and_copies_and_marks_the_customers(sender: Sender) -> None:
    register_properties(keys=["order_id"], now=clock())
    sender.batch(order(1), order(2, user="u2", currency="CHF"))
    Stale.objects.all().delete()
    assert OrderLine.objects.count() == 0
    rated()
    (asked,) = ask_to_convert(currencies=["USD", "CHF", "GBP"], now=clock())
    assert (asked.currency, asked.total) == ("USD", 1)
    assert convert_asked() == 1
    one = Touchpoint.objects.get(order_ref="o1")
    assert (one.amount, one.original_amount, one.currency, one.flags) == (2_500, Decimal(50), "USD", 0)
    assert [(line.product, line.category, line.quantity, line.amount) for line in one.lines.all()] == [
        ("p", "Home", Decimal(2), 2_500)
    ]
    assert PropertyValue.objects.get(touchpoint=one.pk).amount == 2_500
    assert [(change.touchpoint_id, change.amount) for change in AmountChange.objects.all()] == [(one.pk, 2_500)]
    assert list(Stale.objects.values_list("profile", flat=True)) == [one.profile_id]
    asked.refresh_from_db()
    assert (asked.looked_at, asked.converted) == (1, 1)
    assert asked.finished_at is not None
    other = Touchpoint.objects.get(order_ref="o2")
    assert (other.amount, other.flags) == (None, Touchpoint.Flag.NO_RATE)
    assert convert_asked() == 0


def test_what_lies_before_the_first_rate_goes_on_waiting(sender: Sender) -> None:
    sender.batch(order(1, days=10), order(2, days=30))
    rated(day=(clock() - timedelta(days=20)).date())
    ask_to_convert(currencies=["USD"], now=clock())
    assert convert_asked() == 1
    assert [one.order_ref for one in waiting_touchpoints().rows] == ["o2"]


def test_a_converted_amount_keeps_its_rate_whatever_is_entered_later(sender: Sender) -> None:
    sender.batch(order(1))
    rated(rate="0.5")
    ask_to_convert(currencies=["USD"], now=clock())
    convert_asked()
    rated(rate="0.7")
    assert ask_to_convert(currencies=["USD"], now=clock()) == []
    assert Touchpoint.objects.get().amount == 2_500


def test_a_conversion_goes_on_where_it_stopped_and_begins_again_for_a_new_rate(
    sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversions, "STEP", 2)
    sender.batch(*[order(number, days=10 + number) for number in range(5)])
    rated(day=(clock() - timedelta(days=12, hours=1)).date())
    (asked,) = ask_to_convert(currencies=["USD"], now=clock())
    assert conversions._step(asked.pk) is not None
    asked.refresh_from_db()
    assert asked.looked_at == 2 and asked.finished_at is None
    rated()  # an earlier one: what was passed may be converted now
    (again,) = ask_to_convert(currencies=["USD"], now=clock())
    assert again.pk == asked.pk
    convert_asked()
    asked.refresh_from_db()
    assert asked.finished_at is not None
    assert left_out() is None
    assert Conversion.objects.count() == 1
    assert AmountChange.objects.count() == 5


def test_stages_and_figures_come_out_as_if_the_rate_had_been_known(sender: Sender) -> None:
    installed()
    rule = {"spent": {"role": "purchase"}, "at_least": "20.00"}
    publish(revision=add_segment(key="spenders", name="Spenders", rule=rule).pk, now=clock())
    sender.batch(order(1), order(2, user="u2", currency="EUR", total=10))
    settle()
    fill()

    def sold() -> list[tuple[int, int, int]]:
        rows = SalesDay.objects.filter(products_only=False).values_list("orders", "unpriced", "bought")
        return [row for row in rows if any(row)]

    assert sold() == [(1, 1, 1_000)]
    assert stage(customer_of("u1"), "spenders") is None
    rated()
    ask_to_convert(currencies=["USD"], now=clock())
    convert_asked()
    settle()
    assert stage(customer_of("u1"), "spenders") == "in"
    done = fill()
    assert done.broken == 0
    assert {one.cause for one in Revision.objects.filter(statistic="sales")} == {CONVERTED}
    assert sold() == [(2, 0, 3_500)]
    kept = Listed.objects.get(customer=customer_of("u1"))
    assert (kept.orders, kept.revenue) == (1, 2_500)
    counted = sorted(SalesDay.objects.values_list("day", "products_only", "orders", "unpriced", "bought", "buyers"))
    fill(anew=True)
    again = sorted(SalesDay.objects.values_list("day", "products_only", "orders", "unpriced", "bought", "buyers"))
    assert [row for row in counted if any(row[2:])] == [row for row in again if any(row[2:])]


def test_an_amount_too_large_for_any_sum_goes_on_waiting(sender: Sender) -> None:
    sender.batch(order(1, total=90_000_000))
    rated(rate="1000000")
    ask_to_convert(currencies=["USD"], now=clock())
    assert convert_asked() == 0
    assert ExchangeRate.objects.count() == 1
    assert left_out() is not None
