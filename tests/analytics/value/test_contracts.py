"""Contracts renewed period by period, against the published tables of 1,000 customers over twelve years."""

import numpy as np
import pytest

from analytics.value.contracts import (
    Lasting,
    clv_of_textbooks,
    expected_lifetime,
    fit_bdw,
    fit_sbg,
    margin_multiple,
    of_one_cohort,
)

HIGH_END = (1000, 869, 743, 653, 593, 551, 517, 491, 468, 445, 427, 409, 394)
REGULAR = (1000, 631, 468, 382, 326, 289, 262, 241, 223, 207, 194, 183, 173)


def sbg(survivors: tuple[int, ...], renewals: int) -> tuple[Lasting, float]:
    found = fit_sbg(of_one_cohort(survivors[: renewals + 1]))
    assert found.converged
    return Lasting(*found.values), found.log_likelihood


@pytest.mark.parametrize(
    ("survivors", "renewals", "a", "b", "log_likelihood"),
    [
        (HIGH_END, 7, 0.6681, 3.8061, -1611.1581),
        (REGULAR, 7, 0.7041, 1.1820, -1680.2652),
        (HIGH_END, 4, 1.2810, 7.7904, -1225.1349),
        (REGULAR, 4, 0.7637, 1.2958, -1401.5594),
    ],
)
def test_sbg_finds_the_published_parameters(
    survivors: tuple[int, ...], renewals: int, a: float, b: float, log_likelihood: float
) -> None:
    model, height = sbg(survivors, renewals)
    assert (model.a, model.b) == pytest.approx((a, b), abs=6e-5)
    assert height == pytest.approx(log_likelihood, abs=6e-5)


@pytest.mark.parametrize(
    ("survivors", "percent"),
    [
        (HIGH_END, [85.1, 74.7, 67.0, 61.0, 56.2, 52.2, 48.9, 46.0, 43.6, 41.4, 39.5, 37.8]),
        (REGULAR, [62.7, 47.4, 38.8, 33.2, 29.2, 26.2, 23.9, 22.0, 20.4, 19.1, 18.0, 17.0]),
    ],
)
def test_sbg_foretells_twelve_years_from_seven(survivors: tuple[int, ...], percent: list[float]) -> None:
    model, _height = sbg(survivors, 7)
    assert (100 * model.surviving(range(1, 13))).tolist() == pytest.approx(percent, abs=0.051)


def test_renewing_gets_likelier_because_the_fickle_are_gone() -> None:
    model, _height = sbg(REGULAR, 7)
    rates = [model.renewing(period) for period in range(1, 8)]
    assert rates == pytest.approx([0.627, 0.756, 0.819, 0.856, 0.880, 0.898, 0.911], abs=6e-4)


def test_bdw_finds_the_published_parameters_and_sees_further() -> None:
    found = fit_bdw(of_one_cohort(HIGH_END[:5]))
    assert found.values == pytest.approx((0.2593, 1.7226, 1.5844), abs=6e-5)
    assert found.log_likelihood == pytest.approx(-1222.7493, abs=6e-5)
    assert 100 * Lasting(*found.values).surviving([12])[0] == pytest.approx(38.9, abs=0.051)
    assert 100 * sbg(HIGH_END, 4)[0].surviving([12])[0] == pytest.approx(30.7, abs=0.051)


def test_discounted_lifetimes_are_the_published_ones() -> None:
    high, regular = sbg(HIGH_END, 4)[0], sbg(REGULAR, 4)[0]
    assert (high.lifetime(0.10), regular.lifetime(0.10)) == pytest.approx((5.464, 3.621), abs=6e-4)
    for survivors, lifetime in ((HIGH_END, 5.994), (REGULAR, 3.692)):
        found = fit_bdw(of_one_cohort(survivors[:5]))
        assert Lasting(*found.values).lifetime(0.10) == pytest.approx(lifetime, abs=6e-4)


def test_what_is_still_to_come_is_the_rest_of_the_whole() -> None:
    model = Lasting(0.7, 1.2)
    ahead = np.arange(1, 37)
    rest = model.surviving(3 + ahead) / model.surviving([3])
    assert model.further_payments(3, 36, 0.0) == pytest.approx(float(rest.sum()))
    assert model.further_payments(3, 36, 0.01) < model.further_payments(3, 36, 0.0)
    assert model.further_payments(9, 12, 0.0) > model.further_payments(0, 12, 0.0)


def test_three_formulae_are_called_clv() -> None:
    assert clv_of_textbooks(1, 0.8, 0.1) == pytest.approx((3.6667, 2.6667, 3.3333), abs=5e-5)


@pytest.mark.parametrize(
    ("retention", "multiples"),
    [
        (0.6, (1.20, 1.15, 1.11, 1.07)),
        (0.7, (1.75, 1.67, 1.59, 1.52)),
        (0.8, (2.67, 2.50, 2.35, 2.22)),
        (0.9, (4.50, 4.09, 3.75, 3.46)),
    ],
)
def test_margin_multiples_are_the_published_ones(retention: float, multiples: tuple[float, ...]) -> None:
    found = [margin_multiple(retention, rate) for rate in (0.10, 0.12, 0.14, 0.16)]
    assert found == pytest.approx(multiples, abs=5.1e-3)


def test_a_retention_of_one_has_no_end() -> None:
    assert expected_lifetime(0.75) == 4
    with pytest.raises(ValueError, match="no end"):
        expected_lifetime(1.0)
