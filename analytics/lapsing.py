"""How long customers stay: from when they became active for the first time until they were active no longer, and after
how long without an order somebody usually does not come back.

Both are Kaplan and Meier's estimates (`survival`): who is still active, and whose next order has not come yet, counts
for as long as it was seen. Lengths are whole days."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import erfc, sqrt

import numpy as np

from clm.lib.milliseconds import DAY, to_ms

from .days.calendar import day_numbers
from .days.lives import Int64s, among, firsts
from .days.remembered import remembered
from .lived import bought_among, lives_among, members_of
from .scope import Scope
from .sorting import Sorting, active_customers
from .survival import Length, Step, length, survival

Counts = Mapping[int, tuple[int, int]]  # by days how many came to an end then, and how many were seen no longer
MARKS = (30, 90, 180, 365, 730)  # days after which shares are told
LEAST_AT_RISK = 100
MOST_POINTS = 120
GROUPS = ("began", "ended")
SIDES = ("all", "in", "out")


@dataclass(frozen=True, slots=True)
class Curve:
    """The stays of some customers. side: of all, of those in the segment compared with, or of those out of it; number:
    how many ever began; ended: how many have ended; steps: the estimate."""

    side: str
    number: int
    ended: int
    median: Length
    steps: tuple[Step, ...]
    seen: int  # the longest stay that was seen, in days: nothing is told of longer ones

    def share(self, days: int) -> Step | None:
        """The estimate after some days: the last step until then; None where nobody was seen for so long."""
        if days > self.seen:
            return None
        found = [step for step in self.steps if step.time <= days]
        return found[-1] if found else Step(0, self.number, 0, 1.0, 1.0, 1.0)

    @property
    def points(self) -> list[tuple[int, float]]:
        """Of the curve some dozens of points, the first and the last among them."""
        told = [(0, 1.0), *((step.time, step.share) for step in self.steps)]
        every = max(1, len(told) // MOST_POINTS)
        return [*told[::every], *(told[-1:] if (len(told) - 1) % every else [])]


@dataclass(frozen=True, slots=True)
class LogRank:
    """Whether two curves differ: the statistic of the log-rank test and its p-value (one degree of freedom)."""

    statistic: float
    p: float


@dataclass(frozen=True, slots=True)
class Stays:
    """versus: the segment whose members are compared with everybody else, None: nothing is compared."""

    scope: Scope
    versus: Sorting | None
    curves: tuple[Curve, ...]
    log_rank: LogRank | None


@dataclass(frozen=True, slots=True)
class Window:
    """After how many days without an order a customer may be called lost. days: the least number within which at least
    80 % have ordered again of those who do until `until`, the longest gap at which LEAST_AT_RISK were still waited for;
    None where there are too few gaps; again: the share that has ordered again until `until`."""

    gaps: int
    open: int
    days: int | None
    until: int | None
    again: float | None


def stays(*, scope: Scope, versus: Sorting | None) -> Stays:
    """How long customers stay active, as known at the scope's as_of; of its period nothing is used. The members of
    `versus` are those of that instant."""
    active = active_customers()
    counted: dict[str, Counts] = remembered(
        "stays",
        of=scope.generation,
        count=lambda: {side: _counts(*_stays(scope, active, versus, side)) for side in _sides(versus)},
        active=active.version if active else None,
        versus=versus.version if versus else None,
        **{**scope.among, "as_of": scope.as_of},
    )
    curves = tuple(_curve(side, counts) for side, counts in counted.items())
    test = log_rank(counted["in"], counted["out"]) if versus is not None else None
    return Stays(scope, versus, curves, test)


def customers_of(*, scope: Scope, versus: Sorting | None, side: str, group: str) -> list[int]:
    """The ids of the customers of a curve: of all who began, or of those who ended."""
    assert side in SIDES and group in GROUPS, (side, group)
    ids, _days, ended = _stays(scope, active_customers(), versus, side)
    found: list[int] = (ids if group == "began" else ids[ended]).tolist()
    return found


def _sides(versus: Sorting | None) -> tuple[str, ...]:
    return SIDES[:1] if versus is None else SIDES[1:]


def _curve(side: str, counts: Counts) -> Curve:
    middle = length(counts)
    return Curve(side, middle.number, middle.ended, middle, tuple(survival(counts)), max(counts, default=0))


def _stays(
    scope: Scope, active: Sorting | None, versus: Sorting | None, side: str
) -> tuple[Int64s, Int64s, "np.ndarray"]:
    """Of everybody on a side who ever became active: id, days until active no longer or until as_of, whether ended."""
    if active is None:
        return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.bool_)
    lives, now = lives_among(scope=scope, sorting=active), to_ms(scope.as_of)
    inside = (lives.stage == active.stage_id("in")) & (lives.at <= now)
    if versus is not None:
        inside &= among(lives.customer, members_of(scope=scope, segment=versus)) == (side == "in")
    rows = np.flatnonzero(inside)
    rows = rows[firsts(lives.customer[rows])]
    ended = lives.left[rows] <= now
    days = (np.where(ended, lives.left[rows], now) - lives.at[rows]) // DAY
    return lives.customer[rows], days, ended


def _counts(_ids: Int64s, days: Int64s, ended: "np.ndarray") -> Counts:
    """How many ended and how many are still open, by days."""
    over, open_ = (np.bincount(days[kind], minlength=int(days.max(initial=0)) + 1) for kind in (ended, ~ended))
    return {int(day): (int(over[day]), int(open_[day])) for day in np.flatnonzero(over + open_)}


def log_rank(first: Counts, second: Counts) -> LogRank | None:
    """The log-rank test of two groups; None where one is empty or nothing has ended."""
    at_risk = [sum(ended + open_ for ended, open_ in one.values()) for one in (first, second)]
    if not all(at_risk):
        return None
    surplus, variance = 0.0, 0.0
    for time in sorted({*first, *second}):
        ended = [one.get(time, (0, 0))[0] for one in (first, second)]
        everybody, over = sum(at_risk), sum(ended)
        if over:
            surplus += ended[0] - over * at_risk[0] / everybody
            if everybody > 1:
                share = at_risk[0] / everybody
                variance += over * share * (1 - share) * (everybody - over) / (everybody - 1)
        for side, one in enumerate((first, second)):
            at_risk[side] -= sum(one.get(time, (0, 0)))
    if variance <= 0:
        return None
    statistic = surplus**2 / variance
    return LogRank(statistic, erfc(sqrt(statistic / 2)))


def suggested_window(*, scope: Scope) -> Window:
    """The suggestion, from the days between one day with an order and the next."""
    counts: Counts = remembered(
        "gaps",
        of=scope.generation,
        count=lambda: _gaps(scope),
        **{**scope.filters(), "as_of": scope.as_of},
    )
    return window_of(counts)


def window_of(counts: Counts) -> Window:
    """The suggestion from gaps in days: ended by another order, or still open."""
    gaps, open_ = sum(ended for ended, _open in counts.values()), sum(one for _ended, one in counts.values())
    steps = [step for step in survival(counts) if step.at_risk >= LEAST_AT_RISK]
    if not steps:
        return Window(gaps, open_, None, None, None)
    last = steps[-1]
    again = 1 - last.share
    days = next(step.time for step in steps if 1 - step.share >= 0.8 * again - 1e-12)
    return Window(gaps, open_, days, last.time, again)


def _gaps(scope: Scope) -> Counts:
    sold, zone = bought_among(scope=scope), scope.period.zone
    now = to_ms(scope.as_of)
    ordered = sold.is_purchase & (sold.money(scope.products_only) > 0) & (sold.at <= now)
    customer, day = sold.customer[ordered], day_numbers(sold.at[ordered], zone)
    once = firsts(customer)
    once[1:] |= day[1:] != day[:-1]
    customer, day = customer[once], day[once]
    today = int(day_numbers(np.array([now], np.int64), zone)[0])
    is_last = np.append(firsts(customer)[1:], True)[: len(customer)]
    following = np.append(day[1:], 0)[: len(day)]
    days = np.where(is_last, today, following) - day
    return _counts(customer, days, ~is_last)
