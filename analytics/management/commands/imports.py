"""`manage.py imports`: try, bring in or take back the files for which somebody asked that. A stopped one is gone on
with; several may run at once."""

from typing import Any

from django.core.management.base import CommandParser

from analytics.days.fill import count_sales_anew
from clm.lib.prepared_command import PreparedCommand
from customers.importing.ending import forget_imports
from customers.importing.work import Beyond, work_on_imports
from customers.ingest import clock
from lifecycle.withdrawn import let_go


class Command(PreparedCommand):
    help = "Work on the files that people asked to be tried, brought in or taken back."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--forget", action="store_true", help="forget the rows of imports that can no longer be taken back"
        )

    def handle(self, *args: Any, forget: bool, **options: Any) -> None:
        if forget:
            self.stdout.write(f"{forget_imports(now=clock())} imports forgotten")
            return
        done = work_on_imports(beyond=Beyond(let_go, count_sales_anew), tell=self.stdout.write)
        self.stdout.write(f"{done} imports worked on")
