"""`manage.py count_experiments`: count what experiments that have ended found, and what others say so far. A killed one
goes on where it was."""

from typing import Any

from django.core.management.base import CommandParser

from analytics.experiments.ending import count_experiments
from clm.lib.prepared_command import PreparedCommand


class Command(PreparedCommand):
    help = "Count what experiments that have ended found, and ahead of who asks what others say."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--seconds", type=float, default=600.0, help="begin nothing new after so long (600)")

    def handle(self, *args: Any, seconds: float, **options: Any) -> None:
        self.stdout.write(f"{count_experiments(seconds=seconds)} experiments counted")
