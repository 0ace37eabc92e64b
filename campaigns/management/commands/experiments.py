"""`manage.py experiments`: assign the audiences of experiments that were started. A killed one goes on where it was."""

from typing import Any

from django.core.management.base import CommandParser

from campaigns.experiments import work_on_experiments
from clm.lib.prepared_command import PreparedCommand


class Command(PreparedCommand):
    help = "Assign the audiences of experiments that were started."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--seconds", type=float, default=3600.0, help="begin nothing new after so long (3600)")

    def handle(self, *args: Any, seconds: float, **options: Any) -> None:
        self.stdout.write(f"{work_on_experiments(seconds=seconds)} rows changed")
