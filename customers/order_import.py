"""Importing a file of order lines: idempotent, resumable, every line accounted for.

1. Read the whole file into staging. A fault of the file as a whole is found here, before anything is stored.
2. Take the invoices in order of their number, some hundred at a time: store their touchpoints and, in the same
   transaction, the account of their lines and the number of the last invoice in the Import row.

A killed import is taken up by running it again: staging is filled anew from the same file, and step 2 goes on after the
last invoice committed. A finished import run again stores nothing, since every message id is known, and leaves its
Import row as it was."""

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import transaction

from clm.lib import sql

from . import order_staging
from .brought import note_brought
from .conversions import ask_to_convert
from .events import Event, message_hash
from .file_lock import ImportRefused, Stopped, alone, is_connected, refuse_stopped
from .importing.effects import effects_of
from .importing.events_of import RowEvents
from .importing.known import Earlier, asked_by, known_of
from .importing.order_rows import order_row
from .importing.store import state_consents
from .ingest import clock, ingest
from .line_account import LineAccount
from .local_times import LocalTimes
from .models import (
    Cause,
    Channel,
    Consent,
    Customer,
    Identity,
    Import,
    OrderLine,
    Profile,
    PropertyValue,
    Reject,
    Source,
    Stale,
    Touchpoint,
    TouchpointType,
    Trait,
)
from .order_changes import Changes, changes_of
from .order_lines import OrderLineReader
from .order_mapping import OrderMapping
from .orders import CANCELLED, ORDER, REFUND, Orders
from .parsing import BadFile, table

CHUNK_EVENTS = 500
CHUNK_LINES = 20_000
TELL_SECONDS = 2.0
MAX_REJECTS = 1_000  # faulty lines of an import kept with their text; all of them are in the account
_COUNTED = (
    Channel,
    Consent,
    Customer,
    Identity,
    OrderLine,
    Profile,
    PropertyValue,
    Reject,
    Stale,
    Touchpoint,
    TouchpointType,
    Trait,
)
# Counts of an Import that add up over runs of the same file.
_EVER = {
    "touchpoints_new",
    "customers_new",
    "consents_new",
    "rows_changed",
    "rejects",
    "orders_new",
    "refunds_new",
    "cancellations_new",
}
_NEW = {ORDER: "orders_new", REFUND: "refunds_new", CANCELLED: "cancellations_new"}
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Imported:
    """record: the account. rows_changed: rows of customers' records inserted, updated or deleted by this run.
    resumed: an earlier run had been stopped. again: the same file had been imported whole before."""

    record: Import
    rows_changed: int
    resumed: bool
    again: bool


def import_orders(
    *, path: Path, mapping: OrderMapping, now: datetime, tell: Tell, author: Any = None, shift_days: int | None = None
) -> Imported:
    """Import a file of order lines. `tell` hears of the progress in sentences.

    shift_days moves all times by whole days of local time; the first import of a source fixes it (None: what the source
    says, 0 at first). Raises BadFile (nothing is stored) and ImportRefused."""
    sha256, size = _fingerprint(path)
    source = _source(mapping, shift_days)
    with alone(source):
        record, resumed, again = _record(path, mapping, source, sha256, size, author)
        run = _Run(record=record, source=source, mapping=mapping, tell=tell, is_kept=not again)
        try:
            run.read(path=path, now=now)
            rows_changed = run.store()
        except Stopped:
            raise
        except BaseException as error:
            if not again and is_connected():
                reason = str(error) or type(error).__name__
                Import.objects.filter(pk=record.pk).update(state=Import.State.FAILED, error=reason[:2_000])
            raise
        finally:
            if is_connected():
                order_staging.clear()
        if again and rows_changed:
            # Lines that were set aside then count now (their time has come).
            record.save()
    return Imported(record, rows_changed, resumed, again)


