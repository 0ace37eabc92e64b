"""Files of other systems are recognised by their header and read without anybody saying how. The files are made up."""

from datetime import UTC, datetime
from typing import Any

import pytest

from customers.importing.guess import looked_at
from customers.importing.mapping import RowMapping
from customers.importing.presets import presets, recognised
from customers.importing.undo import undo_next
from customers.importing.work import import_rows, try_rows
from customers.models import Account, Consent, Identity, Import, Touchpoint
from customers.order_import import import_orders
from customers.order_mapping import OrderMapping

from .files import NOW, counts, owner_of, traits_of

pytestmark = pytest.mark.django_db

# By preset: the file's name, its header, and a row about Ada.
FILES: dict[str, tuple[str, str, str]] = {
    "hubspot_contacts": (
        "hubspot-crm-exports-all-contacts.csv",
        "Record ID,First Name,Last Name,Email,Phone Number,Lifecycle Stage,Lead Status,Contact owner,Create Date,"
        "Became a Customer Date,Company Name,Unsubscribed from all email,Favourite Colour",
        "151,Ada,Byron,ada@example.org,+44 20 7946 0018,Customer,,Cy,2025-01-02 09:30,2025-03-04 10:00,Acme,true,blue",
    ),
    "hubspot_deals": (
        "hubspot-crm-exports-all-deals.csv",
        "Record ID,Deal Name,Deal Stage,Close Date,Pipeline,Amount,Create Date,Associated Contact IDs,"
        "Associated Contact Emails",
        "77,Big one,Closed Won,2025-03-04 10:00,Sales,1200.50,2025-01-02 09:30,151;152,ada@example.org;b@example.org",
    ),
    "salesforce_contacts": (
        "report1.csv",
        "Salutation,First Name,Last Name,Title,Account Name,Email,Phone,Created Date,Email Opt Out,Lead Source",
        "Ms,Ada,Byron,Countess,Acme,ada@example.org,+442079460018,3/4/2025,1,Web",
    ),
    "salesforce_leads": (
        "report2.csv",
        "Lead ID,First Name,Last Name,Company / Account,Email,Lead Status,Create Date,Lead Source",
        "00Q1,Ada,Byron,Acme,ada@example.org,Open,3/4/2025,Web",
    ),
    "salesforce_data_export": (
        "Contact.csv",
        "Id,IsDeleted,AccountId,LastName,FirstName,Email,HasOptedOutOfEmail,CreatedDate,LastModifiedDate,LeadSource",
        "0031,0,0011,Byron,Ada,ada@example.org,1,2025-03-04 10:00:00,2025-05-01 10:00:00,Web",
    ),
    "dynamics_contacts": (
        "Active Contacts.csv",
        "(Do Not Modify) Contact,(Do Not Modify) Row Checksum,(Do Not Modify) Modified On,Full Name,Email,Company Name,"
        "Business Phone,Status,Created On,Do not allow Bulk Emails",
        "a-guid,x,5/1/2025 1:02 PM,Ada Byron,ada@example.org,Acme,+442079460018,Active,3/4/2025 10:00 AM,Do Not Allow",
    ),
    "customerly_users": (
        "customerly.csv",
        "crmhero_user_id,user_id,email,name,is_user,lead_status,company_name,signed_up_at,last_seen_at,unsubscribed",
        "91,u-7,ada@example.org,Ada Byron,1,qualified,Acme,2025-03-04 10:00:00,2025-05-01 10:00:00,1",
    ),
    "emarsys_contacts": (
        "contacts.csv",
        "user_id,Email,First Name,Last Name,Opt-In,Lifecycle Status,Company",
        "55,ada@example.org,Ada,Byron,2,Active buyer,Acme",
    ),
    "shopify_customers": (
        "customers_export.csv",
        "Customer ID,First Name,Last Name,Email,Accepts Email Marketing,Default Address Company,Default Address Zip,"
        "Phone,Total Spent,Total Orders,Tags",
        "'6001,Ada,Byron,ada@example.org,yes,Acme,'01234,'+442079460018,120.50,3,\"vip, early\"",
    ),
    "stripe_customers": (
        "unified_customers.csv",
        "id,Description,Email,Name,Created (UTC),Delinquent,Plan,Status,Total Spend,Payment Count",
        "cus_1,,ada@example.org,Ada Byron,2025-03-04 10:00,FALSE,pro,active,120.50,3",
    ),
    "stripe_payments": (
        "unified_payments.csv",
        "id,Created date (UTC),Amount,Amount Refunded,Currency,Description,Fee,Refunded date (UTC),Status,Customer ID,"
        "Customer Email",
        "ch_1,2025-03-04 10:00:00,1200.50,200.50,eur,Tea,1,2025-03-05 10:00:00,Paid,cus_1,ada@example.org",
    ),
    "mailchimp_subscribed": (
        "subscribed_members_export_1.csv",
        "Email Address,First Name,Last Name,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,LEID,EUID,TAGS,LAST_CHANGED",
        'ada@example.org,Ada,Byron,4,2025-03-04 10:00:00,127.0.0.1,2025-03-04 10:05:00,12,ab1,"""vip"",""early""",'
        "2025-05-01 10:00:00",
    ),
    "mailchimp_unsubscribed": (
        "unsubscribed_members_export_1.csv",
        "Email Address,First Name,Last Name,MEMBER_RATING,OPTIN_TIME,UNSUB_TIME,UNSUB_REASON,LEID,EUID,LAST_CHANGED",
        "ada@example.org,Ada,Byron,1,2025-03-04 10:00:00,2025-05-01 10:00:00,NORMAL,12,ab1,2025-05-01 10:00:00",
    ),
    "mailchimp_cleaned": (
        "cleaned_members_export_1.csv",
        "Email Address,First Name,Last Name,MEMBER_RATING,OPTIN_TIME,CLEAN_TIME,LEID,EUID,LAST_CHANGED",
        "ada@example.org,Ada,Byron,1,2025-03-04 10:00:00,2025-05-01 10:00:00,12,ab1,2025-05-01 10:00:00",
    ),
    "shopify_orders": (
        "orders_export_1.csv",
        "Name,Email,Financial Status,Paid at,Currency,Total,Created at,Lineitem quantity,Lineitem name,Lineitem price,"
        "Lineitem sku",
        "#1001,ada@example.org,paid,2025-03-04 10:00:00 +0000,EUR,30,2025-03-04 10:00:00 +0000,2,Tea,10.00,T1\r\n"
        "#1001,ada@example.org,,,,,,1,Cup,10.00,C1",
    ),
    "emarsys_sales": (
        "sales_data_1.csv",
        "item,price,order,timestamp,customer,quantity",
        "T1,20.00,O-1,2025-03-04T10:00:00Z,ada,2",
    ),
    "emarsys_sales_by_email": (
        "sales_data_2.csv",
        "item,price,order,timestamp,email,quantity,s_store",
        "T1,20.00,O-1,2025-03-04,ada@example.org,2,Soho",
    ),
    "emarsys_sales_items": (
        "sales_items_1.csv",
        "order,date,customer,item,c_sales_amount,quantity",
        "O-1,2025-03-04,ada,T1,20.00,2",
    ),
}


