"""The next portion of a file of people, read and understood while the present one is stored: storing is mostly waiting
for the database. Whatever can be said of rows without asking it is said here, beside that."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

from ..models import Import
from .events_of import RowEvents, events_of, told_by
from .known import Asked, asked_by
from .rows import ReadRow, RowReader
from .staging import packed_portion, unpacked


@dataclass(frozen=True, slots=True)
class Portion:
    """Rows that are stored together. read: all of them; rows: those that can be used, as messages; asked: whom and what
    these speak of; touchpoints, tellings: the hashes under which they are stored."""

    read: Sequence[ReadRow]
    rows: Sequence[RowEvents]
    asked: Asked
    touchpoints: Sequence[str]
    tellings: Sequence[str]


def read_portion(packed: bytes, *, reader: RowReader, file_at: datetime) -> Portion:
    """A portion as it is kept, understood. Asks the database nothing, unless amounts are converted."""
    read = [reader.read(line, cells) for line, cells in unpacked(packed)]
    channel = reader.mapping.channel
    return portion_of(read, [events_of(one, file_at=file_at, channel=channel) for one in read if one.fault is None])


def portion_of(read: Sequence[ReadRow], rows: Sequence[RowEvents]) -> Portion:
    """Rows as a portion. Asks the database nothing."""
    touchpoints, tellings = told_by(
        (event, hashed) for each in rows for event, hashed in zip(each.events, each.hashes, strict=True)
    )
    if known := {hashed for each in rows for hashed in each.known}:
        touchpoints = sorted({*touchpoints, *known})
    return Portion(read, rows, asked_by(rows), touchpoints, tellings)


def portions_ahead(
    *, record: Import, reader: RowReader, file_at: datetime, after: int, beside: ThreadPoolExecutor
) -> Iterator[Portion]:
    """The portions after one, in order, each read by `beside` while the one before it is stored; not where amounts are
    converted, since rates are looked up on the connection that stores."""
    looks_up = any(one.amount for one in reader.mapping.touchpoints)
    number = after + 1
    packed = packed_portion(record=record, number=number)
    waiting = (
        None if packed is None or looks_up else beside.submit(read_portion, packed, reader=reader, file_at=file_at)
    )
    while packed is not None:
        present = read_portion(packed, reader=reader, file_at=file_at) if waiting is None else waiting.result()
        number += 1
        packed = packed_portion(record=record, number=number)
        if packed is not None and not looks_up:
            waiting = beside.submit(read_portion, packed, reader=reader, file_at=file_at)
        yield present
