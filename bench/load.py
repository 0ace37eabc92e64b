"""How long it takes to store a simulated population: `python bench/load.py [--customers N] [--processes P]`.

Makes a database of its own in this installation's private PostgreSQL, runs `manage.py simulate` into it with every
index and constraint in place, vacuum included, and then copies the same touchpoints, as bare binary COPY by as many
sessions, into a table without index or constraint. Prints seconds, rows per second and the ratio."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import django
from django.conf import settings
from django.db import connection
from psycopg2 import connect, sql

PROJECT = Path(__file__).resolve().parent.parent


def manage(database: str, *arguments: str) -> float:
    """Run a management command on a database; seconds."""
    environment = {**os.environ, "CLM_DATABASE": database, "PYTHONPATH": str(PROJECT)}
    began = time.perf_counter()
    subprocess.run([sys.executable, str(PROJECT / "manage.py"), *arguments], env=environment, check=True)
    return time.perf_counter() - began


def session(database: str):
    """A session of its own on that database."""
    parameters = {**connection.get_connection_params(), "dbname": database}
    parameters.pop("cursor_factory", None)
    opened = connect(**parameters)
    opened.autocommit = True
    return opened


def ask(database: str, statement, *parameters: object) -> list[tuple]:
    with closing(session(database)) as opened, opened.cursor() as cursor:
        cursor.execute(statement, parameters or None)
        return cursor.fetchall() if cursor.description else []


def copy(database: str, statement, path: Path, mode: str) -> None:
    """COPY between a file of ours and the server."""
    with closing(session(database)) as opened, opened.cursor() as cursor, path.open(mode) as file:
        cursor.copy_expert(statement, file, size=1 << 20)


def bare_copy(database: str, processes: int) -> float:
    """Seconds for copying all touchpoints into a table that has nothing but columns."""
    ask(database, "CREATE TABLE bench_bare (LIKE customers_touchpoint)")
    ((first, last),) = ask(database, "SELECT min(id), max(id) FROM customers_touchpoint")
    folder = settings.DATA_DIR / "bench"
    folder.mkdir(exist_ok=True)
    step = (last - first) // processes + 1
    files = [folder / f"touchpoints-{part}" for part in range(processes)]
    try:
        for part, file in enumerate(files):
            start = first + part * step
            rows = "SELECT * FROM customers_touchpoint WHERE id >= {} AND id < {}"
            out = sql.SQL(f"COPY ({rows}) TO STDOUT (FORMAT binary)")
            copy(database, out.format(sql.Literal(start), sql.Literal(start + step)), file, "wb")
        ask(database, "CHECKPOINT")
        began = time.perf_counter()
        with ThreadPoolExecutor(processes) as pool:
            into = sql.SQL("COPY bench_bare FROM STDIN (FORMAT binary)")
            list(pool.map(lambda file: copy(database, into, file, "rb"), files))
        return time.perf_counter() - began
    finally:
        ask(database, "DROP TABLE bench_bare")
        for file in files:
            file.unlink(missing_ok=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--until", default="2026-11-01")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--database", default="bench_load", help="its name; must not exist")
    parser.add_argument("--keep", action="store_true", help="leave the database there")
    asked = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clm.settings")
    django.setup()
    connection.ensure_connection()  # starts or finds the private server
    here = str(connection.settings_dict["NAME"])
    name = sql.Identifier(asked.database)
    ask(here, sql.SQL("CREATE DATABASE {}").format(name))
    try:
        manage(asked.database, "migrate", "--verbosity", "0")
        manage(asked.database, "install")
        took = manage(
            asked.database, "simulate", "--customers", str(asked.customers), "--seed", str(asked.seed),
            "--until", asked.until, "--processes", str(asked.processes), "--no-stages",
        )  # fmt: skip
        ((rows,),) = ask(asked.database, "SELECT count(*) FROM customers_touchpoint")
        copied = bare_copy(asked.database, asked.processes)
    finally:
        if not asked.keep:
            ask(here, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))
    print(f"{rows:,} touchpoints of {asked.customers:,} people, {asked.processes} processes")
    print(f"simulate, indexes, constraints and vacuum: {took:7.1f} s  {rows / took:9,.0f} touchpoints/s")
    print(f"bare COPY of the touchpoints, no index:    {copied:7.1f} s  {rows / copied:9,.0f} touchpoints/s")
    print(f"ratio {took / copied:.1f}")


if __name__ == "__main__":
    main()
