"""The manual for operators: its commands are run as they stand, its units are what compose runs, its tables name what
there is."""

import json
import os
import re
import secrets
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import pytest

from clm.embedded.places import postgres_program
from clm.embedded.servers import Embedded
from clm.health import readyz
from clm.lib.processes import wait_until
from tests.embedded.conftest import PROJECT, query, room  # noqa: F401 (a fixture)
from tests.house.containers import SECRETS, compose
from tests.house.test_up import free_port

MANUAL = (PROJECT / "docs" / "operations.md").read_text()
SERVICES = compose(SECRETS)["services"]
BLOCKS = [(kind.strip(), text.strip()) for kind, text in re.findall(r"```(\w+[ \w]*)\n(.*?)```", MANUAL, re.DOTALL)]
# Blocks of commands that are not run, by how they begin, and why.
NOT_RUN = {
    "cp .env.example .env": "needs a container engine; the same steps are run in test_containers_run.py",
    "sudo -u postgres createuser": "needs the server's own superuser; make packages is what every test run begins with",
    "git pull\ndocker compose": "needs a container engine",
    "git pull\nmake packages": "changes this very folder and needs systemd; its other steps are run under By hand",
    "docker compose exec -T postgres pg_dump": "needs a container engine; the same dump is run on a server by address",
}
ORDERS = """Order,SKU,Qty,Unit price,Created at,Customer ID
{rows}
"""
MAPPING = {
    "source": {"key": "shop", "name": "Our shop"},
    "columns": {
        "invoice": "Order",
        "product": "SKU",
        "quantity": "Qty",
        "price": "Unit price",
        "time": "Created at",
        "customer": "Customer ID",
    },
    "time_format": "iso",
    "time_zone": "Europe/London",
    "currency": "EUR",
}


