"""What stands in a file that somebody asked for: whom the list holds, in its order, in types that others read."""

import json
import subprocess
import sys
from datetime import UTC, timedelta
from decimal import Decimal
from pathlib import Path

import openpyxl
import pyarrow.parquet
import pytest

from analytics.exports.jobs import folder, has_work, make_waiting
from analytics.exports.parquet import write_parquet
from analytics.exports.tables import Column, Kind, Table
from clm.lib.access.models import User
from customers.events import Line
from customers.ingest import clock
from tests.factories import make_order
from tests.lifecycle.making import ago, customer_of, settle, tell

from .asking import ask, rows_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("files")]


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
