"""How many customers are in which stage: now, at an instant, week by week, and how they moved.

Reads stored standings and transitions; membership itself is computed by the lifecycle engine alone."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _

from clm.lib import sql
from clm.lib.milliseconds import truncated
from clm.lib.periods import Period, day_start, local_day
from clm.lib.questions import QuestionError
from customers.models import Customer

from .days import kept as days
from .days.kept import Kept
from .days.packs import Packs
from .days.remembered import remembered_rows
from .sorting import ModelRef, Sorting, StageRef, version_known

Among = Mapping[str, Any]  # the customers of a segment: Scope.among
EVERYBODY: Among = {"segment": None, "segment_in": None, "as_of": None}
MILLISECOND = timedelta(milliseconds=1)
WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class InStage:
    """How many customers are in a stage; share: of all that are in some stage, 0 to 1, None while there are none."""

    stage: StageRef
    customers: int
    share: float | None


@dataclass(frozen=True, slots=True)
class StageCounts:
    """Customers per stage at an instant, stages in their order on pages.

    known_at: the instant whose belief this is, None: today's. customers: in some stage; without_stage: unmerged
    customers in none (known only of now)."""

    model: ModelRef
    as_of: datetime
    known_at: datetime | None
    stages: tuple[InStage, ...]
    customers: int
    without_stage: int | None


@dataclass(frozen=True, slots=True)
class StageTrend:
    """Customers of one stage at each of some instants."""

    stage: StageRef
    customers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Flow:
    """Moves from one stage (source None: from no stage) to another; `customers` made them, some more than once."""

    source: StageRef | None
    target: StageRef
    moves: int
    customers: int


@dataclass(frozen=True, slots=True)
class StageTraffic:
    """How many spells in a stage began and ended in a period."""

    stage: StageRef
    entered: int
    left: int


@dataclass(frozen=True, slots=True)
class StageFlows:
    """What moved in a period: per stage in the order of pages, and per pair of stages, largest first."""

    model: ModelRef
    period: Period
    stages: tuple[StageTraffic, ...]
    moves: tuple[Flow, ...]


@dataclass(frozen=True, slots=True)
class StageCount:
    """A stage on the overview. change: since the start of the period; entered, left: within it; trend: at the last 12
    week ends."""

    stage: StageRef
    customers: int
    share: float | None
    change: int
    entered: int
    left: int
    trend: tuple[int, ...]


def _readable(kept: Kept | None, model: Sorting, among: Among, known_at: datetime | None = None) -> Kept | None:
    """Figures per day if they are kept of that model and of everybody who is asked about; of today's belief only."""
    if kept is None or known_at is not None or among["segment"] is not None or not kept.has_stages(model.version):
        return None
    return kept


def _history(
    name: str, /, *, kept: Kept | None, known_at: datetime | None, packs: Packs | None = None, **asked: Any
) -> list[tuple[Any, ...]]:
    """The rows of a query of transitions. What was believed earlier is not remembered: it is seldom asked twice."""
    of = kept.remembered_by if kept is not None and known_at is None else None
    if kept is not None:
        packs = kept.packs
    return remembered_rows(name, of=of, packs=packs, known_at=known_at, **asked)


def stage_counts(
    *,
    model: Sorting,
    now: datetime,
    as_of: datetime | None = None,
    known_at: datetime | None = None,
    kept: Kept | None = None,
    among: Among = EVERYBODY,
) -> StageCounts:
    """Customers per stage at `as_of` (None: now, or `known_at` if that is given) as believed at `known_at` (None:
    today). Nothing can be known of what lies after it: `as_of` after `known_at` is a QuestionError. `kept`: read
    figures per day where they answer this; now is then the instant up to which they are counted. `among`: count only
    the members of a segment, who are found by the same belief."""
    readable = _readable(kept, model, among, known_at)
    if readable is not None and model.version is not None:
        day = readable.day(as_of)
        if day is not None:
            found = days.stocks(version=model.version, days=[day]).get(day, {})
            return _counts(model, found, as_of or readable.known_at or now, None, None)
    if as_of is None and known_at is None and among["segment"] is not None:
        as_of = among["as_of"]
    if as_of is None and known_at is None:
        found = dict(sql.rows("analytics/stage_counts_now", subject=model.id))
        everybody = Customer.objects.filter(merged_into=None).count()
        return _counts(model, found, now, None, everybody)
    at = as_of or known_at
    assert at is not None
    refuse_unknowable(as_of=at, known_at=known_at)
    trends = stage_trend(model=model, instants=[at], known_at=known_at, kept=kept, among=among)
    ids = {stage.key: number for number, stage in (model.stages | model.stages.others).items()}
    return _counts(model, {ids[one.stage.key]: one.customers[0] for one in trends}, at, known_at, None)


