"""`manage.py replay`: compute everybody anew. Several may run at once and share the work; a stopped one is resumed."""

import subprocess
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from clm.lib.prepared_command import PreparedCommand
from clm.lib.processes import processors
from lifecycle.replay import Progress, replay_all

REPLAY = (sys.executable, str(settings.BASE_DIR / "manage.py"), "replay")


class Command(PreparedCommand):
    help = "Compute all stages and segments anew from the touchpoints. Under unchanged rules no row changes."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--processes",
            type=int,
            default=processors(),
            help="how many processes share the work here (by default as many as there are processors)",
        )

    def handle(self, *args: Any, processes: int, verbosity: int, **options: Any) -> None:
        def tell(progress: Progress) -> None:
            if verbosity > 1 or progress.done == progress.buckets or progress.done % 10 == 0:
                self.stdout.write(
                    f"bucket {progress.done} of {progress.buckets}: {progress.customers} customers,"
                    f" {progress.touchpoints} touchpoints"
                )

        helpers = [
            subprocess.Popen([*REPLAY, "--processes", "1", "--verbosity", "0"], stdout=subprocess.DEVNULL)
            for _one in range(processes - 1)
        ]
        done = replay_all(tell=tell)
        failed = [helper.wait() for helper in helpers if helper.wait() != 0]
        if failed:
            self.stderr.write(f"{len(failed)} of {processes} processes failed; their buckets were done by the others")
        self.stdout.write(f"{done.rows_by_time} rows changed by time alone")
        self.stdout.write(f"{done.rows_changed} rows changed")
