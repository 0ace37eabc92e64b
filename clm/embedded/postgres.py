"""One private PostgreSQL: created, started, found again, stopped. Who may call what when is decided in
clm.embedded.servers, under its lock."""

import os
import re
import secrets
import shutil
import signal
import socket
import time
from pathlib import Path

from clm.embedded.account import Account
from clm.embedded.places import POSTGRES_SOCKET, EmbeddedError, Places, postgres_program
from clm.lib.processes import end, runs, wait_until

# Crash recovery of several GB of write-ahead log takes minutes on a slow disk; giving up early helps nobody.
START_SECONDS = 300.0
# Above Linux' largest pid (2**22) and macOS' (99998): no process can have it.
NO_SUCH_PID = 4_194_305
LARGEST_LOG = 20 * 1024 * 1024


class PostgresServer:
    """The PostgreSQL of one data directory."""

    name = "PostgreSQL"

    def __init__(self, places: Places, *, fast: bool) -> None:
        self.places = places
        self.fast = fast

    @property
    def _pid_file(self) -> Path:
        return self.places.postgres / "postmaster.pid"

    @property
    def log(self) -> Path:
        return self.places.logs / "postgres.log"

    def pid(self) -> int | None:
        """The postmaster's process id, if it is alive and really serves this directory."""
        lines = self._pid_lines()
        pid = int(lines[0]) if lines and lines[0].isdigit() else None
        return pid if runs(pid, naming=self.places.postgres) else None

    def answers(self) -> bool:
        """Whether it accepts queries: its socket takes a connection and its pid file says it has recovered."""
        lines = self._pid_lines()
        if len(lines) < 8 or lines[7].strip() != "ready":
            return False
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(2.0)
            try:
                probe.connect(str(self.places.sockets / POSTGRES_SOCKET))
            except OSError:
                return False
        return True

    def program(self) -> Path:
        return postgres_program("postgres")

    def start(self, account: Account) -> None:
        """Start it, creating its data on first use; returns when it accepts queries."""
        self._create(account)
        self._check_version(account)
        if self.pid() is not None:
            # Alive but silent: still recovering (wait), or its socket was swept from the temporary folder (restart).
            swept = not (self.places.sockets / POSTGRES_SOCKET).exists()
            patience = START_SECONDS if self._recovering() else 0.0 if swept else 5.0
            if wait_until(self.answers, seconds=patience):
                return
            self.stop()
        text = configuration(sockets=self.places.sockets, fast=self.fast)
        account.write(self.places.postgres / "clm.conf", text)
        self._disown_dead_owner(account)
        if self.log.exists() and self.log.stat().st_size > LARGEST_LOG:
            self.log.rename(self.log.with_suffix(".log.1"))
        deadline = time.monotonic() + START_SECONDS
        while True:
            before = self.log.stat().st_size if self.log.exists() else 0
            control = [str(postgres_program("pg_ctl")), "start", "-D", str(self.places.postgres), "-l", str(self.log)]
            code, output = account.run([*control, "-w", "-t", "60"])
            if code == 0 or wait_until(self.answers, seconds=START_SECONDS if self.pid() else 0):
                return
            said = self._log_since(before)
            # The processes of a killed server need a moment to notice; until then a second one would do harm.
            if "shared memory block" not in said or time.monotonic() > deadline:
                raise EmbeddedError(f"The private PostgreSQL does not start.\n{said or output}\nIts log: {self.log}")
            time.sleep(0.2)

    def stop(self) -> None:
        """Stop it as `pg_ctl -m fast` does: sessions end, everything committed is on disk."""
        end(
            self.pid(),
            naming=self.places.postgres,
            first=signal.SIGINT,
            last=signal.SIGQUIT,
            patience=120.0,
        )

    def _pid_lines(self) -> list[str]:
        try:
            return self._pid_file.read_text(errors="replace").splitlines()
        except OSError:
            return []

    def _recovering(self) -> bool:
        lines = self._pid_lines()
        return len(lines) < 8 or lines[7].strip() == "starting"

    def _log_since(self, offset: int) -> str:
        try:
            with self.log.open("rb") as log:
                log.seek(offset)
                return log.read()[-2000:].decode(errors="replace").strip()
        except OSError:
            return ""

    def _create(self, account: Account) -> None:
        """initdb beside the final place and rename: whoever is killed in between leaves only rubbish to sweep."""
        for rubbish in self.places.data.glob("postgres.new.*"):
            shutil.rmtree(rubbish, ignore_errors=True)
        if self.places.postgres.exists():
            return
        fresh = self.places.data / f"postgres.new.{secrets.token_hex(4)}"
        account.make_directory(fresh)
        command: list[str | Path] = [postgres_program("initdb"), "-D", fresh]
        command += ["-U", "postgres", "-A", "trust", "-E", "UTF8"]
        # Order by code point, the same on every machine, and no dependence on the system's locales.
        command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions"]
        code, output = account.run([*command, *(["--no-sync"] if self.fast else [])], seconds=START_SECONDS)
        if code != 0:
            raise EmbeddedError(f"The private PostgreSQL cannot be created in {self.places.data}.\n{output}")
        conf = fresh / "postgresql.conf"
        account.write(conf, conf.read_text() + "\ninclude_if_exists = 'clm.conf'\n")
        fresh.rename(self.places.postgres)

    def _check_version(self, account: Account) -> None:
        kept = (self.places.postgres / "PG_VERSION").read_text().strip()
        code, output = account.run([self.program(), "--version"])
        found = re.search(r"\b(\d+)\.", output)
        if code != 0 or found is None:
            raise EmbeddedError(f"{self.program()} does not run here: {output}")
        if found[1] != kept:
            raise EmbeddedError(
                f"{self.places.postgres} was made by PostgreSQL {kept}, this is {found[1]}. Dump it with the old "
                f"release (`manage.py embedded pg_dump` there), move the directory "
                "away, and fill the new one (`manage.py embedded pg_restore`)."
            )

    def _disown_dead_owner(self, account: Account) -> None:
        """What a crash left names a process that may be another program by now, or a dead one nobody reaps;
        PostgreSQL would take it for a living server and refuse to start. In the pid file only the number is replaced:
        the rest tells PostgreSQL which shared memory to check for surviving processes."""
        for name in (POSTGRES_SOCKET, f"{POSTGRES_SOCKET}.lock"):
            (self.places.sockets / name).unlink(missing_ok=True)
        if lines := self._pid_lines():
            account.write(self._pid_file, "\n".join([str(NO_SUCH_PID), *lines[1:]]) + "\n")


