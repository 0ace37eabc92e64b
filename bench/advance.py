"""How fast what happened becomes a stage: `python bench/advance.py [question ...]`.

- batch: 500 different customers of 200 touchpoints, three models and 100 segments, in one batch, commit included
- compile: what a new type of touchpoint costs under three models and 500 segments
- idle: a tick with nothing to do
- prompt: from the commit of a touchpoint to the stored change of stage, at 500 touchpoints/s
- crowd: the same for everybody else while one customer of 950,000 touchpoints receives 50/s
- flood: touchpoints/s that one and two processes work off
- in_place: the share of Standing updates that stay on their page, after 10 touchpoints for each of 200,000 customers
- publish: how long advance stands still while a changed `seven` goes live

`batch` and `compile` make a small database of their own on the same server and drop it; the others work on the
database that is asked, which bench/load.py fills, and leave touchpoints of the source `bench` in it."""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.asking import ask, bench_source, drain, ended, manage, some_profiles, told
from bench.measuring import PROJECT, Measured, begin, measured, need_touchpoints, percentile, report, start_django
from bench.small_database import batch_here, compile_here, in_small_database

RATE, SECONDS = 500, 60
HOT_TOUCHPOINTS = 950_000


def idle() -> None:
    from lifecycle.candidates import hot_candidates
    from lifecycle.tick import tick

    drain()

    def look() -> None:
        tick(hot=False)
        hot_candidates(limit=1)

    look()
    result = measured("an idle tick over all customers", look, repeats=101)
    report("Nothing to do", [result])
    print(f"p95 {1e3 * percentile(result.seconds, 0.95):.1f} ms")


