"""Data directories for private servers of a test's own, and processes that use them."""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg2
import pytest

from clm.embedded.servers import Embedded

PROJECT = Path(__file__).resolve().parents[2]

CLIENT = """
import sys
from pathlib import Path
from clm.embedded.servers import Embedded
embedded = Embedded(Path(sys.argv[1]), fast=True)
embedded.ensure_postgres()
embedded.ensure_valkey()
print(embedded.postgres.pid(), embedded.valkey.pid(), flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def room() -> Iterator[Path]:
    """A folder that other users may enter, with a space and a quote in its path."""
    path = Path(tempfile.mkdtemp(prefix="clm o'test "))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture
def embedded(room: Path) -> Iterator[Embedded]:
    """Private servers in a data directory that does not exist yet."""
    servers = Embedded(room / "data", fast=True)
    yield servers
    servers.stop(force=True)


class Client:
    """Another process that uses the servers until told to leave."""

    def __init__(self, data: Path, **options: object) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", CLIENT, str(data)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd="/",
            env={**os.environ, "PYTHONPATH": str(PROJECT)},
            **options,
        )

    def pids(self) -> list[int]:
        """Wait until it has its servers; the process ids of PostgreSQL and Valkey."""
        assert self.process.stdout is not None
        return [int(pid) for pid in self.process.stdout.readline().split()]

    def leave(self) -> None:
        with contextlib.suppress(ValueError):
            self.process.communicate("\n", timeout=60)

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def client() -> Iterator[Callable[..., Client]]:
    """`client(data_dir)` starts a process that uses the servers there."""
    made: list[Client] = []

    def make(data: Path, **options: object) -> Client:
        made.append(Client(data, **options))
        return made[-1]

    yield make
    for one in made:
        if one.process.poll() is None:
            one.kill()


def query(embedded: Embedded, sql: str) -> list[tuple]:
    """Run one statement on the private PostgreSQL, committed."""
    connection = psycopg2.connect(host=str(embedded.places.sockets), user="postgres", dbname="postgres")
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()
