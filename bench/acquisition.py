"""What keeping how everybody was won costs: `python bench/acquisition.py`, on a database that is filled (bench/load.py)
and counted (`manage.py fill_days`). It counts anew what that database keeps, so give it a copy (CLM_DATABASE).

1. `first`: everybody, as after an installation began or its types were mapped anew; committed in parts.
2. `again`: as many customers as TOUCHED, picked at random, whose history is read anew and says the same: what a day
   costs on which so many did something."""

from __future__ import annotations

import random
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.measuring import Measured, Refused, machine, need_touchpoints, peak_resident_mb, report, start_django

TOUCHED = 50_000


def first() -> None:
    from analytics.days.acquisition import keep_acquisition
    from analytics.days.declared import ACQUISITION
    from analytics.models import Acquired, CohortMonth, Counting, CreditDay, PathStep
    from customers import locks

    Counting.objects.filter(statistic=ACQUISITION.name).delete()
    known_at = locks.settled_until()
    if known_at is None:
        raise Refused("somebody is writing")
    began = time.perf_counter()
    rows = keep_acquisition(known_at=known_at)
    report("The first count", [Measured("everybody", (time.perf_counter() - began,), rows, "customers won or touched")])
    sizes = {table.__name__: table.objects.count() for table in (Acquired, CreditDay, PathStep, CohortMonth)}
    print(f"{sizes}; most memory {peak_resident_mb():.0f} MB")


def again() -> None:
    from analytics.attribution.sums import Sums
    from analytics.days.acquisition import CHUNK, _store
    from analytics.days.touches import Touches
    from analytics.days.won import count
    from customers.models import Customer

    last = Customer.objects.order_by("-pk").values_list("pk", flat=True)[0]
    touched = sorted(random.Random(7).sample(range(1, last + 1), min(TOUCHED, last)))
    touches = Touches()
    sums = Sums(touches.direct)
    began = time.perf_counter()
    changed = sum(count(touched[at : at + CHUNK], touches, sums) for at in range(0, len(touched), CHUNK))
    _store(sums)
    report("A day", [Measured("whoever did something", (time.perf_counter() - began,), len(touched), "customers")])
    print(f"{changed} rows changed; most memory {peak_resident_mb():.0f} MB")


def main() -> None:
    start_django()
    need_touchpoints()
    print(machine())
    parts = {"first": first, "again": again}
    for name in sys.argv[1:] or parts:
        parts[name]()


if __name__ == "__main__":
    main()
