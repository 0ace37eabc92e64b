"""What messages say of consent: that somebody unsubscribed, that an address bounced, that mail was called spam. Each is
a statement that forbids; no message ever allows."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from clm.lib import sql
from customers.erased import erased_among
from customers.events import message_text
from customers.models import Consent, Source

from .people import email_of

_NO = {
    "Unsubscribed": Consent.State.WITHDRAWN,
    "Email Unsubscribed": Consent.State.WITHDRAWN,
    "Email Bounced": Consent.State.REFUSED,
    "Email Marked as Spam": Consent.State.REFUSED,
}
# Where tools that send mail name the address, and the kind of a bounce.
_ADDRESSES = ("email", "email_address", "emailAddress", "recipient")
_KINDS = ("type", "bounce_type", "bounceType")
# A full mailbox or a busy server says nothing of the address.
_PASSING = frozenset(
    {"soft", "softbounce", "soft bounce", "soft_bounce", "transient", "temporary", "delayed", "block", "blocked"}
)


class Forbidden(NamedTuple):
    """address: which one must not be written to, "" for all that the person is recognised by; name: of the message."""

    address: str
    state: str
    name: str


def forbidden_by(name: str, *, properties: Mapping[str, Any], traits: Mapping[str, Any]) -> Forbidden | None:
    """What a message of that name says of consent; None for nearly all."""
    state = _NO.get(name)
    if state is None or (name == "Email Bounced" and _is_passing(properties)):
        return None
    told = [properties.get(key) for key in _ADDRESSES]
    address = next((found for one in (*told, traits.get("email")) if (found := email_of(one))), "")
    return Forbidden(address, state.value, name)


def _is_passing(properties: Mapping[str, Any]) -> bool:
    said = (properties.get(key) for key in _KINDS)
    return any(isinstance(one, str) and one.strip().casefold() in _PASSING for one in said)


def forbid(*, source: Source, told: Sequence[tuple[str, Forbidden]]) -> list[int]:
    """Keep what stored messages (id, what it says) forbid, each from its touchpoint's instant on, unless as much was
    forbidden then; the ids of new statements. In the transaction that stores the messages, after them."""
    erased = erased_among({("email", one.address) for _id, one in told if one.address})
    rows = [
        {
            "message_hash": message_text(message),
            "address": one.address,
            "state": one.state,
            "said_by": f"{source.name}: {one.name}"[:200],
            "place": place,
        }
        for place, (message, one) in enumerate(told)
        if ("email", one.address) not in erased
    ]
    if not rows:
        return []
    added = sql.rows("customers/consents_forbid", source=source.pk, told=msgspec.json.encode(rows).decode())
    return [number for (number,) in added]
