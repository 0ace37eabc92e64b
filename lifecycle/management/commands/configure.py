"""manage.py configure: show whose installation this is and in what it counts, and change it."""

from argparse import ArgumentParser
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.management.base import CommandError

from clm.lib.prepared_command import PreparedCommand
from customers.ingest import clock
from customers.models import Installation
from lifecycle.configuration import ConfigurationError, configure

FIELDS = ("name", "currency", "time_zone", "lapse_days", "margin_percent")


class Command(PreparedCommand):
    configures = True
    help = (
        "Show the installation, or change it. Name and margin can be changed at any time; currency, time zone and "
        "lapse days only while no touchpoints are stored."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--name", help="of the organisation")
        parser.add_argument("--currency", help="the reporting currency, such as GBP")
        parser.add_argument("--time-zone", help="the business time zone, such as Europe/London")
        parser.add_argument("--lapse-days", type=int, help="days without activity until a customer lapses")
        parser.add_argument("--margin-percent", help="the gross margin, such as 40")

    def handle(self, **options: Any) -> None:
        changes = {field: options[field] for field in FIELDS if options[field] is not None}
        if "margin_percent" in changes:
            try:
                changes["margin_percent"] = Decimal(changes["margin_percent"])
            except InvalidOperation:
                raise CommandError(f'"{changes["margin_percent"]}" is not a number') from None
        try:
            row = configure(changes=changes, now=clock()) if changes else Installation.current()
        except ConfigurationError as error:
            raise CommandError(str(error)) from None
        margin = "not said" if row.margin_percent is None else f"{row.margin_percent} %"
        self.stdout.write(f"name            {row.name}")
        self.stdout.write(f"currency        {row.currency}, {row.minor_digits} digits after the point")
        self.stdout.write(f"time zone       {row.time_zone}")
        self.stdout.write(f"lapse days      {row.lapse_days}")
        self.stdout.write(f"margin percent  {margin}")
