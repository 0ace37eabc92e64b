"""How many of those who are known to be in here twice does the search for duplicates find, how many others does it take
for twins, and what does it cost? Into a simulated population (bench/load.py) come second records of people drawn by a
fixed seed, each mangled in one way as second records are. Found and not found are told by way; all of it is undone at
the end.

Simulated names are few (165), so that everybody has thousands of namesakes: what keeps them apart is the rest."""

import random
import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench import measuring

SEED, SHARE, MOST = 7, 50, 4_000  # one person in so many has a second record, at most so many people have
WAYS = (
    "other domain",
    "typo in the name and the address",
    "name turned, address without dots",
    "accents and a plus",
    "name alone, another address",
)


def second_record(way: str, name: str, email: str, chance: random.Random) -> dict[str, str]:
    """What the second record of somebody says."""
    first, last = name.split(" ", 1)
    local = email.partition("@")[0]
    if way == "other domain":
        return {"name": name, "email": f"{local}@elsewhere.example"}
    if way == "typo in the name and the address":
        at = chance.randrange(1, len(last) - 1)
        typo = last[:at] + last[at + 1] + last[at] + last[at + 2 :]
        return {"name": f"{first} {typo}", "email": f"{local.replace(last.lower(), typo.lower())}@elsewhere.example"}
    if way == "name turned, address without dots":
        return {"name": f"{last} {first}", "email": f"{local.replace('.', '')}@elsewhere.example"}
    if way == "accents and a plus":
        marks = str.maketrans("aeiou", "áéíóú")
        return {"name": name.translate(marks), "email": f"{local}+shop@elsewhere.example"}
    return {"name": name, "email": f"{''.join(chance.choices('bcdfghjk', k=9))}@elsewhere.example"}


def main() -> None:
    measuring.start_django()
    touchpoints = measuring.need_touchpoints()
    from django.db import transaction

    from customers.duplicates import start_search, work_on_duplicates
    from customers.events import Event
    from customers.ingest import clock, ingest
    from customers.models import Cause, Customer, Identity, PossibleMerge, Source

    with transaction.atomic():
        source = Source.objects.create(key="second-records", name="Second records")
        chance = random.Random(SEED)
        named = list(
            Customer.objects.filter(merged_into=None, erased_at=None)
            .exclude(name="")
            .exclude(email="")
            .order_by("pk")
            .values_list("pk", "name", "email")
        )
        twins: dict[int, tuple[str, int]] = {}
        events = []
        for number, (customer, name, email) in enumerate(chance.sample(named, min(MOST, len(named) // SHARE))):
            way = WAYS[number % len(WAYS)]
            told = second_record(way, name, email, chance)
            ids = (("user_id", f"second-{number}"), ("email", told["email"]))
            events.append(Event(f"second-{number}", ids, "Created", "import", clock(), traits=told))
            twins[number] = way, customer
        for start in range(0, len(events), 500):
            ingest(source=source, events=events[start : start + 500], cause=Cause.IMPORT)
        second = {
            int(value.removeprefix("second-")): customer
            for value, customer in Identity.objects.filter(value__startswith="second-").values_list(
                "value", "profile__customer"
            )
        }
        for number, event in enumerate(events):
            Customer.objects.filter(pk=second[number]).update(**event.traits, is_anonymous=False)
        known = {frozenset((customer, second[number])): way for number, (way, customer) in twins.items()}
        everybody = Customer.objects.filter(merged_into=None).count()
        start_search(now=clock())
        took = measuring.measured("search", work_on_duplicates, repeats=1, rows=everybody, unit="customers")
        proposed = {
            frozenset(pair)
            for pair in PossibleMerge.objects.filter(kind="alike").values_list("profile__customer", "other__customer")
        }
        of_way, hits = Counter(known.values()), Counter(known[pair] for pair in known.keys() & proposed)
        transaction.set_rollback(True)

    print(f"{measuring.machine()}\n{everybody:,} customers, {touchpoints:,} touchpoints, {len(known):,} second records")
    measuring.report("Search for duplicates, keys and pairs", [took])
    print("| second record | found | of | recall |\n| --- | --- | --- | --- |")
    for way in WAYS:
        print(f"| {way} | {hits[way]:,} | {of_way[way]:,} | {hits[way] / max(1, of_way[way]):.1%} |")
    right = len(known.keys() & proposed)
    alike = sum(of_way[way] for way in WAYS[:-1])
    print(
        f"| all with something alike besides the name | {right - hits[WAYS[-1]]:,} | {alike:,} |"
        f" {(right - hits[WAYS[-1]]) / max(1, alike):.1%} |"
    )
    print(f"\nprecision {right / max(1, len(proposed)):.1%}: {len(proposed):,} pairs proposed, {right:,} of them known")


if __name__ == "__main__":
    main()
