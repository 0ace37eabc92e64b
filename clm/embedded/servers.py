"""The private servers of one data directory, shared by every process of the installation that uses them.

Two kernel locks do all the bookkeeping, because locks vanish with their process and files about processes do not:
start.lock is held while servers are started or stopped; users.lock is held shared by each process for life, so
whoever can take it alone is the last user and stops the servers on its way out."""

import atexit
import contextlib
import fcntl
import os
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from clm.embedded.account import servers_account
from clm.embedded.places import EmbeddedError, Places
from clm.embedded.postgres import PostgresServer
from clm.embedded.valkey import ValkeyServer

Server = PostgresServer | ValkeyServer


@dataclass(frozen=True)
class ServerStatus:
    """What `manage.py embedded status` tells of one server."""

    name: str
    pid: int | None
    answers: bool
    directory: Path


class Embedded:
    """The private PostgreSQL and Valkey of `data_dir`, as this process uses them."""

    def __init__(self, data_dir: Path, *, fast: bool = False) -> None:
        self.places = Places(data_dir.absolute())
        self.postgres = PostgresServer(self.places, fast=fast)
        self.valkey = ValkeyServer(self.places, fast=fast)
        self._users: IO[bytes] | None = None
        self._joined_by = 0
        self._starting = threading.Lock()
        os.register_at_fork(after_in_child=self._forget_threads)

    def ensure_postgres(self) -> None:
        """Make sure that PostgreSQL accepts queries, starting it if need be; raises EmbeddedError."""
        self._ensure(self.postgres)

    def ensure_valkey(self) -> None:
        """Make sure that Valkey takes connections, starting it if need be; raises EmbeddedError."""
        self._ensure(self.valkey)

    def release(self) -> None:
        """This process needs the servers no more; the last of all processes stops them."""
        if self._users is None or self._joined_by != os.getpid():
            return
        if not self.places.start_lock.exists():  # somebody deleted the whole data directory
            return
        with self._starting, self._start_lock():
            if self._alone():
                self._stop_all()
            self._users.close()
            self._users = None

    def stop(self, *, force: bool = False) -> bool:
        """Stop both servers. False, and nothing is stopped, while other processes use them, unless `force`."""
        if not self.places.data.exists():
            return True
        with self._starting, self._start_lock():
            self._join()
            if not self._alone():
                self._rejoin()
                if not force:
                    return False
            self._stop_all()
        return True

    def erase(self) -> bool:
        """Stop the servers and delete everything in the data directory; False while others use them."""
        if not self.places.data.exists():
            return True
        with self._starting, self._start_lock():
            self._join()
            if not self._alone():
                self._rejoin()
                return False
            self._stop_all()
            if self.places.sockets.parent != self.places.data:
                shutil.rmtree(self.places.sockets, ignore_errors=True)
            for path in self.places.data.iterdir():
                # The locks stay: a waiting process must meet the very file we hold.
                if path in (self.places.start_lock, self.places.users_lock):
                    continue
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        return True

    def status(self) -> list[ServerStatus]:
        """Both servers as they are now; starts nothing."""
        servers: list[tuple[Server, Path]] = [(self.postgres, self.places.postgres), (self.valkey, self.places.valkey)]
        return [ServerStatus(server.name, server.pid(), server.answers(), path) for server, path in servers]

    def _ensure(self, server: Server) -> None:
        if self._joined_by == os.getpid() and server.answers():
            return
        with self._starting:
            self.places.data.mkdir(parents=True, exist_ok=True)
            with self._start_lock():
                self._join()
                if server.answers():
                    return
                account = servers_account(self.places, server.program())
                account.make_directory(self.places.logs)
                self.places.make_sockets_directory(uid=account.uid, gid=account.gid)
                server.start(account)

    def _stop_all(self) -> None:
        for server in (self.valkey, self.postgres):
            server.stop()

    @contextlib.contextmanager
    def _start_lock(self) -> Iterator[None]:
        with self.places.start_lock.open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _join(self) -> None:
        """Become a user of the servers until this process ends. A forked child takes a lock of its own: the one it
        inherited is the parent's, and closing it here does not give that up."""
        if self._users is not None and self._joined_by == os.getpid():
            return
        if self._users is not None:
            self._users.close()
        self._users = self.places.users_lock.open("ab")
        fcntl.flock(self._users, fcntl.LOCK_SH)
        self._joined_by = os.getpid()
        atexit.register(self.release)

    def _rejoin(self) -> None:
        """A refused attempt to be alone may have cost us the shared lock."""
        if self._users is not None:
            fcntl.flock(self._users, fcntl.LOCK_SH)

    def _alone(self) -> bool:
        if self._users is None:
            raise EmbeddedError("Only a user of the servers can ask whether it is the last one.")
        try:
            fcntl.flock(self._users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _forget_threads(self) -> None:
        self._starting = threading.Lock()
