"""What a row of a file is to ingestion: one telling of what it says of the person, and the touchpoints it tells of. The
ids of these messages are made of what they say, so that the same said again is the same message."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import msgspec

from ..events import Event, message_text
from .rows import ReadRow, ToldTouchpoint

_WRITER = msgspec.json.Encoder(order="sorted", decimal_format="number", enc_hook=str)


@dataclass(frozen=True, slots=True)
class RowEvents:
    """A row's messages. hashes: by position of the event; told_at: since when its traits hold; known: hashes of stored
    messages that it says again in other words."""

    row: ReadRow
    events: tuple[Event, ...]
    hashes: tuple[str, ...]
    told_at: datetime
    known: tuple[str, ...] = ()


def events_of(row: ReadRow, *, file_at: datetime, channel: str) -> RowEvents:
    """The messages of a row that was understood; file_at: since when a row holds that does not say it itself."""
    told_at = row.told_at or file_at
    events = [_touchpoint(row, one) for one in row.touchpoints]
    if row.traits or not events:
        said = [sorted(row.identities), told_at.isoformat(), row.traits]
        digest = hashlib.blake2b(_WRITER.encode(said), digest_size=16).hexdigest()
        events.append(
            Event(
                message_id=f"row:{digest}",
                identities=row.identities,
                type="Identify",
                channel=channel,
                occurred_at=told_at,
                traits=row.traits or {},
                is_touchpoint=False,
                is_kept_by_id=True,
            )
        )
    return RowEvents(row, tuple(events), tuple(message_text(one.message_id) for one in events), told_at)


def _touchpoint(row: ReadRow, one: ToldTouchpoint) -> Event:
    kind, value = row.identities[0]
    own = one.id or (f"order:{one.order_ref}" if one.order_ref else "")
    return Event(
        message_id=f"{one.type}:{own}" if own else f"{one.type}:{kind}:{value}:{one.at.isoformat()}",
        identities=row.identities,
        type=one.type,
        channel=one.channel,
        occurred_at=one.at,
        amount=one.amount,
        original_amount=one.original_amount,
        currency=one.currency,
        order_ref=one.order_ref,
        properties=one.properties,
        flags=one.flags,
    )


def told_by(messages: Iterable[tuple[Event, str]]) -> tuple[list[str], list[str]]:
    """The hashes under which some messages are stored as touchpoints, and those under which they are as tellings. With
    them the messages by which ingestion welcomes somebody new who did nothing."""
    touchpoints: set[str] = set()
    tellings: set[str] = set()
    for event, hashed in messages:
        (touchpoints if event.is_touchpoint else tellings).add(hashed)
    welcomes = (message_text(f"created:{one}") for one in tellings)
    return sorted({*touchpoints, *welcomes}), sorted(tellings)
