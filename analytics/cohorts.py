"""Cohorts: customers by when they began, and how many of each come back, and with how much money.

A cohort is a day, a week or a month of the business time zone; the cell k of a cohort is the k-th day, week or month
after its own. A cell that is not over yet is told as incomplete and is part of no pooled rate: a rate over several
cohorts is the sum of those who came back over the sum of those who could, never a mean of percentages."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from clm.lib.periods import day_start, local_day
from clm.lib.questions import NotThereError, QuestionError
from customers.models import Role

from .days.remembered import remembered_rows
from .sales import types_of
from .scope import Scope
from .sorting import Sorting, segment

# What begins a cohort, and the roles of the touchpoints that do; None: any touchpoint.
BEGINNINGS: dict[str, tuple[Any, tuple[str, ...] | None]] = {
    "purchase": (gettext_lazy("first purchase"), (Role.PURCHASE,)),
    "signup": (gettext_lazy("sign-up"), (Role.SIGNUP,)),
    "touch": (gettext_lazy("first touch"), None),
}
ENTRY = "segment:"  # before the key of a segment: the first entry into it begins a cohort
# The lengths of cohorts, and how many of each are told.
UNITS: dict[str, tuple[Any, int]] = {
    "month": (gettext_lazy("month"), 13),
    "week": (gettext_lazy("week"), 13),
    "day": (gettext_lazy("day"), 15),
}
# Whether somebody came back in a day, week or month, or in it or any later one.
MODES: dict[str, Any] = {"on": gettext_lazy("in that one"), "after": gettext_lazy("in that one or later")}


@dataclass(frozen=True, slots=True)
class Asked:
    """Which cohorts are asked for: what begins them, how long they are, and what coming back is."""

    by: str = "purchase"
    unit: str = "month"
    mode: str = "on"

    def __post_init__(self) -> None:
        for name, value, choices in (
            ("by", self.by if self.entered is None else next(iter(BEGINNINGS)), (*BEGINNINGS, f"{ENTRY}SEGMENT")),
            ("unit", self.unit, UNITS),
            ("mode", self.mode, MODES),
        ):
            if value not in choices:
                raise QuestionError(name, f"{name} is one of {', '.join(choices)}")

    @property
    def entered(self) -> str | None:
        """The key of the segment whose first entry begins a cohort, None where a touchpoint does."""
        return self.by.removeprefix(ENTRY) if self.by.startswith(ENTRY) else None

    @property
    def segment(self) -> Sorting | None:
        """That segment; QuestionError names the field `by` when there is none."""
        if self.entered is None:
            return None
        try:
            return segment(self.entered)
        except NotThereError as error:
            raise QuestionError("by", str(error)) from None

    @property
    def beginning(self) -> str:
        """What begins a cohort, in words."""
        entered = self.segment
        if entered is None:
            return str(BEGINNINGS[self.by][0])
        return _("first entry into %(segment)s") % {"segment": entered.name}


@dataclass(frozen=True, slots=True)
class Cell:
    """Customers of a cohort with an order in its k-th unit (or, mode "after", in that or a later one), what they spent
    in that unit net of refunds, and whether the unit is over."""

    customers: int
    revenue: int
    is_complete: bool


@dataclass(frozen=True, slots=True)
class Cohort:
    """Those who began in [start, until), and their cells from k = 0 on. is_over: nobody can join it any more."""

    start: date
    until: date
    size: int
    is_over: bool
    cells: tuple[Cell, ...]

    def share(self, k: int) -> Fraction | None:
        """The share of the cohort that cell k counts, None for an empty cohort."""
        return Fraction(self.cells[k].customers, self.size) if self.size else None


@dataclass(frozen=True, slots=True)
class Pooled:
    """Of all cohorts whose k-th unit is over: how many customers they have, how many of these came back, and with how
    much."""

    k: int
    size: int
    customers: int
    revenue: int

    @property
    def share(self) -> Fraction | None:
        return Fraction(self.customers, self.size) if self.size else None


@dataclass(frozen=True, slots=True)
class Table:
    """All cohorts asked for, oldest first, and the pooled rates by k."""

    asked: Asked
    scope: Scope
    cohorts: tuple[Cohort, ...]
    pooled: tuple[Pooled, ...]


def borders(*, unit: str, as_of: datetime, zone: str) -> list[date]:
    """The first days of the cohorts told, oldest first, and the first day after the last of them."""
    _label, count = UNITS[unit]
    last = _first_day(local_day(as_of, zone), unit)
    days = [_moved(last, unit, -back) for back in range(count - 1, -1, -1)]
    return [*days, _moved(last, unit, 1)]


def units_said(count: int, unit: str) -> str:
    """`1 month`, `3 weeks`; unit: one of UNITS."""
    words = {
        "month": ngettext("%(count)s month", "%(count)s months", count),
        "week": ngettext("%(count)s week", "%(count)s weeks", count),
        "day": ngettext("%(count)s day", "%(count)s days", count),
    }
    return words[unit] % {"count": count}


def cohort_table(*, scope: Scope, asked: Asked) -> Table:
    """The cohorts until the scope's as_of; of its period nothing is used."""
    days = borders(unit=asked.unit, as_of=scope.as_of, zone=scope.period.zone)
    sizes: dict[int, int] = {}
    cells: dict[tuple[int, int], tuple[int, int, int]] = {}
    for place, later, customers, last, revenue, _listed in _rows(scope, asked, days, None, None):
        if later is None:
            sizes[place] = customers
        else:
            cells[place, later] = (customers, last, revenue)
    count = len(days) - 1
    cohorts = tuple(
        Cohort(
            start=days[place - 1],
            until=days[place],
            size=sizes.get(place, 0),
            is_over=_is_over(days[place], scope),
            cells=tuple(
                _cell(cells, place, k, count - place, asked, _is_over(days[place + k], scope))
                for k in range(count - place + 1)
            ),
        )
        for place in range(1, count + 1)
    )
    return Table(asked, scope, cohorts, _pooled(cohorts))


