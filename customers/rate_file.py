"""Exchange rates as a table of text, out of a spreadsheet or from a bank, in one of two shapes: one line for each
currency and day (currency, day, rate), or one line for each day with a column for each currency.

Like a file of spend it is read and held against what is stored before anything is written (`checked`); `enter_lines`
then writes all lines or none."""

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import cache

from django.db import transaction
from django.utils.translation import gettext as _

from clm.lib.questions import Faults, QuestionError

from .models import ExchangeRate
from .rates import LONGEST_SOURCE, PLACES, comma_said, last_day, other_currency, possible_day, possible_rate

LONGEST, MOST_RATES = 1_000_000, 20_000
COLUMNS = ("currency", "day", "rate")
# What a bank writes where it has no rate.
_NOTHING = frozenset({"", "n/a", "na", "-", "."})
_DOTTED = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")
_RATE = re.compile(r"\d{1,10}(?:\.\d{1,20})?")
_Cells = tuple[int, str, str, str | None]
_DAY_NAMES = frozenset({"day", "date", "datum", "time_period"})


@dataclass(frozen=True, slots=True)
class RateLine:
    """One rate of the text. number: of its line, counted from 1, the header included; rate: None where faults say why;
    known: what is stored for the same currency and day, None for a new one."""

    number: int
    currency: str
    day: date | None
    rate: Decimal | None
    faults: Mapping[str, str] = field(default_factory=dict)
    known: Decimal | None = None

    @property
    def does(self) -> str:
        """What entering it does: faulty, new, same or changes."""
        if self.rate is None or self.faults:
            return "faulty"
        if self.known is None:
            return "new"
        return "same" if self.known == self.rate else "changes"


@dataclass(frozen=True, slots=True)
class Checked:
    """A text held against what is stored."""

    lines: tuple[RateLine, ...]

    def count(self, does: str) -> int:
        """How many rates do that."""
        return sum(line.does == does for line in self.lines)


def checked(*, text: str, inverse: bool = False, longest: int = LONGEST, most: int = MOST_RATES) -> Checked:
    """Every rate with what entering it would do or what is wrong with it. inverse: the file says how much of the other
    currency one unit of the reporting currency buys, as central banks publish it. QuestionError (field `text`) when the
    text as a whole cannot be read. Writes nothing."""
    cells = list(_cells(text, longest))
    if len(cells) > most:
        raise QuestionError("text", _("At most %(most)d rates at once; part the file.") % {"most": most})
    lines, seen = [], dict[tuple[str, date], int]()
    code_of, last = cache(other_currency), last_day()
    for number, currency, day, rate in cells:
        if rate is None:
            said = _(
                "The line has more cells than the header. A rate has a point before its decimal places, 0.79; or "
                "semicolons part the columns."
            )
            lines.append(RateLine(number, currency[:30], None, None, {"rate": said}))
            continue
        line = _line(number, currency, day, rate, inverse=inverse, last=last, code_of=code_of)
        if line.rate is not None and line.day is not None:
            earlier = seen.setdefault((line.currency, line.day), number)
            if earlier != number:
                said = _("Line %(number)d says the same currency and day.") % {"number": earlier}
                line = RateLine(number, line.currency, line.day, None, {"day": said})
        lines.append(line)
    known = _known(lines)
    return Checked(
        tuple(
            line
            if line.day is None
            else RateLine(
                line.number, line.currency, line.day, line.rate, line.faults, known.get((line.currency, line.day))
            )
            for line in lines
        )
    )


@transaction.atomic
def enter_lines(
    *, text: str, source: str, inverse: bool = False, longest: int = LONGEST, most: int = MOST_RATES
) -> tuple[int, int, frozenset[str]]:
    """Enter all rates or none: how many are new, how many replace another one, and of which currencies they are.
    QuestionError while a line is faulty."""
    lines = checked(text=text, inverse=inverse, longest=longest, most=most).lines
    if any(line.does == "faulty" for line in lines):
        raise QuestionError("text", _("Nothing was entered: some lines are faulty."))
    told = [line for line in lines if line.does in ("new", "changes")]
    ExchangeRate.objects.bulk_create(
        [
            ExchangeRate(currency=line.currency, day=line.day, rate=line.rate, source=source[:LONGEST_SOURCE])
            for line in told
            if line.day is not None and line.rate is not None
        ],
        update_conflicts=True,
        unique_fields=["currency", "day"],
        update_fields=["rate", "source"],
        batch_size=5_000,
    )
    new = sum(line.does == "new" for line in told)
    return new, len(told) - new, frozenset(line.currency for line in told)