class _Run:
    """One run over one file. is_kept False: nothing is written into the Import row."""

    def __init__(self, *, record: Import, source: Source, mapping: OrderMapping, tell: Tell, is_kept: bool) -> None:
        self.record, self.source, self.mapping = record, source, mapping
        self.tell, self.is_kept = tell, is_kept
        self.lines = 0
        self.told_at = time.monotonic()

    def say(self, sentence: str, *, is_last: bool = False) -> None:
        """Tell of the progress, but not more often than somebody can read."""
        if is_last or time.monotonic() - self.told_at >= TELL_SECONDS:
            self.told_at = time.monotonic()
            self.tell(sentence)

    def read(self, *, path: Path, now: datetime) -> None:
        """Step 1."""
        mapping = self.mapping
        content = table(path, encoding=mapping.encoding, delimiter=mapping.delimiter, needed=mapping.needed)
        times = LocalTimes(
            time_format=mapping.time_format, time_zone=mapping.time_zone, shift_days=self.source.shift_days
        )
        reader = OrderLineReader(mapping=mapping, header=content.header, times=times, now=now)

        def told(lines: int) -> None:
            self.say(f"read {lines:,} lines")
            if self.is_kept:
                self.record.progress = {**self.record.progress, "phase": "reading", "lines": lines}
                self.record.save(update_fields=["progress"])

        self.lines = order_staging.stage(content.rows, reader=reader, tell=told)

    def store(self) -> int:
        """Step 2; returns the rows changed."""
        account = LineAccount.read_from(self.record)
        for name, count in order_staging.named().items():
            account.counts[name] = count
        orders = Orders(mapping=self.mapping, account=account)
        after = self.record.progress.get("after")
        rows_changed = 0
        events: list[Event] = []
        told: list[RowEvents] = []
        last = after
        waiting = 0
        for invoice, lines in order_staging.invoices(after=after):
            some = orders.events(invoice, lines)
            events += some
            waiting += sum(len(event.lines) for event in some)
            if some and orders.consent is not None:
                told.append(order_row(some, line=orders.first_line, consent=orders.consent))
            last = invoice
            if len(events) >= CHUNK_EVENTS or waiting >= CHUNK_LINES:
                rows_changed += self._commit(events, told, account, after=after, until=last)
                events, told, after, waiting = [], [], last, 0
        rows_changed += self._commit(events, told, account, after=after, until=last, is_end=True)
        if account.counts["touchpoints_waiting"] and (rated := orders.rated_since()):
            # A rate that came while they were being stored has converted only what was there by then.
            ask_to_convert(currencies=rated, now=clock())
        return rows_changed

    def _commit(
        self,
        events: list[Event],
        told: Sequence[RowEvents],
        account: LineAccount,
        *,
        after: str | None,
        until: str | None,
        is_end: bool = False,
    ) -> int:
        with transaction.atomic():
            if self.is_kept:
                refuse_stopped(self.record)
            before = _rows_touched()
            since = clock()
            changes = self._changes(events)
            stored = self._stored(changes)
            ingested = ingest(source=self.source, events=changes.events, cause=Cause.IMPORT)
            consents = self._consents(told, changes.events, ingested.profiles, now=since)
            if self.is_kept and events:
                hashes = {str(message_hash(event.message_id)) for event in (*events, *changes.events)}
                note_brought(
                    record=self.record,
                    touchpoints=sorted(hashes | changes.stored),
                    identities=sorted({one for event in events for one in event.identities}),
                    since=since,
                    consents=consents,
                    touchpoints_tell=True,
                )
            if self.is_kept and until is not None:
                self._keep_rejects(account, after=after, until=until)
            rows_changed = _rows_touched() - before
            account.counts.update(
                {
                    "touchpoints_new": ingested.new,
                    "touchpoints_repeated": ingested.repeated,
                    "touchpoints_conflicting": ingested.conflicting,
                    "customers_new": ingested.new_customers,
                    "rows_changed": rows_changed,
                    **({"consents_new": len(consents)} if told else {}),
                    **_new_of(changes.events, ingested.profiles, stored),
                }
            )
            account.write_to(self.record)
            self.record.progress = {"phase": "storing", "after": until, "lines": self.lines}
            if is_end:
                self.record.state, self.record.error = Import.State.DONE, ""
                self.record.finished_at = clock()
            if self.is_kept:
                self.record.save()
        share = f"{100 * account.lines_read // self.lines} %" if self.lines else "100 %"
        orders, refunds = account.counts["orders"], account.counts["refunds"]
        self.say(
            f"stored {orders:,} orders and {refunds:,} refunds, {account.lines_read:,} lines done, {share}",
            is_last=is_end,
        )
        return rows_changed

    def _consents(
        self, told: Sequence[RowEvents], events: Sequence[Event], profiles: Sequence[int], *, now: datetime
    ) -> list[int]:
        """Store what orders say of consent; the ids of what is new. Nobody is subscribed again by it."""
        profile_of = {event.message_id: profile for event, profile in zip(events, profiles, strict=True)}
        rows = [each for each in told if each.events[0].message_id in profile_of]
        if not rows:
            return []
        known = known_of(asked=asked_by(rows), source=self.source)
        return state_consents(
            effects_of(rows=rows, known=known, earlier=Earlier(is_kept=False)),
            profiles=[profile_of[each.events[0].message_id] for each in rows],
            now=now,
            said_by=f"{self.record.file_name} (import {self.record.pk})",
        )

    def _changes(self, events: list[Event]) -> Changes:
        """What of it is not stored yet. No other import of the source is at work meanwhile."""
        if not events or not self.mapping.says_more_later:
            return Changes(events, frozenset())
        return changes_of(events=events, source=self.source)

    def _stored(self, changes: Changes) -> frozenset[str]:
        """Hashes of what of these events is stored already."""
        if self.mapping.says_more_later or not changes.events:
            return changes.stored
        hashes = [message_hash(event.message_id) for event in changes.events]
        stored = Touchpoint.objects.filter(source=self.source, message_hash__in=hashes)
        return frozenset(map(str, stored.values_list("message_hash", flat=True)))

    def _keep_rejects(self, account: LineAccount, *, after: str | None, until: str) -> None:
        left = MAX_REJECTS - account.counts["rejects"]
        faults = order_staging.faults(after=after, until=until, limit=left) if left > 0 else []
        Reject.objects.bulk_create(
            Reject(
                source=self.source,
                from_import=self.record,
                line_number=fault.line,
                path=fault.column,
                reason=fault.message,
                raw=fault.raw,
            )
            for fault in faults
        )
        account.counts["rejects"] += len(faults)


