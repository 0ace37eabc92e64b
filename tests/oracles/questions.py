"""What our models and other people's are both asked: made-up customers and the parameters to ask about. Nothing but
Python's own library, since two environments read it."""

from random import Random
from typing import NamedTuple


class History(NamedTuple):
    """Repeat purchases, age at the last of them and at the end, in weeks, and what a repeat order was worth."""

    repeats: int
    last: float
    age: float
    mean: float


def histories(number: int = 600) -> list[History]:
    """Buyers at rates that differ, some of whom leave: enough of everything for every model to have a top."""
    random = Random(97)
    found = []
    for _ in range(number):
        age = round(random.uniform(20, 60), 2)
        rate, worth = random.gammavariate(0.7, 0.15), random.gammavariate(4, 9)
        here = min(age, random.expovariate(random.gammavariate(0.8, 0.04) + 1e-6))
        at, repeats, last, spent = random.expovariate(rate + 1e-9), 0, 0.0, 0.0
        while at < here:
            repeats, last = repeats + 1, at
            spent += random.gammavariate(6, worth / 6)
            at += random.expovariate(rate + 1e-9)
        found.append(History(repeats, round(last, 2), age, round(spent / repeats, 2) if repeats else 0.0))
    return found


# Parameters to ask about, whoever found them: so that answers agree to many digits and not only as far as searches do.
PARAMETERS = {
    "bg": {"r": 0.2426, "alpha": 4.4136, "a": 0.7929, "b": 2.4259},
    "mbg": {"r": 0.5248, "alpha": 6.1830, "a": 0.8914, "b": 1.6140},
    "pareto": {"r": 0.5533, "alpha": 10.5776, "s": 0.6062, "beta": 11.6678},
}
WORTH = {"p": 6.2487, "q": 3.7446, "v": 15.4480}
ASKED = [(0, 0.0, 10.0), (0, 0.0, 39.0), (1, 0.5, 39.0), (2, 30.43, 38.86), (7, 20.0, 30.0), (26, 30.86, 31.0)]
TIMES = (1.0, 13.0, 52.0)

# How long things lasted, and whether they ended: for survival curves.
LASTED = [(Random(number).randint(1, 40), Random(1000 + number).random() < 0.6) for number in range(200)]
RATES = [(81, 263), (15, 148), (0, 20), (1, 29), (20, 20), (500, 1000)]

# Two groups: conversions and customers of each, and what some customers of each spent.
COMPARED = [((1100, 10_000), (1000, 10_000)), ((56, 70), (48, 80)), ((3, 10), (9, 10)), ((0, 40), (7, 45))]
SPENT = [
    ([Random(n).randint(0, 9000) for n in range(60)], [Random(500 + n).randint(0, 7000) for n in range(45)]),
    ([0, 0, 0, 1200, 0, 300], [0, 100, 0, 0, 50, 0, 0]),
]
PLANNED = [(0.1, 0.1), (0.6, 0.25), (0.02, 0.5), (0.3, -0.2)]  # baseline, relative lift
CHANCES = [0.01, 0.04, 0.03, 0.005, 0.6]