def bring(folder: Any, key: str) -> Any:
    name, header, row = FILES[key]
    path = folder / name
    path.write_text(f"{header}\r\n{row}\r\n", encoding="utf-8")
    looked = looked_at(path=path, file_name=name)
    assert looked.preset is not None
    assert looked.preset.key == key
    if looked.preset.kind == "orders":
        document = {key: value for key, value in looked.document.items() if key != "kind"}
        return import_orders(path=path, mapping=OrderMapping.from_document(document), now=NOW, tell=lambda _line: None)
    return import_rows(
        path=path, mapping=RowMapping.from_document(looked.document), now=NOW, tell=lambda _line: None, preset=key
    )


def test_every_preset_has_a_file_to_be_tried_with() -> None:
    assert {one.key for one in presets() if one.kind != "events"} == set(FILES)


@pytest.mark.parametrize("key", sorted(FILES))
def test_a_file_is_recognised_and_every_row_of_it_is_used(tmp_path, key):
    done = bring(tmp_path, key)
    assert done.record.lines_set_aside == 0, done.record.set_aside
    assert done.record.lines_used == FILES[key][2].count("\r\n") + 1


@pytest.mark.parametrize("key", sorted(FILES))
def test_the_same_file_is_unchanged_a_second_time(tmp_path, key):
    bring(tmp_path, key)
    again = bring(tmp_path, key)
    assert again.rows_changed == 0


