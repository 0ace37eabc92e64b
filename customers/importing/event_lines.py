"""Dumps of Segment and RudderStack: one message a line, as the API takes them. Each is understood as if it had been
sent, and happened when it says; a message is known by its id, so that the same dump again changes nothing."""

import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import transaction

from ..brought import note_brought
from ..by_index import look_up_by_index
from ..events import Event, message_text
from ..file_lock import refuse_stopped
from ..ingest import Raced, clock
from ..line_account import LineAccount
from ..mapped_types import mapped_types, names_of_role
from ..models import Cause, Import, Installation, Reject, Role
from ..parsing import BadFile
from ..receiving.joining import join_people
from ..receiving.meaning import Sender, Understood, understood
from ..receiving.messages import LONGEST_MESSAGE, message_of
from ..receiving.refusal import Refusal
from ..receiving.store import as_events, store_within
from .changed import rows_touched
from .effects import effects_of
from .events_of import RowEvents, told_by
from .known import Earlier, asked_by, known_of
from .rows import Fault, ReadRow, ToldAccount, ToldConsent
from .run import MAX_REJECTS, Tell
from .staging import content_as_file, portion, portions, stage_rows
from .tally import Tally

_TRIES = 5
Lines = list[tuple[int, list[str]]]
Refused = tuple[int, str, Refusal]


def lines_of(path: Path) -> Iterator[tuple[int, list[str]]]:
    """The lines of a file that hold anything; BadFile for what is no text."""
    try:
        with path.open("rb") as file:
            number = 0
            while line := file.readline(LONGEST_MESSAGE + 2):
                number += 1
                if text := line.decode("utf-8-sig" if number == 1 else "utf-8").strip():
                    yield number, [text]
    except UnicodeDecodeError as error:
        raise BadFile(path, f"is not UTF-8: {error.reason}", line=number) from error
    except OSError as error:
        raise BadFile(path, f"cannot be read: {error.strerror or error}") from error


def stage_events(*, record: Import, tell: Tell, path: Path | None = None) -> None:
    """Read a dump (None: the one that was uploaded) into portions, unless that is done."""
    if record.progress.get("header") is not None:
        return
    if path is None:
        with content_as_file(record) as kept:
            stage_events(record=record, tell=tell, path=kept)
        return
    count = stage_rows(record=record, rows=lines_of(path), tell=lambda rows: tell(f"read {rows:,} lines"))
    record.progress = {"phase": "read", "header": ["message"], "rows": count, "portion": 0}
    record.save(update_fields=["progress"])


def check_events(*, record: Import, tell: Tell) -> dict[str, Any]:
    """What a run over a staged dump would do, counted over all messages; nothing of them is stored."""
    earlier, tally = Earlier(is_kept=True), Tally(purchases=names_of_role(Role.PURCHASE))
    sender, now = _sender(record), clock()
    try:
        for some in portions(record=record):
            told, refused = _read(some, sender, now)
            rows = [_as_row(line, one, event) for (line, one), event in zip(told, _events(told), strict=True)]
            faulty = [ReadRow(line, [text], fault=_fault(refusal)) for line, text, refusal in refused]
            with transaction.atomic():
                refuse_stopped(record)
                look_up_by_index()
                known = known_of(asked=asked_by(rows), source=record.source)
                effects = effects_of(rows=rows, known=known, earlier=earlier)
                record.progress = {**record.progress, "checked": tally.account.lines_read + len(some)}
                record.save(update_fields=["progress"])
            tally.add(faulty, rows, effects)
            tell(f"looked at {tally.account.lines_read:,} of {record.progress['rows']:,} messages")
    finally:
        earlier.close()
    return tally.written(at=clock())


def run_events(*, record: Import, tell: Tell, until: float = float("inf")) -> int:
    """Store what is left of a staged dump, or as much as can be until that instant of the monotonic clock; the rows of
    customers' records that were inserted, updated or deleted."""
    changed, sender = 0, _sender(record)
    while (some := portion(record=record, number=record.progress["portion"] + 1)) is not None:
        changed += _stored(record, some, sender)
        tell(f"stored {record.lines_read:,} of {record.progress['rows']:,} messages")
        if time.monotonic() > until:
            return changed
    with transaction.atomic():
        refuse_stopped(record)
        record.state, record.error, record.finished_at = Import.State.DONE, "", clock()
        record.save()
    return changed


def _sender(record: Import) -> Sender:
    return Sender(record.source.currency, Installation.current().currency, mapped_types())


