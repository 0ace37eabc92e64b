"""The signing key of an installation that was not given one: random, made once, kept beside its data."""

import os
import secrets
from pathlib import Path


def kept_secret_key(data_dir: Path) -> str:
    """The key kept in `data_dir`, made on first use. Two processes starting at once agree on one key, because
    the file is linked into place whole and only the first link succeeds."""
    path = data_dir / "secret_key"
    try:
        return path.read_text()
    except FileNotFoundError:
        pass
    data_dir.mkdir(parents=True, exist_ok=True)
    fresh = data_dir / f"secret_key.{os.getpid()}.{secrets.token_hex(4)}"
    fresh.touch(mode=0o600)
    fresh.write_text(secrets.token_urlsafe(64))
    try:
        os.link(fresh, path)
    except FileExistsError:
        pass
    finally:
        fresh.unlink()
    return path.read_text()
