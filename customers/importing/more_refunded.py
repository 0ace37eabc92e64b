"""A payment of which more was paid back since an earlier file: what is said anew is the difference, a refund of its
own, as with orders (`customers.order_changes`). An older file says nothing new."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

import msgspec

from ..events import Event, message_text
from ..models import Source
from ..order_changes import Stored, beyond, stored_of
from .events_of import RowEvents
from .mapping import RowMapping


def refunds_of(mapping: RowMapping) -> frozenset[str]:
    """The names under which a file says how much of a payment was paid back in all."""
    return frozenset(one.type for one in mapping.touchpoints if one.is_refund and one.amount and one.order_ref)


def more_refunded(*, rows: Sequence[RowEvents], refunds: frozenset[str], source: Source) -> Sequence[RowEvents]:
    """The same rows; a refund of which some is stored is what it says beyond that. One query where there is any."""
    if not refunds:
        return rows
    refs = {event.order_ref for each in rows for event in each.events if event.type in refunds and event.order_ref}
    if not refs:
        return rows
    stored = stored_of(refs=refs, types=refunds, source=source)
    return [_with_more(each, stored) for each in rows]


def _with_more(each: RowEvents, stored: Mapping[tuple[str, str], Stored]) -> RowEvents:
    if not any((event.order_ref, event.type) in stored for event in each.events):
        return each
    events: list[Event] = []
    known: list[str] = []
    for event in each.events:
        if (found := stored.get((event.order_ref, event.type))) is None:
            events.append(event)
            continue
        known += found.hashes
        more = (event.original_amount or Decimal(0)) - found.original
        if more < 0:
            events.append(
                msgspec.structs.replace(
                    event,
                    message_id=f"{event.message_id}:{-found.original - more:f}",
                    amount=beyond(event, found, more),
                    original_amount=more,
                )
            )
    if not events:
        return each  # a row says something at least: it is found repeated
    hashes = [message_text(event.message_id) for event in events]
    return replace(each, events=tuple(events), hashes=tuple(hashes), known=tuple(known))
