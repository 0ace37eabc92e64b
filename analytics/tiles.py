"""The tiles of the overview: a figure, how it changed against the period before, and its last twelve weeks."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from fractions import Fraction

from clm.lib.periods import day_start, days

from . import value
from .figures import Figure
from .measured import Measured, plain
from .metrics import figures, metric
from .retention import Retention, retentions, trailing_windows
from .sales import Sales, sales_of
from .scope import Scope

MILLISECOND = timedelta(milliseconds=1)
DAY = timedelta(days=1)
# (figure, how its change is said, which direction is good)
TILES = (
    ("active_customers", "percent", "up"),
    ("revenue", "percent", "up"),
    ("crr", "points", "up"),
    ("churn", "points", "down"),
    ("clv", "percent", "up"),
    ("ltv_to_cac", "percent", "up"),
)


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure of the overview. change: between what `compared` says, as a share of the earlier value (`percent`) or
    a difference of shares (`points`), None when either is unknown; trend: at the last twelve week ends, empty when not
    kept."""

    key: str
    label: str
    value: int | float | None
    unit: str
    definition: str
    note: str
    change: float | None
    change_unit: str
    good: str
    trend: tuple[float | None, ...]
    customers_query: str


def tiles(*, scope: Scope) -> tuple[Tile, ...]:
    """The tiles for one scope. All windows that they compare are read together."""
    changed, before = compared(scope)
    asked = [*trailing_windows(scope=scope), *((one.period.start_at, one.until_at) for one in (changed, before))]
    kept, sold = retentions(scope=scope, windows=asked), sales_of(scope=scope, windows=asked)
    now = Measured(scope=scope, retention=kept[-3], sales=sold[-3])
    ends = [
        Measured(scope=one, retention=kept[place], sales=sold[place]) for one, place in ((changed, -2), (before, -1))
    ]
    trends = _trends(kept[:-2], sold[:-2])
    found = figures(scope=scope, keys=[key for key, _unit, _good in TILES], measured=now)
    return tuple(
        Tile(
            key=figure.key,
            label=figure.name,
            value=figure.value,
            unit=figure.unit,
            definition=figure.definition,
            note=figure.note,
            change=_change(*(_number(figure, end) for end in ends), unit=change_unit),
            change_unit=change_unit,
            good=good,
            trend=trends.get(figure.key, ()),
            customers_query=figure.customers_query,
        )
        for figure, (_key, change_unit, good) in zip(found, TILES, strict=True)
    )


def compared(scope: Scope) -> tuple[Scope, Scope]:
    """What the change on a tile compares. Of days that lack only the rest of today, finished days with the finished
    days before them; any other period with the one before, cut as short as an unfinished period is."""
    period = scope.period
    if period.is_whole_days:
        last_start = day_start(period.last_day, period.zone)
        if period.start_at < last_start <= scope.as_of < period.until_at - MILLISECOND:
            finished = days(start=period.start - DAY, until=period.last_day, zone=period.zone)
            return replace(scope, period=finished), before_of(replace(scope, period=finished))
    return scope, before_of(scope)


def before_of(scope: Scope) -> Scope:
    """The same question about the period before, as far into it as this period has come."""
    period = scope.period.previous()
    missing = scope.period.until_at - scope.until_at
    return replace(scope, period=period, as_of=period.until_at - missing - MILLISECOND)


def _number(figure: Figure, end: Measured) -> int | float | None:
    return plain(metric(figure.key).answer(end).number, figure.unit)


def _change(now: float | None, before: float | None, *, unit: str) -> float | None:
    if now is None or before is None:
        return None
    if unit == "points":
        return now - before
    return (now - before) / before if before > 0 else None


def _trends(kept: Sequence[Retention], sold: Sequence[Sales]) -> dict[str, tuple[float | None, ...]]:
    lifetime: list[Fraction | None] = []
    for retained, sales in zip(kept, sold, strict=True):
        aov, orders = value.per(sales.revenue, sales.orders), value.per(sales.orders, sales.customers)
        lifespan = value.lifespan(retained.churn)
        if aov is None or orders is None or lifespan is None:
            lifetime.append(None)
        else:
            lifetime.append(value.clv(aov=aov, orders_per_customer=orders, lifespan=lifespan))
    return {
        "active_customers": tuple(one.ended for one in kept),
        "revenue": tuple(one.revenue for one in sold),
        "crr": _floats([one.crr for one in kept]),
        "churn": _floats([one.churn for one in kept]),
        "clv": _floats(lifetime),
    }


def _floats(numbers: list[Fraction | None]) -> tuple[float | None, ...]:
    return tuple(None if number is None else float(number) for number in numbers)
