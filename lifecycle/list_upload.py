"""Customers named in a file or a text, one a line: by e-mail address, by the id another system knows them by, or by
their number here. What is read says of every line whom it means; nothing is
stored, so reading it twice changes nothing."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from clm.lib.questions import QuestionError
from customers.keeping import LONGEST_ID, folded_email, folded_text
from customers.models import Customer, Identity

LONGEST_TEXT = 2_000_000  # characters
MOST_LINES = 50_000
EMAIL, EXTERNAL, CUSTOMER, ANY = "email", "external_id", "customer", "any"
WAYS = (ANY, EMAIL, EXTERNAL, CUSTOMER)
# Kinds of identity by which each way finds somebody.
_KINDS = {
    EMAIL: ("email",),
    EXTERNAL: ("external_id", "user_id"),
    CUSTOMER: (),
    ANY: ("email", "external_id", "user_id"),
}
# How the columns that name customers are commonly called, folded.
_COLUMNS = {
    "email": EMAIL,
    "e-mail": EMAIL,
    "e-mail address": EMAIL,
    "email address": EMAIL,
    "email_address": EMAIL,
    "mail": EMAIL,
    "external_id": EXTERNAL,
    "external id": EXTERNAL,
    "user_id": EXTERNAL,
    "user id": EXTERNAL,
    "customer_id": CUSTOMER,
    "customer id": CUSTOMER,
    "customer": CUSTOMER,
    "id": ANY,
}
_LARGEST_ID = 2**63 - 1
_PORTION = 5_000


@dataclass(frozen=True, slots=True)
class Line:
    """What a line names; number: its place in the file, from 1."""

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class Refused:
    """A line that names nobody whom one could mean, and why; customers: those it could mean, when they are several."""

    number: int
    text: str
    reason: str
    customers: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Recognised:
    """Whom some lines name. customers: each once, in the order of the lines; repeated: lines that name somebody whom an
    earlier line names; not_found, several, unreadable: lines that name nobody, more than one, or nothing at all."""

    lines: int
    customers: tuple[int, ...]
    repeated: int
    not_found: tuple[Refused, ...]
    several: tuple[Refused, ...]
    unreadable: tuple[Refused, ...]

    @property
    def refused(self) -> tuple[Refused, ...]:
        """All lines that name nobody, in the order of the file."""
        together = (*self.not_found, *self.several, *self.unreadable)
        return tuple(sorted(together, key=lambda one: one.number))


def lines_of(*, text: str, column: str = "") -> tuple[list[Line], str]:
    """The lines of a text, or of a column of a delimited one, and the way its header names customers ("" where it says
    nothing). A first line that is a known header, or holds `column`, is no line. QuestionError says what is wrong."""
    if len(text) > LONGEST_TEXT:
        raise QuestionError("text", _("At most 2,000,000 characters at once; take the list apart."))
    text = text.removeprefix("\ufeff")
    rows = _rows(text)
    if not rows:
        raise QuestionError("text", _("There is nothing in it."))
    header = [cell.strip() for cell in rows[0][1]]
    place, said = _column(header, column, widest=max(len(cells) for _number, cells in rows))
    body = rows if place is None else rows[1:]
    at = place or 0
    lines = [Line(number, cells[at].strip() if at < len(cells) else "") for number, cells in body]
    if len(lines) > MOST_LINES:
        raise QuestionError("text", _("At most 50,000 lines at once; take the list apart."))
    return lines, said


def recognised(*, lines: Sequence[Line], by: str) -> Recognised:
    """Whom the lines name. `by`: one of WAYS; `any` looks for all of them, and somebody else for each is several."""
    if by not in WAYS:
        raise QuestionError("by", _("Customers are named by e-mail address, by external id or by their number here."))
    wanted: dict[int, tuple[str, str]] = {}
    unreadable: list[Refused] = []
    for line in lines:
        try:
            wanted[line.number] = _folded(line.text, by)
        except QuestionError as error:
            unreadable.append(Refused(line.number, line.text[:200], error.message))
    meant = _meant(set(wanted.values()), by)
    found: dict[int, None] = {}
    repeated = 0
    not_found, several = [], []
    for line in lines:
        if line.number not in wanted:
            continue
        customers = meant[wanted[line.number]]
        if not customers:
            not_found.append(Refused(line.number, line.text[:200], _("Nobody is known by this.")))
        elif len(customers) > 1:
            several.append(
                Refused(line.number, line.text[:200], _("Several customers are known by this."), tuple(customers))
            )
        else:
            repeated += customers[0] in found
            found.setdefault(customers[0])
    return Recognised(len(lines), tuple(found), repeated, tuple(not_found), tuple(several), tuple(unreadable))


def _rows(text: str) -> list[tuple[int, list[str]]]:
    """The rows that hold anything, with the number of the line each begins on."""
    first = text.lstrip("\r\n").partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    rows = []
    try:
        start = 1
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows.append((start, cells))
            start = reader.line_num + 1
    except csv.Error as error:
        raise QuestionError(
            "text", _("Line %(line)d cannot be read: %(error)s.") % {"line": reader.line_num, "error": error}
        ) from None
    return rows


def _column(header: Sequence[str], asked: str, *, widest: int) -> tuple[int | None, str]:
    """Where the column stands, None when the first row is no header; and what its name says of its values."""
    folded = [name.casefold() for name in header]
    if asked.strip():
        if asked.strip().casefold() not in folded:
            named = ", ".join(f"“{name[:40]}”" for name in header[:20])
            raise QuestionError(
                "column", _("There is no such column; the first line has %(named)s.") % {"named": named}
            )
        place = folded.index(asked.strip().casefold())
        return place, _COLUMNS.get(folded[place], "")
    for name, way in _COLUMNS.items():
        if name in folded:
            return folded.index(name), way
    if widest == 1:
        return None, ""
    named = ", ".join(f"“{name[:40]}”" for name in header[:20])
    raise QuestionError(
        "column", _("Which column names the customers? The first line has %(named)s.") % {"named": named}
    )


def _folded(text: str, by: str) -> tuple[str, str]:
    """How a line is looked for: as an address, and as it stands."""
    if not text:
        raise QuestionError("text", _("The line is empty."))
    said = folded_text(text, field="text", longest=LONGEST_ID if by == EXTERNAL else 254)
    if by == EMAIL:
        return folded_email(said), ""
    if by == CUSTOMER and (not said.isascii() or not said.isdigit()):
        raise QuestionError("text", _("This is no number of a customer."))
    return (said.lower() if by == ANY and "@" in said else ""), said


def _meant(wanted: Iterable[tuple[str, str]], by: str) -> dict[tuple[str, str], list[int]]:
    """The customers each of them means."""
    asked = list(wanted)
    values = sorted({value for pair in asked for value in pair if value})
    owners: dict[tuple[str, str], int] = {}
    for start in range(0, len(values), _PORTION):
        some = values[start : start + _PORTION]
        rows = Identity.objects.filter(kind__in=_KINDS[by], value__in=some) if _KINDS[by] else Identity.objects.none()
        for kind, value, customer in rows.values_list("kind", "value", "profile__customer_id"):
            owners[kind, value] = customer
    numbers = _survivors({int(plain) for _mail, plain in asked if by in (CUSTOMER, ANY) and _is_id(plain)})
    meant = {}
    for mail, plain in asked:
        found = {owners.get(("email", mail))} if mail else set()
        found |= {owners.get((kind, plain)) for kind in _KINDS[by] if kind != "email"}
        if _is_id(plain):
            found.add(numbers.get(int(plain)))
        meant[mail, plain] = sorted(customer for customer in found if customer is not None)
    return meant


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 19 and int(text) <= _LARGEST_ID


def _survivors(numbers: set[int]) -> dict[int, int]:
    """The customers of those numbers, merged ones by whom they were merged into."""
    into: dict[int, int | None] = {}
    ahead = set(numbers)
    while ahead:
        found: dict[int, int | None] = {}
        in_order = sorted(ahead)
        for start in range(0, len(in_order), _PORTION):
            some = in_order[start : start + _PORTION]
            found |= dict(Customer.objects.filter(pk__in=some).values_list("pk", "merged_into"))
        into |= found
        ahead = {other for other in found.values() if other is not None and other not in into}
    survivors: dict[int, int] = {}
    for number in numbers & into.keys():
        at = number
        while (following := into.get(at)) is not None:
            at = following
        survivors[number] = at
    return survivors
