"""The tiles of the overview: a figure, how it changed against the period before, and its last twelve weeks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from fractions import Fraction

from django.utils.translation import gettext as _

from clm.lib.periods import day_start, days
from clm.lib.templatetags.times import plain_date

from .beginning import Beginning
from .figures import Figure, Moved
from .measured import Measured, plain
from .metrics import figures, metric
from .retention import Retention, retentions, trailing_windows
from .sales import Sales, sales_of
from .scope import COMPARISONS, Scope
from .value import arithmetic as value

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
    a difference of shares (`points`), None when either is unknown or was not wholly recorded: change_note says why;
    trend: at the last twelve week ends, empty when not kept. moved, broken: as of figures."""

    key: str
    label: str
    value: int | float | None
    unit: str
    definition: str
    note: str
    change: float | None
    change_unit: str
    change_note: str
    good: str
    trend: tuple[float | None, ...]
    customers_query: str
    moved: Moved | None = None
    broken: tuple[str, ...] = ()


def tiles(*, scope: Scope) -> tuple[Tile, ...]:
    """The tiles for one scope. All windows that they compare are read together."""
    pair = compared(scope)
    trailing = trailing_windows(scope=scope)
    asked = [*trailing, *((one.period.start_at, one.until_at) for one in pair)]
    kept, sold = retentions(scope=scope, windows=asked), sales_of(scope=scope, windows=asked)
    last = len(trailing)
    now = Measured(scope=scope, retention=kept[last - 1], sales=sold[last - 1])
    ends = [
        Measured(scope=one, retention=kept[last + place], sales=sold[last + place]) for place, one in enumerate(pair)
    ]
    trends = _trends(kept[:last], sold[:last])
    found = figures(scope=scope, keys=[key for key, *_rest in TILES], measured=now)
    return tuple(
        _tile(figure, _change_of(figure, ends, now.beginning, change_unit), change_unit, good, trends)
        for figure, (_name, change_unit, good) in zip(found, TILES, strict=True)
    )


def _tile(
    figure: Figure,
    change: tuple[float | None, str],
    change_unit: str,
    good: str,
    trends: Mapping[str, tuple[float | None, ...]],
) -> Tile:
    return Tile(
        key=figure.key,
        label=figure.name,
        value=figure.value,
        unit=figure.unit,
        definition=figure.definition,
        note=figure.note,
        change=change[0],
        change_unit=change_unit,
        change_note=change[1],
        good=good,
        trend=trends.get(figure.key, ()),
        customers_query=figure.customers_query,
        moved=figure.moved,
        broken=figure.broken,
    )


def _change_of(
    figure: Figure, ends: Sequence[Measured], since: Beginning | None, unit: str
) -> tuple[float | None, str]:
    """How a figure changed, or why nobody can say."""
    if not ends:
        return None, ""
    before = ends[1].scope
    missing = _missing(figure.key, before, since)
    if missing:
        return None, missing
    now, then = (_number(figure, end) for end in ends)
    change = _change(now, then, unit=unit)
    if change is not None:
        return change, ""
    told = {"compared": str(COMPARISONS[before.comparison])}
    if then is None or now is None:
        return None, _("n/a: it has no value in %(compared)s") % told
    return None, _("n/a: it was not above zero in %(compared)s") % told


def _missing(key: str, before: Scope, since: Beginning | None) -> str:
    """Why the period compared with has no full data, "" if it has. Sales need its own days; who is active at its end
    needs a lapse window before that, and who was lost in it one before its start."""
    if since is None:
        return _("n/a: nothing is recorded yet")
    needed_at, needs = before.period.start_at, since.settled
    if key == "revenue":
        needs = since.first
    elif key == "active_customers":
        needed_at = before.until_at
    if needed_at >= day_start(needs, before.period.zone):
        return ""
    if key == "revenue" or not since.lapse_days:
        return _("n/a: records begin on %(first)s") % {"first": plain_date(since.first)}
    return _("n/a: records begin on %(first)s, so nobody can have lapsed before %(settled)s") % {
        "first": plain_date(since.first),
        "settled": plain_date(since.settled),
    }


def compared(scope: Scope) -> tuple[Scope, ...]:
    """What the change on a tile compares, empty for nothing. Of days that lack only the rest of today, finished days
    with the finished days before them; any other period with the other one, cut as short as an unfinished period is."""
    period = scope.period
    if period.is_whole_days:
        last_start = day_start(period.last_day, period.zone)
        if period.start_at < last_start <= scope.as_of < period.until_at - MILLISECOND:
            finished = days(start=period.start - DAY, until=period.last_day, zone=period.zone)
            scope = replace(scope, period=finished)
    before = scope.compared_with()
    return () if before is None else (scope, before)


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
