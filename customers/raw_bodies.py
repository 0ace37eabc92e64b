"""Messages exactly as they arrived, kept for 30 days (see `customers.partitions`).

Those that one transaction stores lie in one row, strung together and compressed: a row for each took a third of the
write-ahead log of ingestion. A body is found by when its message arrived, the source, and the message's hash, which
touchpoints and tellings know of themselves. A row that has no list of messages is one message's and as it arrived: so
were all of them once.

Taking single bodies out writes the row that they lie in anew, without them."""

import struct
import zlib
from collections.abc import Iterable, Mapping, Sequence, Set
from datetime import datetime
from uuid import UUID

from clm.lib import sql
from clm.lib.milliseconds import truncated

from .events import message_hash
from .models import RawBody, Touchpoint, TraitTelling

# When a message arrived (cut to the millisecond), the number of its source, and its hash.
BodyKey = tuple[datetime, int, UUID]
# Whoever takes bodies out holds the rows of so many batches in memory.
AT_ONCE = 50
# The quickest: messages of one batch repeat each other so much that trying harder gains little.
_LEVEL = 1


def packed(bodies: Sequence[bytes]) -> bytes:
    """Bodies strung together behind their lengths, compressed."""
    lengths = struct.pack(f">{len(bodies)}I", *map(len, bodies))
    return zlib.compress(b"".join((lengths, *bodies)), _LEVEL)


def unpacked(pack: bytes, count: int) -> list[bytes]:
    """The so many bodies that were packed."""
    whole = zlib.decompress(pack)
    start, bodies = 4 * count, []
    for length in struct.unpack_from(f">{count}I", whole):
        bodies.append(whole[start : start + length])
        start += length
    return bodies


def bodies_in(row: RawBody) -> dict[UUID, bytes]:
    """The bodies of a row, by the hash of their message."""
    if row.messages is None:
        return {row.message_hash: bytes(row.body)}
    return dict(zip(row.messages, unpacked(bytes(row.body), len(row.messages)), strict=True))


def body_of(key: BodyKey) -> bytes | None:
    """A message as it arrived; None if it is not kept, or not kept any more."""
    received_at, source, message = key
    for row in RawBody.objects.filter(received_at=received_at, source=source):
        if row.message_hash == message or message in (row.messages or ()):
            return bodies_in(row)[message]
    return None


def kept_message(*, source: str, message_id: str) -> bytes | None:
    """A message of a source (its key) as it arrived; None if there is none, or none any more."""
    hashed = message_hash(message_id)
    touchpoints = Touchpoint.objects.filter(source__key=source, message_hash=hashed)
    tellings = TraitTelling.objects.filter(source__key=source, message_hash=hashed)
    arrived = [
        *touchpoints.values_list("received_at", "source_id"),
        *tellings.values_list("recorded_at", "source_id"),
    ]
    for at, number in arrived:
        if at is not None and number is not None and (body := body_of((truncated(at), number, hashed))) is not None:
            return body
    return None


def drop_bodies(keys: Iterable[BodyKey]) -> int:
    """Take bodies out, for good; how many there were. Within a transaction. Rows are locked in their order, so that two
    who take out of the same ones wait for each other and not in a circle."""
    asked: dict[tuple[datetime, int], set[UUID]] = {}
    for received_at, source, message in keys:
        asked.setdefault((received_at, source), set()).add(message)
    places = sorted(asked)
    return sum(
        _dropped({place: asked[place] for place in places[start : start + AT_ONCE]})
        for start in range(0, len(places), AT_ONCE)
    )


def _dropped(asked: Mapping[tuple[datetime, int], Set[UUID]]) -> int:
    dropped = 0
    for row in sql.records(
        "customers/raw_bodies_held",
        instants=[received_at for received_at, _source in asked],
        sources=[source for _received_at, source in asked],
    ):
        bodies = bodies_in(RawBody(**row))
        left = {one: body for one, body in bodies.items() if one not in asked[row["received_at"], row["source_id"]]}
        if len(left) < len(bodies):
            dropped += len(bodies) - len(left)
            sql.run(
                "customers/raw_bodies_put",
                received_at=row["received_at"],
                source=row["source_id"],
                message_hash=row["message_hash"],
                messages=list(left),
                body=packed(list(left.values())),
            ).close()
    return dropped
