"""Work in a process of its own: no worker is missing meanwhile for what others wait for, and the memory that it takes
is given back when it ends."""

import subprocess
import sys
from collections.abc import Callable

from django.conf import settings


class OwnProcess:
    """A command of `manage.py` that this process has running at most once at a time."""

    def __init__(self, command: str) -> None:
        self.command = command
        self._running: subprocess.Popen[bytes] | None = None

    def start_if(self, is_needed: Callable[[], bool]) -> bool:
        """Start the command, unless it still runs or is not needed; whether it was started."""
        if self._running is not None and self._running.poll() is None:
            return False
        self._running = None
        if not is_needed():
            return False
        self._running = subprocess.Popen(
            [sys.executable, str(settings.BASE_DIR / "manage.py"), self.command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        return True
