"""Taking an import back: what it brought goes, what came from elsewhere stays, and figures are as they were before."""

from datetime import timedelta
from typing import Any

import pytest

from analytics.days.fill import count_sales_anew, fill
from analytics.models import SalesDay
from clm.lib.questions import ConflictError
from customers.events import Event
from customers.importing.asking import ask
from customers.importing.begin import keep_upload
from customers.importing.ending import forget_imports
from customers.importing.work import Beyond, work_on_imports
from customers.ingest import clock, ingest
from customers.models import (
    Account,
    Affiliation,
    Consent,
    Customer,
    Identity,
    Import,
    OrderLine,
    Profile,
    Source,
    Touchpoint,
    Trait,
    TraitTelling,
)
from lifecycle.advance import advance
from lifecycle.models import Standing, Transition
from lifecycle.withdrawn import let_go
from tests.api.conftest import installed_once  # noqa: F401 (a fixture)
from tests.customers.order_files import bring_in as bring_orders
from tests.customers.order_files import line
from tests.customers.order_files import write as write_orders

from .files import LATER, NOW, bring, columns, document, owner_of, person, traits_of, write

pytestmark = pytest.mark.django_db

BEYOND = Beyond(let_go, count_sales_anew)
FACTS = (Customer, Profile, Identity, Touchpoint, TraitTelling, Trait, Consent, Account, Affiliation, OrderLine)


def undo(record: Import) -> None:
    ask(record=record.pk, wish="undo")
    work_on_imports(beyond=BEYOND)
    record.refresh_from_db()
    assert record.state == "undone", record.error


def settle() -> None:
    while advance().customers:
        pass


def sent(*events: Event) -> None:
    web, _made = Source.objects.get_or_create(key="web", defaults={"name": "Web"})
    ingest(source=web, events=list(events))


def state() -> dict[str, Any]:
    """Everything that is known, without ids and the instants of recording."""
    return {
        "traits": sorted(Trait.objects.values_list("key", "value", "set_at", "last_seen_at"), key=str),
        "tellings": sorted(TraitTelling.objects.values_list("told_at", "traits"), key=str),
        "touchpoints": sorted(Touchpoint.objects.values_list("message_hash", "occurred_at"), key=str),
        "identities": sorted(Identity.objects.values_list("kind", "value")),
        "consents": sorted(Consent.objects.values_list("address", "state", "at"), key=str),
        "standings": sorted(Standing.objects.values_list("subject", "stage", "since"), key=str),
        "customers": sorted(Customer.objects.values_list("name", "email")),
    }


def test_an_import_of_new_people_leaves_nothing_behind(installed_once, tmp_path):  # noqa: F811
    said = document(columns={**columns(), "Company": {"as": "account"}})
    header = "Record ID,Email,First Name,Plan,Create Date,Opted out,Company"
    rows = [f"{person(number, opted_out='yes')},Acme" for number in range(1, 4)]
    done = bring(write(tmp_path, *rows, header=header), said=said)
    settle()
    assert Standing.objects.exists()
    undo(done.record)
    settle()
    assert [model.objects.count() for model in FACTS] == [0] * len(FACTS)
    assert not Standing.objects.exists()
    assert not Transition.objects.filter(superseded_at=None).exists()
    assert done.record.counts["undone_customers"] == 3
    assert done.record.undone_at is not None
    assert not done.record.rows.exists()


def test_what_was_known_before_is_as_it_was(installed_once, tmp_path):  # noqa: F811
    sent(
        Event(
            "1",
            (("email", "p1@example.org"),),
            "Signed Up",
            "web",
            NOW,
            traits={"plan": "pro", "email": "p1@example.org"},
        )
    )
    bring(write(tmp_path, person(1, plan="basic"), person(2), name="first.csv"), now=NOW + timedelta(days=1))
    settle()
    before = state()
    done = bring(write(tmp_path, person(1, plan="gold", opted_out="yes"), person(3), name="next.csv"), now=LATER)
    settle()
    assert traits_of("1")["plan"] == "gold"
    undo(done.record)
    settle()
    assert state() == before


def test_what_came_later_from_elsewhere_stays(installed_once, tmp_path):  # noqa: F811
    done = bring(write(tmp_path, person(1, plan="free")))
    sent(
        Event("2", (("user_id", "u1"), ("email", "p1@example.org")), "Signed Up", "web", LATER,
              traits={"plan": "pro", "email": "p1@example.org"}),
    )  # fmt: skip
    undo(done.record)
    settle()
    assert Touchpoint.objects.get().type.name == "Signed Up"
    assert traits_of("u1") == {"plan": "pro", "email": "p1@example.org"}
    assert owner_of("p1@example.org") == owner_of("u1")
    assert Customer.objects.count() == 1
    assert Customer.objects.get().name == ""


