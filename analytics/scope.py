"""What a figure is asked about, parsed once for pages, the API and files: a period and what it is compared with, among
whom, in which stage model and currency, and what is known of it. What cannot be used is told field by field."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from clm.lib.milliseconds import truncated, written
from clm.lib.periods import (
    DEFAULT_PRESET,
    Period,
    asked_instant,
    asked_period,
    day_start,
    local_day,
    parse_moment,
    preset,
)
from clm.lib.questions import ManyFaultsError, NotThereError, QuestionError
from customers.models import Installation

from .days.kept import Kept
from .days.packs import Packs
from .days.remembered import remembered_now
from .sorting import Sorting, segment, stage_model, version_known

LINES = ("all", "products")  # what the parameter `lines` may be; the first is the default
# What a period may be compared with; the first is the default.
COMPARISONS: dict[str, Any] = {
    "previous": _("the period before"),
    "year": _("the same days a year before"),
    "none": _("nothing"),
}
# The parameters that `parse_scope` reads, in the order in which their faults are told.
FIELDS = ("period", "from", "until", "as_of", "compare", "segment", "model", "currency", "lines")
MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Scope:
    """The question behind a figure.

    as_of: only what happened until then counts, so an unfinished period ends there. segment: only customers who are in
    it at as_of, None: all. products_only: order lines that are not products (postage, fees) are left out of amounts.
    kept: the figures per day to read where they answer the question, None: count from history. comparison: one of
    COMPARISONS. model: the stage model that stages are of, None: the default one."""

    period: Period
    as_of: datetime
    segment: Sorting | None = None
    products_only: bool = False
    kept: Kept | None = field(default=None, compare=False)
    comparison: str = "previous"
    model: Sorting | None = None

    @property
    def until_at(self) -> datetime:
        """Where counting ends: with the period, or just after `as_of` if that is earlier."""
        return min(self.period.until_at, self.as_of + MILLISECOND)

    @property
    def is_over(self) -> bool:
        """Whether the whole period lies in what is known."""
        return self.period.until_at <= self.as_of + MILLISECOND

    @property
    def end_at(self) -> datetime:
        """The last instant that belongs to the question: the one at which stocks are counted."""
        return self.until_at - MILLISECOND

    @property
    def generation(self) -> str | None:
        """By what answers from history are remembered, None if they are not."""
        return self.kept.remembered_by if self.kept is not None else None

    @property
    def packs(self) -> Packs | None:
        """What answers from history are counted from where it is packed, None where nothing is."""
        return self.kept.packs if self.kept is not None else None

    @property
    def among(self) -> dict[str, Any]:
        """What the SQL files ask about the segment; the same for all questions that ask of none."""
        if self.segment is None:
            return {"segment": None, "segment_in": None, "as_of": None}
        return {
            "segment": self.segment.version or 0,
            "segment_in": self.segment.stage_id("in"),
            "as_of": self.as_of,
        }

    def among_as_known(self, known_at: datetime | None) -> dict[str, Any]:
        """`among` for what was believed at `known_at` (None: now): the segment by the rule that was live then."""
        if self.segment is None or known_at is None:
            return self.among
        return {**self.among, "segment": version_known(sorting=self.segment, known_at=known_at) or 0}

    def filters(self) -> dict[str, Any]:
        """What the SQL files ask about the segment and the lines."""
        return {**self.among, "products_only": self.products_only}

    def query(self) -> str:
        """The same question as parameters of an address."""
        start, until = self.period.asked()
        asked = f"from={start}&until={until}&as_of={written(self.as_of)}"
        if self.segment is not None:
            asked += f"&segment={self.segment.key}"
        return f"{asked}&lines=products" if self.products_only else asked

    def compared_with(self) -> "Scope | None":
        """The same question about the period it is compared with, as far into that as this one has come; None when it
        is compared with nothing."""
        if self.comparison == "none":
            return None
        period = self.period.year_before() if self.comparison == "year" else self.period.previous()
        missing = self.period.until_at - self.until_at
        return replace(self, period=period, as_of=period.until_at - missing - MILLISECOND)


@dataclass(frozen=True, slots=True)
class Parsed:
    """A scope as it was asked for. errors: by parameter why it cannot be used; the scope then has the default in its
    place. as_of_day: the day asked about, None for now."""

    scope: Scope
    as_of_day: date | None
    errors: Mapping[str, str]

    def refuse(self) -> None:
        """Raise the faults, all at once; nothing when there are none."""
        if self.errors:
            raise ManyFaultsError([QuestionError(name, said) for name, said in self.errors.items()])


def parse_scope(
    given: Mapping[str, str],
    *,
    now: datetime,
    counted: Kept,
    may_be_remembered: bool = False,
    counts_history: bool = False,
) -> Parsed:
    """The scope that parameters ask for. An empty one is one that is not given.

    counted: what is kept; unless asked otherwise, figures are as of when it was counted last, seconds ago.
    may_be_remembered: what is counted from history may be as of some minutes ago, and says so, as pages do.
    counts_history: figures that are not kept are asked for, whatever the period."""
    zone, errors = counted.zone, dict[str, str]()

    def attempt(default: Any, act: Callable[[], Any], name: str | None = None) -> Any:
        try:
            return act()
        except QuestionError as error:
            errors.setdefault(name or error.field, error.message)
        except NotThereError as error:
            errors.setdefault(name or "scope", str(error))
        return default

    if counted.known_at is not None and not given.get("as_of"):
        now = min(now, counted.known_at)
    at, day = attempt((now, None), lambda: asked_day(given.get("as_of", ""), field="as_of", now=now, zone=zone))
    chosen = attempt(None, lambda: segment(given["segment"]) if given.get("segment") else None, "segment")
    own = bool(given.get("from") or given.get("until"))
    counts_history = counts_history or chosen is not None or own
    if counts_history and day is None and counted.known_at is not None and may_be_remembered:
        at = now = remembered_now(now=at, zone=zone)
    standard = preset(key=DEFAULT_PRESET, now=at, zone=zone)
    period = standard
    for name in ("from", "until"):
        text = given.get(name)
        if text:
            attempt(None, lambda text=text, name=name: parse_moment(text, field=name, zone=zone))  # type: ignore[misc]
    if not errors.keys() & {"from", "until"}:
        period = attempt(standard, lambda: _period(given, at, zone))
    if period.start_at > at:
        asked_about = "as_of" if given.get("as_of") else ("from" if given.get("from") else "until")
        said = gettext("Nothing is known of a period after the day asked about. Choose an earlier period.")
        if asked_about != "as_of":
            said = gettext("This period lies in the future; nothing of it is known yet. Choose an earlier one.")
        errors.setdefault(asked_about, said)
        period = standard
    comparison = given.get("compare") or next(iter(COMPARISONS))
    if comparison not in COMPARISONS:
        said = gettext("A period is compared with another or with nothing; choose one of %(known)s.")
        errors["compare"] = said % {"known": ", ".join(COMPARISONS)}
        comparison = next(iter(COMPARISONS))
    lines = given.get("lines") or LINES[0]
    if lines not in LINES:
        said = gettext("Figures count all order lines or products only; there is no other choice (%(known)s).")
        errors["lines"] = said % {"known": ", ".join(LINES)}
    model = attempt(None, lambda: stage_model(given["model"]) if given.get("model") else None, "model")
    if given.get("currency"):
        currency = Installation.current().currency
        if given["currency"] != currency:
            said = gettext("Amounts are kept in %(currency)s, the reporting currency, and in no other.")
            errors["currency"] = said % {"currency": currency}
    scope = Scope(
        period=period,
        as_of=at,
        segment=chosen,
        products_only=lines == "products",
        kept=counted,
        comparison=comparison,
        model=model,
    )
    return Parsed(scope, day, {name: errors[name] for name in (*FIELDS, *errors) if name in errors})


def _period(given: Mapping[str, str], at: datetime, zone: str) -> Period:
    own = given.get("from") or given.get("until")
    if given.get("period") and own:
        said = gettext("Ask for one period: either a named one, or two days of your own.")
        raise QuestionError("period", said)
    if own:
        return asked_period(start=given.get("from"), until=given.get("until"), now=at, zone=zone)
    return preset(key=given.get("period") or DEFAULT_PRESET, now=at, zone=zone)


def asked_day(text: str, *, field: str, now: datetime, zone: str) -> tuple[datetime, date | None]:
    """The instant that `as_of` or `known_at` means, and its day. A day is meant up to its end (today: up to now), on
    pages and by programs alike; an instant is itself. Nothing is known of the future, which is refused by the field."""
    if not text:
        return now, None
    moment = parse_moment(text, field=field, zone=zone)
    if isinstance(moment, datetime):
        at = asked_instant(text, field=field, now=now, zone=zone)
        return at, local_day(at, zone)
    if moment > local_day(now, zone):
        raise QuestionError(field, gettext("This day lies in the future; nothing is known of it yet."))
    return min(day_end(moment, zone), truncated(now)), moment


def day_end(day: date, zone: str) -> datetime:
    """The last millisecond of a local day."""
    return day_start(day + timedelta(days=1), zone) - MILLISECOND
