"""What was spent, and quotients of it: what one customer or one order cost. A quotient that means nothing says why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

from django.utils.translation import gettext as _

from clm.lib import sql

from .attributed import Credit, Credited, Days
from .attribution.credits import WHOLE
from .made_up_spend import BUDGETS


@dataclass(frozen=True, slots=True)
class Spent:
    """Spend of one channel and period, minor units. entries: how many rows; made_up: how many of them are the
    demonstration's."""

    blended: int = 0
    paid: int = 0
    entries: int = 0
    made_up: int = 0

    def __add__(self, other: "Spent") -> "Spent":
        return Spent(
            self.blended + other.blended,
            self.paid + other.paid,
            self.entries + other.entries,
            self.made_up + other.made_up,
        )


@dataclass(frozen=True, slots=True)
class Ratio:
    """A quotient, or why there is none. low, high: its 95 % interval, None where none is told."""

    number: Fraction | None
    note: str = ""
    low: float | None = None
    high: float | None = None


def cost(spent: int, conversions: int, *, paid: bool, every: bool = False) -> Ratio:
    """What one customer cost, or one order of every."""
    if not spent:
        return Ratio(None, _("No spend on media is entered.") if paid else _("No spend is entered."))
    if conversions <= 0:
        return Ratio(None, _("No order is credited to it.") if every else _("No customer is credited to it."))
    return Ratio(Fraction(spent * WHOLE, conversions))


def returned(credit: Credit, spent: Spent) -> Ratio:
    """Credited revenue by what was spent."""
    if spent.blended <= 0:
        return Ratio(None, _("No spend is entered."))
    return Ratio(Fraction(credit.revenue, spent.blended))


def credited_to_paid(found: Credited, spent: Mapping[int, Spent]) -> int:
    """Millionths of customers that are credited to channels with spend on media."""
    return sum(credit.conversions for channel, credit in found.channels.items() if spent.get(channel, Spent()).paid)


def spent_on_channels(windows: Sequence[Days], lag: int = 0) -> list[dict[int, Spent]]:
    """Spend by channel of each window, as many months earlier as the lag says."""
    found: list[dict[int, Spent]] = [{} for _window in windows]
    rows = sql.rows(
        "analytics/spend_sums",
        starts=[months_before(start, lag) for start, _until in windows],
        untils=[months_before(until, lag) for _start, until in windows],
        made_up=[budget.key for budget in BUDGETS],
    )
    for number, channel, *sums in rows:
        found[number - 1][channel] = Spent(*sums)
    return found


def months_before(day: date, count: int) -> date:
    """The same day so many months earlier, or the last one of that month where it has no such day."""
    months = day.year * 12 + day.month - 1 - count
    first = date(months // 12, months % 12 + 1, 1)
    following = date((months + 1) // 12, (months + 1) % 12 + 1, 1)
    return min(first + timedelta(days=day.day - 1), following - timedelta(days=1))
