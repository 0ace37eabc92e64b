"""What ingestion takes: one event of one person, already understood. Whoever reads a format (a file, a library, a
form) makes these; `customers.ingest` stores them."""

import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from clm.lib.milliseconds import truncated

EARLIEST = datetime.fromisoformat("1990-01-01T00:00:00+00:00")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an order; amounts in minor units of the reporting currency."""

    product: str
    quantity: Decimal
    amount: int
    description: str = ""
    category: str = ""
    cost: int | None = None
    is_product: bool = True


class Event(msgspec.Struct, frozen=True):
    """One touchpoint and what was told with it.

    message_id     unique within the source; a repeated one is stored once, whatever else it says
    identities     (kind, folded value), strongest first; at least one
    type, channel  names; unknown ones enter the catalogue
    occurred_at    aware; cut to the millisecond
    amount         minor units of the reporting currency; original_amount and currency as sent
    traits         {key: JSON value} told at occurred_at
    is_touchpoint  false for a message that only tells traits
    said_at        when the sender says it happened, if occurred_at is corrected by the sender's clock: a message that
                   is sent again is corrected anew and still is the same message
    raw            the JSON text it arrived as; a message that has one is remembered by its id even if it only tells
                   traits
    says_same      its identities are said to be one person's, whatever names they hold
    is_kept_by_id  a message that only tells traits is remembered by its id although no raw text of it is kept
    says           what is compared in place of its amount, properties and lines to tell a repetition from a conflict:
                   what money was converted to depends on the rates that were known by then"""

    message_id: str
    identities: tuple[tuple[str, str], ...]
    type: str
    channel: str
    occurred_at: datetime
    amount: int | None = None
    original_amount: Decimal | None = None
    currency: str = ""
    order_ref: str = ""
    properties: Mapping[str, Any] = msgspec.field(default_factory=dict)
    flags: int = 0
    lines: tuple[Line, ...] = ()
    traits: Mapping[str, Any] = msgspec.field(default_factory=dict)
    is_touchpoint: bool = True
    said_at: datetime | None = None
    raw: bytes | None = None
    says_same: bool = False
    is_kept_by_id: bool = False
    says: Any = None

    def __post_init__(self) -> None:
        if not self.identities:
            raise ValueError("an event needs an identity")
        if self.occurred_at < EARLIEST:
            raise ValueError("an event lies before 1990")
        if (cut := truncated(self.occurred_at)) is not self.occurred_at:
            msgspec.structs.force_setattr(self, "occurred_at", cut)

    @property
    def is_telling(self) -> bool:
        """Whether it is a message of its own that tells traits and is remembered by its id."""
        return not self.is_touchpoint and (self.raw is not None or self.is_kept_by_id)

    @property
    def waits(self) -> bool:
        """Whether it carries money that no exchange rate is known for."""
        return self.amount is None and self.original_amount is not None

    def also(self, identity: tuple[str, str]) -> "Event":
        """The same, said to be about whoever has this identity too."""
        return msgspec.structs.replace(
            self, identities=tuple(dict.fromkeys((*self.identities, identity))), says_same=True
        )


def message_hash(message_id: str) -> uuid.UUID:
    """128 bits of a message id: client libraries send ids of any length and form."""
    return uuid.UUID(bytes=hashlib.blake2b(message_id.encode(), digest_size=16).digest())


def message_text(message_id: str) -> str:
    """The same as PostgreSQL writes it, 8-4-4-4-12 digits, in a third of the time that an object takes to be made."""
    digits = hashlib.blake2b(message_id.encode(), digest_size=16).hexdigest()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


_SAYING = msgspec.json.Encoder(order="sorted", decimal_format="string", enc_hook=str)


def body_hash(event: Event) -> int:
    """64 bits of everything else an event says, to tell a repetition from a conflict."""
    amount, properties, lines = event.amount, event.properties, event.lines
    if event.says is not None:
        amount, properties, lines = None, event.says, ()
    said = _SAYING.encode(
        [
            sorted(event.identities),
            event.type,
            event.channel,
            event.occurred_at if event.said_at is None else truncated(event.said_at),
            amount,
            event.original_amount,
            event.currency,
            event.order_ref,
            properties,
            event.traits,
            [[line.product, line.quantity, line.amount] for line in lines],
        ]
    )
    return int.from_bytes(hashlib.blake2b(said, digest_size=8).digest(), "big", signed=True)
