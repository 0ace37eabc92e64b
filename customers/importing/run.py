"""Trying and storing a file of people.

1. Read the whole file into portions of rows (`staging`). A fault of the file as a whole is found here, before anything
   is stored.
2. A dry run looks at every row and counts what it would do; nothing is written.
3. A run stores the portions one after the other, each in one transaction with the account of its rows and the number of
   the portion. A killed run is taken up by anybody at the next portion; a paused one when it is asked to go on.

Both read rows by the same code and judge them by the same code (`effects`)."""

import csv
import io
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import transaction

from clm.lib import sql

from ..file_lock import refuse_stopped
from ..ingest import Raced, clock
from ..line_account import LineAccount
from ..models import (
    Affiliation,
    Channel,
    Consent,
    Customer,
    Identity,
    Import,
    Installation,
    Profile,
    PropertyValue,
    Reject,
    Stale,
    Touchpoint,
    TouchpointType,
    Trait,
    TraitTelling,
)
from ..receiving.joining import join_people
from .effects import CONFLICTS, NEW, UNCHANGED, UPDATED, Effect, effects_of
from .events_of import RowEvents, events_of
from .known import Earlier, known_of
from .mapping import RowMapping
from .rows import Fault, ReadRow, RowReader
from .staging import content_as_file, portion, stage_rows
from .store import store_rows
from .tables import opened

MAX_REJECTS = 1_000  # faulty rows kept with their text; all of them are in the account and in the file of errors
EXAMPLES = 5
LONGEST_SHOWN = 120
TELL_SECONDS = 2.0
_TRIES = 5
_COUNTED = (
    Affiliation,
    Channel,
    Consent,
    Customer,
    Identity,
    Profile,
    PropertyValue,
    Stale,
    Touchpoint,
    TouchpointType,
    Trait,
    TraitTelling,
)
Tell = Callable[[str], None]


