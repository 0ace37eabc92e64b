"""`manage.py export`: make the files that people asked for. A killed one starts over when its lease has run out."""

from typing import Any

from django.core.management.base import CommandParser

from analytics.exports.jobs import forget_files, make_waiting
from clm.lib.prepared_command import PreparedCommand
from customers.ingest import clock


class Command(PreparedCommand):
    help = "Make the files that are waited for, one after the other, until none is."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--forget", action="store_true", help="only remove the files whose time is over")

    def handle(self, *args: Any, forget: bool, **options: Any) -> None:
        if forget:
            self.stdout.write(f"{forget_files(now=clock())} files expired")
            return
        self.stdout.write(f"{make_waiting()} files made")
