"""One row of a file of people: whom it is about, what it tells of them, and what happened to them. Or a fault, with its
column. Nothing is looked up; the same row always reads the same."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, NamedTuple

import phonenumbers

from ..events import EARLIEST
from ..models import Touchpoint
from ..money import MOST_SENT
from ..receiving.money import converted, currency_of
from ..receiving.people import LONGEST, email_of, is_illegal, phone_of
from ..receiving.refusal import Refusal
from .cells import BadCell, Cells, listed, truth
from .mapping import RECOGNISING, USES, Column, RowMapping, RowTouchpoint

MAX_TEXT = 100_000  # characters of a cell that is kept
_PLACES = Decimal("0.0001")


class ToldTouchpoint(NamedTuple):
    """Something that happened. id: what the file calls it, "" for what type, person and instant tell apart."""

    type: str
    channel: str
    at: datetime
    id: str = ""
    amount: int | None = None
    original_amount: Decimal | None = None
    currency: str = ""
    order_ref: str = ""
    flags: int = 0
    properties: Mapping[str, Any] = {}


class ToldConsent(NamedTuple):
    """A statement of consent about an address."""

    address: str
    channel: str
    purpose: str
    state: str
    at: datetime | None


class ToldAccount(NamedTuple):
    """The organisation that somebody belongs to."""

    key: str
    name: str
    properties: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a row cannot be used: a stable key (`line_account.REASONS`), the column, and a sentence for people."""

    reason: str
    column: str
    message: str


@dataclass(frozen=True, slots=True)
class ReadRow:
    """A row that was understood, or its fault. told_at: since when it holds, None for the instant of the file."""

    line: int
    cells: Sequence[str]
    identities: tuple[tuple[str, str], ...] = ()
    traits: Mapping[str, Any] | None = None
    told_at: datetime | None = None
    touchpoints: tuple[ToldTouchpoint, ...] = ()
    consents: tuple[ToldConsent, ...] = ()
    account: ToldAccount | None = None
    fault: Fault | None = None


