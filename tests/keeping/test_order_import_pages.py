"""Bringing in a file of orders on the pages: what the dry run tells of it, and what became of it."""

import re
from datetime import date
from decimal import Decimal
from pathlib import Path

from django.test import Client

from customers.conversions import ask_to_convert, convert_asked
from customers.importing.work import work_on_imports
from customers.ingest import clock
from customers.models import Customer, Installation
from customers.rates import enter_rate
from tests.customers.order_files import bring_in, line, write
from tests.keeping.uploading import brought, form_of, taken_back, text_of, upload

SHOPIFY = (
    "Name,Email,Financial Status,Currency,Created at,Lineitem quantity,Lineitem name,Lineitem price,Lineitem sku\n"
    "#1,ada@example.org,paid,EUR,2025-03-04 10:00:00 +0000,2,Tea,20.00,T1\n"
    "#1,ada@example.org,,,,1,Cup,10.00,C1\n"
)


def test_a_dry_run_of_orders_counts_its_customer_once(marketer: Client) -> None:
    record = upload(marketer, SHOPIFY, "orders_export.csv")
    assert (record.kind, record.preset) == ("orders", "shopify_orders")
    marketer.post(f"/imports/{record.pk}/check/")
    work_on_imports()
    answer = marketer.get(f"/imports/{record.pk}/")
    assert re.findall(r"<dt>([^<]*)</dt><dd>([^<]*)</dd>", answer.content.decode()) == [
        ("Lines", "2"),
        ("New orders", "1"),
        ("Known orders", "0"),
        ("New customers", "1"),
        ("Known customers", "0"),
        ("Lines set aside", "0"),
    ]


CALLED_OFF = "#2,grace@example.org,voided,EUR,2025-03-05 10:00:00 +0000,1,Tea,20.00,T1\n"


def test_nothing_is_to_be_mended_in_lines_of_orders_that_were_called_off(marketer: Client) -> None:
    _record, page = brought(marketer, SHOPIFY + CALLED_OFF, "orders_export.csv")
    assert "called off, or never paid" in page
    assert "mend" not in page.casefold()


def test_lines_of_orders_that_cannot_be_read_are_mended_in_the_file_itself(marketer: Client) -> None:
    faulty = "#3,kay@example.org,paid,EUR,2025-03-05 10:00:00 +0000,1,Tea,20.00,T1\n#3,,,,,many,Cup,10.00,C1\n"
    record, page = brought(marketer, SHOPIFY + faulty, "orders_export.csv")
    assert facts(page)["Lines set aside"] == "2"
    assert "mend the line in your file" in page
    assert "file of errors" not in page.casefold()
    assert "mend the line" not in taken_back(marketer, record)


def test_an_order_of_one_line_that_cannot_be_read_is_to_be_mended_too(marketer: Client) -> None:
    faulty = "#3,kay@example.org,paid,EUR,2025-03-05 10:00:00 +0000,many,Tea,20.00,T1\n"
    _record, page = brought(marketer, SHOPIFY + faulty, "orders_export.csv")
    assert "mend the line in your file" in page


def test_a_file_of_errors_is_told_of_where_there_is_one(marketer: Client) -> None:
    record, page = brought(marketer, "email,plan\nada@example.org,a\nnonsense,b\n", "people.csv")
    errors = f"/imports/{record.pk}/errors.csv"
    assert "Mend the rows in the file of errors" in page
    assert errors in page
    assert marketer.get(errors).status_code == 200
    page = taken_back(marketer, record)
    assert "file of errors" not in page.casefold()
    assert errors not in page


def test_a_dry_run_of_orders_says_why_and_which_lines_are_set_aside(marketer: Client) -> None:
    record = upload(marketer, SHOPIFY + CALLED_OFF, "orders_export.csv")
    marketer.post(f"/imports/{record.pk}/check/")
    work_on_imports()
    answer = marketer.get(f"/imports/{record.pk}/")
    assert [(one.reason, one.lines, one.numbers) for one in answer.context["checked"]["set_aside"]] == [
        ("cancelled", 1, "4")
    ]
    assert "called off, or never paid" in answer.content.decode()


def test_a_dry_run_of_orders_shows_lines_in_their_order_and_warns_of_nobody_who_buys_twice(marketer: Client) -> None:
    brought(marketer, SHOPIFY, "orders_export.csv")
    twice = "#9,ada@example.org,paid,EUR,2025-03-05 10:00:00 +0000,1,Tea,20.00,T1\n"
    record = upload(marketer, SHOPIFY + twice + twice.replace("#9", "#10"), "orders_export.csv")
    marketer.post(f"/imports/{record.pk}/check/")
    work_on_imports()
    answer = marketer.get(f"/imports/{record.pk}/")
    assert re.findall(r'<th scope="row" class="right num">(\d+)</th>', answer.content.decode()) == ["2", "4", "5"]
    assert answer.context["checked"]["conflicts"] == []
    assert facts(answer.content.decode())["Known customers"] == "1"


def facts(page: str) -> dict[str, str]:
    return dict(re.findall(r"<dt>([^<]*)</dt><dd>([^<]*)</dd>", page))


