"""The models find what the papers printed, to the digits that were printed, on the papers' own customers."""

import numpy as np
import pytest

from analytics.value.beta_geometric import BetaGeometric, fit_bg, fit_mbg
from analytics.value.climbing import Climbed
from analytics.value.fitting import cumulative_orders, fit, holdout
from analytics.value.gamma_gamma import GammaGamma, fit_gamma_gamma
from analytics.value.pareto import Pareto, fit_nbd, fit_pareto
from analytics.value.purchases import Purchases, alike, each_its_own

from . import cdnow

PRINTED = {
    "bg": (fit_bg, (0.242593, 4.413531, 0.792886, 2.425753), -9582.4256),
    "mbg": (fit_mbg, (0.524838, 6.182970, 0.891350, 1.613981), -9582.1327),
    "pareto": (fit_pareto, (0.553276, 10.577615, 0.606210, 11.667794), -9594.9739),
    "nbd": (fit_nbd, (0.384768, 12.072081), -9763.6602),
}


@pytest.fixture(scope="module")
def weeks() -> Purchases:
    return cdnow.summary_in_weeks()


@pytest.fixture(scope="module")
def bg(weeks: Purchases) -> BetaGeometric:
    return BetaGeometric(*fit_bg(weeks).values, first_chance=0)


@pytest.fixture(scope="module")
def mbg(weeks: Purchases) -> BetaGeometric:
    return BetaGeometric(*fit_mbg(weeks).values, first_chance=1)


@pytest.fixture(scope="module")
def pareto(weeks: Purchases) -> Pareto:
    return Pareto(*fit_pareto(weeks).values)


def assert_found(found: Climbed, values: tuple[float, ...], log_likelihood: float) -> None:
    """To the printed digits; the last of them may be rounded otherwise, since the top is flat."""
    assert found.converged
    assert found.values == pytest.approx(values, rel=2e-5)
    assert found.log_likelihood == pytest.approx(log_likelihood, abs=6e-5)


@pytest.mark.parametrize("model", sorted(PRINTED))
def test_the_papers_estimates_are_found(model: str, weeks: Purchases) -> None:
    climb, values, log_likelihood = PRINTED[model]
    assert_found(climb(weeks), values, log_likelihood)


def test_on_exact_days_the_estimates_are_those_of_exact_days() -> None:
    found = fit_bg(cdnow.in_exact_days().in_units_of(7))
    assert_found(found, (0.242594, 4.413594, 0.792918, 2.425889), -9582.4292)


def test_standard_errors_are_those_measured(weeks: Purchases) -> None:
    errors = [one.error for one in fit_bg(weeks).parameters]
    assert errors == pytest.approx([0.01256, 0.37822, 0.18572, 0.70535], abs=6e-6)


def test_putting_equal_histories_together_changes_no_digit() -> None:
    one_by_one = cdnow.in_exact_days()
    together = alike(one_by_one.repeats, one_by_one.last, one_by_one.age).purchases
    assert len(together.repeats) < len(one_by_one.repeats)
    assert (together.customers, together.repeaters) == (one_by_one.customers, one_by_one.repeaters) == (2357, 946)
    assert fit_bg(together).values == pytest.approx(fit_bg(one_by_one).values, rel=1e-6)


@pytest.mark.parametrize("start", [(0.05, 0.5, 0.05, 0.05), (8, 90, 8, 8), (0.05, 90, 8, 0.1), (5, 0.3, 0.1, 9)])
def test_the_same_top_is_found_from_far_away(start: tuple[float, ...], weeks: Purchases) -> None:
    _fit, values, log_likelihood = PRINTED["bg"]
    assert_found(fit_bg(weeks, start=start), values, log_likelihood)


