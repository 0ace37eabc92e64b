"""Dumps of Segment and RudderStack: one message a line, as the API takes them. Each is understood as if it had been
sent, and happened when it says; a message is known by its id, so that the same dump again changes nothing."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.db import transaction

from ..brought import note_brought
from ..events import message_hash
from ..file_lock import refuse_stopped
from ..ingest import Raced, clock
from ..line_account import LineAccount
from ..mapped_types import mapped_types
from ..models import Cause, Import, Installation, Reject
from ..parsing import BadFile
from ..receiving.joining import join_people
from ..receiving.meaning import Sender, Understood, understood
from ..receiving.messages import LONGEST_MESSAGE, message_of
from ..receiving.refusal import Refusal
from ..receiving.store import store_within
from .events_of import welcomes_of
from .run import MAX_REJECTS, Tell
from .staging import content_as_file, portion, stage_rows

_TRIES = 5


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


def run_events(*, record: Import, tell: Tell, until: float) -> None:
    """Store what is left of a dump, or as much as can be until that instant of the monotonic clock."""
    if record.progress.get("header") is None:
        with content_as_file(record) as path:
            count = stage_rows(record=record, rows=lines_of(path), tell=lambda rows: tell(f"read {rows:,} lines"))
        record.progress = {"phase": "read", "header": ["message"], "rows": count, "portion": 0}
        record.save(update_fields=["progress"])
    sender = Sender(record.source.currency, Installation.current().currency, mapped_types())
    while (some := portion(record=record, number=record.progress["portion"] + 1)) is not None:
        _stored(record, some, sender)
        tell(f"stored {record.lines_read:,} of {record.progress['rows']:,} messages")
        if time.monotonic() > until:
            return
    with transaction.atomic():
        refuse_stopped(record)
        record.state, record.error, record.finished_at = Import.State.DONE, "", clock()
        record.save()


def _stored(record: Import, some: list[tuple[int, list[str]]], sender: Sender) -> None:
    for _try in range(_TRIES):
        try:
            return _portion(record, some, sender)
        except Raced:
            record.refresh_from_db()
    raise Raced


def _portion(record: Import, some: list[tuple[int, list[str]]], sender: Sender) -> None:
    now = clock()
    told: list[Understood] = []
    refused: list[tuple[int, str, Refusal]] = []
    for line, (text,) in some:
        try:
            told.append(_understood(text, sender, now))
        except Refusal as refusal:
            refused.append((line, text, refusal))
    with transaction.atomic():
        refuse_stopped(record)
        stored = store_within(source=record.source, told=told, cause=Cause.IMPORT)
        done, events = stored.done, stored.events
        hashes = sorted({str(message_hash(event.message_id)) for event in events})
        note_brought(
            record=record,
            messages=hashes + welcomes_of(hashes),
            identities=sorted({one for event in events for one in event.identities}),
            since=now,
            consents=stored.consents,
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
        changes: dict[str, Any] = {
            "touchpoints_new": done.new,
            "touchpoints_repeated": done.repeated,
            "touchpoints_conflicting": done.conflicting,
            "customers_new": done.new_customers,
        }
        account.counts.update(changes)
        account.write_to(record)
        record.progress = {**record.progress, "phase": "storing", "portion": record.progress["portion"] + 1}
        record.save()
    if done.apart:
        join_people(source=record.source, apart=done.apart)


def _understood(text: str, sender: Sender, now: Any) -> Understood:
    raw = text.encode("utf-8", "surrogatepass")
    message = message_of(raw)
    if message.timestamp is not None:
        # The instant that the pipeline had corrected already; the one before is the client's own clock.
        message.originalTimestamp = None
    message.sentAt = None
    return understood(message, raw, sender=sender, sent=None, received=now)


def _keep_rejects(record: Import, refused: list[tuple[int, str, Refusal]], account: LineAccount) -> None:
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
