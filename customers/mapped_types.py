"""What people said of the names that sources send: the role of each, and where its messages say how much it cost, in
which currency, in which order, for what, by which campaign and about which ticket.

A place is a property of the message, one within another parted by dots (`cart.total`). Without one, a message is read
as the Segment specification writes it. Roles are changed by `lifecycle.mapping` alone, as a new version of every rule
that can tell the difference."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from clm.lib.questions import Faults, QuestionError

from .models import Role, TouchpointType
from .standard_types import STANDARD_TYPES

# What can be read from elsewhere than the specification says.
READS = ("amount", "currency", "order", "products", "campaign", "ticket")
# By what is read from a place of its own, the property that everybody says it in. Whatever else is named there, revenue
# counts first.
USUAL = {
    "amount": "revenue",
    "currency": "currency",
    "order": "order_id",
    "products": "products",
    "campaign": "utm_campaign",
    "ticket": "ticket_id",
}
LONGEST_PLACE = 200
_PLACE = re.compile(r"[^\s.\x00-\x1f][^.\x00-\x1f]*(?:\.[^\s.\x00-\x1f][^.\x00-\x1f]*){0,4}")


@dataclass(frozen=True, slots=True)
class MappedType:
    """What one name means. reads: by what is read (`READS`), the place of it."""

    role: str
    reads: Mapping[str, str] = field(default_factory=dict)


def mapped_types() -> dict[str, MappedType]:
    """By name, what people mapped themselves; all others mean what `standard_types` says. One query."""
    rows = TouchpointType.objects.exclude(mapped_at=None).values_list("name", "role", "reads")
    return {name: MappedType(role, reads) for name, role, reads in rows}


def refund_names() -> frozenset[str]:
    """The names whose touchpoints are money that went back. One query."""
    return names_of_role(Role.REFUND)


def names_of_role(wanted: Role) -> frozenset[str]:
    """The names whose touchpoints have a role, of those that are known and of those that come mapped. One query."""
    roles = {**STANDARD_TYPES, **dict(TouchpointType.objects.values_list("name", "role"))}
    return frozenset(name for name, role in roles.items() if role == wanted)


def checked_mapping(*, role: str, reads: Mapping[str, Any]) -> dict[str, Any]:
    """A mapping as it is kept, {"role", "reads"}; QuestionError for what cannot be one."""
    faults = Faults()
    if role not in Role.values:
        faults.note(QuestionError("role", _("The roles are %(names)s.") % {"names": ", ".join(Role.values)}))
    places: dict[str, str] = {}
    for key, place in reads.items():
        with faults.noted():
            if key not in READS:
                known = ", ".join(READS)
                raise QuestionError(
                    "reads", _("What can be read from a place of its own is %(names)s.") % {"names": known}
                )
            if text := _checked_place(key, place):
                places[key] = text
    faults.refuse()
    return {"role": str(role), "reads": dict(sorted(places.items()))}


def _checked_place(key: str, place: Any) -> str:
    text = place.strip() if isinstance(place, str) else None
    if text is None or len(text) > LONGEST_PLACE or (text and not _PLACE.fullmatch(text)):
        said = _("Name a property, like total, or one within another, like cart.total, at most five deep.")
        raise QuestionError(key, said)
    return text


def told_at(properties: Mapping[str, Any], place: str) -> Any:
    """What properties say at a place; None where they say nothing."""
    if place in properties:  # a name may hold a dot itself
        return properties[place]
    found: Any = properties
    for name in place.split("."):
        if not isinstance(found, Mapping):
            return None
        found = found.get(name)
    return found


def read_from(properties: Mapping[str, Any], reads: Mapping[str, str]) -> dict[str, Any]:
    """What a message says in places of its own, as if it had said it where everybody does. Where it says nothing there,
    what it says in the usual place counts."""
    told = {USUAL[key]: told_at(properties, place) for key, place in reads.items()}
    return {name: value for name, value in told.items() if value is not None}
