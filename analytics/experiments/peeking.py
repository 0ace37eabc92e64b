"""Looking as often as one likes: the mixture sequential probability ratio test (Robbins 1970; Johari et al. 2017).

A fixed-horizon test that is looked at every day raises a false alarm far more often than it says. This one never does:
its p value and its interval hold at all looks together. tau, the size of the differences that are mixed over, is stated
before the start, in the unit of the difference; it decides how soon which differences are found, never how often a
false alarm is raised."""

from math import exp, log, sqrt

from .comparing import NO_SPREAD, Estimate


def always_valid(
    *, difference: float | None, error: float | None, tau: float, alpha: float = 0.05
) -> tuple[float | None, Estimate]:
    """The p value and the interval of a difference with this standard error, valid at any look. tau above zero."""
    if tau <= 0:
        raise ValueError("tau is above zero")
    if difference is None or not error:
        return None, Estimate(difference, reason=NO_SPREAD)
    variance, mixed = error * error, tau * tau
    grown = variance + mixed
    # The logarithm: the ratio itself leaves what a float can hold.
    ratio = log(variance / grown) / 2 + mixed * difference * difference / (2 * variance * grown)
    half = sqrt(variance * grown / mixed * (2 * log(1 / alpha) + log(grown / variance)))
    return (1.0 if ratio <= 0 else exp(-ratio)), Estimate(difference, difference - half, difference + half)
