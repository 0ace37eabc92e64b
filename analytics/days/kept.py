"""Reading kept figures: which questions they answer, and the numbers. Whoever asks something else (an instant within a
past day, a segment, a window of another length) is told None, and counts from history itself."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from clm.lib import sql
from clm.lib.periods import day_start, local_day
from customers.models import Installation

from ..models import Counting
from .declared import ACQUISITION, APART, FALLS, LENGTHS, LISTED, PACKS, SALES, SEEN, STAGES
from .packs import Packs
from .remembered import generation

DAY = timedelta(days=1)
MILLISECOND = timedelta(milliseconds=1)
MANY = 200_000  # customer ids
Pair = tuple[int, int]  # stage at the start and at the end, 0 for none


@dataclass(frozen=True, slots=True)
class Window:
    """The `length` days before the day `until`."""

    length: int
    until: date


@dataclass(frozen=True, slots=True)
class Kept:
    """How far what is counted: by (statistic, version), as one reading of the marks found it.

    known_at: what was recorded before it is in all of them, None while nothing is counted; generation: by what answers
    from history are remembered; packs: where these are counted from, None where nothing is packed."""

    zone: str
    marks: Mapping[tuple[str, int], Counting]
    generation: str = ""
    packs: Packs | None = field(default=None, compare=False, repr=False)

    @property
    def known_at(self) -> datetime | None:
        return min((mark.known_at for (name, _version), mark in self.marks.items() if name not in APART), default=None)

    @property
    def listed_known_at(self) -> datetime | None:
        """As of when it is kept what lists are sorted by, None if it is not."""
        mark = self.marks.get((LISTED.name, 0))
        return mark.known_at if mark is not None else None

    @property
    def acquisition_known_at(self) -> datetime | None:
        """As of when it is kept how customers were won, None if it is not."""
        mark = self.marks.get((ACQUISITION.name, 0))
        return mark.known_at if mark is not None else None

    @property
    def remembered_by(self) -> str | None:
        """The generation of answers from history that may be told again; None while none are, since nothing is
        counted."""
        return self.generation if self.known_at is not None else None

    def falls_known_at(self, version: int | None) -> datetime | None:
        """As of when it is kept who will lapse, None if it is not."""
        mark = self.marks.get((FALLS.name, version or 0))
        return mark.known_at if mark is not None else None

    def lists_members(self, version: int | None) -> bool:
        """Whether lists find the members of a stage in the copy that is seconds old: where there are so many customers
        that looking through all of them takes long."""
        return self.has_stages(version) and self.marks[STAGES.name, version or 0].next_customer >= MANY

    def has_stages(self, version: int | None) -> bool:
        return version is not None and (STAGES.name, version) in self.marks

    @property
    def has_sales(self) -> bool:
        return (SALES.name, 0) in self.marks

    @property
    def has_seen(self) -> bool:
        return (SEEN.name, 0) in self.marks

    def day(self, at: datetime | None) -> date | None:
        """The day at whose end, or so far, an instant asks (None: now); None when it asks within a finished day."""
        known_at = self.known_at
        if known_at is None:
            return None
        today = local_day(known_at, self.zone)
        if at is None or known_at - MILLISECOND <= at < day_start(today + DAY, self.zone):
            return today
        day = local_day(at, self.zone)
        return day if day < today and at + MILLISECOND == day_start(day + DAY, self.zone) else None

    def window(self, start: datetime, until: datetime) -> Window | None:
        """The window of days that [start, until) is, if it is one that figures are kept for."""
        first, last = local_day(start, self.zone), self.day(until - MILLISECOND)
        if last is None or day_start(first, self.zone) != start:
            return None
        length = (last + DAY - first).days
        return Window(length, last + DAY) if length in LENGTHS else None

    def windows(self, spans: Sequence[tuple[datetime, datetime]]) -> list[Window] | None:
        """The windows that several spans are, None unless all are windows of one length."""
        found = [self.window(start, until) for start, until in spans]
        kept = [window for window in found if window is not None]
        return kept if len(kept) == len(found) and len({window.length for window in kept}) == 1 else None


def kept(zone: str | None = None) -> Kept:
    """What is counted now, on the basis that counts now; one query besides the installation's, which is not read by
    whoever knows its zone."""
    zone = zone or Installation.current().time_zone
    marks = Counting.objects.filter(state=Counting.State.DONE)
    found = {(mark.statistic, mark.version): mark for mark in marks if mark.basis.partition(";")[0] in ("", zone)}
    packed = {version: mark for (name, version), mark in found.items() if name == PACKS.name}
    return Kept(zone, found, generation() if found else "", Packs(packed) if packed else None)


def stocks(*, version: int, days: Sequence[date]) -> dict[date, dict[int, int]]:
    """Customers in each stage at the end of some days."""
    found: dict[date, dict[int, int]] = defaultdict(dict)
    for day, stage, customers in sql.rows("analytics/kept_stocks", version=version, days=list(days)):
        found[day][stage] = customers
    return found


def members_of(*, version: int, stages: Sequence[int]) -> int:
    """How many are in some stages as counted last."""
    ((customers,),) = sql.rows("analytics/kept_members", version=version, stages=list(stages))
    return int(customers)


def traffic(*, version: int, start: date, until: date) -> dict[int, tuple[int, int]]:
    """How many spells of each stage began and ended in the days [start, until)."""
    rows = sql.rows("analytics/kept_traffic", version=version, start=start, until=until)
    return {stage: (entered, left) for stage, entered, left in rows}


def shifts(*, version: int, windows: Sequence[Window]) -> list[dict[Pair, int]]:
    """Of each window (all of one length) the customers by stage at its start and at its end."""
    answer: list[dict[Pair, int]] = [defaultdict(int) for _window in windows]
    order, untils = _in_order(windows)
    rows = sql.rows("analytics/kept_shifts", version=version, length=windows[0].length, untils=untils)
    for place, source, target, change in rows:
        for number in order[place:]:
            answer[number][source, target] += change
    return answer


def active_counts(*, products_only: bool, windows: Sequence[Window]) -> list[tuple[int, int, int]]:
    """Of each window (all of one length) the customers who were active in it, who ordered in it, and either."""
    answer = [[0, 0, 0] for _window in windows]
    order, untils = _in_order(windows)
    rows = sql.rows("analytics/kept_activity", length=windows[0].length, products_only=products_only, untils=untils)
    for place, *changes in rows:
        for number in order[place:]:
            answer[number] = [total + change for total, change in zip(answer[number], changes, strict=True)]
    return [(active, buyers, customers) for active, buyers, customers in answer]


def sold(*, products_only: bool, windows: Sequence[Window]) -> list[tuple[int, int, int, int, int]]:
    """Of each window orders, unpriced, bought, refunded, first_paying."""
    answer = [(0, 0, 0, 0, 0)] * len(windows)
    rows = sql.rows(
        "analytics/kept_sales",
        products_only=products_only,
        starts=[window.until - DAY * window.length for window in windows],
        untils=[window.until for window in windows],
    )
    for number, *sums in rows:
        answer[number - 1] = tuple(sums)
    return answer


def _in_order(windows: Sequence[Window]) -> tuple[list[int], list[date]]:
    """The numbers of the windows by their `until`, and these in order: rows come with the first place that counts
    them."""
    order = sorted(range(len(windows)), key=lambda number: windows[number].until)
    return order, [windows[number].until for number in order]
