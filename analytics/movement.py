"""How customers move through the stages of a model: who came and went, from where to where, how long they stay, how far
they get, and how the number of active customers came about.

Stocks, shifts and growth are read from what is kept per day where that answers; lengths of stay are counted from
history. Every number is one of customers, and `analytics.behind` lists them."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any

from clm.lib import sql
from clm.lib.periods import Period, day_start, local_day

from .beginning import Beginning
from .days.lasted import Lasted, stays_of, ways_of
from .days.remembered import remembered
from .intervals import wilson
from .retention import Retention, retentions
from .scope import Scope
from .sorting import LAPSED, Sorting, StageRef
from .stages import Flow, StageTrend, customers_shifted, stage_shifts, stage_traffic, stage_trend
from .survival import Length, length, length_of

MILLISECOND = timedelta(milliseconds=1)
DAILY = 92  # periods up to so many days are told day by day
# How many periods of a length growth is told of, by the most days a period of that length has.
PERIODS = ((31, 12), (92, 8), (366, 4))


@dataclass(frozen=True, slots=True)
class Stock:
    """A stage over a period, in customers: at_start + came - gone = at_end. came: in it at the end and not at the
    start; entered, left: how many spells began and ended, of which one customer may have several."""

    stage: StageRef
    at_start: int
    came: int
    gone: int
    at_end: int
    entered: int
    left: int


@dataclass(frozen=True, slots=True)
class Matrix:
    """Customers by stage at the start (source None: in none yet) and at the end of a period; those who stayed too."""

    stages: tuple[StageRef, ...]
    cells: dict[tuple[str, str], int]  # by keys of stages, "" for none

    @property
    def rows(self) -> list[tuple[StageRef | None, int, list[tuple[StageRef, int, Fraction | None]]]]:
        """By stage at the start: it, how many were in it, and of each stage at the end how many and which share."""
        answer = []
        for source in (None, *self.stages):
            counts = [self.cells.get((source.key if source else "", target.key), 0) for target in self.stages]
            total = sum(counts)
            shares = [Fraction(count, total) if total else None for count in counts]
            answer.append((source, total, list(zip(self.stages, counts, shares, strict=True))))
        return answer


@dataclass(frozen=True, slots=True)
class Stay:
    """Customers who entered a stage in the period, by their first spell of it: how many left it again, and after how
    many hours half had."""

    stage: StageRef
    entered: int
    left: int
    hours: Length


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the way through the stages: customers who came to it in the period, how many went on to any later step
    by now, and after how many hours half had. interval: of the share who did (Wilson, 95 %)."""

    stage: StageRef
    entered: int
    reached: int
    hours: Length | None

    @property
    def conversion(self) -> Fraction | None:
        return Fraction(self.reached, self.entered) if self.entered else None

    @property
    def interval(self) -> tuple[float, float] | None:
        return wilson(self.reached, self.entered)


@dataclass(frozen=True, slots=True)
class Growth:
    """How the active customers of a period came about: ended = started + first + reactivated - lost."""

    scope: Scope
    counts: Retention


@dataclass(frozen=True, slots=True)
class Movement:
    """All of it, for one scope. lengths: the scope that steps and stays are of, which look at history: the same
    period, as of some minutes ago at most."""

    model: Sorting
    scope: Scope
    lengths: Scope
    stocks: tuple[Stock, ...]
    flows: tuple[Flow, ...]
    matrix: Matrix
    instants: tuple[datetime, ...]
    trend: tuple[StageTrend, ...]
    steps: tuple[Step, ...]
    stays: tuple[Stay, ...]
    growth: tuple[Growth, ...]

    @property
    def labels(self) -> tuple[date, ...]:
        """The days of `trend`."""
        return tuple(local_day(instant, self.scope.period.zone) for instant in self.instants)


