"""A whole installation for tests that kill, freeze and flood its parts: private servers in a data directory of its own,
and the program's processes on them, started as an operator starts them."""

import hashlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg2
from django.db import connection as tests_connection

from clm.embedded.places import postgres_program
from clm.embedded.servers import Embedded
from clm.lib.processes import wait_until
from clm.management.commands.up import children
from tests.conftest import PROJECT

KEY = "wk_storm"
PREPARE = """
import django
django.setup()
from django.core.management import call_command
from customers.models import Source
from customers.receiving.write_keys import hashed
import sys
call_command("prepare", leave_out=["admin"], stdout=sys.stderr)
Source.objects.create(key="storm", name="Storm", kind="api", write_key_hash=hashed(sys.argv[1]))
"""


class Installation:
    """Servers, one source whose write key is KEY, and whichever processes a test starts."""

    def __init__(self, data: Path, **settings: str) -> None:
        self.servers = Embedded(data, fast=True)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.env = {
            **os.environ,
            "CLM_DATA_DIR": str(data),
            "CLM_EMBEDDED_FAST": "1",
            "DATABASE_URL": "",
            "REDIS_URL": "",
            "PORT": str(self.port),
            "PYTHONPATH": str(PROJECT),
            "DJANGO_SETTINGS_MODULE": "clm.settings",
            "LOG_LEVEL": "ERROR",
            **settings,
        }
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.servers.ensure_postgres()
        self._copy_tables()
        subprocess.run([sys.executable, "-c", PREPARE, KEY], env=self.env, cwd=PROJECT, check=True, timeout=120)

    def _copy_tables(self) -> None:
        """Give the empty database the tables of the test database: migrations would make the same in ten seconds."""
        told = tests_connection.settings_dict
        env = {**os.environ, "PGPASSWORD": str(told.get("PASSWORD") or "")}
        address = ["-h", str(told["HOST"]), "-p", str(told["PORT"] or 5432), "-U", str(told["USER"]), str(told["NAME"])]
        dump = [str(postgres_program("pg_dump")), "--no-owner", "--no-privileges", *address]
        schema = subprocess.run([*dump, "--schema-only"], env=env, capture_output=True, check=True).stdout
        data = ["--data-only", "--table", "django_migrations"]
        seen = subprocess.run([*dump, *data], env=env, capture_output=True, check=True).stdout
        here = ["-h", str(self.servers.places.sockets), "-U", "postgres", "-d", "postgres"]
        command = [str(postgres_program("psql")), "-X", "-q", "-v", "ON_ERROR_STOP=1", *here]
        subprocess.run(command, input=schema + seen, stdout=subprocess.DEVNULL, check=True)

    def start(self, *names: str) -> None:
        """Start some of: web, worker, beat, advance. Returns when the web server answers."""
        commands = {child.name: child.command for child in children(python=sys.executable, advance=True)}
        for name in names:
            self.running[name] = subprocess.Popen(
                commands[name], env=self.env, cwd=PROJECT, stdin=subprocess.DEVNULL, start_new_session=True
            )
        if "web" in names:
            assert wait_until(lambda: self.ask("GET", "/healthz")[0] == 200, seconds=60, every=0.05)

    def end(self, *names: str) -> None:
        """End some processes and what they started; by default all."""
        for name in names or tuple(self.running):
            process = self.running.pop(name)
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=15)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def workers(self) -> list[int]:
        """The processes that answer requests."""
        shown = subprocess.run(["/bin/ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
        pairs = [tuple(map(int, line.split())) for line in shown.splitlines()]
        return sorted(pid for pid, parent in pairs if parent == self.running["web"].pid)

    def query(self, statement: str, values: Iterable[Any] | None = None) -> list[tuple[Any, ...]]:
        """Run one statement on the private PostgreSQL, committed."""
        with self.connection() as opened, opened.cursor() as cursor:
            cursor.execute(statement, values)
            rows = cursor.fetchall() if cursor.description else []
        opened.close()
        return rows

    def connection(self) -> Any:
        return psycopg2.connect(host=str(self.servers.places.sockets), user="postgres", dbname="postgres")

    def ask(
        self, method: str, path: str, body: bytes | None = None, *, port: int | None = None, seconds: float = 30.0
    ) -> tuple[int, dict[str, str]]:
        """Status and headers, by a connection of its own; status 0 when no answer comes."""
        called = http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=seconds)
        headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json", "Connection": "close"}
        try:
            called.request(method, path, body, headers if body is not None else {})
            answer = called.getresponse()
            answer.read()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}
        except (OSError, http.client.HTTPException):
            return 0, {}
        finally:
            called.close()

    def post(self, messages: Iterable[dict[str, Any]], *, port: int | None = None) -> tuple[int, dict[str, str]]:
        return self.ask("POST", "/v1/batch", json.dumps({"batch": list(messages)}).encode(), port=port)

    def stored(self) -> dict[str, int]:
        """How often each message is stored, by the text of its hash; that somebody is new is no message."""
        rows = self.query(
            "SELECT message_hash::text, count(*) FROM ("
            "   SELECT message_hash FROM customers_touchpoint AS touchpoint"
            "   JOIN customers_touchpointtype AS type ON type.id = type_id WHERE type.name <> 'Created'"
            "   UNION ALL SELECT message_hash FROM customers_traittelling WHERE message_hash IS NOT NULL"
            ") AS either GROUP BY 1"
        )
        return dict(rows)

    def server_log(self) -> str:
        return self.servers.postgres.log.read_text(errors="replace")

    def close(self) -> None:
        self.end()
        self.servers.stop(force=True)


class Patient:
    """Sends a batch as client libraries do, again and again until it is acknowledged."""

    def __init__(self, installation: Installation, port: int) -> None:
        self.installation, self.port = installation, port

    def send(self, messages: list[dict[str, Any]], *, until: float) -> list[int]:
        """The answers, 0 for none, the last of them 200; gives up at an instant of the monotonic clock."""
        answers = []
        while time.monotonic() < until:
            status, _headers = self.installation.post(messages, port=self.port)
            answers.append(status)
            if status == 200:
                return answers
            time.sleep(0.05)
        raise AssertionError(f"never acknowledged: {answers[-20:]}")


def hash_text(message_id: str) -> str:
    """How a message id is stored, worked out beside the program."""
    digest = hashlib.blake2b(message_id.encode(), digest_size=16).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:]}"
