"""manage.py reread: read the amounts of stored touchpoints anew."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from analytics.days.fill import count_sales_anew
from clm.lib.prepared_command import PreparedCommand
from customers.ingest import clock
from customers.rereading import ask_to_reread, every_name, reread_asked


class Command(PreparedCommand):
    help = (
        "Read the amounts of stored touchpoints anew, by what their names mean now: after a version of the program "
        "that reads amounts otherwise. Workers do it by themselves when a mapping changes; a stopped run is resumed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--name", action="append", help="this name only, such as 'Deal Won'; may be repeated")

    def handle(self, *, name: list[str] | None, **options: Any) -> None:
        names = every_name()
        if unknown := sorted(set(name or ()) - names.keys()):
            raise CommandError(f"no touchpoint is called {', '.join(unknown)}; the page Catalogue lists all names")
        ask_to_reread(names={one: told for one, told in names.items() if not name or one in name}, now=clock())
        done = reread_asked(recount=count_sales_anew)
        self.stdout.write(f"{done} rows changed")