def movement(*, model: Sorting, scope: Scope, since: Beginning | None, lengths: Scope | None = None) -> Movement:
    """How customers moved in a period. since: where records begin, None while there are none. lengths: the scope that
    steps and stays are of, where it is another."""
    flows = stage_shifts(model=model, period=scope.period, until_at=scope.until_at, kept=scope.kept, among=scope.among)
    traffic = stage_traffic(model=model, period=scope.period, kept=scope.kept, among=scope.among)
    instants = day_instants(scope)
    return Movement(
        model=model,
        scope=scope,
        lengths=lengths or scope,
        stocks=_stocks(flows, [(one.stage, one.entered, one.left) for one in traffic]),
        flows=flows,
        matrix=_matrix(model, flows),
        instants=tuple(instants),
        trend=stage_trend(model=model, instants=instants, kept=scope.kept, among=scope.among),
        steps=funnel(model=model, scope=lengths or scope),
        stays=stays(model=model, scope=lengths or scope),
        growth=growth(scope=scope, since=since),
    )


def day_instants(scope: Scope) -> list[datetime]:
    """The ends of the days of a period, of every seventh of a long one, the last one where counting ends."""
    zone, end = scope.period.zone, scope.end_at
    last = local_day(end, zone)
    days = (last - scope.period.start).days + 1
    step = 1 if days <= DAILY else 7
    ends = [day_start(last - timedelta(days=back - 1), zone) - MILLISECOND for back in range(step, days, step)]
    return [*reversed(ends), end]


def _stocks(flows: Sequence[Flow], traffic: Sequence[tuple[StageRef, int, int]]) -> tuple[Stock, ...]:
    at_start, came, gone, at_end = (defaultdict[str, int](int) for _column in range(4))
    for flow in flows:
        source = flow.source.key if flow.source else ""
        at_start[source] += flow.customers
        at_end[flow.target.key] += flow.customers
        if source != flow.target.key:
            gone[source] += flow.customers
            came[flow.target.key] += flow.customers
    return tuple(
        Stock(
            stage, at_start[stage.key], came[stage.key], gone[stage.key], at_end[stage.key], entered=entered, left=left
        )
        for stage, entered, left in traffic
    )


def _matrix(model: Sorting, flows: Sequence[Flow]) -> Matrix:
    cells = {(flow.source.key if flow.source else "", flow.target.key): flow.customers for flow in flows}
    return Matrix(tuple(model.stages.values()), cells)


# --- how long and how far --------------------------------------------------------------------------------------
def _counted(rows: Sequence[tuple[Any, ...]]) -> dict[int, Length]:
    """By stage how long it takes, from rows of stage, hours, whether it is over, and customers."""
    found: dict[int, dict[int, tuple[int, int]]] = defaultdict(dict)
    for stage, hours, is_over, customers, _listed in rows:
        ended, open_ = found[stage].get(hours, (0, 0))
        found[stage][hours] = (ended + customers, open_) if is_over else (ended, open_ + customers)
    return {stage: length(counts) for stage, counts in found.items()}


def _lengths(name: str, scope: Scope, asked: dict[str, Any]) -> dict[int, Length]:
    """By stage how long it takes, remembered; from packs without a row for every hour."""

    def count() -> dict[int, Length]:
        lasted = _lasted(name, scope, asked)
        if lasted is None:
            return _counted(sql.rows(name, **asked))
        return {stage: length_of(*columns) for stage, columns in lasted.counts().items()}

    if asked["version"] is None:
        return {}
    found: dict[int, Length] = remembered(name, of=scope.generation, count=count, **asked)
    return found


def _lasted(name: str, scope: Scope, asked: dict[str, Any]) -> Lasted | None:
    of = {"analytics/stage_stays": stays_of, "analytics/stage_ways": ways_of}[name]
    return of(scope.packs, asked) if scope.packs is not None else None