def test_a_header_of_no_system_is_of_none() -> None:
    assert recognised(header=["Name", "Age"], file_name="x.csv") is None


def test_hubspot_keeps_its_lifecycle_as_traits_and_its_dates_as_touchpoints(tmp_path):
    bring(tmp_path, "hubspot_contacts")
    traits = traits_of("151")
    assert traits["hubspot: Lifecycle Stage"] == "Customer"
    assert traits["hubspot: Favourite Colour"] == "blue"
    assert "hubspot: Lead Status" not in traits
    told = dict(Touchpoint.objects.values_list("type__name", "occurred_at"))
    assert told["Contact Created"] == datetime(2025, 1, 2, 9, 30, tzinfo=UTC)
    assert told["Became a Customer"] == datetime(2025, 3, 4, 10, tzinfo=UTC)
    assert Identity.objects.filter(kind="phone", value="+442079460018").exists()
    assert Account.objects.get().name == "Acme"
    assert Consent.objects.get().state == "withdrawn"


def test_a_won_deal_is_money_of_the_contact(tmp_path):
    bring(tmp_path, "hubspot_contacts")
    done = bring(tmp_path, "hubspot_deals")
    assert counts(done.record) == (0, 1, 0, 0)
    won = Touchpoint.objects.get(type__name="Order Completed")
    assert (won.amount, won.order_ref, won.properties["deal"]) == (120_050, "77", "Big one")
    assert won.profile.customer == owner_of("ada@example.org") == owner_of("151")


@pytest.mark.parametrize(
    ("key", "state", "at"),
    [
        ("mailchimp_subscribed", "granted", datetime(2025, 3, 4, 10, 5, tzinfo=UTC)),
        ("mailchimp_unsubscribed", "withdrawn", datetime(2025, 5, 1, 10, tzinfo=UTC)),
        ("mailchimp_cleaned", "refused", datetime(2025, 5, 1, 10, tzinfo=UTC)),
    ],
)
def test_the_three_files_of_mailchimp_say_who_may_be_written_to(tmp_path, key, state, at):
    bring(tmp_path, key)
    consent = Consent.objects.get()
    assert (consent.address, consent.channel, consent.purpose) == ("ada@example.org", "email", "marketing")
    assert (consent.state, consent.at) == (state, at)
    if key == "mailchimp_subscribed":
        assert traits_of("ab1")["mailchimp: TAGS"] == ["vip", "early"]


@pytest.mark.parametrize("first", ["mailchimp_unsubscribed", "mailchimp_cleaned"])
def test_the_file_of_subscribers_subscribes_nobody_who_has_left(tmp_path, first):
    bring(tmp_path, first)
    bring(tmp_path, "mailchimp_subscribed")
    assert Consent.objects.order_by("-pk").values_list("state", flat=True).first() != "granted"


def test_marks_before_numbers_are_no_part_of_them(tmp_path):
    bring(tmp_path, "shopify_customers")
    assert traits_of("6001")["postalCode"] == "01234"
    assert traits_of("6001")["shopify: Tags"] == ["vip", "early"]
    assert Identity.objects.filter(kind="phone").get().value == "+442079460018"


