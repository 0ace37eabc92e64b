"""Periods and instants as people name them: half-open spans of calendar days in the business time zone, and the
questions `from`, `until` and `as_of` that come with a request.

Nothing here reads the clock: whoever calls passes `now`."""

import re
import zoneinfo
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from .milliseconds import truncated, written
from .questions import QuestionError

EARLIEST_YEAR = 1990
LATEST_YEAR = 2199
PRESETS = {"30d": (30, _("Last 30 days")), "90d": (90, _("Last 90 days")), "365d": (365, _("Last 365 days"))}
DEFAULT_PRESET = "30d"
_TURNED = _("A period ends after it starts. Choose a later last day or an earlier first one.")

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?([Zz]|[+-][0-9]{2}:?[0-9]{2})"
)
# A + that was not written as %2B reaches us as a space.
_EATEN_PLUS = re.compile(r" (?=[0-9]{2}:?[0-9]{2}$)")


@dataclass(frozen=True, slots=True)
class Period:
    """[start_at, until_at): instants in UTC. `start` and `until` are the days of the business time zone they belong
    to; `key` is a preset's name or `custom`."""

    key: str
    label: str
    start: date
    until: date
    start_at: datetime
    until_at: datetime
    zone: str

    @property
    def days(self) -> int:
        """How many calendar days it spans."""
        return (self.until - self.start).days

    @property
    def last_day(self) -> date:
        """The last day it touches."""
        return self.until - timedelta(days=1)

    @property
    def is_whole_days(self) -> bool:
        """Whether it starts and ends at midnights of its zone."""
        return self.start_at == day_start(self.start, self.zone) and self.until_at == day_start(self.until, self.zone)

    def asked(self) -> tuple[str, str]:
        """`from` and `until` that ask for this period again."""
        if self.is_whole_days:
            return self.start.isoformat(), self.until.isoformat()
        return written(self.start_at), written(self.until_at)

    def previous(self) -> "Period":
        """The period of equal length that ends where this one starts. A calendar month is preceded by a month; the last
        30 days are not one, though they may cover a month of 30 days."""
        if self.key not in PRESETS and self.is_whole_days and _is_month(self.start, self.until):
            return month(day=self.start - timedelta(days=1), zone=self.zone)
        if self.is_whole_days:
            return days(start=self.start - (self.until - self.start), until=self.start, zone=self.zone)
        length = self.until_at - self.start_at
        return between(start_at=self.start_at - length, until_at=self.start_at, zone=self.zone)

    def year_before(self) -> "Period":
        """The same days, or the same hours of the clock, a year before. 29 February is then the 28th."""
        if self.is_whole_days:
            last = _year_before(self.last_day)
            return days(start=_year_before(self.start), until=last + timedelta(days=1), zone=self.zone)
        zone = zone_of(self.zone)
        start, until = (
            datetime.combine(_year_before(local.date()), local.timetz()).astimezone(UTC)
            for local in (self.start_at.astimezone(zone), self.until_at.astimezone(zone))
        )
        return between(start_at=start, until_at=until, zone=self.zone)


def _is_month(start: date, until: date) -> bool:
    return start.day == 1 and until == _next_month(start)


def zone_of(name: str) -> zoneinfo.ZoneInfo:
    """The IANA zone of that name; QuestionError names the field `timezone`."""
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        said = _now("There is no time zone “%(name)s”. Write it like Europe/London.") % {"name": name[:60]}
        raise QuestionError("timezone", said) from None


def day_start(day: date, zone: str) -> datetime:
    """The first instant of a local day, in UTC. Where the clock jumps over midnight the day starts with the jump."""
    return datetime.combine(day, time(), zone_of(zone)).astimezone(UTC)


def local_day(instant: datetime, zone: str) -> date:
    """The calendar day of the zone that an instant belongs to."""
    return instant.astimezone(zone_of(zone)).date()


def days(*, start: date, until: date, zone: str, key: str = "custom", label: str = "") -> Period:
    """The period of the local days [start, until)."""
    return Period(
        key=key,
        label=str(label) or f"{start:%-d %b %Y} – {until - timedelta(days=1):%-d %b %Y}",
        start=start,
        until=until,
        start_at=day_start(start, zone),
        until_at=day_start(until, zone),
        zone=zone,
    )


