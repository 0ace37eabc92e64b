"""A storm over a whole installation: answers get lost, processes are killed, PostgreSQL is stopped at once, the broker
freezes, more is sent than can be stored. Whatever was acknowledged is stored, once.

`make test` has some seconds of each with a fixed seed; `make soak` minutes, with new seeds."""

import http.client
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pytest_django import DjangoDbBlocker

from analytics.days.declared import APART
from bench.measuring import percentile
from clm.lib.processes import wait_until
from customers import locks
from tests.lasting import seed

from .forgetting import forgetting
from .sending import identify, track
from .whole import Installation, Patient, hash_text

# For the tables of the test database, which the installation gets a copy of.
pytestmark = pytest.mark.django_db
SEED = seed(7)
THREADS, PEOPLE, IN_A_BATCH = 50, 150, 20
PATIENCE = 90.0


def figures(text: str) -> None:
    """For whoever runs this with -s: what was seen."""
    sys.stdout.write(f"{text}\n")


@pytest.fixture(scope="module")
def installation(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Installation]:
    with tempfile.TemporaryDirectory(prefix="clm storm ") as folder, django_db_blocker.unblock():
        Path(folder).chmod(0o755)
        made = Installation(Path(folder) / "data")
        try:
            made.start("web")
            yield made
        finally:
            made.close()


def told(name: str, count: int) -> list[dict[str, Any]]:
    """So many messages of all kinds; the same person's ids always stand together."""
    chance = random.Random(count)
    at = datetime.now(UTC) - timedelta(hours=1)
    messages = []
    for number in range(count):
        person = f"{name} {chance.randrange(PEOPLE)}"
        said = {"user": person, "anonymousId": f"device of {person}"}
        said["timestamp"] = (at + timedelta(seconds=number)).isoformat()
        if number % 4 == 0:
            messages.append(identify(f"{name}-{number}", traits={"n": number, "email": None}, **said))
        else:
            messages.append(track(f"{name}-{number}", ["Order Completed", "Feature Used"][number % 2], **said))
    return messages


@pytest.mark.parametrize(
    "seconds", [pytest.param(6.0, id="short"), pytest.param(120.0, id="long", marks=pytest.mark.soak)]
)
def test_whatever_is_acknowledged_is_stored_once_whoever_dies_and_whichever_answer_is_lost(
    installation: Installation, seconds: float
) -> None:
    name = f"storm{seconds:g}"
    messages = told(name, 3_000 if seconds < 60 else 60_000)
    people_before = installation.query("SELECT count(*) FROM customers_customer")[0][0]
    log_before = len(installation.server_log())
    acknowledged: set[str] = set()
    answers: Counter[int] = Counter()
    failures: list[BaseException] = []
    ending = time.monotonic() + seconds

    with forgetting(installation.port, share=0.3, seed=SEED) as proxy:

        def client(number: int) -> None:
            chance = random.Random(f"{SEED} {number}")
            patient = Patient(installation, proxy.port)
            try:
                while time.monotonic() < ending:
                    batch = chance.sample(messages, IN_A_BATCH)
                    answers.update(patient.send(batch, until=ending + PATIENCE))
                    acknowledged.update(message["messageId"] for message in batch)
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=client, args=(number,)) for number in range(THREADS)]
        for thread in threads:
            thread.start()
        killed, stopped = kill_about(installation, random.Random(SEED), until=ending)
        for thread in threads:
            thread.join(PATIENCE + 60)
        dropped, handed_on = proxy.dropped, proxy.handed_on

    assert failures == []
    assert killed >= 2 and stopped >= 1
    assert dropped > 0.2 * handed_on
    # Gone without an answer, or told to come back: nothing else happens to who sends.
    assert answers.keys() <= {0, 200, 429, 503}, answers
    stored = installation.stored()
    sent = {hash_text(message["messageId"]) for message in messages}
    assert len(acknowledged) > 200
    assert {hash_text(one) for one in acknowledged} - stored.keys() == set()
    assert {stored[one] for one in sent & stored.keys()} == {1}
    log = installation.server_log()[log_before:]
    assert log.count("received immediate shutdown request") == stopped
    assert "deadlock detected" not in log
    people = {message["userId"] for message in messages if hash_text(message["messageId"]) in stored}
    assert installation.query("SELECT count(*) FROM customers_customer")[0][0] - people_before == len(people)
    bodies = installation.query(
        "SELECT count(*) FROM customers_rawbody AS body, unnest(coalesce(messages, ARRAY[message_hash])) AS message"
        " WHERE message::text = ANY(%s)",
        [list(sent)],
    )
    assert bodies[0][0] == len(sent & stored.keys())
    figures(
        f"{len(acknowledged)} messages acknowledged, {dropped} answers lost, {killed} workers killed, "
        f"{stopped} times stopped; answers {dict(answers)}"
    )


