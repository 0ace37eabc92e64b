"""Trying and storing a file of people.

1. Read the whole file into portions of rows (`staging`). A fault of the file as a whole is found here, before anything
   is stored.
2. A dry run looks at every row and counts what it would do; nothing is written.
3. A run stores the portions one after the other, each in one transaction with the account of its rows and the number of
   the portion. A killed run is taken up by anybody at the next portion; a paused one when it is asked to go on.

Both read rows by the same code and judge them by the same code (`effects`)."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import transaction

from ..by_index import look_up_by_index
from ..file_lock import refuse_stopped
from ..ingest import Raced, clock
from ..line_account import LineAccount
from ..mapped_types import names_of_role, refund_names
from ..models import Import, Installation, Reject, Role
from ..receiving.joining import join_people
from .ahead import Portion, portion_of, portions_ahead
from .changed import rows_touched
from .effects import Effect, effects_of
from .known import Earlier, Known, known_of
from .mapping import RowMapping
from .more_refunded import more_refunded, refunds_of
from .rows import ReadRow, RowReader
from .staging import content_as_file, stage_rows
from .store import store_rows
from .tables import opened
from .tally import Tally, as_line

NOTED = 5  # a dry run notes how far it is after so many portions
MAX_REJECTS = 1_000  # faulty rows kept with their text; all of them are in the account and in the file of errors
TELL_SECONDS = 2.0
_TRIES = 5
Tell = Callable[[str], None]


class RowsRun:
    """One process at work on one import of rows; the caller holds its source."""

    def __init__(self, *, record: Import, now: datetime, tell: Tell = lambda _sentence: None) -> None:
        self.record, self.tell = record, tell
        self.mapping = RowMapping.from_document(record.mapping)
        self.now, self.told_at = now, time.monotonic()
        self.file_at = record.told_at or record.created_at
        self.reader: RowReader | None = None
        self.refunds = refunds_of(self.mapping)

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
            refunds=refund_names(),
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
        earlier, tally = Earlier(is_kept=True), Tally(purchases=names_of_role(Role.PURCHASE))
        try:
            rows = self.record.progress["rows"]
            with ThreadPoolExecutor(max_workers=1) as beside:
                for number, portion in enumerate(self._portions(after=0, beside=beside), start=1):
                    with transaction.atomic():
                        look_up_by_index()
                        portion = self._new_of(portion)
                        known = known_of(asked=portion.asked, source=self.record.source)
                        effects = effects_of(rows=portion.rows, known=known, earlier=earlier)
                    tally.add(portion.read, portion.rows, effects)
                    self.say(f"looked at {tally.account.lines_read:,} of {rows:,} rows")
                    if number % NOTED == 0:
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
        with ThreadPoolExecutor(max_workers=2) as beside:
            for portion in self._portions(after=self.record.progress["portion"], beside=beside):
                changed += self._stored(portion, beside)
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

    def _portions(self, *, after: int, beside: ThreadPoolExecutor) -> Iterator[Portion]:
        assert self.reader is not None
        file_at = min(self.file_at, self.now)
        return portions_ahead(record=self.record, reader=self.reader, file_at=file_at, after=after, beside=beside)

    def _new_of(self, portion: Portion) -> Portion:
        """A portion in which refunds are what they say beyond what is stored."""
        rows = more_refunded(rows=portion.rows, refunds=self.refunds, source=self.record.source)
        return portion if rows is portion.rows else portion_of(portion.read, rows)

    def _stored(self, portion: Portion, beside: ThreadPoolExecutor) -> int:
        for _try in range(_TRIES):
            try:
                return self._portion(portion, beside)
            except Raced:
                self.record.refresh_from_db()
        raise Raced

    def _portion(self, portion: Portion, beside: ThreadPoolExecutor) -> int:
        with transaction.atomic():
            refuse_stopped(self.record)
            look_up_by_index()
            before = rows_touched()
            portion = self._new_of(portion)
            known = known_of(asked=portion.asked, source=self.record.source)
            tally = Tally(LineAccount.read_from(self.record))
            # What rows do is judged while the database stores them.
            judging = beside.submit(_judged, portion, known, tally)
            done, note = store_rows(
                record=self.record,
                source=self.record.source,
                portion=portion,
                effects=judging.result,
                since=known.now,
                said_by=f"{self.record.file_name} (import {self.record.pk})",
            )
            effects, account = judging.result(), tally.account
            self._keep_rejects(portion.read, account)
            changed = rows_touched() - before
            account.counts.update(
                {
                    "touchpoints_new": done.new,
                    "touchpoints_conflicting": done.conflicting,
                    "touchpoints_waiting": sum(event.waits for each in portion.rows for event in each.events),
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
            join_people(source=self.record.source, apart=done.apart, note=note)
        return changed

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


def _judged(portion: Portion, known: Known, tally: Tally) -> list[Effect]:
    """What each row does, added up in `tally`. Asks the database nothing."""
    effects = effects_of(rows=portion.rows, known=known, earlier=Earlier(is_kept=False))
    tally.add(portion.read, portion.rows, effects)
    return effects