def between(*, start_at: datetime, until_at: datetime, zone: str) -> Period:
    """The period between two instants; its days are those it touches."""
    start = local_day(start_at, zone)
    until = local_day(until_at - timedelta(milliseconds=1), zone) + timedelta(days=1)
    label = f"{start:%-d %b %Y} – {until - timedelta(days=1):%-d %b %Y}"
    return Period("custom", label, start, until, start_at.astimezone(UTC), until_at.astimezone(UTC), zone)


def last_days(*, count: int, now: datetime, zone: str, key: str = "custom", label: str = "") -> Period:
    """The last `count` local days, today included: nobody waits until tomorrow to see what happened today."""
    until = local_day(now, zone) + timedelta(days=1)
    return days(start=until - timedelta(days=count), until=until, zone=zone, key=key, label=label)


def preset(*, key: str, now: datetime, zone: str) -> Period:
    """One of PRESETS, as people choose it on a page; QuestionError names the field `period`."""
    if key not in PRESETS:
        said = _now("There is no period “%(key)s”. Choose one of %(known)s, or two days of your own.")
        raise QuestionError("period", said % {"key": key[:20], "known": ", ".join(PRESETS)})
    count, label = PRESETS[key]
    return last_days(count=count, now=now, zone=zone, key=key, label=str(label))


def month(*, day: date, zone: str) -> Period:
    """The calendar month a day lies in."""
    start = day.replace(day=1)
    return days(start=start, until=_next_month(start), zone=zone, label=f"{start:%B %Y}")


def asked_period(*, start: str | None, until: str | None, now: datetime, zone: str) -> Period:
    """The period that `from` and `until` ask for: dates (midnights of the business time zone) or instants with an
    offset. Without `until` it lasts through today, without `from` it is the 30 days before `until`."""
    if not start and not until:
        return preset(key=DEFAULT_PRESET, now=now, zone=zone)
    last = parse_moment(until, field="until", zone=zone) if until else local_day(now, zone) + timedelta(days=1)
    first: date = (
        parse_moment(start, field="from", zone=zone) if start else last - timedelta(days=PRESETS[DEFAULT_PRESET][0])
    )
    if isinstance(first, datetime) or isinstance(last, datetime):
        start_at, until_at = _instant(first, zone), _instant(last, zone)
        if start_at >= until_at:
            raise QuestionError("until" if until else "from", str(_TURNED))
        return between(start_at=start_at, until_at=until_at, zone=zone)
    if first >= last:
        raise QuestionError("until" if until else "from", str(_TURNED))
    return days(start=first, until=last, zone=zone)


def asked_instant(text: str, *, field: str, now: datetime, zone: str) -> datetime:
    """The instant that a parameter such as `as_of` asks for; a bare date is its first instant in the business time
    zone. Nothing is known of the future, so an instant after `now` is refused."""
    instant = _instant(parse_moment(text, field=field, zone=zone), zone)
    if instant > now:
        raise QuestionError(
            field, _now("This lies in the future, of which nothing is known yet. Ask for today or earlier.")
        )
    return truncated(instant)


def parse_moment(text: str, *, field: str, zone: str) -> date:
    """A `datetime` in UTC for an instant with an offset, a plain `date` for a bare date. Years 1990 to 2199."""
    try:
        if _DAY.fullmatch(text):
            moment: Any = date.fromisoformat(text)
        else:
            text = _EATEN_PLUS.sub("+", text) if "T" in text.upper() else text
            if not _INSTANT.fullmatch(text):
                raise ValueError
            moment = datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        said = _now("“%(text)s” is no date. Write a day like 2026-03-29, or an instant like 2026-03-29T01:00:00Z.")
        raise QuestionError(field, said % {"text": text[:40]}) from None
    if not EARLIEST_YEAR <= moment.year <= LATEST_YEAR:
        said = _now("This year is out of reach. Choose one from %(first)d to %(last)d.")
        raise QuestionError(field, said % {"first": EARLIEST_YEAR, "last": LATEST_YEAR})
    return moment


def _instant(moment: date, zone: str) -> datetime:
    return moment if isinstance(moment, datetime) else day_start(moment, zone)


def _year_before(day: date) -> date:
    return day.replace(year=day.year - 1, day=28 if (day.month, day.day) == (2, 29) else day.day)


def _next_month(first: date) -> date:
    return date(first.year + first.month // 12, first.month % 12 + 1, 1)
