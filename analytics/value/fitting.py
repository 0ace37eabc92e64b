"""Fitting the models to a population, and saying what the result is worth: how many customers it rests on, how sure the
parameters are, whether the data tell anything about being lost at all, and how well the past was foretold."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import numpy as np

from .beta_geometric import BetaGeometric, fit_bg, fit_mbg
from .climbing import Climbed, Parameter
from .pareto import Pareto, fit_pareto
from .purchases import Floats, Int64s, Purchases

LEAST_REPEATERS = 50
# Below these nobody is ever lost as far as the data tell, and every customer would be said to be alive.
LEAST_DROPOUT = 0.005
LEAST_PARETO_S = 0.01


class Verdict(StrEnum):
    """What became of a fit."""

    FITTED = "fitted"
    NOT_ENOUGH_DATA = "not_enough_data"
    NO_TOP = "no_top"
    DROPOUT_NOT_IDENTIFIED = "dropout_not_identified"


class Model(Protocol):
    """What all models of purchases answer."""

    def alive(self, purchases: Purchases) -> Floats: ...

    def orders_of_new(self, times: Floats) -> Floats: ...

    def orders(self, purchases: Purchases, time: float) -> Floats: ...

    def silent(self, purchases: Purchases, time: float) -> Floats: ...

    def discounted_orders(self, purchases: Purchases, *, horizons: Sequence[float], rate: float) -> list[Floats]: ...


@dataclass(frozen=True, slots=True)
class Fit:
    """A fitted model, or why there is none. `model` is there unless the verdict is NOT_ENOUGH_DATA or NO_TOP; under
    DROPOUT_NOT_IDENTIFIED it foretells orders, but nothing about who is lost."""

    key: str
    name: str
    verdict: Verdict
    customers: int
    repeaters: int
    parameters: tuple[Parameter, ...] = ()
    log_likelihood: float | None = None
    model: Model | None = None

    @property
    def tells_alive(self) -> bool:
        return self.verdict == Verdict.FITTED


@dataclass(frozen=True, slots=True)
class Kind:
    """A model that can be fitted: its name, how it is fitted, and what it is with the values found."""

    name: str
    fit: Callable[[Purchases], Climbed]
    made: Callable[[tuple[float, ...]], Model]
    loses_nobody: Callable[[tuple[float, ...]], bool]


def _few_are_lost(values: tuple[float, ...]) -> bool:
    _r, _alpha, a, b = values
    return a / (a + b) < LEAST_DROPOUT


def _beta_geometric(found: tuple[float, ...], first_chance: int) -> BetaGeometric:
    r, alpha, a, b = found
    return BetaGeometric(r, alpha, a, b, first_chance)


KINDS: dict[str, Kind] = {
    "mbg": Kind("MBG/NBD", fit_mbg, lambda found: _beta_geometric(found, 1), _few_are_lost),
    "pareto": Kind("Pareto/NBD", fit_pareto, lambda found: Pareto(*found), lambda found: found[2] < LEAST_PARETO_S),
    "bg": Kind("BG/NBD", fit_bg, lambda found: _beta_geometric(found, 0), _few_are_lost),
}


def fit(key: str, purchases: Purchases) -> Fit:
    """Fit one of KINDS, or refuse: below 50 customers who bought again the parameters are guesses."""
    kind = KINDS[key]
    customers, repeaters = purchases.customers, purchases.repeaters
    if repeaters < LEAST_REPEATERS:
        return Fit(key, kind.name, Verdict.NOT_ENOUGH_DATA, customers, repeaters)
    found = kind.fit(purchases)
    lossless = kind.loses_nobody(found.values)
    # Where nobody is lost the parameters of losing run to the border, which is no failure of the search.
    if not (found.converged or lossless) or (found.at_border and not lossless):
        return Fit(key, kind.name, Verdict.NO_TOP, customers, repeaters, found.parameters, found.log_likelihood)
    return Fit(
        key,
        kind.name,
        Verdict.DROPOUT_NOT_IDENTIFIED if lossless else Verdict.FITTED,
        customers,
        repeaters,
        found.parameters,
        found.log_likelihood,
        kind.made(found.values),
    )


@dataclass(frozen=True, slots=True)
class Holdout:
    """How well a model fitted to what was known on a day foretold what came after it: repeat orders of the same
    customers."""

    foretold: float
    came: int

    @property
    def error(self) -> float | None:
        """Too many (above 0) or too few, as a share of what came; None when nothing came."""
        return (self.foretold - self.came) / self.came if self.came else None


def holdout(model: Model, purchases: Purchases, *, days: float, came: int) -> Holdout:
    """purchases: as known when the model was fitted; came: repeat orders of those customers in the days after it."""
    return Holdout(float(purchases.weight @ model.orders(purchases, days)), came)


def cumulative_orders(model: Model, *, first: Int64s, days: Int64s) -> Floats:
    """Repeat orders expected of customers up to the end of each of some days, from the days of their first orders
    alone: what a tracking plot draws beside what came."""
    begun, customers = np.unique(first, return_counts=True)
    ages = np.maximum(days[:, None] - begun[None, :], 0)
    known, place = np.unique(ages, return_inverse=True)
    expected = model.orders_of_new(known.astype(np.float64))
    return np.asarray(expected[place.reshape(ages.shape)] @ customers.astype(np.float64))


def fits(purchases: Purchases, *, keys: tuple[str, ...] = tuple(KINDS)) -> Mapping[str, Fit]:
    """All of these models, fitted to the same customers."""
    return {key: fit(key, purchases) for key in keys}
