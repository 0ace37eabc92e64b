"""Spend as a table of text: one line for each day, channel and campaign, out of a spreadsheet, or as an advertising
tool exports it (`ad_exports`).

A text is read and held against what is stored before anything is written (`checked`), so that people see what each line
would do; `enter_lines` then writes all lines or none."""

import csv
import io
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from functools import cache

from django.db import transaction
from django.utils.translation import gettext as _

from clm.lib.periods import local_day
from clm.lib.questions import Faults, QuestionError
from customers.catalogue import channel_ids
from customers.models import Channel, Installation
from customers.money import Conversion
from customers.rates import known_currency

from .ad_exports import MOST_PREAMBLE, Found, header_of, read_export
from .keeping import channel_key
from .models import Campaign, Spend
from .spending import converted, possible_amount, possible_day

LONGEST, MOST_LINES = 1_000_000, 5_000
ALIKE = 0.75  # how much two names of channels have in common that may be one with a slip
REQUIRED = ("day", "channel", "amount")
COLUMNS = (*REQUIRED, "campaign", "currency", "paid_media")
OTHER_NAMES = {"date": "day"}  # what a column may be called too
_YES, _NO = frozenset({"yes", "true", "1", "paid"}), frozenset({"no", "false", "0", "other"})
_DOTTED = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")
_AMOUNT = re.compile(r"\d{1,14}(?:\.\d+)?")
_COMMA_AMOUNT = re.compile(r"\d{1,14},\d{1,2}")

# What makes an entry the same entry: channel, campaign or "", day, currency, whether paid media.
Key = tuple[str, str, date, str, bool]


