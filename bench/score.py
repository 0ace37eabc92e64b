"""What scoring every customer costs, from orders to steps told to rules: `python bench/score.py`, on a database that is
filled (bench/load.py) and whose figures are counted (`manage.py fill_days`). It changes that database: scores are kept
and told, so give it a copy (CLM_DATABASE).

1. The first scoring: reading all orders, fitting and proving the models, scoring, telling every step.
2. The day after: the same, but only what changed is told; with a rule that names a score, how many customers it makes
   stale, and what working them off takes.

3. `crowd`, asked for by name: what fitting, proving and scoring hold in memory where everybody has bought:
   BENCH_CUSTOMERS made-up buyers of two years, read in the same ranges; no database.

`first`, `after` or `crowd` asks only for that one."""

from __future__ import annotations

import re
import sys
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.measuring import (
    Measured,
    customers_asked,
    machine,
    measured,
    need_touchpoints,
    peak_resident_mb,
    report,
    start_django,
)

YEARS_BACK = 730  # days
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


def crowd() -> None:
    """Through the functions of a scoring, with orders that are made up instead of read."""
    from analytics.days.calendar import number_of
    from analytics.value import everybody
    from analytics.value.documents import found_in
    from analytics.value.population import Types
    from analytics.value.proving import days_needed
    from analytics.value.scoring import CHUNK, _borders, _scores

    number, as_of = customers_asked(), datetime.now(UTC).date()
    until = number_of(as_of)
    cut = until - 182
    asked = sorted({cut, *days_needed(until), until})
    vars(everybody)["bought"] = bought_by_chance
    runs: list[Measured] = []

    def noted(what: str, act: Any) -> Any:
        found: list[Any] = []
        runs.append(measured(what, lambda: found.append(act()), repeats=1, rows=number, unit="customers"))
        print(f"{what}: most memory so far {peak_resident_mb():.0f} MB", flush=True)
        return found[0]

    people = noted(
        "reading, orders made up on the way",
        lambda: everybody.everybody(
            until=as_of,
            start=until - YEARS_BACK,
            cut=cut,
            asked=asked,
            types=Types((), (), (), ()),
            zone="UTC",
            end=number,
        ),
    )
    document, worth = noted("fitting and proving", lambda: found_in(people))
    document["steps"] = {"worth": noted("borders of steps", lambda: _borders(people, worth))}

    def scores() -> int:
        parts = range(0, number, CHUNK)
        return sum(len(_scores(people.part(at, at + CHUNK), worth, document)["customers"]) for at in parts)

    noted("scores, range by range", scores)
    report("Everybody has bought", runs)
    print([(one["name"], one["verdict"]) for one in document["fits"]], document["left_out"])


def bought_by_chance(*, first: int, until: int, types: Any, zone: str, asked: list[int], day_of_number: date) -> Any:
    """Customers who buy by MBG/NBD at the rates of CDNOW, first seen within two years, as `population.bought` tells."""
    import numpy as np

    from analytics.value.population import Bought, Histories
    from analytics.value.purchases import counted
    from bench.buyers import TRUE

    random, count, last_day = np.random.default_rng(first), until - first, asked[-1]
    r, alpha, a, b = TRUE
    rate, dropout = random.gamma(r, 1 / alpha, count), random.beta(a, b, count)
    age = random.uniform(1, YEARS_BACK, count)
    here, at = np.arange(count), np.zeros(count)
    who, when = [here], [at.copy()]
    here = here[random.random(len(here)) >= dropout]
    while len(here):
        with np.errstate(divide="ignore", over="ignore"):
            at[here] += random.exponential(size=len(here)) / rate[here]
        here = here[at[here] <= age[here]]
        who.append(here)
        when.append(at[here])
        here = here[random.random(len(here)) >= dropout[here]]
    place = np.concatenate(who)
    day = last_day - np.floor(age[place] - np.concatenate(when)).astype(np.int64)
    histories = {
        one: Histories(*(getattr(seen, name) for name in ("customer", "first", "repeats", "last", "age")))
        for one in asked
        for seen in [counted(customer=place + first, day=day, until=one)]
    }
    repeats = histories[last_day].repeats
    mean = np.where(repeats > 0, random.gamma(6.25, 560.0, count), 0.0)
    different = np.unique(place * 1_000_000 + day)
    none = np.empty(0, np.int64)
    revenue = ((repeats + 1) * random.gamma(6.25, 560.0, count)).astype(np.int64)
    return Bought(histories, revenue, mean, different % 1_000_000, different // 1_000_000, none, none, 0, 0, 0.0)


def main() -> None:
    asked = sys.argv[1:] or ["first", "after"]
    start_django()
    if asked != ["crowd"]:
        need_touchpoints()
    print(machine())
    parts = {"first": first, "after": after, "crowd": crowd}
    for name in asked:
        parts[name]()


if __name__ == "__main__":
    main()
