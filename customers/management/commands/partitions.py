"""`manage.py partitions`: make the coming weeks' partitions of raw bodies and drop those older than 30 days."""

from typing import Any

from clm.lib.prepared_command import PreparedCommand
from customers.ingest import clock
from customers.partitions import turn_partitions


class Command(PreparedCommand):
    help = "Make the coming weeks' partitions of raw bodies, drop those older than 30 days."

    def handle(self, *args: Any, **options: Any) -> None:
        made, dropped = turn_partitions(now=clock())
        self.stdout.write(f"{len(made)} partitions made, {len(dropped)} dropped")
