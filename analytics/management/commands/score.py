"""`manage.py score`: fit the value models and score every customer as of the last finished day. A killed one goes on
where it stopped."""

from typing import Any

from django.core.management.base import CommandParser

from analytics.value.scoring import score_due
from clm.lib.prepared_command import PreparedCommand
from customers.ingest import clock


class Command(PreparedCommand):
    help = "Fit the value models and score every customer, if a day has ended or facts came late."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--anew", action="store_true", help="score again although nothing has changed")

    def handle(self, *args: Any, anew: bool, **options: Any) -> None:
        done = score_due(now=clock(), tell=self.stdout.write, anew=anew)
        if done.busy:
            self.stdout.write("somebody else is scoring")
        self.stdout.write(f"{done.scorings} scorings done, {done.rows} rows changed")
