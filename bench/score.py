"""What scoring every customer costs, from orders to steps told to rules: `python bench/score.py`, on a database that is
filled (bench/load.py) and whose figures are counted (`manage.py fill_days`). It changes that database: scores are kept
and told, so give it a copy (CLM_DATABASE).

1. The first scoring: reading all orders, fitting and proving the models, scoring, telling every step.
2. The day after: the same, but only what changed is told; with a rule that names a score, how many customers it makes
   stale, and what working them off takes.

`first` or `after` asks only for that one."""

from __future__ import annotations

import re
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.measuring import Measured, machine, need_touchpoints, peak_resident_mb, report, start_django

RULE = {"all": [{"trait": "score:risk", "gte": 8}, {"trait": "score:worth", "gte": 9}]}


class Phases:
    """How long each phase of a scoring took, by what it says of itself."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._began = time.perf_counter()

    def __call__(self, line: str) -> None:
        now = time.perf_counter()
        for name, pattern in PHASES.items():
            if re.search(pattern, line):
                self.seconds[name] = self.seconds.get(name, 0.0) + now - self._began
                break
        self._began = now


# A line tells of what has just been done, but for the one that begins the fit.
PHASES = {
    "reading all orders": "^orders of",
    "scoring everybody, and the fits before": "customers up to",
    "telling rules": "told rules",
}


def scored(title: str, now: datetime) -> None:
    from analytics.models import Score
    from analytics.value.scoring import score_due
    from customers.models import ScoreStep, Stale

    phases, steps, stale = Phases(), ScoreStep.objects.count(), Stale.objects.count()
    began = time.perf_counter()
    done = score_due(now=now, tell=phases)
    taken = time.perf_counter() - began
    results = [Measured(name, (seconds,)) for name, seconds in phases.seconds.items()]
    results.append(Measured(f"all of it: {done.scorings} scorings", (taken,), Score.objects.count(), "scores"))
    report(title, results)
    steps, stale = ScoreStep.objects.count() - steps, Stale.objects.count() - stale
    held = peak_resident_mb() or 0.0
    print(f"{steps:,} rows of steps, {stale:,} customers looked at again; most memory {held:.0f} MB", flush=True)


def work_off() -> None:
    from lifecycle.advance import advance

    began, customers = time.perf_counter(), 0
    while (step := advance()).customers:
        customers += step.customers
    report("Working them off", [Measured("advance", (time.perf_counter() - began,), customers, "customers")])


def first() -> None:
    from analytics.models import Score, Scoring
    from customers.ingest import clock
    from customers.models import ScoreStep

    for kept in (ScoreStep, Score, Scoring):
        kept.objects.all().delete()
    scored("The first scoring", clock())


def after() -> None:
    from customers.ingest import clock
    from lifecycle.install import build, new_segment
    from lifecycle.models import Segment

    if not Segment.objects.filter(key="bench_scores").exists():
        began = time.perf_counter()
        build(versions=[new_segment(key="bench_scores", name="Bench", rule=RULE)], now=clock())
        report("A segment that names two scores goes live", [Measured("publish", (time.perf_counter() - began,))])
    scored("The day after", clock() + timedelta(days=1))
    work_off()


def main() -> None:
    start_django()
    need_touchpoints()
    print(machine())
    parts = {"first": first, "after": after}
    for name in sys.argv[1:] or parts:
        parts[name]()


if __name__ == "__main__":
    main()
