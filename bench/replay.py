"""What computing everybody anew costs: `python bench/replay.py [--subjects seven models all] [--merges]`.

Measured is `manage.py replay` as shipped, on a process for each processor. Beside it stands bare COPY of the rows it
cannot do without, in as many processes: all touchpoints out, and the transitions in (first fill) or out (nothing to
change). 1 % of the customers are merged and 5 % of the touchpoints newer than the last vacuum; `--merges` tells what
merging another 1 % costs.

It writes stages anew and leaves them as it found the rules: use a database made for measuring."""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from django.db import connection

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.measuring import PROJECT, Measured, begin, measured, need_touchpoints, report, start_django
from clm.lib.processes import processors

NAMES = {"seven": "seven alone", "models": "three models", "all": "all shipped"}
SUBJECTS = {
    "seven": ["seven"],
    "models": ["seven", "five", "cycle"],
    "all": ["seven", "five", "cycle", "active_customer"],
}
MERGED = 0.01
NEWER = 0.05
MOST_MEMORY = 512e6
TOUCHPOINTS_OUT = (
    "COPY (SELECT profile_id, occurred_at, type_id, channel_id, amount FROM customers_touchpoint"
    " WHERE profile_id BETWEEN {} AND {} ORDER BY profile_id, occurred_at) TO STDOUT (FORMAT binary)"
)
BELIEVED_OUT = (
    "COPY (SELECT customer_id, version_id, entered_at, stage_id FROM lifecycle_transition"
    " WHERE customer_id BETWEEN {} AND {} AND superseded_at IS NULL ORDER BY customer_id, version_id, entered_at)"
    " TO STDOUT (FORMAT binary)"
)
COLUMNS = "customer_id, version_id, stage_id, entered_at, recorded_at, cause"
TRANSITIONS_OUT = (
    f"COPY (SELECT {COLUMNS} FROM lifecycle_transition WHERE customer_id BETWEEN {{}} AND {{}}"
    " AND superseded_at IS NULL ORDER BY customer_id, version_id, entered_at) TO STDOUT (FORMAT binary)"
)


