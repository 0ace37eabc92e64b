"""Fixtures of the tests of truth: other connections that hold something up, other processes, and a clean memory."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import close_old_connections, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper

PROJECT = Path(__file__).resolve().parents[2]
PATIENCE = 20.0


class Side:
    """Somebody else's connection to the test's database, who holds up whoever comes along."""

    def __init__(self) -> None:
        self.connection: BaseDatabaseWrapper = connection.copy()
        self.connection.set_autocommit(True)

    def ask(self, statement: str, parameters: Any = None) -> list[tuple[Any, ...]]:
        with self.connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            return cursor.fetchall() if cursor.description else []

    @contextmanager
    def holding(self, statement: str, parameters: Any = None) -> Iterator[None]:
        """A transaction that holds what `statement` locks, rolled back at the end."""
        self.ask("BEGIN")
        try:
            self.ask(statement, parameters)
            yield
        finally:
            self.ask("ROLLBACK")

    def table(self, name: str) -> Any:
        """Nobody else reads or writes that table meanwhile: a process stops at the step that needs it."""
        return self.holding(f"LOCK TABLE {name} IN ACCESS EXCLUSIVE MODE")

    def waits_for(self, lock: str, count: int = 1) -> list[int]:
        """Wait until `count` other backends wait for a table (by name) or an advisory lock (by its first number)."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            found = self.ask(
                "SELECT DISTINCT pid FROM pg_locks WHERE NOT granted"
                " AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND ("
                " (locktype = 'relation' AND relation = to_regclass(%s)) OR"
                " (locktype = 'advisory' AND classid::text = %s))",
                [lock, lock],
            )
            if len(found) >= count:
                return [pid for (pid,) in found]
            time.sleep(0.01)
        raise AssertionError(f"nobody came to wait for {lock}")

    def blocked(self) -> int:
        """How many backends of this database wait for a lock now."""
        self.ask("SELECT pg_stat_clear_snapshot()")  # a transaction would go on seeing what it saw first
        ((count,),) = self.ask(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        return count

    def waits(self, count: int) -> None:
        """Wait until so many backends of this database wait for locks, whatever those are."""
        deadline = time.monotonic() + PATIENCE
        while self.blocked() < count:
            assert time.monotonic() < deadline, f"no {count} wait for a lock"
            time.sleep(0.01)

    def close(self) -> None:
        self.connection.close()


@pytest.fixture
def side(transactional_db: None) -> Iterator[Side]:
    one = Side()
    yield one
    one.close()


@pytest.fixture
def other_side(transactional_db: None) -> Iterator[Side]:
    one = Side()
    yield one
    one.close()


class Running:
    """An act in a thread of its own, with its own connection."""

    def __init__(self, act: Callable[[], Any]) -> None:
        self.answer: Any = None
        self.error: BaseException | None = None
        self._act = act
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self.answer = self._act()
        except BaseException as error:  # handed over to whoever waits
            self.error = error
        finally:
            connections.close_all()

    @property
    def is_over(self) -> bool:
        return not self._thread.is_alive()

    def result(self) -> Any:
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive(), "still waiting for somebody"
        if self.error is not None:
            raise self.error
        return self.answer


@pytest.fixture
def run(transactional_db: None) -> Iterator[Callable[[Callable[[], Any]], Running]]:
    """`run(act)`: the act, meanwhile, on a connection of its own."""
    started: list[Running] = []

    def start(act: Callable[[], Any]) -> Running:
        started.append(Running(act))
        return started[-1]

    yield start
    for one in started:
        one._thread.join(PATIENCE)
    close_old_connections()


Process = subprocess.Popen


@pytest.fixture
def spawn(outside_env: dict[str, str]) -> Iterator[Callable[..., "Process[str]"]]:
    """`spawn(code)`: Python code in a process of its own, on this test's database, with Django set up. Killed at the
    end if it still runs."""
    started: list[Process[str]] = []

    def start(code: str, **env: str) -> "Process[str]":
        started.append(
            subprocess.Popen(
                [sys.executable, "-c", f"import django; django.setup()\n{code}"],
                env={**outside_env, "LOG_LEVEL": "CRITICAL", **env},
                cwd=PROJECT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
        )
        return started[-1]

    yield start
    for one in started:
        if one.poll() is None:
            one.kill()
        one.communicate()
