"""How long a simulated population takes into the database: `python bench/load.py [--seed S] [--processes P]`.

Fills an empty database through `manage.py simulate`, with every index and constraint in place, vacuum included; then
copies the same touchpoints, as bare binary COPY by as many sessions, into a table without index or constraint. The
population stays for the measurements that follow."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from psycopg2 import connect

from bench.measuring import PROJECT, Measured, Refused, begin, customers_asked, report, start_django


def manage(*arguments: str) -> float:
    """Run a management command on the database that is measured; seconds."""
    began = time.perf_counter()
    command = [sys.executable, str(PROJECT / "manage.py"), *arguments]
    subprocess.run(command, env={**os.environ, "PYTHONPATH": str(PROJECT)}, check=True)
    return time.perf_counter() - began


def session() -> Any:
    """A session of its own."""
    from django.db import connection

    connection.ensure_connection()  # starts or finds the private server
    opened = connect(connection.connection.dsn)
    opened.autocommit = True
    return opened


def ask(statement: Any) -> Any:
    """The first row of the answer, if there is one."""
    with closing(session()) as opened, opened.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone() if cursor.description else None


def copy(statement: Any, path: Path, mode: str) -> None:
    """COPY between a file of ours and the server."""
    with closing(session()) as opened, opened.cursor() as cursor, path.open(mode) as file:
        cursor.copy_expert(statement, file, size=1 << 20)


def bare_copy(files: Sequence[Path]) -> float:
    """Seconds for copying all touchpoints, by one session for each file, into a table that has nothing but columns."""
    ask("CREATE TABLE bench_bare (LIKE customers_touchpoint)")
    try:
        first, last = ask("SELECT min(id), max(id) FROM customers_touchpoint")
        step = (last - first) // len(files) + 1
        for part, file in enumerate(files):
            start = first + part * step
            rows = f"SELECT * FROM customers_touchpoint WHERE id >= {start} AND id < {start + step}"
            copy(f"COPY ({rows}) TO STDOUT (FORMAT binary)", file, "wb")
        ask("CHECKPOINT")
        began = time.perf_counter()
        with ThreadPoolExecutor(len(files)) as pool:
            list(pool.map(lambda file: copy("COPY bench_bare FROM STDIN (FORMAT binary)", file, "rb"), files))
        return time.perf_counter() - began
    finally:
        ask("DROP TABLE bench_bare")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--until", default="2026-11-01", help="the day on which the simulated time ends")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args()
    people = customers_asked()
    begin("The load: how long does a simulated population take into the database, beside bare COPY?")
    start_django()
    manage("migrate", "--verbosity", "0")
    if ask("SELECT 1 FROM customers_customer LIMIT 1") is not None:
        raise Refused("This fills an empty database and finds customers: name another in CLM_BENCH_DATA_DIR.")
    manage("install")
    took = manage(
        "simulate", "--customers", str(people), "--seed", str(asked.seed), "--until", asked.until,
        "--processes", str(asked.processes), "--no-stages",
    )  # fmt: skip
    (rows,) = ask("SELECT count(*) FROM customers_touchpoint")
    with tempfile.TemporaryDirectory() as folder:
        bare = bare_copy([Path(folder) / str(part) for part in range(asked.processes)])
    floor = Measured("bare COPY, no index", (bare,), rows, "touchpoints")
    loaded = Measured("`manage.py simulate`, vacuum included", (took,), rows, "touchpoints")
    report(f"{rows:,} touchpoints of {people:,} people, {asked.processes} processes", [floor, loaded], floor=floor)


if __name__ == "__main__":
    main()
