"""manage.py import_rates rates.csv: bring in a file of exchange rates, all of it or nothing."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from clm.lib.prepared_command import PreparedCommand
from clm.lib.questions import QuestionError
from customers.conversions import ask_to_convert
from customers.ingest import clock
from customers.rate_file import checked, enter_lines

LONGEST, MOST_RATES = 50_000_000, 1_000_000
SHOWN = 20


class Command(PreparedCommand):
    help = (
        "Enter the exchange rates of a CSV file: one line for each currency and day (currency, day, rate), or one line "
        "for each day with a column for each currency. A rate of a day that has one replaces it."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--inverse",
            action="store_true",
            help="the file says how much of the other currency one unit of the reporting currency buys",
        )
        parser.add_argument("--dry-run", action="store_true", help="only say what entering it would do")

    def handle(self, *, file: Path, inverse: bool, dry_run: bool, **options: Any) -> None:
        try:
            text = file.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{file} cannot be read: {error}") from None
        asked: dict[str, Any] = {"text": text, "inverse": inverse, "longest": LONGEST, "most": MOST_RATES}
        try:
            found = checked(**asked)
            faulty = [line for line in found.lines if line.does == "faulty"]
            for line in faulty[:SHOWN]:
                self.stderr.write(f"line {line.number}: {' '.join(line.faults.values())}")
            if faulty:
                raise CommandError(f"{len(faulty)} rates are faulty; nothing was entered")
            if dry_run:
                self.stdout.write(", ".join(f"{found.count(does)} {does}" for does in ("new", "changes", "same")))
                return
            new, changed, currencies = enter_lines(**asked, source=f"manage.py import_rates {file.name}")
        except QuestionError as error:
            raise CommandError(error.message) from None
        for conversion in ask_to_convert(currencies=currencies, now=clock()):
            self.stdout.write(
                f"{conversion.total} stored touchpoints in {conversion.currency} wait for a rate; workers convert "
                "them, or manage.py convert does"
            )
        self.stdout.write(f"{new + changed} rows changed")
