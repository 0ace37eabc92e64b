"""Gamma-Gamma (Fader and Hardie, note 025): what an order of a customer is worth, between what his own orders said and
what everybody's say.

The worth of one customer's orders differs like a gamma distribution of shape p, its scale among customers like another
(q, v). It knows nothing of how often people buy, so it holds only where both are nearly independent."""

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln, psi

from .climbing import Climbed, climb
from .purchases import Floats, Int64s

NAMES = ("p", "q", "v")
# Above this the model's one assumption does not hold, and the page says so.
MOST_CORRELATION = 0.3


@dataclass(frozen=True, slots=True)
class Spending:
    """What repeat orders were worth: customers with `repeats` orders of `mean` on average, a row each."""

    repeats: Int64s
    mean: Floats

    @property
    def correlation(self) -> float | None:
        """Between how often people buy and what an order of theirs is worth; None where neither differs."""
        if len(self.mean) < 2 or not np.ptp(self.repeats) or not np.ptp(self.mean):
            return None
        return float(np.corrcoef(self.repeats, self.mean)[0, 1])


def spending(repeats: Int64s, mean: Floats) -> Spending:
    """Of all customers those the model speaks of: with repeat orders whose net worth is above nothing."""
    used = (repeats > 0) & (mean > 0) & np.isfinite(mean)
    return Spending(repeats[used].astype(np.int64), mean[used].astype(np.float64))


@dataclass(frozen=True, slots=True)
class GammaGamma:
    """The model with its parameters; v and all that it answers in the unit of the amounts."""

    p: float
    q: float
    v: float

    @property
    def population_mean(self) -> float | None:
        """What an order of somebody unknown is worth; None where the distribution has no mean (q at most 1)."""
        return self.p * self.v / (self.q - 1) if self.q > 1 else None

    def order_values(self, repeats: Int64s, mean: Floats) -> Floats:
        """What a further order of each customer is worth; of those without repeat orders, what anybody's is. Only
        with q above 1."""
        known = (repeats > 0) & (mean > 0)
        weight = self.p * np.where(known, repeats, 0)
        return self.p * (self.v + np.where(known, repeats * mean, 0.0)) / (weight + self.q - 1)


def fit_gamma_gamma(spent: Spending) -> Climbed:
    """The most likely Gamma-Gamma. It is searched in units of the mean amount, so that cents and millions are alike."""
    unit = float(spent.mean.mean())
    mean = spent.mean / unit
    repeats = spent.repeats.astype(np.float64)
    often, place = np.unique(spent.repeats, return_inverse=True)
    each = np.bincount(place, minlength=len(often)).astype(np.float64)
    logs = np.log(mean)
    customers = float(len(mean))
    # (p x - 1) ln z + p x ln x, summed: what does not depend on the parameters is summed once.
    slope_of_p, constant = float(repeats @ (logs + np.log(repeats))), float(logs.sum()) + customers * math.log(unit)

    def log_likelihood(values: Floats) -> tuple[float, Floats]:
        p, q, v = (float(one) for one in values)
        log_both = np.log(v + repeats * mean)
        shape = p * repeats + q
        height = (
            each @ (gammaln(p * often + q) - gammaln(p * often))
            + customers * (q * math.log(v) - gammaln(q))
            + p * slope_of_p
            - constant
            - shape @ log_both
        )
        by_shape = psi(p * often + q)
        slope = np.array(
            [
                each @ (often * (by_shape - psi(p * often))) + slope_of_p - repeats @ log_both,
                each @ by_shape + customers * (math.log(v) - psi(q)) - log_both.sum(),
                customers * q / v - shape @ (1 / (v + repeats * mean)),
            ]
        )
        return float(height), slope

    found = climb(log_likelihood, names=NAMES, weight=customers)
    return Climbed(
        tuple(
            type(one)(one.name, one.value * unit, None if one.error is None else one.error * unit)
            if one.name == "v"
            else one
            for one in found.parameters
        ),
        found.log_likelihood,
        found.converged,
        found.at_border,
    )
