"""The two dates that pages can be asked about: *as of* (how things stood) and *as known on* (what we knew then).

People mean a day up to its end, in the business time zone; links and those who add a time of day mean an instant."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict
from django.utils.translation import gettext as _

from analytics.scope import asked_day
from clm.lib.milliseconds import written
from clm.lib.periods import parse_moment, zone_of
from clm.lib.questions import QuestionError
from clm.lib.templatetags.times import plain_date
from customers.models import Installation

# The dates themselves, and what their form sends beside them: times of day.
DATES = ("as_of", "known_at")
TIMES = {"as_of": "as_of_time", "known_at": "known_time"}


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant that somebody asks about, as it was written in the address. day: the day whose end is meant, None: the
    instant itself; local: the same in the business time zone."""

    at: datetime
    text: str
    day: date | None
    local: datetime

    @property
    def words(self) -> str:
        """`12 Mar 2026`, or `12 Mar 2026, 14:05`."""
        said = plain_date(self.local.date())
        return said if self.day is not None else f"{said}, {self.local:%H:%M}"

    @property
    def date_text(self) -> str:
        """For a field of the form."""
        return self.local.date().isoformat()

    @property
    def time_text(self) -> str:
        return "" if self.day is not None else f"{self.local:%H:%M}"


@dataclass(frozen=True, slots=True)
class Dates:
    """What a page is asked about. as_of None: now, or `known` if that is given; known None: what is known today. zone:
    of the days; "" while there is none to tell. errors: by parameter why it cannot be answered; the page is then shown
    without it."""

    as_of: Moment | None = None
    known: Moment | None = None
    zone: str = ""
    errors: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_past(self) -> bool:
        return self.as_of is not None or self.known is not None

    @property
    def at(self) -> datetime | None:
        """The instant asked about, None: now."""
        moment = self.as_of or self.known
        return None if moment is None else moment.at

    @property
    def known_at(self) -> datetime | None:
        """The instant whose knowledge is asked for, None: today's."""
        return None if self.known is None else self.known.at

    @property
    def parameters(self) -> dict[str, str]:
        """The same question for another address."""
        return {name: one.text for name, one in (("as_of", self.as_of), ("known_at", self.known)) if one is not None}

    @property
    def query(self) -> str:
        """For an address without a query of its own: `?as_of=...`, or nothing."""
        return f"?{urlencode(self.parameters)}" if self.parameters else ""

    @property
    def more(self) -> str:
        """For an address that has a query: `&as_of=...`, or nothing."""
        return f"&{urlencode(self.parameters)}" if self.parameters else ""


def asked_dates(query: QueryDict, *, now: datetime) -> Dates:
    """The dates in an address, and what is wrong with those that cannot be answered. Reads nothing where none is."""
    if not any(query.get(name) for name in DATES):
        return Dates()
    zone, errors = Installation.current().time_zone, dict[str, str]()
    found: dict[str, Moment | None] = dict.fromkeys(DATES)
    for name in DATES:
        try:
            found[name] = _moment(query.get(name, ""), name=name, now=now, zone=zone)
        except QuestionError as error:
            errors[name] = error.message
    as_of, known = found["as_of"], found["known_at"]
    if as_of is not None and known is not None and as_of.at > known.at:
        errors["as_of"] = _("Nothing was known of this instant then. Choose one before “as known on”.")
        as_of = None
    return Dates(as_of, known, zone, errors)


def tidied(query: QueryDict) -> QueryDict | None:
    """The query as an address should say it, after the form of dates was sent: a date with a time of day is an instant,
    what was left empty is left out. None when it is tidy."""
    if not any(query.get(name) == "" for name in DATES) and not any(name in query for name in TIMES.values()):
        return None
    zone, tidy = zone_of(Installation.current().time_zone), query.copy()
    for name, beside in TIMES.items():
        day, clock = query.get(name, ""), query.get(beside, "")
        tidy.pop(beside, None)
        if not day:
            tidy.pop(name, None)
            continue
        try:
            instant = datetime.combine(date.fromisoformat(day), time.fromisoformat(clock), zone) if clock else None
        except ValueError:
            continue  # refused by whoever reads the date
        tidy[name] = day if instant is None else written(instant)
    return tidy


def _moment(text: str, *, name: str, now: datetime, zone: str) -> Moment | None:
    if not text:
        return None
    at, _day = asked_day(text, field=name, now=now, zone=zone)
    asked: Any = parse_moment(text, field=name, zone=zone)
    return Moment(at, text, None if isinstance(asked, datetime) else asked, at.astimezone(zone_of(zone)))
