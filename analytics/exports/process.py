"""Making files in a process of its own: it takes minutes, in which no worker is missing for what others wait for, and
the memory it needs is given back when it ends."""

import subprocess
import sys

from django.conf import settings

from customers.ingest import clock

from .jobs import has_work

_started: list[subprocess.Popen[bytes]] = []


def start_if_needed() -> bool:
    """Start `manage.py export` if files wait, there is room for one more and this process has none at work; whether one
    was started. A killed one is found by its lease."""
    _started[:] = [one for one in _started if one.poll() is None]
    if _started or not has_work(now=clock()):
        return False
    _started.append(
        subprocess.Popen(
            [sys.executable, str(settings.BASE_DIR / "manage.py"), "export"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
    )
    return True