class RowsRun:
    """One process at work on one import of rows; the caller holds its source."""

    def __init__(self, *, record: Import, now: datetime, tell: Tell = lambda _sentence: None) -> None:
        self.record, self.tell = record, tell
        self.mapping = RowMapping.from_document(record.mapping)
        self.now, self.told_at = now, time.monotonic()
        self.file_at = record.told_at or record.created_at
        self.reader: RowReader | None = None

    def say(self, sentence: str, *, is_last: bool = False) -> None:
        """Tell of the progress, but not more often than somebody can read."""
        if is_last or time.monotonic() - self.told_at >= TELL_SECONDS:
            self.told_at = time.monotonic()
            self.tell(sentence)

    # --- 1 ---------------------------------------------------------------------------------------------------------
    def stage(self, path: Path | None = None) -> None:
        """Read the file (None: the one that was uploaded) into portions, unless that is done."""
        if self.record.progress.get("header") is None:
            if path is None:
                with content_as_file(self.record) as kept:
                    self._stage(kept)
            else:
                self._stage(path)
        self.reader = RowReader(
            mapping=self.mapping,
            header=self.record.progress["header"],
            now=self.now,
            reporting=Installation.current().currency,
        )

    def _stage(self, path: Path) -> None:
        sheet = opened(path, mapping=self.mapping)

        def told(rows: int) -> None:
            self.say(f"read {rows:,} rows")
            self._note({"phase": "reading", "rows": rows})

        count = stage_rows(record=self.record, rows=sheet.rows, tell=told)
        self._note({"phase": "read", "header": list(sheet.header), "rows": count, "portion": 0})

    def _note(self, progress: dict[str, Any]) -> None:
        """Keep how far it is; Stopped if somebody asked for that."""
        with transaction.atomic():
            refuse_stopped(self.record)
            self.record.progress = progress
            self.record.save(update_fields=["progress"])

    # --- 2 ---------------------------------------------------------------------------------------------------------
    def check(self) -> dict[str, Any]:
        """What a run would do, counted over all rows."""
        earlier, tally = Earlier(is_kept=True), Tally()
        try:
            number, rows = 0, self.record.progress["rows"]
            while (some := portion(record=self.record, number=number + 1)) is not None:
                number += 1
                read, events = self._read(some)
                with transaction.atomic():
                    known = known_of(rows=events, source=self.record.source)
                    effects = effects_of(rows=events, known=known, earlier=earlier)
                tally.add(read, events, effects)
                self.say(f"looked at {tally.account.lines_read:,} of {rows:,} rows")
                if number % 10 == 0:
                    self._note({**self.record.progress, "checked": tally.account.lines_read})
        finally:
            earlier.close()
        return tally.written(at=clock())

    # --- 3 ---------------------------------------------------------------------------------------------------------
    def run(self, *, until: float = float("inf")) -> int:
        """Store what is left, or as much as can be until that instant of the monotonic clock; the rows of customers'
        records that were inserted, updated or deleted."""
        changed = 0
        rows = self.record.progress["rows"]
        while (some := portion(record=self.record, number=self.record.progress["portion"] + 1)) is not None:
            changed += self._stored(some)
            done = self.record.lines_read
            self.say(f"stored {done:,} of {rows:,} rows, {100 * done // max(rows, 1)} %")
            if time.monotonic() > until:
                return changed
        with transaction.atomic():
            refuse_stopped(self.record)
            self.record.state, self.record.error = Import.State.DONE, ""
            self.record.finished_at = clock()
            self.record.progress = {**self.record.progress, "phase": "done"}
            self.record.save()
        self.say(f"stored {self.record.lines_read:,} of {rows:,} rows", is_last=True)
        return changed

    def _stored(self, some: list[tuple[int, list[str]]]) -> int:
        for _try in range(_TRIES):
            try:
                return self._portion(some)
            except Raced:
                self.record.refresh_from_db()
        raise Raced

    def _portion(self, some: list[tuple[int, list[str]]]) -> int:
        read, events = self._read(some)
        with transaction.atomic():
            refuse_stopped(self.record)
            before = _rows_touched()
            known = known_of(rows=events, source=self.record.source)
            effects = effects_of(rows=events, known=known, earlier=Earlier(is_kept=False))
            done = store_rows(
                record=self.record,
                source=self.record.source,
                rows=events,
                effects=effects,
                known=known,
                said_by=f"{self.record.file_name} (import {self.record.pk})",
            )
            tally = Tally(LineAccount.read_from(self.record))
            tally.add(read, events, effects)
            account = tally.account
            self._keep_rejects(read, account)
            changed = _rows_touched() - before
            account.counts.update(
                {
                    "touchpoints_new": done.new,
                    "touchpoints_conflicting": done.conflicting,
                    "customers_new": done.new_customers,
                    "consents_new": sum(len(each.consents) for each in effects),
                    "rows_changed": changed,
                }
            )
            account.write_to(self.record)
            self.record.progress = {
                **self.record.progress,
                "phase": "storing",
                "portion": self.record.progress["portion"] + 1,
            }
            self.record.save()
        if done.apart:
            join_people(source=self.record.source, apart=done.apart)
        return changed

    def _read(self, some: Sequence[tuple[int, list[str]]]) -> tuple[list[ReadRow], list[RowEvents]]:
        assert self.reader is not None
        read = [self.reader.read(line, cells) for line, cells in some]
        channel = self.mapping.channel
        return read, [
            events_of(one, file_at=min(self.file_at, self.now), channel=channel) for one in read if one.fault is None
        ]

    def _keep_rejects(self, read: Sequence[ReadRow], account: LineAccount) -> None:
        left = MAX_REJECTS - account.counts["rejects"]
        faulty = [(row, row.fault) for row in read if row.fault is not None][: max(left, 0)]
        Reject.objects.bulk_create(
            Reject(
                source=self.record.source,
                from_import=self.record,
                line_number=row.line,
                path=fault.column,
                reason=fault.message,
                raw=as_line(row.cells).encode("utf-8", "replace"),
            )
            for row, fault in faulty
        )
        account.counts["rejects"] += len(faulty)


class Tally:
    """What rows do, added up."""

    def __init__(self, account: LineAccount | None = None) -> None:
        self.account = account or LineAccount()
        self.examples: dict[str, list[dict[str, Any]]] = {NEW: [], UPDATED: [], UNCHANGED: [], "rejected": []}
        self.conflicts: dict[str, dict[str, Any]] = {key: {"rows": 0, "examples": []} for key in CONFLICTS}
        self.touchpoints: Counter[str] = Counter()

    def add(self, read: Sequence[ReadRow], events: Sequence[RowEvents], effects: Sequence[Effect]) -> None:
        """Count some rows."""
        for row in read:
            if row.fault is not None:
                self.account.set_aside(row.fault.reason, row.line, 0)
                self._show_fault(row, row.fault)
        for each, effect in zip(events, effects, strict=True):
            self.account.lines_used += 1
            self.account.counts[f"rows_{effect.outcome}"] += 1
            self.touchpoints.update(name for name, _at in effect.touchpoints)
            if len(shown := self.examples[effect.outcome]) < EXAMPLES:
                shown.append(_example(each, effect))
            for key, what in effect.conflicts.items():
                kept = self.conflicts[key]
                kept["rows"] += 1
                if len(kept["examples"]) < EXAMPLES:
                    kept["examples"].append({"line": each.row.line, "text": what[:LONGEST_SHOWN]})

    def _show_fault(self, row: ReadRow, fault: Fault) -> None:
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


def _rows_touched() -> int:
    tables = [model._meta.db_table for model in _COUNTED]
    return int(sql.rows("customers/rows_changed", tables=tables)[0][0])
