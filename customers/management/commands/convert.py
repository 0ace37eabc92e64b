"""manage.py convert: convert the money that waits for an exchange rate, where there is one by now."""

from argparse import ArgumentParser
from typing import Any

from clm.lib.prepared_command import PreparedCommand
from customers.conversions import ask_to_convert, convert_asked, unconverted
from customers.ingest import clock


class Command(PreparedCommand):
    help = (
        "Convert the stored money that no exchange rate was known for when it arrived, as far as there is one now. "
        "Workers do this by themselves when a rate is entered; a stopped run is resumed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--currency", help="this one only; without it every one that waits")

    def handle(self, *, currency: str | None, **options: Any) -> None:
        waiting = unconverted(currency=currency).order_by("currency").values_list("currency", flat=True).distinct()
        ask_to_convert(currencies=waiting, now=clock())
        done = convert_asked()
        left = unconverted(currency=currency).count()
        if left:
            self.stdout.write(f"{left} touchpoints still wait for a rate; the page “Money without a rate” lists them")
        self.stdout.write(f"{done} rows changed")
