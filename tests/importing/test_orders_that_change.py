"""Orders of a shop whose later export says more than an earlier one: called off, or more of the money paid back. The
files are made up."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from customers.importing.guess import looked_at
from customers.importing.try_orders import try_orders
from customers.importing.undo import undo_next
from customers.models import Customer, ExchangeRate, OrderLine, Touchpoint
from customers.order_import import Imported, import_orders
from customers.order_mapping import OrderMapping

from .files import NOW

pytestmark = pytest.mark.django_db

HEADER = (
    "Name,Email,Financial Status,Paid at,Currency,Subtotal,Shipping,Taxes,Total,Discount Code,Discount Amount,"
    "Created at,Lineitem quantity,Lineitem name,Lineitem price,Lineitem SKU,Cancelled at,Refunded Amount"
)
CREATED = datetime(2025, 3, 4, 10, tzinfo=UTC)
CALLED_OFF = datetime(2025, 3, 9, 8, tzinfo=UTC)


def order(name: str = "#7", *, status: str = "paid", off: bool = False, back: str = "") -> str:
    """An order of 50.00 net and 60.00 with shipping and taxes; off: it was called off on 9 March; back: what was paid
    back of the 60.00."""
    off_at = f"{CALLED_OFF:%Y-%m-%d %H:%M:%S} +0000" if off else ""
    first = f"{name},ada@example.org,{status},,EUR,50.00,4.00,6.00,60.00,,,{CREATED:%Y-%m-%d %H:%M:%S} +0000"
    return f"{first},2,Tea,20.00,T1,{off_at},{back}\r\n{name},ada@example.org,,,,,,,,,,,1,Cup,10.00,C1,,\r\n"


def read(folder: Path, *orders: str) -> tuple[Path, OrderMapping]:
    path = folder / "orders_export.csv"
    path.write_text(f"{HEADER}\r\n{''.join(orders)}")
    looked = looked_at(path=path, file_name=path.name)
    document = {key: value for key, value in looked.document.items() if key != "kind"}
    return path, OrderMapping.from_document(document)


def bring(folder: Path, *orders: str) -> Imported:
    path, mapping = read(folder, *orders)
    return import_orders(path=path, mapping=mapping, now=NOW, tell=lambda _line: None)


def tried(folder: Path, *orders: str) -> dict[str, Any]:
    path, mapping = read(folder, *orders)
    return try_orders(path=path, mapping=mapping, now=NOW, tell=lambda _line: None)


def told() -> list[tuple[str, int | None]]:
    return list(Touchpoint.objects.order_by("type__name", "pk").values_list("type__name", "amount"))


def revenue() -> int:
    return sum(amount or 0 for _name, amount in told())


@pytest.mark.parametrize(
    "said",
    [
        {"status": "voided"},
        {"status": "expired"},
        {"status": "paid", "off": True},
        {"status": "refunded", "off": True, "back": "60.00"},
        {"status": "voided", "off": True},
    ],
    ids=["voided", "expired", "called off", "called off and paid back", "voided and called off"],
)
def test_an_order_that_was_called_off_was_never_revenue(tmp_path, said):
    done = bring(tmp_path, order(**said))
    assert told() == [("Order Cancelled", None)]
    off = Touchpoint.objects.select_related("type").get()
    assert (off.type.role, off.order_ref, off.properties["total"]) == ("other", "#7", 50.0)
    assert off.occurred_at == (CALLED_OFF if said.get("off") else CREATED)
    assert OrderLine.objects.count() == 0
    assert done.record.set_aside["cancelled"] == {"lines": 2, "amount": 5000, "ranges": [[2, 3]]}
    assert done.record.counts.get("orders", 0) == done.record.counts.get("refunds", 0) == 0
    assert bring(tmp_path, order(**said)).rows_changed == 0


@pytest.mark.parametrize("status", ["pending", "authorized", "partially_paid", "paid", "refunded"])
def test_an_order_that_was_not_called_off_counts_whatever_was_paid_yet(tmp_path, status):
    bring(tmp_path, order(status=status))
    assert told() == [("Order Completed", 5000)]


def test_an_order_called_off_of_which_money_was_kept_stays_an_order_with_its_refund(tmp_path):
    bring(tmp_path, order(status="partially_refunded", off=True, back="30.00"))
    assert told() == [("Order Completed", 5000), ("Order Refunded", -2500)]


def test_an_order_that_is_called_off_after_it_came_in_is_taken_back_whole(tmp_path):
    bring(tmp_path, order(), order("#8"))
    later = (order(off=True, status="voided"), order("#8"))
    assert tried(tmp_path, *later)["touchpoints"] == {"Order Cancelled": 1, "Order Refunded": 1}
    bring(tmp_path, *later)
    assert told() == [
        ("Order Cancelled", None), ("Order Completed", 5000), ("Order Completed", 5000), ("Order Refunded", -5000),
    ]  # fmt: skip
    back = Touchpoint.objects.get(type__name="Order Refunded")
    assert (back.order_ref, back.occurred_at, back.original_amount, back.currency) == ("#7", CALLED_OFF, -50, "EUR")
    assert bring(tmp_path, *later).rows_changed == 0
    assert bring(tmp_path, order(), order("#8")).rows_changed == 0


def test_of_an_order_that_is_called_off_only_what_was_not_paid_back_yet_is_taken_back(tmp_path):
    bring(tmp_path, order(status="partially_refunded", back="30.00"))
    bring(tmp_path, order(status="refunded", off=True, back="60.00"))
    assert [amount for name, amount in told() if name == "Order Refunded"] == [-2500, -2500]
    assert revenue() == 0


def test_an_older_file_does_not_bring_back_what_was_called_off(tmp_path):
    bring(tmp_path, order(status="voided"))
    older = order(status="partially_refunded", back="30.00")
    assert tried(tmp_path, older)["touchpoints"] == {}
    assert bring(tmp_path, older).rows_changed == 0
    assert told() == [("Order Cancelled", None)]


@pytest.mark.parametrize("stages", [("10.00", "25.00"), ("10.00", "25.00", "60.00")], ids=["twice", "three times"])
def test_a_refund_that_grows_between_two_exports_comes_to_what_the_last_one_says(tmp_path, stages):
    for back in stages:
        expected = {"Order Refunded": 1} | ({"Order Completed": 1} if back == stages[0] else {})
        assert tried(tmp_path, order(back=back))["touchpoints"] == expected
        assert bring(tmp_path, order(back=back)).record.counts["touchpoints_conflicting"] == 0
        refunds = Touchpoint.objects.filter(type__name="Order Refunded")
        paid_back = round(float(back) * 50 / 60 * 100)
        assert sum(one.amount or 0 for one in refunds) == -paid_back
        assert {one.order_ref for one in refunds} == {"#7"}
    assert refunds.count() == len(stages)
    for back in (*stages, *reversed(stages)):
        assert tried(tmp_path, order(back=back))["touchpoints"] == {}
        assert bring(tmp_path, order(back=back)).rows_changed == 0


def test_whichever_export_comes_first_the_refund_is_the_larger_one(tmp_path):
    bring(tmp_path, order(back="25.00"))
    assert bring(tmp_path, order(back="10.00")).rows_changed == 0
    assert revenue() == 5000 - 2083


def test_taking_the_later_export_back_leaves_what_the_earlier_one_said(tmp_path):
    bring(tmp_path, order(back="10.00"))
    record = bring(tmp_path, order(back="25.00")).record
    while undo_next(record=record, let_go=len):
        pass
    assert told() == [("Order Completed", 5000), ("Order Refunded", -833)]


def test_taking_the_earlier_export_back_leaves_what_the_later_one_said(tmp_path):
    record = bring(tmp_path, order(back="10.00")).record
    bring(tmp_path, order(back="25.00"))
    while undo_next(record=record, let_go=len):
        pass
    assert revenue() == 5000 - 2083


def test_the_dry_run_says_how_many_lines_are_of_orders_called_off_and_counts_them_as_no_orders(tmp_path):
    found = tried(tmp_path, order(status="voided"), order("#8"))
    assert (found["orders"], found["orders_new"], found["rejected"]) == (1, 1, 2)
    assert found["set_aside"]["cancelled"]["lines"] == 2
    assert found["touchpoints"] == {"Order Cancelled": 1, "Order Completed": 1}
    assert Customer.objects.count() == 0


def test_a_file_without_the_columns_of_money_tells_what_was_called_off(tmp_path):
    path = tmp_path / "orders.csv"
    path.write_text(
        "Name,Email,Financial Status,Currency,Created at,Lineitem quantity,Lineitem name,Lineitem price,Lineitem sku\n"
        "#7,ada@example.org,voided,EUR,2025-03-04 10:00:00 +0000,2,Tea,10.00,T1\n"
    )
    document = {
        key: value for key, value in looked_at(path=path, file_name=path.name).document.items() if key != "kind"
    }
    import_orders(path=path, mapping=OrderMapping.from_document(document), now=NOW, tell=lambda _line: None)
    assert told() == [("Order Cancelled", None)]


def test_an_order_in_another_currency_than_the_others_is_in_its_own(tmp_path):
    ExchangeRate.objects.create(currency="USD", day=CREATED.date(), rate="0.5")
    done = bring(tmp_path, order(), order("#8", back="30.00").replace(",EUR,", ",USD,"))
    assert told() == [("Order Completed", 5000), ("Order Completed", 2500), ("Order Refunded", -1250)]
    assert done.record.set_aside == {}
    assert set(Touchpoint.objects.filter(order_ref="#8").values_list("currency", flat=True)) == {"USD"}