@dataclass(frozen=True, slots=True)
class Entry:
    """What a faultless line says. amount: as written, in `currency`; units: minor units of the reporting currency."""

    channel: str
    campaign: str
    day: date
    amount: Decimal
    currency: str
    is_paid_media: bool
    units: int

    @property
    def key(self) -> Key:
        return self.channel, self.campaign, self.day, self.currency, self.is_paid_media


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the text. number: counted from 1, the header included; cells: as they stand; entry: None where faults
    say why; known: the amount that is stored for the same entry, None for a new one."""

    number: int
    cells: Mapping[str, str]
    entry: Entry | None = None
    faults: Mapping[str, str] = field(default_factory=dict)
    known: Decimal | None = None

    @property
    def does(self) -> str:
        """What entering this line does: faulty, new, same or changes."""
        if self.entry is None:
            return "faulty"
        if self.known is None:
            return "new"
        return "same" if self.known == self.entry.amount else "changes"


@dataclass(frozen=True, slots=True)
class Checked:
    """A text held against what is stored. preset: the name of the tool whose export it is, "" for a table of one's own;
    lines of an export are told in the columns of such a table, numbered as the first line that each comes from.
    new_channels: those that nothing was ever stored of, each with a known one that is written much alike, or ""."""

    lines: tuple[Line, ...]
    preset: str = ""
    new_channels: Mapping[str, str] = field(default_factory=dict)

    def count(self, does: str) -> int:
        """How many lines do that."""
        return sum(line.does == does for line in self.lines)

    @property
    def units(self) -> int:
        """What the new and the changed lines come to, in minor units of the reporting currency."""
        return sum(line.entry.units for line in self.lines if line.entry and line.does in ("new", "changes"))


def checked(*, text: str, now: datetime) -> Checked:
    """Every line with what it would do or what is wrong with it. QuestionError (field `text`) when the text as a whole
    cannot be read. Writes nothing."""
    campaigns = dict(Campaign.objects.values_list("key", "name"))
    rows, separator, preset, longer = _rows(text, campaigns)
    installation = Installation.current()
    read = _Reader(
        reporting=installation.currency,
        today=local_day(now, installation.time_zone),
        campaigns=frozenset(campaigns),
        comma=separator != ",",
    )
    lines = [_longer(number, cells) if number in longer else read.line(number, cells) for number, cells in rows]
    known = _known([line.entry.day for line in lines if line.entry])
    seen: dict[Key, int] = {}
    found = []
    for line in lines:
        if line.entry is None:
            found.append(line)
        elif (earlier := seen.setdefault(line.entry.key, line.number)) != line.number:
            said = _("Line %(number)d says the same day, channel and campaign; add them up.") % {"number": earlier}
            found.append(Line(line.number, line.cells, faults={"day": said}))
        else:
            found.append(Line(line.number, line.cells, line.entry, known=known.get(line.entry.key)))
    return Checked(tuple(found), preset, _new_channels({line.entry.channel for line in found if line.entry}))


@transaction.atomic
def enter_lines(*, text: str, now: datetime) -> tuple[int, int]:
    """Enter all lines or none: how many entries are new, and how many have another amount now. QuestionError while a
    line is faulty."""
    lines = checked(text=text, now=now).lines
    if any(line.entry is None for line in lines):
        raise QuestionError("text", _("Nothing was entered: some lines are faulty."))
    entries = [line.entry for line in lines if line.entry and line.does == "new"]
    channels = channel_ids({entry.channel for entry in entries})
    campaigns = dict(Campaign.objects.values_list("key", "pk"))
    Spend.objects.bulk_create(
        [
            Spend(
                channel_id=channels[entry.channel],
                campaign_id=campaigns[entry.campaign] if entry.campaign else None,
                day=entry.day,
                amount=entry.units,
                original_amount=entry.amount,
                currency=entry.currency,
                is_paid_media=entry.is_paid_media,
            )
            for entry in entries
        ]
    )
    corrected = [line.entry for line in lines if line.entry and line.does == "changes"]
    for entry in corrected:
        Spend.objects.filter(
            channel__key=entry.channel,
            campaign__key=entry.campaign or None,
            day=entry.day,
            currency=entry.currency,
            is_paid_media=entry.is_paid_media,
        ).update(amount=entry.units, original_amount=entry.amount)
    return len(entries), len(corrected)


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads one line after another; `comma`: a comma may be the decimal sign, since it does not part the columns."""

    reporting: str
    today: date
    campaigns: frozenset[str]
    comma: bool
    conversion: Callable[[str], Conversion] = field(default_factory=lambda: cache(Conversion))

    def line(self, number: int, cells: Mapping[str, str]) -> Line:
        faults = Faults()
        channel = campaign = currency = ""
        day, amount, is_paid_media, units = self.today, Decimal(0), True, 0
        with faults.noted():
            day = possible_day(_day(cells["day"]), today=self.today)
        with faults.noted():
            channel = channel_key(cells["channel"])
        with faults.noted():
            amount = possible_amount(self._amount(cells["amount"]))
        with faults.noted():
            campaign = self._campaign(cells.get("campaign", ""))
        with faults.noted():
            currency = known_currency((cells.get("currency") or self.reporting).upper())
        with faults.noted():
            is_paid_media = _truth(cells.get("paid_media", ""))
        try:
            faults.refuse()
            units = converted(self.conversion, amount, currency, day)
        except QuestionError as error:
            return Line(number, cells, faults={one.field: one.message for one in reversed(error.errors)})
        return Line(number, cells, Entry(channel, campaign, day, amount, currency, is_paid_media, units))

    def _amount(self, text: str) -> Decimal:
        if self.comma and _COMMA_AMOUNT.fullmatch(text):
            text = text.replace(",", ".")
        if not _AMOUNT.fullmatch(text):
            raise QuestionError("amount", _("Write an amount like 1234.50, without signs and thousands separators."))
        try:
            return Decimal(text)
        except InvalidOperation:
            raise QuestionError("amount", _("Write an amount like 1234.50.")) from None

    def _campaign(self, text: str) -> str:
        if text and text not in self.campaigns:
            raise QuestionError("campaign", _('There is no campaign "%(key)s"; make it first.') % {"key": text[:60]})
        return text


def _rows(text: str, campaigns: Mapping[str, str]) -> tuple[list[tuple[int, dict[str, str]]], str, str, frozenset[int]]:
    """The lines below the header with their numbers, what parts the columns, the name of the tool whose export it is,
    and the numbers of lines with more cells than the header. campaigns: names by key."""
    text = text.lstrip("\ufeff").strip("\r\n")
    if not text.strip():
        raise QuestionError("text", _("Choose a file, or paste its lines here."))
    if len(text) > LONGEST or "\x00" in text:
        raise QuestionError("text", _("This is no text of at most a million characters; save it as CSV."))
    exported = _exported(text, campaigns)
    if exported is not None:
        rows = list(exported.rows)
        if not rows:
            raise QuestionError("text", _("There is a header and no line below it that cost anything."))
        if len(rows) > MOST_LINES:
            raise QuestionError("text", _("At most %(most)d lines at once; part the file.") % {"most": MOST_LINES})
        return rows, ",", exported.preset.name, frozenset()
    first = text.splitlines()[0]
    separator = max(";\t,", key=first.count)
    try:
        reader = csv.reader(io.StringIO(text), delimiter=separator, strict=True)
        table = list(_numbered(reader))
    except csv.Error:
        raise QuestionError("text", unreadable(reader.line_num, text)) from None
    (_number, header), lines = table[0], table[1:]
    names = [cell.strip().lower().replace(" ", "_") for cell in header]
    names = [OTHER_NAMES.get(name, name) for name in names]
    missing = [name for name in REQUIRED if name not in names]
    unknown = [name for name in names if name and name not in COLUMNS]
    named = [name for name in names if name]
    if missing or unknown or len(set(named)) < len(named):
        raise QuestionError("text", _header_fault(missing, unknown))
    if not lines:
        raise QuestionError("text", _("There is a header and no line below it."))
    if len(lines) > MOST_LINES:
        raise QuestionError("text", _("At most %(most)d lines at once; part the file.") % {"most": MOST_LINES})
    rows = []
    longer = frozenset(number for number, cells in lines if any(cell.strip() for cell in cells[len(names) :]))
    for number, cells in lines:
        padded = [*cells, *[""] * len(names)]
        rows.append((number, {name: cell.strip() for name, cell in zip(names, padded, strict=False) if name}))
    return rows, separator, "", longer


