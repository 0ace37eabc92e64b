"""Sums over the customers of an experiment are exact, however large the amounts are."""

import numpy as np
import pytest

from analytics.days.assigned import dot


@pytest.mark.parametrize("size", [0, 1, 7, 5_000])
@pytest.mark.parametrize("most", [3, 10**6, 10**11, 10**14])
def test_products_are_summed_exactly(size: int, most: int) -> None:
    random = np.random.default_rng(size)
    one, other = (random.integers(-most, most, size, endpoint=True) for _ in range(2))
    for left, right in ((one, other), (one, one)):
        assert dot(left, right) == sum(int(a) * int(b) for a, b in zip(left, right, strict=True))
