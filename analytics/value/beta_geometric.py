"""BG/NBD (Fader, Hardie and Lee 2005) and MBG/NBD (Batislam, Denizel and Filiztekin 2007).

Customers buy at random at rates that differ like a gamma distribution (r, alpha), and after each purchase are lost
with probabilities that differ like a beta distribution (a, b). The two models differ in one thing: under MBG/NBD a
customer may be lost after the very first purchase, under BG/NBD only after a repeat one, so that BG/NBD believes every
one-time buyer to be alive. `first_chance` is that difference, 1 or 0."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import betaln, expit, gammaln, psi

from .climbing import Climbed, climb
from .discounting import present_values
from .purchases import Floats, Int64s, Purchases

NAMES = ("r", "alpha", "a", "b")
_CHUNK = 20_000  # pairs of repeats and age that are worked off together, so that they fit the cache


@dataclass(frozen=True, slots=True)
class BetaGeometric:
    """The model with its parameters; alpha in the unit of the ages it is asked about. first_chance: 1 for MBG/NBD, 0
    for BG/NBD."""

    r: float
    alpha: float
    a: float
    b: float
    first_chance: int

    def alive(self, purchases: Purchases) -> Floats:
        """The probability, row by row, that those customers are not lost."""
        chances = (purchases.repeats + self.first_chance).astype(np.float64)
        with np.errstate(divide="ignore"):
            odds = np.where(chances > 0, math.log(self.a) - np.log(np.maximum(self.b + chances - 1, 1e-300)), -np.inf)
        span = np.log(self.alpha + purchases.age) - np.log(self.alpha + purchases.last)
        return np.asarray(expit(-(odds + (self.r + purchases.repeats) * span)))

    def silent(self, purchases: Purchases, time: float) -> Floats:
        """The probability, row by row, that those customers buy nothing within `time` after the end of what was
        observed: lost, or alive and quiet."""
        scale = self.alpha + purchases.age
        quiet = np.exp(-(self.r + purchases.repeats) * np.log1p(time / scale))
        return np.asarray(1 - self.alive(purchases) * (1 - quiet))

    def orders_of_new(self, times: Floats) -> Floats:
        """Repeat purchases expected of somebody within each of these times after the first purchase."""
        survives = self.b / (self.a + self.b) if self.first_chance else 1.0
        size = _nodes_needed(self.alpha / max(float(times.max(initial=0.0)), 1e-300))
        nodes, weights = _beta_nodes(self.a, np.array([self.b + self.first_chance], np.float64), size)
        grown = -np.expm1(-self.r * np.log1p(nodes * (times / self.alpha)[:, None]))
        return np.asarray(survives * (grown @ (weights / nodes)[0]))

    def orders(self, purchases: Purchases, time: float) -> Floats:
        """Purchases expected, row by row, within `time` after the end of what was observed."""
        return self.discounted_orders(purchases, horizons=(time,), rate=0.0)[0]

    def discounted_orders(self, purchases: Purchases, *, horizons: Sequence[float], rate: float) -> list[Floats]:
        """The present value in purchases of those expected within each of the ascending horizons."""
        alive = self.alive(purchases)
        return [alive * one for one in self._orders_if_alive(purchases, horizons, rate)]

    def _orders_if_alive(self, purchases: Purchases, horizons: Sequence[float], rate: float) -> list[Floats]:
        """Of somebody who is alive, only how often and for how long decide: few pairs stand for many rows."""
        pair = purchases.repeats * (float(purchases.age.max(initial=0.0)) + 1.0) + purchases.age
        _keys, first, place = np.unique(pair, return_index=True, return_inverse=True)
        repeats, age = purchases.repeats[first], purchases.age[first]
        found = [np.empty(len(first)) for _horizon in horizons]
        for start in range(0, len(first), _CHUNK):
            part = slice(start, start + _CHUNK)
            for whole, some in zip(found, self._of_pairs(repeats[part], age[part], horizons, rate), strict=True):
                whole[part] = some
        return [one[place] for one in found]

    def _of_pairs(self, repeats: Int64s, age: Floats, horizons: Sequence[float], rate: float) -> list[Floats]:
        """Somebody alive with dropout p and rate l buys (1 - exp(-l p t)) / p more; l is gamma with r + x and alpha +
        T, which leaves (1 - (A / (A + p t))^R) / p, and p is beta with a and b + x: a Gauss-Jacobi sum, exact also
        where the closed form with 2F1 divides nothing by nothing (a = 1)."""
        scale = self.alpha + age
        shape = self.r + repeats
        often, place = np.unique(repeats, return_inverse=True)
        size = _nodes_needed(float(scale.min()) / max(horizons[-1], 1e-300))
        nodes, weights = _beta_nodes(self.a, np.asarray(self.b + often + self.first_chance, np.float64), size)
        lost, each = nodes[place], weights[place] / nodes[place]

        def total(time: float) -> Floats:
            grown = np.log1p(lost * (time / scale)[:, None])
            grown *= -shape[:, None]
            np.expm1(grown, out=grown)
            return -np.einsum("ij,ij->i", grown, each)

        return present_values(total, horizons=horizons, rate=rate)


def fit_bg(purchases: Purchases, *, start: Sequence[float] | None = None) -> Climbed:
    """The most likely BG/NBD."""
    return _fit(purchases, 0, start)


def fit_mbg(purchases: Purchases, *, start: Sequence[float] | None = None) -> Climbed:
    """The most likely MBG/NBD."""
    return _fit(purchases, 1, start)


def _fit(purchases: Purchases, first_chance: int, start: Sequence[float] | None) -> Climbed:
    observed = _Observed(purchases, first_chance)
    return climb(observed.log_likelihood, names=NAMES, weight=float(purchases.weight.sum()), start=start)


class _Observed:
    """The log-likelihood of some histories and its gradient. What depends on the number of repeats alone is summed over
    the few different numbers; per row remain two logarithms and one comparison of being alive with being lost."""

    def __init__(self, purchases: Purchases, first_chance: int) -> None:
        self.often, self.place = np.unique(purchases.repeats, return_inverse=True)
        self.each = np.bincount(self.place, weights=purchases.weight, minlength=len(self.often))
        self.chances = (self.often + first_chance).astype(np.float64)
        self.repeats = purchases.repeats.astype(np.float64)
        self.last, self.age, self.weight = purchases.last, purchases.age, purchases.weight
        self.customers = float(purchases.weight.sum())

    def log_likelihood(self, values: Floats) -> tuple[float, Floats]:
        """The sum over customers, and its derivatives by r, alpha, a and b."""
        r, alpha, a, b = (float(one) for one in values)
        some = self.chances > 0
        log_end, log_last = np.log(alpha + self.age), np.log(alpha + self.last)
        last_chance = np.where(some, b + self.chances - 1, 1.0)
        odds = np.where(some, math.log(a) - np.log(np.maximum(last_chance, 1e-300)), -np.inf)
        shape = r + self.repeats
        lost = odds[self.place] + shape * (log_end - log_last)
        share = expit(lost) * self.weight  # of those customers, the ones believed lost
        kept = self.weight - share
        height = (
            self.each @ (gammaln(r + self.often) - gammaln(r) + betaln(a, b + self.chances) - betaln(a, b))
            + self.customers * r * math.log(alpha)
            + self.weight @ (np.logaddexp(0.0, lost) - shape * log_end)
        )
        lost_by_repeats = np.bincount(self.place, weights=share, minlength=len(self.often))
        both, whole = psi(a + b), psi(a + b + self.chances)
        slope = np.array(
            [
                self.each @ (psi(r + self.often) - psi(r))
                + self.customers * math.log(alpha)
                - kept @ log_end
                - share @ log_last,
                self.customers * r / alpha
                - (kept * shape) @ (1 / (alpha + self.age))
                - (share * shape) @ (1 / (alpha + self.last)),
                self.each @ (both - whole) + share.sum() / a,
                self.each @ (both + psi(b + self.chances) - psi(b) - whole)
                - lost_by_repeats @ np.where(some, 1 / np.maximum(last_chance, 1e-300), 0.0),
            ]
        )
        return float(height), slope


def _nodes_needed(nearness: float) -> int:
    """Nodes for ten digits: the sum converges like rho^-2n, rho given by how near the pole of the integrand lies."""
    reach = 1 + 2 * nearness
    rho = reach + math.sqrt(reach * reach - 1)
    wanted = 11 / max(math.log(rho), 1e-9)
    return next((size for size in (16, 24, 32, 48, 64, 128) if size >= wanted), 256)


def _beta_nodes(a: float, b: Floats, size: int) -> tuple[Floats, Floats]:
    """Nodes and weights (summing to 1) of the Gauss sums over beta distributions a and each of b, shape (len(b), size):
    eigenvalues of the matrix of the recurrence of Jacobi's polynomials (Golub and Welsch)."""
    low, high = a - 1, np.asarray(b, np.float64)[:, None] - 1
    step = np.arange(1, size)[None, :]
    both = low + high
    twice = 2 * step + both
    middle = np.empty((len(b), size))
    middle[:, 0] = ((low - high) / (both + 2))[:, 0]
    middle[:, 1:] = (low * low - high * high) / (twice * (twice + 2))
    beside = 4 * step * (step + low) * (step + high) * (step + both) / (twice**2 * (twice + 1) * (twice - 1))
    # For the first step (step + both) / (twice - 1) is 1, also where both are nothing.
    beside[:, 0] = (4 * (1 + low) * (1 + high) / ((2 + both) ** 2 * (3 + both)))[:, 0]
    matrix = np.zeros((len(b), size, size))
    diagonal = np.arange(size)
    matrix[:, diagonal, diagonal] = middle
    matrix[:, diagonal[1:], diagonal[:-1]] = np.sqrt(beside)
    values, vectors = np.linalg.eigh(matrix, UPLO="L")
    return np.maximum((values + 1) / 2, 1e-15), vectors[:, 0, :] ** 2
