"""Rows of any width into PostgreSQL by binary COPY: the sibling of `columns` for tables with texts, JSON and NULLs.

Columns of one width that are never NULL are laid out by NumPy, all of a row at once; the others are encoded one by one
and joined. Format: PostgreSQL manual, COPY, "Binary Format"."""

import struct
from collections.abc import Iterable, Mapping, Sequence
from io import BytesIO
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt
from django.db import connection
from psycopg2 import sql as composed

from .columns import HEADER, POSTGRES_EPOCH_MS, TRAILER

_NULL = b"\xff\xff\xff\xff"
_WIDTH = struct.Struct(">i").pack
_NUMERIC = np.dtype(
    [("digits", ">i2"), ("weight", ">i2"), ("sign", ">u2"), ("scale", ">i2"), *((f"g{n}", ">i2") for n in range(4))]
)
# One letter per column. Of one width: bigint, integer, smallint, timestamptz as whole milliseconds since 1970, boolean,
# uuid as 16 bytes each, numeric as whole ten-thousandths below 10^12. Of any width: text and jsonb as str.
_FIXED = {"q": ">i8", "i": ">i4", "h": ">i2", "t": ">i8", "b": "u1", "u": "V16", "n": _NUMERIC}


def store_rows(table: str, columns: Mapping[str, str], values: Mapping[str, Any]) -> int:
    """Append rows to a table by COPY; how many. `columns` gives name and letter of each.

    Columns of one width are arrays, masked where they are NULL (uuid: the bytes of all, end to end); texts are lists of
    str, None where they are NULL."""
    if not columns:
        raise ValueError("rows need columns")
    plain = [name for name, kind in columns.items() if kind in _FIXED and not np.ma.isMaskedArray(values[name])]
    other = [name for name in columns if name not in plain]
    # Only what is never NULL can lie at one distance from the row's beginning.
    head, count = _heads({name: columns[name] for name in plain}, len(columns), values)
    if count is None:
        count = len(values[other[0]])
        head = [_WIDTH(len(columns))[2:]] * count
    if count == 0:
        return 0
    encoded: list[Iterable[bytes]] = [head]
    for name in other:
        told = values[name]
        assert len(told) == count, f"{table}.{name} has another length"
        encoded.append(_nullable(columns[name], told) if columns[name] in _FIXED else _texts(columns[name], told))
    body = b"".join(chain.from_iterable(zip(*encoded, strict=True)))
    statement = composed.SQL("COPY {} ({}) FROM STDIN (FORMAT binary)").format(
        composed.Identifier(table), composed.SQL(", ").join(map(composed.Identifier, [*plain, *other]))
    )
    with connection.cursor() as cursor:
        cursor.cursor.copy_expert(statement, BytesIO(b"".join((HEADER, body, TRAILER))), size=1 << 20)
    return count


def _heads(columns: Mapping[str, str], fields: int, values: Mapping[str, Any]) -> tuple[list[bytes], int | None]:
    """The number of fields and the columns of one width of every row; None: there are no such columns."""
    if not columns:
        return [], None
    parts: list[tuple[str, Any]] = [("fields", ">i2")]
    for name, kind in columns.items():
        parts += [(f"{name} width", ">i4"), (name, _FIXED[kind])]
    arrays = {name: _wire(kind, values[name]) for name, kind in columns.items()}
    count = len(next(iter(arrays.values())))
    rows = np.zeros(count, np.dtype(parts))
    rows["fields"] = fields
    for name, array in arrays.items():
        rows[f"{name} width"] = rows.dtype[name].itemsize
        rows[name] = array
    return _pieces(rows), count


def _wire(kind: str, told: Any) -> npt.NDArray[Any]:
    if kind == "u":
        return np.frombuffer(told, "V16")
    told = np.asarray(told)
    if kind == "t":
        return (told - POSTGRES_EPOCH_MS) * 1000
    return _numerics(told) if kind == "n" else told


def _numerics(told: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """PostgreSQL's own form: groups of four decimal digits, here 10^8, 10^4, 1 and 10^-4."""
    rows = np.zeros(len(told), _NUMERIC)
    rows["digits"], rows["weight"], rows["scale"] = 4, 2, 4
    rows["sign"] = np.where(told < 0, 0x4000, 0)
    left = np.abs(told.astype(np.int64))
    assert not len(left) or int(left.max()) < 10**16, "a numeric lies outside what can be sent"
    for group in ("g3", "g2", "g1", "g0"):
        left, rows[group] = np.divmod(left, 10_000)
    return rows


def _pieces(rows: npt.NDArray[Any]) -> list[bytes]:
    width, data = rows.dtype.itemsize, rows.tobytes()
    return [data[start : start + width] for start in range(0, len(data), width)]


def _nullable(kind: str, told: "np.ma.MaskedArray[Any, Any]") -> list[bytes]:
    missing = np.ma.getmaskarray(told)
    present = ~missing
    out = [_NULL] * len(missing)
    array = _wire(kind, told.data[present])
    rows = np.zeros(len(array), np.dtype([("width", ">i4"), ("value", _FIXED[kind])]))
    rows["width"], rows["value"] = rows.dtype["value"].itemsize, array
    for place, piece in zip(np.flatnonzero(present).tolist(), _pieces(rows), strict=True):
        out[place] = piece
    return out


def _texts(kind: str, told: Sequence[str | None]) -> Iterable[bytes]:
    first = {"s": b"", "j": b"\x01"}[kind]

    def encoded(text: str | None) -> bytes:
        if text is None:
            return _NULL
        data = first + text.encode()
        return _WIDTH(len(data)) + data

    # Many rows say the same few things.
    distinct = set(told)
    if 4 * len(distinct) < len(told):
        known = {text: encoded(text) for text in distinct}
        return [known[text] for text in told]
    return map(encoded, told)
