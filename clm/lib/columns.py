"""Columns in and out of PostgreSQL by binary COPY, straight into and from NumPy: no Python object per row.

Only fixed-width columns that are never NULL can travel so: a row is then a fixed number of bytes, and a whole result
one structured array. Format: PostgreSQL manual, COPY, "Binary Format"."""

from collections.abc import Mapping
from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt
from django.db import connection
from psycopg2 import sql as composed

from .sql import query

# One letter per column: bigint, integer, smallint, and timestamptz as whole milliseconds since 1970.
_WIRE = {"q": ">i8", "i": ">i4", "h": ">i2", "t": ">i8"}
_HELD = {"q": np.int64, "i": np.int32, "h": np.int16, "t": np.int64}
_HEADER = b"PGCOPY\n\xff\r\n\x00" + b"\x00" * 8
_TRAILER = b"\xff\xff"
_POSTGRES_EPOCH_MS = 946_684_800_000  # 2000-01-01

Columns = dict[str, npt.NDArray[Any]]


def _row_type(columns: Mapping[str, str]) -> np.dtype[Any]:
    parts: list[tuple[str, str]] = [("fields", ">i2")]
    for name, kind in columns.items():
        parts += [(f"{name} width", ">i4"), (name, _WIRE[kind])]
    return np.dtype(parts)


def fetch_columns(name: str, columns: Mapping[str, str], /, **parameters: Any) -> Columns:
    """The result of a query file as NumPy columns. `columns` gives name and letter of each selected column in order."""
    out = BytesIO()
    with connection.cursor() as cursor:
        statement = cursor.cursor.mogrify(query(name).rstrip().rstrip(";"), parameters).decode()
        cursor.cursor.copy_expert(f"COPY ({statement}) TO STDOUT (FORMAT binary)", out)
    row = _row_type(columns)
    data = out.getbuffer()
    count, rest = divmod(len(data) - len(_HEADER) - len(_TRAILER), row.itemsize)
    assert rest == 0, f"{name}: a column is NULL or not of the width it is declared with"
    rows = np.frombuffer(data, row, count, len(_HEADER))
    assert count == 0 or rows["fields"][0] == len(columns), f"{name} selects other columns than declared"
    taken = {}
    for column, kind in columns.items():
        values = rows[column].astype(_HELD[kind])
        if kind == "t":
            values //= 1000
            values += _POSTGRES_EPOCH_MS
        taken[column] = values
    return taken


def store_columns(table: str, columns: Mapping[str, str], values: Columns) -> int:
    """Append rows to a table by COPY; how many. Times are given in milliseconds since 1970."""
    count = len(next(iter(values.values())))
    if count == 0:
        return 0
    row = _row_type(columns)
    rows = np.zeros(count, row)
    rows["fields"] = len(columns)
    for column, kind in columns.items():
        rows[f"{column} width"] = row[column].itemsize
        rows[column] = (values[column] - _POSTGRES_EPOCH_MS) * 1000 if kind == "t" else values[column]
    statement = composed.SQL("COPY {} ({}) FROM STDIN (FORMAT binary)").format(
        composed.Identifier(table), composed.SQL(", ").join(map(composed.Identifier, columns))
    )
    with connection.cursor() as cursor:
        cursor.cursor.copy_expert(statement, BytesIO(_HEADER + rows.tobytes() + _TRAILER))
    return count
