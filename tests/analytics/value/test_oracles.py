"""Our numbers are those of the packages that statisticians trust: lifetimes, lifelines and statsmodels. What they
answer is kept in tests/oracles/answers.json; `make soak` asks them again."""

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analytics.intervals import wilson
from analytics.survival import length, survival
from analytics.value.beta_geometric import BetaGeometric
from analytics.value.fitting import KINDS, Model
from analytics.value.gamma_gamma import GammaGamma, fit_gamma_gamma, spending
from analytics.value.pareto import Pareto
from analytics.value.purchases import Purchases, each_its_own
from tests.oracles.questions import ASKED, LASTED, PARAMETERS, RATES, TIMES, WORTH, histories

PROJECT = Path(__file__).resolve().parents[3]
ORACLES = PROJECT / "tests" / "oracles"
ANSWERS: dict[str, Any] = json.loads((ORACLES / "answers.json").read_text())
MODELS: dict[str, Model] = {
    "bg": BetaGeometric(**PARAMETERS["bg"], first_chance=0),
    "mbg": BetaGeometric(**PARAMETERS["mbg"], first_chance=1),
    "pareto": Pareto(**PARAMETERS["pareto"]),
}


def asked() -> Purchases:
    return each_its_own(*zip(*ASKED, strict=True))


@pytest.mark.parametrize("key", sorted(MODELS))
def test_a_model_answers_what_lifetimes_answers(key: str) -> None:
    told = ANSWERS[key]
    assert MODELS[key].alive(asked()) == pytest.approx(told["alive"], rel=1e-6)
    for time in TIMES:
        assert MODELS[key].orders(asked(), time) == pytest.approx(told["orders"][str(time)], rel=1e-6), time
    assert MODELS[key].orders_of_new(np.array(TIMES)) == pytest.approx(told["orders_of_new"], rel=1e-6)


@pytest.mark.parametrize("key", sorted(MODELS))
def test_a_fit_finds_what_lifetimes_finds(key: str) -> None:
    """As far as its search goes, which stops earlier than ours; ours is never the lower top."""
    repeats, last, age, _mean = zip(*histories(), strict=True)
    found = KINDS[key].fit(each_its_own(repeats, last, age))
    assert found.converged
    theirs = ANSWERS[key]["found"]
    assert found.values == pytest.approx(list(theirs.values()), rel=5e-3)


def test_the_worth_of_orders_is_what_lifetimes_says() -> None:
    people = histories()
    repeats, mean = np.array([one.repeats for one in people]), np.array([one.mean for one in people])
    told = ANSWERS["worth"]
    values = GammaGamma(**WORTH).order_values(repeats[:20], mean[:20])
    assert values == pytest.approx(told["order_values"], rel=1e-9)
    found = fit_gamma_gamma(spending(repeats, mean))
    assert found.values == pytest.approx(list(told["found"].values()), rel=5e-3)


def test_survival_is_what_lifelines_says() -> None:
    counts: dict[int, tuple[int, int]] = {}
    for time, ended in LASTED:
        over, open_ = counts.get(time, (0, 0))
        counts[time] = (over + ended, open_ + (not ended))
    found = {str(step.time): [step.share, step.low, step.high] for step in survival(counts)}
    assert found.keys() == ANSWERS["survival"].keys()
    for time, row in ANSWERS["survival"].items():
        assert found[time] == pytest.approx(row, rel=1e-9), time
    assert length(counts).median == ANSWERS["median"]


def test_intervals_of_rates_are_what_statsmodels_says() -> None:
    for rate, interval in zip(RATES, ANSWERS["rates"], strict=True):
        assert wilson(*rate) == pytest.approx(interval, abs=1e-12)


@pytest.mark.soak
def test_the_packages_still_answer_what_is_kept() -> None:
    python = PROJECT / ".venv-oracles" / "bin" / "python"
    assert python.exists(), "the packages to ask are not installed: make oracle-packages"
    said = subprocess.run([python, ORACLES / "ask.py"], capture_output=True, text=True, check=True).stdout
    again = json.loads(said)
    assert again["versions"] == ANSWERS["versions"]

    def numbers(value: Any) -> list[float]:
        if isinstance(value, dict):
            value = [value[key] for key in sorted(value) if key != "versions"]
        return [float(value)] if isinstance(value, (int, float)) else [one for each in value for one in numbers(each)]

    # Their searches stop a little earlier or later from one processor to the next.
    assert numbers(again) == pytest.approx(numbers(ANSWERS), rel=5e-3)
