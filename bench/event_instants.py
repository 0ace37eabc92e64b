"""What other databases take for a weaker question: `python bench/event_instants.py`.

How often customers change their stage of model `seven`, told at the instants of touchpoints only: window functions do
not see what ends by time alone, which is most of what a lifecycle is. DuckDB and ClickHouse (chdb) get a Parquet file
on all processors, PostgreSQL a table of fewer customers. Our engine answers the whole question on one processor. What
is compared is time a touchpoint."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from django.db import connection, transaction

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.measuring import PROJECT, Measured, begin, measured, need_touchpoints, peers_python, report, start_django

QUESTION = (PROJECT / "bench" / "event_instants.sql").read_text()
EVENTS = (
    "SELECT profile.customer_id AS owner, (extract(epoch FROM occurred_at))::bigint AS instant,"
    " (extract(epoch FROM occurred_at))::bigint / 86400 AS day, type.role AS role, coalesce(amount, 0) AS amount"
    " FROM customers_touchpoint AS touchpoint JOIN customers_profile AS profile ON profile.id = touchpoint.profile_id"
    " JOIN customers_touchpointtype AS type ON type.id = touchpoint.type_id"
)


def load_columns(folder: Path, customers: int) -> int:
    """Write the columns of the first customers' touchpoints, by owner and time, for the peers; how many rows."""
    from lifecycle.live import live
    from lifecycle.load import load

    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM customers_customer ORDER BY id LIMIT %s", [customers])
        ids = np.array([one for (one,) in cursor.fetchall()])
        cursor.execute("SELECT id, role FROM customers_touchpointtype")
        roles = dict(cursor.fetchall())
    parts = [load(customers=part, program=live().program) for part in np.array_split(ids, max(1, len(ids) // 10_000))]
    names = sorted(set(roles.values()))
    code = np.zeros(max(roles) + 1, np.int8)
    code[list(roles)] = [names.index(role) for role in roles.values()]
    columns = {
        "owner": np.concatenate([part.customers[part.facts.owner] for part in parts]),
        "instant": np.concatenate([part.facts.ms for part in parts]) // 1000,
        "role": code[np.concatenate([part.facts.type for part in parts])],
        "amount": np.concatenate([part.facts.amount for part in parts]),
    }
    for name, column in columns.items():
        np.save(folder / f"{name}.npy", column)
    (folder / "roles.json").write_text(json.dumps(names))
    return len(columns["owner"])


def engine_seconds(repeats: int, sample: int) -> Measured:
    """The whole question, in memory: all stages of `seven` with everything that ends by time alone."""
    from lifecycle.live import live
    from lifecycle.load import load
    from lifecycle.models import Subject
    from lifecycle.rules.evaluate import spells

    program = live(only=Subject.objects.get(key="seven").pk).program
    assert program is not None
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM customers_customer ORDER BY id LIMIT %s", [sample])
        facts = load(customers=[one for (one,) in cursor.fetchall()], program=program).facts
    return measured(
        f"our engine, one processor, the whole question, {sample:,} customers",
        lambda: spells(program, facts),
        repeats=repeats,
        rows=len(facts.ms),
        unit="touchpoints",
    )


def postgresql_seconds(sample: int) -> Measured:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TEMPORARY TABLE events ON COMMIT DROP AS {EVENTS} WHERE profile.customer_id IN"
            " (SELECT id FROM customers_customer ORDER BY id LIMIT %s) ORDER BY owner, instant",
            [sample],
        )
        cursor.execute("ANALYZE events")
        cursor.execute("SELECT count(*) FROM events")
        (rows,) = cursor.fetchone()
        return measured(
            f"PostgreSQL, one processor, {sample:,} customers",
            lambda: cursor.execute(QUESTION),
            repeats=1,
            rows=rows,
            unit="touchpoints",
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--customers", type=int, default=200_000, help="customers that DuckDB and ClickHouse get")
    parser.add_argument("--sample", type=int, default=20_000, help="customers that PostgreSQL gets")
    options = parser.parse_args()
    start_django()
    begin("What do other databases take for stages at the instants of touchpoints only?")
    need_touchpoints()
    with TemporaryDirectory() as name:
        folder = Path(name)
        rows = load_columns(folder, options.customers)
        said = subprocess.run(
            [peers_python(), PROJECT / "bench" / "peers.py", folder, str(options.repeats)],
            input=QUESTION,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        ).stdout
    peers = [
        Measured(f"{peer}, all processors", tuple(seconds), rows, "touchpoints")
        for peer, seconds in json.loads(said.splitlines()[-1]).items()
    ]
    engine = engine_seconds(options.repeats, options.customers)
    postgresql = postgresql_seconds(options.sample)
    report("Stages at the instants of touchpoints only", [*peers, postgresql, engine])
    for one in (*peers, postgresql):
        times = (one.median / one.rows) / (engine.median / engine.rows)
        print(f"- {one.what}: {times:.1f} times our engine's time a touchpoint, on one processor")


if __name__ == "__main__":
    main()
