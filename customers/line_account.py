"""The account of an import: every line of the file is used or set aside under a reason, with its number and its value.

`reasons` is the one list of reasons; pages and the terminal print its sentences."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext_lazy as _

from .models import Import

REASONS = {
    "no_customer": _("no customer is named"),
    "not_counted": _("quantity or price is not above zero (on a refund: the quantity is not below zero)"),
    "other_customer": _("the invoice's first line names another customer"),
    "other_currency": _("the order is in another currency than the file is read in"),
    "cancelled": _("the order was called off, or never paid: it is no revenue"),
    "faulty_order": _("another line of the invoice cannot be read"),
    "too_many_lines": _("the invoice has more lines than an order may have"),
    "too_large": _("the amount of the order is larger than can be kept"),
    "no_rate": _("no exchange rate is known for that day"),
    "wrong_width": _("the row has more or fewer cells than the header"),
    "bad_text": _("a text cannot be stored"),
    "no_invoice": _("no invoice number"),
    "bad_number": _("a number cannot be read"),
    "bad_time": _("a time cannot be read"),
    "in_the_future": _("the time lies in the future"),
    "no_person": _("nothing says whom the row is about"),
    "bad_email": _("an e-mail address is none"),
    "bad_message": _("a message cannot be used"),
    "bad_value": _("a cell says something else than its column may say"),
}
# Beyond this many separate stretches a reason keeps its exact count and says that its list was cut.
MAX_RANGES = 20_000


class LineAccount:
    """Counts as they grow over an import. `write_to` and `read_from` keep it in the Import row, so that it is committed
    with the touchpoints it speaks of and a killed import goes on with it."""

    def __init__(self) -> None:
        self.lines_used = 0
        self.lines: Counter[str] = Counter()
        self.amounts: Counter[str] = Counter()
        self.ranges: dict[str, list[list[int]]] = {}
        self.cut: set[str] = set()
        self.counts: Counter[str] = Counter()

    @property
    def lines_read(self) -> int:
        return self.lines_used + self.lines.total()

    def set_aside(self, reason: str, line: int, amount: int) -> None:
        """Set the line of that number aside; `amount` is its value in minor units."""
        assert reason in REASONS, reason
        self.lines[reason] += 1
        self.amounts[reason] += amount
        ranges = self.ranges.setdefault(reason, [])
        if ranges and ranges[-1][1] + 1 == line:
            ranges[-1][1] = line
        elif reason not in self.cut:
            ranges.append([line, line])

    def write_to(self, record: Import) -> None:
        for reason, ranges in self.ranges.items():
            ranges = self.ranges[reason] = coalesced(ranges)
            if len(ranges) > MAX_RANGES:
                del ranges[MAX_RANGES:]
                self.cut.add(reason)
        record.lines_read, record.lines_used = self.lines_read, self.lines_used
        record.counts = dict(self.counts)
        record.set_aside = {
            reason: {"lines": self.lines[reason], "amount": self.amounts[reason], "ranges": self.ranges[reason]}
            | ({"ranges_cut": True} if reason in self.cut else {})
            for reason in sorted(self.lines)
        }

    @classmethod
    def read_from(cls, record: Import) -> "LineAccount":
        account = cls()
        account.lines_used = record.lines_used
        account.counts.update(record.counts)
        for reason, kept in record.set_aside.items():
            account.lines[reason] = kept["lines"]
            account.amounts[reason] = kept["amount"]
            account.ranges[reason] = [list(stretch) for stretch in kept["ranges"]]
            if kept.get("ranges_cut"):
                account.cut.add(reason)
        return account


def coalesced(ranges: Iterable[list[int]]) -> list[list[int]]:
    """Stretches in order, neighbours joined."""
    joined: list[list[int]] = []
    for first, last in sorted(ranges):
        if joined and first <= joined[-1][1] + 1:
            joined[-1][1] = max(joined[-1][1], last)
        else:
            joined.append([first, last])
    return joined


def set_aside_table(record: Import) -> list[tuple[str, Any, int, int]]:
    """For people: reason, its sentence, lines, minor units; most lines first."""
    kept = sorted(record.set_aside.items(), key=lambda item: (-item[1]["lines"], item[0]))
    return [(reason, REASONS[reason], each["lines"], each["amount"]) for reason, each in kept]


def line_numbers(kept: dict[str, Any], *, most: int) -> str:
    """The lines of one reason of `Import.set_aside` for people, `most` stretches of them: "2, 5-9 and 31 more" (with a
    proper dash)."""
    shown = kept["ranges"][:most]
    words = ", ".join(f"{first}" if first == last else f"{first}–{last}" for first, last in shown)
    more = kept["lines"] - sum(last - first + 1 for first, last in shown)
    return _("%(lines)s and %(count)s more") % {"lines": words, "count": f"{more:,}"} if more else words
