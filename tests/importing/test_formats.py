"""Spreadsheets and dumps of messages come in by the same door as delimited text."""

import json
from datetime import UTC, date, datetime

import openpyxl
import pytest

from analytics.days.fill import count_sales_anew
from customers.importing.asking import ask
from customers.importing.begin import keep_upload
from customers.importing.guess import looked_at
from customers.importing.work import Beyond, work_on_imports
from customers.models import Affiliation, Customer, Identity, Import, Reject, Touchpoint, TraitTelling
from lifecycle.withdrawn import let_go

from .files import LATER, NOW, bring, counts, document, traits_of

pytestmark = pytest.mark.django_db

COLUMNS = {
    "id": {"as": "id", "kind": "crm"},
    "zip": {"as": "trait", "key": "zip"},
    "since": {"as": "touchpoint", "type": "Customer Since"},
    "spend": {"as": "trait", "key": "spend", "type": "number"},
    "vip": {"as": "trait", "key": "vip", "type": "truth"},
    "text": {"as": "trait", "key": "text"},
}


def test_the_first_sheet_of_a_spreadsheet_says_what_it_shows(tmp_path):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append([*COLUMNS, None])
    sheet.append([7, 1234, date(2024, 12, 31), 1234.5, True, "NA"])
    sheet["B2"].number_format = "00000"
    sheet.append(["8", "01234", datetime.fromisoformat("2024-07-01T10:30"), 2, False, "1E5"])
    sheet.append([None] * 6)
    sheet.append([9, None, "31.12.2024", 1, None, None])
    book.create_sheet("other").append(["not", "read"])
    path = tmp_path / "people.xlsx"
    book.save(path)
    looked = looked_at(path=path, file_name="people.xlsx")
    assert looked.document["format"] == "xlsx"
    said = document(format="xlsx", columns=COLUMNS, time_formats=["%d.%m.%Y"])
    done = bring(path, said=said)
    assert counts(done.record) == (3, 0, 0, 0)
    assert traits_of("7") == {"zip": "01234", "spend": 1234.5, "vip": True, "text": "NA"}
    assert traits_of("8") == {"zip": "01234", "spend": 2, "vip": False, "text": "1E5"}
    told = Touchpoint.objects.order_by("occurred_at").values_list("occurred_at", flat=True)
    assert set(told) == {datetime(2024, 7, 1, 10, 30, tzinfo=UTC), datetime(2024, 12, 31, tzinfo=UTC)}
    assert bring(path, said=said, now=LATER).rows_changed == 0


PRO = {"plan": "pro"}
BOUGHT = {"revenue": 12.5, "order_id": "o1"}
MESSAGES = [
    {"type": "identify", "messageId": "m1", "userId": "u1", "traits": PRO, "timestamp": "2025-01-01T00:00Z"},
    {"type": "track", "messageId": "m2", "userId": "u1", "event": "Order Completed", "timestamp": "2025-01-02T00:00Z",
     "originalTimestamp": "2031-01-02T00:00:00Z", "properties": BOUGHT},
    {"type": "group", "messageId": "m3", "userId": "u1", "groupId": "acme", "timestamp": "2025-01-03T00:00Z"},
]  # fmt: skip


def dump(*more: str) -> Import:
    text = "\n".join([*(json.dumps(one) for one in MESSAGES), "", *more])
    return keep_upload(blocks=[text.encode()], file_name="events.jsonl", preset="", now=NOW)


def test_a_dump_of_messages_is_understood_as_if_they_had_been_sent():
    record = dump("{nonsense", json.dumps({"type": "track", "messageId": "m4", "event": "X"}))
    assert (record.kind, record.preset) == ("events", "segment_events")
    ask(record=record.pk, wish="start")
    work_on_imports()
    record.refresh_from_db()
    assert (record.state, record.lines_read, record.lines_used) == ("done", 5, 3)
    assert record.set_aside["bad_message"]["ranges"] == [[5, 6]]
    assert Reject.objects.filter(from_import=record).count() == 2
    order = Touchpoint.objects.get(order_ref="o1")
    assert (order.amount, order.occurred_at) == (1250, datetime(2025, 1, 2, tzinfo=UTC))
    assert traits_of("u1") == {"plan": "pro"}
    assert Affiliation.objects.get().account.key == "acme"
    again = dump()
    ask(record=again.pk, wish="start")
    work_on_imports()
    assert (Touchpoint.objects.count(), Customer.objects.count()) == (1, 1)
    assert TraitTelling.objects.exclude(traits={}).count() == 1


def test_a_dump_is_tried_first_and_nothing_of_it_is_stored():
    known = dump()
    ask(record=known.pk, wish="start")
    work_on_imports()
    before = Touchpoint.objects.count(), TraitTelling.objects.count(), Customer.objects.count()
    more = [
        {**MESSAGES[0], "messageId": "m5", "traits": {"plan": "team"}, "timestamp": "2025-02-01T00:00Z"},
        {"type": "track", "messageId": "m6", "userId": "u2", "event": "Signed Up", "timestamp": "2025-02-02T00:00Z"},
        {"type": "track", "messageId": "m7", "userId": "u2", "event": "Signed Up", "timestamp": "2025-02-03T00:00Z"},
    ]
    record = dump("{nonsense", *(json.dumps(one) for one in more))
    ask(record=record.pk, wish="check")
    assert work_on_imports() == 1
    record.refresh_from_db()
    found = record.checked
    assert record.state == "draft"
    assert {key: found[key] for key in ("rows", "new", "updated", "unchanged", "rejected")} == {
        "rows": 7,
        "new": 1,
        "updated": 2,
        "unchanged": 3,
        "rejected": 1,
    }
    assert found["touchpoints"] == {"Signed Up": 2}
    assert found["examples"]["updated"][0]["changes"] == [["plan", '"pro"', '"team"']]
    assert found["examples"]["rejected"][0]["line"] == 5
    assert (Touchpoint.objects.count(), TraitTelling.objects.count(), Customer.objects.count()) == before
    ask(record=record.pk, wish="start")
    work_on_imports()
    record.refresh_from_db()
    assert (record.state, record.counts["touchpoints_new"], record.counts["customers_new"]) == ("done", 2, 1)


def test_a_dump_is_taken_back_whole():
    record = dump()
    ask(record=record.pk, wish="start")
    work_on_imports()
    ask(record=record.pk, wish="undo")
    work_on_imports(beyond=Beyond(let_go, count_sales_anew))
    record.refresh_from_db()
    assert record.state == "undone"
    assert not Identity.objects.exists()
    assert not Customer.objects.exists()