def refuse_unknowable(*, as_of: datetime, known_at: datetime | None) -> None:
    """QuestionError when somebody asks what was known of a later instant."""
    if known_at is not None and as_of > known_at:
        said = _("Nothing was known of this instant yet. Ask for an earlier one, or for what was known later.")
        raise QuestionError("as_of", said)


def stage_trend(
    *,
    model: Sorting,
    instants: Sequence[datetime],
    known_at: datetime | None = None,
    kept: Kept | None = None,
    among: Among = EVERYBODY,
) -> tuple[StageTrend, ...]:
    """Customers per stage at each of `instants` (ascending), all in one query; the rest as in `stage_counts`."""
    readable = _readable(kept, model, among, known_at)
    if readable is not None and model.version is not None:
        asked = [readable.day(instant) for instant in instants]
        known = [day for day in asked if day is not None]
        if len(known) == len(asked):
            stocks = days.stocks(version=model.version, days=known)
            return tuple(
                StageTrend(stage, tuple(stocks.get(day, {}).get(number, 0) for day in known))
                for number, stage in model.stages.items()
            )
    instants = [truncated(instant) for instant in instants]
    version = version_known(sorting=model, known_at=known_at)
    counts = {number: [0] * len(instants) for number in model.stages}
    if version is not None and instants:
        steps = _history(
            "analytics/stage_trend", kept=kept, known_at=known_at, version=version, instants=instants, **among
        )
        for stage, place, change in steps:
            counts.setdefault(stage, [0] * len(instants))[place] += change
        for row in counts.values():
            for place in range(1, len(row)):
                row[place] += row[place - 1]
    # What was known once may speak of stages that are retired now.
    return tuple(StageTrend(stage, tuple(counts[number])) for number, stage in model.stages.including(counts).items())


def week_ends(*, until: datetime, count: int = 12) -> list[datetime]:
    """`count` instants a week apart, the last one `until`."""
    return [until - WEEK * back for back in range(count - 1, -1, -1)]


def day_ends(*, until: datetime, zone: str, count: int = 12) -> list[datetime]:
    """`count` instants: `until`, and before it the last millisecond of the days that lie whole weeks before its own."""
    day = local_day(until, zone)
    ends = [day_start(day - timedelta(days=7 * back - 1), zone) - MILLISECOND for back in range(count - 1, 0, -1)]
    return [*ends, until]


def stage_traffic(
    *,
    model: Sorting,
    period: Period,
    known_at: datetime | None = None,
    kept: Kept | None = None,
    among: Among = EVERYBODY,
) -> tuple[StageTraffic, ...]:
    """How many spells of each stage began and ended in the period; the rest as in `stage_counts`."""
    readable = _readable(kept, model, among, known_at)
    if readable is None or model.version is None or not period.is_whole_days or period.zone != readable.zone:
        return stage_flows(model=model, period=period, known_at=known_at, kept=kept, among=among).stages
    found = days.traffic(version=model.version, start=period.start, until=period.until)
    return tuple(StageTraffic(stage, *found.get(number, (0, 0))) for number, stage in model.stages.items())


def stage_flows(
    *,
    model: Sorting,
    period: Period,
    known_at: datetime | None = None,
    kept: Kept | None = None,
    among: Among = EVERYBODY,
) -> StageFlows:
    """Spells that began in the period: how many per stage, how many ended, and the moves between stages."""
    found: list[tuple[Any, ...]] = []
    version = version_known(sorting=model, known_at=known_at)
    if version is not None:
        found = _history(
            "analytics/stage_flows",
            kept=kept,
            known_at=known_at,
            version=version,
            start_at=period.start_at,
            until_at=period.until_at,
            **among,
        )
    # What was known once may speak of stages that are retired now.
    entered, left = Counter[int](), Counter[int]()
    for source, target, moves, _customers in found:
        entered[target] += moves
        if source is not None:
            left[source] += moves
    return StageFlows(
        model=model.ref,
        period=period,
        stages=tuple(
            StageTraffic(stage, entered[number], left[number])
            for number, stage in model.stages.including({*entered, *left}).items()
        ),
        moves=tuple(
            Flow(None if source is None else model.stages[source], model.stages[target], moves, customers)
            for source, target, moves, customers in sorted(found, key=lambda row: (-row[2], row[0] or 0, row[1]))
        ),
    )


