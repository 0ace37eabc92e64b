"""`manage.py erase`: erase a customer, and finish the erasures that are under way. A stopped one is taken up again."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from clm.lib.prepared_command import PreparedCommand
from clm.lib.questions import ConflictError
from customers.erase import work_on_erasures
from customers.ingest import clock
from lifecycle.erase import erase


class Command(PreparedCommand):
    help = "Erase a customer: everything that says who it was. What happened stays, under nobody's name."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "customer", type=int, nargs="?", help="the number of the customer; none: only finish others"
        )

    def handle(self, *args: Any, customer: int | None, **options: Any) -> None:
        if customer is not None:
            try:
                record = erase(customer=customer, now=clock())
            except ConflictError as error:
                raise CommandError(str(error)) from None
            self.stdout.write(f"customer {customer} is erased; erasure {record.pk} looks through what else was written")
        finished = work_on_erasures(tell=self.stdout.write)
        self.stdout.write(f"{finished} erasures finished")
