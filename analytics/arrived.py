"""A touchpoint and the message that told of it, exactly as it arrived. Such messages name people in full, and so
whoever reads one is written into the log, without what it says."""

import json
import logging
from dataclasses import dataclass

from clm.lib.questions import NotThereError
from customers.models import Touchpoint
from customers.raw_bodies import body_of

from .customer_record import found_customer

log = logging.getLogger(__name__)
# A number of an address that no row can have.
_LARGEST_ID = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Arrived:
    """touchpoint: read with its type, channel and source. body: the message as bytes, None when it is not kept: it did
    not come as a message, or longer ago than messages are kept."""

    customer: int
    touchpoint: Touchpoint
    body: bytes | None

    @property
    def text(self) -> str:
        """The message as it arrived, "" when it is not kept; what is no text shows as a replacement character."""
        return (self.body or b"").decode("utf-8", errors="replace")

    @property
    def laid_out(self) -> str:
        """The same on lines of its own for reading; as it arrived where it cannot be."""
        try:
            said = json.dumps(json.loads(self.text), indent=2, ensure_ascii=False)
        except (ValueError, RecursionError):
            return self.text
        # Half a character can be written in JSON, and nowhere else.
        return said.encode("utf-8", "backslashreplace").decode()


def arrived(*, customer: int, touchpoint: int, reader: str) -> Arrived:
    """What arrived of a customer's touchpoint. reader: who wants to know, by number. NotThereError when the customer
    has no such touchpoint."""
    found, _merged_into = found_customer(customer)
    row = None
    if touchpoint <= _LARGEST_ID:
        asked = Touchpoint.objects.filter(pk=touchpoint, profile__customer=found.pk)
        row = asked.select_related("type", "channel", "source").first()
    if row is None:
        raise NotThereError(f"customer {customer} has no touchpoint {touchpoint}")
    body = body_of((row.received_at, row.source_id, row.message_hash))
    if body is not None:
        log.info("message read", extra={"fields": {"touchpoint": row.pk, "reader": reader}})
    return Arrived(found.pk, row, body)
