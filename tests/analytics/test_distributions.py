"""Our probabilities against SciPy's, over everything that intervals ask of them."""

import numpy as np
import pytest
from scipy import stats

from analytics.distributions import (
    chi_square_tail,
    normal_cdf,
    normal_quantile,
    student_quantile,
    student_two_sided,
    two_sided,
)

FREEDOMS = (1, 1.5, 2, 3, 7, 29, 29.9, 120, 1000, 19_998, 1e6, 1e9, 1e11)


@pytest.mark.parametrize("freedom", FREEDOMS)
def test_students_distribution_is_scipys(freedom: float) -> None:
    for t in (0.0, 1e-6, 0.3, 1.0, 1.96, 2.7, 5.0, 12.0, 40.0):
        assert student_two_sided(t, freedom) == pytest.approx(2 * stats.t.sf(t, freedom), rel=2e-7, abs=1e-12), t
        assert student_two_sided(-t, freedom) == student_two_sided(t, freedom)
    for probability in (0.5, 0.6, 0.9, 0.975, 0.995, 0.9999):
        assert student_quantile(probability, freedom) == pytest.approx(stats.t.ppf(probability, freedom), rel=1e-8)


@pytest.mark.parametrize("freedom", [1, 2, 3, 5, 20, 127, 1000])
def test_chi_square_is_scipys(freedom: int) -> None:
    for value in np.linspace(0, 6 * freedom + 40, 60):
        assert chi_square_tail(float(value), freedom) == pytest.approx(
            stats.chi2.sf(value, freedom), rel=1e-9, abs=1e-14
        )


def test_the_normal_distribution_is_scipys() -> None:
    for z in np.linspace(-8, 8, 41):
        assert normal_cdf(float(z)) == pytest.approx(stats.norm.cdf(z), rel=1e-9, abs=1e-15)
        assert two_sided(float(z)) == pytest.approx(2 * stats.norm.sf(abs(z)), rel=1e-11)
    assert normal_quantile(0.975) == pytest.approx(1.959963984540054, abs=1e-12)
