"""manage.py import_file FILE --mapping NAME: bring a file of orders in."""

import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from clm.lib.prepared_command import PreparedCommand
from customers import online_retail
from customers.demonstration import demonstration_sources, said_beside
from customers.ingest import clock
from customers.line_account import line_numbers, set_aside_table
from customers.models import Import, Installation, Touchpoint
from customers.money import NoRate
from customers.order_import import ImportRefused, import_orders
from customers.order_mapping import BadMapping, OrderMapping
from customers.parsing import BadFile


class Command(PreparedCommand):
    help = (
        "Import a file of order lines. Run it again to go on after a stop; a file imported twice changes nothing. "
        "The mapping says which column is what: the name of one that comes along, or the path of a JSON file."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "file", type=Path, nargs="?", help="the file; left out with --mapping online_retail, it is fetched"
        )
        parser.add_argument("--mapping", required=True, help='"online_retail", or the path of your own JSON file')

    def handle(self, *, file: Path | None, mapping: str, **options: Any) -> None:
        start = time.monotonic()

        def tell(sentence: str) -> None:
            self.stdout.write(f"{time.monotonic() - start:7.1f} s  {sentence}")
            self.stdout.flush()

        try:
            if file is None and mapping == online_retail.MAPPING:
                file = online_retail.fetched(folder=settings.DATA_DIR / "downloads")
            if file is None:
                raise CommandError("Which file? manage.py import_file FILE --mapping NAME")
            if not Touchpoint.objects.exists():
                installation = Installation.current()
                tell(
                    f"Amounts will be kept in {installation.currency} and days counted in {installation.time_zone}: "
                    "manage.py configure changes this only while nothing is stored"
                )
            read_as = OrderMapping.load(mapping)
            self.warn(read_as)
            done = import_orders(path=file, mapping=read_as, now=clock(), tell=tell)
        except (BadFile, BadMapping, ImportRefused, NoRate, online_retail.NotFetched) as error:
            raise CommandError(str(error)) from error
        if done.again:
            self.stdout.write("This file was imported before.")
        if done.resumed:
            self.stdout.write("The import went on where it had stopped.")
        for line in account_lines(done.record):
            self.stdout.write(line)
        self.warn(read_as)
        self.stdout.write(f"{done.rows_changed} rows changed")

    def warn(self, mapping: OrderMapping) -> None:
        """Before, for whoever watches, who may stop it; and after, for whoever only looks at the end."""
        if said := said_beside(demonstration_sources(beside=mapping.source_key)):
            self.stdout.write(self.style.WARNING(f"ATTENTION: {said}"))
            self.stdout.flush()


def account_lines(record: Import) -> list[str]:
    """What became of the lines of a file, for a terminal."""
    installation = Installation.current()
    money = 10**installation.minor_digits

    def amount(minor: int) -> str:
        return f"{minor / money:,.{installation.minor_digits}f} {installation.currency}"

    counts = record.counts
    lines = [
        f"{record.file_name} names {counts.get('invoices_named', 0):,} invoices of "
        f"{counts.get('customers_named', 0):,} customers",
        f"{record.file_name}: {record.lines_read:,} lines = {record.lines_used:,} used + "
        f"{record.lines_read - record.lines_used:,} set aside",
        f"  {counts.get('orders', 0):,} orders, {amount(counts.get('order_amount', 0))}",
        f"  {counts.get('refunds', 0):,} refunds, {amount(counts.get('refund_amount', 0))}; "
        f"{counts.get('refunds_unmatched', 0):,} name no order",
        f"  {counts.get('duplicate_lines', 0):,} lines repeat an earlier one exactly and count like any other",
        f"  {counts.get('tagged_lines', 0):,} of the lines used are not products, "
        f"{amount(counts.get('tagged_amount', 0))}",
    ]
    for reason, sentence, count, value in set_aside_table(record):
        lines.append(f"  set aside {count:,} lines: {sentence}, {amount(value)}")
        lines.append(f"    {'line' if count == 1 else 'lines'} {line_numbers(record.set_aside[reason], most=5)}")
    if record.set_aside:
        lines.append(f"  all of their numbers: /system/imports/{record.pk}/, for an admin")
    if counts.get("touchpoints_conflicting"):
        lines.append(
            f"  {counts['touchpoints_conflicting']:,} invoices say something else than what is stored under "
            "their number; what was stored first stands"
        )
    return lines
