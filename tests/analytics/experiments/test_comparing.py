"""The statistics of experiments: published numbers, what must hold whatever the data, how often they cry wolf."""

import json
import math
import random
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from scipy import stats

from analytics.experiments.comparing import (
    NO_SPREAD,
    NOBODY,
    ONE,
    ZERO_CONTROL,
    Comparison,
    compare_means,
    compare_rates,
    holm,
)
from analytics.experiments.cuped import Sums, adjusted
from analytics.experiments.peeking import always_valid
from analytics.experiments.planning import customers_for_means, customers_for_rates
from analytics.experiments.ratio import sample_ratio
from analytics.intervals import Moments, mean_interval, moments, newcombe, nps_interval, wilson

COUNT = some.integers(0, 400)
RATE = some.tuples(COUNT, COUNT).map(lambda two: (min(two), max(two)))
MONEY = some.lists(some.integers(-(10**9), 10**9), max_size=30)


def of(values: list[int]) -> Moments:
    return moments(count=len(values), total=sum(values), squares=sum(one * one for one in values))


def numbers(found: Comparison) -> list[float]:
    """Everything that is told."""
    ends = [end for one in (found.difference, found.lift) for end in (one.value, one.low, one.high)]
    return [one for one in (found.p, found.error, *ends) if one is not None]


# --- reference numbers ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("first", "second", "low", "high"),
    [((56, 70), (48, 80), 0.0524, 0.3339), ((9, 10), (3, 10), 0.1705, 0.8090), ((0, 10), (0, 10), -0.2775, 0.2775)],
)
def test_newcombes_interval_is_the_published_one(
    first: tuple[int, int], second: tuple[int, int], low: float, high: float
) -> None:
    assert newcombe(first, second) == pytest.approx((low, high), abs=5e-5)


def test_the_adjusted_wald_interval_of_a_net_promoter_score_is_the_published_one() -> None:
    assert nps_interval(70, 20, 10) == pytest.approx((0.4527, 0.7124), abs=5e-5)


def test_relative_lift_is_the_reference_one() -> None:
    found = compare_rates(variant=(1100, 10_000), control=(1000, 10_000))
    assert found.p == pytest.approx(2 * (1 - 0.5 * math.erfc(-2.30663 / math.sqrt(2))), rel=1e-4)
    assert found.lift.value == pytest.approx(0.1)
    assert (found.lift.low, found.lift.high) == pytest.approx((0.010865, 0.189135), abs=5e-7)
    assert found.difference.value == pytest.approx(0.01)


def test_a_welch_comparison_is_scipys() -> None:
    groups = ([3, 5, 7], [1, 2, 3]), ([0, 0, 9, 12, 1], [4, 4, 5]), (list(range(50)), [7, 8] * 15)
    for one, other in groups:
        found, known = compare_means(variant=of(one), control=of(other)), stats.ttest_ind(one, other, equal_var=False)
        interval = known.confidence_interval(0.95)
        assert found.p == pytest.approx(known.pvalue, rel=1e-9)
        assert (found.difference.low, found.difference.high) == pytest.approx((interval.low, interval.high), rel=1e-9)


def test_the_mean_of_answers_has_students_interval() -> None:
    assert mean_interval(of([4, 5, 6, 7, 3])) == pytest.approx((5 - 2.776445 * 0.7071068, 5 + 2.776445 * 0.7071068))
    assert mean_interval(of([4])) is None
    assert mean_interval(of([4, 4, 4])) is None
    assert mean_interval(of([])) is None


def test_planned_numbers_are_the_textbooks() -> None:
    # Fleiss: .6 against .75 at 5 % and 80 %: 152 each without correction.
    assert customers_for_rates(baseline=0.6, lift=0.25) == 152
    assert customers_for_means(deviation=10, difference=2) == 393
    assert customers_for_rates(baseline=0.1, lift=0.1) > customers_for_rates(baseline=0.1, lift=0.2)
    for wrong in ({"baseline": 0.0, "lift": 0.1}, {"baseline": 0.6, "lift": 0.7}, {"baseline": 0.5, "lift": 0.0}):
        with pytest.raises(ValueError, match="between 0 and 1"):
            customers_for_rates(**wrong)
    with pytest.raises(ValueError, match="above zero"):
        customers_for_means(deviation=0, difference=1)


def test_the_sample_ratio_blocks_what_cannot_be_chance() -> None:
    even = sample_ratio(counts=(5010, 4990), weights=(1, 1))
    assert even.chi_square == pytest.approx(0.04)
    assert not even.blocks
    assert sample_ratio(counts=(5300, 4700), weights=(1, 1)).blocks
    assert not sample_ratio(counts=(9050, 950), weights=(9, 1)).blocks
    assert sample_ratio(counts=(100, 100, 1), weights=(1, 1, 0)).blocks
    for nothing in (sample_ratio(counts=(0, 0), weights=(1, 1)), sample_ratio(counts=(7,), weights=(1,))):
        assert (nothing.p, nothing.blocks) == (None, False)


