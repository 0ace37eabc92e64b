"""Local calendar days: the number of the day on which an instant falls in the business time zone.

Exact for every zone, also where clocks change at one minute past midnight and the date goes back for an hour
(America/St_Johns until 2011): day numbers of rising instants are then not rising. Zone data comes from the pinned
tzdata package alone, never from the machine."""

from __future__ import annotations

import importlib.resources
import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import numpy.typing as npt

from lifecycle.rules.durations import DAY, MINUTE

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_SECOND = timedelta(seconds=1)
_QUARTER = 15 * MINUTE
_ZONE_NAME = re.compile(r"[A-Za-z0-9_+\-]+(/[A-Za-z0-9_+\-]+)*")


def _ms(year: int) -> int:
    return (datetime(year, 1, 1, tzinfo=UTC) - _EPOCH) // _MILLISECOND


# The table per quarter hour spans the instants that occur; the rest is looked up in the list of midnights.
_TABLE_FROM, _TABLE_UNTIL = _ms(1970), _ms(2060)
_FIRST, _LAST = _ms(1900), _ms(2201)
_MIXED = np.uint16(65_535)


@lru_cache(maxsize=64)
def local_days(zone: str) -> LocalDays:
    """The calendar of an IANA zone, made once. Raises ValueError for an unknown zone."""
    return LocalDays(zone)


class LocalDays:
    """The calendar of one zone: a table of day numbers per UTC quarter hour, and the list of midnights behind it."""

    def __init__(self, zone: str) -> None:
        self.zone = _load(zone)
        self._breaks, self._days = _midnights(self.zone, _TABLE_FROM, _TABLE_UNTIL)
        self._far: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]] | None = None
        # The first slot that begins at or after each midnight. Days since 1970-01-01 plus one: the local day before it
        # exists west of Greenwich.
        slots = -((_TABLE_FROM - self._breaks) // _QUARTER)
        lengths = np.diff(slots, append=(_TABLE_UNTIL - _TABLE_FROM) // _QUARTER)
        self._table = (self._days + 1).astype(np.uint16).repeat(lengths)
        inside = self._breaks[(self._breaks - _TABLE_FROM) % _QUARTER != 0]
        self._table[(inside - _TABLE_FROM) // _QUARTER] = _MIXED
        self._plain = len(inside) == 0
        self._rising = bool((np.diff(self._days) >= 0).all())

    def numbers(self, ms: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Local day numbers (days since 1970-01-01) of instants in milliseconds since 1970 UTC, 1900 to 2200."""
        return self.marks(ms).astype(np.int64) - 1

    def marks(self, ms: npt.NDArray[np.int64]) -> npt.NDArray[np.integer]:
        """Day numbers plus one, in a type as narrow as they allow: what is compared need not be widened."""
        slots = ms - _TABLE_FROM
        slots //= _QUARTER
        # Seen as unsigned, a slot before the table is one far after it.
        if len(slots) and slots.view(np.uint64).max() >= len(self._table):
            return self._looked_up(ms) + 1
        marks = self._table.take(slots)
        if not self._plain:
            mixed = (marks == _MIXED).nonzero()[0]
            marks[mixed] = self._days[np.searchsorted(self._breaks, ms[mixed], side="right") - 1] + 1
        return marks

    def rises(self, marks: npt.NDArray[np.integer]) -> bool:
        """Whether later instants never have an earlier day, wherever these lie."""
        return self._rising and marks.dtype == np.uint16

    def _looked_up(self, ms: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        if self._far is None:
            self._far = _midnights(self.zone, _FIRST, _LAST)
        breaks, days = self._far
        return days[np.searchsorted(breaks, ms, side="right") - 1]


def _load(zone: str) -> ZoneInfo:
    if not _ZONE_NAME.fullmatch(zone):
        raise ValueError(f"unknown time zone {zone[:80]!r}")
    place = importlib.resources.files("tzdata.zoneinfo").joinpath(*zone.split("/"))
    try:
        with place.open("rb") as file:
            return ZoneInfo.from_file(file, key=zone)
    except (OSError, ValueError, ZoneInfoNotFoundError):
        raise ValueError(f"unknown time zone {zone[:80]!r}") from None


def _midnights(zone: ZoneInfo, start: int, end: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Instants in [start, end) at which the local date changes, `start` first, and the day number from each on.

    Between two changes of the UTC offset a midnight comes every 24 hours; at a change the date may jump."""
    breaks: list[npt.NDArray[np.int64]] = []
    days: list[npt.NDArray[np.int64]] = []
    changes = _offset_changes(zone, start, end)
    for (begin, offset), (until, _) in zip(changes, [*changes[1:], (end, 0)], strict=True):
        first = (begin + offset) // DAY
        at = np.arange((first + 1) * DAY - offset, until, DAY, dtype=np.int64)
        breaks += [np.array([begin], np.int64), at]
        days += [np.array([first], np.int64), first + 1 + np.arange(len(at), dtype=np.int64)]
    all_breaks, all_days = np.concatenate(breaks), np.concatenate(days)
    real = np.concatenate([[True], all_days[1:] != all_days[:-1]])
    return all_breaks[real], all_days[real]


def _offset_changes(zone: ZoneInfo, start: int, end: int) -> list[tuple[int, int]]:
    """(instant, UTC offset from it on), both in milliseconds; the first instant is `start`.

    Probed twice a day and then halved: no zone has changed its offset twice within twelve hours."""
    step = timedelta(hours=12)
    # UTC instants labelled with the zone, as `fromutc` takes them; what it adds is the offset.
    probe, last = (_EPOCH.replace(tzinfo=zone) + timedelta(milliseconds=ms) for ms in (start, end))
    offset = zone.fromutc(probe) - probe
    changes = [(start, offset // _MILLISECOND)]
    while probe < last:
        probe += step
        if zone.fromutc(probe) - probe != offset:
            low, high = probe - step, probe
            while high - low > _SECOND:
                middle = low + (high - low) // 2 // _SECOND * _SECOND
                if zone.fromutc(middle) - middle == offset:
                    low = middle
                else:
                    high = middle
            offset = zone.fromutc(probe) - probe
            if high < last:
                changes.append(((high.replace(tzinfo=UTC) - _EPOCH) // _MILLISECOND, offset // _MILLISECOND))
    return changes