def unreadable(line: int, text: str) -> str:
    """Where a table of text cannot be parted into cells, and what to do."""
    if line >= len(text.splitlines()):
        return _("A cell that begins with a quotation mark ends nowhere: look for one mark too many or too few.")
    said = _("Line %(number)d cannot be read: its quotation marks do not fit. One within a cell is written twice.")
    return said % {"number": line}


def _longer(number: int, cells: Mapping[str, str]) -> Line:
    """A line of which nobody can tell which cell belongs under which column."""
    said = _("The line has more cells than the header; quote a cell that holds the separator.")
    return Line(number, cells, faults={list(cells)[-1]: said})


def _exported(text: str, campaigns: Mapping[str, str]) -> Found | None:
    """The text as an advertising tool's export, None where it is none. What parts its columns is told by the line that
    names them, which need not be the first."""
    known = {name.strip().lower(): key for key, name in campaigns.items()} | {key: key for key in campaigns}
    beginning = "\n".join(text.splitlines()[: 2 * MOST_PREAMBLE])
    for separator in ",\t;":
        try:
            if header_of(list(_numbered(csv.reader(io.StringIO(beginning), delimiter=separator)))) is None:
                continue
            return read_export(list(_numbered(csv.reader(io.StringIO(text), delimiter=separator))), campaigns=known)
        except csv.Error:
            continue
    return None


def _numbered(reader: "Iterator[list[str]]") -> Iterator[tuple[int, list[str]]]:
    """Lines that say something, with the number of the line in the text where each ends."""
    for cells in reader:
        if any(cell.strip() for cell in cells):
            yield reader.line_num, cells  # type: ignore[attr-defined]


def _header_fault(missing: Sequence[str], unknown: Sequence[str]) -> str:
    said = [_("The first line names the columns: %(columns)s.") % {"columns": ", ".join(COLUMNS)}]
    if missing:
        said.append(_("Missing: %(names)s.") % {"names": ", ".join(missing)})
    if unknown:
        said.append(_("Not known: %(names)s.") % {"names": ", ".join(name[:30] for name in unknown[:5])})
    if not missing and not unknown:
        said.append(_("Each of them stands there once."))
    return " ".join(said)


def _day(text: str) -> date:
    dotted = _DOTTED.fullmatch(text)
    try:
        if dotted:
            return date(int(dotted[3]), int(dotted[2]), int(dotted[1]))
        return date.fromisoformat(text) if len(text) == 10 else _no_day()
    except ValueError:
        raise QuestionError("day", _("Write a day like 2026-01-31 or 31.01.2026.")) from None


def _no_day() -> date:
    raise ValueError


def _truth(text: str) -> bool:
    folded = text.lower()
    if folded and folded not in _YES | _NO:
        raise QuestionError("paid_media", _("Write yes for paid media, no for salaries and tools."))
    return folded not in _NO


def _new_channels(said: Collection[str]) -> dict[str, str]:
    """Those of some channels that are not known yet: figures are told by channel, and a slip parts one in two."""
    known = sorted(Channel.objects.values_list("key", flat=True))
    return {
        one: next(iter(get_close_matches(one, known, n=1, cutoff=ALIKE)), "") for one in sorted(set(said) - set(known))
    }


def _known(days: Sequence[date]) -> dict[Key, Decimal]:
    """What is stored for the days from the first to the last."""
    if not days:
        return {}
    stored = Spend.objects.filter(day__gte=min(days), day__lte=max(days)).values_list(
        "channel__key", "campaign__key", "day", "currency", "is_paid_media", "original_amount"
    )
    return {
        (channel, campaign or "", day, currency, paid): amount
        for channel, campaign, day, currency, paid, amount in stored
    }
