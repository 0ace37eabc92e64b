"""What does taking events in cost, beside the bare INSERT of the same rows and beside the usual way?

`python bench/ingest.py [http size]`: batches of 100 messages of about 560 bytes (70 % track, 20 % identify with changed
traits, 10 % page; 80 % of people known, 20 % new) into the database of the load. All of them, or some of:

    ways   one request through middleware and view, against its rows alone from one JSON parameter, and against a DRF
           endpoint with get_or_create; medians of interleaved rounds
    cpu    microseconds of processor time an event, Python and PostgreSQL apart (Linux only); medians of rounds
    wal    write-ahead log an event, warm, without full-page images
    http   events a second through gunicorn: one worker, then two with four clients
    hot    four clients, 500 batches on 50 customers: deadlocks
    size   the same request on this database and on one with a touchpoint a customer, interleaved

What was stored is removed at the end. Nobody else may work on the database meanwhile."""

import argparse
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from urllib.request import urlopen

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.ingest_messages import MESSAGES, Batches, Person
from bench.measuring import (
    PROJECT,
    Measured,
    Refused,
    begin,
    customers_asked,
    need_touchpoints,
    percentile,
    report,
    start_django,
)

QUESTIONS = ("ways", "cpu", "wal", "http", "hot", "size")
ROUNDS, BATCHES, PEER_BATCHES = 5, 40, 6
SMALL = "bench_ingest_small"
PEOPLE, SEED = 20_000, 7
WARM = 150  # batches a worker


def environment(database: str | None = None) -> dict[str, str]:
    """For processes that work on the database that is measured, or on another one of the same server."""
    env = {**os.environ, "PYTHONPATH": str(PROJECT), "LOG_LEVEL": "WARNING"}
    if database and env.get("DATABASE_URL"):
        env["DATABASE_URL"] = urlunsplit(urlsplit(env["DATABASE_URL"])._replace(path=f"/{database}"))
    elif database:
        env["CLM_DATABASE"] = database
    return env