@dataclass
class Replays:
    """`manage.py replay` run some times: what it said, and the most memory one of its processes held."""

    said: list[dict[str, int]] = field(default_factory=list)
    memory: float = 0.0

    def run(self) -> None:
        command = [sys.executable, str(PROJECT / "manage.py"), "replay"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            text = process.stdout.read()
            _pid, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit("the replay failed")
        # Of the processes that it started as well; Linux counts kilobytes, macOS bytes.
        self.memory = max(self.memory, used.ru_maxrss * (1 if sys.platform == "darwin" else 1024))
        done = re.findall(r"(\d+) customers, (\d+) touchpoints", text)[-1]
        (rows,) = re.findall(r"^(\d+) rows changed$", text, re.MULTILINE)
        self.said.append({"customers": int(done[0]), "touchpoints": int(done[1]), "rows": int(rows)})

    def rows(self, expected: Callable[[int], bool]) -> None:
        assert all(expected(one["rows"]) for one in self.said), self.said


def asked(statement: str, *parameters: Any) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall() if cursor.description else []


def psql_command() -> list[str]:
    """A psql connected to the database that is measured; bare COPY has no other client."""
    where = connection.get_connection_params()
    if where.get("password"):
        os.environ["PGPASSWORD"] = str(where["password"])
    command = ["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", where["dbname"]]
    for option, key in (("-h", "host"), ("-p", "port"), ("-U", "user")):
        if where.get(key):
            command += [option, str(where[key])]
    return command


def psql(statement: str, **files: Any) -> None:
    subprocess.run([*psql_command(), "-c", statement], check=True, **files)


def at_once(acts: Sequence[Callable[[], None]]) -> None:
    with ThreadPoolExecutor(len(acts)) as pool:
        for one in [pool.submit(act) for act in acts]:
            one.result()


def halves(column: str, table: str) -> list[tuple[int, int]]:
    """The range of ids in as many parts as there are processors."""
    ((first, last),) = asked(f"SELECT min({column}), max({column}) FROM {table}")
    borders = np.linspace(first, last + 1, processors() + 1).astype(int).tolist()
    return [(low, high - 1) for low, high in pairwise(borders)]


def copied_out(statement: str, parts: Sequence[tuple[int, int]]) -> None:
    at_once([partial(psql, statement.format(*part), stdout=subprocess.DEVNULL) for part in parts])


# --- the state that is asked for ----------------------------------------------------------------------------------
def make_newer() -> int:
    """Vacuum, and then bring 5 % more touchpoints, that no vacuum sees before the end; how many."""
    asked("ALTER TABLE customers_touchpoint SET (autovacuum_enabled = false)")
    ((pages, visible),) = asked(
        "SELECT pg_relation_size(oid) / current_setting('block_size')::int, relallvisible FROM pg_class"
        " WHERE oid = 'customers_touchpoint'::regclass"
    )
    if 1 - visible / pages < 0.8 * NEWER:
        asked("VACUUM (ANALYZE) customers_touchpoint")
        asked(
            "INSERT INTO customers_touchpoint (profile_id, occurred_at, received_at, amount, body_hash, message_hash,"
            " source_id, type_id, channel_id, flags, currency, order_ref, properties)"
            " SELECT profile_id, occurred_at - interval '1 hour', received_at, amount, body_hash, gen_random_uuid(),"
            " source_id, type_id, channel_id, flags, currency, order_ref, properties"
            " FROM customers_touchpoint TABLESAMPLE BERNOULLI (%s) REPEATABLE (26) WHERE occurred_at > '1990-01-02'",
            100 * NEWER,
        )
    ((share,),) = asked(
        "SELECT 1 - relallvisible / (pg_relation_size(oid) / current_setting('block_size')::int)::float"
        " FROM pg_class WHERE oid = 'customers_touchpoint'::regclass"
    )
    return round(100 * share)


def merge_some(*, more: bool = False) -> int:
    """Merge customers until 1 % of all were merged into another one, or 1 % `more` than were; how many are."""
    from customers.ingest import clock
    from customers.merge import merge

    ((customers, merged),) = asked("SELECT count(*), count(merged_into_id) FROM customers_customer")
    missing = round(MERGED * customers) - (0 if more else merged)
    if missing > 0:
        chosen = asked(
            "SELECT id FROM customers_customer AS customer WHERE merged_into_id IS NULL AND NOT EXISTS"
            " (SELECT FROM customers_customer AS other WHERE other.merged_into_id = customer.id)"
            " ORDER BY hashint8(id) LIMIT %s",
            2 * missing,
        )
        ids = [one for (one,) in chosen]
        for pair in zip(ids[:missing], ids[missing:], strict=True):
            merge(customers=pair, now=clock())
    return merged + max(missing, 0)


def only(*keys: str) -> None:
    """Leave only these of the shipped subjects live."""
    asked(
        "UPDATE lifecycle_subject SET retired_at = CASE WHEN NOT key = ANY(%s) THEN now() END WHERE key = ANY(%s)",
        list(keys),
        SUBJECTS["all"],
    )


def forget() -> None:
    """As it is before the first fill: nothing computed, nothing waiting."""
    asked(
        "TRUNCATE lifecycle_transition, lifecycle_standing, lifecycle_due, lifecycle_replaybucket, lifecycle_replay,"
        " customers_stale"
    )
    asked("CHECKPOINT")


def settle_down() -> None:
    """What autovacuum does to tables that were just filled."""
    for table in ("lifecycle_transition", "lifecycle_standing", "lifecycle_due"):
        asked(f"VACUUM (ANALYZE) {table}")
    asked("CHECKPOINT")


# --- measuring ----------------------------------------------------------------------------------------------------
def copied_in(folder: Path, table: str, make: str, repeats: int) -> Measured:
    """COPY of the transitions into a table that was just made."""
    parts = halves("customer_id", "lifecycle_transition")
    files = [folder / f"{number}.copy" for number in range(len(parts))]
    for part, file in zip(parts, files, strict=True):
        with file.open("wb") as out:
            psql(TRANSITIONS_OUT.format(*part), stdout=out)
    ((rows,),) = asked("SELECT count(*) FROM lifecycle_transition WHERE superseded_at IS NULL")

    def fill(file: Path) -> None:
        with file.open("rb") as given:
            psql(f"COPY bench_transition ({COLUMNS}) FROM STDIN (FORMAT binary)", stdin=given)

    def before() -> None:
        asked("DROP TABLE IF EXISTS bench_transition")
        asked(f"CREATE TABLE bench_transition (LIKE lifecycle_transition INCLUDING DEFAULTS INCLUDING IDENTITY {make})")
        asked("CHECKPOINT")

    result = measured(
        f"COPY transitions into {table}",
        lambda: at_once([partial(fill, file) for file in files]),
        before=before,
        repeats=repeats,
        rows=rows,
    )
    asked("DROP TABLE bench_transition")
    return result


def together(what: str, *parts: Measured) -> Measured:
    return Measured(what, tuple(map(sum, zip(*(sorted(part.seconds) for part in parts), strict=True))))


def measure(name: str, touchpoints_out: Measured, repeats: int) -> tuple[Measured, Measured]:
    """First fill and unchanged replay of the subjects that are live, beside COPY of the same rows."""
    fills, unchanged = Replays(), Replays()
    touchpoints = touchpoints_out.rows
    fill = measured(
        f"first fill, {name}", fills.run, before=forget, repeats=repeats, rows=touchpoints, unit="touchpoints"
    )
    fills.rows(lambda rows: rows > 0)
    settle_down()
    repeat = measured(f"unchanged replay, {name}", unchanged.run, repeats=repeats, rows=touchpoints, unit="touchpoints")
    unchanged.rows(lambda rows: rows == 0)
    with TemporaryDirectory() as folder:
        plain = copied_in(Path(folder), "a table without indexes", "", repeats)
        shipped = copied_in(Path(folder), "a table with the shipped indexes and constraints", "INCLUDING ALL", repeats)
    parts = halves("customer_id", "lifecycle_transition")
    out = measured("COPY transitions out", lambda: copied_out(BELIEVED_OUT, parts), repeats=repeats, rows=plain.rows)
    report(f"{name}: the parts", [touchpoints_out, plain, shipped, out])
    loose = together("COPY touchpoints out + transitions in, as shipped", touchpoints_out, shipped)
    strict = together("COPY touchpoints out + transitions in, bare", touchpoints_out, plain)
    report(f"{name}: first fill, against COPY into a table with the shipped indexes", [loose, fill], floor=loose)
    report(f"{name}: first fill, against COPY into a table without any", [strict, fill], floor=strict)
    both = together("COPY of both out", touchpoints_out, out)
    report(f"{name}: unchanged replay, 0 rows written", [both, repeat], floor=both)
    most = max(fills.memory, unchanged.memory)
    print(f"Most memory of a process: {most / 1e6:.0f} MB (at most {MOST_MEMORY / 1e6:.0f})")
    return fill, repeat


def what_merges_cost(repeats: int) -> None:
    """An unchanged replay before another 1 % of the customers are merged, and after."""
    ((merged,),) = asked("SELECT count(*) FROM customers_customer WHERE merged_into_id IS NOT NULL")
    print(f"{merged:,} customers were merged before")
    found = []
    for what in ("before merging another 1 %", "after"):
        replays = Replays()
        replays.run()  # fills, and after the merges settles what they changed
        settle_down()
        found.append(measured(f"unchanged replay, all shipped, {what}", replays.run, repeats=repeats))
        if not found[1:]:
            merge_some(more=True)
    report("What merging 1 % of the customers costs a replay", found, floor=found[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subjects", nargs="+", default=["seven", "models", "all"], choices=[*NAMES])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--merges", action="store_true", help="merge another 1 % and tell what they cost")
    options = parser.parse_args()
    start_django()
    begin("What does computing everybody anew cost?")
    need_touchpoints()
    try:
        print(f"{make_newer()} % of the touchpoints' pages are newer than the last vacuum", flush=True)
        if options.merges:
            what_merges_cost(options.repeats)
        print(f"{merge_some():,} customers are merged into another one", flush=True)
        ((touchpoints,),) = asked("SELECT count(*) FROM customers_touchpoint")
        parts = halves("id", "customers_profile")
        out = measured(
            "COPY touchpoints out",
            lambda: copied_out(TOUCHPOINTS_OUT, parts),
            repeats=options.repeats,
            rows=touchpoints,
            unit="touchpoints",
        )
        found = {}
        for name in options.subjects:
            only(*SUBJECTS[name])
            found[name] = measure(NAMES[name], out, options.repeats)
        if {"seven", "models"} <= found.keys():
            for number, what in enumerate(("first fill", "unchanged replay")):
                ratio = found["models"][number].median / found["seven"][number].median
                print(f"Three models against seven alone, {what}: {ratio:.2f}")
    finally:
        only(*SUBJECTS["all"])
        asked("ALTER TABLE customers_touchpoint RESET (autovacuum_enabled)")


if __name__ == "__main__":
    main()
