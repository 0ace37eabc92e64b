"""In which order customers are listed, and where in it somebody stands: as a link names it, as a cursor carries it.

Whoever is known by nothing but a device comes after everybody else, in whatever order and direction: nobody looks for
visitors without a name among customers."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clm.lib.cursors import cursor, parse_cursor, parse_text_cursor, text_cursor
from clm.lib.questions import QuestionError

# What lists can be sorted by, and whether people mean the greatest first.
KEYS = {
    "name": (gettext_lazy("Name"), False),
    "last_seen": (gettext_lazy("Last seen"), True),
    "orders": (gettext_lazy("Orders"), True),
    "revenue": (gettext_lazy("Revenue"), True),
    "since": (gettext_lazy("Since"), True),
    "created": (gettext_lazy("Newest"), True),
}


@dataclass(frozen=True, slots=True)
class Order:
    """By what, and whether the greatest or latest comes first."""

    key: str
    descending: bool

    @property
    def asked(self) -> str:
        """As a link names it: `-last_seen`."""
        return f"-{self.key}" if self.descending else self.key

    @property
    def is_newest(self) -> bool:
        """Whether it is the order in which customers were made, which costs nothing at any size."""
        return self.key == "created"


NEWEST = Order("created", True)
DEFAULT = Order("last_seen", True)


def parse_order(text: str) -> Order:
    """The order a link names; QuestionError for one there is not."""
    order = Order(text.removeprefix("-"), text.startswith("-"))
    if order.key not in KEYS or order == Order("created", False):
        known = ", ".join(str(label).lower() for label, _descending in KEYS.values())
        raise QuestionError(
            "sort",
            _("A list cannot be sorted by “%(text)s”. It can be sorted by %(known)s.")
            % {"text": text[:40], "known": known},
        )
    return order


class Place(NamedTuple):
    """Where a customer stands: the part of the list (0: known, 1: known but without a name, where names decide,
    2: anonymous), the key, the id."""

    part: int
    key: int | str
    id: int


def follows(place: Place, border: Place, order: Order) -> bool:
    """Whether `place` comes after `border`."""
    if place.part != border.part:
        return place.part > border.part
    here, there = (place.key, place.id), (border.key, border.id)
    return here < there if order.descending else here > there


def in_order(places: Iterable[Place], order: Order) -> list[Place]:
    """The places from the first to the last."""
    found = sorted(places, key=lambda place: (place.key, place.id), reverse=order.descending)
    found.sort(key=lambda place: place.part)
    return found


def place_cursor(kind: str, place: Place, number: int, order: Order) -> str:
    """A cursor of the list in that order: after (n) or before (p) a place that is the `number`th."""
    if order.is_newest:
        return cursor(kind, place.id, number)
    key = place.key if isinstance(place.key, int) else 0
    name = place.key if isinstance(place.key, str) else ""
    return text_cursor(kind, place.part, key, place.id, number, text=f"{order.asked} {name}")


def parse_place(text: str, order: Order) -> tuple[str, Place, int]:
    """Kind, place and number of a cursor of the list in that order; QuestionError for any other."""
    if order.is_newest:
        kind, (customer, number) = parse_cursor(text, kinds="np", count=2)
        return kind, Place(0, 0, customer), number
    kind, (part, key, customer, number), said = parse_text_cursor(text, kinds="np", count=4)
    asked, _space, name = said.partition(" ")
    if asked != order.asked:
        raise QuestionError("cursor", _("This page belongs to a list in another order. Begin at its first page."))
    return kind, Place(part, name if order.key == "name" else key, customer), number


def is_of_newest(text: str) -> bool:
    """Whether a cursor belongs to the list in the order in which customers were made."""
    try:
        parse_place(text, NEWEST)
    except QuestionError:
        return False
    return True
