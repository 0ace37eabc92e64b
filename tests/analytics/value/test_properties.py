"""What must hold of the models whatever the data: what was put in is found again, and what should change nothing does
not."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from analytics.value.beta_geometric import BetaGeometric, fit_bg, fit_mbg
from analytics.value.climbing import Climbed
from analytics.value.discounting import daily_rate, present_values
from analytics.value.fitting import Verdict, fit, holdout
from analytics.value.gamma_gamma import GammaGamma, fit_gamma_gamma, spending
from analytics.value.pareto import Pareto, fit_pareto
from analytics.value.purchases import Purchases, alike, counted, each_its_own
from bench.buyers import TRUE, buyers

CDNOW_BG = BetaGeometric(0.2426, 30.9, 0.793, 2.426, 0)
CDNOW_MBG = BetaGeometric(0.5248, 43.3, 0.891, 1.614, 1)
CDNOW_PARETO = Pareto(0.5533, 74.0, 0.6062, 81.7)
MODELS = {"bg": CDNOW_BG, "mbg": CDNOW_MBG, "pareto": CDNOW_PARETO}
HORIZONS = (365.25, 730.5, 1095.75)


def distances(found: Climbed, true: tuple[float, ...]) -> list[float]:
    """How many standard errors each parameter is off."""
    errors = [one.error for one in found.parameters]
    assert all(errors)
    return [abs(one.value - value) / (one.error or 1) for one, value in zip(found.parameters, true, strict=True)]


@pytest.mark.parametrize(("first_chance", "climb"), [(0, fit_bg), (1, fit_mbg)])
def test_the_parameters_of_simulated_buyers_are_found_within_three_errors(first_chance: int, climb) -> None:
    made = buyers(300_000, seed=3, ages=(180.0, 420.0), first_chance=first_chance)
    found = climb(each_its_own(made.repeats, made.last, made.age))
    assert found.converged
    assert max(distances(found, TRUE)) < 3


def test_the_parameters_of_simulated_pareto_buyers_are_found_within_three_errors() -> None:
    random = np.random.default_rng(3)
    number, true = 20_000, (0.8, 40.0, 0.6, 80.0)
    rate, leaving = random.gamma(true[0], 1 / true[1], number), random.gamma(true[2], 1 / true[3], number)
    age = random.uniform(180.0, 420.0, number)
    here = np.minimum(age, random.exponential(size=number) / leaving)
    repeats = random.poisson(rate * here)
    # The last of k instants at random in [0, h) is h times the k-th root of one at random.
    last = np.where(repeats > 0, here * random.random(number) ** (1 / np.maximum(repeats, 1)), 0.0)
    found = fit_pareto(each_its_own(repeats, last, age))
    assert found.converged
    assert max(distances(found, true)) < 3


def test_the_parameters_of_simulated_order_values_are_found_within_three_errors() -> None:
    random = np.random.default_rng(5)
    number, true = 40_000, (6.25, 3.74, 1544.0)
    repeats = random.integers(1, 9, number)
    scale = random.gamma(true[1], 1 / true[2], number)
    mean = random.gamma(true[0] * repeats) / (repeats * scale)
    found = fit_gamma_gamma(spending(repeats, mean))
    assert found.converged
    assert max(distances(found, true)) < 3


def histories() -> Purchases:
    repeats = np.array([0, 0, 0, 1, 1, 3, 3, 12, 80, 400])
    last = np.array([0, 0, 0, 5, 300, 200, 10, 350, 364, 365])
    age = np.array([0, 30, 365, 365, 301, 365, 365, 360, 365, 366])
    return each_its_own(repeats, last, age)


@pytest.mark.parametrize("model", sorted(MODELS))
def test_a_slope_is_what_the_height_changes_by(model: str) -> None:
    from analytics.value import beta_geometric, pareto

    made = {
        "bg": lambda: beta_geometric._Observed(histories(), 0),
        "mbg": lambda: beta_geometric._Observed(histories(), 1),
        "pareto": lambda: pareto._Observed(histories()),
    }[model]()
    values = np.array([0.6, 35.0, 0.7, 2.2] if model != "pareto" else [0.6, 35.0, 0.7, 60.0])
    _height, slope = made.log_likelihood(values)
    for place in range(4):
        step = np.zeros(4)
        step[place] = 1e-5 * values[place]
        above, below = made.log_likelihood(values + step)[0], made.log_likelihood(values - step)[0]
        assert slope[place] == pytest.approx((above - below) / (2 * step[place]), rel=2e-5, abs=1e-6)


@pytest.mark.parametrize("model", sorted(MODELS))
def test_silence_makes_being_alive_less_likely(model: str) -> None:
    silent = each_its_own([2] * 200, [100.0] * 200, 100.0 + 5.0 * np.arange(200))
    alive = MODELS[model].alive(silent)
    assert (np.diff(alive) < 0).all()
    assert ((alive > 0) & (alive < 1)).sum() >= 199


@pytest.mark.parametrize("model", sorted(MODELS))
def test_everything_foretold_is_a_number_and_grows_with_time(model: str) -> None:
    streams = MODELS[model].discounted_orders(histories(), horizons=HORIZONS, rate=daily_rate())
    plain = MODELS[model].discounted_orders(histories(), horizons=HORIZONS, rate=0.0)
    for some_years, undiscounted in zip(streams, plain, strict=True):
        assert np.isfinite(some_years).all()
        assert (some_years <= undiscounted).all()
        assert (some_years > 0.7 * undiscounted).all()
    assert all((later >= earlier).all() for earlier, later in pairwise(plain))


@pytest.mark.parametrize("model", sorted(MODELS))
def test_without_discounting_the_present_value_is_the_plain_sum(model: str) -> None:
    found = MODELS[model].discounted_orders(histories(), horizons=HORIZONS, rate=0.0)
    for days, plain in zip(HORIZONS, found, strict=True):
        assert plain == pytest.approx(MODELS[model].orders(histories(), days), rel=1e-9)


def test_a_steady_stream_is_discounted_as_the_formula_says() -> None:
    rate = daily_rate(0.10)
    one_a_day = present_values(lambda days: np.array([days]), horizons=HORIZONS, rate=rate)
    for days, found in zip(HORIZONS, one_a_day, strict=True):
        assert found[0] == pytest.approx((1 - np.exp(-rate * days)) / rate, rel=1e-10)
    assert np.exp(-rate * 365.25) == pytest.approx(1 / 1.1)


@pytest.mark.parametrize("a", [0.9999, 1.0, 1.0001])
def test_where_the_textbook_formula_divides_nothing_by_nothing_the_answer_is_smooth(a: float) -> None:
    found = BetaGeometric(0.25, 30.0, a, 2.4, 1).orders(histories(), 365.0)
    near = BetaGeometric(0.25, 30.0, 0.99, 2.4, 1).orders(histories(), 365.0)
    assert np.isfinite(found).all()
    assert found == pytest.approx(near, rel=0.02)


@pytest.mark.parametrize("first_chance", [0, 1])
def test_what_is_foretold_comes(first_chance: int) -> None:
    made = buyers(100_000, seed=11, ages=(400.0, 760.0), first_chance=first_chance)
    # What was known 200 days before the end: later purchases are not looked at, so only those who had none since count.
    model = BetaGeometric(*TRUE, first_chance=first_chance)
    expected = model.orders_of_new(made.age)
    assert float(expected.sum()) == pytest.approx(float(made.repeats.sum()), rel=0.02)


def test_foretelling_somebody_unknown_is_foretelling_anybody() -> None:
    """Somebody seen for no time at all is somebody new."""
    new = each_its_own([0], [0], [0])
    for model in MODELS.values():
        assert model.orders(new, 365.0) == pytest.approx(model.orders_of_new(np.array([365.0])), rel=1e-9)


def test_the_unit_of_time_changes_nothing_but_the_unit() -> None:
    made = buyers(5_000, seed=2, ages=(200.0, 400.0))
    days = each_its_own(made.repeats, made.last, made.age)
    in_days, in_weeks = fit_bg(days), fit_bg(days.in_units_of(7))
    assert in_days.values[0] == pytest.approx(in_weeks.values[0], rel=1e-4)
    assert in_days.values[1] == pytest.approx(7 * in_weeks.values[1], rel=1e-4)


ORDERS = some.lists(some.tuples(some.integers(1, 6), some.integers(0, 400)), min_size=1, max_size=40)


@pytest.mark.lasting("figures")
@given(orders=ORDERS, weeks=some.integers(1, 60), until=some.integers(0, 420))
def test_moving_all_times_moves_nothing_but_the_days(orders: list[tuple[int, int]], weeks: int, until: int) -> None:
    customer, day = (np.array(one, np.int64) for one in zip(*orders, strict=True))
    then, later = (counted(customer=customer, day=day + add, until=until + add) for add in (0, 7 * weeks))
    assert (later.first - 7 * weeks).tolist() == then.first.tolist()
    for name in ("customer", "repeats", "last", "age"):
        assert getattr(then, name).tolist() == getattr(later, name).tolist()


@pytest.mark.lasting("figures")
@given(orders=ORDERS, data=some.data())
def test_splitting_an_order_of_a_day_in_two_changes_no_history(orders: list[tuple[int, int]], data) -> None:
    again = data.draw(some.sampled_from(orders))
    whole, split = (
        counted(
            customer=np.array([one for one, _day in rows], np.int64),
            day=np.array([day for _one, day in rows], np.int64),
            until=400,
        )
        for rows in (orders, [*orders, again])
    )
    for name in ("customer", "first", "repeats", "last", "age"):
        assert getattr(whole, name).tolist() == getattr(split, name).tolist()


@pytest.mark.lasting("figures")
@given(orders=ORDERS, until=some.integers(0, 400))
def test_histories_are_what_counting_by_hand_says(orders: list[tuple[int, int]], until: int) -> None:
    found = counted(
        customer=np.array([one for one, _day in orders], np.int64),
        day=np.array([day for _one, day in orders], np.int64),
        until=until,
    )
    by_hand = {}
    for one in sorted({customer for customer, day in orders if day <= until}):
        days = sorted({day for customer, day in orders if customer == one and day <= until})
        by_hand[one] = (days[0], len(days) - 1, days[-1] - days[0], until - days[0])
    columns = zip(found.customer, found.first, found.repeats, found.last, found.age, strict=True)
    assert {int(row[0]): tuple(int(each) for each in row[1:]) for row in columns} == by_hand


@pytest.mark.lasting("figures")
@given(repeats=some.lists(some.integers(1, 9), min_size=3, max_size=30), factor=some.sampled_from([0.01, 1.0, 137.5]))
def test_another_currency_scales_what_orders_are_worth_and_nothing_else(repeats: list[int], factor: float) -> None:
    often = np.array(repeats)
    mean = 10.0 + np.arange(len(often)) % 7
    model, scaled = GammaGamma(6.0, 3.5, 15.0), GammaGamma(6.0, 3.5, 15.0 * factor)
    assert scaled.order_values(often, mean * factor) == pytest.approx(model.order_values(often, mean) * factor)


def test_relabelling_the_currency_scales_the_fit() -> None:
    random = np.random.default_rng(1)
    repeats = random.integers(1, 6, 500)
    mean = random.gamma(6.25 * repeats) / (repeats * random.gamma(3.74, 1 / 15.44, 500))
    cents, units = (fit_gamma_gamma(spending(repeats, mean * factor)) for factor in (100.0, 1.0))
    assert cents.values[:2] == pytest.approx(units.values[:2], rel=1e-5)
    assert cents.values[2] == pytest.approx(100 * units.values[2], rel=1e-5)


def test_a_population_that_is_never_lost_is_called_that() -> None:
    random = np.random.default_rng(4)
    number = 3_000
    age = random.uniform(200.0, 400.0, number)
    repeats = random.poisson(random.gamma(0.8, 1 / 40.0, number) * age)
    last = np.where(repeats > 0, age * random.random(number) ** (1 / np.maximum(repeats, 1)), 0.0)
    steady = each_its_own(repeats, last, age)
    for key in ("bg", "mbg", "pareto"):
        found = fit(key, steady)
        assert found.verdict == Verdict.DROPOUT_NOT_IDENTIFIED, key
        assert not found.tells_alive
        assert found.model is not None
        assert np.isfinite(found.model.orders(steady, 365.0)).all()


@pytest.mark.parametrize("key", ["bg", "mbg", "pareto"])
@pytest.mark.parametrize(
    "rows",
    [
        ([], [], []),
        ([0], [0], [10]),
        ([3], [5], [10]),
        ([0] * 500, [0] * 500, [10] * 500),
        ([1] * 49 + [0] * 500, [3] * 49 + [0] * 500, [10] * 549),
    ],
    ids=["nobody", "one customer", "one repeater", "no repeaters", "49 repeaters"],
)
def test_too_few_repeat_buyers_are_refused(key: str, rows: tuple[list[int], list[int], list[int]]) -> None:
    found = fit(key, alike(*rows).purchases)
    assert found.verdict == Verdict.NOT_ENOUGH_DATA
    assert found.model is None
    assert found.customers == len(rows[0])


@pytest.mark.parametrize("key", ["bg", "mbg", "pareto"])
def test_customers_who_are_all_alike_end_in_a_verdict_and_in_numbers(key: str) -> None:
    same = alike([2] * 200, [30] * 200, [60] * 200).purchases
    found = fit(key, same)
    assert found.verdict in set(Verdict)
    if found.model is not None:
        assert np.isfinite(found.model.orders(same, 365.0)).all()
        assert np.isfinite(found.model.alive(same)).all()


def test_what_never_came_has_no_error_in_percent() -> None:
    once = each_its_own([0] * 3, [0] * 3, [10] * 3)
    assert holdout(CDNOW_MBG, once, days=30, came=0).error is None


def test_spending_of_nobody_and_of_those_who_all_spend_alike_has_no_correlation() -> None:
    nothing = spending(np.zeros(4, np.int64), np.zeros(4))
    assert len(nothing.mean) == 0
    assert nothing.correlation is None
    assert spending(np.array([1, 2, 3]), np.full(3, 9.0)).correlation is None
    assert spending(np.array([1, 2, 3]), np.array([9.0, -4.0, 0.0])).mean.tolist() == [9.0]
    assert GammaGamma(6.0, 0.9, 15.0).population_mean is None
