"""Where the lines of a file wait until their invoice is whole: invoices need not be contiguous in a file, and a file
need not fit in memory. A temporary table of the session, which PostgreSQL sorts on disk and drops by itself; nothing of
it must survive a kill, because the same file gives the same table again."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

from django.db import connection
from django.db.backends.utils import CursorWrapper

from clm.lib.milliseconds import to_ms

from .order_lines import OrderLineReader
from .orders import StagedLine
from .parsing import Row

BLOCK = 1 << 22  # characters sent to the server at a time
FETCH = 2_000  # rows fetched from the server at a time
MAX_RAW = 4_096

_MAKE = """
CREATE TEMPORARY TABLE staged_order_line (
    line bigint, at bigint, digest bigint, quantity numeric, price numeric, invoice text COLLATE "C", customer text,
    product text, description text, category text, traits text, said text, reason text, place text,
    message text, raw bytea
)
"""
_COPY = """
COPY staged_order_line FROM STDIN WITH (
    FORMAT csv,
    FORCE_NOT_NULL (invoice, customer, product, description, category, traits, said, reason, place, message)
)
"""
_READ = """
SELECT invoice, line, customer, product, description, category, quantity, price, at, traits, said, reason
FROM staged_order_line WHERE invoice > %(after)s OR %(after)s IS NULL ORDER BY invoice, line
"""
_NAMED = """
SELECT count(DISTINCT nullif(invoice, '')), count(DISTINCT nullif(customer, '')), count(*) - count(DISTINCT digest)
FROM staged_order_line
"""
_FAULTS = """
SELECT line, place, message, raw FROM staged_order_line
WHERE reason <> '' AND (invoice > %(after)s OR %(after)s IS NULL) AND invoice <= %(until)s
ORDER BY line LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True)
class StagedFault:
    """A line that could not be read. raw: the row as it stands in the file, cut to MAX_RAW characters, as UTF-8."""

    line: int
    column: str
    message: str
    raw: bytes


def stage(rows: Iterable[Row], *, reader: OrderLineReader, tell: Callable[[int], None]) -> int:
    """Fill the staging table afresh; returns the number of rows. `tell` hears how many were read, now and then."""
    clear()
    count = 0
    with connection.cursor() as cursor:
        cursor.execute(_MAKE)
        block = io.StringIO()
        writer = csv.writer(block)
        for row in rows:
            writer.writerow(_record(row, reader))
            count += 1
            if block.tell() > BLOCK:
                _send(cursor, block)
                tell(count)
        _send(cursor, block)
    tell(count)
    return count


def _record(row: Row, reader: OrderLineReader) -> tuple[object, ...]:
    read = reader.read(row)
    at = 0 if read.at is None else to_ms(read.at)
    fault = read.fault
    told: tuple[str, str, str, str | None] = ("", "", "", None)
    if fault is not None:
        told = (fault.reason, fault.column, fault.message, "\\x" + row.text[:MAX_RAW].encode().hex())
    return (
        read.line,
        at,
        read.digest,
        read.quantity,
        read.price,
        read.invoice,
        read.customer,
        read.product,
        read.description,
        read.category,
        read.traits,
        read.order,
        *told,
    )


def _send(cursor: CursorWrapper, block: io.StringIO) -> None:
    block.seek(0)
    cursor.copy_expert(_COPY, block)
    block.seek(0)
    block.truncate()


def clear() -> None:
    """Drop the staging table of this session, if there is one."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS pg_temp.staged_order_line")


def invoices(*, after: str | None) -> Iterator[tuple[str, Iterator[StagedLine]]]:
    """Invoices in order of their number, from the one after `after`; each with its lines in the order of the file,
    which must be consumed before the next invoice. Rows without an invoice number come first, under an empty one.

    The cursor outlives the transactions that the caller commits while it reads."""
    with connection.connection.cursor(name="staged_order_lines", withhold=True) as cursor:
        cursor.itersize = FETCH
        cursor.execute(_READ, {"after": after})
        for invoice, lines in groupby(cursor, key=itemgetter(0)):
            yield invoice, (StagedLine._make(line[1:]) for line in lines)


def named() -> dict[str, int]:
    """What the file names, whatever becomes of it: invoices, customers, and rows that say in every cell what an earlier
    row said."""
    with connection.cursor() as cursor:
        cursor.execute(_NAMED)
        invoices, customers, duplicates = cursor.fetchone()
    return {"invoices_named": invoices, "customers_named": customers, "duplicate_lines": duplicates}


def faults(*, after: str | None, until: str, limit: int) -> list[StagedFault]:
    """The first faulty lines of the invoices after `after` up to `until`."""
    with connection.cursor() as cursor:
        cursor.execute(_FAULTS, {"after": after, "until": until, "limit": limit})
        return [StagedFault(line, place, message, bytes(raw)) for line, place, message, raw in cursor.fetchall()]
