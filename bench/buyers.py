"""Made-up buyers with known parameters: what a fit should find again. In continuous time, because rounding ages down to
whole days moves the estimates; rounded to days where a measurement asks for what a shop stores."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

# BG/NBD of CDNOW (Fader, Hardie and Lee 2005), alpha in days.
TRUE = (0.243, 30.898, 0.793, 2.426)


@dataclass(frozen=True)
class Histories:
    """Of each buyer: repeat purchases, age in days at the last of them, and at the end of what was observed."""

    repeats: npt.NDArray[np.int64]
    last: npt.NDArray[np.float64]
    age: npt.NDArray[np.float64]


def buyers(
    number: int,
    *,
    seed: int,
    ages: tuple[float, float],
    parameters: tuple[float, float, float, float] = TRUE,
    first_chance: int = 0,
) -> Histories:
    """So many, first seen between ages[1] and ages[0] days before the end. first_chance 1: somebody may be lost after
    the first purchase already (MBG/NBD)."""
    random = np.random.default_rng(seed)
    r, alpha, a, b = parameters
    rate = random.gamma(r, 1 / alpha, number)
    dropout = random.beta(a, b, number)
    age = random.uniform(*ages, number)
    repeats, last = np.zeros(number, np.int64), np.zeros(number)
    here = np.arange(number)
    if first_chance:
        here = here[random.random(number) >= dropout]
    at = np.zeros(number)
    while len(here):
        with np.errstate(divide="ignore", over="ignore"):
            at[here] += random.exponential(size=len(here)) / rate[here]
        here = here[at[here] <= age[here]]
        repeats[here] += 1
        last[here] = at[here]
        here = here[random.random(len(here)) >= dropout[here]]
    return Histories(repeats, last, age)


def in_whole_days(found: Histories) -> Histories:
    """As a shop stores them: ages are differences of days."""
    return Histories(found.repeats, np.floor(found.last), np.floor(found.age))
