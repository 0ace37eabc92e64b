"""One row of a file of order lines, read cell by cell: either a line ready to be grouped, or a fault with its column.

The numbers are read as written: no exponents, no NaN, no thousands marks to guess at."""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from clm.lib.milliseconds import to_ms

from .local_times import LocalTimes
from .order_mapping import OrderConsent, OrderMapping
from .parsing import Row
from .receiving.people import email_of

MAX_ID = 512
MAX_TEXT = 10_000  # characters of a product, a description, a category, a trait
_NUMBER = re.compile(r"([+-]?)(\d*)(?:\.(\d*))?", re.ASCII)
# Whole digits and decimal places that the schema keeps without rounding.
QUANTITY_DIGITS = (11, 3)
PRICE_DIGITS = (10, 6)
_INSTANTS = ("refunded_at", "cancelled_at")


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a line cannot be used: a stable key, the column, and a sentence for people."""

    reason: str
    column: str
    message: str


class ReadLine(NamedTuple):
    """One row of the file. `fault` None: every cell was understood; otherwise only line, invoice, customer and digest
    mean anything. quantity and price are plain decimals as text; traits is a JSON object as text, and so is what the
    row says of the order as a whole ("" for nothing): plain decimals, instants in ms since 1970, the status folded, the
    state of consent; digest tells rows equal in every cell."""

    line: int
    invoice: str
    customer: str
    digest: int
    product: str = ""
    description: str = ""
    category: str = ""
    quantity: str = "0"
    price: str = "0"
    at: datetime | None = None
    traits: str = "{}"
    order: str = ""
    fault: Fault | None = None


class BadCell(ValueError):  # noqa: N818 a fault of the data
    """A cell that cannot be read, as (reason, sentence)."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class OrderLineReader:
    """Reads rows under one mapping. `now`: a line that lies after it is a fault."""

    def __init__(self, *, mapping: OrderMapping, header: Sequence[str], times: LocalTimes, now: datetime) -> None:
        self.mapping, self.times, self.now = mapping, times, now
        self.header = header
        place = {what: header.index(name) for what, name in mapping.columns.items()}
        self.invoice, self.customer = place["invoice"], place["customer"]
        self.product, self.time = place["product"], place["time"]
        self.quantity, self.price = place["quantity"], place["price"]
        self.description, self.category = place.get("description"), place.get("category")
        # What a row leaves empty that its invoice's row before says: times, customers and traits.
        self.carried = [self.customer, self.time, *(header.index(name) for name in mapping.traits.values())]
        self.row_before: list[str] = []
        self.order_places = [(what, name, header.index(name)) for what, name in mapping.order.items()]
        self.consent_place = header.index(mapping.consent.column) if mapping.consent else None
        self.trait_places = [(key, header.index(name)) for key, name in mapping.traits.items()]
        # The same numbers and traits come again and again.
        self.number = lru_cache(maxsize=65_536)(self._number)
        self.traits = lru_cache(maxsize=4_096)(self._traits)

    def read(self, row: Row) -> ReadLine:
        """Never raises for what a file may contain: a fault is part of the answer."""
        cells = self._filled(row.cells) if self.mapping.fills_down else row.cells
        digest = int.from_bytes(
            hashlib.blake2b("\x1f".join(cells).encode(), digest_size=8).digest(), "big", signed=True
        )
        invoice = cells[self.invoice].strip() if self.invoice < len(cells) else ""
        customer = cells[self.customer].strip() if self.customer < len(cells) else ""
        if customer in self.mapping.missing_customers:
            customer = ""
        if self.mapping.identity_kind == "email":
            customer = email_of(customer)
        columns = self.mapping.columns
        column = ""
        try:
            if len(cells) != len(self.header):
                raise BadCell("wrong_width", f"the row has {len(cells)} cells, the header {len(self.header)}")
            if "\0" in row.text:
                column = next(name for name, cell in zip(self.header, cells, strict=True) if "\0" in cell)
                raise BadCell("bad_text", "holds a zero byte, which no text has")
            column = columns["invoice"]
            if not invoice or len(invoice) > MAX_ID:
                raise BadCell("no_invoice", f"an invoice number has 1 to {MAX_ID} characters")
            column = columns["customer"]
            if len(customer) > MAX_ID:
                raise BadCell("bad_text", f"a customer's id has at most {MAX_ID} characters")
            if len(row.text) > MAX_TEXT:
                for name, cell in zip(self.header, cells, strict=True):
                    if len(cell) > MAX_TEXT:
                        column = name
                        raise BadCell("bad_text", f"has more than {MAX_TEXT:,} characters")
            column = columns["quantity"]
            quantity = self.number(cells[self.quantity], QUANTITY_DIGITS)
            column = columns["price"]
            price = self.number(cells[self.price], PRICE_DIGITS)
            column = columns["time"]
            at = self._instant(cells[self.time])
            order: dict[str, Any] = {}
            for what, name, place in self.order_places:
                column = name
                if text := cells[place].strip():
                    order[what] = self._of_order(what, text)
            if (consent := self.mapping.consent) and self.consent_place is not None:
                column = consent.column
                if text := cells[self.consent_place].strip():
                    order["consent"] = _state(consent, text)
        except BadCell as error:
            safe = invoice.replace("\0", "")[:MAX_ID]
            return ReadLine(row.line, safe, "", digest, fault=Fault(error.reason, column, str(error)))
        return ReadLine(
            row.line,
            invoice,
            customer,
            digest,
            cells[self.product],
            "" if self.description is None else cells[self.description],
            "" if self.category is None else cells[self.category],
            quantity,
            price,
            at,
            self.traits(*[cells[place] for _key, place in self.trait_places]),
            json.dumps(order) if order else "",
        )

    def _of_order(self, what: str, text: str) -> str | int:
        if what == "status":
            return text.casefold()
        if what == "currency":
            return text.upper()
        return to_ms(self._instant(text)) if what in _INSTANTS else self.number(text, PRICE_DIGITS)

    def _filled(self, cells: list[str]) -> list[str]:
        before, self.row_before = self.row_before, cells
        if len(cells) != len(before) or cells[self.invoice] != before[self.invoice]:
            return cells
        self.row_before = list(cells)
        for place in self.carried:
            self.row_before[place] = cells[place] or before[place]
        return self.row_before

    def _number(self, text: str, digits: tuple[int, int]) -> str:
        plain = text.strip()
        if self.mapping.decimal_mark == ",":
            plain = "?" if "." in plain else plain.replace(",", ".")
        match = _NUMBER.fullmatch(plain)
        if match is None or not (match[2] or match[3]):
            raise BadCell("bad_number", f'"{text[:60]}" is not a plain decimal number')
        whole, places = match[2].lstrip("0"), (match[3] or "").rstrip("0")
        if len(whole) > digits[0] or len(places) > digits[1]:
            raise BadCell("bad_number", f'"{text[:60]}" has more than {digits[0]} digits or {digits[1]} decimal places')
        return f"{match[1]}{whole or '0'}.{places or '0'}"

    def _traits(self, *values: str) -> str:
        told = {key: value for (key, _place), value in zip(self.trait_places, values, strict=True) if value}
        return json.dumps(told, ensure_ascii=False)

    def _instant(self, text: str) -> datetime:
        try:
            at = self.times.instant(text)
        except ValueError as error:
            raise BadCell("bad_time", f'"{text[:60]}" {error}') from None
        if at > self.now:
            raise BadCell("in_the_future", f'"{text[:60]}" lies in the future')
        return at


def _state(consent: OrderConsent, text: str) -> str:
    """What a cell says of consent."""
    state = consent.says.get(text.casefold())
    if state is None:
        known = ", ".join(f'"{one}"' for one in consent.says)
        raise BadCell("bad_value", f'"{text[:60]}" is none of {known}')
    return state