def test_holm_is_what_its_author_says() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([None, 0.04, None]) == [None, 0.04, None]
    assert holm([]) == []


# --- corners ---------------------------------------------------------------------------------------------------
def test_what_cannot_be_told_says_why() -> None:
    assert compare_rates(variant=(0, 0), control=(1, 10)).reason == NOBODY
    everybody = compare_rates(variant=(10, 10), control=(12, 12))
    assert (everybody.p, everybody.reason) == (None, NO_SPREAD)
    assert (everybody.lift.value, everybody.lift.low, everybody.lift.reason) == (0, None, NO_SPREAD)
    assert compare_rates(variant=(3, 10), control=(0, 10)).lift.reason == ZERO_CONTROL
    assert compare_means(variant=of([5]), control=of([3, 4])).reason == ONE
    assert compare_means(variant=of([]), control=of([3, 4])).reason == NOBODY
    flat = compare_means(variant=of([5, 5]), control=of([5, 5]))
    assert (flat.p, flat.reason, flat.difference.low) == (None, NO_SPREAD, None)
    nothing = compare_means(variant=of([0, 1, 0]), control=of([0, 0, 0]))
    assert nothing.lift.reason == ZERO_CONTROL
    assert nothing.p is not None


@given(RATE, RATE)
def test_rates_never_give_anything_but_numbers(variant: tuple[int, int], control: tuple[int, int]) -> None:
    found = compare_rates(variant=variant, control=control)
    assert all(math.isfinite(one) for one in numbers(found))
    json.dumps(numbers(found), allow_nan=False)
    if found.p is not None:
        assert 0 <= found.p <= 1
    one, other = found.difference, compare_rates(variant=control, control=variant).difference
    if one.value is not None:
        assert one.low is not None
        assert one.high is not None
        assert -1 <= one.low <= one.value <= one.high <= 1
        assert (other.low, other.high) == pytest.approx((-one.high, -one.low))


@given(MONEY, MONEY)
def test_means_never_give_anything_but_numbers(variant: list[int], control: list[int]) -> None:
    found = compare_means(variant=of(variant), control=of(control))
    assert all(math.isfinite(one) for one in numbers(found))
    assert found.p is None or 0 <= found.p <= 1
    again = compare_means(variant=of(control), control=of(variant))
    assert (again.p, again.error) == (pytest.approx(found.p) if found.p is not None else None, found.error)


@given(MONEY, some.integers(1, 50))
def test_a_currency_of_smaller_units_changes_neither_lift_nor_chance(values: list[int], times: int) -> None:
    half = len(values) // 2
    one = compare_means(variant=of(values[:half]), control=of(values[half:]))
    same = [value * times for value in values]
    other = compare_means(variant=of(same[:half]), control=of(same[half:]))
    assert one.reason == other.reason
    if one.p is not None:
        assert other.p == pytest.approx(one.p, rel=1e-9, abs=1e-12)
    if one.lift.value is not None:
        assert other.lift.value == pytest.approx(one.lift.value, rel=1e-9, abs=1e-9)


@given(some.lists(some.one_of(some.none(), some.floats(0, 1)), max_size=8))
def test_holm_never_makes_a_chance_smaller_and_keeps_their_order(chances: list[float | None]) -> None:
    found = holm(chances)
    for (a, x), (b, y) in product(zip(chances, found, strict=True), repeat=2):
        assert (a is None) == (x is None)
        if a is not None and b is not None and x is not None and y is not None:
            assert a <= x <= 1
            assert x <= y if a < b else True


@given(COUNT, COUNT, COUNT)
def test_a_net_promoter_score_lies_in_its_interval(up: int, middle: int, down: int) -> None:
    found, total = nps_interval(up, middle, down), up + middle + down
    if not total:
        assert found is None
    else:
        assert found is not None
        assert -1 <= found[0] <= found[1] <= 1
        assert found[0] - 3 / total <= (up - down) / total <= found[1] + 3 / total


@given(RATE)
def test_wilsons_interval_holds_its_share(rate: tuple[int, int]) -> None:
    found = wilson(*rate)
    if found is not None:
        assert 0 <= found[0] <= rate[0] / rate[1] + 1e-12
        assert rate[0] / rate[1] - 1e-12 <= found[1] <= 1


# --- CUPED -----------------------------------------------------------------------------------------------------
def sums(pairs: list[tuple[int, int]]) -> Sums:
    """Of (before, after)."""
    return Sums(
        len(pairs),
        sum(y for _x, y in pairs),
        sum(y * y for _x, y in pairs),
        sum(x for x, _y in pairs),
        sum(x * x for x, _y in pairs),
        sum(x * y for x, y in pairs),
    )


