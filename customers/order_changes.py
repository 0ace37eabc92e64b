"""What a file says of orders, held against what earlier files of its source said of them. Touchpoints stay as they are
stored, so what is said anew becomes a touchpoint of its own:

1. More was paid back than is stored: one more refund of the difference, known by what it brings the whole to. Less was:
   an older file, which says nothing new.
2. A stored order was called off: a refund of what was not paid back yet, beside the touchpoint that says so.
3. An order that is known to be called off comes as one that was not: an older file likewise.

So the sums are the same in whichever order the files come, and a file that comes again changes nothing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal

import msgspec

from clm.lib import sql

from .events import Event
from .models import Source, Touchpoint
from .orders import AT_THE_ORDER, CANCELLED, ORDER, REFUND, first_refund
from .waiting_orders import kept_of


@dataclass(frozen=True, slots=True)
class Changes:
    """events: what is to be stored; stored: hashes of what is stored of these orders already."""

    events: Sequence[Event]
    stored: frozenset[str]


@dataclass(slots=True)
class Stored:
    """What is stored of an order under one type. amount: minor units of the reporting currency, None while some of it
    waits for an exchange rate; rate_day: the day of that, as ISO text."""

    amount: int | None = 0
    original: Decimal = Decimal(0)
    currency: str = ""
    rate_day: str | None = None
    hashes: list[str] = field(default_factory=list)


def stored_of(*, refs: Iterable[str], types: Iterable[str], source: Source) -> dict[tuple[str, str], Stored]:
    """What is stored of some orders of a source under some types, by reference and type. One query."""
    rows = sql.rows("customers/orders_stored", source=source.pk, refs=sorted(set(refs)), types=sorted(types))
    return {(ref, name): Stored(*told) for ref, name, *told in rows}


def beyond(event: Event, stored: Stored, more: Decimal) -> int | None:
    """What `more`, the part of an event's original amount that is not stored yet, comes to in minor units: with what is
    stored exactly the event's amount. None where no rate is known for the event."""
    if event.amount is None or event.original_amount is None:
        return None
    if stored.amount is not None:
        return event.amount - stored.amount
    share = event.amount * more / event.original_amount  # what is stored gets its own once it is converted
    return int(share.to_integral_value(ROUND_HALF_EVEN))


def changes_of(*, events: Iterable[Event], source: Source) -> Changes:
    """What of some orders is not stored yet. One query."""
    said = list(events)
    kinds = stored_of(refs=(event.order_ref for event in said), types=[ORDER, REFUND, CANCELLED], source=source)
    found: list[Event] = []
    for event in said:
        order, refund, off = (kinds.get((event.order_ref, name), Stored()) for name in (ORDER, REFUND, CANCELLED))
        if event.type == CANCELLED:
            found += [] if off.hashes else [event]
            found += _rest(event, order, refund)
        elif off.hashes and not (event.type == ORDER and order.hashes):
            continue
        elif event.type == REFUND and event.message_id == first_refund(event.order_ref):
            found += _more(event, refund)
        else:
            found.append(event)
    return Changes(found, frozenset(hashed for kind in kinds.values() for hashed in kind.hashes))


def _more(event: Event, refund: Stored) -> list[Event]:
    """What was paid back beyond what is stored."""
    if not refund.hashes:
        return [event]
    assert event.original_amount is not None
    more = event.original_amount - refund.original
    if more >= 0:
        return []
    return [
        msgspec.structs.replace(
            event,
            message_id=f"{event.message_id}:{-event.original_amount}",
            amount=beyond(event, refund, more),
            original_amount=more,
            properties={**event.properties, "total": float(more)},
        )
    ]


def _rest(event: Event, order: Stored, refund: Stored) -> list[Event]:
    """What is left of a stored order that was called off. Where some of the order waits for a rate, it waits for the
    same."""
    left = order.original + refund.original
    if left <= 0:
        return []
    told = {key: value for key, value in event.properties.items() if key == AT_THE_ORDER}
    amount = None if order.amount is None or refund.amount is None else -(order.amount + refund.amount)
    if amount is None and (day := order.rate_day or refund.rate_day):
        told |= kept_of(day=date.fromisoformat(day))
    return [
        msgspec.structs.replace(
            event,
            message_id=f"{first_refund(event.order_ref)}:cancelled:{left}",
            type=REFUND,
            amount=amount,
            original_amount=-left,
            currency=order.currency,
            properties={"total": float(-left), **told},
            flags=Touchpoint.Flag.NO_RATE if amount is None else 0,
            traits={},
        )
    ]
