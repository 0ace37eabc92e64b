"""Asks the packages that statisticians trust what we ask ourselves: `.venv-oracles/bin/python tests/oracles/ask.py >
tests/oracles/answers.json`. Runs in .venv-oracles (`make oracle-packages`), which alone has them; the program never
imports them. The answers are kept, so that every test run holds our models against them, and `make soak` asks again."""

import json
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
from lifelines import KaplanMeierFitter
from lifelines.utils import qth_survival_times
from lifetimes import BetaGeoFitter, GammaGammaFitter, ModifiedBetaGeoFitter, ParetoNBDFitter
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import (
    confint_proportions_2indep,
    proportion_confint,
    proportions_ztest,
    samplesize_proportions_2indep_onetail,
)
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

sys.path.insert(0, str(Path(__file__).parent))

from questions import (
    ASKED,
    CHANCES,
    COMPARED,
    LASTED,
    PARAMETERS,
    PLANNED,
    RATES,
    SPENT,
    TIMES,
    WORTH,
    histories,
)

MODELS = {"bg": BetaGeoFitter, "mbg": ModifiedBetaGeoFitter, "pareto": ParetoNBDFitter}


def answers() -> dict:
    people = histories()
    repeats, last, age, mean = (np.array(column, float) for column in zip(*people, strict=True))
    asked = [np.array(column, float) for column in zip(*ASKED, strict=True)]
    said: dict = {"versions": {name: version(name) for name in ("lifetimes", "lifelines", "statsmodels")}}
    for key, fitter in MODELS.items():
        fitted = fitter().fit(repeats, last, age)
        model = fitter()
        model.params_ = pd.Series(PARAMETERS[key])
        model.predict = None
        said[key] = {
            "found": {name: float(fitted.params_[name]) for name in PARAMETERS[key]},
            "alive": listed(model.conditional_probability_alive(*asked)),
            "orders": {
                str(time): listed(model.conditional_expected_number_of_purchases_up_to_time(time, *asked))
                for time in TIMES
            },
            "orders_of_new": [float(model.expected_number_of_purchases_up_to_time(time)) for time in TIMES],
        }
    again = repeats > 0
    fitted = GammaGammaFitter().fit(repeats[again], mean[again])
    worth = GammaGammaFitter()
    worth.params_ = pd.Series(WORTH)
    said["worth"] = {
        "found": {name: float(fitted.params_[name]) for name in WORTH},
        "order_values": listed(
            worth.conditional_expected_average_profit(pd.Series(repeats[:20]), pd.Series(mean[:20]))
        ),
    }
    lasted, ended = zip(*LASTED, strict=True)
    curve = KaplanMeierFitter().fit(lasted, ended)
    table = curve.event_table[curve.event_table.observed > 0]
    bounds = curve.confidence_interval_survival_function_
    said["survival"] = {
        str(int(time)): [float(curve.survival_function_.loc[time].iloc[0]), *map(float, bounds.loc[time])]
        for time in table.index
    }
    said["median"] = float(curve.median_survival_time_)
    said["rates"] = [list(map(float, proportion_confint(*rate, method="wilson"))) for rate in RATES]
    said["longest"] = float(qth_survival_times(0.2, curve.survival_function_))
    said["compared"] = [
        {
            "interval": list(map(float, confint_proportions_2indep(x, n, y, m, method="newcomb", compare="diff"))),
            "p": float(proportions_ztest([x, y], [n, m])[1]),
        }
        for (x, n), (y, m) in COMPARED
    ]
    said["spent"] = []
    for one, other in SPENT:
        means = CompareMeans(DescrStatsW(one), DescrStatsW(other))
        interval = means.tconfint_diff(usevar="unequal")
        said["spent"].append({"interval": list(map(float, interval)), "p": float(means.ttest_ind(usevar="unequal")[1])})
    said["mean"] = list(map(float, DescrStatsW(SPENT[0][0]).tconfint_mean()))
    said["planned"] = [
        float(samplesize_proportions_2indep_onetail(base * lift, base, 0.8, alpha=0.05, alternative="two-sided"))
        for base, lift in PLANNED
    ]
    said["holm"] = listed(multipletests(CHANCES, method="holm")[1])
    return said


def listed(column) -> list[float]:
    return [float(one) for one in np.asarray(column).ravel()]


if __name__ == "__main__":
    json.dump(answers(), sys.stdout, indent=1)
    sys.stdout.write("\n")