def configuration(*, sockets: Path, fast: bool) -> str:
    """The text of clm.conf. `fast` gives up safety against power loss, not against a killed server; only tests use
    it."""
    memory_mb = _memory_mb()
    # Events of a million customers touch 3 to 4 GB of tables and indexes at random; what is not held here is fetched
    # from the operating system page by page. An eighth leaves the rest to the program and to whatever else runs.
    shared = 128 if fast else max(128, min(4096, memory_mb // 8))
    directory = str(sockets).replace("\\", "\\\\").replace('"', '\\"').replace("'", "''")
    settings = {
        "listen_addresses": "''",
        "unix_socket_directories": f"'\"{directory}\"'",
        "unix_socket_permissions": "0700",
        "max_connections": "60",
        "shared_buffers": f"{shared}MB",
        "effective_cache_size": f"{max(256, memory_mb // 2)}MB",
        "maintenance_work_mem": f"{max(64, min(512, memory_mb // 32))}MB",
        "work_mem": "16MB",
        "max_wal_size": "4GB",
        # A page is written whole once after each checkpoint: rare checkpoints make ingestion cheaper.
        "checkpoint_timeout": "15min",
        "random_page_cost": "1.1",
        "jit": "off",
        "autovacuum": "on",
        "timezone": "UTC",
        "log_timezone": "UTC",
        # Statements and details carry personal data, which must not outlive an erasure in a log.
        "log_min_duration_statement": "-1",
        "log_min_error_statement": "panic",
        "log_error_verbosity": "terse",
        "log_line_prefix": "'%m [%p] '",
        "dynamic_shared_memory_type": _dynamic_shared_memory(),
        "fsync": "off" if fast else "on",
        "full_page_writes": "off" if fast else "on",
    }
    return "# Written anew at every start.\n" + "".join(f"{name} = {value}\n" for name, value in settings.items())


def _memory_mb() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    except (ValueError, OSError):
        return 4096


def _dynamic_shared_memory() -> str:
    """Containers often have 64 MB of /dev/shm, too little for parallel queries; files serve then."""
    try:
        room = os.statvfs("/dev/shm")  # noqa: S108
    except OSError:
        return "posix"
    return "posix" if room.f_frsize * room.f_blocks >= 256 * 2**20 else "mmap"