def stays(*, model: Sorting, scope: Scope) -> tuple[Stay, ...]:
    """How long customers stay in each stage."""
    lengths = _lengths("analytics/stage_stays", scope, _stays(model, scope, None))
    none = length({})
    return tuple(
        Stay(ref, lengths.get(stage, none).number, lengths.get(stage, none).ended, lengths.get(stage, none))
        for stage, ref in model.stages.items()
    )


def funnel(*, model: Sorting, scope: Scope) -> tuple[Step, ...]:
    """How far customers get: the stages of the model in their order, but those of customers who are gone."""
    steps = way(model)
    found = _lengths("analytics/stage_ways", scope, _ways(model, scope, None))
    answer, none = [], length({})
    for place, stage in enumerate(steps):
        one = found.get(stage, none)
        last = place == len(steps) - 1
        answer.append(Step(model.stages[stage], one.number, 0 if last else one.ended, None if last else one))
    return tuple(answer)


def way(model: Sorting) -> list[int]:
    """The stages that lead on, by id in their order: all but the exit and that of lapsed customers."""
    return [number for number, stage in model.stages.items() if not stage.is_exit and stage.key not in LAPSED]


def _stays(model: Sorting, scope: Scope, listed: int | None) -> dict[str, Any]:
    """What the query of stays is asked."""
    return {
        "version": model.version,
        "start_at": scope.period.start_at,
        "until_at": scope.until_at,
        "listed": listed,
        **scope.among,
        "as_of": scope.as_of,
    }


def _ways(model: Sorting, scope: Scope, listed: int | None) -> dict[str, Any]:
    """What the query of ways is asked."""
    return {**_stays(model, scope, listed), "steps": way(model)}


def customers_who_stayed(*, model: Sorting, scope: Scope, stage: int, is_left: bool | None) -> list[int]:
    """Those counted by a Stay: who entered a stage, and left it again (None: or not)."""
    return _listed("analytics/stage_stays", scope, _stays(model, scope, stage), is_left)


def customers_on_the_way(*, model: Sorting, scope: Scope, stage: int, is_reached: bool | None) -> list[int]:
    """Those counted by a Step: who came to it, and went on (None: or not)."""
    return _listed("analytics/stage_ways", scope, _ways(model, scope, stage), is_reached)


def _listed(name: str, scope: Scope, asked: dict[str, Any], is_over: bool | None) -> list[int]:
    if asked["version"] is None:
        return []
    lasted = _lasted(name, scope, asked)
    if lasted is not None:
        return lasted.listed(asked["listed"], is_over)
    return sorted(
        customer
        for _stage, _hours, over, _customers, listed in sql.rows(name, **asked)
        if is_over is None or over == is_over
        for customer in listed or ()
    )


def customers_who_moved(*, model: Sorting, scope: Scope, sources: Sequence[int], targets: Sequence[int]) -> list[int]:
    """Who was in one of `sources` (0: in none) at the start of a period, and in one of `targets` at its end."""
    return customers_shifted(
        model=model,
        period=scope.period,
        until_at=scope.until_at,
        sources=sources,
        targets=targets,
        among=scope.among,
        packs=scope.packs,
    )


# --- growth ----------------------------------------------------------------------------------------------------
def growth_periods(*, period: Period, since: Beginning | None) -> list[Period]:
    """The period and those before it, oldest first, as far as there are records."""
    count = next((count for days, count in PERIODS if period.days <= days), 2)
    found = [period]
    while len(found) < count and since is not None and found[-1].start > since.first:
        found.append(found[-1].previous())
    return found[::-1]


def growth(*, scope: Scope, since: Beginning | None) -> tuple[Growth, ...]:
    """New, kept, reactivated and lost active customers, period by period."""
    scopes = [replace(scope, period=period) for period in growth_periods(period=scope.period, since=since)]
    windows = [(one.period.start_at, one.until_at) for one in scopes]
    counts = retentions(scope=scope, windows=windows)
    return tuple(Growth(one, count) for one, count in zip(scopes, counts, strict=True))
