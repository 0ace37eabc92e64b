"""Amounts of stored touchpoints are read anew when their names mean something else: refunds below zero, money read from
where it stands, nothing taken away; figures and stages follow."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from analytics.days.fill import count_sales_anew, fill
from analytics.models import SalesDay
from customers import rereading
from customers.importing.mapping import RowMapping
from customers.importing.work import import_rows
from customers.ingest import clock
from customers.models import (
    AmountChange,
    OrderLine,
    PropertyValue,
    Rereading,
    Stale,
    Touchpoint,
)
from customers.named_properties import register_properties
from customers.rates import enter_rate
from customers.receiving import door, money
from customers.rereading import ask_to_reread, every_name, reread_asked
from lifecycle.mapping import map_back, remap
from lifecycle.models import Revision
from lifecycle.publications import ask_to_publish, publish_asked
from tests.factories import client_of, make_user
from tests.importing.files import NOW, write
from tests.lifecycle.making import ago, happened, installed, settle, tell
from tests.receiving.sending import Sender, track

pytestmark = pytest.mark.django_db

BACK = "Money Back"
PRODUCTS = [{"product_id": "p", "price": 25, "quantity": 2}]


@pytest.fixture
def sender(db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sender]:
    monkeypatch.setattr(rereading, "SETTLES", timedelta(0))
    installed()
    yield Sender()
    door.forget()
    money.forget()


def sent(sender: Sender, name: str = BACK, **properties: Any) -> None:
    at = (clock() - timedelta(days=10)).isoformat()
    sender.batch(track(f"{name} {properties}", name, properties=properties, timestamp=at))


def live(revision: Revision) -> int:
    """Publish, and read anew; how many touchpoints changed."""
    ask_to_publish(revision=revision.pk, now=clock())
    assert publish_asked() == 1
    return reread_asked(recount=count_sales_anew)


def becomes(role: str, name: str = BACK, **reads: str) -> int:
    return live(remap(mappings={name: {"role": role, "reads": reads}}))


def amounts(name: str = BACK) -> list[int | None]:
    return list(Touchpoint.objects.filter(type__name=name).order_by("pk").values_list("amount", flat=True))


def test_what_becomes_a_refund_is_below_zero_with_its_lines_and_copies_and_turned_back_when_it_is_none(
    sender: Sender,
) -> None:
    register_properties(keys=["total"], now=clock())
    sent(sender, total=50, order_id="o1", products=PRODUCTS)
    assert amounts() == [5_000]
    Stale.objects.all().delete()
    assert becomes("refund") == 1
    one = Touchpoint.objects.get(type__name=BACK)
    assert (one.amount, one.original_amount, one.order_ref) == (-5_000, Decimal(-50), "o1")
    assert [line.amount for line in one.lines.all()] == [-5_000]
    assert PropertyValue.objects.get(touchpoint=one.pk).amount == -5_000
    assert [(each.amount, each.amount_before) for each in AmountChange.objects.all()] == [(-5_000, 5_000)]
    assert Stale.objects.filter(profile=one.profile_id).exists()
    door.forget()
    sent(sender, total=7, order_id="o2")
    assert amounts() == [-5_000, -700]
    assert live(map_back(revision=Revision.objects.latest("pk").pk)) == 2
    assert amounts() == [5_000, 700]
    assert [line.amount for line in OrderLine.objects.all()] == [5_000]


def lines() -> list[tuple[str, Decimal, int]]:
    return list(OrderLine.objects.order_by("touchpoint_id", "number").values_list("product", "quantity", "amount"))


def test_an_order_whose_currency_is_read_elsewhere_has_lines_of_that_currency(sender: Sender) -> None:
    enter_rate(currency="USD", day=date(2000, 1, 1), rate=Decimal("0.5"), source="test")
    sent(sender, total=50, order_id="o1", products=PRODUCTS, paid_in="USD")
    assert (amounts(), lines()) == ([5_000], [("p", Decimal(2), 5_000)])
    assert becomes("purchase", currency="paid_in") == 1
    assert (amounts(), lines()) == ([2_500], [("p", Decimal(2), 2_500)])
    assert becomes("refund", currency="paid_in") == 1
    assert (amounts(), lines()) == ([-2_500], [("p", Decimal(2), -2_500)])


def test_an_order_whose_products_are_read_elsewhere_has_those_at_its_own_rate(sender: Sender) -> None:
    enter_rate(currency="USD", day=date(2000, 1, 1), rate=Decimal("0.5"), source="test")
    sold = [{"product_id": "a", "price": 10, "quantity": 3}, {"product_id": "b", "price": 20, "quantity": "0.33333"}]
    sent(sender, total=50, currency="USD", order_id="o1", products=PRODUCTS, cart={"sold": sold})
    enter_rate(currency="USD", day=date(2000, 1, 1), rate=Decimal("0.7"), source="test")
    assert becomes("purchase", products="cart.sold") == 1
    assert (amounts(), lines()) == ([2_500], [("a", Decimal(3), 1_500), ("b", Decimal("0.333"), 333)])
    assert AmountChange.objects.count() == 0
    ask_to_reread(names=every_name(), now=clock())
    assert reread_asked(recount=count_sales_anew) == 0


def test_revenue_of_days_follows_what_is_read_anew(sender: Sender) -> None:
    sent(sender, "Order Completed", total=80, order_id="o1")
    sent(sender, total=50, order_id="o1")
    settle()
    fill()

    def revenue() -> int:
        return sum(one.bought + one.refunded for one in SalesDay.objects.filter(products_only=False))

    assert revenue() == 8_000
    becomes("refund")
    settle()
    fill()
    assert revenue() == 3_000


def test_a_name_that_becomes_a_purchase_gets_the_amounts_its_messages_say_there(sender: Sender) -> None:
    sent(sender, "Deal Won", deal={"worth": 12.5}, number="7")
    assert amounts("Deal Won") == [None]
    assert becomes("purchase", "Deal Won", amount="deal.worth", order="number") == 1
    one = Touchpoint.objects.get(type__name="Deal Won")
    assert (one.amount, one.original_amount, one.currency, one.order_ref) == (1_250, Decimal("12.5"), "EUR", "7")
    assert [(each.amount, each.amount_before) for each in AmountChange.objects.all()] == [(1_250, None)]


def test_another_place_is_read_and_what_the_former_one_wrote_counts_no_more(sender: Sender) -> None:
    assert becomes_first(sender) == 0
    sent(sender, "Deal Won", gross=119, net=100, total=5)
    assert amounts("Deal Won") == [11_900]
    assert becomes("purchase", "Deal Won", amount="net") == 1
    assert amounts("Deal Won") == [10_000]
    assert becomes("purchase", "Deal Won") == 1
    assert amounts("Deal Won") == [500]


def test_what_comes_while_a_process_still_reads_as_before_is_read_anew_too(
    sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rereading, "SETTLES", timedelta(hours=1))
    sent(sender, total=5)
    assert becomes("refund") == 1
    sent(sender, total=6)  # by what the door still remembers
    assert amounts() == [-500, 600]
    assert Rereading.objects.get().finished_at is None
    Rereading.objects.update(asked_at=clock() - timedelta(hours=2))
    assert reread_asked(recount=count_sales_anew) == 1
    assert amounts() == [-500, -600]
    assert Rereading.objects.get().finished_at is not None


def becomes_first(sender: Sender) -> int:
    """Map a name whose only message says nothing of money."""
    sent(sender, "Deal Won", colour="red")
    changed = becomes("purchase", "Deal Won", amount="gross")
    door.forget()
    Touchpoint.objects.filter(type__name="Deal Won").delete()
    return changed


def test_no_amount_is_taken_away_and_what_says_nothing_keeps_what_it_came_with(sender: Sender) -> None:
    sent(sender, "Deal Won", revenue=40)
    Touchpoint.objects.filter(type__name="Deal Won").update(properties={})
    assert becomes("visit", "Deal Won") == 0
    assert amounts("Deal Won") == [4_000]


def test_what_was_converted_keeps_its_rate_when_it_is_turned(sender: Sender) -> None:
    sent(sender, total=50, currency="USD")
    Touchpoint.objects.update(amount=4_321, flags=0)
    assert becomes("refund") == 1
    assert amounts() == [-4_321]


def test_what_files_brought_is_turned_and_a_later_file_writes_refunds_below_zero(sender: Sender, tmp_path) -> None:
    document = {
        "source": {"key": "till"},
        "columns": {"Email": {"as": "email"}},
        "touchpoints": [{"type": BACK, "at": "Day", "amount": "Sum", "id": "No"}],
    }

    def bring(number: int) -> None:
        path = write(tmp_path, f"ada@example.org,2025-03-04,20.00,{number}", header="Email,Day,Sum,No")
        mapping = RowMapping.from_document(document)
        import_rows(path=path, mapping=mapping, now=NOW, tell=lambda _line: None)

    bring(1)
    assert amounts() == [2_000]
    assert becomes("refund") == 1
    bring(2)
    assert amounts() == [-2_000, -2_000]
    assert live(map_back(revision=Revision.objects.latest("pk").pk)) == 2
    assert amounts() == [2_000, 2_000]


def test_a_change_of_meaning_that_no_amount_can_tell_asks_for_nothing(sender: Sender) -> None:
    sent(sender, "Clicked Round", page="x")
    becomes("usage", "Clicked Round", campaign="page")
    assert not Rereading.objects.exists()


def test_a_stopped_reading_goes_on_after_the_last_stretch(sender: Sender, monkeypatch) -> None:
    monkeypatch.setattr(rereading, "STRETCH", 1)
    for number in range(4):
        sent(sender, total=number + 1)
    revision = remap(mappings={BACK: {"role": "refund"}})
    ask_to_publish(revision=revision.pk, now=clock())
    publish_asked()
    asked = Rereading.objects.get()
    assert (asked.change, asked.next_touchpoint) == (revision.pk, 0)
    Rereading.objects.update(next_touchpoint=Touchpoint.objects.order_by("pk")[0].pk)
    recounts: list[int] = []
    assert reread_asked(recount=lambda: recounts.append(1)) == 3
    assert amounts() == [100, -200, -300, -400]
    asked.refresh_from_db()
    assert (asked.changed, asked.finished_at is not None, recounts) == (3, True, [1])
    assert reread_asked(recount=lambda: recounts.append(1)) == 0


def test_the_command_reads_all_names_anew_and_mends_what_a_fault_had_read(sender: Sender, capsys) -> None:
    sent(sender, "Order Completed", total=80, order_id="o1")
    sent(sender, "Order Refunded", total=30, order_id="o1")
    call_command("reread")
    assert capsys.readouterr().out.splitlines()[-1] == "0 rows changed"
    Touchpoint.objects.filter(type__name="Order Completed").update(amount=8, original_amount=Decimal("0.08"))
    Touchpoint.objects.filter(type__name="Order Refunded").update(amount=3_000, original_amount=30)
    call_command("reread", name=["Order Completed"])
    assert (amounts("Order Completed"), amounts("Order Refunded")) == ([8_000], [3_000])
    call_command("reread")
    assert amounts("Order Refunded") == [-3_000]
    with pytest.raises(CommandError, match="no touchpoint is called Odrer"):
        call_command("reread", name=["Odrer"])


def test_the_page_of_a_change_says_beforehand_what_becomes_of_amounts(sender: Sender, client: Client) -> None:
    client.force_login(make_user("admin"))
    for total in (10, 20):
        sent(sender, total=total)
    sent(sender, value=5)
    fill()
    revision = remap(mappings={BACK: {"role": "refund"}})
    (mapping,) = client_of("viewer").get(f"/api/v1/changes/{revision.pk}/").json()["mapping"]
    assert mapping["amounts"] == {
        "looked_at": 3, "turned": 2, "fresh": 1, "other": 0, "before": 3_000, "after": -3_500,
    }  # fmt: skip
    page = client.get(f"/changes/{revision.pk}/").content.decode()
    assert "Of the amounts of the 3 that arrived last, 2 would be turned, 1 would have one for the first time." in page
    assert "−€35.00" in page or "-€35.00" in page
    ask_to_publish(revision=revision.pk, now=clock())
    publish_asked()
    assert "Reading stored amounts anew" in client.get(f"/changes/{revision.pk}/").content.decode()
    assert reread_asked(recount=count_sales_anew) == 3
    assert amounts() == [-1_000, -2_000, -500]
    assert "Reading stored amounts anew" not in client.get(f"/changes/{revision.pk}/").content.decode()
    (mapping,) = client_of("viewer").get(f"/api/v1/changes/{revision.pk}/").json()["mapping"]
    assert mapping["amounts"] is None


def test_touchpoints_of_a_simulated_world_are_turned_too(sender: Sender) -> None:
    tell(happened("p", BACK, ago(days=3), amount=5_000))
    assert becomes("refund") == 1
    assert amounts() == [-5_000]
