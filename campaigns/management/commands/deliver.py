"""`manage.py deliver`: tell the webhooks what is to be told now. What waits for its next attempt is left for later."""

from typing import Any

from django.core.management.base import CommandParser

from campaigns.outgoing.deliver import deliver
from campaigns.outgoing.ending import forget_deliveries
from clm.lib.prepared_command import PreparedCommand
from customers.ingest import clock


class Command(PreparedCommand):
    help = "Deliver the webhooks that are due; with --forget, delete what was told more than 30 days ago."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--seconds", type=float, default=60.0, help="begin nothing new after so long (60)")
        parser.add_argument("--forget", action="store_true", help="only delete what was told long ago")

    def handle(self, *args: Any, seconds: float, forget: bool, **options: Any) -> None:
        if forget:
            self.stdout.write(f"{forget_deliveries(now=clock())} deliveries deleted")
            return
        self.stdout.write(f"{deliver(seconds=seconds)} attempts made")
