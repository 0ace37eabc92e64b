"""The list of customers as a CSV file: the same people in the same order as the page shows, read page by page while the
answer is being sent, so a million customers take no more memory than a thousand.

Spreadsheet programs take a text that begins with = + - or @ for a formula, whoever wrote it: such texts begin with an
apostrophe here. Numbers are written bare. The file is UTF-8; with a byte order mark Excel reads it as such, without one
every other program does too."""

import csv
from collections.abc import Iterator, Sequence
from datetime import datetime
from io import StringIO

from clm.lib.milliseconds import written
from clm.lib.money_text import amount_text

from .customer_list import Asked, CustomerPage, CustomerRow, customers
from .listing_order import Order
from .sorting import Sorting

ROWS = 1_000  # read and written at once
BYTE_ORDER_MARK = "\ufeff"
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")


def exported(
    *,
    asked: Asked,
    models: Sequence[Sorting],
    order: Order,
    now: datetime,
    currency: str,
    minor_digits: int,
    byte_order_mark: bool,
) -> Iterator[bytes]:
    """The file, piece by piece. What cannot be answered is raised at once, before anything is sent."""
    first = _page(asked, models, order, now, None)
    return _pieces(first, asked, models, now, currency, minor_digits, byte_order_mark)


def safe(text: str) -> str:
    """A text that no spreadsheet program takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def _pieces(
    page: CustomerPage,
    asked: Asked,
    models: Sequence[Sorting],
    now: datetime,
    currency: str,
    minor_digits: int,
    byte_order_mark: bool,
) -> Iterator[bytes]:
    head = ["id", "name", "email", "phone", "known_as"]
    head += [f"{model.key}_{what}" for model in models for what in ("stage", "since")]
    head += ["last_seen", "touchpoints", "orders", "revenue", "currency"]
    yield (BYTE_ORDER_MARK if byte_order_mark else "").encode() + _lines([head])
    order = page.order  # what the first page is in, all of them are in
    while True:
        yield _lines(_cells(row, models, currency, minor_digits) for row in page.rows)
        if page.next_cursor is None:
            return
        page = _page(asked, models, order, now, page.next_cursor)


def _page(asked: Asked, models: Sequence[Sorting], order: Order, now: datetime, cursor: str | None) -> CustomerPage:
    return customers(asked=asked, models=models, now=now, cursor=cursor, page_size=ROWS, with_next=False, order=order)


def _cells(row: CustomerRow, models: Sequence[Sorting], currency: str, minor_digits: int) -> list[str]:
    cells = [str(row.id), *(safe(text) for text in (row.name, row.email, row.phone, row.known_as))]
    for model in models:
        placed = row.by_model.get(model.key)
        cells += [
            safe(placed.stage.name) if placed and placed.stage else "",
            _instant(placed.since if placed else None),
        ]
    cells += [_instant(row.last_seen), str(row.touchpoints), str(row.orders)]
    return [*cells, amount_text(row.revenue, minor_digits), currency]


def _instant(at: datetime | None) -> str:
    return "" if at is None else written(at)


def _lines(rows: "Iterator[list[str]] | list[list[str]]") -> bytes:
    out = StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue().encode()
