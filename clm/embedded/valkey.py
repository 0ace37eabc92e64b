"""One private Valkey (the broker of background work): configured, started, found again, stopped."""

import signal
import socket
from pathlib import Path
from urllib.parse import quote

from clm.embedded.account import Account
from clm.embedded.places import VALKEY_SOCKET, EmbeddedError, Places, valkey_program
from clm.lib.processes import end, runs, wait_until

START_SECONDS = 60.0


class ValkeyServer:
    """The Valkey of one data directory."""

    name = "Valkey"

    def __init__(self, places: Places, *, fast: bool) -> None:
        self.places = places
        self.fast = fast

    @property
    def _configuration(self) -> Path:
        return self.places.valkey / "valkey.conf"

    @property
    def socket(self) -> Path:
        return self.places.sockets / VALKEY_SOCKET

    @property
    def log(self) -> Path:
        return self.places.logs / "valkey.log"

    def pid(self) -> int | None:
        """Its process id, if it is alive and really serves this directory."""
        try:
            pid = int((self.places.valkey / "valkey.pid").read_text())
        except (OSError, ValueError):
            return None
        return pid if runs(pid, naming=self._configuration) else None

    def answers(self) -> bool:
        """Whether its socket takes connections. A frozen server does too, and that is right: it must not get a
        second server beside it on the same files."""
        return self._ask(b"") is not None

    def program(self) -> Path:
        return valkey_program()

    def start(self, account: Account) -> None:
        """Start it; returns when it answers PING, its file loaded."""
        if self.pid() is not None:
            # Alive but not reachable: its socket is gone. Its data is on disk, so it may go as well.
            self.stop()
        account.make_directory(self.places.valkey)
        account.write(self._configuration, self._configuration_text())
        code, output = account.run([self.program(), self._configuration])
        if code != 0 or not wait_until(lambda: self._ask(b"PING\r\n") == b"+PONG\r\n", seconds=START_SECONDS):
            raise EmbeddedError(f"The private Valkey does not start.\n{output}\nIts log: {self.log}")

    def stop(self) -> None:
        """Stop it; SIGTERM makes it write its file and leave."""
        pid = self.pid()
        end(pid, naming=self._configuration, first=signal.SIGTERM, last=signal.SIGKILL, patience=10.0)

    def celery_url(self) -> str:
        """The broker address for Celery."""
        return f"redis+socket://{quote(str(self.socket))}?virtual_host=0"

    def _ask(self, command: bytes) -> bytes | None:
        """The first answer to a command; None when nobody takes the connection, empty when nobody answers."""
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(1.0)
            try:
                probe.connect(str(self.socket))
            except OSError:
                return None
            try:
                probe.sendall(command)
                return probe.recv(64) if command else b""
            except OSError:
                return b""

    def _configuration_text(self) -> str:
        settings: dict[str, str | int | Path] = {
            "port": 0,
            "unixsocket": self.socket,
            "unixsocketperm": "700",
            "dir": self.places.valkey,
            "pidfile": self.places.valkey / "valkey.pid",
            "logfile": self.log,
            "loglevel": "warning",
            "daemonize": "yes",
            # The argument that names the configuration stays visible: by it we know our own process again.
            "set-proc-title": "no",
            "save": "",
            "appendonly": "yes",
            "appendfsync": "no" if self.fast else "everysec",
            # Evicting keys would drop queued messages in silence.
            "maxmemory-policy": "noeviction",
        }
        return "".join(f'{name} "{_escaped(str(value))}"\n' for name, value in settings.items())


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')