def _cell(
    cells: dict[tuple[int, int], tuple[int, int, int]], place: int, k: int, last_k: int, asked: Asked, is_over: bool
) -> Cell:
    customers, _last, revenue = cells.get((place, k), (0, 0, 0))
    if asked.mode == "after":
        customers = sum(cells.get((place, later), (0, 0, 0))[1] for later in range(k, last_k + 1))
    return Cell(customers, revenue, is_over)


def _is_over(until: date, scope: Scope) -> bool:
    return day_start(until, scope.period.zone) <= scope.as_of + timedelta(milliseconds=1)


def _pooled(cohorts: Sequence[Cohort]) -> tuple[Pooled, ...]:
    answer = []
    for k in range(len(cohorts)):
        mature = [one for one in cohorts if k < len(one.cells) and one.cells[k].is_complete]
        answer.append(
            Pooled(
                k,
                sum(one.size for one in mature),
                sum(one.cells[k].customers for one in mature),
                sum(one.cells[k].revenue for one in mature),
            )
        )
    return tuple(answer)


def customers_of_cell(*, scope: Scope, asked: Asked, start: date, k: int | None) -> list[int]:
    """The ids of the customers that a cell counts; k None: those of the whole cohort."""
    days = borders(unit=asked.unit, as_of=scope.as_of, zone=scope.period.zone)
    if start not in days[:-1]:
        raise QuestionError("group", f"there is no cohort of {start}")
    place = days.index(start) + 1
    rows = _rows(scope, asked, days, place, k)
    return sorted(customer for *_counts, listed in rows for customer in listed or ())


def _rows(
    scope: Scope, asked: Asked, days: Sequence[date], cohort: int | None, offset: int | None
) -> list[tuple[Any, ...]]:
    _label, roles = BEGINNINGS.get(asked.by, ("", ()))
    entered = asked.segment
    found = remembered_rows(
        "analytics/cohorts",
        packs=scope.packs,
        of=scope.generation if cohort is None else None,
        beginnings=types_of(*roles) if roles else None,
        priced=asked.by == "purchase",
        entered=None if entered is None else entered.version or 0,
        entered_in=None if entered is None else entered.stage_id("in"),
        borders=[day_start(day, scope.period.zone) for day in days],
        purchases=types_of(Role.PURCHASE),
        refunds=types_of(Role.REFUND),
        listed_cohort=cohort,
        listed_offset=offset,
        after=asked.mode == "after",
        **{**scope.filters(), "as_of": scope.as_of},
    )
    return [row for row in found if row[0] < len(days)]


def _first_day(day: date, unit: str) -> date:
    if unit == "month":
        return day.replace(day=1)
    return day - timedelta(days=day.weekday()) if unit == "week" else day


def _moved(day: date, unit: str, by: int) -> date:
    """The first day of the unit that many after one."""
    if unit == "month":
        months = day.year * 12 + day.month - 1 + by
        return date(months // 12, months % 12 + 1, 1)
    return day + timedelta(days=by * (7 if unit == "week" else 1))
