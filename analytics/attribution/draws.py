"""Customers drawn again and again, for intervals: the bootstrap by customer, in the form that can be summed. In each
draw a customer counts 0, 1, 2, ... times by a Poisson distribution of mean 1, which is what drawing as many customers
with replacement comes to. How often is a function of the customer's id and the draw alone: the same customers give the
same interval, and one whose history changed is taken off exactly as it was added."""

from math import exp, factorial

import numpy as np
import numpy.typing as npt

from .paths import Int64s

DRAWS = 400
LEAST_CUSTOMERS = 10  # below which drawing them again says nothing
_SEED = 0x9E3779B97F4A7C15
# Below which of 2^53 equal parts a customer counts 0, 1, 2, ... times.
_BORDERS = np.array(
    [int(sum(exp(-1) / factorial(n) for n in range(times + 1)) * 2**53) for times in range(17)], np.int64
)


def drawn(customer: Int64s) -> npt.NDArray[np.int64]:
    """How often each customer counts in each draw: (customers, DRAWS)."""
    # Whole numbers of 64 bits that wrap around, mixed by splitmix64.
    z = customer.astype(np.uint64)[:, None] * np.uint64(DRAWS) + np.arange(DRAWS, dtype=np.uint64)[None, :]
    z = (z + np.uint64(1)) * np.uint64(_SEED)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z ^= z >> np.uint64(31)
    return np.searchsorted(_BORDERS, (z >> np.uint64(11)).astype(np.int64), side="right")


def interval(drawn_customers: npt.ArrayLike, drawn_value: npt.ArrayLike) -> tuple[float, float] | None:
    """The middle 95 % of the means that the draws have, those that hold nobody left out; None where all of them do."""
    counts, values = np.asarray(drawn_customers, np.float64), np.asarray(drawn_value, np.float64)
    told = counts > 0
    if not told.any():
        return None
    low, high = np.quantile(values[told] / counts[told], (0.025, 0.975))
    return float(low), float(high)
