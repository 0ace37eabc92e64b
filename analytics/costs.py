"""What was spent, and quotients of it: what one customer or one order cost. A quotient that means nothing says why."""

from dataclasses import dataclass
from fractions import Fraction

from django.utils.translation import gettext as _

from .attributed import Credit
from .attribution.credits import WHOLE


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