def test_weeks_instead_of_days_would_move_the_estimates() -> None:
    """Why days are exact: a week's purchases together are fewer purchases."""
    customers, days = cdnow.sample_orders()
    first = {one: days[customers == one].min() for one in np.unique(customers)}
    begun = np.array([first[one] for one in customers])
    found = cdnow.counted(customer=customers, day=(days - begun) // 7 * 7 + begun, until=cdnow.CALIBRATED)
    rounded = fit_bg(each_its_own(found.repeats, found.last, found.age).in_units_of(7))
    assert rounded.values[0] > 0.26


def test_expected_purchases_of_somebody_new_are_the_published_ones(bg: BetaGeometric) -> None:
    times = np.array([0.1429, 1.0, 3.0, 31.8571, 32.0, 78.0])
    assert bg.orders_of_new(times) == pytest.approx([0.0078, 0.0532, 0.1506, 1.0405, 1.0437, 1.8580], abs=5e-5)


def test_the_customer_every_text_speaks_of(bg: BetaGeometric, mbg: BetaGeometric, pareto: Pareto) -> None:
    somebody = each_its_own([2], [30.43], [38.86])
    for model, orders, alive in ((bg, 1.2259, 0.7266), (mbg, 1.2627, 0.7061), (pareto, 1.4551, 0.8691)):
        assert model.orders(somebody, 39.0) == pytest.approx([orders], abs=6e-5)
        assert model.alive(somebody) == pytest.approx([alive], abs=6e-5)


def test_pareto_tells_the_silent_from_the_faithful(pareto: Pareto) -> None:
    assert pareto.alive(each_its_own([0, 23], [0, 39], [39, 39])) == pytest.approx([0.2943, 1.0], abs=6e-5)
    assert pareto.orders_of_new(np.array([52.0])) == pytest.approx([1.4734], abs=6e-5)
    best = each_its_own([26], [30.86], [31])
    assert pareto.orders(best, 52.0) == pytest.approx([25.4565], abs=6e-5)
    assert pareto.alive(best) == pytest.approx([0.99792], abs=6e-6)


def test_bg_believes_every_one_time_buyer_and_the_others_do_not(
    weeks: Purchases, bg: BetaGeometric, mbg: BetaGeometric, pareto: Pareto
) -> None:
    once = weeks.repeats == 0
    assert (bg.alive(weeks)[once] == 1).all()
    means = [float(model.alive(weeks).mean()) for model in (bg, pareto, mbg)]
    assert means == pytest.approx([0.8134, 0.4463, 0.4487], abs=6e-5)


def test_what_orders_are_worth_is_the_published_model() -> None:
    repeats, mean, spent = cdnow.repeat_spending()
    assert len(spent.mean) == 946
    assert float(spent.mean.mean()) == pytest.approx(35.08, abs=5e-3)
    assert spent.correlation == pytest.approx(0.1139, abs=6e-5)
    found = fit_gamma_gamma(spent)
    assert_found(found, (6.248727, 3.744598, 15.447977), -4055.9232)
    assert [one.error for one in found.parameters] == pytest.approx([1.189, 0.290, 4.159], abs=1e-3)
    model = GammaGamma(*found.values)
    assert model.population_mean == pytest.approx(35.1710, abs=6e-5)
    first = [24.6586, 18.9115, 35.1710, 35.1710, 35.1710, 71.4628, 18.9115, 35.1710, 27.2824, 35.1710]
    assert model.order_values(repeats, mean)[:10] == pytest.approx(first, abs=2e-4)


def test_the_second_half_of_the_data_is_foretold_as_measured() -> None:
    known = cdnow.sample()
    purchases = each_its_own(known.repeats, known.last, known.age)
    later = cdnow.sample(cdnow.ENDED)
    came = int(later.repeats.sum() - known.repeats.sum())
    assert came == 1882
    foretold = {}
    for key in ("bg", "mbg", "pareto"):
        model = fit(key, purchases).model
        assert model is not None
        foretold[key] = holdout(model, purchases, days=cdnow.ENDED - cdnow.CALIBRATED, came=came)
    assert {key: round(one.foretold, 1) for key, one in foretold.items()} == {
        "bg": 1653.4,
        "mbg": 1576.7,
        "pareto": 1665.5,
    }
    assert foretold["bg"].error == pytest.approx(-0.121, abs=5e-4)


def test_the_tracking_plot_runs_as_measured(weeks: Purchases) -> None:
    """By the parameters that the papers' own rounded weeks give."""
    begun = cdnow.sample().first
    ends = np.array([int(begun.min()) + 7 * week - 1 for week in (39, 52, 65, 78)])
    actual = [int(cdnow.sample(int(end)).repeats.sum()) for end in ends]
    assert actual == [2457, 3183, 3844, 4339]
    r, alpha, a, b = fit_bg(weeks).values
    expected = cumulative_orders(BetaGeometric(r, 7 * alpha, a, b, first_chance=0), first=begun, days=ends)
    assert expected.round(1).tolist() == [2494.0, 3127.7, 3675.0, 4160.6]
    r, alpha, s, beta = fit_pareto(weeks).values
    expected = cumulative_orders(Pareto(r, 7 * alpha, s, 7 * beta), first=begun, days=ends)
    assert expected.round(1).tolist() == [2524.9, 3184.4, 3758.0, 4270.1]
