"""manage.py up: the whole program under one supervisor, after preparing whatever is not prepared yet."""

import contextlib
import fcntl
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.core.management import get_commands
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError, connections

from clm.lib.access.first_users import make_admin
from clm.lib.database_away import said_in_one_line
from clm.lib.static_files import static_fingerprint
from clm.preparation import admin_login, migrate
from clm.supervisor import Child, Supervisor, end_leftovers
from customers.ingest import clock
from customers.models import Installation
from lifecycle.install import install

if settings.EMBEDDED_POSTGRES or settings.EMBEDDED_VALKEY:
    from clm.embedded.installation import installation
    from clm.embedded.places import EmbeddedError
    from clm.embedded.servers import Server

ENSURE_SECONDS = 2.0
WEB_ALONE_SECONDS = 5.0


class Command(BaseCommand):
    help = "Runs CLM: web, worker, beat and the tick, with the private servers where none are configured."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--demo", action="store_true", help="load the demo shop if the installation is empty")
        parser.add_argument(
            "--since", type=float, metavar="SECONDS", help="when the start began (since 1970): packages come first"
        )

    def handle(self, *, demo: bool, since: float | None, **_: Any) -> None:
        settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
        self.started = time.monotonic() - (0.0 if since is None else max(0.0, time.time() - since))
        self.announced = False
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        with (settings.DATA_DIR / "up.lock").open("ab") as lock:
            self._be_the_only_one(lock)
            record = settings.DATA_DIR / "up.json"
            if left := end_leftovers(record):
                self.say(f"Ended {left} processes that an earlier, killed run had left behind.")
            self._check_port()
            try:
                self._prepare(demo=demo)
            except KeyboardInterrupt:
                self._release()
                self.say("\nStopped; the next start goes on from here.")
                raise SystemExit(130) from None
            self.children = children(python=sys.executable, advance="advance" in get_commands())
            supervisor = Supervisor(children=self.children, record=record, say=self.say)
            ended = threading.Event()
            keeper = threading.Thread(target=self._keep_servers, args=(ended,), daemon=True)
            keeper.start()
            try:
                supervisor.run(each_look=self._announce_when_ready)
            finally:
                ended.set()
                keeper.join(timeout=5.0)
                self._release()
                self.say("Stopped; your data is kept.")

    def _release(self) -> None:
        if settings.EMBEDDED_POSTGRES or settings.EMBEDDED_VALKEY:
            installation.release()

    def say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()

    def _be_the_only_one(self, lock: IO[bytes]) -> None:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CommandError("CLM is running here already; end it with Ctrl-C in its terminal first.") from None

    def _check_port(self) -> None:
        family = socket.AF_INET6 if ":" in settings.CLM_HOST else socket.AF_INET
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((settings.CLM_HOST, settings.PORT))
            except OSError as error:
                other = settings.PORT + 1
                raise CommandError(
                    f"Port {settings.PORT} on {settings.CLM_HOST} cannot be used ({error.strerror}). "
                    f"Choose another: PORT={other} make run"
                ) from None

    def _prepare(self, *, demo: bool) -> None:
        """Servers, migrations, the cache's table, static files, the demo or a first admin, and what comes with the
        software: each only when needed."""
        self._start_servers()
        with self._static_files_collected():
            try:
                migrate(tell=lambda count: self.say(f"Preparing the database ({count} migrations) ..."))
            except OperationalError as error:
                raise CommandError(f"The database does not answer: {said_in_one_line(error)}") from None
            connections.close_all()
            if demo and not self._demo_logins.exists() and "demo" in get_commands():
                with _ended_with_us([*_manage(), "demo", "--if-first", "--starting"]) as loading:
                    code = loading.wait()
                if code != 0:
                    raise CommandError(f"The demo was not loaded (exit code {code}); DEMO=0 make run does without.")
            # After the demo: it decides in which zone the models it installs count days.
            if installed := install(now=clock()):
                self.say(f"Installed {installed} stage models and segments.")
            # The demo has made users of each role, unless there were customers already.
            make_admin(time_zone=Installation.current().time_zone, logins=admin_login())
            connections.close_all()

    def _start_servers(self) -> None:
        try:
            if settings.EMBEDDED_POSTGRES:
                installation.ensure_postgres()
            if settings.EMBEDDED_VALKEY:
                installation.ensure_valkey()
        except EmbeddedError as error:
            raise CommandError(str(error)) from None

    @contextlib.contextmanager
    def _static_files_collected(self) -> Iterator[None]:
        """Collect them beside what the body does, if a file has changed since last time: compressing takes seconds
        of one processor, which pass while the database is prepared and the demo loads."""
        wanted = static_fingerprint()
        if self._static_stamp.exists() and self._static_stamp.read_text() == wanted:
            yield
            return
        command = [*_manage(), "collectstatic", "--noinput", "--verbosity", "0"]
        with _ended_with_us([*command, "--clear"] if settings.STATIC_ROOT.exists() else command) as collecting:
            yield
            if collecting.poll() is None:
                self.say("Compressing static files ...")
            if collecting.wait() != 0:
                raise CommandError("The static files could not be collected.")
        self._static_stamp.write_text(wanted)

    @property
    def _demo_logins(self) -> Path:
        """Written by the demo when it is complete."""
        return settings.DATA_DIR / "demo-logins.txt"

    @property
    def _static_stamp(self) -> Path:
        return settings.STATIC_ROOT / "collected.stamp"

    def _keep_servers(self, ended: threading.Event) -> None:
        """Revive a private server that died, until `ended`."""
        if not (settings.EMBEDDED_POSTGRES or settings.EMBEDDED_VALKEY):
            return
        kept: list[tuple[Server, Callable[[], None]]] = []
        if settings.EMBEDDED_POSTGRES:
            kept.append((installation.postgres, installation.ensure_postgres))
        if settings.EMBEDDED_VALKEY:
            kept.append((installation.valkey, installation.ensure_valkey))
        complaint = ""
        pids = {server.name: server.pid() for server, _ensure in kept}
        while not ended.wait(ENSURE_SECONDS):
            for server, ensure in kept:
                try:
                    if not server.answers():
                        self.say(f"{server.name} has stopped; starting it again")
                        ensure()
                        self.say(f"{server.name} runs again")
                        complaint = ""
                    elif (pid := server.pid()) is not None and pid != pids[server.name]:
                        # Whoever needed it first has started it before this look.
                        self.say(f"{server.name} had stopped and was started again: {server.name} runs again")
                    pids[server.name] = server.pid() or pids[server.name]
                except (EmbeddedError, OSError, subprocess.SubprocessError) as error:
                    if str(error) != complaint:
                        complaint = str(error)
                        self.say(complaint)

    def _announce_when_ready(self) -> None:
        if self.announced:
            return
        waited = time.monotonic() - self.started
        if not _answers_http():
            return
        self.announced = True
        for child in self.children:
            child.not_before = 0.0
        host = "127.0.0.1" if settings.CLM_HOST in ("0.0.0.0", "::") else settings.CLM_HOST  # noqa: S104
        self.say(f"\nCLM is ready after {waited:.1f} s:  http://{host}:{settings.PORT}/\n")
        for logins in (self._demo_logins, admin_login()):
            if logins.exists():
                self.say(f"Sign in as (kept in {logins.name} of the data directory):\n{logins.read_text()}")
        self.say("Ctrl-C stops it.")


