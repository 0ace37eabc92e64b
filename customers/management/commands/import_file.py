"""manage.py import_file FILE: bring in a file of people or of orders."""

import time
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from clm.lib.prepared_command import PreparedCommand
from customers import online_retail
from customers.demonstration import demonstration_sources, said_beside
from customers.file_lock import ImportRefused
from customers.importing.errors import error_file
from customers.importing.guess import Looked, looked_at, looks_like_order_lines
from customers.importing.mapping import RECOGNISING, USES, RowMapping
from customers.importing.presets import Mistaken, mistaken, preset_of, presets
from customers.importing.try_orders import try_orders
from customers.importing.words import CONFLICT_WORDS
from customers.importing.work import import_events, import_rows, try_events, try_rows
from customers.ingest import clock
from customers.line_account import REASONS, line_numbers, set_aside_table
from customers.mapping_fields import BadMapping
from customers.models import Import, Installation, Touchpoint
from customers.order_import import import_orders
from customers.order_mapping import OrderMapping, is_of_orders, loaded
from customers.parsing import BadFile


class Command(PreparedCommand):
    help = (
        "Import a file of people, of order lines or of messages. Run it again to go on after a stop; a file imported "
        "twice changes nothing. What its columns mean is recognised or guessed by the header, or said: by the name of "
        "a kind of file that comes along (--preset), or by a JSON file of your own (--mapping). Order lines need one."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "file", type=Path, nargs="?", help="the file; left out with --mapping online_retail, it is fetched"
        )
        parser.add_argument("--mapping", help='"online_retail", or the path of your own JSON file')
        parser.add_argument("--preset", help=f"one of {', '.join(one.key for one in presets())}")
        parser.add_argument("--dry-run", action="store_true", help="count what would happen and store nothing")
        parser.add_argument("--errors", type=Path, help="write the rows that could not be used, and why, to this file")

    def handle(self, *, file: Path | None, mapping: str | None, **options: Any) -> None:
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
            document, preset = self._document(file, mapping, options["preset"] or "")
            if options["dry_run"]:
                self._show(file, _tried(file, document, tell))
            elif is_of_orders(document):
                self._orders(file, document, tell)
            elif document.get("kind") == Import.Kind.EVENTS:
                self._messages(file, document, preset, tell)
            else:
                self._rows(file, RowMapping.from_document(document), preset, options["errors"], tell)
        except (BadFile, BadMapping, ImportRefused, online_retail.NotFetched) as error:
            raise CommandError(str(error)) from error

    def _document(self, file: Path, mapping: str | None, preset: str) -> tuple[dict[str, Any], str]:
        """How to read the file, and as what it was recognised."""
        if mapping is not None:
            return loaded(mapping), ""
        if preset and preset_of(preset) is None:
            raise CommandError(f'"{preset}" is none of {", ".join(one.key for one in presets())}')
        looked = looked_at(path=file, file_name=file.name, preset=preset)
        if looked.preset is not None:
            self.stdout.write(f"Read as: {looked.preset.name}")
            if found := mistaken(preset=preset, header=looked.header, file_name=file.name):
                self.stdout.write(self.style.WARNING(f"ATTENTION: {_mistaken(found)}"))
            return looked.document, looked.preset.key
        return self._guessed(file, looked), ""

    def _guessed(self, file: Path, looked: Looked) -> dict[str, Any]:
        """What the columns of a file of no known system are taken for, as the page of imports takes them."""
        if looks_like_order_lines(looked.header):
            raise CommandError(
                f"{file.name} looks like order lines. Say which column is what: manage.py import_file {file} --mapping "
                "shop.json (docs/importing-orders.md)"
            )
        if not any(use["as"] in RECOGNISING for uses in looked.document["columns"].values() for use in _listed(uses)):
            raise CommandError(
                f"{file.name} is a file of no system that is known here, and no column of it has a name that says who "
                "a row is about. Say what its columns mean, by a file (--mapping FILE, see docs/importing.md) or on "
                "the page Imports; or which system wrote it (--preset, see --help)"
            )
        document = dict(RowMapping.from_document(looked.document).document)
        self.stdout.write("Read as: people of no known system, their columns guessed by what these are called")
        for column, uses in document["columns"].items():
            self.stdout.write(f"  {column}: {', '.join(_in_words(use) for use in _listed(uses))}")
        return document

    def _orders(self, file: Path, document: dict[str, Any], tell: Callable[[str], None]) -> None:
        read_as = OrderMapping.from_document(_without_kind(document))
        self.warn(read_as.source_key)
        done = import_orders(path=file, mapping=read_as, now=clock(), tell=tell)
        if done.again:
            self.stdout.write("This file was imported before.")
        if done.resumed:
            self.stdout.write("The import went on where it had stopped.")
        for line in account_lines(done.record):
            self.stdout.write(line)
        self.warn(read_as.source_key)
        self.stdout.write(f"{done.rows_changed} rows changed")

    def _rows(
        self, file: Path, read_as: RowMapping, preset: str, errors: Path | None, tell: Callable[[str], None]
    ) -> None:
        self.warn(read_as.source_key)
        done = import_rows(path=file, mapping=read_as, now=clock(), tell=tell, preset=preset)
        if done.resumed:
            self.stdout.write("The import went on where it had stopped.")
        for line in row_lines(done.record):
            self.stdout.write(line)
        if errors is not None:
            _write_errors(errors, b"".join(error_file(record=done.record)))
            self.stdout.write(f"Rows that could not be used: {errors}")
        self.warn(read_as.source_key)
        self.stdout.write(f"{done.rows_changed} rows changed")

    def _messages(self, file: Path, document: dict[str, Any], preset: str, tell: Callable[[str], None]) -> None:
        self.warn(document["source"]["key"])
        done = import_events(path=file, document=document, now=clock(), tell=tell, preset=preset)
        if done.resumed:
            self.stdout.write("The import went on where it had stopped.")
        for line in message_lines(done.record):
            self.stdout.write(line)
        self.warn(document["source"]["key"])
        self.stdout.write(f"{done.rows_changed} rows changed")

    def _show(self, file: Path, found: dict[str, Any]) -> None:
        """What a dry run counted."""
        if "orders" in found:
            self.stdout.write(
                f"{file.name}: {_of(found['rows'], 'line')} = {found['rows'] - found['rejected']:,} used + "
                f"{found['rejected']:,} set aside"
            )
            self.stdout.write(
                f"  {_of(found['orders'], 'order')}, {found['orders_new']:,} new; "
                f"{_of(found['customers'], 'customer')}, {found['customers_new']:,} new"
            )
        else:
            self.stdout.write(
                f"{file.name}: {_of(found['rows'], 'row')} = {_of(found['new'], 'new customer')} + "
                f"{_of(found['updated'], 'update')} + "
                f"{found['unchanged']:,} unchanged + {found['rejected']:,} rejected"
            )
        for name, count in found["touchpoints"].items():
            self.stdout.write(f"  {_of(count, 'touchpoint')} {name}")
        for reason, kept in sorted(found["set_aside"].items()):
            self.stdout.write(f"  {kept['lines']:,} rejected: {REASONS[reason]}; lines {line_numbers(kept, most=5)}")
        for kept in found["waiting"]:
            self.stdout.write(f"  {waiting_line(kept['touchpoints'], kept['currency'])}")
        if without := found["without_amount"]["orders"]:
            first = ", ".join(map(str, found["without_amount"]["lines"]))
            self.stdout.write(
                f"  {_of(without, 'order')} {_either(without, 'says', 'say')} no amount, and no figure counts "
                f"{_either(without, 'it', 'them')}; lines {first}"
            )
        for key, kept in found["conflicts"].items():
            first = ", ".join(f"line {one['line']} ({one['text']})" for one in kept["examples"])
            self.stdout.write(f"  {_of(kept['rows'], 'row')}: {CONFLICT_WORDS[key](kept['rows'])}; {first}")
        self.stdout.write("Nothing was stored: 0 rows changed")

    def warn(self, source: str) -> None:
        """Before, for whoever watches, who may stop it; and after, for whoever only looks at the end."""
        if said := said_beside(demonstration_sources(beside=source)):
            self.stdout.write(self.style.WARNING(f"ATTENTION: {said}"))
            self.stdout.flush()


