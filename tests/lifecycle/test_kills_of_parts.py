"""The parts of a running installation killed in the middle of an advance: the worker's process, and the database."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from clm.embedded.servers import Embedded
from lifecycle.models import Announcement
from tests.embedded.conftest import embedded, room

from .conftest import PATIENCE, PROJECT, Side
from .making import ago, check_standings, customer_of, happened, installed, settle, stage, tell, waiting

__all__ = ["embedded", "room"]


@contextmanager
def started(command: list[str], env: dict[str, str]) -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen(
        command, env=env, cwd=PROJECT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def wait_until(condition: Any, what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds the worker's child through /proc")
def test_a_workers_process_killed_in_the_middle_of_an_advance(side: Side, outside_env: dict[str, str]) -> None:
    """A real Celery worker on the private broker: its pool process is killed with the advance half done. The message
    comes back (late acknowledgement), and even if it did not, the row is still there for the next one."""
    installed()
    tell(happened("undisturbed", "Signed Up", ago(hours=3)))
    settle()
    tell(happened("a", "Signed Up", ago(hours=3)), happened("a", "Referral Made", ago(hours=2)))
    env = {name: value for name, value in outside_env.items() if name != "REDIS_URL"}
    send = "import clm.celery, django; django.setup(); from clm.tasks import advance; advance.apply_async(expires=60)"
    worker = [sys.executable, "-W", "ignore", "-m", "celery", "--quiet", "-A", "clm.celery", "worker"]
    with started([*worker, "--loglevel", "ERROR", "--concurrency", "1"], env) as process:
        with side.holding("LOCK TABLE lifecycle_standing IN SHARE MODE"):
            sent = subprocess.run(
                [sys.executable, "-c", send], env=env, cwd=PROJECT, capture_output=True, text=True, timeout=60
            )
            assert sent.returncode == 0, sent.stderr
            side.waits_for("lifecycle_standing")
            pools = children(process.pid)
            for pool in pools:
                os.kill(pool, signal.SIGKILL)
            wait_until(lambda: not set(pools) & set(children(process.pid)), "the worker keeps a dead process")
            assert waiting() == 1
        # It went back to the queue with its worker lost; nobody sends it again.
        wait_until(lambda: waiting() == 0, "nobody took the advance up again")
    assert stage(customer_of("a")) == "advocacy"
    told = Announcement.objects.filter(customer=customer_of("a"), subject__key="seven").order_by("pk")
    assert [one.stage.key for one in told] == ["acquisition", "advocacy"]
    check_standings()


SETUP = """
    from django.core.management import call_command
    call_command("migrate", verbosity=0)
    from tests.lifecycle.making import *
    installed()
    at = ago(days=3)
    tell(*[happened(person, "Page Viewed", at) for person in ("undisturbed", "killed")])
    settle()
    at = ago(hours=2)
    events = [[happened(p, t, at) for t in ("Signed Up", "Referral Made")] for p in ("undisturbed", "killed")]
    tell(*events[0])
    settle()
    tell(*events[1])
"""
READ = """
    import json
    from django.db import connection
    from tests.lifecycle.making import *
    def told(customer):
        with connection.cursor() as cursor:
            cursor.execute("SELECT subject_id, kind, from_stage_id, stage_id, is_news FROM lifecycle_announcement"
                           " WHERE customer_id = %s ORDER BY subject_id, id", [customer])
            return cursor.fetchall()
    check_standings()
    both = [customer_of(person) for person in ("undisturbed", "killed")]
    print(json.dumps([waiting(), *[[history_of(customer), told(customer)] for customer in both]]))
"""


def test_the_database_killed_in_the_middle_of_an_advance(embedded: Embedded) -> None:
    """kill -9 of the private server and all its processes; the watching advance starts it again and goes on."""
    env = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
    env |= {"CLM_DATA_DIR": str(embedded.places.data), "CLM_EMBEDDED_FAST": "1", "PYTHONPATH": str(PROJECT)}
    env |= {"DJANGO_SETTINGS_MODULE": "clm.settings", "LOG_LEVEL": "CRITICAL"}

    def python(code: str) -> str:
        whole = "import django\ndjango.setup()\n" + textwrap.dedent(code)
        done = subprocess.run([sys.executable, "-c", whole], env=env, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout

    embedded.ensure_postgres()  # this process is a user too, so the server lives between the steps
    python(SETUP)
    holder = psycopg2.connect(host=str(embedded.places.sockets), user="postgres", dbname="postgres")
    with holder.cursor() as cursor:
        cursor.execute("LOCK TABLE lifecycle_standing IN SHARE MODE")
    with started([sys.executable, str(PROJECT / "manage.py"), "advance", "--forever"], env) as process:
        looker = psycopg2.connect(host=str(embedded.places.sockets), user="postgres", dbname="postgres")
        looker.autocommit = True

        def stopped() -> bool:
            with looker.cursor() as cursor:
                cursor.execute("SELECT 1 FROM pg_locks WHERE NOT granted")
                return cursor.fetchone() is not None

        wait_until(stopped, "the advance never came to the table")
        server = embedded.postgres.pid()
        assert server is not None
        for pid in [server, *children(server)]:
            os.kill(pid, signal.SIGKILL)
        holder.close()
        looker.close()
        wait_until(lambda: json.loads(python(READ))[0] == 0, "nobody went on with the advance")
        assert process.poll() is None
    left, undisturbed, killed = json.loads(python(READ))
    assert left == 0
    assert killed == undisturbed