def test_what_was_spent_before_narrows_the_interval_and_leaves_the_difference() -> None:
    chance = random.Random(5)
    groups, effect = [], 300
    for lift in (0, effect):
        before = [round(chance.gammavariate(2, 2000)) for _ in range(4000)]
        groups.append([(x, round(0.8 * x + chance.gauss(1000, 900) + lift)) for x in before])
    found = adjusted([sums(group) for group in groups])
    assert found is not None
    plain = compare_means(variant=of([y for _x, y in groups[1]]), control=of([y for _x, y in groups[0]]))
    better = compare_means(variant=found.variants[1], control=found.variants[0])
    assert found.slope == pytest.approx(0.8, abs=0.02)
    assert 0.8 < found.removed < 0.9
    assert plain.error is not None
    assert better.error == pytest.approx(plain.error * math.sqrt(1 - found.removed), rel=0.02)
    assert better.difference.low is not None
    assert better.difference.high is not None
    assert better.difference.low < effect < better.difference.high


@given(some.lists(some.tuples(some.integers(0, 10**6), some.integers(-(10**6), 10**6)), min_size=4, max_size=20))
def test_adjusting_keeps_the_mean_of_all(pairs: list[tuple[int, int]]) -> None:
    half = len(pairs) // 2
    found = adjusted([sums(pairs[:half]), sums(pairs[half:])])
    if found is None:
        return
    whole = sum(one.count * (one.mean or 0) for one in found.variants) / len(pairs)
    assert whole == pytest.approx(sum(y for _x, y in pairs) / len(pairs), rel=1e-6, abs=1e-3)
    assert 0 <= found.removed <= 1
    assert all(one.variance is not None and one.variance >= 0 for one in found.variants)


def test_nothing_is_adjusted_where_nothing_explains_anything() -> None:
    assert adjusted([]) is None
    assert adjusted([sums([(0, 1), (0, 2)]), sums([(0, 3), (0, 5)])]) is None
    assert adjusted([sums([(1, 1)]), sums([(0, 3), (0, 5)])]) is None
    assert adjusted([sums([(1, 4), (2, 4)]), sums([(1, 4), (9, 4)])]) is None


# --- how often it cries wolf -----------------------------------------------------------------------------------
def test_two_groups_that_are_the_same_are_told_apart_five_times_in_a_hundred() -> None:
    """Conversions, 5 % +- 0.5, seeded."""
    chance = np.random.default_rng(2026)
    alarms, times = 0, 12_000
    for x, y in chance.binomial(800, 0.12, (times, 2)).tolist():
        p = compare_rates(variant=(x, 800), control=(y, 800)).p
        alarms += p is not None and p < 0.05
    assert 0.045 <= alarms / times <= 0.055


def test_money_of_groups_that_are_the_same_is_told_apart_five_times_in_a_hundred() -> None:
    """Money that most do not spend, Welch, 5 % +- 0.5, seeded."""
    chance = np.random.default_rng(7)
    alarms, times, size = 0, 8_000, 300
    for _ in range(times):
        amounts = chance.gamma(2.0, 1500.0, (2, size)) * (chance.random((2, size)) < 0.3)
        one, other = (Moments(size, float(side.mean()), float(side.var(ddof=1))) for side in amounts)
        p = compare_means(variant=one, control=other).p
        alarms += p is not None and p < 0.05
    assert 0.045 <= alarms / times <= 0.055


def test_looking_at_every_hundred_customers_raises_fewer_alarms_than_said() -> None:
    """One experiment looked at twenty times: the fixed test cries wolf far too often, the peek-safe one does not."""
    chance = np.random.default_rng(11)
    fixed = safe = 0
    times = 400
    for _ in range(times):
        x = y = n = 0
        fixed_alarm = safe_alarm = False
        for _look in range(20):
            n += 100
            x, y = (known + int(chance.binomial(100, 0.2)) for known in (x, y))
            found = compare_rates(variant=(x, n), control=(y, n))
            p, interval = always_valid(difference=found.difference.value, error=found.error, tau=0.02)
            fixed_alarm |= found.p is not None and found.p < 0.05
            safe_alarm |= p is not None and p < 0.05
            if p is not None and interval.low is not None and interval.high is not None:
                assert (p < 0.05) == (interval.low > 0 or interval.high < 0)
        fixed += fixed_alarm
        safe += safe_alarm
    assert fixed / times > 0.15
    assert safe / times < 0.05


@given(some.floats(-5, 5), some.floats(1e-6, 5), some.floats(1e-6, 5))
def test_peeking_never_gives_anything_but_numbers(difference: float, error: float, tau: float) -> None:
    p, interval = always_valid(difference=difference, error=error, tau=tau)
    assert p is not None
    assert 0 <= p <= 1
    assert interval.low is not None
    assert interval.high is not None
    assert interval.low < difference < interval.high


def test_peeking_says_nothing_without_a_spread() -> None:
    assert always_valid(difference=0.1, error=0.0, tau=1.0)[0] is None
    assert always_valid(difference=None, error=None, tau=1.0)[0] is None
    with pytest.raises(ValueError, match="tau"):
        always_valid(difference=0.1, error=1.0, tau=0)