class RowReader:
    """Reads rows under one mapping. now: what lies after it has not happened; reporting: the currency of amounts;
    refunds: the names of touchpoints whose amounts are below zero, whatever sign the file writes."""

    def __init__(
        self,
        *,
        mapping: RowMapping,
        header: Sequence[str],
        now: datetime,
        reporting: str,
        refunds: Collection[str] = (),
    ) -> None:
        self.refunds = frozenset(refunds)
        self.mapping, self.header, self.now, self.reporting = mapping, list(header), now, reporting
        # A spreadsheet tells its own dates in one form, whatever the form of those that are texts.
        own = ("iso",) if mapping.format == "xlsx" and "iso" not in mapping.time_formats else ()
        self.cells = Cells(
            time_formats=(*mapping.time_formats, *own), time_zone=mapping.time_zone, decimal_mark=mapping.decimal_mark
        )
        self.place = {name: self.header.index(name) for name in mapping.needed}
        # By use the columns and their places, in the order of the file: the database keeps no order of the members of a
        # document.
        self.uses: dict[str, list[tuple[int, Column]]] = {use: [] for use in USES}
        for column in sorted(mapping.columns, key=lambda one: self.place[one.name]):
            self.uses[column.use].append((self.place[column.name], column))
        self.ids = {
            use: [(place, column, kind or f"ext:{column.kind}") for place, column in self.uses[use]]
            for use, kind in (("user_id", "user_id"), ("id", ""), ("anonymous_id", "anonymous_id"))
        }

    def read(self, line: int, cells: Sequence[str]) -> ReadRow:
        """Never raises for what a file may contain: a fault is part of the answer."""
        try:
            if len(cells) != len(self.header):
                said = f"the row has {len(cells)} cells, the header {len(self.header)}"
                raise BadCell("wrong_width", "", said)
            if self.mapping.strips_apostrophes:
                cells = [cell[1:] if cell.startswith("'") else cell for cell in cells]
            whole = "".join(cells)
            # Nearly every row is seen to be fine as a whole; whose fault it is takes a look at each cell.
            if "\0" in whole or len(whole) > MAX_TEXT or not (whole.isascii() or _is_storable(whole)):
                self._refuse_cells(cells)
            return self._understood(line, cells)
        except BadCell as error:
            return ReadRow(line, cells, fault=Fault(error.reason, error.column, str(error)))

    def _refuse_cells(self, cells: Sequence[str]) -> None:
        for name, cell in zip(self.header, cells, strict=True):
            if "\0" in cell:
                raise BadCell("bad_text", name, "holds a zero byte, which no text has")
            if len(cell) > MAX_TEXT:
                raise BadCell("bad_text", name, f"has more than {MAX_TEXT:,} characters")
            if not _is_storable(cell):
                raise BadCell("bad_text", name, "holds half a character")

    def _understood(self, line: int, cells: Sequence[str]) -> ReadRow:
        email = phone = ""
        uses = self.uses
        identities = self._ids("user_id", cells) + self._ids("id", cells)
        for place, column in uses["email"]:
            if not email and (told := _named(column, cells[place])):
                email = email_of(told)
                if not email:
                    raise BadCell("bad_email", column.name, f'"{told[:60]}" is not an e-mail address')
                identities.append(("email", email))
        for place, column in uses["phone"]:
            if not phone and (found := self._phone(_named(column, cells[place]))):
                phone = found
                identities.append(("phone", phone))
        identities += self._ids("anonymous_id", cells)
        if not identities:
            _place, first = min(
                ((place, column.name) for use in RECOGNISING for place, column in uses[use]), key=lambda one: one[0]
            )
            raise BadCell("no_person", first, "no id, no e-mail address and no telephone number with its country")
        told_at = None
        for place, column in uses["told_at"]:
            told_at = told_at or self._past(column.name, cells[place])
        traits = self._traits(cells)
        if email:
            traits.setdefault("email", email)
        if uses["phone"] and (told := cells[uses["phone"][0][0]].strip()) and "phone" not in traits:
            traits["phone"] = told
        return ReadRow(
            line,
            cells,
            tuple(dict.fromkeys(identities)),
            traits,
            told_at,
            tuple(self._touchpoints(cells)),
            tuple(self._consents(cells, email, phone)),
            self._account(cells) if uses["account"] else None,
        )

    def _cell(self, name: str, cells: Sequence[str]) -> str:
        return cells[self.place[name]]

    def _ids(self, use: str, cells: Sequence[str]) -> list[tuple[str, str]]:
        found = []
        for place, column, kind in self.ids[use]:
            told = _named(column, cells[place])
            if len(told) > LONGEST:
                raise BadCell("bad_text", column.name, f"an id has at most {LONGEST} characters")
            if not is_illegal(told):
                found.append((kind, told))
        return found

    def _phone(self, text: str) -> str:
        """In E.164; "" for a number of which the country is not known."""
        if found := phone_of(text):
            return found
        if not self.mapping.phone_region or not 5 <= len(text) <= 60:
            return ""
        try:
            number = phonenumbers.parse(text, self.mapping.phone_region)
        except phonenumbers.NumberParseException:
            return ""
        if not phonenumbers.is_possible_number(number):
            return ""
        return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))

    def _instant(self, name: str, text: str) -> datetime | None:
        if not text or text.isspace():
            return None
        try:
            return self.cells.instant(text)
        except ValueError as error:
            raise BadCell("bad_time", name, f'"{text[:60]}" {error}') from None

    def _past(self, name: str, text: str) -> datetime | None:
        """An instant at which something can have happened."""
        at = self._instant(name, text)
        if at is not None and at > self.now:
            raise BadCell("in_the_future", name, f'"{text[:60]}" lies in the future')
        if at is not None and at < EARLIEST:
            raise BadCell("bad_time", name, f'"{text[:60]}" lies before 1990')
        return at

    def _number(self, name: str, cells: Sequence[str]) -> Decimal | None:
        text = self._cell(name, cells)
        if not text.strip():
            return None
        try:
            return self.cells.number(text)
        except ValueError as error:
            raise BadCell("bad_number", name, f'"{text[:60]}" {error}') from None

    def _traits(self, cells: Sequence[str]) -> dict[str, Any]:
        """What is told; an empty cell tells nothing."""
        return {
            column.key: text if column.type == "text" else self._value(column, text, cells)
            for place, column in self.uses["trait"]
            if (text := cells[place]) and not text.isspace()
        }

    def _value(self, column: Column, text: str, cells: Sequence[str]) -> Any:
        if column.type == "number":
            return self._number(column.name, cells)
        if column.type == "time":
            at = self._instant(column.name, text)
            assert at is not None
            return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        if column.type == "truth":
            try:
                return truth(text)
            except ValueError as error:
                raise BadCell("bad_value", column.name, f'"{text[:60]}" {error}') from None
        return listed(text) if column.type == "list" else text

    def _touchpoints(self, cells: Sequence[str]) -> list[ToldTouchpoint]:
        found = []
        for place, column in self.uses["touchpoint"]:
            if (at := self._past(column.name, cells[place])) is not None:
                found.append(ToldTouchpoint(column.type, column.channel or self.mapping.channel, at))
        for one in self.mapping.touchpoints:
            if any(self._cell(name, cells).strip().casefold() not in texts for name, texts in one.only.items()):
                continue
            if (at := self._past(one.at, self._cell(one.at, cells))) is not None:
                found.append(self._whole(one, at, cells))
        return found

    def _whole(self, one: RowTouchpoint, at: datetime, cells: Sequence[str]) -> ToldTouchpoint:
        amount = original = None
        currency, flags = "", 0
        if one.amount and (told := self._number(one.amount, cells)) is not None:
            said = self._cell(one.currency, cells).strip() if one.currency else ""
            currency = currency_of({"currency": said}, one.currency_code or self.reporting)
            if not currency:
                raise BadCell("bad_value", one.currency, f'"{said[:20]}" is not a currency of three letters')
            if abs(told) >= MOST_SENT:
                raise BadCell("too_large", one.amount, "is more money than there is")
            is_refund = one.is_refund or one.type in self.refunds
            original = (-abs(told) if is_refund else told).quantize(_PLACES, ROUND_HALF_EVEN)
            try:
                amount = converted(original, currency, reporting=self.reporting, at=at)
            except Refusal as refusal:
                raise BadCell("too_large", one.amount, refusal.reason) from None
            flags = 0 if amount is not None else int(Touchpoint.Flag.NO_RATE)
        properties = {key: text for key, name in one.properties.items() if (text := self._cell(name, cells)).strip()}
        reference = self._cell(one.order_ref, cells).strip()[:LONGEST] if one.order_ref else ""
        return ToldTouchpoint(
            type=one.type,
            channel=one.channel or self.mapping.channel,
            at=at,
            id=self._cell(one.id, cells).strip()[:LONGEST] if one.id else "",
            amount=amount,
            original_amount=original,
            currency=currency,
            order_ref=reference,
            flags=flags,
            properties=properties,
        )

    def _consents(self, cells: Sequence[str], email: str, phone: str) -> list[ToldConsent]:
        found: list[ToldConsent] = []
        if not self.uses["consent"] and not self.mapping.consents:
            return found
        address = {"email": email, "phone": phone, "sms": phone, "whatsapp": phone}
        for place, column in self.uses["consent"]:
            text = cells[place].strip()
            state = column.says.get(text.casefold(), None if text else "")
            if state is None:
                known = ", ".join(f'"{one}"' for one in column.says)
                raise BadCell("bad_value", column.name, f'"{text[:60]}" is none of {known}')
            if state and (where := address.get(column.channel, email or phone)):
                at = self._past(column.at, self._cell(column.at, cells)) if column.at else None
                found.append(ToldConsent(where, column.channel, column.purpose, state, at))
        for one in self.mapping.consents:
            if where := address.get(one.channel, email or phone):
                at = self._past(one.at, self._cell(one.at, cells)) if one.at else None
                found.append(ToldConsent(where, one.channel, one.purpose, one.state, at))
        return found

    def _account(self, cells: Sequence[str]) -> ToldAccount | None:
        """Known by its key; a company that has only a name is known by that, folded."""
        told = {column.key: cells[place].strip() for place, column in self.uses["account"]}
        name, key = told.pop("name", ""), told.pop("key", "")
        if not key and not name:
            return None
        key = key or f"name:{' '.join(name.casefold().split())}"
        if len(key) > LONGEST or is_illegal(key):
            return None
        return ToldAccount(key, name, {column: text for column, text in told.items() if text})


def _named(column: Column, text: str) -> str:
    """What a cell names somebody by; of several the first."""
    return (text.partition(column.parted_by)[0] if column.parted_by else text).strip()


def _is_storable(text: str) -> bool:
    """Whether a text can be written as UTF-8: half a character cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
