"""Classes of recency, frequency and worth: ties together, no class made out of nothing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from analytics.value.rfm import thresholds


def test_fifths_of_different_values_are_fifths() -> None:
    found = thresholds(np.arange(1, 101))
    assert found is not None
    assert found.upper == (20, 40, 60, 80)
    assert found.numbers == (1, 2, 3, 4, 5)
    assert found.shared is None
    assert np.bincount(found.classes(np.arange(1, 101)))[1:].tolist() == [20] * 5
    assert found.bounds(1) == (None, 20)
    assert found.bounds(3) == (40, 60)
    assert found.bounds(5) == (80, None)


def test_of_days_since_the_last_order_the_fewest_are_the_best() -> None:
    found = thresholds(np.arange(100), descending=True)
    assert found is not None
    assert found.classes(np.array([0, 99])).tolist() == [5, 1]


def test_many_with_the_same_value_share_a_class_and_it_is_said() -> None:
    orders = np.array([1] * 70 + [2] * 20 + [3] * 7 + [9] * 3)
    found = thresholds(orders)
    assert found is not None
    assert found.shared == 0.7
    assert found.most_common == 1
    classes = found.classes(orders)
    assert len(set(classes[:70].tolist())) == 1
    assert len(found.numbers) == len(found.upper) + 1 < 5


@pytest.mark.parametrize("values", [[7], [7] * 50])
def test_equal_values_are_one_class_in_the_middle(values: list[int]) -> None:
    found = thresholds(np.array(values))
    assert found is not None
    assert found.upper == ()
    assert found.numbers == (3,)
    assert found.bounds(3) == (None, None)


def test_nobody_has_no_classes() -> None:
    assert thresholds(np.empty(0, np.int64)) is None


@pytest.mark.lasting("figures")
@given(values=some.lists(some.integers(-50, 50), min_size=1, max_size=80), descending=some.booleans())
def test_a_higher_value_is_never_in_a_lower_class_and_every_class_is_its_bounds(
    values: list[int], descending: bool
) -> None:
    rows = np.array(values)
    found = thresholds(rows, descending=descending)
    assert found is not None
    ordered = np.sort(rows)
    steps = np.diff(found.classes(ordered))
    assert ((steps <= 0) if descending else (steps >= 0)).all()
    classes = found.classes(rows)
    assert set(classes.tolist()) <= {1, 2, 3, 4, 5}
    assert len(set(found.numbers)) == len(found.numbers)
    for number in found.numbers:
        low, high = found.bounds(number)
        inside = (rows > (low if low is not None else -(10**9))) & (rows <= (high if high is not None else 10**9))
        assert inside.any()
        assert (inside == (classes == number)).all()
