"""Who stayed: retention and churn from the history of the segment of active customers.

S are those active one millisecond before the period starts, E one millisecond before it ends; E = kept + new +
reactivated, always, so (E - N) / S is kept / S and never leaves 0 to 100 %."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from clm.lib.periods import day_start

from .days import kept as days
from .days.remembered import remembered_rows
from .intervals import wilson
from .scope import Scope
from .sorting import active_customers

GROUPS = ("started", "ended", "kept", "lost", "first", "reactivated", "came_and_went", "stopped", "active")


@dataclass(frozen=True, slots=True)
class Retention:
    """The customers of a period by what became of them. started = kept + lost; ended = kept + first + reactivated;
    came_and_went were active inside the period only and are in neither; active: any of all these."""

    started: int = 0
    ended: int = 0
    kept: int = 0
    lost: int = 0
    first: int = 0
    reactivated: int = 0
    came_and_went: int = 0
    active: int = 0

    def __post_init__(self) -> None:
        assert self.ended == self.kept + self.first + self.reactivated
        assert self.started == self.kept + self.lost
        assert self.active == self.kept + self.lost + self.first + self.reactivated + self.came_and_went

    @property
    def crr(self) -> Fraction | None:
        """Customer retention rate, 0 to 1; None when nobody was active at the start."""
        return Fraction(self.kept, self.started) if self.started else None

    @property
    def churn(self) -> Fraction | None:
        """1 - crr."""
        return Fraction(self.lost, self.started) if self.started else None

    @property
    def stopped(self) -> int:
        """Active at some instant of the period, and not at its end."""
        return self.lost + self.came_and_went

    @property
    def stopped_share(self) -> Fraction | None:
        """Churn as Stripe defines it: those who stopped over those active at the start or from then on."""
        return Fraction(self.stopped, self.active) if self.active else None

    @property
    def stopped_interval(self) -> tuple[float, float] | None:
        """95 % Wilson interval of stopped_share."""
        return wilson(self.stopped, self.active)

    @property
    def crr_interval(self) -> tuple[float, float] | None:
        """95 % Wilson interval of crr."""
        return wilson(self.kept, self.started)

    @property
    def churn_interval(self) -> tuple[float, float] | None:
        """95 % Wilson interval of churn."""
        return wilson(self.lost, self.started)


def retention(*, scope: Scope) -> Retention:
    """Retention of one period."""
    return retentions(scope=scope, windows=[(scope.period.start_at, scope.until_at)])[0]


def retentions(*, scope: Scope, windows: Sequence[tuple[datetime, datetime]]) -> list[Retention]:
    """Retention of several periods [start, until) in one query; of the scope only the segment counts."""
    answer = [Retention()] * len(windows)
    read = _kept(scope, windows)
    if read is not None:
        return read
    for number, *counts, _customers in _rows(scope, windows, None):
        answer[number - 1] = Retention(*counts)
    return answer


def _kept(scope: Scope, windows: Sequence[tuple[datetime, datetime]]) -> list[Retention] | None:
    """The same from figures per day, None where they do not answer it."""
    kept = scope.kept
    if kept is None or scope.segment is not None or not windows or not kept.has_sales:
        return None
    active, asked = active_customers(), kept.windows(windows)
    if active is None or active.version is None or not kept.has_stages(active.version) or asked is None:
        return None
    inside, outside = active.stage_id("in"), active.stage_id("out")
    pairs = days.shifts(version=active.version, windows=asked)
    touched = days.active_counts(products_only=scope.products_only, windows=asked)
    answer = []
    for pair, (any_time, _buyers, _customers) in zip(pairs, touched, strict=True):
        stayed, lost = pair[inside, inside], pair[inside, outside]
        # Nobody is out of a segment who was not in it before, so whoever comes from none is in it for the first time.
        first, reactivated = pair[0, inside], pair[outside, inside]
        answer.append(
            Retention(
                started=stayed + lost,
                ended=stayed + first + reactivated,
                kept=stayed,
                lost=lost,
                first=first,
                reactivated=reactivated,
                came_and_went=any_time - stayed - lost - first - reactivated,
                active=any_time,
            )
        )
    return answer


def customers_of(*, scope: Scope, group: str) -> list[int]:
    """The ids of the customers of one of GROUPS."""
    assert group in GROUPS, group
    found = _rows(scope, [(scope.period.start_at, scope.until_at)], group)
    return sorted(found[0][-1] or []) if found else []


def _rows(
    scope: Scope, windows: Sequence[tuple[datetime, datetime]], listed: str | None
) -> list[tuple[int, int, int, int, int, int, int, int, int, list[int] | None]]:
    active = active_customers()
    if active is None or active.version is None:
        return []
    return remembered_rows(
        "analytics/retention",
        packs=scope.packs,
        of=scope.generation if listed is None else None,
        version=active.version,
        inside=active.stage_id("in"),
        starts=[start for start, _until in windows],
        untils=[until for _start, until in windows],
        listed=listed,
        **scope.filters(),
    )


def trailing_windows(*, scope: Scope, count: int = 12) -> list[tuple[datetime, datetime]]:
    """Windows as long as the scope's period that end whole weeks before it, the last one where the scope ends."""
    period = scope.period
    if not period.is_whole_days:
        length = period.until_at - period.start_at
        ends = [scope.until_at - timedelta(weeks=back) for back in range(count - 1, -1, -1)]
        return [(end - length, end) for end in ends]
    weeks = [timedelta(weeks=back) for back in range(count - 1, 0, -1)]
    earlier = [
        (day_start(period.start - back, period.zone), day_start(period.until - back, period.zone)) for back in weeks
    ]
    return [*earlier, (period.start_at, scope.until_at)]
