import datetime as dt
import uuid
from decimal import Decimal

import numpy as np
import pytest
from django.db import connection

from clm.lib.rows import store_rows

COLUMNS = {
    "big": "q", "whole": "i", "small": "h", "at": "t", "yes": "b", "hash": "u", "price": "n",
    "big_or_not": "q", "at_or_not": "t", "price_or_not": "n", "said": "s", "told": "j",
}  # fmt: skip


@pytest.fixture
def table(db):
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE every_kind (big bigint NOT NULL, whole int NOT NULL, small smallint NOT NULL,"
            " at timestamptz NOT NULL, yes boolean NOT NULL, hash uuid NOT NULL, price numeric(20, 4) NOT NULL,"
            " big_or_not bigint, at_or_not timestamptz, price_or_not numeric(14, 3), said text, told jsonb)"
        )
    return "every_kind"


def stored(table: str) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(COLUMNS)} FROM {table} ORDER BY whole")
        return cursor.fetchall()


def test_every_kind_of_column_comes_back_as_it_was_given(table):
    hashes = [uuid.uuid4() for _each in range(3)]
    instants = np.array([-1, 0, 1_700_000_000_123])
    count = store_rows(
        table,
        COLUMNS,
        {
            "big": np.array([-(2**62), 0, 2**62]),
            "whole": np.array([1, 2, 3]),
            "small": np.array([-32_768, 0, 32_767]),
            "at": instants,
            "yes": np.array([True, False, True]),
            "hash": b"".join(each.bytes for each in hashes),
            "price": np.array([-(10**16) + 1, 0, 123_456]),
            "big_or_not": np.ma.array([7, 8, 9], mask=[False, True, False]),
            "at_or_not": np.ma.array(instants, mask=[True, False, False]),
            "price_or_not": np.ma.array([10_000, -15_000, 0], mask=[False, False, True]),
            "said": ["", None, "é 漢 \\ \t\n"],
            "told": ['{"a": 1}', "[]", None],
        },
    )
    assert count == 3
    at = [dt.datetime.fromtimestamp(0, dt.UTC) + dt.timedelta(milliseconds=int(ms)) for ms in instants]
    assert stored(table) == [
        (-(2**62), 1, -32_768, at[0], True, hashes[0], Decimal("-999999999999.9999"), 7, None, Decimal("1.000"), "",
         '{"a": 1}'),
        (0, 2, 0, at[1], False, hashes[1], Decimal("0.0000"), None, at[1], Decimal("-1.500"), None, "[]"),
        (2**62, 3, 32_767, at[2], True, hashes[2], Decimal("12.3456"), 9, at[2], None, "é 漢 \\ \t\n", None),
    ]  # fmt: skip


def test_texts_that_repeat_are_stored_as_often_as_they_are_told(table):
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE texts (said text)")
    assert store_rows("texts", {"said": "s"}, {"said": ["a", "b"] * 50}) == 100
    with connection.cursor() as cursor:
        cursor.execute("SELECT said, count(*) FROM texts GROUP BY 1 ORDER BY 1")
        assert cursor.fetchall() == [("a", 50), ("b", 50)]


def test_no_rows_are_no_rows(table):
    empty = {name: [] if kind in "sj" else b"" if kind == "u" else np.array([]) for name, kind in COLUMNS.items()}
    for name in ("big_or_not", "at_or_not", "price_or_not"):
        empty[name] = np.ma.array([], np.int64, mask=[])
    assert store_rows(table, COLUMNS, empty) == 0
    assert stored(table) == []


def test_a_number_too_large_for_its_form_is_refused(table):
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE prices (price numeric)")
    with pytest.raises(AssertionError, match="outside"):
        store_rows("prices", {"price": "n"}, {"price": np.array([10**16])})
