"""An order as a row of a file: as a dry run looks at it, and as what it says of consent is judged."""

from collections.abc import Sequence

from ..events import Event, message_text
from .events_of import RowEvents
from .rows import ReadRow, ToldConsent


def order_row(events: Sequence[Event], *, line: int, consent: ToldConsent | None) -> RowEvents:
    """An order, what of it was paid back, and what it says of consent."""
    order = events[0]
    row = ReadRow(
        line,
        (),
        identities=order.identities,
        traits=order.traits,
        told_at=order.occurred_at,
        consents=() if consent is None else (consent,),
    )
    return RowEvents(row, tuple(events), tuple(message_text(event.message_id) for event in events), order.occurred_at)
