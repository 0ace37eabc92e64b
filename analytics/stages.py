"""How many customers are in which stage: now, at an instant, week by week, and how they moved.

Reads stored standings and transitions; membership itself is computed by the lifecycle engine alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from clm.lib import sql
from clm.lib.milliseconds import truncated
from clm.lib.periods import Period
from clm.lib.questions import QuestionError
from customers.models import Customer

from .sorting import ModelRef, Sorting, StageRef, version_known

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


def stage_counts(
    *, model: Sorting, now: datetime, as_of: datetime | None = None, known_at: datetime | None = None
) -> StageCounts:
    """Customers per stage at `as_of` (None: now, or `known_at` if that is given) as believed at `known_at` (None:
    today). Nothing can be known of what lies after it: `as_of` after `known_at` is a QuestionError."""
    if as_of is None and known_at is None:
        found = dict(sql.rows("analytics/stage_counts_now", subject=model.id))
        everybody = Customer.objects.filter(merged_into=None).count()
        return _counts(model, found, now, None, everybody)
    at = as_of or known_at
    assert at is not None
    refuse_unknowable(as_of=at, known_at=known_at)
    (trends,) = [stage_trend(model=model, instants=[at], known_at=known_at)]
    ids = {stage.key: number for number, stage in model.stages.items()}
    return _counts(model, {ids[one.stage.key]: one.customers[0] for one in trends}, at, known_at, None)


def refuse_unknowable(*, as_of: datetime, known_at: datetime | None) -> None:
    """QuestionError when somebody asks what was known of a later instant."""
    if known_at is not None and as_of > known_at:
        raise QuestionError("as_of", "as_of lies after known_at; nothing was known of it then")


def stage_trend(
    *, model: Sorting, instants: Sequence[datetime], known_at: datetime | None = None
) -> tuple[StageTrend, ...]:
    """Customers per stage at each of `instants` (ascending), all in one query."""
    instants = [truncated(instant) for instant in instants]
    version = version_known(sorting=model, known_at=known_at)
    counts = {number: [0] * len(instants) for number in model.stages}
    if version is not None and instants:
        if known_at is None:
            steps = sql.rows("analytics/stage_trend", version=version, instants=instants)
        else:
            steps = sql.rows("analytics/stage_trend_known", version=version, instants=instants, known_at=known_at)
        for stage, place, change in steps:
            counts[stage][place] += change
        for row in counts.values():
            for place in range(1, len(row)):
                row[place] += row[place - 1]
    return tuple(StageTrend(stage, tuple(counts[number])) for number, stage in model.stages.items())


def week_ends(*, until: datetime, count: int = 12) -> list[datetime]:
    """`count` instants a week apart, the last one `until`."""
    return [until - WEEK * back for back in range(count - 1, -1, -1)]


def stage_flows(*, model: Sorting, period: Period) -> StageFlows:
    """Spells that began in the period: how many per stage, how many ended, and the moves between stages."""
    found: list[tuple[int | None, int, int, int]] = []
    if model.version is not None:
        found = sql.rows(
            "analytics/stage_flows", version=model.version, start_at=period.start_at, until_at=period.until_at
        )
    entered = dict.fromkeys(model.stages, 0)
    left = dict.fromkeys(model.stages, 0)
    for source, target, moves, _customers in found:
        entered[target] += moves
        if source is not None:
            left[source] += moves
    return StageFlows(
        model=model.ref,
        period=period,
        stages=tuple(StageTraffic(stage, entered[number], left[number]) for number, stage in model.stages.items()),
        moves=tuple(
            Flow(None if source is None else model.stages[source], model.stages[target], moves, customers)
            for source, target, moves, customers in sorted(found, key=lambda row: (-row[2], row[0] or 0, row[1]))
        ),
    )


def stage_shifts(*, model: Sorting, period: Period) -> tuple[Flow, ...]:
    """The stage at the period's start against the stage at its end, each one millisecond before, largest first; those
    who stayed are included."""
    if model.version is None:
        return ()
    found = sql.rows(
        "analytics/stage_shifts",
        version=model.version,
        first_at=period.start_at - MILLISECOND,
        second_at=period.until_at - MILLISECOND,
    )
    return tuple(
        Flow(None if source is None else model.stages[source], model.stages[target], customers, customers)
        for source, target, customers in sorted(found, key=lambda row: (-row[2], row[0] or 0, row[1]))
    )


def stage_board(
    *, model: Sorting, period: Period, now: datetime, as_of: datetime | None = None
) -> tuple[StageCount, ...]:
    """Every stage as the overview shows it: three queries, one of them for all instants together."""
    counts = stage_counts(model=model, now=now, as_of=as_of)
    weeks = week_ends(until=as_of or now)
    before = period.start_at - MILLISECOND
    trends = stage_trend(model=model, instants=sorted([before, *weeks]))
    start = sorted([before, *weeks]).index(before)
    traffic = stage_flows(model=model, period=period).stages
    return tuple(
        StageCount(
            stage=one.stage,
            customers=one.customers,
            share=one.share,
            change=one.customers - trend.customers[start],
            entered=moved.entered,
            left=moved.left,
            trend=trend.customers[:start] + trend.customers[start + 1 :],
        )
        for one, trend, moved in zip(counts.stages, trends, traffic, strict=True)
    )


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
            for number, stage in model.stages.items()
        ),
        customers=total,
        without_stage=None if everybody is None else max(everybody - total, 0),
    )