def test_orders_that_come_again_are_told_apart_from_new_ones_with_what_was_paid_back(marketer: Client) -> None:
    header = (
        "Name,Email,Financial Status,Currency,Subtotal,Total,Refunded Amount,Created at,Lineitem quantity,"
        "Lineitem name,Lineitem price,Lineitem sku\n"
    )
    at = "2025-03-04 10:00:00 +0000,1,Tea,20.00,T1\n"
    first, second = (f"#{number},p{number}@example.org,paid,EUR,20.00,20.00,," for number in (1, 2))
    names = ("New orders", "Known orders", "New refunds", "New cancellations", "New customers", "Lines set aside")

    def told(text: str) -> tuple[str, ...]:
        _record, page = brought(marketer, header + text, "orders_export.csv")
        return tuple(facts(page)[name] for name in names)

    assert told(first + at + second + at) == ("2", "0", "0", "0", "2", "0")
    refunded = first.replace(",20.00,,", ",20.00,5.00,") + at
    assert told(refunded + second + at) == ("0", "2", "1", "0", "0", "0")
    voided = second.replace("paid", "voided") + at
    third = first.replace("1", "3") + at
    assert told(refunded + voided + third) == ("1", "1", "1", "1", "1", "1")
    assert told(refunded + voided + third) == ("0", "2", "0", "0", "0", "1")


def test_orders_of_a_file_that_says_no_more_later_are_told_apart_too(marketer: Client) -> None:
    text = "item,price,order,timestamp,customer,quantity\nT1,20.00,O-1,2025-03-04T10:00:00Z,ada,2\n"
    _record, page = brought(marketer, text, "sales_items_1.csv")
    assert (facts(page)["New orders"], facts(page)["Known orders"]) == ("1", "0")
    more = text + "T1,20.00,O-2,2025-03-05T10:00:00Z,ada,2\n"
    _record, page = brought(marketer, more, "sales_items_1.csv")
    assert (facts(page)["New orders"], facts(page)["Known orders"]) == ("1", "1")


def test_customers_of_a_demonstration_are_told_of_before_and_after(marketer: Client, tmp_path: Path) -> None:
    Installation.objects.update_or_create(id=1, defaults={"currency": "GBP"})
    record = upload(marketer)
    said_of = "The customers of Online Retail"
    assert said_of not in marketer.get(f"/imports/{record.pk}/").content.decode()
    bring_in(write(tmp_path, line("1")))
    assert said_of in marketer.get(f"/imports/{record.pk}/").content.decode()
    marketer.post(f"/imports/{record.pk}/start/")
    work_on_imports()
    record.refresh_from_db()
    assert record.state == "done"
    assert said_of in marketer.get(f"/imports/{record.pk}/").content.decode()


def test_orders_without_a_rate_are_told_of_before_and_after(marketer: Client) -> None:
    dollars = SHOPIFY.replace(",EUR,", ",USD,")
    record = upload(marketer, dollars, "orders_export.csv")
    marketer.post(f"/imports/{record.pk}/check/")
    work_on_imports()
    assert "money in USD, for which no exchange rate is known" in text_of(marketer.get(f"/imports/{record.pk}/"))
    done, page = brought(marketer, dollars, "orders_again.csv")
    done.refresh_from_db()
    assert done.counts["touchpoints_waiting"] == 1
    assert "carries money in a currency without an exchange rate" in page
    assert 'href="/rates/missing/"' in page
    customer = Customer.objects.get().pk
    for address in (f"/customers/{customer}/", "/customers/"):
        assert "1 without a rate" in text_of(marketer.get(address)), address
    listed = marketer.get("/customers/").context["rows"]
    assert [(one.orders, one.orders_in_all) for one in listed] == [(0, 1)]
    enter_rate(currency="USD", day=date(2025, 1, 1), rate=Decimal("0.5"), source="test")
    ask_to_convert(currencies=["USD"], now=clock())
    convert_asked()
    assert "All of it has its amount by now." in text_of(marketer.get(f"/imports/{done.pk}/"))
    assert "without a rate" not in text_of(marketer.get(f"/customers/{customer}/"))


def test_after_a_rate_for_some_of_its_days_an_import_counts_what_waits_still(marketer: Client) -> None:
    head, *_lines = SHOPIFY.splitlines()
    days = ("2025-03-04", "2025-03-06", "2025-03-07")
    lines = [f"#{day},ada@example.org,paid,USD,{day} 10:00:00 +0000,1,Tea,20.00,T1" for day in days]
    record, page = brought(marketer, "\n".join([head, *lines, ""]), "orders_export.csv")
    assert "<b>3</b> touchpoints of the file carry money" in page
    enter_rate(currency="USD", day=date(2025, 3, 5), rate=Decimal("0.5"), source="test")
    ask_to_convert(currencies=["USD"], now=clock())
    convert_asked()
    page = text_of(marketer.get(f"/imports/{record.pk}/"))
    assert "1 touchpoint of the file carries money in a currency without an exchange rate" in page
    assert "2 others waited too and have their amounts by now." in page
    assert "All of it has its amount by now." not in page
    record.brought.all().delete()  # after some weeks nobody knows any more which they were
    assert "1 touchpoint of the file carries money" in text_of(marketer.get(f"/imports/{record.pk}/"))


def test_a_dry_run_says_which_orders_say_no_amount(marketer: Client) -> None:
    record = upload(marketer, "Email,Ordered\nada@example.org,2025-03-04\nbo@example.org,\n", "buyers.csv")
    form = form_of(marketer, record, use_1="touchpoint", name_1="Order Completed")
    marketer.post(f"/imports/{record.pk}/", {**form, "then": "check"})
    work_on_imports()
    page = text_of(marketer.get(f"/imports/{record.pk}/"))
    assert "1 order says no amount." in page
    assert "line 2" in page
