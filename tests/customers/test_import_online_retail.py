"""The whole of UCI Online Retail, imported once, against numbers that pandas computes from the file by another way."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Count, Max, Min, Sum

from customers import online_retail
from customers.models import Customer, Identity, Import, Installation, OrderLine, Profile, Source, Touchpoint, Trait
from customers.order_import import Imported, import_orders
from customers.order_mapping import OrderMapping

TAGS = {"POST", "DOT", "C2", "M", "D", "BANK CHARGES", "PADS", "CRUK", "AMAZONFEE"}
pytestmark = pytest.mark.django_db
NOW = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def path() -> Path:
    # Fails, and says how to help, when the file cannot be had: these numbers are what the release promises.
    return online_retail.fetched(folder=settings.DATA_DIR / "downloads")


@pytest.fixture(scope="module")
def frame(path: Path) -> pd.DataFrame:
    frame = pd.read_csv(path, encoding="cp1252", dtype=str, keep_default_na=False)
    frame["pence"] = (frame.Quantity.astype(int) * frame.UnitPrice.astype(float) * 100).round().astype(int)
    frame["line"] = range(2, len(frame) + 2)
    frame["is_refund"] = frame.InvoiceNo.str.startswith("C")
    quantity, price = frame.Quantity.astype(int), frame.UnitPrice.astype(float)
    frame["counts"] = (frame.CustomerID != "") & (price > 0) & ((quantity > 0) ^ frame.is_refund) & (quantity != 0)
    return frame


@pytest.fixture(scope="module")
def imported(path: Path, django_db_setup: None, django_db_blocker: pytest.FixtureRequest) -> Iterator[Imported]:
    """One import for all tests of this module, rolled back after the last."""
    with django_db_blocker.unblock(), transaction.atomic():
        Installation.objects.update_or_create(id=1, defaults={"currency": "GBP", "time_zone": "Europe/London"})
        mapping = OrderMapping.load(online_retail.MAPPING)
        done = import_orders(path=path, mapping=mapping, now=NOW, tell=lambda _sentence: None)
        # Checked now, once; left to each test's end, references are checked as often as there are tests.
        connection.check_constraints()
        yield done
        transaction.set_rollback(True)


def test_the_file_is_the_one_of_the_paper(frame):
    assert len(frame) == 541_909
    assert frame.InvoiceNo.nunique() == 25_900
    assert frame.CustomerID[frame.CustomerID != ""].nunique() == 4_372
    times = pd.to_datetime(frame.InvoiceDate, format="%m/%d/%Y %H:%M")
    assert times.max() == online_retail.LAST_INVOICE


def test_every_line_is_used_or_set_aside_with_its_number(imported, frame):
    record = Import.objects.get()
    assert not imported.again and not imported.resumed
    assert imported.rows_changed == record.counts["rows_changed"] > 406_789 + 22_186
    assert record.lines_read == 541_909
    assert record.lines_used == frame.counts.sum() == 406_789
    assert {reason: kept["lines"] for reason, kept in record.set_aside.items()} == {
        "no_customer": 135_080,
        "not_counted": 40,
    }
    aside = {
        reason: [line for first, last in kept["ranges"] for line in range(first, last + 1)]
        for reason, kept in record.set_aside.items()
    }
    assert aside["no_customer"] == frame.line[frame.CustomerID == ""].tolist()
    assert aside["not_counted"] == frame.line[(frame.CustomerID != "") & ~frame.counts].tolist()
    assert record.lines_used + sum(map(len, aside.values())) == 541_909
    assert record.set_aside["no_customer"]["amount"] == frame.pence[frame.CustomerID == ""].sum() == 144_768_212
    assert record.counts["invoices_named"] == 25_900
    assert record.counts["customers_named"] == 4_372
    assert record.counts["duplicate_lines"] == frame.drop(columns="line").duplicated().sum() == 5_268


def test_customers_orders_and_refunds_are_those_of_the_file(imported, frame):
    used = frame[frame.counts]
    # One of the 4,372 customers has nothing but a line without a price: no order, no customer.
    assert Customer.objects.count() == Profile.objects.count() == used.CustomerID.nunique() == 4_371
    assert set(Identity.objects.values_list("kind", "value")) == {("customer_id", each) for each in used.CustomerID}
    orders = dict(Touchpoint.objects.filter(type__role="purchase").values_list("order_ref", "amount"))
    refunds = dict(Touchpoint.objects.filter(type__role="refund").values_list("order_ref", "amount"))
    assert orders == used[~used.is_refund].groupby("InvoiceNo").pence.sum().to_dict()
    assert refunds == used[used.is_refund].groupby("InvoiceNo").pence.sum().to_dict()
    assert (len(orders), len(refunds)) == (18_532, 3_654)
    assert imported.record.counts["refunds_unmatched"] == 3_654
    assert sum(orders.values()) == imported.record.counts["order_amount"] == 891_140_790
    assert sum(refunds.values()) == imported.record.counts["refund_amount"] == -61_134_209


def test_orders_belong_to_their_customers_and_lie_at_their_earliest_line(imported, frame):
    stored = Touchpoint.objects.values_list("order_ref", "profile__identities__value", "occurred_at")
    times = (
        pd.to_datetime(frame.InvoiceDate, format="%m/%d/%Y %H:%M").dt.tz_localize("Europe/London").dt.tz_convert("UTC")
    )
    expected = (
        frame.assign(instant=times)[frame.counts].groupby("InvoiceNo").agg({"CustomerID": "first", "instant": "min"})
    )
    assert sorted(stored) == sorted(
        (number, each.CustomerID, each.instant.to_pydatetime()) for number, each in expected.iterrows()
    )
    reach = Touchpoint.objects.aggregate(Min("occurred_at"), Max("occurred_at"))
    assert reach["occurred_at__max"] == datetime(2011, 12, 9, 12, 50, tzinfo=UTC)


def test_lines_are_kept_as_they_stand_in_the_file(imported, frame):
    used = frame[frame.counts]
    assert OrderLine.objects.count() == len(used)
    assert OrderLine.objects.aggregate(Sum("amount"), Sum("quantity")) == {
        "amount__sum": int(used.pence.sum()),
        "quantity__sum": int(used.Quantity.astype(int).sum()),
    }
    stored = OrderLine.objects.values_list("product", "description").annotate(Count("id"))
    assert {(product, text): count for product, text, count in stored} == used.groupby(
        ["StockCode", "Description"]
    ).size().to_dict()
    tagged = used[used.StockCode.isin(TAGS)]
    of_no_product = OrderLine.objects.filter(is_product=False).aggregate(Count("id"), Sum("amount"))
    assert of_no_product == {"id__count": len(tagged), "amount__sum": tagged.pence.sum()}
    assert imported.record.counts["tagged_lines"] == len(tagged) == 1_913


def test_every_customer_has_a_country(imported, frame):
    latest = dict(Trait.objects.order_by("set_at").values_list("profile__identities__value", "value"))
    assert len(latest) == 4_371
    countries = frame[frame.counts].groupby("CustomerID").Country.unique()
    assert all(country in countries[customer] for customer, country in latest.items())
    assert Trait.objects.values("profile").distinct().count() == len(latest)


def test_importing_it_again_changes_no_row(imported, path):
    again = import_orders(
        path=path, mapping=OrderMapping.load(online_retail.MAPPING), now=NOW, tell=lambda _sentence: None
    )
    assert again.again and again.rows_changed == 0
    assert again.record.counts["touchpoints_repeated"] == Touchpoint.objects.count() == 22_186
    assert again.record.counts.get("touchpoints_conflicting", 0) == 0
    assert Import.objects.count() == Source.objects.count() == 1