@contextlib.contextmanager
def _ended_with_us(command: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
    """A process that Ctrl-C does not reach by itself, and that ends when the body is left early."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        yield process
    except BaseException:
        process.terminate()
        process.wait()
        raise


def children(*, python: str, advance: bool) -> list[Child]:
    """The processes that make up a running installation."""
    web = [python, "-m", "gunicorn", "--config", "python:clm.web_server"]
    # Messages are JSON, which cannot carry code, so Celery's warning about root would only frighten.
    celery = [python, "-W", "ignore:You're running the worker", "-m", "celery", "--quiet", "-A", "clm.celery"]
    worker = [*celery, "worker", "--loglevel", "WARNING"]
    worker += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    behind = {"worker": worker, "beat": [*celery, "beat", "--loglevel", "WARNING", "--pidfile", ""]}
    if advance:
        behind["advance"] = [*_manage(), "advance", "--forever"]
    # Somebody waits for the first page: the others start when it is served, or after a while if it never is.
    later = time.monotonic() + WEB_ALONE_SECONDS
    return [Child("web", web), *(Child(name, command, not_before=later) for name, command in behind.items())]


def _manage() -> list[str]:
    return [sys.executable, os.fspath(settings.BASE_DIR / "manage.py")]


def _answers_http() -> bool:
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.CLM_HOST, settings.CLM_HOST)  # noqa: S104
    try:
        with urllib.request.urlopen(f"http://{host}:{settings.PORT}/healthz", timeout=1.0):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
