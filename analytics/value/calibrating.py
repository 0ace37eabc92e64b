"""Correcting forecasts by how such forecasts did before: where people buy more evenly than at random, or a season lifts
everybody, the model's probabilities are all too high or too low, and in the same way from one stretch to the next.

The correction is a line on the scale of log odds (Platt 1999): two numbers, so that few customers suffice and the order
of customers stays as it was."""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

from .purchases import Floats

# Probabilities nearer to 0 and 1 than this are taken to be as near: log odds of them are infinite.
NEAREST = 1e-6
LEAST_SLOPE = 0.05
_STEPS, _CLOSE = 50, 1e-10


@dataclass(frozen=True, slots=True)
class Correction:
    """Log odds of what comes are `intercept` plus `slope` times those that were foretold; 0 and 1 change nothing.
    customers: how many it was learned from."""

    intercept: float
    slope: float
    customers: int

    def corrected(self, foretold: Floats) -> Floats:
        """Probabilities as they would have come true before."""
        return np.asarray(expit(self.intercept + self.slope * _log_odds(foretold)))


def correction(*, foretold: Floats, came: Floats) -> Correction | None:
    """The most likely correction of some forecasts, came: 1 where it came true and 0 where not. None where the
    forecasts told nothing of what came, or its opposite."""
    odds = _log_odds(foretold)
    if not len(odds) or not np.ptp(odds) or not np.ptp(came):
        return None
    place = np.array([0.0, 1.0])
    for _ in range(_STEPS):
        now = expit(place[0] + place[1] * odds)
        weight = now * (1 - now)
        missed = came - now
        slope = np.array([missed.sum(), missed @ odds])
        curve = np.array([[weight.sum(), weight @ odds], [weight @ odds, weight @ (odds * odds)]])
        try:
            step = np.linalg.solve(curve, slope)
        except np.linalg.LinAlgError:
            return None
        # Far from the top a whole step may overshoot it; the sum is concave, so a bounded one arrives as well.
        place = place + step * min(1.0, 2.0 / max(float(np.abs(step).max()), 1e-300))
        if not np.isfinite(place).all():
            return None
        if float(np.abs(step).max()) < _CLOSE:
            break
    else:
        return None
    if place[1] < LEAST_SLOPE:
        return None
    return Correction(float(place[0]), float(place[1]), len(odds))


def _log_odds(probabilities: Floats) -> Floats:
    return np.asarray(logit(np.clip(probabilities, NEAREST, 1 - NEAREST)))