def _mistaken(found: Mistaken) -> str:
    lacks = f"lacks its columns {', '.join(found.missing)}" if found.missing else ""
    has = f"has the columns {', '.join(found.foreign)}, which it has not" if found.foreign else ""
    looks = f"it looks like {found.looks_like.name}" if found.looks_like else "it looks like no system known here"
    return f"the file {' and '.join(filter(None, (lacks, has)))}: {looks}"


def _write_errors(path: Path, text: bytes) -> None:
    try:
        path.write_bytes(text)
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}. What the file brought is stored") from None


def _listed(uses: Any) -> list[dict[str, Any]]:
    return uses if isinstance(uses, list) else [uses]


def _in_words(use: dict[str, Any]) -> str:
    """What a column is taken for, with the name that it gets."""
    named = use.get("key") or use.get("kind") or use.get("type")
    return f"{USES[use['as']]} ({named})" if named else str(USES[use["as"]])


def _of(count: int, one: str, many: str = "") -> str:
    """A number of something: 1 row, 2 rows."""
    return f"{count:,} {_either(count, one, many or f'{one}s')}"


def _either(count: int, one: str, many: str) -> str:
    return one if count == 1 else many


def _without_kind(document: Any) -> Any:
    return {key: value for key, value in document.items() if key != "kind"} if isinstance(document, dict) else document


def _tried(file: Path, document: dict[str, Any], tell: Callable[[str], None]) -> dict[str, Any]:
    """What a dry run of a file counts, whatever is in it."""
    if is_of_orders(document):
        mapping = OrderMapping.from_document(_without_kind(document))
        return try_orders(path=file, mapping=mapping, now=clock(), tell=tell)
    if document.get("kind") == Import.Kind.EVENTS:
        return try_events(path=file, document=document, now=clock(), tell=tell)
    return try_rows(path=file, mapping=RowMapping.from_document(document), now=clock(), tell=tell)


