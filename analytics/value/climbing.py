"""Finding the parameters under which what was observed is most likely, and how sure they are.

All parameters are positive and are searched on the scale of their logarithms by L-BFGS-B with exact gradients; where
that gives up, Nelder and Mead's search, which needs none, goes on from the best point seen. Standard errors come from
the curvature at the top: central differences of the gradient."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from .purchases import Floats

# The logarithm of a parameter stays within these: a likelihood that goes on rising towards 0 or infinity (no customer
# is ever lost, say) ends at a border instead of in an overflow.
BORDER = math.log(1e6)
_STEP = 1e-4

LogLikelihood = Callable[[Floats], tuple[float, Floats]]


@dataclass(frozen=True, slots=True)
class Parameter:
    """An estimated parameter and its standard error, None where the curvature does not tell."""

    name: str
    value: float
    error: float | None


@dataclass(frozen=True, slots=True)
class Climbed:
    """The top. converged: the search says that it arrived; at_border: names of parameters that ran to the border."""

    parameters: tuple[Parameter, ...]
    log_likelihood: float
    converged: bool
    at_border: tuple[str, ...]

    @property
    def values(self) -> tuple[float, ...]:
        return tuple(one.value for one in self.parameters)


def climb(
    log_likelihood: LogLikelihood, *, names: Sequence[str], weight: float, start: Sequence[float] | None = None
) -> Climbed:
    """The most likely parameters. log_likelihood: from parameters to the sum over customers and its gradient; weight:
    how many customers that sum is over, so that the search stops equally near the top for few and for many; start:
    where to begin, 1 for each unless given."""
    begin = np.log(np.ones(len(names)) if start is None else np.asarray(start, np.float64))

    def cost(place: Floats) -> tuple[float, Floats]:
        values = np.exp(place)
        height, slope = log_likelihood(values)
        if not math.isfinite(height):
            return 1e300, np.zeros_like(place)
        return -height / weight, -slope * values / weight

    bounds = [(-BORDER, BORDER)] * len(names)
    options = {"ftol": 1e-13, "gtol": 1e-9, "maxiter": 1000, "maxfun": 5000}
    found = minimize(cost, begin, jac=True, method="L-BFGS-B", bounds=bounds, options=options)
    place, arrived = np.asarray(found.x, np.float64), bool(found.success)
    if not arrived or found.fun >= 1e300:
        further = minimize(
            lambda one: cost(one)[0],
            place,
            method="Nelder-Mead",
            bounds=bounds,
            options={"xatol": 1e-8, "fatol": 1e-13, "maxiter": 20_000, "maxfev": 20_000},
        )
        if further.fun <= found.fun:
            place, arrived = np.asarray(further.x, np.float64), bool(further.success) and further.fun < 1e300
    values = np.exp(place)
    height, _slope = log_likelihood(values)
    errors = _errors(log_likelihood, values)
    border = tuple(name for name, one in zip(names, place, strict=True) if abs(one) > BORDER - 1e-6)
    return Climbed(
        tuple(Parameter(name, float(value), error) for name, value, error in zip(names, values, errors, strict=True)),
        float(height),
        arrived and math.isfinite(height),
        border,
    )


def _errors(log_likelihood: LogLikelihood, values: Floats) -> list[float | None]:
    """Square roots of the diagonal of the inverted curvature; None for all where it is not that of a top."""
    curvature = np.empty((len(values), len(values)))
    for place, value in enumerate(values):
        step = np.zeros_like(values)
        step[place] = _STEP * value
        above, below = log_likelihood(values + step)[1], log_likelihood(values - step)[1]
        curvature[place] = (above - below) / (2 * _STEP * value)
    curvature = -(curvature + curvature.T) / 2
    nothing: list[float | None] = [None] * len(values)
    if not np.isfinite(curvature).all():
        return nothing
    # Parameters differ by orders of magnitude: on the scale of each parameter the matrix is well conditioned.
    scaled = curvature * np.outer(values, values)
    try:
        np.linalg.cholesky(scaled)
    except np.linalg.LinAlgError:
        return nothing
    variances = np.diag(np.linalg.inv(scaled)) * values**2
    return [float(math.sqrt(one)) if one > 0 and math.isfinite(one) else None for one in variances]
