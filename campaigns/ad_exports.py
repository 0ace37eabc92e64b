"""What advertising tools export as cost: Google Ads, Meta Ads Manager and LinkedIn Campaign Manager, recognised by the
names of their columns, wherever in the file they stand, and turned into the columns of a file of spend.

A line of theirs is one campaign and day. Lines that sum others up are left out; what several campaigns that are not
kept here cost on one day is added up, since spend without a campaign is one entry a day and channel."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

# Titles and periods stand above the columns.
MOST_PREAMBLE = 20
_NUMBER = re.compile(r"[+-]?[\d.,' \u00a0\u202f]*\d")
_TOTAL = re.compile(r"(?:grand )?totals?\b|gesamt\b|summe\b", re.IGNORECASE)
_IN_HEADER = re.compile(r"\(([A-Za-z]{3})\)$")
_NOTHING = frozenset({"", "-", "--", "—", "–"})


@dataclass(frozen=True, slots=True)
class Preset:
    """One tool's export. Each tuple: the names a column may have, small-lettered, the first that the file has counts;
    kinds: where the file says of what kind a campaign is, the channels of kinds that are not `channel`."""

    key: str
    name: str
    channel: str
    day: tuple[str, ...]
    amount: tuple[str, ...]
    campaign: tuple[str, ...]
    currency: tuple[str, ...] = ()
    last_day: tuple[str, ...] = ()
    kind: tuple[str, ...] = ()
    kinds: tuple[tuple[str, str], ...] = ()
    american_days: bool = False

    def finds(self, names: Sequence[str]) -> bool:
        """Whether these are its columns."""
        return all(_first(names, asked) is not None for asked in (self.day, self.amount, self.campaign))


PRESETS = (
    Preset(
        key="google_ads",
        name="Google Ads",
        channel="search",
        day=("day", "date"),
        amount=("cost",),
        campaign=("campaign", "campaign name"),
        currency=("currency code", "currency"),
        kind=("campaign type", "advertising channel"),
        kinds=(("display", "display"), ("video", "video"), ("demand gen", "display"), ("discovery", "display")),
    ),
    Preset(
        key="meta",
        name="Meta Ads",
        channel="social",
        day=("day", "reporting starts"),
        amount=("amount spent",),
        campaign=("campaign name",),
        currency=("currency",),
        last_day=("reporting ends",),
    ),
    Preset(
        key="linkedin",
        name="LinkedIn Ads",
        channel="social",
        day=("start date (in utc)", "start date", "day"),
        amount=("total spent", "total spent (in local currency)"),
        campaign=("campaign name", "campaign group name"),
        currency=("currency",),
        last_day=("end date (in utc)",),
        american_days=True,
    ),
)


@dataclass(frozen=True, slots=True)
class Found:
    """A recognised export: its preset, and its lines in the columns of a file of spend, each with the number of the
    first line that it comes from."""

    preset: Preset
    rows: tuple[tuple[int, dict[str, str]], ...]


def header_of(table: Sequence[tuple[int, Sequence[str]]]) -> tuple[int, Preset] | None:
    """Where among the first lines the columns of a known export are named, and of which."""
    for place, (_number, cells) in enumerate(table[:MOST_PREAMBLE]):
        names = [_plain_name(cell) for cell in cells]
        for preset in PRESETS:
            if preset.finds(names):
                return place, preset
    return None


def read_export(table: Sequence[tuple[int, Sequence[str]]], *, campaigns: Mapping[str, str]) -> Found | None:
    """The lines of an export, None where it is none. campaigns: keys of those kept here, by small-lettered key or
    name."""
    found = header_of(table)
    if found is None:
        return None
    place, preset = found
    header = table[place][1]
    names = [_plain_name(cell) for cell in header]
    rows: dict[tuple[str, ...], tuple[int, dict[str, str], Decimal | None]] = {}
    for number, cells in table[place + 1 :]:
        line = _line(preset, header, names, cells, campaigns)
        if line is None:
            continue
        told, amount = line
        key: tuple[str, ...] = (str(number),)
        if amount is not None:
            key = (told["day"], told["channel"], told["campaign"], told["currency"])
        if key in rows:
            first, before, sum_so_far = rows[key]
            assert sum_so_far is not None and amount is not None
            rows[key] = (first, before, sum_so_far + amount)
        else:
            rows[key] = (number, told, amount)
    return Found(
        preset,
        tuple(
            (number, {**told, "amount": told["amount"] if amount is None else format(amount, "f")})
            for number, told, amount in rows.values()
        ),
    )


def _line(
    preset: Preset, header: Sequence[str], names: Sequence[str], cells: Sequence[str], campaigns: Mapping[str, str]
) -> tuple[dict[str, str], Decimal | None] | None:
    """One line in our columns and its amount (None: what stands there is none); None for lines that cost nothing or sum
    others up."""

    def cell(asked: tuple[str, ...]) -> str:
        at = _first(names, asked)
        return cells[at].strip() if at is not None and at < len(cells) else ""

    campaign, written = cell(preset.campaign), cell(preset.amount)
    if not campaign or written in _NOTHING or any(_TOTAL.match(one.strip()) for one in cells[:3]):
        return None
    at = _first(names, preset.amount)
    assert at is not None
    in_header = _IN_HEADER.search(header[at].strip())
    day, last = _day(cell(preset.day), preset), _day(cell(preset.last_day), preset)
    amount = decimal_of(written)
    if amount == 0:
        return None
    kind = cell(preset.kind).lower()
    told = {
        "day": f"{day} – {last}" if last and last != day and "day" not in names else day,
        "channel": next((channel for word, channel in preset.kinds if word in kind), preset.channel),
        "amount": written,
        "campaign": campaigns.get(campaign.lower(), ""),
        "currency": (cell(preset.currency) or (in_header[1] if in_header else "")).upper(),
        "paid_media": "yes",
    }
    return told, amount


def _plain_name(cell: str) -> str:
    """A column's name as presets know it: small letters, without the currency behind it."""
    return _IN_HEADER.sub("", cell.strip().strip("\ufeff").strip()).strip().lower()


