"""What an experiment over everybody costs: `python bench/experiments.py`, on a database that is filled (bench/load.py),
computed and counted (`manage.py fill_days`). It changes that database for good (an experiment and its assignments), so
give it a copy (CLM_DATABASE).

1. `assign`: giving everybody a variant, as if it had begun DAYS_AGO days ago, so that all days are over.
2. `results`: what was found, three metrics, counted from packed histories, against the SQL file that defines it, which
   must find the same sums; and again, as it is remembered.
3. `pages`: the page, its files and the API, the first time and again; a list of whom a number counts."""

from __future__ import annotations

import sys
import time
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.measuring import (
    Measured,
    Refused,
    machine,
    measured,
    need_touchpoints,
    peak_resident_mb,
    percentile,
    report,
    start_django,
)
from bench.pages import looker, timed

KEY, DAYS_AGO, AGAIN = "bench-everybody", 60, 50
METRICS: list[dict[str, Any]] = [
    {"kind": "conversion", "days": 30},
    {"kind": "revenue", "days": 30},
    {"kind": "reached", "days": 30, "model": "seven", "stage": "retention"},
]


def experiment() -> Any:
    from campaigns.models import Experiment

    found = Experiment.objects.filter(key=KEY).first()
    if found is None or found.assigned_at is None:
        raise Refused("nobody is assigned yet: python bench/experiments.py assign")
    return found


def assign() -> None:
    from campaigns import experiments
    from campaigns.models import Assignment, Experiment
    from customers.ingest import clock

    then = clock() - timedelta(days=DAYS_AGO)
    made = Experiment.objects.filter(key=KEY).first()
    if made is None:
        made = experiments.create_experiment(
            key=KEY, name="Bench", variants=[("control", 1), ("treatment", 1)], metrics=METRICS, planned=100_000
        )
        began = time.perf_counter()
        count = experiments.assignable(experiment=made)
        report("Starting", [Measured("how many would be assigned", (time.perf_counter() - began,), count, "customers")])
        experiments.start_experiment(experiment=made, now=then)
    experiments.clock = lambda: then  # as if it had begun then
    began = time.perf_counter()
    done = experiments.work_on_experiments(seconds=1e9)
    report("Assigning", [Measured("everybody", (time.perf_counter() - began,), done, "customers")])
    print(f"{Assignment.objects.filter(experiment=made).count():,} assigned; most memory {peak_resident_mb():.0f} MB")


def found() -> None:
    from django.core.cache import cache

    from analytics.days.counters import counted_rows
    from analytics.days.kept import kept
    from analytics.experiments.counting import BEFORE_DAYS, goal_of
    from analytics.experiments.results import results
    from analytics.sales import types_of
    from clm.lib import sql
    from customers.ingest import clock
    from customers.models import Role

    one, now = experiment(), clock()
    runs = [measured("packed, three metrics", lambda: results(experiment=one, as_of=now), before=cache.clear)]
    runs.append(measured("again, remembered", lambda: results(experiment=one, as_of=now)))
    told = results(experiment=one, as_of=now)
    print(f"{told.total:,} assigned; most memory {peak_resident_mb():.0f} MB")
    plain: list[Any] = []

    def row_by_row(asked: dict[str, Any]) -> None:
        plain.append(sql.rows("analytics/experiment_results", **asked))

    for metric in METRICS:
        version, stage = goal_of(metric) or (None, None)
        asked = {
            "experiment": one.pk,
            "kind": metric["kind"],
            "days": metric["days"],
            "before": BEFORE_DAYS if metric["kind"] == "revenue" else 0,
            "until_at": now,
            "purchases": types_of(Role.PURCHASE),
            "refunds": types_of(Role.REFUND),
            "version": version,
            "stage": stage,
            "listed_group": None,
            "listed_variant": None,
        }
        runs.append(measured(f"the SQL file, {metric['kind']}", partial(row_by_row, asked), repeats=1))
        packed = counted_rows("analytics/experiment_results", kept().packs, asked)
        same = [tuple(map(str, row)) for row in packed or ()] == [tuple(map(str, row)) for row in plain[-1]]
        print(f"{metric['kind']}: {'the same sums' if same else f'OTHER SUMS: {packed} and {plain[-1]}'}", flush=True)
    report("What was found", runs, floor=runs[0])


def pages() -> None:
    from django.core.cache import cache

    one = experiment()
    print("\n| page | first | again: median | p95 |\n| --- | --- | --- | --- |")
    with looker() as client:
        timed(client, "/")
        group = f"experiment:{KEY}:converted:{one.variants.all()[0].key}:0"
        for name, address in (
            ("experiments", "/experiments/"),
            ("the experiment", f"/experiments/{KEY}/"),
            ("its API", f"/api/v1/experiments/{KEY}/results/"),
            ("its CSV", f"/experiments/{KEY}/results.csv"),
            ("its workbook", f"/experiments/{KEY}/results.xlsx"),
            ("customers who ordered", f"/customers/?group={group}"),
            ("its start, asked about", f"/experiments/{KEY}/start/"),
        ):
            cache.clear()
            first = timed(client, address)
            again = [timed(client, address) for _time in range(AGAIN)]
            told = (first, percentile(again, 0.5), percentile(again, 0.95))
            print(f"| {name} | {' | '.join(f'{seconds * 1e3:.0f} ms' for seconds in told)} |", flush=True)


def main() -> None:
    start_django()
    need_touchpoints()
    print(machine())
    parts = {"assign": assign, "results": found, "pages": pages}
    for name in sys.argv[1:] or parts:
        parts[name]()


if __name__ == "__main__":
    main()
