"""What keeping the figures costs: `python bench/fills.py [day] [year]`.

- day: a day of touchpoints (a year's share of 20 for each of BENCH_CUSTOMERS, a tenth of them orders) of as many
  customers is stored and computed; then `manage.py fill_days` brings it into the figures. One line per part of the fill
- year: all days of all history are counted anew (stages, sales, activity, members, sources, sort keys of lists, how
  customers were won), by processes that are killed (SIGKILL), the first after KILLED seconds and each next one after
  twice as long; what came of it must be what there was before, row for row

On the database that is asked, which bench/load.py fills. Touchpoints of the source `bench` stay in it."""

from __future__ import annotations

import signal
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.asking import ask, bench_source, drain, manage, some_profiles
from bench.measuring import begin, customers_asked, need_touchpoints, start_django

KILLED = 20.0  # seconds
COUNTED = ("stages", "sales", "seen", "listed", "acquisition")
# What is kept of them, with the numbers in it: a row of nothing but zeros says as much as none.
TABLES = {
    "stageday": ("customers", "entered", '"left"'),
    "stagemove": ("moves",),
    "stageshift": ("change",),
    "salesday": ("orders", "unpriced", "bought", "refunded", "buyers", "first_paying"),
    "activity": ("active", "buyers", "customers"),
    "seen": ("touchpoints",),
    "member": ("1",),
    "listed": ("1",),
    "acquired": ("1",),
    "orderpath": ("1",),
    "creditday": ("customers", "conversions", "revenue", "value"),
    "pathstep": ("steps",),
    "cohortmonth": ("revenue",),
    "cohortdraw": ("customers", "value"),
}


def day() -> None:
    from analytics.days.fill import fill

    filled = fill()
    print(f"before: {filled.rows} rows of what was left to count", flush=True)
    count = customers_asked() * 20 // 365
    _happened(some_profiles(count))
    began = time.monotonic()
    drain()
    print(f"{count} touchpoints of as many customers computed in {time.monotonic() - began:.1f} s", flush=True)
    for what in ("that day", "nothing more"):
        began = last = time.monotonic()

        def tell(line: str) -> None:
            nonlocal last
            now = time.monotonic()
            print(f"  {now - last:6.2f} s  {line}", flush=True)
            last = now

        done = fill(tell=tell)
        seconds = time.monotonic() - began
        print(f"fill of {what}: {seconds:.2f} s, {done.rows} rows, {done.customers} histories, {done.broken} broken")


def year() -> None:
    from analytics.days.fill import fill

    fill()
    before, known_at = _sums(), _known_at()
    print(f"kept as of {known_at:%H:%M:%S}", flush=True)
    began, kills = time.monotonic(), 0
    ask("DELETE FROM analytics_counting WHERE statistic = ANY(%s)", list(COUNTED))
    seconds = 0.0
    while not seconds:
        process = manage("fill_days")
        until = time.monotonic() + KILLED * 2**kills
        while time.monotonic() < until and not seconds and process.poll() is None:
            time.sleep(0.1)
            seconds = time.monotonic() - began if _is_counted() else 0.0
        if not seconds:
            process.send_signal(signal.SIGKILL)
            kills += 1
            print(f"killed after {time.monotonic() - began:.0f} s: {_progress()}", flush=True)
        process.wait()
    ((first,),) = ask("SELECT min(day) FROM analytics_stageday")
    days = (_known_at().date() - first).days
    print(
        f"{days} days counted anew in {seconds:.0f} s, {kills} kills among them: a year in {365 * seconds / days:.0f} s"
    )
    after = _sums()
    for table in TABLES:
        print(f"  {table}: {after[table][0]} rows, {'the same' if after[table] == before[table] else 'OTHERS'}")
    assert after == before, (before, after)


def _happened(profiles: list[int]) -> None:
    """A touchpoint for each at some time of the last day."""
    ask(
        "INSERT INTO customers_touchpoint (profile_id, occurred_at, received_at, body_hash, message_hash, source_id,"
        " type_id, channel_id, flags, amount, currency, order_ref, properties)"
        " SELECT profile, date_trunc('milliseconds', clock_timestamp() - random() * %s), clock_timestamp(), 1,"
        " gen_random_uuid(), %s, type.id, 1, 0, CASE WHEN type.name = 'Order Completed' THEN 4900 END, '', '', '{}'"
        " FROM unnest(%s::bigint[]) WITH ORDINALITY AS one (profile, number)"
        " JOIN customers_touchpointtype AS type ON type.name ="
        " CASE WHEN number %% 10 = 0 THEN 'Order Completed' ELSE 'Page Viewed' END",
        timedelta(days=1),
        bench_source(),
        profiles,
    )
    ask("INSERT INTO customers_stale (profile_id, cause, attempts) SELECT unnest(%s::bigint[]), 1, 0", profiles)


def _sums() -> dict[str, tuple[Any, ...]]:
    """Of each table how many rows it has and a sum that tells whether they are the same."""
    found = {}
    for table, numbers in TABLES.items():
        told = " OR ".join(f"{number} <> 0" for number in numbers)
        (found[table],) = ask(
            f"SELECT count(*), sum(hashtextextended(one::text, 0)) FROM analytics_{table} AS one WHERE {told}"
        )
    return found


def _known_at() -> Any:
    from analytics.days.kept import kept

    return kept().known_at


def _is_counted() -> bool:
    rows = ask("SELECT statistic, state FROM analytics_counting WHERE statistic = ANY(%s)", list(COUNTED))
    return {one for one, _state in rows} == set(COUNTED) and {state for _one, state in rows} == {"done"}


def _progress() -> str:
    rows = ask("SELECT statistic, state, max(next_customer) FROM analytics_counting GROUP BY 1, 2 ORDER BY 1, 2")
    return ", ".join(f"{name} {state} ({customer})" for name, state, customer in rows)


def main(*asked: str) -> None:
    start_django()
    begin("what keeping the figures costs")
    need_touchpoints()
    for name in asked or ("day", "year"):
        print(f"\n### {name}", flush=True)
        {"day": day, "year": year}[name]()


if __name__ == "__main__":
    main(*sys.argv[1:])