def kill_about(installation: Installation, chance: random.Random, *, until: float) -> tuple[int, int]:
    """By turns kill a process that answers requests and stop PostgreSQL at once, until then; how often each."""
    killed = stopped = 0
    pause = (until - time.monotonic()) / (6 if until - time.monotonic() < 60 else 30)
    while time.monotonic() < until - pause:
        time.sleep(pause)
        if (killed + stopped) % 3 == 1:
            pid = installation.servers.postgres.pid()
            if pid is not None:
                os.kill(pid, signal.SIGQUIT)  # pg_ctl stop -m immediate
                stopped += 1
        elif workers := installation.workers():
            os.kill(chance.choice(workers), signal.SIGKILL)
            killed += 1
    return killed, stopped


def under_load(
    installation: Installation, name: str, act: Callable[[], None], *, clients: int = 3
) -> list[tuple[int, float]]:
    """Status and seconds of each batch that some clients send while `act` runs."""
    ended = threading.Event()
    seen: list[tuple[int, float]] = []

    def client(number: int) -> None:
        sent = 0
        while not ended.is_set():
            sent += 1
            person = f"{name} {number} {sent % 20}"
            batch = [track(f"{name}-{number}-{sent}-{each}", user=person) for each in range(10)]
            began = time.perf_counter()
            status, _headers = installation.post(batch)
            seen.append((status, time.perf_counter() - began))
            ended.wait(0.02)

    threads = [threading.Thread(target=client, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    try:
        act()
    finally:
        ended.set()
        for thread in threads:
            thread.join(60)
    return seen


@pytest.mark.parametrize(
    ("seconds", "with_workers"),
    [pytest.param(4.0, False, id="short"), pytest.param(60.0, True, id="long", marks=pytest.mark.soak)],
)
def test_a_frozen_broker_is_not_noticed_by_who_sends_and_what_waited_is_worked_off(
    installation: Installation, seconds: float, with_workers: bool
) -> None:
    installation.servers.ensure_valkey()
    names = ("advance", "worker", "beat") if with_workers else ("advance",)
    installation.start(*names)
    try:
        if with_workers:
            assert wait_until(lambda: counted(installation) is not None, seconds=60, every=0.1)
        broker = installation.servers.valkey.pid()
        assert broker is not None

        def freeze() -> None:
            os.kill(broker, signal.SIGSTOP)
            try:
                time.sleep(seconds)
            finally:
                os.kill(broker, signal.SIGCONT)

        seen = under_load(installation, f"frozen{seconds:g}", freeze)
        back = time.monotonic()
        last = installation.query("SELECT max(received_at) FROM customers_touchpoint")[0][0]

        def worked_off() -> bool:
            """Advanced by the tick; and counted by a worker that a message woke."""
            if installation.query("SELECT 1 FROM customers_stale LIMIT 1"):
                return False
            return not with_workers or (counted(installation) or last) > last

        assert wait_until(worked_off, seconds=60, every=0.1)
        took = time.monotonic() - back
    finally:
        installation.end(*names)
    slowest = percentile([each for _status, each in seen], 0.99)
    assert len(seen) > 10 * seconds
    assert {status for status, _each in seen} == {200}
    assert slowest < 1.0
    figures(f"{len(seen)} batches, p99 {slowest * 1e3:.0f} ms; worked off {took:.1f} s after the return")


def counted(installation: Installation) -> datetime | None:
    """Until when everything recorded is counted into the daily figures, whose marks move with every fill."""
    ((known_at,),) = installation.query(
        "SELECT CASE WHEN bool_and(state = 'done') THEN min(known_at) END FROM analytics_counting"
        " WHERE statistic <> ALL(%s)",
        [list(APART)],
    )
    return known_at


def test_whoever_is_too_much_is_told_when_to_come_back_and_people_are_still_served(installation: Installation) -> None:
    """Storing takes for ever: what is asked for beyond the places is sent away soon, and a page is answered."""
    holder = installation.connection()
    answers: list[tuple[int, dict[str, str]]] = []
    pages: list[float] = []

    def client(number: int) -> None:
        answers.append(installation.post([track(f"flood-{number}")]))

    try:
        with holder.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, 0)", [locks.PROPERTY_KEYS])
        threads = [threading.Thread(target=client, args=(number,)) for number in range(16)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            began = time.monotonic()
            assert installation.ask("GET", "/customers/")[0] == 302  # to where one signs in
            pages.append(time.monotonic() - began)
            time.sleep(0.1)
    finally:
        holder.close()
    assert {status for status, _headers in answers} == {429, 503}
    assert all(1 <= int(headers["retry-after"]) <= 300 for _status, headers in answers)
    assert max(pages) < 3
    assert installation.post([track("flood-0")])[0] == 200
    figures(f"slowest page {max(pages):.2f} s, {Counter(status for status, _headers in answers)}")


def test_a_closed_source_is_refused_within_a_second(installation: Installation) -> None:
    def close() -> None:
        time.sleep(0.3)
        installation.query("UPDATE customers_source SET revoked_at = now() WHERE key = 'storm'")
        closed.append(time.perf_counter())
        time.sleep(1.5)

    closed: list[float] = []
    taken: list[float] = []
    ended = threading.Event()

    def client() -> None:
        number = 0
        while not ended.is_set():
            number += 1
            began = time.perf_counter()
            if installation.post([track(f"closing-{number}")])[0] == 200:
                taken.append(began)

    threads = [threading.Thread(target=client) for _client in range(3)]
    try:
        for thread in threads:
            thread.start()
        close()
    finally:
        ended.set()
        for thread in threads:
            thread.join(30)
        installation.query("UPDATE customers_source SET revoked_at = NULL WHERE key = 'storm'")
    assert min(taken) < closed[0]
    assert max(taken) - closed[0] < 1.0
    assert wait_until(lambda: installation.post([track("closing-1")])[0] == 200, seconds=5)


@pytest.mark.parametrize("chunked", [False, True], ids=["with a length", "in chunks"])
@pytest.mark.parametrize(
    ("key", "megabytes", "expected"), [("", 6, 413), ("", 20, 413), ("Bearer nobody", 6, 401)], ids=str
)
def test_whoever_sends_more_than_is_read_still_hears_the_answer(
    installation: Installation, chunked: bool, key: str, megabytes: int, expected: int
) -> None:
    """Over a connection that is kept and over one that is not, as either is closed in its own way."""
    part = b" " * 65_536
    parts = [b'{"batch":[', *[part] * (16 * megabytes), b"]}"]
    for close in (False, True):
        called = http.client.HTTPConnection("127.0.0.1", installation.port, timeout=30)
        try:
            headers = {} if chunked else {"Content-Length": str(sum(map(len, parts)))}
            headers |= {"Authorization": key} if key else {}
            headers |= {"Connection": "close"} if close else {}
            called.request("POST", "/v1/batch", iter(parts), headers, encode_chunked=chunked)
            assert called.getresponse().status == expected
        finally:
            called.close()
