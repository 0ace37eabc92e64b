"""Bringing in a file on the pages: chosen, recognised, tried, run, paused, and what became of it."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from analytics.days.fill import count_sales_anew
from analytics.pages.imports import SAMPLE
from clm.lib.access.models import User
from customers.importing.asking import ask
from customers.importing.work import Beyond, work_on_imports
from customers.models import Consent, Customer, Import, Installation, Touchpoint, Trait
from lifecycle.withdrawn import let_go
from tests.keeping.conftest import faults, said
from tests.keeping.uploading import STRIPE, form_of, text_of, upload


def test_a_file_is_chosen_recognised_tried_and_brought_in(marketer: Client) -> None:
    record = upload(marketer)
    assert (record.state, record.preset) == ("draft", "stripe_customers")
    page = marketer.get(f"/imports/{record.pk}/").content.decode()
    assert "recognised: Stripe" in page
    assert "p1@example.org" in page
    marketer.post(f"/imports/{record.pk}/", {**form_of(marketer, record), "then": "check"})
    assert "Trying the file" in marketer.get(f"/imports/{record.pk}/").content.decode()
    assert "hx-get" in marketer.get(f"/imports/{record.pk}/progress/").content.decode()
    work_on_imports()
    assert not Customer.objects.exists()
    answer = marketer.get(f"/imports/{record.pk}/")
    assert (answer.context["checked"]["new"], answer.context["checked"]["rows"]) == (3, 3)
    assert marketer.get(f"/imports/{record.pk}/progress/")["HX-Refresh"] == "true"
    marketer.post(f"/imports/{record.pk}/start/")
    work_on_imports()
    record.refresh_from_db()
    assert (record.state, record.counts["rows_new"]) == ("done", 3)
    assert record.author is not None
    assert Customer.objects.count() == 3
    assert "customers.csv" in marketer.get("/imports/").content.decode()
    assert "New customers" in marketer.get(f"/imports/{record.pk}/").content.decode()


def test_columns_of_a_file_of_nobodys_are_guessed_and_can_be_said_otherwise(marketer: Client) -> None:
    record = upload(marketer, "Kundennummer;E-Mail;Vorname;Seit;Newsletter\n7;a@example.org;Ada;31/12/2024;yes\n")
    context = marketer.get(f"/imports/{record.pk}/").context
    assert [(one.column, one.use) for one in context["columns"]] == [
        ("Kundennummer", "trait"),
        ("E-Mail", "email"),
        ("Vorname", "trait"),
        ("Seit", "trait"),
        ("Newsletter", "subscribed"),
    ]
    changes = {"use_0": "id", "name_0": "shop", "use_3": "touchpoint", "name_3": "Customer Since"}
    answer = marketer.post(f"/imports/{record.pk}/", form_of(marketer, record, **changes), follow=True)
    assert "is not a time of the form iso" in answer.content.decode()
    told = form_of(marketer, record, time_formats="%d/%m/%Y", time_zone="Europe/Berlin")
    answer = marketer.post(f"/imports/{record.pk}/", told, follow=True)
    assert "is not a time" not in answer.content.decode()
    marketer.post(f"/imports/{record.pk}/start/")
    work_on_imports()
    assert Touchpoint.objects.get().type.name == "Customer Since"
    assert Trait.objects.get(key="firstName").value == "Ada"
    assert Consent.objects.get().state == "granted"


def test_days_that_can_be_read_in_one_way_are_taken_for_dates_and_known_traits_for_themselves(marketer: Client) -> None:
    first = upload(marketer, "customer_id,country\n1,NL\n", "first.csv")
    marketer.post(f"/imports/{first.pk}/start/")
    work_on_imports()
    row = "2,FR,1990-02-03,31.12.2024,3/4/2025,2025-01-01"
    text = f"customer_id,Country,Birthday,Joined,Seen,Note\n{row}\n3,,,1.2.2025,,x\n"
    record = upload(marketer, text, "second.csv")
    rows = {
        one.column: (one.use, one.name, one.type) for one in marketer.get(f"/imports/{record.pk}/").context["columns"]
    }
    assert rows["Country"] == ("trait", "country", "text")
    assert rows["Birthday"] == ("trait", "Birthday", "time")
    assert rows["Joined"] == ("trait", "Joined", "time")
    assert rows["Seen"] == ("trait", "Seen", "text")
    assert rows["Note"] == ("trait", "Note", "text")
    assert record.mapping["time_formats"] == ["iso", "%d.%m.%Y"]
    marketer.post(f"/imports/{record.pk}/start/")
    work_on_imports()
    assert sorted(Trait.objects.filter(key="country").values_list("value", flat=True)) == ["FR", "NL"]
    assert not Trait.objects.filter(key="Country").exists()
    assert Trait.objects.get(key="Birthday").value == "1990-02-03T00:00:00.000Z"


def test_what_cannot_be_used_of_the_form_is_said_beside_it(marketer: Client) -> None:
    record = upload(marketer)
    both = {"time_formats": "%d/%m/%Y; %m/%d/%Y"}
    answer = marketer.post(f"/imports/{record.pk}/", form_of(marketer, record, **both))
    assert answer.status_code == 422
    assert "two different days" in faults(answer)["time_formats"]
    answer = marketer.post(f"/imports/{record.pk}/", form_of(marketer, record, time_zone="Moon/Sea"))
    assert set(faults(answer)) == {"time_zone"}
    nobody = {f"use_{number}": "leave" for number in range(5)}
    answer = marketer.post(f"/imports/{record.pk}/", form_of(marketer, record, **nobody))
    assert "who a row is about" in faults(answer)["__all__"]
    odd = {"use_0": "id", "name_0": "My CRM", "use_1": "email"}
    answer = marketer.post(f"/imports/{record.pk}/", form_of(marketer, record, **odd))
    said = faults(answer)["__all__"]
    assert "Column “" in said
    assert "“My CRM”" in said or '"My CRM"' in said
    assert "small letters, digits" in said
    assert "[a-z" not in said
    assert "mapping" not in said


@pytest.mark.parametrize(("name", "text"), [("x.csv", "\0\0\0"), ("x.xlsx", "PK not a zip")])
def test_a_file_that_is_none_is_refused_beside_its_field(marketer: Client, name: str, text: str) -> None:
    answer = marketer.post("/imports/new/", {"file": SimpleUploadedFile(name, text.encode())})
    if answer.status_code == 302:  # read as text, of which nothing can be made
        record = Import.objects.get()
        marketer.post(f"/imports/{record.pk}/start/")
        work_on_imports()
        record.refresh_from_db()
        assert record.state == "failed"
        assert record.error in marketer.get(f"/imports/{record.pk}/").content.decode()
    else:
        assert answer.status_code == 422
        assert "file" in faults(answer)
    assert not Customer.objects.exists()


def test_an_import_is_paused_gone_on_with_and_stopped(marketer: Client) -> None:
    record = upload(marketer)
    for wish, state in (
        ("start", "waiting"), ("pause", "paused"), ("resume", "waiting"), ("cancel", "cancelled"),
    ):  # fmt: skip
        marketer.post(f"/imports/{record.pk}/{wish}/")
        record.refresh_from_db()
        assert record.state == state
        work_on_imports() if state == "paused" else None
    assert not Customer.objects.exists()
    answer = marketer.post(f"/imports/{record.pk}/start/", follow=True)
    assert "stopped" in said(answer)[0]


def test_a_paused_one_stops_at_the_next_portion_and_goes_on_from_there(marketer: Client, monkeypatch: Any) -> None:
    monkeypatch.setattr("customers.importing.staging.PORTION", 1)
    record = upload(marketer)
    ask(record=record.pk, wish="start")
    work_on_imports(seconds=0)
    record.refresh_from_db()
    assert (record.state, record.lines_read) == ("running", 1)
    marketer.post(f"/imports/{record.pk}/pause/")
    assert work_on_imports() == 0
    marketer.post(f"/imports/{record.pk}/resume/")
    work_on_imports()
    record.refresh_from_db()
    assert (record.state, record.lines_read, record.counts["rows_new"]) == ("done", 3, 3)


def test_rows_that_cannot_be_used_are_a_file_to_mend(marketer: Client) -> None:
    record = upload(marketer, STRIPE + "cus_9,nonsense,Ada,,FALSE\n")
    marketer.post(f"/imports/{record.pk}/start/")
    work_on_imports()
    page = marketer.get(f"/imports/{record.pk}/").content.decode()
    assert f"/imports/{record.pk}/errors.csv" in page
    text = b"".join(marketer.get(f"/imports/{record.pk}/errors.csv").streaming_content).decode("utf-8-sig")
    assert text.splitlines()[1].startswith("cus_9,nonsense,Ada,,FALSE,5,Email,")


def test_a_draft_can_be_thrown_away(marketer: Client) -> None:
    record = upload(marketer)
    assert "Throw" in marketer.get(f"/imports/{record.pk}/discard/").content.decode()
    marketer.post(f"/imports/{record.pk}/discard/")
    assert not Import.objects.exists()
    assert marketer.get(f"/imports/{record.pk}/").status_code == 404


def test_the_sample_file_can_be_brought_in_as_it_stands(marketer: Client) -> None:
    text = marketer.get("/imports/sample.csv").content.decode("utf-8-sig")
    assert text == SAMPLE
    record = upload(marketer, text)
    marketer.post(f"/imports/{record.pk}/", {**form_of(marketer, record), "then": "start"})
    work_on_imports()
    record.refresh_from_db()
    assert (record.state, record.counts["rows_new"], record.lines_set_aside) == ("done", 2, 0)


def test_a_finished_import_leads_to_those_whom_it_brought(marketer: Client) -> None:
    record = upload(marketer, "customer_id,email\n1,ada@example.org\n2,grace@example.org\n", "people.csv")
    marketer.post(f"/imports/{record.pk}/start/")
    assert "Whom it brought" not in marketer.get(f"/imports/{record.pk}/").content.decode()
    work_on_imports()
    page = marketer.get(f"/imports/{record.pk}/").content.decode()
    for customer in Customer.objects.all():
        assert f'<a href="/customers/{customer.pk}/" dir="auto">' in page
    assert "/customers/?sort=-created" in page
    assert marketer.get("/customers/?sort=-created").status_code == 200
    assert "Each of the 2 new customers has a touchpoint “Created”" in page
    assert set(Touchpoint.objects.values_list("type__name", flat=True)) == {"Created"}
    again = upload(marketer, "customer_id,email\n1,ada@example.org\n2,grace@example.org\n", "people.csv")
    marketer.post(f"/imports/{again.pk}/start/")
    work_on_imports()
    page = marketer.get(f"/imports/{again.pk}/").content.decode()
    assert "Nobody new" in page
    assert "“Created”" not in page


def test_a_dry_run_tells_times_in_the_zone_of_the_reader(marketer: Client) -> None:
    User.objects.filter(pk=marketer.session["_auth_user_id"]).update(time_zone="America/New_York")
    record = upload(marketer, "email,Seen\nada@example.org,2025-03-04T02:30:00Z\n", "people.csv")
    form = form_of(marketer, record, use_1="touchpoint", name_1="Page Viewed")
    marketer.post(f"/imports/{record.pk}/", {**form, "then": "check"})
    work_on_imports()
    page = text_of(marketer.get(f"/imports/{record.pk}/"))
    assert "Page Viewed, 3 Mar 2025, 21:30" in page


def test_columns_that_a_preset_reads_for_its_touchpoints_are_not_said_to_be_left_out(marketer: Client) -> None:
    payments = (
        "id,Amount,Currency,Status,Created date (UTC),Customer ID,Fee\n"
        "ch_1,20.00,eur,Paid,2025-03-04 10:00,cus_1,0.30\n"
    )
    record = upload(marketer, payments, "payments.csv")
    assert record.preset == "stripe_payments"
    rows = marketer.get(f"/imports/{record.pk}/").context["columns"]
    said_of = {one.column: str(dict(one.choices)[one.use]) for one in rows}
    assert said_of["Amount"].startswith("Used by the preset: amount")
    assert said_of["Currency"].startswith("Used by the preset: currency")
    assert said_of["Created date (UTC)"] == "Used by the preset: date of the touchpoint"
    assert said_of["Status"].startswith("Used by the preset: which rows count")
    assert said_of["id"].startswith("Used by the preset: order number")
    assert said_of["Fee"] == "Leave out"
    assert "Rows of this file count as orders." in text_of(marketer.get(f"/imports/{record.pk}/"))
    people = upload(marketer)
    assert "count as orders" not in text_of(marketer.get(f"/imports/{people.pk}/"))
    marketer.post(f"/imports/{record.pk}/", {**form_of(marketer, record), "then": "start"})
    work_on_imports()
    assert Touchpoint.objects.get(type__name="Invoice Paid").original_amount == 20


def test_a_count_of_one_is_said_of_one(marketer: Client) -> None:
    record = upload(marketer, "email,plan\nada@example.org,a\nada@example.org,b\n", "people.csv")
    marketer.post(f"/imports/{record.pk}/", {**form_of(marketer, record), "then": "check"})
    work_on_imports()
    answer = marketer.get(f"/imports/{record.pk}/")
    assert [str(words) for words, _count, _examples in answer.context["checked"]["conflicts"]] == [
        "is about somebody whom an earlier row of the file is about too"
    ]


def test_a_file_of_orders_is_brought_in_on_the_same_page(marketer: Client) -> None:
    orders = "item,price,order,timestamp,customer,quantity\nT1,20.00,O-1,2025-03-04T10:00:00Z,ada,2\n"
    record = upload(marketer, orders, "sales_items_1.csv")
    assert record.kind == "orders"
    assert "order lines" in marketer.get(f"/imports/{record.pk}/").content.decode()
    marketer.post(f"/imports/{record.pk}/start/")
    work_on_imports()
    record.refresh_from_db()
    assert (record.state, record.lines_used) == ("done", 1)
    assert Touchpoint.objects.get().amount == 2000
    page = marketer.get(f"/imports/{record.pk}/").content.decode()
    assert f"/customers/{Customer.objects.get().pk}/" in page
    assert "“Created”" not in page


@pytest.mark.parametrize(
    ("header", "are_orders"),
    [
        ("Order,SKU,Qty,Unit price,Created at,Customer ID", True),
        ("InvoiceNo,StockCode,Quantity,InvoiceDate,UnitPrice,CustomerID", True),
        ("Customer ID,Email,Orders,Total spent", False),
        ("Customer ID,Email,Plan,Price", False),
    ],
)
def test_a_file_that_looks_like_order_lines_says_where_orders_come_in(
    marketer: Client, header: str, are_orders: bool
) -> None:
    record = upload(marketer, f"{header}\n" + ",".join("1" for _name in header.split(",")) + "\n", "orders.csv")
    page = marketer.get(f"/imports/{record.pk}/").content.decode()
    assert ("looks like a file of order lines" in page) is are_orders
    assert ("manage.py import_file orders.csv --mapping" in page) is are_orders
    assert ("docs/importing-orders.md" in page) is are_orders


def test_an_agent_brings_nothing_in(browsers: dict[str, Client]) -> None:
    assert browsers["agent"].get("/imports/").status_code == 403
    assert "/imports/" not in browsers["agent"].get("/customers/").content.decode()
    assert "/imports/" in browsers["marketer"].get("/customers/").content.decode()


def test_what_another_system_calls_a_stage_stands_beside_ours(marketer: Client) -> None:
    text = "Record ID,Email,Lifecycle Stage,Create Date\n151,a@example.org,Evangelist,2025-01-02 09:30\n"
    record = upload(marketer, text, "contacts.csv")
    marketer.post(f"/imports/{record.pk}/start/")
    work_on_imports()
    page = marketer.get(f"/customers/{Customer.objects.get().pk}/").content.decode()
    assert "In other systems" in page
    assert "Evangelist" in page


def test_an_import_is_taken_back_after_a_word(marketer: Client) -> None:
    record = upload(marketer)
    marketer.post(f"/imports/{record.pk}/start/")
    work_on_imports()
    page = marketer.get(f"/imports/{record.pk}/").content.decode()
    assert f"/imports/{record.pk}/undo/" in page
    assert "customers no more" in marketer.get(f"/imports/{record.pk}/undo/").content.decode()
    marketer.post(f"/imports/{record.pk}/undo/")
    assert "Taking it back" in marketer.get(f"/imports/{record.pk}/").content.decode()
    work_on_imports(beyond=Beyond(let_go, count_sales_anew))
    page = marketer.get(f"/imports/{record.pk}/").content.decode()
    assert "Taken back" in page
    assert f"/imports/{record.pk}/undo/" not in page
    assert not Customer.objects.exists()


def test_a_guessed_file_starts_in_the_zone_of_the_organisation(marketer: Client) -> None:
    Installation.objects.update_or_create(id=1, defaults={"currency": "EUR", "time_zone": "Europe/Berlin"})
    record = upload(marketer, "email,Seen\nada@example.org,2025-03-04 10:00\n", "people.csv")
    assert form_of(marketer, record)["time_zone"] == "Europe/Berlin"


def test_a_kind_of_file_that_was_chosen_against_its_columns_is_warned_of(marketer: Client) -> None:
    record = upload(marketer, STRIPE, preset="hubspot_contacts")
    page = text_of(marketer.get(f"/imports/{record.pk}/"))
    assert "This does not look like a file of HubSpot, contacts." in page
    assert "Its columns are those of Stripe, customers." in page
    notice = marketer.get(f"/imports/{record.pk}/").content.decode().partition("This does not look like")[2]
    notice = notice[: notice.index("</div>")]
    assert f'href="/imports/{record.pk}/discard/"' in notice
    assert 'href="/imports/new/"' in notice
    assert "recognised:" not in page
    orders = upload(marketer, "Email,Name\nada@example.org,Ada\n", "people.csv", preset="shopify_orders")
    page = text_of(marketer.get(f"/imports/{orders.pk}/"))
    assert "Such a file has the columns Financial Status, Lineitem quantity" in page
    assert "no system that is known here" in page
    chosen = upload(marketer, STRIPE, preset="stripe_customers")
    assert "does not look like" not in text_of(marketer.get(f"/imports/{chosen.pk}/"))


def test_a_file_of_which_no_column_says_who_a_row_is_about_is_told_in_plain_words(marketer: Client) -> None:
    record = upload(marketer, "Email,Plan\nada@example.org,pro\n", "people.csv", preset="hubspot_deals")
    marketer.post(f"/imports/{record.pk}/check/")
    work_on_imports()
    page = text_of(marketer.get(f"/imports/{record.pk}/"))
    assert "No column says who a row is about" in page
    assert "mapping, columns" not in page
    told = {**form_of(marketer, record, use_0="leave", use_1="leave"), "then": "check"}
    page = text_of(marketer.post(f"/imports/{record.pk}/", told))
    assert "No column says who a row is about" in page
    assert "mapping, columns" not in page
