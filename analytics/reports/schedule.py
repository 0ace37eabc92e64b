"""When a report is due: every day, on a day of the week, or on a day of the month, at a time of the clock in the zone
of the organisation. A day has one such instant, also where the clock is changed: a time that is skipped is due as much
later as the clock jumps, and one that comes twice is due the first time."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.utils.translation import gettext as _

from clm.lib.periods import local_day, zone_of

DAILY, WEEKLY, MONTHLY, NEVER = "daily", "weekly", "monthly", "never"
LAST_DAY = 0


@dataclass(frozen=True, slots=True)
class Schedule:
    """cadence: daily, weekly, monthly or never. weekday: of weekly ones, 0 is Monday; day: of monthly ones, 1 to 31,
    LAST_DAY the last of the month; a month that is shorter is due on its last. at: the time of the clock."""

    cadence: str
    at: time
    weekday: int | None = None
    day: int | None = None

    def next_after(self, instant: datetime, *, zone: str) -> datetime | None:
        """The first instant after `instant` at which it is due."""
        if self.cadence == NEVER:
            return None
        # The local day before: where a skipped time is moved over midnight, its day lies behind.
        for day in self._days_from(local_day(instant, zone) - timedelta(days=1)):
            due = self._instant(day, zone)
            if due > instant:
                return due
        return None

    def last_until(self, instant: datetime, *, zone: str) -> datetime | None:
        """The last instant that is not after `instant` at which it was due."""
        if self.cadence == NEVER:
            return None
        day = local_day(instant, zone)
        while day.year >= 1970:
            if self._is_on(day) and (due := self._instant(day, zone)) <= instant:
                return due
            day -= timedelta(days=1)
        return None

    def between(self, after: datetime, until: datetime, *, zone: str) -> Iterator[datetime]:
        """The instants in (after, until], earliest first."""
        due = self.next_after(after, zone=zone)
        while due is not None and due <= until:
            yield due
            due = self.next_after(due, zone=zone)

    def _days_from(self, day: date) -> Iterator[date]:
        while day.year < 2200:
            if self._is_on(day):
                yield day
            day += timedelta(days=1)

    def _is_on(self, day: date) -> bool:
        if self.cadence == DAILY:
            return True
        if self.cadence == WEEKLY:
            return day.weekday() == self.weekday
        last = _last_of_month(day)
        wanted = self.day or 0
        return day.day == (last if wanted == LAST_DAY else min(wanted, last))

    def _instant(self, day: date, zone: str) -> datetime:
        return datetime.combine(day, self.at, zone_of(zone)).astimezone(UTC)

    def sentence(self, *, zone: str) -> str:
        """`Every Monday at 08:00 (Europe/London)`."""
        clock = {"at": f"{self.at:%H:%M}", "zone": zone}
        if self.cadence == DAILY:
            return _("Every day at %(at)s (%(zone)s)") % clock
        if self.cadence == WEEKLY:
            return _("Every %(weekday)s at %(at)s (%(zone)s)") % {**clock, "weekday": weekdays()[self.weekday or 0][1]}
        if self.cadence == MONTHLY:
            if self.day == LAST_DAY:
                return _("On the last day of every month at %(at)s (%(zone)s)") % clock
            return _("On day %(day)s of every month at %(at)s (%(zone)s)") % {**clock, "day": self.day}
        return _("Never by itself")


def weekdays() -> list[tuple[int, str]]:
    """The days of the week with their names."""
    names = (_("Monday"), _("Tuesday"), _("Wednesday"), _("Thursday"), _("Friday"), _("Saturday"), _("Sunday"))
    return list(enumerate(names))


def _last_of_month(day: date) -> int:
    return ((day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)).day