def stage_shifts(
    *,
    model: Sorting,
    period: Period,
    until_at: datetime | None = None,
    known_at: datetime | None = None,
    kept: Kept | None = None,
    among: Among = EVERYBODY,
) -> tuple[Flow, ...]:
    """The stage at the period's start against the stage at its end, each one millisecond before, largest first; those
    who stayed are included. until_at: an earlier end, of a period that is not over; the rest as in `stage_counts`."""
    until_at = until_at or period.until_at
    readable = _readable(kept, model, among, known_at)
    window = readable.window(period.start_at, until_at) if readable is not None else None
    found: list[tuple[int | None, int, int]]
    if window is not None and model.version is not None:
        (pairs,) = days.shifts(version=model.version, windows=[window])
        found = [(source or None, target, customers) for (source, target), customers in pairs.items() if customers]
    else:
        rows = _shifts(model, period.start_at, until_at, kept=kept, known_at=known_at, is_listed=False, among=among)
        found = [(source, target, customers) for source, target, _customer, customers in rows]
    return tuple(
        Flow(None if source is None else model.stages[source], model.stages[target], customers, customers)
        for source, target, customers in sorted(found, key=lambda row: (-row[2], row[0] or 0, row[1]))
    )


def customers_shifted(
    *,
    model: Sorting,
    period: Period,
    until_at: datetime,
    sources: Sequence[int],
    targets: Sequence[int],
    among: Among,
    packs: Packs | None = None,
) -> list[int]:
    """Whom `stage_shifts` counts from one of `sources` (0: from none) to one of `targets`: their ids, in order. Lists
    are not remembered."""
    rows = _shifts(
        model,
        period.start_at,
        until_at,
        kept=None,
        known_at=None,
        is_listed=True,
        sources=list(sources),
        targets=list(targets),
        among=among,
        packs=packs,
    )
    return sorted(customer for _source, _target, customer, _one in rows)


def _shifts(
    model: Sorting,
    start_at: datetime,
    until_at: datetime,
    *,
    kept: Kept | None,
    known_at: datetime | None,
    is_listed: bool,
    among: Among,
    sources: list[int] | None = None,
    targets: list[int] | None = None,
    packs: Packs | None = None,
) -> list[tuple[Any, ...]]:
    version = version_known(sorting=model, known_at=known_at)
    if version is None:
        return []
    return _history(
        "analytics/stage_shifts",
        kept=kept,
        known_at=known_at,
        version=version,
        first_at=start_at - MILLISECOND,
        second_at=until_at - MILLISECOND,
        is_listed=is_listed,
        sources=sources,
        targets=targets,
        packs=packs,
        **among,
    )


def stage_board(
    *,
    model: Sorting,
    period: Period,
    now: datetime,
    as_of: datetime | None = None,
    known_at: datetime | None = None,
    kept: Kept | None = None,
    among: Among = EVERYBODY,
) -> tuple[StageCount, ...]:
    """Every stage as the overview shows it: three queries, one of them for all instants together. as_of: the end of the
    period, if that is over; the rest as in `stage_counts`."""
    counts = stage_counts(model=model, now=now, as_of=as_of, known_at=known_at, kept=kept, among=among)
    weeks = day_ends(until=counts.as_of, zone=period.zone)
    before = period.start_at - MILLISECOND
    instants = sorted([before, *weeks])
    trends = stage_trend(model=model, instants=instants, known_at=known_at, kept=kept, among=among)
    start = instants.index(before)
    traffic = {
        one.stage: one for one in stage_traffic(model=model, period=period, known_at=known_at, kept=kept, among=among)
    }
    standing = {one.stage: one for one in counts.stages}
    board = []
    # A stage that is retired now is among those of an earlier belief in which somebody was in it at some instant.
    for trend in trends:
        one = standing.get(trend.stage, InStage(trend.stage, 0, None if not counts.customers else 0.0))
        moved = traffic.get(trend.stage, StageTraffic(trend.stage, 0, 0))
        board.append(
            StageCount(
                stage=one.stage,
                customers=one.customers,
                share=one.share,
                change=one.customers - trend.customers[start],
                entered=moved.entered,
                left=moved.left,
                trend=trend.customers[:start] + trend.customers[start + 1 :],
            )
        )
    return tuple(board)


def _counts(
    model: Sorting, found: dict[int, int], as_of: datetime, known_at: datetime | None, everybody: int | None
) -> StageCounts:
    total = sum(found.values())
    return StageCounts(
        model=model.ref,
        as_of=as_of,
        known_at=known_at,
        stages=tuple(
            InStage(stage, found.get(number, 0), found.get(number, 0) / total if total else None)
            for number, stage in model.stages.including(found).items()
        ),
        customers=total,
        without_stage=None if everybody is None else max(everybody - total, 0),
    )
