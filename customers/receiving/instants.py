"""When a message happened: what the client says, corrected by how wrong its clock is."""

from datetime import UTC, datetime, timedelta
from typing import Any

from customers.events import EARLIEST

from .refusal import Refusal

# A message that arrives up to so long after it was sent may have been under way: its clock is believed. One that
# arrives before it was sent proves that the clock is ahead.
UNDER_WAY = timedelta(seconds=1)
_NONE = timedelta()


def instant_of(value: Any, path: str) -> datetime | None:
    """ISO 8601; without an offset it is UTC. None stays None."""
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise Refusal(path, "is not an instant in ISO 8601")
    try:
        found = datetime.fromisoformat(value.strip())
        if found.tzinfo is UTC:
            return found
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise Refusal(path, "is not an instant in ISO 8601 between the years 1990 and 9999") from None


def sent_of(value: Any) -> datetime | None:
    """When the client says it sent the request; None if it says nothing that can be understood."""
    try:
        return instant_of(value, "sentAt")
    except Refusal:
        return None


def occurred(said: datetime | None, *, sent: datetime | None, received: datetime) -> datetime:
    """received - (sent - said). Refusal for what lies before 1990; what lies ahead is for ingestion to set right."""
    if said is None:
        return received
    skew = _NONE if sent is None else received - sent
    if _NONE <= skew <= UNDER_WAY:
        at = said
    else:
        try:
            at = said + skew
        except OverflowError:
            at = said
    if at < EARLIEST:
        raise Refusal("timestamp", "lies before 1990")
    return at
