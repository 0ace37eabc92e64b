"""Revenue retention: of the money that customers spent in the period before, how much they spend in this one.

Gross counts losses alone: nobody brings more than before, so it never leaves 0 to 100 %. Net counts growth too. Both
are of the same customers, those whose net spend of the period before was above zero; whoever is new is in neither.
Amounts are net of refunds at their own date; in gross a net refund counts as nothing spent."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from fractions import Fraction

import numpy as np

from clm.lib.milliseconds import to_ms
from clm.lib.periods import day_start, days

from .beginning import Beginning, unrecorded
from .days.lives import Int64s
from .days.remembered import remembered
from .lived import bought_among
from .scope import Scope

GROUPS = ("spenders", "spent_nothing", "spent_less", "spent_as_much", "spent_more")
MILLISECOND = timedelta(milliseconds=1)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class RevenueKept:
    """Spenders by what became of their spend, in minor units. before = held + shrunk + lost, held being the spend of
    before that is spent again; now = held + grown, less what those take off who were refunded more than they spent.
    begin: the day on which records begin, where the period before reaches beyond it: then there are no rates."""

    scope: Scope
    begin: date | None = None
    spenders: int = 0
    spent_nothing: int = 0
    spent_less: int = 0
    spent_as_much: int = 0
    spent_more: int = 0
    before: int = 0
    now: int = 0
    held: int = 0
    lost: int = 0
    shrunk: int = 0
    grown: int = 0

    def __post_init__(self) -> None:
        assert self.before == self.held + self.shrunk + self.lost
        assert self.spenders == self.spent_nothing + self.spent_less + self.spent_as_much + self.spent_more

    @property
    def gross(self) -> Fraction | None:
        """0 to 1; None when nobody had spent anything, or not all of the period before is recorded."""
        return Fraction(self.held, self.before) if self.before and self.begin is None else None

    @property
    def net(self) -> Fraction | None:
        """From 0 on, above 1 where spenders spend more; below 0 where refunds exceed what was bought."""
        return Fraction(self.now, self.before) if self.before and self.begin is None else None


def compared_period(scope: Scope) -> Scope:
    """The period that is set against the one before it: whole days that are over. A period that lacks only the rest of
    today is moved back by a day, since half a day against a whole one would look like a loss."""
    period = scope.period
    if period.is_whole_days:
        last_start = day_start(period.last_day, period.zone)
        if period.start_at < last_start <= scope.as_of < period.until_at - MILLISECOND:
            return replace(scope, period=days(start=period.start - DAY, until=period.last_day, zone=period.zone))
    return scope


def revenue_kept(*, scope: Scope, since: Beginning | None) -> RevenueKept:
    """Revenue retention of a period against the one before it. since: where records begin."""
    scope = compared_period(scope)
    before = scope.period.previous()
    counted = remembered(
        "revenue_kept",
        of=scope.generation,
        count=lambda: _counted(scope),
        start=scope.period.start_at,
        until=scope.until_at,
        before=before.start_at,
        **scope.filters(),
    )
    return RevenueKept(scope, begin=unrecorded(scope=replace(scope, period=before), since=since), **counted)


def customers_of(*, scope: Scope, group: str) -> list[int]:
    """The ids of the customers of one of GROUPS."""
    assert group in GROUPS, group
    ids, before, now = _spend(compared_period(scope))
    kept: list[int] = ids[_groups(before, now)[group]].tolist()
    return kept


def _groups(before: Int64s, now: Int64s) -> dict[str, np.ndarray]:
    return {
        "spenders": np.ones(len(before), np.bool_),
        "spent_nothing": now <= 0,
        "spent_less": (now > 0) & (now < before),
        "spent_as_much": now == before,
        "spent_more": now > before,
    }


def _counted(scope: Scope) -> dict[str, int]:
    _ids, before, now = _spend(scope)
    groups = _groups(before, now)
    held = np.minimum(before, np.maximum(now, 0))
    return {
        **{name: int(np.count_nonzero(group)) for name, group in groups.items()},
        "before": int(before.sum()),
        "now": int(now.sum()),
        "held": int(held.sum()),
        "lost": int(before[groups["spent_nothing"]].sum()),
        "shrunk": int((before - now)[groups["spent_less"]].sum()),
        "grown": int((now - before)[groups["spent_more"]].sum()),
    }


def _spend(scope: Scope) -> tuple[Int64s, Int64s, Int64s]:
    """Spenders of the period before, in order, with what they spent then and in this one."""
    sold = bought_among(scope=scope)
    amount, most = sold.money(scope.products_only), int(sold.customer.max(initial=0)) + 1
    spent = []
    before = scope.period.previous()
    for start, until in ((before.start_at, before.until_at), (scope.period.start_at, scope.until_at)):
        inside = (sold.at >= to_ms(start)) & (sold.at < to_ms(until))
        totals = np.zeros(most, np.int64)
        np.add.at(totals, sold.customer[inside], amount[inside])
        spent.append(totals)
    ids = np.flatnonzero(spent[0] > 0)
    return ids, spent[0][ids], spent[1][ids]
