"""Intervals, tests and plans are those of statsmodels and lifelines, as tests/oracles/answers.json keeps them."""

import json
from pathlib import Path
from typing import Any

import pytest

from analytics.experiments.comparing import compare_means, compare_rates, holm
from analytics.experiments.planning import customers_for_rates
from analytics.intervals import Moments, mean_interval, moments, newcombe
from analytics.survival import quantile
from tests.oracles.questions import CHANCES, COMPARED, LASTED, PLANNED, SPENT

ANSWERS: dict[str, Any] = json.loads((Path(__file__).parents[2] / "oracles" / "answers.json").read_text())


def of(values: list[int]) -> Moments:
    return moments(count=len(values), total=sum(values), squares=sum(one * one for one in values))


def test_differences_of_rates_are_what_statsmodels_says() -> None:
    for (one, other), told in zip(COMPARED, ANSWERS["compared"], strict=True):
        assert newcombe(one, other) == pytest.approx(told["interval"], abs=1e-12)
        assert compare_rates(variant=one, control=other).p == pytest.approx(told["p"], rel=1e-9)


def test_differences_of_means_are_what_statsmodels_says() -> None:
    for (one, other), told in zip(SPENT, ANSWERS["spent"], strict=True):
        found = compare_means(variant=of(one), control=of(other))
        assert (found.difference.low, found.difference.high) == pytest.approx(told["interval"], rel=1e-9)
        assert found.p == pytest.approx(told["p"], rel=1e-9)
    assert mean_interval(of(SPENT[0][0])) == pytest.approx(ANSWERS["mean"], rel=1e-9)


def test_plans_and_holms_chances_are_what_statsmodels_says() -> None:
    for (baseline, lift), told in zip(PLANNED, ANSWERS["planned"], strict=True):
        assert (
            customers_for_rates(baseline=baseline, lift=lift) - 1
            < told
            <= customers_for_rates(baseline=baseline, lift=lift)
        )
    assert holm(CHANCES) == pytest.approx(ANSWERS["holm"])


def test_quantiles_of_how_long_things_last_are_what_lifelines_says() -> None:
    counts: dict[int, tuple[int, int]] = {}
    for time, ended in LASTED:
        over, open_ = counts.get(time, (0, 0))
        counts[time] = (over + ended, open_ + (not ended))
    assert quantile(counts, 0.8).time == ANSWERS["longest"]
    assert quantile(counts, 0.5).time == ANSWERS["median"]
    assert quantile({}, 0.5).time is None
