"""The oldest PostgreSQL that is promised runs the schema, every SQL file and the engine: on a throw-away cluster of its
own, beside the newest one that all other tests run on.

Where it is not installed the test says so in the summary, and under CI it fails: a promise nobody checks is none."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from django.conf import settings

from clm.embedded.account import Account, servers_account
from clm.embedded.places import Places

PROJECT = Path(__file__).resolve().parents[2]
# Where Debian, Ubuntu and Homebrew put it.
FOLDERS = ("/usr/lib/postgresql/15/bin", "/opt/homebrew/opt/postgresql@15/bin", "/usr/local/opt/postgresql@15/bin")
MISSING = (
    "PostgreSQL 15, the oldest one promised, is not installed: apt-get install postgresql-15 (brew: postgresql@15)"
)
SUITE = (
    "tests/customers/test_schema.py",
    "tests/house/test_sql_files.py",
    "tests/lifecycle/test_replay.py",
)


@pytest.fixture
def address() -> Iterator[str]:
    """The address of an empty PostgreSQL 15."""
    programs = next((Path(folder) for folder in FOLDERS if (Path(folder) / "initdb").exists()), None)
    if programs is None:
        if os.environ.get("CI"):
            pytest.fail(MISSING, pytrace=False)
        pytest.skip(MISSING)
    room = Path(tempfile.mkdtemp(prefix="clm-15-"))
    room.chmod(0o755)
    account: Account = servers_account(Places(room), programs / "postgres")
    data = room / "data"
    account.make_directory(data)
    code, said = account.run(
        [programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"]
    )
    assert code == 0, said
    options = f"-F -c listen_addresses='' -c unix_socket_directories={data} -c max_connections=60"
    control = [programs / "pg_ctl", "-w", "-D", data]
    code, said = account.run([*control, "start", "-l", data / "log", "-o", options])
    assert code == 0, said
    yield f"postgres://postgres@{quote(str(data), safe='')}/postgres"
    account.run([*control, "stop", "-m", "immediate"])
    shutil.rmtree(room)


@pytest.mark.skipif(bool(settings.DATABASE_URL), reason="this run has chosen its server already")
def test_schema_queries_and_engine_run_on_the_oldest_version_promised(address: str, tmp_path: Path):
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "CLM_"))}
    env |= {"DATABASE_URL": address, "CLM_TEST_DATA_DIR": str(tmp_path), "CLM_TEST_DATABASE": "test_15"}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *SUITE],
        cwd=PROJECT,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:]
    assert " passed" in done.stdout.splitlines()[-1]
    assert "skipped" not in done.stdout.splitlines()[-1]
