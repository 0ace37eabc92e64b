"""Pareto/NBD (Schmittlein, Morrison and Colombo 1987), and the NBD it becomes when nobody is ever lost.

Customers buy at random at rates that differ like a gamma distribution (r, alpha) until they are lost at an instant of
their own, at rates that differ like another (s, beta). The likelihood is written as it is thought: either somebody
was there all the time, or was lost somewhere between the last purchase and the end: an integral over that time. The
textbook's closed form of that integral is a difference of two 2F1 that overflows for frequent buyers."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, gammaln, psi

from .climbing import Climbed, climb
from .discounting import present_values
from .purchases import Floats, Purchases

NAMES = ("r", "alpha", "s", "beta")
_NODES, _WEIGHTS = (lambda found: ((found[0] + 1) / 2, found[1] / 2))(np.polynomial.legendre.leggauss(32))


@dataclass(frozen=True, slots=True)
class Pareto:
    """The model with its parameters; alpha and beta in the unit of the ages it is asked about."""

    r: float
    alpha: float
    s: float
    beta: float

    def alive(self, purchases: Purchases) -> Floats:
        """The probability, row by row, that those customers are not lost."""
        observed = _Observed(purchases)
        here, lost, _means = observed.ways(self.r, self.alpha, self.s, self.beta, slopes=False)
        return np.asarray(expit(here - lost))

    def silent(self, purchases: Purchases, time: float) -> Floats:
        """The probability, row by row, that those customers buy nothing within `time` after the end of what was
        observed: that they would be known with the same purchases and a greater age, as a share of being known so."""
        later = Purchases(purchases.repeats, purchases.last, purchases.age + time, purchases.weight)
        then, now = (_Observed(one).either(self.r, self.alpha, self.s, self.beta) for one in (later, purchases))
        return np.asarray(np.exp(np.minimum(then - now, 0.0)))

    def orders_of_new(self, times: Floats) -> Floats:
        """Repeat purchases expected of somebody within each of these times after the first purchase."""
        return self.r * self.beta / self.alpha * _grown(self.s - 1, np.log1p(times / self.beta))

    def orders(self, purchases: Purchases, time: float) -> Floats:
        """Purchases expected, row by row, within `time` after the end of what was observed."""
        return self.discounted_orders(purchases, horizons=(time,), rate=0.0)[0]

    def discounted_orders(self, purchases: Purchases, *, horizons: Sequence[float], rate: float) -> list[Floats]:
        """The present value in purchases of those expected within each of the ascending horizons."""
        alive = self.alive(purchases)
        return [alive * one for one in self._if_alive(purchases, horizons, rate)]

    def _if_alive(self, purchases: Purchases, horizons: Sequence[float], rate: float) -> list[Floats]:
        a_day = (self.r + purchases.repeats) / (self.alpha + purchases.age)
        beta = self.beta + purchases.age

        def total(time: float) -> Floats:
            return a_day * beta * _grown(self.s - 1, np.log1p(time / beta))

        return present_values(total, horizons=horizons, rate=rate)


def fit_pareto(purchases: Purchases, *, start: Sequence[float] | None = None) -> Climbed:
    """The most likely Pareto/NBD."""
    observed = _Observed(purchases)
    return climb(observed.log_likelihood, names=NAMES, weight=float(purchases.weight.sum()), start=start)


def fit_nbd(purchases: Purchases) -> Climbed:
    """The most likely NBD, in which nobody is ever lost: what the others are better than, if anybody is."""
    often, place = np.unique(purchases.repeats, return_inverse=True)
    each = np.bincount(place, weights=purchases.weight, minlength=len(often))
    customers, repeats = float(purchases.weight.sum()), purchases.repeats

    def log_likelihood(values: Floats) -> tuple[float, Floats]:
        r, alpha = (float(one) for one in values)
        log_end = np.log(alpha + purchases.age)
        height = each @ (gammaln(r + often) - gammaln(r)) + customers * r * math.log(alpha)
        height -= (purchases.weight * (r + repeats)) @ log_end
        by_r = each @ (psi(r + often) - psi(r)) + customers * math.log(alpha) - purchases.weight @ log_end
        by_alpha = customers * r / alpha - (purchases.weight * (r + repeats)) @ (1 / (alpha + purchases.age))
        return float(height), np.array([by_r, by_alpha])

    return climb(log_likelihood, names=("r", "alpha"), weight=customers)


def _grown(power: float, span: Floats) -> Floats:
    """(1 - exp(-power * span)) / power, which is `span` itself where power is nothing."""
    return span.copy() if abs(power) < 1e-12 else -np.expm1(-power * span) / power


class _Observed:
    """The log-likelihood of some histories and its gradient."""

    def __init__(self, purchases: Purchases) -> None:
        self.often, self.place = np.unique(purchases.repeats, return_inverse=True)
        self.each = np.bincount(self.place, weights=purchases.weight, minlength=len(self.often))
        self.repeats = purchases.repeats.astype(np.float64)
        self.last, self.age, self.weight = purchases.last, purchases.age, purchases.weight
        self.customers = float(purchases.weight.sum())

    def log_likelihood(self, values: Floats) -> tuple[float, Floats]:
        """The sum over customers, and its derivatives by r, alpha, s and beta."""
        r, alpha, s, beta = (float(one) for one in values)
        here, lost, means = self.ways(r, alpha, s, beta, slopes=True)
        either = np.logaddexp(here, lost)
        share = np.exp(lost - either) * self.weight
        kept = self.weight - share
        shape = r + self.repeats
        height = (
            self.each @ (gammaln(r + self.often) - gammaln(r))
            + self.customers * (r * math.log(alpha) + s * math.log(beta))
            + self.weight @ either
        )
        log_alpha, by_alpha, log_beta, by_beta = means
        slope = np.array(
            [
                self.each @ (psi(r + self.often) - psi(r))
                + self.customers * math.log(alpha)
                - kept @ np.log(alpha + self.age)
                - share @ log_alpha,
                self.customers * r / alpha - (kept * shape) @ (1 / (alpha + self.age)) - (share * shape) @ by_alpha,
                self.customers * math.log(beta) - kept @ np.log(beta + self.age) + share.sum() / s - share @ log_beta,
                self.customers * s / beta - s * (kept @ (1 / (beta + self.age))) - (s + 1) * (share @ by_beta),
            ]
        )
        return float(height), slope

    def either(self, r: float, alpha: float, s: float, beta: float) -> Floats:
        """Row by row the logarithm of the likelihood, without what does not depend on the age."""
        here, lost, _means = self.ways(r, alpha, s, beta, slopes=False)
        return np.asarray(np.logaddexp(here, lost))

    def ways(
        self, r: float, alpha: float, s: float, beta: float, *, slopes: bool
    ) -> tuple[Floats, Floats, tuple[Floats, Floats, Floats, Floats]]:
        """Row by row, without what is common to both: the logarithm of having been there all the time; of having been
        lost on the way; and, over the time of being lost, the means of ln(alpha + y), 1 / (alpha + y), ln(beta + y)
        and 1 / (beta + y), of which the gradient is made.

        The integral of (alpha + y)^-(r + x) (beta + y)^-(s + 1) over y from the last purchase to the end: with
        (alpha + y)^-(r + x - 1) as the variable the steep factor is gone, however often somebody bought."""
        shape = r + self.repeats
        power = shape - 1
        log_last = np.log(alpha + self.last)
        span = np.log(alpha + self.age) - log_last
        here = -shape * (log_last + span) - s * np.log(beta + self.age)
        flat = np.abs(power) < 1e-9
        steep = np.where(flat, 1.0, power)
        fall = np.expm1(-steep * span)  # of the variable, from the last purchase to the end
        width = np.where(flat, span, -fall / steep)
        found = np.zeros_like(span)
        means = tuple(np.zeros_like(span) for _mean in range(4))
        for node, weight in zip(_NODES, _WEIGHTS, strict=True):
            way = np.where(flat, node * span, -np.log1p(node * fall) / steep)
            log_alpha = log_last + way
            alpha_y = np.exp(log_alpha)
            beta_y = np.maximum(alpha_y - alpha, self.last) + beta
            log_beta = np.log(beta_y)
            part = weight * np.exp((s + 1) * (np.log(beta + self.last) - log_beta))
            found += part
            if slopes:
                for mean, value in zip(means, (log_alpha, 1 / alpha_y, log_beta, 1 / beta_y), strict=True):
                    mean += part * value
        with np.errstate(divide="ignore"):
            lost = math.log(s) - power * log_last - (s + 1) * np.log(beta + self.last) + np.log(width) + np.log(found)
        first, second, third, fourth = (mean / found for mean in means)
        return here, lost, (first, second, third, fourth)