@dataclass
class Shell:
    """A terminal in the project's folder, on an installation with private servers in `data`."""

    data: Path
    folder: Path
    servers: Embedded
    port: int = field(default_factory=free_port)

    def env(self, kind: str) -> dict[str, str]:
        programs = postgres_program("psql").parent
        env = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}", "DJANGO_SETTINGS_MODULE": "clm.settings"}
        env |= {"CLM_DATA_DIR": str(self.data), "DATABASE_URL": "", "REDIS_URL": "", "PORT": str(self.port)}
        if kind != "private":
            # The same server, by address and not by itself: to the program it is a server of the operator's.
            address = f"postgres://postgres@{quote(str(self.servers.places.sockets), safe='')}/postgres"
            env |= {"DATABASE_URL": address, "REDIS_URL": "redis://127.0.0.1:1/0"}
            env |= {"SECRET_KEY": secrets.token_urlsafe(64), "ALLOWED_HOSTS": "127.0.0.1", "HTTPS": "1"}
        env.pop("DJANGO_ALLOW_ASYNC_UNSAFE", None)  # of the tests' own browser
        return env

    def run(self, kind: str, script: str) -> str:
        """Run a block as it stands, in the folder for what it writes; what it printed. Any failing line fails it."""
        script = script.replace(".venv/bin/python manage.py", f"{shlex.quote(sys.executable)} {PROJECT}/manage.py")
        done = subprocess.run(
            ["/bin/sh", "-e", "-c", script.replace("127.0.0.1:8000", f"127.0.0.1:{self.port}")],
            cwd=self.folder,
            env={**self.env(kind), "PYTHONPATH": str(PROJECT)},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
        return done.stdout


def blocks(kind: str, beginning: str) -> str:
    """The block of that kind with that text in its first lines."""
    (found,) = [text for one, text in BLOCKS if one == f"sh {kind}" and beginning in text]
    RUN.add(found)
    return found


RUN: set[str] = set()


@pytest.fixture
def shell(room: Path) -> Iterator[Shell]:  # noqa: F811
    folder = room / "work"
    folder.mkdir(mode=0o777)
    servers = Embedded(room / "data", fast=True)
    yield Shell(room / "data", folder, servers)
    servers.stop(force=True)


def sell(shell: Shell) -> None:
    """Orders of 40 customers, over half a year."""
    lines = [
        f"{n},P{n % 7},{1 + n % 3},{n % 50}.50,2025-{1 + n % 6:02}-{1 + n % 27:02}T10:00:00,C{n % 40}"
        for n in range(300)
    ]
    (shell.folder / "orders.csv").write_text(ORDERS.format(rows="\n".join(lines)))
    (shell.folder / "shop.json").write_text(json.dumps(MAPPING))
    shell.run("private", ".venv/bin/python manage.py import_file orders.csv --mapping shop.json")


def test_the_commands_of_the_manual_do_what_it_says(shell: Shell):
    shell.run("private", ".venv/bin/python manage.py prepare")
    sell(shell)
    shell.run("private", ".venv/bin/python manage.py advance")
    shell.servers.ensure_postgres()  # kept up between the commands, each of which would stop it as its last user

    # By hand: the first of a release.
    said = shell.run("servers", blocks("servers", "check --deploy"))
    assert said.splitlines()[-1] == "The database is ready."

    # A key for a program: the last line is the secret.
    assert re.fullmatch(r"clm_[\w-]{40,}", shell.run("private", blocks("private", "create_key")).splitlines()[-1])

    # Backup, and restoring it under another name, whole: nothing is computed otherwise than it was.
    shell.run("servers", blocks("servers", "pg_dump --format=custom"))
    shell.run("private", blocks("private", "embedded pg_dump"))
    for block in (blocks("servers", "clm_restored"), blocks("servers", "clm_moved")):
        said = shell.run("servers", block)
        assert said.splitlines()[-1] == "0 rows changed", said
        assert re.search(r"bucket 1 of 1: 40 customers, 300 touchpoints", said)
    tables = "SELECT count(*) FROM lifecycle_transition"
    believed = shell.run("private", f'.venv/bin/python manage.py embedded psql -- -Atc "{tables}"')
    restored = shell.run(
        "private", f'psql -h "{shell.servers.places.sockets}" -U postgres -Atc "{tables}" clm_restored'
    )
    assert int(restored) == int(believed) > 100

    # Watching, with web and tick running as their units run them.
    units = unit_commands()
    children = []
    try:
        for name in ("clm-web", "clm-advance"):
            command = shlex.split(units[name].replace("/srv/clm/.venv/bin", str(Path(sys.executable).parent)))
            children.append(
                subprocess.Popen(
                    command, cwd=PROJECT, env={**shell.env("servers"), "HTTPS": "0"}, stderr=subprocess.DEVNULL
                )
            )
        pulse = "SELECT count(*) FROM lifecycle_pulse WHERE part = 'tick'"
        assert wait_until(lambda: query(shell.servers, pulse) == [(1,)], seconds=30, every=0.2)
        probe = ["curl", "--silent", "--output", os.devnull, f"http://127.0.0.1:{shell.port}/healthz"]
        assert wait_until(lambda: subprocess.run(probe, check=False).returncode == 0, seconds=30, every=0.2)
        said = shell.run("servers", blocks("web", "healthz"))
        assert said.startswith("ok\n")
        assert '"ready": true' in said
        assert re.search(r"tick: seen \d+ seconds ago\n$", said)
    finally:
        for child in children:
            child.terminate()
        assert [child.wait(timeout=40) for child in children] == [0] * len(children)

    assert "rows changed" in shell.run("servers", blocks("servers", "manage.py partitions"))
    shell.servers.ensure_valkey()
    # This test is a user of the servers itself, so they stop only by force.
    said = shell.run("private", blocks("private", "embedded status") + " --force")
    assert re.search(r"count *\n-+\n *40\n", said)
    assert said.endswith("Both servers are stopped.\n")
    assert {text for kind, text in BLOCKS if kind in ("sh private", "sh servers", "sh web")} == RUN


def test_every_block_that_is_not_run_is_listed_with_its_reason():
    left = [text for kind, text in BLOCKS if kind == "sh"]
    matched = {start: [text for text in left if text.startswith(start)] for start in NOT_RUN}
    assert {start for start, found in matched.items() if len(found) != 1} == set()
    assert len(left) == len(NOT_RUN)
    known = ("sh", "sh private", "sh servers", "sh web", "ini", "ini unit", "json")
    assert {kind for kind, _text in BLOCKS} == set(known)


def test_what_is_not_run_names_only_what_there_is():
    for kind, text in BLOCKS:
        if kind != "sh":
            continue
        services = re.findall(r"docker compose (?:exec(?: -T)?|stop) (\w+)", text)
        assert [name for name in services if name not in SERVICES] == []
        for name in re.findall(r"clm-(\w+)", text):
            assert name in SERVICES


def unit_commands() -> dict[str, str]:
    return {
        f"clm-{name}": command for name, command in re.findall(r"^\| clm-(\w+) \| `([^`]+)` \|", MANUAL, re.MULTILINE)
    }


def test_units_run_what_the_containers_run_and_give_as_much_time():
    units = unit_commands()
    assert {name.removeprefix("clm-") for name in units} == {
        name for name in SERVICES if "build" in SERVICES[name] and name != "prepare"
    }
    for name, command in units.items():
        service = SERVICES[name.removeprefix("clm-")]
        words = shlex.split(command)
        assert [Path(words[0]).name, *words[1:]] == service["command"]
        (seconds,) = re.findall(rf"^\| {name} \|.*\| (\d+) \|$", MANUAL, re.MULTILINE)
        assert service.get("stop_grace_period", "10s") == f"{seconds}s"
    (unit,) = [text for kind, text in BLOCKS if kind == "ini unit"]
    given = dict(line.split("=", 1) for line in unit.splitlines() if "=" in line)
    assert given["ExecStart"] == units["clm-web"]
    assert given["User"] not in ("", "root")
    (env,) = [text for kind, text in BLOCKS if kind == "ini"]
    assert given["ReadWritePaths"] == dict(line.split("=", 1) for line in env.splitlines())["CLM_DATA_DIR"]


@pytest.mark.django_db
def test_the_parts_that_readyz_names_are_those_of_the_table(rf):
    table = MANUAL[MANUAL.index("| part |") : MANUAL.index("What to watch besides")]
    listed = re.findall(r"^\| `(\w+)` \|[^|]*\| (\w+)", table, re.MULTILINE)
    parts = json.loads(readyz(rf.get("/readyz")).content)["parts"]
    assert [name for name, _requests in listed] == list(parts)


def test_the_line_of_the_log_in_the_manual_has_the_fields_that_lines_have():
    (example,) = [json.loads(text) for kind, text in BLOCKS if kind == "json"]
    assert set(example) == {"at", "level", "logger", "event", "request_id", "method", "route", "status", "ms"}
    section = MANUAL[MANUAL.index("## The log") : MANUAL.index("## When something dies")]
    assert {name for name in example if f"`{name}`" not in section} == set()


def test_every_link_inside_the_manual_leads_somewhere():
    headings = {re.sub(r"[^\w -]", "", one).lower().replace(" ", "-") for one in re.findall(r"^## (.+)$", MANUAL, re.M)}
    assert set(re.findall(r"\]\(#([\w-]+)\)", MANUAL)) == headings
