"""Files that are made while nobody waits: whole or not there, of one instant, for one person, for some days."""

import csv
import io
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow.parquet
import pytest
from django.conf import settings as configured
from django.db import connections
from django.test import Client

from analytics.exports import jobs
from analytics.exports.jobs import (
    claimable,
    folder,
    forget_files,
    forget_in_exports,
    has_work,
    make_waiting,
    noted,
    stop,
)
from analytics.exports.links import token
from analytics.exports.parquet import write_parquet
from analytics.exports.tables import Column, Kind, Table
from analytics.models import Export
from clm.lib.access.models import ApiKey, Role, User
from clm.lib.questions import ConflictError
from customers.events import Line
from customers.ingest import clock
from customers.models import Identity
from lifecycle.erase import erase
from tests.factories import make_customer, make_order, make_user
from tests.lifecycle.making import ago, customer_of, installed, settle, tell

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def files(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path / "exports"


@pytest.fixture
def marketer() -> User:
    return make_user("marketer")


@pytest.fixture
def people(marketer: User) -> list[int]:
    installed()
    return [make_customer(ago(days=5), ago(days=3), name=name) for name in ("Ann", "=cmd()", "Cy")]


def ask(who: User | ApiKey, question: str = "", subject: str = "customers", format: str = "csv") -> Export:
    return noted(
        who=who,
        subject=subject,
        format=format,
        dialect=Export.Dialect.PAGE,
        question=question,
        byte_order_mark=False,
        now=clock(),
    )


def rows_of(export: Export) -> list[dict[str, Any]]:
    export.refresh_from_db()
    text = (folder() / export.file).read_text()
    if export.format == "jsonl":
        return [json.loads(line) for line in text.splitlines()]
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_a_file_holds_the_people_of_the_list_in_its_order(marketer: User, people: list[int]) -> None:
    export = ask(marketer, "sort=name")
    assert has_work(now=clock())
    assert make_waiting() == 1
    assert [row["name"] for row in rows_of(export)] == ["'=cmd()", "Ann", "Cy"]
    assert (export.state, export.rows, export.total) == ("ready", 3, None)
    assert export.as_of is not None
    assert export.expires_at - export.finished_at == timedelta(hours=72)
    assert export.size == (folder() / export.file).stat().st_size
    assert (folder() / export.file).stat().st_mode & 0o077 == 0
    assert not has_work(now=clock())
    assert make_waiting() == 0


def test_a_file_is_narrowed_as_the_list_is(marketer: User, people: list[int]) -> None:
    tell(make_order("late", ago(days=400)))
    settle()
    late = customer_of("late")
    for question, expected in (
        ("stage=lapsed", [late]),
        ("search=ann", [people[0]]),
        ("segment=active_customer&sort=name", [people[1], people[0], people[2]]),
        (f"as_of={ago(days=200).date()}", [late]),
    ):
        export = ask(marketer, question)
        make_waiting()
        assert [int(row["id"]) for row in rows_of(export)] == expected, question


def test_touchpoints_are_those_of_the_people_of_the_list_latest_first(marketer: User, people: list[int]) -> None:
    lines = (Line(product="=SUM(A1)", quantity=2, amount=700, description="Hat"),)
    tell(
        make_order(
            "who",
            ago(days=1),
            700,
            lines=lines,
            traits={"name": "Zoë"},
            properties={"note": "=1+1", "nested": {"a": [1, None]}},
        )
    )
    settle()
    export = ask(marketer, "sort=-last_seen", "touchpoints", "jsonl")
    assert make_waiting() == 1
    rows = rows_of(export)
    assert [row["known_as"] for row in rows[:1]] == ["Zoë"]
    assert len(rows) == 7
    first = rows[0]
    assert first["customer_id"] == str(customer_of("who"))
    assert (first["type"], first["role"], first["amount"], first["currency"]) == (
        "Order Completed",
        "purchase",
        "7.00",
        "EUR",
    )
    assert first["properties"] == {"note": "=1+1", "nested": {"a": [1, None]}}
    of_one = [row["occurred_at"] for row in rows if row["customer_id"] == str(people[0])]
    assert of_one == sorted(of_one, reverse=True)
    export = ask(marketer, "sort=-last_seen", "touchpoints")
    make_waiting()
    assert [row["id"] for row in rows_of(export)] == [row["id"] for row in rows]


def test_a_workbook_has_numbers_dates_and_no_formula(
    marketer: User, people: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("analytics.exports.workbook.ROWS_A_SHEET", 2)
    monkeypatch.setattr("analytics.exports.workbook.LONGEST_CELL", 40)
    export = ask(marketer, "sort=name", format="xlsx")
    assert make_waiting(note_seconds=0) == 1
    export.refresh_from_db()
    book = openpyxl.load_workbook(folder() / export.file)
    assert len(book.sheetnames) == 2
    names, *rows = book.worksheets[0].iter_rows(values_only=True)
    assert len(rows) == 2
    first = dict(zip(names, rows[0], strict=True))
    assert (first["name"], first["orders"], first["revenue"]) == ("'=cmd()", 2, 200)
    assert first["id"] == str(people[1])
    assert abs(first["last_seen (UTC)"].replace(tzinfo=UTC) - ago(days=3)) < timedelta(minutes=2)
    assert book.worksheets[1]["B2"].value == "Cy"
    touchpoints = ask(marketer, "", "touchpoints", "xlsx")
    make_waiting()
    touchpoints.refresh_from_db()
    book = openpyxl.load_workbook(folder() / touchpoints.file)
    assert sum(sheet.max_row - 1 for sheet in book.worksheets) == 6
    assert [path.name for path in folder().iterdir() if path.suffix != ".xlsx"] == []


def test_parquet_has_types_and_comes_in_row_groups(
    marketer: User, people: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("analytics.exports.parquet.ROWS_A_GROUP", 2)
    monkeypatch.setattr("analytics.exports.people.ROWS", 2)
    export = ask(marketer, "sort=name", format="parquet")
    assert make_waiting(note_seconds=0) == 1
    export.refresh_from_db()
    file = pyarrow.parquet.ParquetFile(folder() / export.file)
    assert file.metadata.num_row_groups == 2
    assert export.rows == 3
    types = {field.name: str(field.type) for field in file.schema_arrow}
    assert types["id"] == types["name"] == types["currency"] == "string"
    assert types["last_seen"] == "timestamp[ms, tz=UTC]"
    assert (types["orders"], types["revenue"]) == ("int64", "decimal128(22, 2)")
    first, *_rest = rows = file.read().to_pylist()
    assert [row["name"] for row in rows] == ["=cmd()", "Ann", "Cy"]  # a column of texts holds no formulas
    assert (first["id"], first["orders"], first["revenue"]) == (str(people[1]), 2, Decimal("200.00"))
    assert abs(first["last_seen"] - ago(days=3)) < timedelta(minutes=2)


def test_touchpoints_as_parquet_say_what_the_lines_say(marketer: User, people: list[int]) -> None:
    lines, columns = (
        ask(marketer, "sort=name", "touchpoints", "jsonl"),
        ask(marketer, "sort=name", "touchpoints", "parquet"),
    )
    make_waiting()
    columns.refresh_from_db()
    rows = pyarrow.parquet.read_table(folder() / columns.file).to_pylist()
    said = rows_of(lines)
    assert len(rows) == len(said) == 6
    for row, line in zip(rows, said, strict=True):
        assert (row["id"], row["type"], row["order_ref"]) == (line["id"], line["type"], line["order_ref"])
        assert str(row["amount"]) == line["amount"]
        assert row["occurred_at"].isoformat(timespec="milliseconds").replace("+00:00", "Z") == line["occurred_at"]
        assert json.loads(row["properties"]) == line["properties"]


def test_what_parquet_keeps_of_each_group_does_not_grow_with_the_texts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("analytics.exports.parquet.ROWS_A_GROUP", 1)
    columns = (Column("id", Kind.ID), Column("said"), Column("properties", Kind.JSON), Column("orders", Kind.WHOLE))
    kept = []
    for length in (10, 4_000):
        rows = [[(number, "x" * length, "y" * length, number)] for number in range(20)]
        path = tmp_path / f"{length}.parquet"
        with path.open("wb") as file:
            write_parquet(file=file, table=Table(columns, iter(rows), 2))
        told = pyarrow.parquet.ParquetFile(path).metadata
        assert told.num_row_groups == 20
        kept.append(told.serialized_size)
        # What readers skip groups by is there.
        assert told.row_group(7).column(3).statistics.max == 7
    assert kept[1] - kept[0] < 20 * 40


def test_pages_do_not_load_what_only_files_need() -> None:
    code = (
        "import os, sys, django; os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'clm.settings'); django.setup();"
        " import clm.urls, clm.tasks; print('pyarrow' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip().endswith("False"), done.stderr


def test_a_timeline_is_taken_away_as_it_is_narrowed(marketer: User, people: list[int]) -> None:
    for question, number in (
        ("", 2),
        ("&role=visit", 0),
        ("&role=purchase,visit", 2),
        (f"&as_of={ago(days=4).date()}", 1),
    ):
        export = ask(marketer, f"customer={people[0]}{question}", "touchpoints")
        make_waiting()
        assert len(rows_of(export)) == number, question


def test_what_happens_while_a_file_is_made_is_not_in_it(
    marketer: User, people: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("analytics.exports.people.ROWS", 1)
    written = jobs.pieces

    def disturbed(**asked: Any) -> Iterator[bytes]:
        for number, piece in enumerate(written(**asked)):
            if number == 1:  # the newest is written, the others are still to come
                elsewhere(lambda: (tell(make_order("person", ago(days=1), identities=_identity(people[0]))), settle()))
            yield piece

    monkeypatch.setattr(jobs, "pieces", disturbed)
    export = ask(marketer, "sort=-created")
    assert make_waiting() == 1
    assert [row["orders"] for row in rows_of(export)] == ["2", "2", "2"]
    monkeypatch.setattr(jobs, "pieces", written)
    again = ask(marketer, "sort=-created")
    make_waiting()
    assert sorted(row["orders"] for row in rows_of(again)) == ["2", "2", "3"]
    assert again.as_of > export.as_of


def _identity(customer: int) -> tuple[tuple[str, str], ...]:
    return tuple(Identity.objects.filter(profile__customer=customer).values_list("kind", "value")[:1])


def elsewhere(act: Callable[[], Any]) -> None:
    """Do something in a thread, and so on a connection, of its own."""

    def run() -> None:
        try:
            act()
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(timeout=30)
    assert not thread.is_alive()


HANG = """
import time
from analytics.exports import jobs
written = jobs.pieces
def hanging(**asked):
    for number, piece in enumerate(written(**asked)):
        yield piece
        if number == 1:
            print("half", flush=True)
            time.sleep(600)
jobs.pieces = hanging
jobs.make_waiting()
"""


def test_a_killed_process_leaves_nothing_and_the_next_one_starts_over(
    marketer: User,
    people: list[int],
    files: Path,
    spawn: Any,
) -> None:
    export = ask(marketer)
    process = spawn(f"from django.conf import settings\nsettings.MEDIA_ROOT = {str(files.parent)!r}\n{HANG}")
    assert process.stdout.readline().strip() == "half"
    process.kill()
    process.wait()
    export.refresh_from_db()
    assert export.state == "running"
    assert [path.name for path in files.iterdir()] == [f"{export.pk}-1.part"]
    assert make_waiting() == 0  # another one may still be at work
    Export.objects.update(lease_until=ago(seconds=1))
    assert make_waiting() == 1
    assert len(rows_of(export)) == 3
    assert export.attempt == 2
    (files / f"{export.pk}-1.part").touch()
    os.utime(files / f"{export.pk}-1.part", (time.time() - 7200,) * 2)
    forget_files(now=clock())
    assert [path.name for path in files.iterdir()] == [export.file]


def test_a_file_that_kills_whoever_makes_it_is_given_up(marketer: User, people: list[int]) -> None:
    export = ask(marketer)
    Export.objects.update(state="running", attempt=jobs.TRIES, lease_until=ago(seconds=1))
    assert make_waiting() == 0
    export.refresh_from_db()
    assert export.state == "failed"
    assert "3 times" in export.error


def test_a_stopped_file_is_not_finished(marketer: User, people: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analytics.exports.people.ROWS", 1)
    written = jobs.pieces
    seen = []

    def stopped(**asked: Any) -> Iterator[bytes]:
        for number, piece in enumerate(written(**asked)):
            seen.append(number)
            if number == 1:
                elsewhere(lambda: stop(export=Export.objects.get(), now=clock()))
            yield piece

    monkeypatch.setattr(jobs, "pieces", stopped)
    export = ask(marketer)
    assert make_waiting(note_seconds=0) == 0
    export.refresh_from_db()
    assert export.state == "cancelled"
    assert len(seen) == 2
    assert list(folder().iterdir()) == []
    with pytest.raises(ConflictError):
        stop(export=export, now=clock())


def test_how_far_it_is_is_told_while_it_is_made(
    marketer: User, people: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("analytics.exports.people.ROWS", 1)
    told = []
    written = jobs.pieces

    def watched(**asked: Any) -> Iterator[bytes]:
        for piece in written(**asked):
            elsewhere(lambda: told.extend(Export.objects.values_list("rows", "lease_until")))
            yield piece

    monkeypatch.setattr(jobs, "pieces", watched)
    ask(marketer)
    make_waiting(note_seconds=0)
    assert [rows for rows, _until in told] == [0, 0, 1, 2]
    assert told[-1][1] > told[0][1]


def test_what_cannot_be_asked_any_more_fails_with_its_reason(marketer: User, people: list[int]) -> None:
    export = ask(marketer, "segment=gone")
    assert make_waiting() == 0
    export.refresh_from_db()
    assert export.state == "failed"
    assert "gone" in export.error


def test_one_process_works_at_a_time_unless_more_may(marketer: User, people: list[int], settings: Any) -> None:
    busy, waiting = ask(marketer), ask(marketer)
    Export.objects.filter(pk=busy.pk).update(state="running", attempt=1, lease_until=clock() + timedelta(minutes=1))
    assert not has_work(now=clock())
    assert make_waiting() == 0
    settings.CLM_EXPORTS_AT_ONCE = 2
    assert make_waiting() == 1
    waiting.refresh_from_db()
    assert waiting.state == "ready"


def test_nobody_fills_the_disk_with_files_that_wait(marketer: User, people: list[int]) -> None:
    for _ in range(jobs.MOST_WAITING):
        ask(marketer)
    with pytest.raises(ConflictError):
        ask(marketer)
    ask(make_user("admin"))


def test_a_full_disk_ends_it_with_a_reason(marketer: User, people: list[int], settings: Any) -> None:
    settings.CLM_DISK_FREE_MB = 10**9
    export = ask(marketer)
    assert make_waiting(note_seconds=0) == 0
    export.refresh_from_db()
    assert (export.state, export.error) == ("failed", "The disk is nearly full.")
    assert list(folder().iterdir()) == []


# --- fetching -------------------------------------------------------------------------------------------------
def browser_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_only_whoever_asked_fetches_the_file_and_only_while_allowed_to(marketer: User, people: list[int]) -> None:
    export = ask(marketer)
    make_waiting()
    export.refresh_from_db()
    address = f"/exports/{export.pk}/{token(export)}/"
    mine = browser_of(marketer)
    assert address in mine.get("/exports/").content.decode()
    answer = mine.get(address)
    assert b"".join(answer).startswith(b"id,name")  # type: ignore[arg-type]
    answer.close()
    assert answer["Cache-Control"] == "no-store"
    assert f"customers-{export.as_of:%Y-%m-%dT%H%M%SZ}.csv" in answer["Content-Disposition"]
    export.refresh_from_db()
    assert export.downloads == 1
    assert mine.get(f"/exports/{export.pk}/{'0' * 40}/").status_code == 404
    others = browser_of(make_user("admin"))
    assert others.get(address).status_code == 404
    assert address not in others.get("/exports/").content.decode()
    assert marketer.email in others.get("/exports/").content.decode()
    assert Client().get(address).status_code == 302
    User.objects.filter(pk=marketer.pk).update(role=Role.AGENT)
    assert mine.get(address).status_code == 403


def test_a_link_ends_and_the_file_goes(marketer: User, people: list[int]) -> None:
    export = ask(marketer)
    make_waiting()
    export.refresh_from_db()
    address, mine = f"/exports/{export.pk}/{token(export)}/", browser_of(marketer)
    Export.objects.update(expires_at=clock())
    assert mine.get(address).status_code == 404
    assert forget_files(now=clock()) == 1
    assert list(folder().iterdir()) == []
    export.refresh_from_db()
    assert export.state == "expired"
    assert mine.get("/exports/").status_code == 200


def test_a_file_made_before_an_erasure_ends_with_it(marketer: User, people: list[int], files: Path) -> None:
    before = ask(marketer, "search=Ann&stage=retention")
    assert make_waiting() == 1
    erase(customer=people[0], now=clock())
    after = ask(marketer, "search=Cy")
    assert make_waiting() == 1
    assert (forget_in_exports(), forget_in_exports()) == (1, 0)
    before.refresh_from_db()
    after.refresh_from_db()
    assert (before.state, before.question) == (Export.State.EXPIRED, "stage=retention")
    assert (after.state, after.question) == (Export.State.READY, "search=Cy")
    assert {path.name for path in files.iterdir()} == {after.file}


def test_a_lists_page_leads_to_a_file(marketer: User, people: list[int]) -> None:
    mine = browser_of(marketer)
    asked = mine.get("/exports/new/?search=ann&sort=name")
    assert "ann" in asked.content.decode()
    refused = mine.post("/exports/new/?search=ann", {"what": "planets", "format": "csv"})
    assert refused.status_code == 422
    assert mine.post("/exports/new/?search=ann&sort=name", {"what": "customers", "format": "jsonl"}).status_code == 302
    export = Export.objects.get()
    assert (export.question, export.asked_by) == ("search=ann&sort=name", marketer.email)
    make_waiting()
    assert [row["id"] for row in rows_of(export)] == [str(people[0])]
    assert mine.get(f"/exports/{export.pk}/remove/").status_code == 200
    assert mine.post(f"/exports/{export.pk}/remove/").status_code == 302
    assert list(folder().iterdir()) == []
    assert mine.post(f"/exports/{export.pk}/remove/").status_code == 409
    assert browser_of(make_user("admin")).post(f"/exports/{export.pk}/remove/").status_code == 404


def test_the_command_makes_what_waits(marketer: User, people: list[int], manage: Any, files: Path) -> None:
    ask(marketer)
    done = manage("export", check=True)
    assert done.stdout.strip() == "1 files made"
    export = Export.objects.get()
    assert export.state == "ready"
    made = Path(configured.DATA_DIR) / "files" / "exports" / export.file
    assert made.exists()
    made.unlink()
    assert claimable(clock())


# --- sent at once ---------------------------------------------------------------------------------------------
def test_what_is_sent_at_once_is_written_down(marketer: User, people: list[int]) -> None:
    mine = browser_of(marketer)
    answer = mine.get("/customers/export/?sort=name&what=touchpoints&format=jsonl")
    lines = answer.getvalue().decode().splitlines()  # type: ignore[attr-defined]
    assert answer["Content-Type"] == "application/jsonl"
    assert [json.loads(line)["known_as"] for line in lines] == ["=cmd()", "=cmd()", "Ann", "Ann", "Cy", "Cy"]
    export = Export.objects.get()
    assert (export.state, export.subject, export.rows, export.error) == ("streamed", "touchpoints", 6, "")
    assert export.size > 100


def test_whoever_hangs_up_is_written_down_too(
    marketer: User, people: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("analytics.exports.people.ROWS", 1)
    answer = browser_of(marketer).get("/customers/export/?sort=name")
    sent = iter(answer)
    assert next(sent).decode("utf-8-sig").startswith("id,name")
    next(sent)
    answer.close()
    export = Export.objects.get()
    assert export.error == "it was not sent to its end"
    assert export.rows <= 2


def test_nothing_is_sent_where_something_is_wrong(marketer: User, people: list[int]) -> None:
    mine = browser_of(marketer)
    for query in ("sort=colour", "format=xml", "what=planets", "as_of=2999-01-01"):
        assert mine.get(f"/customers/export/?{query}").status_code == 400, query
    assert not Export.objects.exists()