def _read(some: Lines, sender: Sender, now: datetime) -> tuple[list[tuple[int, Understood]], list[Refused]]:
    """The messages of some lines, and what was refused of them, each with the number of its line."""
    told: list[tuple[int, Understood]] = []
    refused: list[Refused] = []
    for line, (text,) in some:
        try:
            told.append((line, _understood(text, sender, now)))
        except Refusal as refusal:
            refused.append((line, text, refusal))
    return told, refused


def _understood(text: str, sender: Sender, now: datetime) -> Understood:
    raw = text.encode("utf-8", "surrogatepass")
    message = message_of(raw)
    if message.timestamp is not None:
        # The instant that the pipeline had corrected already; the one before is the client's own clock.
        message.originalTimestamp = None
    message.sentAt = None
    return understood(message, raw, sender=sender, sent=None, received=now)


def _events(told: list[tuple[int, Understood]]) -> list[Event]:
    return as_events([one for _line, one in told])


def _as_row(line: int, one: Understood, event: Event) -> RowEvents:
    """A message as a dry run looks at it: as a row of a file."""
    forbids, account = one.forbids, one.account
    address = next((value for kind, value in event.identities if kind == "email"), "")
    consents = (
        (ToldConsent(forbids.address or address, "email", "marketing", forbids.state, event.occurred_at),)
        if forbids is not None and (forbids.address or address)
        else ()
    )
    row = ReadRow(
        line,
        [event.raw.decode() if event.raw else ""],
        identities=event.identities,
        traits=event.traits,
        told_at=event.occurred_at,
        consents=consents,
        account=None if account is None else ToldAccount(account.key, account.name, account.properties),
    )
    return RowEvents(row, (event,), (message_text(event.message_id),), event.occurred_at)


def _fault(refusal: Refusal) -> Fault:
    return Fault("bad_message", refusal.path, refusal.reason)


def _stored(record: Import, some: Lines, sender: Sender) -> int:
    for _try in range(_TRIES):
        try:
            return _portion(record, some, sender)
        except Raced:
            record.refresh_from_db()
    raise Raced


def _portion(record: Import, some: Lines, sender: Sender) -> int:
    now = clock()
    read, refused = _read(some, sender, now)
    told = [one for _line, one in read]
    with transaction.atomic():
        refuse_stopped(record)
        look_up_by_index()
        before = rows_touched()
        stored = store_within(source=record.source, told=told, cause=Cause.IMPORT)
        done, events = stored.done, stored.events
        touchpoints, tellings = told_by((event, message_text(event.message_id)) for event in events)
        note = note_brought(
            record=record,
            touchpoints=touchpoints,
            tellings=tellings,
            identities=sorted({one for event in events for one in event.identities}),
            since=now,
            consents=stored.consents,
            accounts=stored.accounts,
            belongs=[
                (profile, one.account.key, one.event.occurred_at)
                for one, profile in zip(told, done.profiles, strict=True)
                if one.account is not None
            ],
            touchpoints_tell=True,
        )
        account = LineAccount.read_from(record)
        for line, _text, _refusal in refused:
            account.set_aside("bad_message", line, 0)
        account.lines_used += len(told)
        _keep_rejects(record, refused, account)
        changed = rows_touched() - before
        changes: dict[str, Any] = {
            "touchpoints_new": done.new,
            "touchpoints_repeated": done.repeated,
            "touchpoints_conflicting": done.conflicting,
            "touchpoints_waiting": sum(event.waits for event in events),
            "customers_new": done.new_customers,
            "consents_new": len(stored.consents),
            "rows_changed": changed,
        }
        account.counts.update(changes)
        account.write_to(record)
        record.progress = {**record.progress, "phase": "storing", "portion": record.progress["portion"] + 1}
        record.save()
    if done.apart:
        join_people(source=record.source, apart=done.apart, note=note)
    return changed


def _keep_rejects(record: Import, refused: list[Refused], account: LineAccount) -> None:
    left = max(0, MAX_REJECTS - account.counts["rejects"])
    Reject.objects.bulk_create(
        Reject(
            source=record.source,
            from_import=record,
            line_number=line,
            path=refusal.path[:500].replace("\0", "\ufffd"),
            reason=refusal.reason[:500].replace("\0", "\ufffd"),
            raw=text.encode("utf-8", "replace")[:32_768],
        )
        for line, text, refusal in refused[:left]
    )
    account.counts["rejects"] += len(refused[:left])
