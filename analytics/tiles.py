"""The tiles of the overview: a figure, how it changed against the period before, and its last twelve weeks."""

from dataclasses import dataclass, replace
from datetime import timedelta
from fractions import Fraction

from . import value
from .metrics import figures
from .retention import retentions, trailing_windows
from .sales import sales_of
from .scope import Scope

MILLISECOND = timedelta(milliseconds=1)
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
    """One figure of the overview. change: against the period before, a share of its value (`percent`) or a difference
    of shares (`points`), None when either is unknown; trend: at the last twelve week ends, empty when not kept."""

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
    """The tiles for one scope; the period before is cut as short as an unfinished period is."""
    keys = [key for key, _unit, _good in TILES]
    now = figures(scope=scope, keys=keys)
    before = {figure.key: figure for figure in figures(scope=before_of(scope), keys=keys)}
    trends = _trends(scope)
    return tuple(
        Tile(
            key=figure.key,
            label=figure.name,
            value=figure.value,
            unit=figure.unit,
            definition=figure.definition,
            note=figure.note,
            change=_change(figure.value, before[figure.key].value, change_unit),
            change_unit=change_unit,
            good=good,
            trend=trends.get(figure.key, ()),
            customers_query=figure.customers_query,
        )
        for figure, (_key, change_unit, good) in zip(now, TILES, strict=True)
    )


def before_of(scope: Scope) -> Scope:
    """The same question about the period before, as far into it as this period has come."""
    period = scope.period.previous()
    missing = scope.period.until_at - scope.until_at
    return replace(scope, period=period, as_of=period.until_at - missing - MILLISECOND)


def _change(now: float | None, before: float | None, unit: str) -> float | None:
    if now is None or before is None:
        return None
    if unit == "points":
        return now - before
    return (now - before) / before if before > 0 else None


def _trends(scope: Scope) -> dict[str, tuple[float | None, ...]]:
    windows = trailing_windows(scope=scope)
    kept = retentions(scope=scope, windows=windows)
    sold = sales_of(scope=scope, windows=windows)
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
