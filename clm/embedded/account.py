"""As which user the private servers run. PostgreSQL refuses root, so under root this is another user or, where no
other user may enter the project's folder, root behind a user namespace that shows it as somebody else."""

import os
import pwd
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from clm.embedded.places import EmbeddedError, Places
from clm.lib.processes import run

_NAMESPACE = ("--user", "--map-user=1000", "--map-group=1000")


@dataclass(frozen=True)
class Account:
    """A user the servers run as; `prefix` is put before each of their commands."""

    uid: int
    gid: int
    prefix: tuple[str, ...] = ()

    def run(self, command: Sequence[str | Path], *, seconds: float = 120.0) -> tuple[int, str]:
        """Run a server's command as this user in an environment that cannot lead it astray."""
        env = {key: value for key, value in os.environ.items() if not key.startswith(("PG", "LC_", "LANG"))}
        env["LC_ALL"] = "C"
        return run([*self.prefix, *command], uid=self.uid, gid=self.gid, env=env, seconds=seconds)

    def make_directory(self, path: Path) -> None:
        """Create a directory of this user's own, closed to others."""
        path.mkdir(mode=0o700, exist_ok=True)
        if path.stat().st_uid != self.uid and os.geteuid() == 0:
            os.chown(path, self.uid, self.gid)

    def write(self, path: Path, text: str) -> None:
        """Write a file of this user's own. Its directory is this user's too, so a link lying there must not lead
        a writing root elsewhere: the old name goes, and the new file must not exist."""
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "w") as file:
            if os.geteuid() != self.uid:
                os.fchown(file.fileno(), self.uid, self.gid)
            file.write(text)


def servers_account(places: Places, program: Path) -> Account:
    """The user for the servers of this data directory: whoever owns its files already, else the first who can."""
    owner = next((path.stat().st_uid for path in (places.postgres, places.valkey) if path.exists()), None)
    if os.geteuid() != 0:
        if owner not in (None, os.geteuid()):
            raise EmbeddedError(
                f"{places.data} belongs to user {_name(owner)}: run as that user, or point CLM_DATA_DIR elsewhere."
            )
        return Account(os.geteuid(), os.getegid())
    if owner is not None and owner != 0:
        candidates = [pwd.getpwuid(owner)]
    elif owner is None:
        candidates = [entry for entry in pwd.getpwall() if entry.pw_name in ("postgres", "nobody")]
        candidates.sort(key=lambda entry: entry.pw_name != "postgres")
    else:
        candidates = []
    if candidates:
        # Other users must be able to pass through the data directory; nothing above it is changed.
        places.data.chmod(places.data.stat().st_mode | 0o011)
    for entry in candidates:
        account = Account(entry.pw_uid, entry.pw_gid)
        if _reaches(account, places.data, program):
            return account
    namespaced = Account(0, 0, (shutil.which("unshare") or "unshare", *_NAMESPACE))
    if owner in (None, 0) and _reaches(namespaced, places.data, program):
        return namespaced
    raise EmbeddedError(
        f"PostgreSQL does not run as root, and no other user may enter {places.data} and {program.parent}: "
        "run as an ordinary user, move the project to a folder others may enter (such as /srv), or set DATABASE_URL."
    )


def _reaches(account: Account, *paths: Path) -> bool:
    try:
        code, _ = account.run(["/bin/sh", "-c", 'for path do test -x "$path" || exit 1; done', "sh", *paths])
    except OSError:
        return False
    return code == 0


def _name(uid: int | None) -> str:
    try:
        return pwd.getpwuid(uid or 0).pw_name
    except KeyError:
        return str(uid)