def _new_of(events: Sequence[Event], profiles: Sequence[int], stored: frozenset[str]) -> dict[str, int]:
    """How many orders, refunds and cancellations are new. profiles: by event, 0 for one of somebody erased, of which
    nothing is stored."""
    counts = dict.fromkeys(_NEW.values(), 0)
    for event, profile in zip(events, profiles, strict=True):
        counts[_NEW[event.type]] += bool(profile) and str(message_hash(event.message_id)) not in stored
    return counts


def _fingerprint(path: Path) -> tuple[str, int]:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest(), path.stat().st_size
    except OSError as error:
        raise BadFile(path, f"cannot be read: {error.strerror or error}") from error


def _source(mapping: OrderMapping, shift_days: int | None) -> Source:
    source, _made = Source.objects.get_or_create(
        key=mapping.source_key,
        defaults={
            "name": mapping.source_name,
            "kind": "file",
            "time_zone": mapping.time_zone,
            "currency": mapping.currency,
            "shift_days": shift_days or 0,
        },
    )
    if shift_days is not None and source.shift_days != shift_days:
        if not Touchpoint.objects.filter(source=source).exists():
            source.shift_days = shift_days
            source.save(update_fields=["shift_days"])
            return source
        raise ImportRefused(
            f'the orders of "{source.key}" are stored moved by {source.shift_days} days and cannot be moved by '
            f"{shift_days} as well; start over with an empty installation (make reset)"
        )
    return source


def _record(
    path: Path, mapping: OrderMapping, source: Source, sha256: str, size: int, author: Any
) -> tuple[Import, bool, bool]:
    """The Import to write into, whether it was begun before, and whether the file was imported whole before."""
    same = Import.objects.filter(source=source, file_sha256=sha256, mapping=dict(mapping.document)).order_by("-pk")
    last = same.first()
    if last is None:
        record = Import.objects.create(
            source=source,
            file_name=path.name,
            file_sha256=sha256,
            file_bytes=size,
            mapping=dict(mapping.document),
            state=Import.State.RUNNING,
            author=author,
        )
        return record, False, False
    if last.state == Import.State.DONE:
        # Every line is accounted for anew; what has ever come of the file stays counted.
        last.lines_used, last.set_aside, last.progress = 0, {}, {}
        last.counts = {name: count for name, count in last.counts.items() if name in _EVER}
        return last, False, True
    last.state, last.error = Import.State.RUNNING, ""
    last.save(update_fields=["state", "error"])
    return last, bool(last.progress.get("after")), False


def _rows_touched() -> int:
    tables = [model._meta.db_table for model in _COUNTED]
    return int(sql.rows("customers/rows_changed", tables=tables)[0][0])
