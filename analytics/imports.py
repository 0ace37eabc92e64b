"""What became of the lines of one imported file."""

from dataclasses import dataclass

from customers.demonstration import demonstration_sources, said_beside
from customers.line_account import line_numbers, set_aside_table
from customers.models import Import, Reject

MOST_STRETCHES = 200
MOST_REJECTS = 100
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
    `rejects` holds the first by line; beside: what is said when the demo's customers are here too, or ""."""

    record: Import
    counts: dict[str, int]
    set_aside: tuple[SetAside, ...]
    faulty_lines: int
    rejects: tuple[RejectedLine, ...]
    beside: str


def import_account(import_id: int) -> ImportAccount | None:
    """The account of that import; None when there is none of that number."""
    record = Import.objects.select_related("source").filter(pk=import_id).first()
    if record is None:
        return None
    rejects = Reject.objects.filter(from_import=record).order_by("line_number", "pk")
    return ImportAccount(
        record=record,
        counts={name: record.counts.get(name, 0) for name in COUNTS},
        set_aside=tuple(
            SetAside(reason, sentence, lines, amount, line_numbers(record.set_aside[reason], most=MOST_STRETCHES))
            for reason, sentence, lines, amount in set_aside_table(record)
        ),
        faulty_lines=rejects.count(),
        rejects=tuple(
            RejectedLine(each.line_number, each.path, each.reason, bytes(each.raw).decode("utf-8", errors="replace"))
            for each in rejects[:MOST_REJECTS]
        ),
        beside=said_beside(demonstration_sources(beside=record.source.key)),
    )