def _first(names: Sequence[str], asked: tuple[str, ...]) -> int | None:
    return next((names.index(name) for name in asked if name in names), None)


def decimal_of(text: str) -> Decimal | None:
    """An amount with its thousands parted in any of the usual ways; None for what is no amount."""
    text = text.strip()
    # A currency may stand on either side of it.
    found = _NUMBER.search(text)
    if found is None or re.search(r"\d", text.replace(found[0], "", 1)):
        return None
    digits = re.sub(r"[' \u00a0\u202f]", "", found[0])
    point = max(digits.rfind("."), digits.rfind(","))
    marks = digits.count(".") + digits.count(",")
    if point >= 0:
        behind = len(digits) - point - 1
        both = "." in digits and "," in digits
        if not both and (marks > 1 or (digits[point] == "," and behind == 3)):
            digits = digits.replace(",", "").replace(".", "")  # thousands alone: 1,234 and 1.234.567
        else:
            digits = re.sub(r"[.,]", "", digits[:point]) + "." + digits[point + 1 :]
    try:
        return Decimal(digits)
    except InvalidOperation:
        return None


_FORMATS = ("%b %d, %Y", "%B %d, %Y", "%d %b %Y", "%Y/%m/%d")


def _day(text: str, preset: Preset) -> str:
    """A day as 2026-01-31 where it can be read, else as it stands."""
    for day in _possible(text, preset):
        return day.isoformat()
    return text


def _possible(text: str, preset: Preset) -> Iterator[date]:
    text = text.strip().partition(" 00:00")[0]
    for written in ("%m/%d/%Y", "%m/%d/%y", *_FORMATS) if preset.american_days else _FORMATS:
        try:
            yield datetime.strptime(text, written).date()  # noqa: DTZ007
        except ValueError:
            continue
