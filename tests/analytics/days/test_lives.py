"""Histories in any order are laid end to end in order of customer and instant."""

import numpy as np
import pytest

from analytics.days.lives import Bought, Lives


@pytest.mark.parametrize("seed", range(5))
def test_rows_in_any_order_are_laid_in_order(seed: int) -> None:
    chance = np.random.default_rng(seed)
    customer, at = chance.integers(1, 6, 40), chance.permutation(40).astype(np.int64)
    lives = Lives.of(customer, at, customer * 10)
    expected = sorted(zip(customer.tolist(), at.tolist(), strict=True))
    assert list(zip(lives.customer.tolist(), lives.at.tolist(), strict=True)) == expected
    assert lives.stage.tolist() == [one * 10 for one, _at in expected]
    assert lives.ids.tolist() == sorted(set(customer.tolist()))
    sold = Bought.of(customer, at, at, at, at > 3)
    assert list(zip(sold.customer.tolist(), sold.amount.tolist(), strict=True)) == expected


def test_a_later_run_of_the_same_customers_is_woven_in() -> None:
    lives = Lives.of(np.array([1, 2, 1, 2]), np.array([5, 6, 1, 9]), np.array([1, 2, 3, 4]))
    assert (lives.customer.tolist(), lives.at.tolist()) == ([1, 1, 2, 2], [1, 5, 6, 9])
    assert lives.stage_at(5).tolist() == [1, 0]
