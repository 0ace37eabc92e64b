"""What a file says of orders, held against what earlier files of its source said of them. Touchpoints stay as they are
stored, so what is said anew becomes a touchpoint of its own:

1. More was paid back than is stored: one more refund of the difference, known by what it brings the whole to. Less was:
   an older file, which says nothing new.
2. A stored order was called off: a refund of what was not paid back yet, beside the touchpoint that says so.
3. An order that is known to be called off comes as one that was not: an older file likewise.

So the sums are the same in whichever order the files come, and a file that comes again changes nothing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

import msgspec

from clm.lib import sql

from .events import Event
from .models import Source
from .orders import AT_THE_ORDER, CANCELLED, ORDER, REFUND, first_refund


@dataclass(frozen=True, slots=True)
class Changes:
    """events: what is to be stored; stored: hashes of what is stored of these orders already."""

    events: Sequence[Event]
    stored: frozenset[str]


@dataclass(slots=True)
class _Kind:
    """What is stored of an order under one type; amount in minor units of the reporting currency."""

    amount: int = 0
    original: Decimal = Decimal(0)
    hashes: list[str] = field(default_factory=list)


def changes_of(*, events: Iterable[Event], source: Source, currency: str) -> Changes:
    """What of some orders is not stored yet. currency: the one their amounts are in. One query."""
    said = list(events)
    kinds: dict[tuple[str, str], _Kind] = {
        (order, name): _Kind(int(amount), original, hashes)
        for order, name, amount, original, hashes in sql.rows(
            "customers/orders_stored",
            source=source.pk,
            refs=sorted({event.order_ref for event in said}),
            types=[ORDER, REFUND, CANCELLED],
        )
    }
    found: list[Event] = []
    for event in said:
        order, refund, off = (kinds.get((event.order_ref, name), _Kind()) for name in (ORDER, REFUND, CANCELLED))
        if event.type == CANCELLED:
            found += [] if off.hashes else [event]
            found += _rest(event, order, refund, currency)
        elif off.hashes and not (event.type == ORDER and order.hashes):
            continue
        elif event.type == REFUND and event.message_id == first_refund(event.order_ref):
            found += _more(event, refund)
        else:
            found.append(event)
    return Changes(found, frozenset(hashed for kind in kinds.values() for hashed in kind.hashes))


def _more(event: Event, refund: _Kind) -> list[Event]:
    """What was paid back beyond what is stored."""
    if not refund.hashes:
        return [event]
    assert event.original_amount is not None
    assert event.amount is not None
    more = event.original_amount - refund.original
    if more >= 0:
        return []
    return [
        msgspec.structs.replace(
            event,
            message_id=f"{event.message_id}:{-event.original_amount}",
            amount=event.amount - refund.amount,
            original_amount=more,
            properties={**event.properties, "total": float(more)},
        )
    ]


def _rest(event: Event, order: _Kind, refund: _Kind, currency: str) -> list[Event]:
    """What is left of a stored order that was called off."""
    left = order.original + refund.original
    if left <= 0:
        return []
    told = {key: value for key, value in event.properties.items() if key == AT_THE_ORDER}
    return [
        msgspec.structs.replace(
            event,
            message_id=f"{first_refund(event.order_ref)}:cancelled:{left}",
            type=REFUND,
            amount=-(order.amount + refund.amount),
            original_amount=-left,
            currency=currency,
            properties={"total": float(-left), **told},
            traits={},
        )
    ]
