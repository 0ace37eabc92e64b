"""Amounts in the reporting currency: exact, half-even, in whole minor units."""

from bisect import bisect_right
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal

from .models import ExchangeRate, Installation

LIMIT = 10**11  # minor units; the database refuses more
MOST_SENT = 10**14  # likewise of an amount as it was sent, in its own currency


class NoRate(ValueError):  # noqa: N818 a fault of the data, told to people
    """No exchange rate is known for a currency on a day."""


class Conversion:
    """From one currency to the reporting currency, at the rate of the latest day up to the day in question. What is no
    currency ("") has no rate."""

    def __init__(self, currency: str) -> None:
        installation = Installation.current()
        self.currency, self.reporting = currency, installation.currency
        self.is_needed = currency != installation.currency
        self.minor = Decimal(10) ** installation.minor_digits
        self.days: list[date] = []
        self.rates: list[Decimal] = []
        if self.is_needed:
            for day, rate in ExchangeRate.objects.filter(currency=currency).order_by("day").values_list("day", "rate"):
                self.days.append(day)
                self.rates.append(rate)

    def rate(self, day: date) -> Decimal:
        """How much of the reporting currency one unit was worth on `day`."""
        index = bisect_right(self.days, day)
        if not index:
            raise NoRate(f"no exchange rate from {self.currency} to {self.reporting} is known for {day} or before")
        return self.rates[index - 1]

    def minor_units(self, amount: Decimal, day: date) -> int:
        """`amount` on `day` in minor units of the reporting currency; raises NoRate."""
        rate = self.rate(day) if self.is_needed else 1
        return int((amount * rate * self.minor).to_integral_value(ROUND_HALF_EVEN))