def test_a_payment_and_what_was_given_back_of_it(tmp_path):
    bring(tmp_path, "stripe_payments")
    told = {one.type.name: one for one in Touchpoint.objects.select_related("type")}
    assert told["Invoice Paid"].amount == 120_050
    assert told["Invoice Paid"].type.role == "purchase"
    assert told["Payment Refunded"].amount == -20_050


def test_a_payment_of_which_more_is_paid_back_later_comes_to_what_the_last_file_says(tmp_path):
    _name, header, row = FILES["stripe_payments"]

    def payment(back: str) -> Any:
        path = tmp_path / "unified_payments.csv"
        path.write_text(f"{header}\r\n{row.replace(',200.50,', f',{back},')}\r\n")
        document = looked_at(path=path, file_name=path.name).document
        return path, RowMapping.from_document(document)

    def told() -> list[tuple[str, int | None, str]]:
        return list(Touchpoint.objects.order_by("-amount").values_list("type__name", "amount", "order_ref"))

    for back, new in (("10.00", {"Invoice Paid": 1, "Payment Refunded": 1}), ("25.50", {"Payment Refunded": 1})):
        path, mapping = payment(back)
        assert try_rows(path=path, mapping=mapping, now=NOW, tell=lambda _line: None)["touchpoints"] == new
        import_rows(path=path, mapping=mapping, now=NOW, tell=lambda _line: None)
    bought = ("Invoice Paid", 120_050, "ch_1")
    assert told() == [bought, ("Payment Refunded", -1_000, "ch_1"), ("Payment Refunded", -1_550, "ch_1")]
    for back in ("10.00", "25.50"):
        path, mapping = payment(back)
        assert import_rows(path=path, mapping=mapping, now=NOW, tell=lambda _line: None).rows_changed == 0
    record = Import.objects.order_by("pk")[0]
    while undo_next(record=record, let_go=len):
        pass
    assert sum(amount or 0 for _name, amount, _ref in told()) == 120_050 - 2_550


SHOPIFY = (
    "Name,Email,Financial Status,Paid at,Currency,Subtotal,Shipping,Taxes,Total,Discount Code,Discount Amount,"
    "Created at,Lineitem quantity,Lineitem name,Lineitem price,Lineitem SKU,{cancelled},Refunded Amount"
)


def shopify_order(
    folder: Any, first: str, *, cancelled: str = "Cancelled at", second: str = "", status: str = "paid"
) -> Any:
    """An order of two lines, 2 x 20.00 and 1 x 10.00; `first` says Subtotal to Discount Amount, `second` when it was
    called off and what was paid back."""
    path = folder / "orders_export.csv"
    lines = (
        SHOPIFY.format(cancelled=cancelled),
        f"#7,ada@example.org,{status},,EUR,{first},2025-03-04 10:00:00 +0000,2,Tea,20.00,T1,{second or ','}",
        "#7,ada@example.org,,,,,,,,,,,1,Cup,10.00,C1,,",
    )
    path.write_text("".join(f"{line}\r\n" for line in lines))
    looked = looked_at(path=path, file_name=path.name)
    assert looked.preset is not None
    assert looked.preset.key == "shopify_orders"
    document = {key: value for key, value in looked.document.items() if key != "kind"}
    return import_orders(path=path, mapping=OrderMapping.from_document(document), now=NOW, tell=lambda _line: None)


def test_an_order_is_worth_its_goods_after_discounts_without_taxes_and_shipping(tmp_path):
    shopify_order(tmp_path, "40.00,5.00,7.60,52.60,TEN,10.00")
    order = Touchpoint.objects.get()
    assert (order.amount, order.original_amount) == (4000, 40)
    assert [line.amount for line in order.lines.order_by("number")] == [3200, 800]
    assert {key: order.properties[key] for key in ("discount", "shipping", "taxes")} == {
        "discount": 10.0,
        "shipping": 5.0,
        "taxes": 7.6,
    }


