"""What those who first ordered in a month brought since, month by month, and drawn again for intervals: of everybody
read from kept sums, of a segment counted from kept rows."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from clm.lib import sql

from .attribution.draws import DRAWS, drawn
from .attribution.strung import numbers
from .days.remembered import remembered
from .models import CohortDraw, CohortMonth
from .scope import Scope

_SOME = 2_000  # customers that are drawn at once


@dataclass(frozen=True, slots=True)
class Drawn:
    """The customers of a cohort, and the same drawn again many times; value: of all orders so far, minor units."""

    customers: int
    value: int
    drawn_customers: Sequence[int]
    drawn_value: Sequence[int]


@dataclass(frozen=True, slots=True)
class Brought:
    """By month of the first order, counted from the year 0. months: what came in which month after it, minor units."""

    months: Mapping[int, Mapping[int, int]]
    draws: Mapping[int, Drawn]


def brought_by_all(months: Sequence[tuple[date, date]]) -> Brought:
    """Of everybody."""
    asked = [_number(start) for start, _until in months]
    found: dict[int, dict[int, int]] = defaultdict(dict)
    for month, later, revenue in CohortMonth.objects.filter(month__in=asked).values_list("month", "later", "revenue"):
        found[month][later] = revenue
    draws = {
        month: Drawn(one.customers, one.value, one.drawn_customers, one.drawn_value)
        for month, one in CohortDraw.objects.in_bulk(asked).items()
    }
    return Brought(found, draws)


def brought_within(scope: Scope, months: Sequence[tuple[date, date]]) -> Brought:
    """Of the customers of the scope's segment."""
    found: Brought = remembered(
        "brought",
        of=scope.generation,
        count=lambda: _counted(scope, months),
        among=scope.among,
        months=list(months),
    )
    return found


def _counted(scope: Scope, months: Sequence[tuple[date, date]]) -> Brought:
    rows = sql.rows(
        "analytics/acquired_brought",
        starts=[start for start, _until in months],
        untils=[until for _start, until in months],
        **scope.among,
    )
    found: dict[int, dict[int, int]] = defaultdict(dict)
    draws: dict[int, Drawn] = {}
    for number, customers, value, later, amounts in rows:
        month = _number(months[number - 1][0])
        draws[month] = _drawn(numbers(customers), numbers(value))
        place, amount = numbers(later), numbers(amounts)
        for one in np.unique(place).tolist():
            found[month][one] = int(amount[place == one].sum())
    return Brought(found, draws)


def _drawn(customers: Any, value: Any) -> Drawn:
    times, worth = np.zeros(DRAWS, np.int64), np.zeros(DRAWS, np.int64)
    for start in range(0, len(customers), _SOME):
        some = drawn(customers[start : start + _SOME])
        times += some.sum(axis=0)
        worth += (some * value[start : start + _SOME, None]).sum(axis=0)
    return Drawn(len(customers), int(value.sum()), times.tolist(), worth.tolist())


def _number(start: date) -> int:
    return start.year * 12 + start.month - 1
