"""How much of a span of time people were at work: weekdays and hours of a zone, whatever its clock does.

Hours are those of the wall clock, so a working day is as long as it really was: one during whose hours the clock is
put on is an hour shorter."""

import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from .milliseconds import to_ms
from .periods import day_start, local_day, zone_of

DAY = timedelta(days=1)
MILLISECOND = timedelta(milliseconds=1)
_CLOCK = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]|24:00")


@dataclass(frozen=True, slots=True)
class BusinessHours:
    """weekdays: ISO numbers, Monday is 1; opens, closes: times of the wall clock like 09:00, 24:00 being the end of the
    day, opens before closes."""

    zone: str
    weekdays: frozenset[int]
    opens: str
    closes: str

    def on(self, day: date) -> tuple[datetime, datetime] | None:
        """When work begins and ends on a local day, in UTC; None on a day off."""
        if day.isoweekday() not in self.weekdays:
            return None
        opens, closes = self._instant(day, self.opens), self._instant(day, self.closes)
        return (opens, closes) if opens < closes else None

    def _instant(self, day: date, clock: str) -> datetime:
        if clock == "24:00":
            return day_start(day + DAY, self.zone)
        if clock == "00:00":
            return day_start(day, self.zone)
        hours, minutes = clock.split(":")
        return datetime.combine(day, time(int(hours), int(minutes)), zone_of(self.zone)).astimezone(UTC)


def is_clock(text: str) -> bool:
    """Whether a text is a time like 09:00, or 24:00."""
    return _CLOCK.fullmatch(text) is not None


class BusinessTime:
    """Business hours laid out over the days from the first to the last instant asked about, so that thousands of spans
    cost a look-up each."""

    def __init__(self, hours: BusinessHours, *, instants: Iterable[datetime]) -> None:
        known = list(instants)
        self._begins: list[datetime] = []
        self._ends: list[datetime] = []
        # Business time before each of the stretches.
        self._before: list[timedelta] = []
        total = timedelta()
        if not known:
            return
        day, last = local_day(min(known), hours.zone), local_day(max(known), hours.zone)
        while day <= last:
            if (open_ := hours.on(day)) is not None:
                self._begins.append(open_[0])
                self._ends.append(open_[1])
                self._before.append(total)
                total += open_[1] - open_[0]
            day += DAY

    def between(self, start: datetime, until: datetime) -> timedelta:
        """Business time in [start, until); both lie among the instants it was made for."""
        return max(timedelta(), self._until(until) - self._until(start))

    def stretches(self) -> tuple[list[int], list[int], list[int]]:
        """When each stretch of work begins and ends, in milliseconds since 1970, and how many milliseconds of work lie
        before it: for whoever looks up many spans at once."""
        return (
            [to_ms(one) for one in self._begins],
            [to_ms(one) for one in self._ends],
            [one // MILLISECOND for one in self._before],
        )

    def _until(self, instant: datetime) -> timedelta:
        at = bisect_right(self._begins, instant) - 1
        if at < 0:
            return timedelta()
        return self._before[at] + min(self._ends[at], instant) - self._begins[at]