def test_taxes_that_prices_hold_are_taken_out(tmp_path):
    shopify_order(tmp_path, "50.00,10.00,9.58,60.00,,0.00")
    order = Touchpoint.objects.get()
    assert order.amount == 4202  # 50.00 less its share of 9.58, of which shipping bears a sixth
    assert sum(line.amount for line in order.lines.all()) == 4202


def test_what_was_paid_back_is_a_refund_that_names_its_order(tmp_path):
    said: dict[str, Any] = {
        "cancelled": "Canceled at",
        "second": "2025-03-09 08:00:00 +0000,25.00",
        "status": "partially_refunded",
    }
    shopify_order(tmp_path, "40.00,5.00,5.00,50.00,,10.00", **said)
    order, refund = Touchpoint.objects.order_by("occurred_at")
    assert (refund.type.name, refund.type.role, refund.order_ref) == ("Order Refunded", "refund", order.order_ref)
    assert (order.amount, refund.amount, refund.original_amount) == (4000, -2000, -20)
    assert refund.occurred_at == datetime(2025, 3, 9, 8, tzinfo=UTC)
    assert (refund.profile, refund.properties["refunded"]) == (order.profile, 25.0)
    again = shopify_order(tmp_path, "40.00,5.00,5.00,50.00,,10.00", **said)
    assert again.rows_changed == 0


def test_a_refund_without_a_date_lies_at_its_order_and_says_so(tmp_path):
    shopify_order(tmp_path, "40.00,0.00,0.00,40.00,,10.00", second=",40.00")
    purchase, refund = Touchpoint.objects.order_by("-amount")
    assert (refund.amount, refund.occurred_at) == (-4000, purchase.occurred_at)
    assert refund.properties["at_the_time_of_the_order"] is True


def test_lines_of_an_order_that_say_little_belong_to_the_line_above(tmp_path):
    bring(tmp_path, "shopify_orders")
    order = Touchpoint.objects.get()
    assert (order.amount, order.order_ref, order.lines.count()) == (3000, "#1001", 2)
    assert owner_of("ada@example.org") == order.profile.customer


@pytest.mark.parametrize("key", ["emarsys_sales", "emarsys_sales_by_email", "emarsys_sales_items"])
def test_a_price_in_sales_data_of_emarsys_is_that_of_the_whole_line(tmp_path, key):
    bring(tmp_path, key)
    order = Touchpoint.objects.get()
    assert (order.amount, order.order_ref) == (2000, "O-1")
    assert [(line.quantity, line.amount) for line in order.lines.all()] == [(2, 2000)]
    assert Identity.objects.get().kind == ("email" if key == "emarsys_sales_by_email" else "customer_id")


# What the interface of Customerly calls the members of its users and of its leads.
CUSTOMERLY = (
    "city,country,create_date,crmhero_user_id,email,last_update,name,role,sub_active,sub_status,timezone,username"
)


def test_a_file_of_customerlys_leads_who_have_no_user_id_is_read_too(tmp_path):
    path = tmp_path / "leads.csv"
    path.write_text(
        f"{CUSTOMERLY}\n"
        "Paris,FR,2025-03-04 10:00:00,91,ada@example.org,2025-05-01 10:00:00,Ada,lead,0,,Europe/Paris,ada\n"
    )
    looked = looked_at(path=path, file_name=path.name)
    assert looked.preset is not None
    assert looked.preset.key == "customerly_users"
    done = import_rows(path=path, mapping=RowMapping.from_document(looked.document), now=NOW, tell=lambda _line: None)
    assert done.record.lines_set_aside == 0, done.record.set_aside
    assert traits_of("91")["customerly: role"] == "lead"
    assert Identity.objects.filter(kind="ext:customerly", value="91").exists()
    assert Touchpoint.objects.get().type.name == "Contact Created"
