"""An import that is taken back leaves companies and people as they were: what it said of them, and whom it made one."""

import json
from typing import Any

import pytest

from customers.importing.asking import ask
from customers.importing.begin import keep_upload
from customers.importing.work import work_on_imports
from customers.ingest import clock
from customers.models import Account, Customer, Identity, Import, Merge, Touchpoint
from tests.importing.files import LATER, bring, document, write
from tests.importing.test_undo import undo

from .sending import Sender, identify, track

pytestmark = pytest.mark.django_db

HEADER = "Record ID,Company,Company size,Company city"
COLUMNS = {
    "Record ID": {"as": "id", "kind": "crm"},
    "Company": {"as": "account", "key": "name"},
    "Company size": {"as": "account", "key": "size"},
    "Company city": {"as": "account", "key": "city"},
}
SAID = document(columns=COLUMNS)


def file(folder: Any, *lines: str, name: str = "people.csv") -> Any:
    return write(folder, *lines, header=HEADER, name=name)


def test_companies_say_again_what_they_said_before(tmp_path):
    bring(file(tmp_path, "1,Acme,10,"), said=SAID)
    second = bring(file(tmp_path, "1,ACME,20,Oslo", name="second.csv"), said=SAID, now=LATER)
    acme = Account.objects.get()
    assert (acme.name, acme.properties) == ("ACME", {"size": "20", "city": "Oslo"})
    undo(second.record)
    acme.refresh_from_db()
    assert (acme.name, acme.properties) == ("Acme", {"size": "10"})


def test_what_somebody_said_since_stays(tmp_path):
    bring(file(tmp_path, "1,Acme,10,"), said=SAID)
    second = bring(file(tmp_path, "1,Acme,20,Oslo", name="second.csv"), said=SAID, now=LATER)
    bring(file(tmp_path, "1,Acme,30,", name="third.csv"), said=SAID, now=LATER)
    undo(second.record)
    assert Account.objects.get().properties == {"size": "30"}


def test_a_company_that_is_told_nothing_new_is_not_touched(tmp_path):
    done = bring(file(tmp_path, "1,Acme,10,", "2,Acme,10,"), said=SAID)
    again = bring(file(tmp_path, "1,Acme,10,", "3,Acme,10,", name="again.csv"), said=SAID, now=LATER)
    assert [one.accounts for one in (*done.record.brought.all(), *again.record.brought.all())] == [[], []]


def dump(*messages: dict[str, Any]) -> Import:
    text = "\n".join(map(json.dumps, messages)).encode()
    record = keep_upload(blocks=[text], file_name="events.jsonl", preset="", now=clock())
    ask(record=record.pk, wish="start")
    work_on_imports()
    record.refresh_from_db()
    assert record.state == "done", record.error
    return record


def test_people_whom_it_made_one_are_two_again_with_all_that_came_since():
    sender = Sender()
    sender.batch(track("1", user=None, anonymousId="a1"), identify("2", user="u1", traits={"plan": "pro"}))
    assert Customer.objects.filter(merged_into=None).count() == 2
    record = dump(track("3", user="u1", anonymousId="a1", timestamp="2025-02-02T00:00Z"))
    merge = Merge.objects.get()
    assert list(record.brought.values_list("merges", flat=True)) == [[merge.pk]]
    assert Customer.objects.filter(merged_into=None).count() == 1
    sender.batch(track("4", user=None, anonymousId="a1"))
    undo(record)
    merge.refresh_from_db()
    assert merge.undone_at is not None
    visitor, known = (Identity.objects.get(value=value).profile.customer_id for value in ("a1", "u1"))
    assert visitor != known
    assert Touchpoint.objects.filter(profile__customer=visitor).count() == 2
    assert not Touchpoint.objects.filter(profile__customer=known, type__name="Feature Used").exists()


def test_a_merge_that_people_took_back_meanwhile_is_no_hindrance():
    sender = Sender()
    sender.batch(track("1", user=None, anonymousId="a1"), identify("2", user="u1"))
    record = dump(track("3", user="u1", anonymousId="a1", timestamp="2025-02-02T00:00Z"))
    Merge.objects.update(undone_at=clock())
    undo(record)
    assert not Touchpoint.objects.filter(occurred_at__year=2025).exists()
