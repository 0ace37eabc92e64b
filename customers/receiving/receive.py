"""Taking in a batch: what can be understood is stored, what cannot is kept as rejects with the reason, and both are
committed when this returns. Sending the same again changes nothing."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import DatabaseError, InterfaceError, InternalError, OperationalError, ProgrammingError, transaction

from customers.ingest import Raced
from customers.models import Reject, Source

from .bodies import Envelope
from .door import Door
from .instants import sent_of
from .joining import join_people
from .meaning import Understood, understood
from .messages import are_suspect, message_of
from .refusal import Refusal
from .store import store_within

log = logging.getLogger(__name__)

# One transaction stores so many; the larger batches that are legal too are stored in several.
AT_ONCE = 500
# Nobody who sends waits longer for a lock that another batch holds, nor for one statement.
PATIENCE_MS, STATEMENT_MS = 5_000, 10_000
_LONGEST_KEPT = 1024 * 1024
_CUT = 32 * 1024


@dataclass(frozen=True, slots=True)
class Received:
    """What became of a request's messages. repeated: known already, whatever they said."""

    new: int = 0
    repeated: int = 0
    rejected: int = 0


@dataclass(frozen=True, slots=True)
class Rejected:
    """A message that is not used, and why."""

    raw: bytes
    path: str
    reason: str


def receive(*, door: Door, envelope: Envelope, kind: str | None, received: datetime) -> Received:
    """Store an envelope's messages. Raises only what says that the database cannot be worked with right now."""
    sent = sent_of(envelope.sent_at)
    told: list[Understood] = []
    rejected: list[Rejected] = []
    is_suspect = are_suspect(envelope.messages)
    for raw in envelope.messages:
        try:
            message = message_of(raw, kind=kind, is_suspect=is_suspect)
            if message.context is None:
                message.context = envelope.context
            told.append(understood(message, raw, sender=door.sender, sent=sent, received=received))
        except Refusal as refusal:
            rejected.append(Rejected(raw, refusal.path, refusal.reason))
    done = Received(rejected=len(rejected))
    for start in range(0, max(len(told), 1), AT_ONCE):
        part = told[start : start + AT_ONCE]
        done = _together(done, _stored(door.source, part, rejected if start == 0 else []))
    return done


def _together(one: Received, other: Received) -> Received:
    return Received(one.new + other.new, one.repeated + other.repeated, one.rejected + other.rejected)


def _stored(source: Source, told: Sequence[Understood], rejected: Sequence[Rejected]) -> Received:
    """Store some messages in one transaction; if the database refuses one of them, each half by itself."""
    try:
        return _tried(source, told, rejected)
    except (OperationalError, InternalError, InterfaceError, ProgrammingError):
        # The database's trouble, not the message's; a table that is not as this program knows it, while one of both is
        # newer than the other, is nobody's fault who sends.
        raise
    except (DatabaseError, ValueError, ArithmeticError, RecursionError) as error:
        if len(told) > 1:
            half = len(told) // 2
            first = _stored(source, told[:half], rejected)
            return _together(first, _stored(source, told[half:], []))
        if not told:
            raise
        log.warning("a message could not be stored: %s", type(error).__name__)
        event = told[0].event
        refused = Rejected(event.raw or b"", "", "the database does not take it: " + str(error).splitlines()[0][:300])
        done = store(source=source, told=[], rejected=[*rejected, refused])
        return Received(done.new, done.repeated, done.rejected + 1)


def _tried(source: Source, told: Sequence[Understood], rejected: Sequence[Rejected]) -> Received:
    for _try in range(5):
        try:
            return store(source=source, told=told, rejected=rejected)
        except Raced:
            continue
    raise OperationalError("others store the same messages all the time")


def store(*, source: Source, told: Sequence[Understood], rejected: Sequence[Rejected]) -> Received:
    """One transaction: messages and rejects. Then people who turned out to be one are
    joined, each pair in a transaction of its own: merging takes locks that no batch may wait for."""
    with transaction.atomic():
        done = store_within(source=source, told=told, patience_ms=PATIENCE_MS, statement_ms=STATEMENT_MS).done
        if rejected:
            Reject.objects.bulk_create([_reject(source, one) for one in rejected])
    if done.apart:
        join_people(source=source, apart=done.apart)
    return Received(done.new, done.repeated + done.conflicting, 0)


def _reject(source: Source, one: Rejected) -> Reject:
    # A key that stands in a web page must not fill a disk with what is far too long to be of use.
    raw = one.raw if len(one.raw) <= _LONGEST_KEPT else one.raw[:_CUT]
    return Reject(source=source, path=_plain(one.path)[:500], reason=_plain(one.reason)[:500], raw=raw)


def _plain(text: str) -> str:
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
