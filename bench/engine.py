"""How fast the rule engine is: `python bench/engine.py [--customers N]`.

Prints touchpoints per second, the ratio to the floor (reading and copying the columns once in NumPy), working memory
per touchpoint, and the time for one customer and for small batches, on histories from a seeded generator."""

from __future__ import annotations

import argparse
import sys
import tracemalloc
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.measuring import begin, measured, report
from lifecycle.rules.evaluate import (
    Catalogue,
    Facts,
    Membership,
    Program,
    PropertyColumn,
    StageRules,
    spells,
)
from lifecycle.rules.nodes import ROLES
from lifecycle.rules.parse import parse_rule
from lifecycle.rules.presets import installed_models, installed_sub_rules

LAPSE_DAYS = 180
DAY = 86_400_000
START = 1_672_531_200_000  # 2023-01-01
YEARS = 3
CATALOGUE = Catalogue(
    types=tuple((code + 1, role.title(), role) for code, role in enumerate(ROLES)),
    channels=tuple((code + 1, name) for code, name in enumerate(("web", "email", "shop", "phone"))),
)
# How common the roles are among touchpoints.
SHARES = {
    "exposure": 0.20, "visit": 0.30, "signup": 0.01, "subscribe": 0.01, "cancel": 0.006, "onboarding": 0.02,
    "usage": 0.18, "cart": 0.06, "checkout": 0.04, "purchase": 0.08, "refund": 0.008, "upgrade": 0.004,
    "support": 0.02, "feedback": 0.01, "review": 0.01, "referral": 0.005, "share": 0.007, "other": 0.03,
}  # fmt: skip


def histories(*, customers: int, each: float, seed: int = 26) -> Facts:
    """Synthetic customers: numbers of touchpoints are skewed, touchpoints come in bursts over three years."""
    random = np.random.default_rng(seed)
    counts = np.maximum(1, random.gamma(0.8, each / 0.8, customers).astype(np.int64))
    owner = np.repeat(np.arange(customers, dtype=np.int32), counts)
    n = len(owner)
    begins = START + (random.random(customers) * YEARS * 0.8 * 365 * DAY).astype(np.int64)
    pace = random.gamma(1.5, 12 * DAY, customers)
    steps = random.exponential(1.0, n) ** 2 * pace[owner] / 2
    heads = np.concatenate([[0], np.cumsum(counts)[:-1]])
    steps[heads] = 0
    walked = np.cumsum(steps)
    ms = begins[owner] + (walked - walked[heads][owner]).astype(np.int64)
    ms = np.minimum(ms, START + YEARS * 365 * DAY)
    shares = np.array([SHARES[role] for role in ROLES])
    code = random.choice(np.arange(1, len(ROLES) + 1, dtype=np.int32), n, p=shares / shares.sum())
    role = np.array(ROLES)[code - 1]
    amount = np.zeros(n, np.int64)
    bought = role == "purchase"
    amount[bought] = random.integers(100, 20_000, bought.sum())
    amount[role == "refund"] = -random.integers(100, 5_000, (role == "refund").sum())
    asked, rated = np.flatnonzero(role == "feedback"), np.flatnonzero(role == "review")

    numbers = [Decimal(number) for number in range(11)]
    return Facts(
        life=ms[heads].copy(),
        owner=owner,
        ms=ms,
        type=code,
        channel=random.integers(1, 5, n).astype(np.int32),
        amount=amount,
        properties={
            "nps": PropertyColumn(asked, [numbers[i] for i in random.integers(0, 11, len(asked))]),
            "rating": PropertyColumn(rated, [numbers[i] for i in random.integers(1, 6, len(rated))]),
        },
    )


def model_program(*keys: str) -> Program:
    models = {model.key: model for model in installed_models()}
    subjects = [
        StageRules(
            tuple(
                parse_rule(stage.rule, lapse_days=LAPSE_DAYS, sub_rules=installed_sub_rules())
                for stage in models[key].stages
            )
        )
        for key in keys
    ]
    return Program(subjects, zone="Europe/London", catalogue=CATALOGUE)


def many_segments(count: int) -> Program:
    """The three models and so many segments, each with a part of its own."""
    segments = [
        Membership(
            parse_rule(
                {
                    "all": [
                        {"rule": "alive"},
                        {"did": {"role": ROLES[number % 17]}, "at_least": 1 + number % 5, "within": f"{7 + number}d"},
                        {"not": {"did": {"role": "refund"}, "within": f"{5 + number % 90}d"}},
                    ]
                },
                lapse_days=LAPSE_DAYS,
                sub_rules=installed_sub_rules(),
            )
        )
        for number in range(count)
    ]
    models = model_program("seven", "five", "cycle").subjects
    return Program([*models, *segments], zone="Europe/London", catalogue=CATALOGUE)


def floor(facts: Facts) -> None:
    """The least any evaluator does: read and copy every column once."""
    for column in (facts.owner, facts.ms, facts.type, facts.channel, facts.amount):
        column.copy()


def peak_memory(act: Callable[[], object]) -> int:
    """Bytes that were in use at once at the most while acting; NumPy reports its arrays to tracemalloc."""
    tracemalloc.start()
    act()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=200_000)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()

    begin("How fast the rule engine turns columns of touchpoints into stages")
    facts = histories(customers=options.customers, each=20.4)
    n = len(facts.ms)
    print(f"{n:,} touchpoints of {options.customers:,} customers, one core")
    unit = "touchpoints"
    least = measured("copying the columns", lambda: floor(facts), repeats=options.repeats, rows=n, unit=unit)
    results = [least]
    for keys in (("seven",), ("five",), ("cycle",), ("seven", "five", "cycle")):
        program = model_program(*keys)
        spells(program, facts)
        results.append(
            measured(
                " + ".join(keys),
                lambda program=program: spells(program, facts),
                repeats=options.repeats,
                rows=n,
                unit=unit,
            )
        )
    report("All customers", results, floor=least)
    program = model_program("seven")
    grown = peak_memory(lambda: spells(program, facts))
    print(f"Working memory, seven: {grown / 1e6:.0f} MB, {grown / n:.0f} bytes a touchpoint, result included")

    one = histories(customers=1, each=1)
    rows = 200
    one = Facts(
        life=np.array([START]),
        owner=np.zeros(rows, np.int32),
        ms=np.sort(np.random.default_rng(1).integers(START, START + YEARS * 365 * DAY, rows)),
        type=facts.type[:rows],
        channel=facts.channel[:rows],
        amount=facts.amount[:rows],
        properties=one.properties,
    )
    few = histories(customers=500, each=20)
    wide = many_segments(500)
    report(
        f"Few customers: one with {rows} touchpoints, 500 with {len(few.ms):,}",
        [
            measured("one, seven", lambda: spells(program, one), repeats=200, rows=1, unit="customers"),
            measured("500, seven", lambda: spells(program, few), repeats=50, rows=500, unit="customers"),
            measured("one, three models, 500 segments", lambda: spells(wide, one), repeats=5, rows=1, unit="customers"),
            measured(
                "500, three models, 500 segments", lambda: spells(wide, few), repeats=3, rows=500, unit="customers"
            ),
        ],
    )


if __name__ == "__main__":
    main()