def row_lines(record: Import) -> list[str]:
    """What became of the rows of a file of people, for a terminal."""
    counts = record.counts
    lines = [
        f"{record.file_name}: {_of(record.lines_read, 'row')} = {_of(counts.get('rows_new', 0), 'new customer')} + "
        f"{_of(counts.get('rows_updated', 0), 'update')} + {counts.get('rows_unchanged', 0):,} unchanged + "
        f"{record.lines_set_aside:,} rejected",
        f"  {_of(counts.get('touchpoints_new', 0), 'touchpoint')}, "
        f"{_of(counts.get('consents_new', 0), 'statement of consent', 'statements of consent')}",
    ]
    return lines + _waiting_lines(record) + _rejected_lines(record, "row")


def message_lines(record: Import) -> list[str]:
    """What became of the messages of a dump, for a terminal."""
    counts = record.counts
    lines = [
        f"{record.file_name}: {_of(record.lines_read, 'message')} = {record.lines_used:,} used + "
        f"{record.lines_set_aside:,} rejected",
        f"  {_of(counts.get('touchpoints_new', 0), 'new message')}, {counts.get('touchpoints_repeated', 0):,} known, "
        f"{_of(counts.get('customers_new', 0), 'new customer')}, "
        f"{_of(counts.get('consents_new', 0), 'statement of consent', 'statements of consent')}",
    ]
    return lines + _waiting_lines(record) + _rejected_lines(record, "message")


def waiting_line(count: int, currency: str = "") -> str:
    """That money was stored for which there is no rate yet."""
    of = f"in {currency} " if currency else ""
    return (
        f"{_of(count, 'touchpoint')} {_either(count, 'carries', 'carry')} money {of}without an exchange rate: stored, "
        "and counted in no figure before there is one (page Money without a rate; manage.py exchange_rate)"
    )


def _waiting_lines(record: Import) -> list[str]:
    count = record.counts.get("touchpoints_waiting", 0)
    return [f"  {waiting_line(count)}"] if count else []


def _rejected_lines(record: Import, what: str) -> list[str]:
    """Why some were rejected; `what` one of them is called."""
    lines = []
    for reason, sentence, count, _value in set_aside_table(record):
        lines.append(f"  rejected {_of(count, what)}: {sentence}")
        lines.append(_places_line(record, reason, count))
    return lines


def _places_line(record: Import, reason: str, count: int) -> str:
    return f"    {_either(count, 'line', 'lines')} {line_numbers(record.set_aside[reason], most=5)}"


def account_lines(record: Import) -> list[str]:
    """What became of the lines of a file, for a terminal."""
    installation = Installation.current()
    money = 10**installation.minor_digits

    def amount(minor: int) -> str:
        return f"{minor / money:,.{installation.minor_digits}f} {installation.currency}"

    counts = record.counts
    unmatched, repeated = counts.get("refunds_unmatched", 0), counts.get("duplicate_lines", 0)
    tagged, conflicting = counts.get("tagged_lines", 0), counts.get("touchpoints_conflicting", 0)
    lines = [
        f"{record.file_name} names {_of(counts.get('invoices_named', 0), 'invoice')} of "
        f"{_of(counts.get('customers_named', 0), 'customer')}",
        f"{record.file_name}: {_of(record.lines_read, 'line')} = {record.lines_used:,} used + "
        f"{record.lines_read - record.lines_used:,} set aside",
        f"  {_of(counts.get('orders', 0), 'order')}, {amount(counts.get('order_amount', 0))}",
        f"  {_of(counts.get('refunds', 0), 'refund')}, {amount(counts.get('refund_amount', 0))}; "
        f"{unmatched:,} {_either(unmatched, 'names', 'name')} no order",
        f"  {_of(repeated, 'line')} "
        f"{_either(repeated, 'repeats', 'repeat')} an earlier one exactly and "
        f"{_either(repeated, 'counts', 'count')} like any other",
        f"  {tagged:,} of the lines used "
        f"{_either(tagged, 'is not a product', 'are not products')}, "
        f"{amount(counts.get('tagged_amount', 0))}",
        *_waiting_lines(record),
    ]
    for reason, sentence, count, value in set_aside_table(record):
        lines.append(f"  set aside {_of(count, 'line')}: {sentence}, {amount(value)}")
        lines.append(_places_line(record, reason, count))
    if record.set_aside:
        lines.append(f"  all of their numbers: /system/imports/{record.pk}/, for an admin")
    if conflicting:
        lines.append(
            f"  {_of(conflicting, 'invoice')} "
            f"{_either(conflicting, 'says', 'say')} something else than what is stored under "
            f"{_either(conflicting, 'its', 'their')} number; what was stored first stands"
        )
    return lines