def client_here(*arguments: str) -> None:
    """One client: so many touchpoints a second for so many seconds, five to a batch; prints when each was committed."""
    start_django()
    from datetime import timedelta

    from customers.events import Event
    from customers.ingest import clock, ingest
    from customers.models import Source

    rate, seconds, seed = (int(one) for one in arguments[:3])
    types = ("Page Viewed", "Order Completed", "Signed Up", "Feature Used", "Product Added", "Article Shared")
    types = tuple(name for (name,) in ask("SELECT name FROM customers_touchpointtype WHERE name = ANY(%s)", [*types]))
    people = json.loads(Path(arguments[3]).read_text())
    source = Source.objects.get(key="bench")
    chance = random.Random(seed)
    sent: list[tuple[int, str, float]] = []
    began, count, each = time.time(), 0, 5
    while (now := time.time()) < began + seconds:
        if (ahead := began + count / rate - now) > 0:
            time.sleep(ahead)
        at = clock() - timedelta(milliseconds=2)
        chosen = [people[(seed + 7 * (count + one)) % len(people)] for one in range(each)]
        events = [
            Event(
                message_id=f"{seed} {began} {count + one}",
                identities=(("bench", identity),),
                type=chance.choice(types),
                channel="web",
                occurred_at=at.replace(microsecond=at.microsecond // 1000 * 1000),
                properties={},
            )
            for one, (_customer, identity) in enumerate(chosen)
        ]
        ingest(source=source, events=events)
        committed = time.time()
        sent += [(customer, events[0].occurred_at.isoformat(), committed) for customer, _identity in chosen]
        count += each
    print(json.dumps(sent))


def known_people(count: int) -> list[tuple[int, str]]:
    """(customer, identity of the kind `bench`) of customers picked at random."""
    profiles = some_profiles(count)
    ask(
        "INSERT INTO customers_identity (kind, value, profile_id, created_at)"
        " SELECT 'bench', profile::text, profile, now() FROM unnest(%s::bigint[]) AS profile ORDER BY 2"
        " ON CONFLICT DO NOTHING",
        profiles,
    )
    return ask("SELECT customer_id, id::text FROM customers_profile WHERE id = ANY(%s) ORDER BY random()", profiles)


def traffic(
    *,
    rate: int,
    seconds: int,
    people: list[tuple[int, str]],
    besides: int = 0,
    also: Callable[[], Any] = lambda: None,
) -> None:
    """Two clients send; prints how long it took until each change of stage that they caused was there to be read, but
    for the customer `besides`."""
    file = PROJECT / ".data" / "bench-people.json"
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(people))
    ((last,),) = ask("SELECT coalesce(max(id), 0) FROM lifecycle_announcement")
    clients = [
        subprocess.Popen(
            [sys.executable, __file__, "client_here", str(rate // 2), str(seconds), str(3 * seed), str(file)],
            stdout=subprocess.PIPE,
        )
        for seed in (0, 1)
    ]
    seen: dict[tuple[int, str], float] = {}
    until = time.time() + seconds + 8
    while time.time() < until:
        # What is told commits with the change of stage it speaks of. Serial numbers commit out of order; a thousand
        # back is far enough for two processes.
        rows = ask(
            "SELECT id, customer_id, entered_at FROM lifecycle_announcement WHERE id > %s ORDER BY id",
            max(0, last - 1000),
        )
        now = time.time()
        for number, customer, entered in rows:
            last = max(last, number)
            seen.setdefault((customer, entered.isoformat()), now)
        also()
        time.sleep(0.02)
    sent = [tuple(one) for client in clients for one in json.loads(client.communicate()[0])]
    waits = sorted(
        seen[customer, at] - committed
        for customer, at, committed in sent
        if customer != besides and (customer, at) in seen
    )
    waiting = ask("SELECT count(*) FROM customers_stale")[0][0]
    print(
        f"{len(sent):,} touchpoints sent ({len(sent) / seconds:.0f}/s); {len(waits):,} changed a stage; {waiting} wait"
    )
    shares = {"median": 0.5, "p95": 0.95, "p99": 0.99, "slowest": 1.0}
    print("| " + " | ".join(shares) + " |\n| " + " | ".join("---" for _ in shares) + " |")
    print("| " + " | ".join(f"{percentile(waits, share):.2f} s" for share in shares.values()) + " |", flush=True)


def prompt() -> None:
    bench_source()
    drain()
    watch = manage("advance", "--forever")
    time.sleep(3)
    print("\n### From the commit of a touchpoint to the stored change of stage")
    traffic(rate=RATE, seconds=SECONDS, people=known_people(100_000))
    ended(watch)


def _huge_customer() -> tuple[int, str]:
    """A customer with some 950,000 touchpoints and its identity: the one of an earlier run, or a new one."""
    ask("UPDATE lifecycle_hotcustomer SET not_before = now()")
    drain()
    known = ask(
        "SELECT hot.customer_id, identity.value FROM lifecycle_hotcustomer AS hot"
        " JOIN customers_profile AS profile ON profile.customer_id = hot.customer_id"
        " JOIN customers_identity AS identity ON identity.profile_id = profile.id AND identity.kind = 'bench'"
        " WHERE hot.touchpoints BETWEEN %s AND 990000 ORDER BY hot.touchpoints LIMIT 1",
        HOT_TOUCHPOINTS,
    )
    if known:
        return known[0]
    ((customer, identity),) = known_people(1)
    ask(
        "INSERT INTO customers_touchpoint (profile_id, occurred_at, received_at, body_hash, message_hash, source_id,"
        " type_id, channel_id, flags, currency, order_ref, properties)"
        " SELECT %s, date_trunc('milliseconds', now() - random() * interval '730 days'), now(), 1, gen_random_uuid(),"
        " %s, 1 + floor(random() * 60), 1, 0, '', '', '{}' FROM generate_series(1, %s)",
        int(identity),
        bench_source(),
        HOT_TOUCHPOINTS,
    )
    ask("INSERT INTO customers_stale (profile_id, cause, attempts) VALUES (%s, 1, 0)", int(identity))
    drain()
    return customer, identity


def crowd() -> None:
    bench_source()
    people = known_people(60_000)
    customer, identity = _huge_customer()
    ask("UPDATE lifecycle_hotcustomer SET not_before = now() + interval '20 seconds' WHERE customer_id = %s", customer)
    turns: set[Any] = set()

    def watch_turns() -> None:
        turns.update(ask("SELECT not_before FROM lifecycle_hotcustomer WHERE customer_id = %s", customer))

    watch = manage("advance", "--forever")
    time.sleep(3)
    print("\n### Everybody else, while one customer of 950,000 touchpoints receives 50 a second")
    # 100/s, of which every second one is the hot customer's.
    mixed = [one for person in people for one in (person, (customer, identity))]
    traffic(rate=100, seconds=90, people=mixed, besides=customer, also=watch_turns)
    ended(watch)
    print(f"turns of the hot customer: {len(turns) - 1}")
    # Its turn now, and nobody else's.
    ask("UPDATE lifecycle_hotcustomer SET not_before = now() + interval '1 hour'")
    ask("UPDATE lifecycle_hotcustomer SET not_before = now() WHERE customer_id = %s", customer)
    ask("INSERT INTO customers_stale (profile_id, cause, attempts) VALUES (%s, 1, 0)", int(identity))
    from lifecycle.advance import advance_hot

    began = time.perf_counter()
    assert advance_hot().customers == 1
    print(f"its turn takes {time.perf_counter() - began:.2f} s")


def flood() -> None:
    results = []
    for processes, count in ((1, 30_000), (2, 60_000)):
        drain()
        told(some_profiles(count))
        began = time.perf_counter()
        running = [manage("advance") for _one in range(processes)]
        assert [process.wait() for process in running] == [0] * processes
        took = time.perf_counter() - began
        name = "one process" if processes == 1 else f"{processes} processes"
        results.append(Measured(name, (took,), rows=count, unit="touchpoints"))
    report("A backlog worked off, one touchpoint a customer, the start of the processes included", results)


def in_place() -> None:
    drain()
    before = _updates()
    told(some_profiles(200_000), each=10)
    running = [manage("advance") for _one in range(2)]
    assert [process.wait() for process in running] == [0, 0]
    time.sleep(2)  # statistics are handed over when a session ends
    total, hot = (after - was for after, was in zip(_updates(), before, strict=True))
    print("\n### Standing updates after 10 touchpoints for each of 200,000 customers")
    print(f"{total:,} updates, {hot:,} of them in place (HOT): {hot / max(total, 1):.1%}")


def _updates() -> tuple[int, int]:
    ask("SELECT pg_stat_clear_snapshot()")
    (row,) = ask("SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'lifecycle_standing'")
    return row


def publish() -> None:
    """`seven` with an easier Engagement goes live; somebody who shares what is live four hundred times a second, as
    every advance does, measures how long it must wait."""
    import threading
    from copy import deepcopy

    from django.db import connection

    from customers import locks
    from customers.ingest import clock
    from lifecycle.install import build, draft
    from lifecycle.models import Announcement, StageModel

    seven = StageModel.objects.get(key="seven")
    document = deepcopy(seven.live_version.document)
    (engagement,) = [stage for stage in document["stages"] if stage["key"] == "engagement"]
    (days,) = [part for part in engagement["rule"]["all"] if "on_days" in part]
    days["on_days"] = 5 - days["on_days"]  # 3 and 2 by turns
    waits: list[float] = []
    over = threading.Event()

    def share() -> None:
        while not over.wait(0.0025):
            began = time.perf_counter()
            ask("SELECT pg_advisory_xact_lock_shared(%s, 0)", locks.VERSIONS)
            waits.append(time.perf_counter() - began)
        connection.close()

    drain()
    told_before = Announcement.objects.count()
    prober = threading.Thread(target=share)
    prober.start()
    began = time.perf_counter()
    build(versions=[draft(subject=seven, document=document, note="bench")], now=clock())
    took = time.perf_counter() - began
    over.set()
    prober.join()
    print("\n### A changed `seven` goes live")
    print(
        f"built and made live in {took:.0f} s, one process; {Announcement.objects.count() - told_before:,} moves told"
    )
    longest = sorted(waits)[-3:]
    print("longest waits of whoever advances: " + ", ".join(f"{one:.2f} s" for one in reversed(longest)), flush=True)


QUESTIONS: dict[str, Callable[[], None]] = {
    "batch": lambda: in_small_database("batch"),
    "compile": lambda: in_small_database("compile"),
    "idle": idle,
    "prompt": prompt,
    "crowd": crowd,
    "flood": flood,
    "in_place": in_place,
    "publish": publish,
}
INSIDE: dict[str, Callable[..., None]] = {
    "batch_here": batch_here,
    "compile_here": compile_here,
    "client_here": client_here,
}


def main() -> None:
    if len(sys.argv) > 1 and sys.argv[1] in INSIDE:
        INSIDE[sys.argv[1]](*sys.argv[2:])
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("questions", nargs="*", choices=[*QUESTIONS, []], metavar="question")
    asked = parser.parse_args().questions or list(QUESTIONS)
    begin("How fast what happened becomes a stage")
    start_django()
    if set(asked) - {"batch", "compile"}:
        print(f"{need_touchpoints():,} touchpoints in the database")
    for question in asked:
        QUESTIONS[question]()


if __name__ == "__main__":
    main()
