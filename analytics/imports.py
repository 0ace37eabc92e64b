"""Files that were brought in: the list of them, what a draft would be read as, and what became of the lines of one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Func

from clm.lib.questions import NotThereError
from customers.conversions import unconverted
from customers.demonstration import demonstration_sources, said_beside
from customers.importing.guess import ROWS
from customers.importing.mapping import RowMapping
from customers.importing.rows import ReadRow, RowReader
from customers.importing.staging import content_as_file
from customers.importing.tables import opened_as
from customers.ingest import clock
from customers.line_account import line_numbers, set_aside_table
from customers.mapped_types import refund_names
from customers.mapping_fields import BadMapping
from customers.models import Customer, Identity, Import, Installation, Reject
from customers.parsing import BadFile

from .customer_figures import names_of

MOST_STRETCHES = 200
MOST_REJECTS = 100
MOST_PEOPLE = 10
MOST_LOOKED_AT = 100
COUNTS = (
    "orders",
    "order_amount",
    "refunds",
    "refund_amount",
    "refunds_unmatched",
    "duplicate_lines",
    "tagged_lines",
    "tagged_amount",
    "touchpoints_conflicting",
    "touchpoints_waiting",
)


@dataclass(frozen=True, slots=True)
class SetAside:
    """Lines set aside under one reason. amount: their value in minor units; numbers: the lines, for people."""

    reason: str
    sentence: str
    lines: int
    amount: int
    numbers: str


@dataclass(frozen=True, slots=True)
class RejectedLine:
    """A line that could not be read, and its text as it stands in the file."""

    number: int | None
    column: str
    sentence: str
    text: str


@dataclass(frozen=True, slots=True)
class ImportAccount:
    """The account of one import. counts are those of `Import.counts`; faulty_lines counts all kept rejects, of which
    `rejects` holds the first by line; orders_known: how many of the orders were stored before, None where that was not
    counted; beside: what is said when the demo's customers are here too, or ""; waiting: how many of its touchpoints
    wait for an exchange rate still; converted: how many waited and do so no more."""

    record: Import
    counts: dict[str, int]
    set_aside: tuple[SetAside, ...]
    faulty_lines: int
    rejects: tuple[RejectedLine, ...]
    orders_known: int | None
    beside: str
    waiting: int
    converted: int


def import_account(import_id: int) -> ImportAccount | None:
    """The account of that import; None when there is none of that number."""
    record = Import.objects.select_related("source").filter(pk=import_id).first()
    if record is None:
        return None
    rejects = Reject.objects.filter(from_import=record).order_by("line_number", "pk")
    orders_new = record.counts.get("orders_new")
    waiting = _waiting(record)
    return ImportAccount(
        record=record,
        counts={name: record.counts.get(name, 0) for name in COUNTS},
        set_aside=lines_set_aside(record.set_aside),
        faulty_lines=rejects.count(),
        rejects=tuple(
            RejectedLine(each.line_number, each.path, each.reason, bytes(each.raw).decode("utf-8", errors="replace"))
            for each in rejects[:MOST_REJECTS]
        ),
        orders_known=None if orders_new is None else record.counts.get("orders", 0) - orders_new,
        beside=said_beside(demonstration_sources(beside=record.source.key)),
        waiting=waiting,
        converted=record.counts.get("touchpoints_waiting", 0) - waiting,
    )


def _waiting(record: Import) -> int:
    """How many of its touchpoints wait for an exchange rate now. Once it is forgotten what the import brought, those of
    its source stand for them, as far as they may be its own."""
    most = int(record.counts.get("touchpoints_waiting", 0))
    if not most:
        return 0
    waiting = unconverted().filter(source=record.source)
    brought = record.brought.filter(undone_at=None)
    if brought.exists():
        waiting = waiting.filter(pk__in=brought.annotate(one=Func("touchpoints", function="unnest")).values("one"))
    found: int = waiting.values("pk")[:most].count()
    return found


def lines_set_aside(kept: dict[str, Any]) -> tuple[SetAside, ...]:
    """The reasons of `Import.set_aside`, or of what a dry run kept of its kind, most lines first."""
    return tuple(
        SetAside(reason, sentence, lines, amount, line_numbers(kept[reason], most=MOST_STRETCHES))
        for reason, sentence, lines, amount in set_aside_table(Import(set_aside=kept))
    )


def people_of(record: Import) -> list[tuple[int, str]]:
    """Some of those whom an import brought ids of, and what they are called: the first of its last portion."""
    brought = record.brought.filter(undone_at=None).exclude(identities=[]).order_by("-pk")
    identities = brought.values_list("identities", flat=True).first() or []
    owners = Identity.objects.filter(pk__in=identities[:MOST_LOOKED_AT]).order_by("pk")
    first = list(dict.fromkeys(owners.values_list("profile__customer", flat=True)))[:MOST_PEOPLE]
    names = names_of(list(Customer.objects.filter(pk__in=first)))
    return [(number, names[number]) for number in first if number in names]


@dataclass(frozen=True, slots=True)
class Page:
    """Some imports, last first; following: where the next page begins, "" for nowhere."""

    rows: tuple[Import, ...]
    following: str


@dataclass(frozen=True, slots=True)
class Preview:
    """The beginning of a draft's file. cells: its first rows as they stand; read: the same as they will be read; fault:
    why they cannot be."""

    header: tuple[str, ...]
    cells: tuple[tuple[str, ...], ...]
    read: tuple[ReadRow, ...]
    fault: str = ""


def import_of(number: int) -> Import:
    """One import; NotThereError for none."""
    found = Import.objects.select_related("source", "author").filter(pk=number).first()
    if found is None:
        raise NotThereError(f"there is no import {number}")
    return found


def imports_page(*, page: str | None, most: int = 50) -> Page:
    """The imports before the one that `page` names, last first."""
    found = Import.objects.select_related("source", "author").defer("mapping", "set_aside").order_by("-pk")
    if page is not None and page.isascii() and page.isdigit() and len(page) < 19:
        found = found.filter(pk__lt=int(page))
    rows = list(found[: most + 1])
    return Page(tuple(rows[:most]), str(rows[most - 1].pk) if len(rows) > most else "")


def preview_of(record: Import) -> Preview:
    """The first rows of a draft, as its mapping reads them now."""
    document: dict[str, Any] = record.mapping
    if record.kind == Import.Kind.EVENTS:
        return Preview(("message",), (), ())
    try:
        with content_as_file(record, most=2) as path:
            sheet = opened_as(
                path,
                form=document.get("format", "csv"),
                encoding=document.get("encoding", "utf-8"),
                delimiter=document.get("delimiter", ","),
            )
            rows: list[tuple[int, list[str]]] = []
            try:
                for row in sheet.rows:
                    rows.append(row)
                    if len(rows) == ROWS:
                        break
            except BadFile:
                if not rows:  # a fault of what is cut off is none of the file
                    raise
    except BadFile as error:
        return Preview((), (), (), str(error))
    header, cells = tuple(sheet.header), tuple(tuple(row) for _line, row in rows)
    if record.kind != Import.Kind.ROWS:
        return Preview(header, cells, ())
    try:
        read = _read(header, rows, RowMapping.from_document(document))
    except BadMapping as error:
        return Preview(header, cells, (), str(error))
    return Preview(header, cells, read)


def _read(header: Sequence[str], rows: Sequence[tuple[int, list[str]]], mapping: RowMapping) -> tuple[ReadRow, ...]:
    missing = [name for name in mapping.needed if name not in header]
    if missing:
        raise BadMapping("columns", "the file has no column " + ", ".join(f'"{name}"' for name in missing[:5]))
    reader = RowReader(
        mapping=mapping,
        header=header,
        now=clock(),
        reporting=Installation.current().currency,
        refunds=refund_names(),
    )
    return tuple(reader.read(line, cells) for line, cells in rows)
