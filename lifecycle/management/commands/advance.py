"""`manage.py advance`: bring every customer up to date that needs it; with --forever, keep doing so."""

import logging
import signal
import threading
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.db import InterfaceError, OperationalError, close_old_connections

from lifecycle.advance import Advanced
from lifecycle.pulse import TICK, beating
from lifecycle.tick import tick

log = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Advance customers until there is nothing left to do; with --forever, watch for work until stopped."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--forever", action="store_true", help="keep watching, four times a second")

    def handle(self, *args: Any, forever: bool, **options: Any) -> None:
        if forever:
            self._watch()
            return
        done = Advanced()
        while (step := tick()).customers or step.parked:
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
        while not stop.is_set():
            try:
                step = tick(beat=beat)
            except (OperationalError, InterfaceError) as error:
                # The database is away: whatever was begun is rolled back, and the rows wait for the next tick.
                log.warning("the database is away (%s); trying again", type(error).__name__)
                close_old_connections()
                stop.wait(2)
                continue
            if not step.customers and not step.parked:
                stop.wait(settings.CLM_TICK_SECONDS)
