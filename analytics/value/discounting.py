"""What is worth how much today: rates per day, and the present value of a stream that is known as a running total."""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np

from .purchases import Floats

DAYS_A_YEAR = 365.25
DAYS_A_MONTH = DAYS_A_YEAR / 12
ANNUAL_RATE = 0.10

# Running totals rise fastest at the start, so the nodes lie closest there: borders of the panels in days.
_PANELS = (0.0, 22.0, 88.0, DAYS_A_YEAR, 2 * DAYS_A_YEAR, 3 * DAYS_A_YEAR)
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(8)


def daily_rate(annual: float = ANNUAL_RATE) -> float:
    """The continuous rate per day that is `annual` (0.10: ten per cent) per year."""
    return math.log1p(annual) / DAYS_A_YEAR


def monthly_rate(annual: float = ANNUAL_RATE) -> float:
    """The rate per month that is `annual` per year."""
    return float((1 + annual) ** (1 / 12) - 1)


def present_values(total: Callable[[float], Floats], *, horizons: Sequence[float], rate: float) -> list[Floats]:
    """The present value of what `total(t)` says will have come within t days, for each of the ascending `horizons`
    (days), discounted by `rate` per day. With rate 0 it is the total itself.

    By parts: the integral of exp(-rate s) d total(s) is exp(-rate H) total(H) + rate times the integral of
    exp(-rate s) total(s), which needs no derivative and is smooth."""
    found: list[Floats] = []
    before: Floats | None = None
    reached = 0.0
    for horizon in horizons:
        end = total(horizon)
        if rate:
            gathered = np.zeros_like(end) if before is None else before
            for low, high in _panels(reached, horizon):
                half = (high - low) / 2
                for node, weight in zip(_NODES, _WEIGHTS, strict=True):
                    at = low + half * (node + 1)
                    gathered = gathered + (half * weight * math.exp(-rate * at)) * total(at)
            before, reached = gathered, horizon
            found.append(math.exp(-rate * horizon) * end + rate * gathered)
        else:
            found.append(end)
    return found


def _panels(low: float, high: float) -> list[tuple[float, float]]:
    borders = [low, *(one for one in _PANELS if low < one < high), high]
    return list(pairwise(borders))
