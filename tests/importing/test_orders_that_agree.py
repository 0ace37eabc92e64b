"""What an order of a shop says of its customer beside money: the name on the bill, and consent. The files are made
up."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from customers.importing.guess import looked_at
from customers.importing.try_orders import try_orders
from customers.importing.undo import undo_next
from customers.mapping_fields import BadMapping
from customers.models import Consent, Customer, Identity, Profile, Touchpoint, Trait
from customers.order_import import Imported, import_orders
from customers.order_mapping import OrderMapping

from .files import NOW

pytestmark = pytest.mark.django_db

HEADER = (
    "Name,Email,Financial Status,Accepts Marketing,Currency,Created at,Lineitem quantity,Lineitem name,Lineitem price,"
    "Lineitem sku,Billing Name"
)
CREATED = datetime(2025, 3, 4, 10, tzinfo=UTC)


def order(name: str, says: str, *, who: str = "ada@example.org", billed: str = "Ada Byron") -> str:
    first = f"{name},{who},paid,{says},EUR,2025-03-04 10:00:00 +0000,2,Tea,20.00,T1,{billed}"
    return f"{first}\r\n{name},{who},,,,,1,Cup,10.00,C1,\r\n"


def read(folder: Path, *orders: str) -> tuple[Path, OrderMapping]:
    path = folder / "orders_export.csv"
    path.write_text(f"{HEADER}\r\n{''.join(orders)}")
    document = looked_at(path=path, file_name=path.name).document
    return path, OrderMapping.from_document({key: value for key, value in document.items() if key != "kind"})


def bring(folder: Path, *orders: str) -> Imported:
    path, mapping = read(folder, *orders)
    return import_orders(path=path, mapping=mapping, now=NOW, tell=lambda _line: None)


def tried(folder: Path, *orders: str) -> dict[str, Any]:
    path, mapping = read(folder, *orders)
    return try_orders(path=path, mapping=mapping, now=NOW, tell=lambda _line: None)


def stated() -> list[tuple[str, str, datetime]]:
    return list(Consent.objects.order_by("pk").values_list("address", "state", "at"))


def test_the_name_on_the_bill_and_what_was_agreed_to_are_told(tmp_path):
    orders = (order("#1", "yes"), order("#2", "no", who="bo@example.org", billed="Bo"), order("#3", "yes"))
    found = tried(tmp_path, *orders)
    assert found["examples"]["new"][0]["consents"] == [["email", "marketing", "granted"]]
    assert not Consent.objects.exists()
    done = bring(tmp_path, *orders)
    assert stated() == [("ada@example.org", "granted", CREATED)]
    assert done.record.counts["consents_new"] == 1
    statement = Consent.objects.get()
    assert (statement.channel, statement.purpose) == ("email", "marketing")
    assert statement.source == f"orders_export.csv (import {done.record.pk})"
    assert set(Trait.objects.filter(key="name").values_list("value", flat=True)) == {"Ada Byron", "Bo"}
    assert bring(tmp_path, *orders).rows_changed == 0
    assert Consent.objects.count() == 1


@pytest.mark.parametrize("said", [Consent.State.WITHDRAWN, Consent.State.REFUSED])
def test_nobody_who_said_no_is_subscribed_again_by_an_order(tmp_path, said):
    profile = Profile.objects.create(customer=Customer.objects.create())
    Identity.objects.create(kind="email", value="ada@example.org", profile=profile)
    before = CREATED - timedelta(days=90)
    Consent.objects.create(
        profile=profile, address="ada@example.org", channel="email", purpose="marketing", state=said, source="form",
        at=before, recorded_at=before,
    )  # fmt: skip
    assert tried(tmp_path, order("#1", "yes"))["conflicts"]["kept_unsubscribed"]["rows"] == 2
    bring(tmp_path, order("#1", "yes"))
    assert stated() == [("ada@example.org", said, before)]
    assert Touchpoint.objects.count() == 1


def test_taking_the_file_back_takes_its_statements_back(tmp_path):
    record = bring(tmp_path, order("#1", "yes")).record
    while undo_next(record=record, let_go=len):
        pass
    assert not Consent.objects.exists()


def test_an_order_that_says_something_else_of_consent_is_set_aside_with_its_column(tmp_path):
    done = bring(tmp_path, order("#1", "perhaps"), order("#2", "yes"))
    assert {reason: kept["lines"] for reason, kept in done.record.set_aside.items()} == {
        "bad_value": 1,
        "faulty_order": 1,
    }
    assert done.record.rejects.get().path == "Accepts Marketing"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"identity_kind": "customer_id"}, "consent: is about an e-mail address"),
        ({"consent": {"column": "Accepts Marketing", "says": {}}}, "consent.says: must say what a cell means"),
        ({"consent": {"column": "Accepts Marketing", "says": {"yes": "ja"}}}, "consent.says.yes: must be one of"),
        ({"consent": {"says": {"yes": "granted"}}}, "consent.column: is missing"),
    ],
    ids=["no address", "no words", "no state", "no column"],
)
def test_a_mapping_of_consent_is_checked(tmp_path, changes, words):
    _path, mapping = read(tmp_path, order("#1", "yes"))
    with pytest.raises(BadMapping, match=words):
        OrderMapping.from_document({**mapping.document, **changes})
