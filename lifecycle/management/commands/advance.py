"""`manage.py advance`: bring every customer up to date that needs it; with --forever, keep doing so."""

import contextlib
import logging
import signal
import subprocess
import sys
import threading
import time
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.db import InterfaceError, OperationalError, close_old_connections

from clm.lib.prepared_command import PreparedCommand
from lifecycle.advance import Advanced, advance_hot
from lifecycle.candidates import hot_candidates
from lifecycle.pulse import TICK, beating
from lifecycle.tick import tick

log = logging.getLogger(__name__)

# A lane that ends at once, for whatever reason, is not started again at once.
_LANE_PAUSE_SECONDS = 5.0


class Command(PreparedCommand):
    help = "Advance customers until there is nothing left to do; with --forever, watch for work until stopped."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--forever", action="store_true", help="keep watching, four times a second")
        parser.add_argument(
            "--hot", action="store_true", help="only customers with very many touchpoints whose turn has come"
        )

    def handle(self, *args: Any, forever: bool, hot: bool, **options: Any) -> None:
        if forever:
            self._watch()
            return
        done = Advanced()
        act = advance_hot if hot else tick
        while (step := act()).customers or step.parked:
            done.add(step)
        self.stdout.write(
            f"{done.customers} customers advanced, {done.parked} parked,"
            f" {done.written.rows_by_time} rows changed by time alone"
        )
        self.stdout.write(f"{done.written.rows} rows changed")

    def _watch(self) -> None:
        stop = threading.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_args: stop.set())
        beat = beating(TICK)
        with contextlib.closing(HotLane()) as lane:
            while not stop.is_set():
                try:
                    step = tick(hot=False, beat=beat)
                    lane.look()
                except (OperationalError, InterfaceError) as error:
                    # The database is away: whatever was begun is rolled back, and the rows wait for the next tick.
                    log.warning("the database is away (%s); trying again", type(error).__name__)
                    close_old_connections()
                    stop.wait(2)
                    continue
                if not step.customers and not step.parked:
                    stop.wait(settings.CLM_TICK_SECONDS)


class HotLane:
    """A process of its own for customers with very many touchpoints: reading a million of them takes seconds, which
    nobody else should wait for. It runs while such a customer's turn has come, and only then."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._not_before = 0.0

    def look(self) -> None:
        """Start the process if it is needed and does not run."""
        if self._process is not None and self._process.poll() is None:
            return
        if time.monotonic() >= self._not_before and hot_candidates(limit=1):
            self._not_before = time.monotonic() + _LANE_PAUSE_SECONDS
            self._process = subprocess.Popen(
                [sys.executable, str(settings.BASE_DIR / "manage.py"), "advance", "--hot"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )

    def close(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
