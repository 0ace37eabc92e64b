"""How long contracts last that are renewed period by period: sBG (Fader and Hardie 2007) and BdW (Fader, Hardie, Liu,
Davin and Steenburgh 2018).

Everybody has a probability of his own of not renewing, which differ like a beta distribution (a, b). Under sBG it stays
what it was; under BdW renewing gets easier (c below 1) or harder (above 1) with age. Of those who are left after many
periods only the loyal remain, so the rate of renewal rises although nobody changed: one rate for all, 1 / churn, values
an existing customer too low."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import betaln, psi

from .climbing import Climbed, climb
from .purchases import Floats

_PERIODS = 2_000  # after which discounting has left nothing


@dataclass(frozen=True, slots=True)
class Contracts:
    """How contracts ended. lost[k]: those that were not renewed after period k + 1; open[k]: those that are in force
    with k + 1 renewals behind them and have been seen no further."""

    lost: Floats
    open: Floats

    @property
    def number(self) -> int:
        return round(float(self.lost.sum() + self.open.sum()))

    @property
    def ended(self) -> int:
        return round(float(self.lost.sum()))


def of_one_cohort(survivors: Sequence[float]) -> Contracts:
    """Contracts that began together. survivors: how many there were at the start, and after each chance to renew."""
    alive = np.asarray(survivors, np.float64)
    open_ = np.zeros(len(alive) - 1)
    open_[-1] = alive[-1]
    return Contracts(alive[:-1] - alive[1:], open_)


@dataclass(frozen=True, slots=True)
class Lasting:
    """The model with its parameters; c is 1 under sBG."""

    a: float
    b: float
    c: float = 1.0

    def surviving(self, periods: Floats | Sequence[float]) -> Floats:
        """The share of contracts that are in force after so many chances to renew."""
        grown = np.asarray(periods, np.float64) ** self.c
        return np.exp(betaln(self.a, self.b + grown) - betaln(self.a, self.b))

    def renewing(self, period: int) -> float:
        """The share of those who reached it that renew after period `period` (from 1)."""
        before, after = self.surviving((period - 1, period))
        return float(after / before) if before > 0 else 0.0

    def lifetime(self, annual_rate: float) -> float:
        """Discounted expected lifetime (DEL): payments expected of a new contract, the first one now."""
        periods = np.arange(_PERIODS, dtype=np.float64)
        return float(self.surviving(periods) @ (1 + annual_rate) ** -periods)

    def further_payments(self, renewals: int, horizon: int, rate: float) -> float:
        """The present value in payments of the next `horizon` renewals of a contract that was renewed so often; the
        next one is due one period ahead; rate: per period."""
        ahead = np.arange(1, horizon + 1, dtype=np.float64)
        logs = betaln(self.a, self.b + (renewals + ahead) ** self.c) - betaln(
            self.a, self.b + float(renewals) ** self.c
        )
        return float(np.exp(logs) @ (1 + rate) ** -ahead)


@dataclass(frozen=True, slots=True)
class Expected:
    """Of contracts that run, row by row. lasting: the probability of running still at the end of each horizon; worth:
    the present value of what is paid within it, in payments."""

    lasting: list[Floats]
    worth: list[Floats]


def expected(lasting: Lasting, age: Floats, *, horizons: Sequence[int], rate: float) -> Expected:
    """What is to be expected of contracts of so many months, within each of the ascending `horizons` (whole months).
    rate: per month. Whoever has come so far has shown some loyalty: what counts is the share of those who came as far
    that goes on. A payment is due whenever a month of the contract is over, and made if it is renewed."""
    renewals = np.floor(age)
    known, place = np.unique(renewals, return_inverse=True)
    here = betaln(lasting.a, lasting.b + known**lasting.c)
    to_the_next = (1 + rate) ** (age - renewals)  # the rest of the month that runs is no wait any more
    shares: list[Floats] = []
    worths: list[Floats] = []
    share, worth = np.ones(len(known)), np.zeros(len(known))
    for month in range(1, max(horizons) + 1):
        share = np.exp(betaln(lasting.a, lasting.b + (known + month) ** lasting.c) - here)
        worth = worth + share * (1 + rate) ** -month
        if month in horizons:
            shares.append(share[place])
            worths.append(worth[place] * to_the_next)
    return Expected(shares, worths)


def fit_sbg(contracts: Contracts) -> Climbed:
    """The most likely sBG."""
    return climb(
        lambda values: _log_likelihood(contracts, np.append(values, 1.0), 2), names=("a", "b"), weight=contracts.number
    )


def fit_bdw(contracts: Contracts) -> Climbed:
    """The most likely BdW."""
    return climb(lambda values: _log_likelihood(contracts, values, 3), names=("a", "b", "c"), weight=contracts.number)


def _log_likelihood(contracts: Contracts, values: Floats, free: int) -> tuple[float, Floats]:
    """The sum over contracts, and its derivatives by the first `free` of a, b and c."""
    a, b, c = (float(one) for one in values)
    periods = np.arange(len(contracts.lost) + 1, dtype=np.float64)
    grown = periods**c
    log_alive = betaln(a, b + grown) - betaln(a, b)
    both = psi(a + b + grown)
    by_c = (psi(b + grown) - both) * grown * np.log(np.maximum(periods, 1.0))
    slopes = np.array([psi(a + b) - both, psi(b + grown) - psi(b) - both + psi(a + b), by_c])
    # Lost after period t: alive before it and not after. Written as a share of those alive before, it never cancels.
    step = log_alive[1:] - log_alive[:-1]
    share = -np.expm1(step)
    log_lost = log_alive[:-1] + np.log(np.maximum(share, 1e-300))
    height = contracts.lost @ log_lost + contracts.open @ log_alive[1:]
    kept = np.exp(step)
    by_lost = (slopes[:, :-1] - kept * slopes[:, 1:]) / np.maximum(share, 1e-300)
    return float(height), (by_lost @ contracts.lost + slopes[:, 1:] @ contracts.open)[:free]


def clv_of_textbooks(margin: float, retention: float, rate: float) -> tuple[float, float, float]:
    """The three formulae that are all called CLV (Fader and Hardie, note 024), of a constant retention: with the first
    payment now, without it, and with it paid at the end of the period. None of them is what a cohort is worth."""
    rest = 1 + rate - retention
    return margin * (1 + rate) / rest, margin * retention / rest, margin / rest


def margin_multiple(retention: float, rate: float) -> float:
    """What a customer is worth in periods' margins (Gupta and Lehmann): r / (1 + i - r)."""
    return retention / (1 + rate - retention)


def expected_lifetime(retention: float) -> float:
    """Periods until a customer is lost if retention never changes; infinite lives are refused with ValueError."""
    if not 0 <= retention < 1 or math.isnan(retention):
        raise ValueError("a retention of 1 has no end")
    return 1 / (1 - retention)