class Store:
    """A process of bench/ingest_ways.py on one database."""

    def __init__(self, database: str | None = None) -> None:
        self.env = environment(database)
        script = "import sys; from bench.measuring import start_django; start_django();"
        script += " from bench.ingest_ways import serve; serve(sys.stdin)"
        self.process = subprocess.Popen(
            [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=self.env,
            cwd=PROJECT,
        )  # fmt: skip
        told = self.do("begin", people=PEOPLE, seed=SEED)
        self.key, self.rows, self.customers = told["key"], told["rows"], told["customers"]
        self.people = [Person(*each) for each in told["people"]]
        if len(self.people) < 1000:
            raise Refused("Too few people of this database have a user id: run bench/load.py first.")

    def do(self, what: str, **rest: Any) -> Any:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(json.dumps({"do": what, **rest}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise Refused("The process that stores has ended; why stands above.")
        return json.loads(line)

    def seconds(self, way: str, batches: Batches, count: int) -> float:
        """Mean seconds of a batch, over some."""
        return statistics.fmean(self.do(way, bodies=[body.decode() for body in batches.bodies(count)]))

    def close(self) -> None:
        assert self.process.stdin is not None
        self.do("forget")
        self.process.stdin.close()
        self.process.wait(timeout=60)


class Wanted:
    """What was wanted and what was found, to be told at the end."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, str, str, bool]] = []

    def at_most(self, what: str, found: float, limit: float, shown: str = "{:.2f}") -> None:
        self.rows.append((what, shown.format(found), "at most " + shown.format(limit), found <= limit))

    def at_least(self, what: str, found: float, limit: float, shown: str = "{:,.0f}") -> None:
        self.rows.append((what, shown.format(found), "at least " + shown.format(limit), found >= limit))

    def tell(self) -> bool:
        print("\n### What was wanted\n\n| figure | found | wanted | |\n| --- | --- | --- | --- |")
        for what, found, wanted, held in self.rows:
            print(f"| {what} | {found} | {wanted} | {'held' if held else '**missed**'} |")
        return all(held for *_rest, held in self.rows)


def ways(store: Store, wanted: Wanted) -> None:
    counts = {"floor": BATCHES, "whole": BATCHES, "peer": PEER_BATCHES}
    names = {
        "floor": "bare INSERT of the same rows, one JSON parameter",
        "whole": "one request through middleware and view",
        "peer": "DRF ModelSerializer(many=True), get_or_create",
    }
    batches = Batches(known=store.people, name=f"w{os.getpid()}", seed=SEED)
    for way in counts:
        store.seconds(way, batches, 10 if way != "peer" else 2)  # warm
    found: dict[str, list[float]] = {way: [] for way in counts}
    for _round in range(ROUNDS):
        for way, count in counts.items():
            found[way].append(store.seconds(way, batches, count))
    results = {way: Measured(names[way], tuple(found[way]), MESSAGES, "events") for way in counts}
    report(
        f"A batch of {MESSAGES} events, {store.rows:,} touchpoints stored", [*results.values()], floor=results["floor"]
    )
    whole = results["whole"].median
    wanted.at_most("time of a batch against the bare INSERT", whole / results["floor"].median, 3.0)
    wanted.at_least("times faster than the usual way", results["peer"].median / whole, 8, "{:.1f}")


def cpu(store: Store, _wanted: Wanted) -> None:
    batches = Batches(known=store.people, name=f"c{os.getpid()}", seed=SEED + 5)
    store.seconds("whole", batches, BATCHES)  # warm
    rounds = [
        store.do("processor", bodies=[body.decode() for body in batches.bodies(BATCHES)]) for _round in range(ROUNDS)
    ]
    python, postgres = (statistics.median(each) / BATCHES / MESSAGES * 1e6 for each in zip(*rounds, strict=True))
    print(f"\nProcessor time an event: {python:.1f} us of Python, {postgres:.1f} us of PostgreSQL", flush=True)


def wal(store: Store, wanted: Wanted) -> None:
    batches = Batches(known=store.people, name=f"l{os.getpid()}", seed=SEED + 1)
    store.do("whole", bodies=[body.decode() for body in batches.bodies(BATCHES)])
    told = store.do("wal", bodies=[body.decode() for body in batches.bodies(2 * BATCHES)])
    events = 2 * BATCHES * MESSAGES
    records, images, places = written(told)
    note = "nobody else's told apart, images included" if images is None else f"{images / events:,.0f} B more of images"
    print(f"\nWrite-ahead log of {events:,} events: {records / events:,.0f} B an event ({note})", flush=True)
    names = {int(node): name for node, name in store.do("relations")}
    for node, size in places.most_common(15):
        print(f"- {names.get(node, 'commits and the like')}: {size / events:,.0f} B")
    what = "write-ahead log an event, without full-page images, in bytes"
    wanted.at_most(what, records / events, 2000, "{:,.0f}")


def written(told: dict[str, Any]) -> tuple[int, int | None, Counter[int]]:
    """Bytes of the records that transactions of the measured database wrote between two places of the log, of the
    full-page images in them, and of the records by the file they change first; where the log cannot be read, the whole
    distance and None. Vacuum and checkpoints write without a transaction; what names no file is everybody's."""
    from clm.embedded.places import EmbeddedError, postgres_program

    try:
        reader = str(postgres_program("pg_waldump"))
    except EmbeddedError:
        reader = shutil.which("pg_waldump") or ""
    folder = Path(told["folder"]) / "pg_wal"
    if not reader or not os.access(folder, os.R_OK):
        return told["bytes"], None, Counter()
    command = [reader, "-p", str(folder), "-s", told["from"], "-e", told["until"]]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    records = images = 0
    places: Counter[int] = Counter()
    for line in said.splitlines():
        if found := re.search(r"len \(rec/tot\): +([0-9]+)/ *([0-9]+), tx: +[1-9]", line):
            file = re.search(r"blkref #0: rel [0-9]+/([0-9]+)/([0-9]+)", line)
            if file and int(file[1]) != told["database"]:
                continue
            own, whole = int(found[1]), int(found[2])
            records, images = records + own, images + whole - own
            places[int(file[2]) if file else 0] += own
    return records, images, places


@contextmanager
def web_server(store: Store, processes: int) -> Iterator[int]:
    """gunicorn as it is shipped, on a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    env = {**store.env, "PORT": str(port), "WEB_PROCESSES": str(processes)}
    command = [sys.executable, "-m", "gunicorn", "--config", "python:clm.web_server"]
    server = subprocess.Popen(command, env=env, cwd=PROJECT)
    try:
        until = time.monotonic() + 60
        while not _is_up(port):
            if time.monotonic() > until or server.poll() is not None:
                raise Refused("The web server does not answer.")
            time.sleep(0.1)
        yield port
    finally:
        server.terminate()
        server.wait(timeout=30)


class Client:
    """Whoever sends, by one connection that is kept, as client libraries do. Written to the bare socket, because it
    shares the processors that are measured."""

    def __init__(self, port: int, key: str) -> None:
        self.port, self.key = port, key
        self.socket: socket.socket | None = None

    def status(self, body: bytes) -> int:
        """Of the answer to a batch; 0 for none."""
        try:
            if self.socket is None:
                self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=60)
                self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.socket.sendall(_request(body, self.key))
            answer = b""
            while not (head := _HEAD.match(answer)) or len(answer) < head.end() + int(head[2]):
                if not (more := self.socket.recv(65_536)):
                    raise ConnectionError("the answer has no end")
                answer += more
            if b"connection: close" in head[0].lower():
                self.close()
            return int(head[1])
        except OSError:
            self.close()
            return 0

    def close(self) -> None:
        if self.socket is not None:
            self.socket.close()
            self.socket = None


_HEAD = re.compile(rb"HTTP/1.1 (\d+) .*?\r\ncontent-length: (\d+)\r\n(?:.*?\r\n)?\r\n", re.IGNORECASE | re.DOTALL)


def _request(body: bytes, key: str) -> bytes:
    head = "POST /v1/batch HTTP/1.1", "Host: 127.0.0.1", f"Authorization: Bearer {key}"
    kind = "Content-Type: application/json", f"Content-Length: {len(body)}"
    return "\r\n".join([*head, *kind, "", ""]).encode() + body


def _is_up(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/healthz", timeout=60) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def posted(port: int, key: str, bodies: Sequence[bytes], clients: int) -> tuple[float, list[float], Counter[int]]:
    """Seconds that so many clients take for the bodies, seconds of each answer, and how many answers of each status.
    What is refused for now is sent again."""
    waiting = deque(bodies)  # in the order in which they happened
    latencies: list[float] = []
    answers: Counter[int] = Counter()

    def client() -> None:
        sender = Client(port, key)
        while True:
            try:
                body = waiting.popleft()
            except IndexError:
                sender.close()
                return
            status = 0
            while status != 200:
                began = time.perf_counter()
                status = sender.status(body)
                latencies.append(time.perf_counter() - began)
                answers[status] += 1
                if status not in (200, 429, 503):
                    raise Refused(f"the server answered {status}")

    threads = [threading.Thread(target=client) for _client in range(clients)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - began, latencies, answers


def through_http(store: Store, wanted: Wanted) -> None:
    batches = Batches(known=store.people, name=f"h{os.getpid()}", seed=SEED + 2)
    print(f"\n### Through gunicorn\n\n| workers | clients | events/s (median of {ROUNDS}) | p50 | p99 | answers |")
    print("| --- | --- | --- | --- | --- | --- |")
    for processes, clients, least in ((1, 1, 0), (1, 2, 5_000), (2, 4, 10_000)):
        with web_server(store, processes) as port:
            # Each of a worker's threads has a session of its own, which plans its statements when it first runs them.
            posted(port, store.key, batches.bodies(WARM * processes), clients)
            rates, seen, told = [], [], Counter[int]()
            for _run in range(ROUNDS):
                bodies = batches.bodies(150)
                took, latencies, answers = posted(port, store.key, bodies, clients)
                rates.append(len(bodies) * MESSAGES / took)
                seen += latencies
                told += answers
        rate = statistics.median(rates)
        shown = ", ".join(f"{count} x {status}" for status, count in sorted(told.items()))
        p50, p99 = (percentile(seen, share) * 1e3 for share in (0.5, 0.99))
        print(f"| {processes} | {clients} | {rate:,.0f} | {p50:.1f} ms | {p99:.1f} ms | {shown} |", flush=True)
        if least:
            wanted.at_least(f"events/s, {processes} worker{'s' * (processes > 1)}, {clients} clients", rate, least)


def hot(store: Store, wanted: Wanted) -> None:
    batches = Batches(known=store.people, name=f"o{os.getpid()}", seed=SEED + 3)
    before = store.do("stored")
    bodies = batches.bodies(500, known=store.people[:50], new_share=0.0)
    deadlocks = store.do("deadlocks")
    with web_server(store, 2) as port:
        took, latencies, answers = posted(port, store.key, bodies, 4)
    deadlocks = store.do("deadlocks") - deadlocks
    stored = store.do("stored") - before
    p99 = percentile(latencies, 0.99) * 1e3
    print(
        f"\n500 batches of four clients on 50 customers: {len(bodies) * MESSAGES / took:,.0f} events/s, p99"
        f" {p99:.0f} ms, answers {dict(answers)}, {stored:,} messages stored, {deadlocks} deadlocks",
        flush=True,
    )
    wanted.at_most("deadlocks in 500 batches of four clients on 50 customers", deadlocks, 0, "{:.0f}")
    wanted.at_most("messages missing after them", len(bodies) * MESSAGES - stored, 0, "{:.0f}")


def size(store: Store, small: Store, wanted: Wanted) -> None:
    batches = {
        one: Batches(known=one.people, name=f"{name}{os.getpid()}", seed=SEED + 4)
        for name, one in (("s", small), ("b", store))
    }
    for one, made in batches.items():
        one.seconds("whole", made, BATCHES)  # warm
    found: dict[Store, list[float]] = {small: [], store: []}
    for _round in range(ROUNDS):
        for one, made in batches.items():
            found[one].append(one.seconds("whole", made, BATCHES))
    floor, other = (
        Measured(f"{one.rows:,} touchpoints stored", tuple(found[one]), MESSAGES, "events") for one in (small, store)
    )
    report("The same request on two sizes", [floor, other], floor=floor)
    wanted.at_most(f"cost of a batch at {store.rows:,} against {small.rows:,} stored", other.median / floor.median, 1.6)


def make_small() -> None:
    """A database of as many customers as were asked for, each with two identities and one touchpoint."""
    from django.db import connection

    drop_small()
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {SMALL} TEMPLATE template0")
    filling = "import sys; from bench.ingest_small import fill; fill(int(sys.argv[1]))"
    for command in (["manage.py", "migrate", "--verbosity", "0"], ["-c", filling, str(customers_asked())]):
        subprocess.run([sys.executable, *command], env=environment(SMALL), cwd=PROJECT, check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("questions", nargs="*", choices=[*QUESTIONS, []], help="which of them (all)")
    asked = parser.parse_args().questions or QUESTIONS
    begin("What does taking events in cost?")
    start_django()
    need_touchpoints()
    wanted = Wanted()
    with ExitStack() as ending:
        store = Store()
        ending.callback(store.close)
        print(f"{store.customers:,} customers, {store.rows:,} touchpoints stored", flush=True)
        for name, act in (("ways", ways), ("cpu", cpu), ("wal", wal), ("http", through_http), ("hot", hot)):
            if name in asked:
                act(store, wanted)
        if "size" in asked:
            make_small()
            ending.callback(drop_small)
            small = Store(SMALL)
            ending.callback(small.close)
            size(store, small, wanted)
    if not wanted.tell():
        sys.exit(1)


def drop_small() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {SMALL}")


if __name__ == "__main__":
    main()