def _line(
    number: int, currency: str, day: str, rate: str, *, inverse: bool, last: date, code_of: Callable[[str], str]
) -> RateLine:
    faults = Faults()
    code, on, worth = currency.strip().upper(), None, None
    with faults.noted():
        code_of(code)
    with faults.noted():
        on = possible_day(_day(day), last=last)
    with faults.noted():
        worth = _rate(rate, inverse)
    try:
        faults.refuse()
    except QuestionError as error:
        return RateLine(number, code[:30], on, None, {one.field: one.message for one in reversed(error.errors)})
    return RateLine(number, code, on, worth)


def _rate(text: str, inverse: bool) -> Decimal:
    if said := comma_said(text):
        raise QuestionError("rate", said)
    if not _RATE.fullmatch(text):
        raise QuestionError("rate", _("Write a rate like 0.8571, without thousands separators."))
    try:
        rate = Decimal(text)
    except InvalidOperation:
        raise QuestionError("rate", _("Write a rate like 0.8571.")) from None
    if inverse and rate > 0:
        rate = (1 / rate).quantize(Decimal(1).scaleb(-PLACES))
    possible_rate(rate)
    return rate


def _day(text: str) -> date:
    dotted = _DOTTED.fullmatch(text)
    try:
        if dotted:
            return date(int(dotted[3]), int(dotted[2]), int(dotted[1]))
        if len(text) == 10:
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise QuestionError("day", _("Write a day like 2026-01-31 or 31.01.2026."))


def _cells(text: str, longest: int) -> Iterator[_Cells]:
    """Line number, currency, day and rate of everything the text says, whichever shape it has; None for the rate of a
    line that has more cells than the header."""
    text = text.lstrip("\ufeff").strip("\r\n")
    if not text.strip():
        raise QuestionError("text", _("Choose a file, or paste its lines here."))
    if len(text) > longest or "\x00" in text:
        said = _("This is no text of at most %(most)d characters; save it as CSV.") % {"most": longest}
        raise QuestionError("text", said)
    first = text.splitlines()[0]
    separator = max(";\t,", key=first.count)
    try:
        reader = csv.reader(io.StringIO(text), delimiter=separator, strict=True)
        table = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise QuestionError("text", _("This cannot be read as CSV: %(error)s.") % {"error": error}) from None
    names = [cell.strip().lower() for cell in table[0][1]]
    if len(table) < 2:
        raise QuestionError("text", _("There is a header and no line below it."))
    named = [name for name in names if name]
    days = [name for name in named if name in _DAY_NAMES]
    if len(set(named)) < len(named) or len(days) != 1:
        raise QuestionError("text", _header_fault())
    comma = separator != ","
    if {"currency", "rate"} <= set(names):
        if len(named) > len(COLUMNS):
            raise QuestionError("text", _header_fault())
        yield from _long(table[1:], names, days[0], comma)
    elif "currency" in names or "rate" in names or len(named) < 2:
        raise QuestionError("text", _header_fault())
    else:
        yield from _wide(table[1:], names, days[0], comma)


def _long(rows: Sequence[tuple[int, list[str]]], names: Sequence[str], day: str, comma: bool) -> Iterator[_Cells]:
    for number, row in rows:
        if _is_longer(row, names):
            yield number, "", "", None
            continue
        told = dict(zip(names, (cell.strip() for cell in [*row, *[""] * len(names)]), strict=False))
        yield number, told["currency"], told[day], _dotted(told["rate"], comma)


def _wide(rows: Sequence[tuple[int, list[str]]], names: Sequence[str], day: str, comma: bool) -> Iterator[_Cells]:
    place = names.index(day)
    for number, row in rows:
        if _is_longer(row, names):
            yield number, "", "", None
            continue
        for name, cell in zip(names, row, strict=False):
            if name and name != day and cell.strip().lower() not in _NOTHING:
                yield number, name, row[place].strip(), _dotted(cell.strip(), comma)


def _is_longer(row: Sequence[str], names: Sequence[str]) -> bool:
    return any(cell.strip() for cell in row[len(names) :])


def _dotted(text: str, comma: bool) -> str:
    """A decimal comma is one where commas do not part the columns."""
    return text.replace(",", ".") if comma and text.count(",") == 1 and "." not in text else text


def _header_fault() -> str:
    return _(
        "The first line names the columns: currency, day and rate, or day and then one column for each currency, such "
        "as day, USD, GBP."
    )


def _known(lines: Sequence[RateLine]) -> dict[tuple[str, date], Decimal]:
    """What is stored of the currencies, for the days from the first to the last."""
    days = [line.day for line in lines if line.day is not None]
    if not days:
        return {}
    stored = ExchangeRate.objects.filter(
        currency__in={line.currency for line in lines}, day__gte=min(days), day__lte=max(days)
    )
    return {(currency, day): rate for currency, day, rate in stored.values_list("currency", "day", "rate")}
