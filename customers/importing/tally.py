"""What the rows of a file do, added up: the account of a run, and what a dry run answers."""

import csv
import io
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from ..events import Event
from ..line_account import LineAccount
from ..models import Import
from .effects import CONFLICTS, NEW, UNCHANGED, UPDATED, Effect
from .events_of import RowEvents
from .rows import Fault, ReadRow

EXAMPLES = 5
LONGEST_SHOWN = 120


@dataclass(slots=True)
class Waits:
    """What of a file carries money in one currency without an exchange rate; first, last: its days (of UTC)."""

    touchpoints: int
    first: date
    last: date


class Tally:
    """What rows do, added up. purchases: the names of touchpoints that are orders."""

    def __init__(self, account: LineAccount | None = None, *, purchases: Collection[str] = ()) -> None:
        self.account = account or LineAccount()
        self.purchases = frozenset(purchases)
        self.waiting: dict[str, Waits] = {}
        self.without_amount: dict[str, Any] = {"orders": 0, "lines": []}
        self.examples: dict[str, list[dict[str, Any]]] = {NEW: [], UPDATED: [], UNCHANGED: [], "rejected": []}
        self.conflicts: dict[str, dict[str, Any]] = {key: {"rows": 0, "examples": []} for key in CONFLICTS}
        self.touchpoints: Counter[str] = Counter()

    def add(self, read: Sequence[ReadRow], events: Sequence[RowEvents], effects: Sequence[Effect]) -> None:
        """Count some rows."""
        for row in read:
            if row.fault is not None:
                self.account.set_aside(row.fault.reason, row.line, 0)
                self.show_fault(row, row.fault)
        for each, effect in zip(events, effects, strict=True):
            self.account.lines_used += 1
            self.count(each, effect)

    def count(self, each: RowEvents, effect: Effect, *, lines: int = 1) -> None:
        """Count what one row does, or one order of so many lines."""
        self.account.counts[f"rows_{effect.outcome}"] += lines
        self.touchpoints.update(name for name, _at in effect.touchpoints)
        for event in each.events:
            if event.waits:
                self._wait(event)
            elif event.original_amount is None and event.amount is None and event.type in self.purchases:
                self.without_amount["orders"] += 1
                if len(shown := self.without_amount["lines"]) < EXAMPLES:
                    shown.append(each.row.line)
        if len(shown := self.examples[effect.outcome]) < EXAMPLES:
            shown.append(_example(each, effect))
        for key, what in effect.conflicts.items():
            kept = self.conflicts[key]
            kept["rows"] += lines
            if len(kept["examples"]) < EXAMPLES:
                kept["examples"].append({"line": each.row.line, "text": what[:LONGEST_SHOWN]})

    def _wait(self, event: Event) -> None:
        day = event.occurred_at.date()
        kept = self.waiting.setdefault(event.currency, Waits(0, day, day))
        kept.touchpoints += 1
        kept.first, kept.last = min(kept.first, day), max(kept.last, day)

    def show_fault(self, row: ReadRow, fault: Fault) -> None:
        """Keep a faulty row among the examples, if they are few."""
        if len(shown := self.examples["rejected"]) < EXAMPLES:
            shown.append(
                {
                    "line": row.line,
                    "column": fault.column[:LONGEST_SHOWN],
                    "reason": fault.message[:300],
                    "text": as_line(row.cells)[:LONGEST_SHOWN],
                }
            )

    def written(self, *, at: datetime) -> dict[str, Any]:
        """As it is kept beside the import."""
        shadow = Import()
        self.account.write_to(shadow)
        counts = self.account.counts
        return {
            "at": at.isoformat(),
            "rows": self.account.lines_read,
            **{outcome: counts[f"rows_{outcome}"] for outcome in (NEW, UPDATED, UNCHANGED)},
            "rejected": self.account.lines.total(),
            "set_aside": shadow.set_aside,
            "examples": self.examples,
            "conflicts": {key: kept for key, kept in self.conflicts.items() if kept["rows"]},
            "touchpoints": dict(sorted(self.touchpoints.items())),
            "waiting": [
                {"currency": currency, "touchpoints": one.touchpoints, "first": f"{one.first}", "last": f"{one.last}"}
                for currency, one in sorted(self.waiting.items())
            ],
            "without_amount": self.without_amount,
        }


def _example(each: RowEvents, effect: Effect) -> dict[str, Any]:
    return {
        "line": each.row.line,
        "who": each.row.identities[0][1][:LONGEST_SHOWN],
        "changes": [
            [key[:LONGEST_SHOWN], None if before is None else before[:LONGEST_SHOWN], now[:LONGEST_SHOWN]]
            for key, (before, now) in sorted(effect.changes.items())
        ][:20],
        "touchpoints": [[name, at.isoformat()] for name, at in effect.touchpoints][:20],
        "consents": [[one.channel, one.purpose, one.state] for one in effect.consents],
        "account": effect.account[:LONGEST_SHOWN],
    }


def as_line(cells: Sequence[str]) -> str:
    """Cells as a line of delimited text."""
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow(cells)
    return out.getvalue()
