"""Writing and sending reports in a process of its own: what draws the pictures takes much memory, which is given back
when it ends, and a slow mail server holds up no worker that others wait for."""

import subprocess
import sys

from django.conf import settings

from customers.ingest import clock

from .planning import has_work, plan

_started: list[subprocess.Popen[bytes]] = []


def start_if_due() -> bool:
    """Plan what is due, and start `manage.py send_reports` if something is to be written or sent and this process has
    none at work; whether one was started."""
    plan(now=clock())
    _started[:] = [one for one in _started if one.poll() is None]
    if _started or not has_work(now=clock()):
        return False
    _started.append(
        subprocess.Popen(
            [sys.executable, str(settings.BASE_DIR / "manage.py"), "send_reports"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
    )
    return True