def test_what_another_file_says_too_stays(tmp_path):
    first = bring(write(tmp_path, person(1), person(2)))
    second = bring(write(tmp_path, person(1), person(3), name="next.csv"), now=LATER)
    undo(first.record)
    assert traits_of("1") == {"firstName": "Ada", "plan": "free", "email": "p1@example.org"}
    assert Trait.objects.get(profile__identities__value="1", key="plan").set_at == LATER
    assert Touchpoint.objects.filter(profile__identities__value="1").count() == 1
    assert not Identity.objects.filter(value="2").exists()
    undo(second.record)
    assert not Touchpoint.objects.exists()
    assert not Customer.objects.exists()


def test_an_undo_that_was_stopped_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr("customers.importing.staging.PORTION", 10)
    done = bring(write(tmp_path, *(person(number) for number in range(1, 26))))
    assert done.record.brought.count() == 3
    ask(record=done.record.pk, wish="undo")
    work_on_imports(beyond=BEYOND, seconds=0)
    done.record.refresh_from_db()
    assert (done.record.state, done.record.progress["undone"], done.record.progress["undo"]) == ("undoing", 1, 3)
    assert 0 < Customer.objects.count() < 25
    work_on_imports(beyond=BEYOND)
    done.record.refresh_from_db()
    assert done.record.state == "undone"
    assert not Customer.objects.exists()


def test_it_can_be_brought_in_again_afterwards(tmp_path):
    path = write(tmp_path, person(1), person(2, opted_out="yes"))
    undo(bring(path).record)
    again = bring(path, now=LATER)
    assert again.record.counts["rows_new"] == 2
    assert Trait.objects.filter(key="plan", set_at=LATER).count() == 2


def test_figures_of_sales_are_as_if_it_had_never_been(installed_once, tmp_path):  # noqa: F811
    sent(Event("3", (("user_id", "u1"),), "Order Completed", "web", NOW, amount=700, order_ref="3"))
    settle()
    fill()
    before = list(SalesDay.objects.order_by("day").values_list("day", "orders", "bought"))
    path = write_orders(tmp_path, line("1"), line("2", quantity="3"), line("C3", quantity="-1"))
    done = bring_orders(path, currency="EUR")
    settle()
    fill()
    assert list(SalesDay.objects.order_by("day").values_list("day", "orders", "bought")) != before
    undo(done.record)
    settle()
    fill()
    assert list(SalesDay.objects.order_by("day").values_list("day", "orders", "bought")) == before
    assert not OrderLine.objects.exists()
    assert not Trait.objects.filter(key="country").exists()
    assert Customer.objects.count() == 1


def test_it_can_be_taken_back_for_thirty_days(tmp_path):
    done = bring(write(tmp_path, person(1)))
    Import.objects.update(finished_at=clock() - timedelta(days=31))
    with pytest.raises(ConflictError, match="30 days"):
        ask(record=done.record.pk, wish="undo")
    Import.objects.update(finished_at=clock() - timedelta(days=29))
    assert ask(record=done.record.pk, wish="undo").state == "undoing"


def test_what_is_kept_of_a_file_goes_when_it_can_no_longer_be_taken_back(tmp_path):
    old, new = bring(write(tmp_path, person(1))).record, bring(write(tmp_path, person(2), name="b.csv")).record
    draft = keep_upload(blocks=[b"id,email\n1,a@example.org\n"], file_name="c.csv", preset="", now=NOW)
    assert forget_imports(now=NOW + timedelta(days=29)) == 0
    Import.objects.filter(pk=new.pk).update(finished_at=NOW + timedelta(days=20))
    Import.objects.filter(pk=old.pk).update(finished_at=NOW)
    assert forget_imports(now=NOW + timedelta(days=31)) == 2
    assert [one.rows.exists() for one in (old, new)] == [False, True]
    assert [one.brought.exists() for one in (old, new)] == [False, True]
    assert not Import.objects.filter(pk=draft.pk).exists()
    assert Import.objects.get(pk=old.pk).lines_read == 1
    with pytest.raises(ConflictError):
        ask(record=old.pk, wish="undo")


def test_an_uploaded_file_is_not_kept_longer_than_it_is_needed(tmp_path):
    record = keep_upload(blocks=[b"id,email\n1,a@example.org\n"], file_name="c.csv", preset="", now=NOW)
    assert record.content.exists()
    ask(record=record.pk, wish="start")
    work_on_imports()
    assert not record.content.exists()
    assert record.rows.exists()
