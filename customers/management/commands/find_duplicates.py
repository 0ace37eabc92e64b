"""`manage.py find_duplicates`: look for people who are in here twice. A stopped search is gone on with."""

from typing import Any

from clm.lib.prepared_command import PreparedCommand
from customers.duplicates import start_search, work_on_duplicates
from customers.ingest import clock


class Command(PreparedCommand):
    help = "Look for customers who are one person, and put the pairs into the review queue. Nothing is merged."

    def handle(self, *args: Any, **options: Any) -> None:
        search = start_search(now=clock())
        found = work_on_duplicates(tell=self.stdout.write)
        search.refresh_from_db()
        counts = search.counts
        self.stdout.write(
            f"{counts.get('customers', 0):,} customers, {counts.get('compared', 0):,} pairs compared,"
            f" {counts.get('new', 0):,} new in the review queue, {found:,} of them by this run"
        )
