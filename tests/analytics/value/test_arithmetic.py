"""The arithmetic of value, and how sure a rate is, against published numbers."""

from fractions import Fraction

import pytest

from analytics.intervals import wilson
from analytics.value.arithmetic import clv, lifespan, margin, per


def test_clv_of_the_source_is_two_thousand() -> None:
    assert clv(aov=100, orders_per_customer=5, lifespan=4) == 2000


def test_a_churn_of_a_quarter_is_a_life_of_four_periods() -> None:
    assert lifespan(Fraction(1, 4)) == 4


@pytest.mark.parametrize("churn", [None, Fraction(0)])
def test_without_churn_there_is_no_lifespan(churn: Fraction | None) -> None:
    assert lifespan(churn) is None


def test_nothing_is_divided_by_nobody() -> None:
    assert per(100, 0) is None
    assert per(0, 3) == 0


def test_margin_is_all_of_revenue_until_it_is_set() -> None:
    assert margin(2000, None) == 2000
    assert margin(2000, Fraction(35)) == 700


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_intervals_are_the_published_ones(successes: int, trials: int, low: float, high: float) -> None:
    interval = wilson(successes, trials)
    assert interval is not None
    assert interval == pytest.approx((low, high), abs=5e-5)


def test_wilson_of_nothing_is_nothing() -> None:
    assert wilson(0, 0) is None
    assert wilson(20, 20) == pytest.approx((1 - 0.1611, 1), abs=5e-5)
