"""Columns travel between PostgreSQL and NumPy as they are."""

from pathlib import Path

import numpy as np
import pytest
from django.db import connection
from pytest_django import Settings

from clm.lib.columns import fetch_columns, store_columns

pytestmark = pytest.mark.django_db

KINDS = {"big": "q", "whole": "i", "small": "h", "at": "t"}
VALUES = [
    (1, -2, 3, "1990-01-01T00:00:00.001Z", 631_152_000_001),
    (2**62, 2**31 - 1, -(2**15), "2199-12-31T23:59:59.999Z", 7_258_118_399_999),
    (-(2**62), 0, 7, "1999-12-31T23:59:59.999Z", 946_684_799_999),
]


def asked(settings: Settings, folder: Path, name: str, text: str) -> str:
    """A query file of that text."""
    settings.BASE_DIR = folder
    (folder / "some" / "sql").mkdir(parents=True)
    (folder / "some" / "sql" / f"{name}.sql").write_text(text)
    return f"some/{name}"


def test_values_come_as_they_were_selected(settings: Settings, tmp_path: Path) -> None:
    name = asked(
        settings,
        tmp_path,
        "values",
        "SELECT big, whole, small, at::timestamptz FROM unnest(%(big)s::bigint[], %(whole)s::int[],"
        " %(small)s::smallint[], %(at)s::text[]) AS t (big, whole, small, at) -- percent signs: %%",
    )
    big, whole, small, at, ms = map(list, zip(*VALUES, strict=True))
    found = fetch_columns(name, KINDS, big=big, whole=whole, small=small, at=at)
    assert {key: column.tolist() for key, column in found.items()} == {
        "big": big,
        "whole": whole,
        "small": small,
        "at": ms,
    }
    nothing = fetch_columns(name, KINDS, big=[], whole=[], small=[], at=[])
    assert {key: column.tolist() for key, column in nothing.items()} == {key: [] for key in KINDS}


def test_values_strung_together_come_in_one_piece(settings: Settings, tmp_path: Path) -> None:
    name = asked(
        settings,
        tmp_path,
        "strung",
        "SELECT n / 3, count(*), string_agg(int4send(n), NULL) FROM generate_series(%(low)s, %(high)s) AS n"
        " GROUP BY 1 ORDER BY 1",
    )
    found = fetch_columns(name, {"third": "i", "count": "q", "n": "I"}, low=4, high=10)
    assert {key: column.tolist() for key, column in found.items()} == {
        "third": [1, 2, 3],
        "count": [2, 3, 2],
        "n": [4, 5, 6, 7, 8, 9, 10],
    }


def test_texts_come_as_they_are_whatever_they_hold(settings: Settings, tmp_path: Path) -> None:
    name = asked(
        settings, tmp_path, "texts", "SELECT n, said FROM unnest(%(said)s::text[]) WITH ORDINALITY AS t (said, n)"
    )
    said = ["", "plain", "two\nlines", "\x1f \x01", "grün 🌱", "", '["a", null]', ""]
    found = fetch_columns(name, {"n": "q", "said": "s"}, said=said)
    assert found["said"].tolist() == said and found["n"].tolist() == list(range(1, len(said) + 1))
    assert fetch_columns(name, {"n": "q", "said": "s"}, said=[])["said"].tolist() == []


def test_a_column_that_is_null_is_refused(settings: Settings, tmp_path: Path) -> None:
    name = asked(settings, tmp_path, "null", "SELECT n, nullif(n, 2) FROM generate_series(1, 3) AS n")
    with pytest.raises(AssertionError, match="a column is NULL"):
        fetch_columns(name, {"one": "i", "other": "i"})


def test_what_is_stored_is_what_was_given() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE stored (big bigint, whole int, small smallint, at timestamptz)")
        columns = dict(zip((*KINDS, "said"), map(np.array, zip(*VALUES, strict=True)), strict=True))
        given = {"big": columns["big"], "whole": columns["whole"], "small": columns["small"], "at": columns["said"]}
        assert store_columns("stored", KINDS, given) == len(VALUES)
        cursor.execute(
            "SELECT big, whole, small, at = said::timestamptz FROM (SELECT *, row_number() OVER () AS n"
            " FROM stored) AS t JOIN unnest(%s::text[]) WITH ORDINALITY AS u (said, n) USING (n) ORDER BY n",
            [[row[3] for row in VALUES]],
        )
        assert cursor.fetchall() == [(*row[:3], True) for row in VALUES]
