"""`manage.py up`, as `make run` calls it: a whole installation comes up, survives kills, and ends with Ctrl-C."""

import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import pytest

from clm.embedded.servers import Embedded
from clm.lib.processes import birth, wait_until
from tests.embedded.conftest import PROJECT, room  # noqa: F401 (a fixture)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Installation:
    """One `manage.py up` on a data directory and a port of its own."""

    def __init__(self, data: Path, port: int, *options: str, static: Path | None = None) -> None:
        self.data, self.port, self.options, self.lines = data, port, options, []
        self.env = {
            **os.environ,
            "CLM_DATA_DIR": str(data),
            "DATABASE_URL": "",
            "REDIS_URL": "",
            "PORT": str(port),
            "DJANGO_SETTINGS_MODULE": "clm.settings",
        }
        if static is not None:
            self.env["CLM_STATIC_DIR"] = str(static)

    def start(self) -> "Installation":
        self.lines.clear()
        self.process = self.popen()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        return self

    def popen(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "manage.py", "up", *self.options],
            env=self.env,
            cwd=PROJECT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "manage.py", *words]
        return subprocess.run(command, env=self.env, cwd=PROJECT, capture_output=True, text=True, check=True)

    def _read(self) -> None:
        for line in self.process.stdout:
            self.lines.append(line)

    @property
    def output(self) -> str:
        return "".join(self.lines)

    def says(self, text: str, *, seconds: float = 60) -> bool:
        return wait_until(lambda: text in self.output or self.process.poll() is not None, seconds=seconds) and (
            text in self.output
        )

    def get(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, ""
        except OSError:
            return 0, ""

    def seen_by(self, email: str, password: str, path: str) -> int:
        """The status of a page for somebody who signs in with these words."""
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        address = f"http://127.0.0.1:{self.port}"
        with browser.open(f"{address}/account/login/?next={path}", timeout=10) as form:
            token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', form.read().decode())[1]
        words = {"csrfmiddlewaretoken": token, "login": email, "password": password, "next": path}
        with browser.open(f"{address}/account/login/", urllib.parse.urlencode(words).encode(), timeout=10) as answer:
            return answer.status if urllib.parse.urlsplit(answer.url).path == path else 0

    def children(self) -> set[int]:
        """The processes under the supervisor that live now."""
        record = json.loads((self.data / "up.json").read_text())
        return {pid for pid, born in record if birth(pid) == born}

    def interrupt(self) -> int:
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(timeout=60)
        self.reader.join(timeout=5)
        self.process.stdout.close()
        return code


@pytest.fixture(scope="module")
def collected(tmp_path_factory):
    """Where static files are collected, once for all installations here: compressing them takes long."""
    return tmp_path_factory.mktemp("static")


@pytest.fixture
def installation(room, collected):  # noqa: F811
    made = Installation(room / "data", free_port(), static=collected)
    yield made
    if made.process.poll() is None:
        made.process.send_signal(signal.SIGINT)
        made.process.wait(timeout=60)
    made.process.stdout.close()
    Embedded(made.data).stop(force=True)


def test_a_fresh_installation_comes_up_survives_kills_and_ends_with_ctrl_c(installation, collected):
    installation.start()
    assert installation.says("CLM is ready"), installation.output
    assert f"http://127.0.0.1:{installation.port}/" in installation.output

    assert installation.get("/account/login/")[0] == 200

    # Without the demo there is one admin and there are the models to look at.
    kept = installation.data / "admin-login.txt"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    role, email, password = kept.read_text().split()
    assert role == "admin"
    assert installation.says(password) and installation.output.count(password) == 1
    for path in ("/", "/customers/", "/metrics/", "/models/seven/", "/system/"):
        assert installation.seen_by(email, password, path) == 200, path
    # Tick and workers start when the first page is served.
    assert wait_until(lambda: json.loads(installation.get("/readyz")[1])["broken"] == [], seconds=30, every=0.2)
    files = json.loads((collected / "staticfiles.json").read_text())["paths"]
    assert {"vendor/echarts/echarts.min.js", "vendor/inter/files/inter-latin-wght-normal.woff2"} <= set(files)
    assert installation.get(f"/static/{files['vendor/inter/index.css']}")[0] == 200

    # A second one on the same data, and one on the same port, are refused in one line.
    for env in ({}, {"CLM_DATA_DIR": str(installation.data.parent / "other")}):
        second = subprocess.run(
            [sys.executable, "manage.py", "up"],
            env={**installation.env, **env},
            cwd=PROJECT,
            capture_output=True,
            text=True,
        )
        assert second.returncode == 1
        assert second.stderr.count("\n") == 1
    assert f"PORT={installation.port + 1} make run" in second.stderr

    # Both servers and every child are killed; the supervisor brings all of them back.
    servers = Embedded(installation.data)
    before = installation.children()
    assert len(before) >= 3
    killed = [*(server.pid for server in servers.status()), *before]
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    assert installation.says("PostgreSQL runs again"), installation.output
    assert installation.says("Valkey runs again"), installation.output
    assert wait_until(lambda: installation.get("/account/login/")[0] == 200, seconds=30), installation.output
    assert wait_until(lambda: len(installation.children() - before) == len(before), seconds=30), installation.output
    assert "web was killed by SIGKILL; starting it again in 0.5 s" in installation.output

    left = installation.children()
    assert installation.interrupt() == 0
    assert "Stopped; your data is kept." in installation.output
    assert {birth(pid) for pid in left} == {None}
    assert [server.pid for server in servers.status()] == [None, None]

    # The second start finds everything done.
    installation.start()
    assert installation.says("CLM is ready after")
    assert "Preparing" not in installation.output
    assert "Compressing" not in installation.output
    assert "Installed" not in installation.output
    assert kept.read_text().split() == [role, email, password]
    assert installation.says(password)
    assert installation.interrupt() == 0


def test_a_command_prepares_a_fresh_data_directory_and_the_first_start_lets_somebody_sign_in(room, collected):  # noqa: F811
    began = time.time() - 1_000
    made = Installation(room / "data", free_port(), "--demo", "--since", f"{began:.0f}", static=collected)
    done = made.command("simulate", "--customers", "5", "--processes", "1")
    assert done.stdout.splitlines()[-1].endswith(" rows changed")
    assert done.stderr.startswith("Making a private database in ")
    assert done.stderr.endswith("The database is ready.\n")
    # What a command prints is its own: the key stands alone. And nothing is prepared twice.
    done = made.command("create_key", "--role", "viewer", "--name", "n")
    assert (done.stdout.count("\n"), done.stderr) == (1, "")
    try:
        made.start()
        assert made.says("CLM is ready after"), made.output
        assert 1_000 < float(re.search(r"ready after ([\d.]+) s", made.output)[1]) < 1_100
        _role, email, password = (made.data / "admin-login.txt").read_text().split()
        assert made.says(password)
        assert not (made.data / "demo-logins.txt").exists()  # the demo leaves an installation with customers alone
        assert made.seen_by(email, password, "/customers/") == 200
    finally:
        made.interrupt()
        Embedded(made.data).stop(force=True)
