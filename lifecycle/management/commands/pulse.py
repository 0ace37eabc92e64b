"""`manage.py pulse tick` (or worker): whether that part has given a sign of life lately, for those who watch
processes. The exit code is 1 when it has not."""

from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from clm.lib.prepared_command import PreparedCommand
from lifecycle.pulse import TICK, WORKER, silence


class Command(PreparedCommand):
    help = "Say when the tick or the workers were last at work; exit code 1 when that is too long ago."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("part", choices=[TICK, WORKER])
        parser.add_argument("--within", type=float, default=settings.CLM_PULSE_SECONDS, help="seconds, default 120")

    def handle(self, *args: Any, part: str, within: float, **options: Any) -> None:
        seconds = silence(part=part)
        if seconds is None:
            raise CommandError(f"{part}: not seen yet")
        if seconds > within:
            raise CommandError(f"{part}: not seen for {round(seconds)} seconds")
        self.stdout.write(f"{part}: seen {round(seconds)} seconds ago")
