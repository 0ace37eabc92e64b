"""`manage.py imports`: try, bring in or take back the files for which somebody asked that. A stopped one is gone on
with; several may run at once."""

from typing import Any

from analytics.days.fill import count_sales_anew
from clm.lib.prepared_command import PreparedCommand
from customers.importing.work import Beyond, work_on_imports
from lifecycle.withdrawn import let_go


class Command(PreparedCommand):
    help = "Work on the files that people asked to be tried, brought in or taken back."

    def handle(self, *args: Any, **options: Any) -> None:
        done = work_on_imports(beyond=Beyond(let_go, count_sales_anew), tell=self.stdout.write)
        self.stdout.write(f"{done} imports worked on")
