"""How much memory and how long a file of millions of rows takes: `python bench/exports.py [--rows N]`.

Makes files of customers and of touchpoints in each format by `manage.py export`, in a process of its own whose peak of
resident memory is read, against COPY of the same rows by the server (the floor); and asks a web server for the file and
for the streamed answer, to see when the first byte comes and, with --whole, what the last one took. The database must
be filled and computed: bench/load.py, bench/replay.py. Few rows in a large database are asked for by a page of the
list, many by everybody."""

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.measuring import PROJECT, Measured, begin, measured, need_touchpoints, peak_resident_mb, report, start_django

KEEPER = "bench-exports@example.org"


def keeper() -> Any:
    """Somebody who may take files away."""
    from clm.lib.access.models import Role, User

    return User.objects.filter(email=KEEPER).first() or User.objects.create_user(KEEPER, role=Role.MARKETER)


EVERYBODY = "sort=-created"


def make(subject: str, format: str, question: str) -> tuple[float, float, int, float]:
    """Have a file made: seconds, peak resident memory (MB), rows, and the seconds to the first byte of its link."""
    from analytics.exports.jobs import folder, noted, stop
    from analytics.exports.links import token
    from analytics.models import Export
    from customers.ingest import clock

    export = noted(
        who=keeper(),
        subject=subject,
        format=format,
        dialect=Export.Dialect.PAGE,
        question=question,
        byte_order_mark=False,
        now=clock(),
    )
    began, peak = time.perf_counter(), 0.0
    process = subprocess.Popen(
        [sys.executable, str(PROJECT / "manage.py"), "export"],
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        stdout=subprocess.DEVNULL,
    )
    while process.poll() is None:
        peak = max(peak, peak_resident_mb(process.pid) or 0.0)
        time.sleep(0.05)
    seconds = time.perf_counter() - began
    export.refresh_from_db()
    assert export.state == Export.State.READY, export.error
    size = (folder() / export.file).stat().st_size
    with web_server() as web:
        link = web.first_byte(f"/exports/{export.pk}/{token(export)}/")
    print(
        f"{subject} as {format}: {export.rows:,} rows, {size / 1e6:,.0f} MB, {seconds:,.0f} s, peak {peak:.0f} MB"
        f" resident; first byte of the link after {link:.2f} s",
        flush=True,
    )
    stop(export=export, now=clock())
    return seconds, peak, export.rows, link


def copied(statement: str) -> Any:
    """COPY of a query to nowhere."""
    from django.db import connection

    def act() -> None:
        with Path(os.devnull).open("wb") as nowhere, connection.cursor() as cursor:
            cursor.cursor.copy_expert(f"COPY ({statement}) TO STDOUT (FORMAT csv)", nowhere)

    return act


FLOORS = {
    "customers": "SELECT customer.id, name, email, phone, listed.last_seen, orders, revenue FROM customers_customer"
    " AS customer JOIN analytics_listed AS listed ON listed.customer_id = customer.id WHERE merged_into_id IS NULL",
    "touchpoints": "SELECT touchpoint.id, profile.customer_id, occurred_at, received_at, type_id, channel_id, source_id"
    ", amount, original_amount, currency, order_ref, properties, flags FROM customers_profile AS profile"
    " JOIN customers_touchpoint AS touchpoint ON touchpoint.profile_id = profile.id",
}


@dataclass
class Web:
    """A web server of one process, asked as somebody who may take files away."""

    port: int
    cookie: str
    server: int

    def first_byte(self, path: str) -> float:
        """Seconds from asking to the first byte of the answer."""
        with self._asked(path) as (answer, began):
            answer.read(1)
            return time.perf_counter() - began

    def whole(self, path: str) -> tuple[float, float, int, float]:
        """Seconds to the first byte and to the last, bytes, and the most memory (MB) of a process of the server."""
        peak, size = 0.0, 1
        with self._asked(path) as (answer, began):
            answer.read(1)
            first = time.perf_counter() - began
            while piece := answer.read(1 << 20):
                size += len(piece)
                peak = max(peak, *(peak_resident_mb(one) or 0.0 for one in self._processes()))
            return first, time.perf_counter() - began, size, peak

    def _processes(self) -> list[int]:
        children = Path(f"/proc/{self.server}/task/{self.server}/children")
        return [self.server, *map(int, children.read_text().split())] if children.exists() else [self.server]

    @contextmanager
    def _asked(self, path: str) -> Iterator[tuple[HTTPResponse, float]]:
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=120)) as web:
            began = time.perf_counter()
            web.request("GET", path, headers={"Cookie": f"sessionid={self.cookie}"})
            answer = web.getresponse()
            assert answer.status == 200, answer.status
            yield answer, began


@contextmanager
def web_server() -> Iterator[Web]:
    """One while it is needed."""
    from django.test import Client

    client = Client()
    client.force_login(keeper())
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", "--config", "python:clm.web_server"]
    env = {**os.environ, "PYTHONPATH": str(PROJECT), "PORT": str(port), "HOST": "127.0.0.1", "WEB_PROCESSES": "1"}
    server = subprocess.Popen(command, env=env, cwd=PROJECT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    web = Web(port, client.cookies["sessionid"].value, server.pid)
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                web.first_byte("/exports/")
                break
            except OSError:
                assert time.monotonic() < deadline, "the web server does not answer"
                time.sleep(0.2)
        yield web
    finally:
        server.terminate()
        server.wait()


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--rows", type=int, default=None, help="refuse a database with fewer touchpoints")
    asked.add_argument("--formats", nargs="*", default=None, help="only these")
    asked.add_argument("--subjects", nargs="*", default=["customers", "touchpoints"], help="only these")
    asked.add_argument("--question", default=EVERYBODY, help="the query of the list whose people are meant")
    asked.add_argument("--whole", action="store_true", help="read the streamed answers to their end")
    options = asked.parse_args()
    start_django()
    from analytics.exports.formats import CONTENT_TYPES
    from analytics.models import Export

    begin("What does a file of everybody cost?")
    need_touchpoints(options.rows)
    formats = options.formats or list(Export.Format.values)
    for subject in options.subjects:
        # The floor is COPY of everybody's rows; there is none of some people's.
        floor = measured("COPY", copied(FLOORS[subject]), repeats=1) if options.question == EVERYBODY else None
        results, links = [], []
        for format in formats:
            seconds, peak, rows, link = make(subject, format, options.question)
            results.append(Measured(f"{format}, peak {peak:.0f} MB", (seconds,), rows, "rows"))
            links.append(Measured(f"first byte of the link to {format}", (link,)))
        floors = [] if floor is None else [Measured("COPY", floor.seconds, results[0].rows, "rows")]
        streamed = []
        for format in formats:
            if format not in CONTENT_TYPES:
                continue
            with web_server() as web:
                asked_for = f"/customers/export/?what={subject}&format={format}&{options.question}"
                if options.whole:
                    first, last, size, peak = web.whole(asked_for)
                    streamed.append(
                        Measured(f"{format} sent at once, {size / 1e6:,.0f} MB, peak {peak:.0f} MB", (last,))
                    )
                else:
                    first = web.first_byte(asked_for)
            streamed.append(Measured(f"first byte of {format} sent at once", (first,)))
        report(subject, [*floors, *results, *links, *streamed], floor=floors[0] if floors else None)
    Export.objects.filter(user__email=KEEPER).delete()
    keeper().delete()


if __name__ == "__main__":
    main()
