"""Touchpoints as rows: of everybody a list shows, in its order, or of one timeline; latest first of each customer."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from django.db import connection

from clm.lib import sql
from customers.models import Channel, Profile, Source, Touchpoint, TouchpointType

from ..known_then import profiles_known
from .tables import Column, Kind

ROWS = 2_000  # read at once
PEOPLE = 500  # whose touchpoints are asked for together

COLUMNS = (
    Column("id", Kind.ID),
    Column("customer_id", Kind.ID),
    Column("known_as"),
    Column("occurred_at", Kind.INSTANT),
    Column("received_at", Kind.INSTANT),
    Column("type"),
    Column("role"),
    Column("channel"),
    Column("source"),
    Column("amount", Kind.MONEY),
    Column("currency"),
    Column("original_amount", Kind.DECIMAL),
    Column("original_currency"),
    Column("order_ref"),
    Column("lines", Kind.JSON),
    Column("properties", Kind.JSON),
    Column("remarks"),
)


def touchpoint_portions(
    *,
    people: Iterable[tuple[int, str]],
    currency: str,
    minor_digits: int,
    roles: Sequence[str] = (),
    as_of: datetime | None = None,
    known_at: datetime | None = None,
) -> Iterator[list[tuple[Any, ...]]]:
    """The touchpoints of `people` (id, what each is called), those of some `roles` or all, that had happened by `as_of`
    and had arrived by `known_at`. To be read within one transaction."""
    words = _Words()
    types = [one for one, (_name, role) in words.types.items() if role in roles] if roles else None
    waiting = iter(people)
    while some := dict(islice(waiting, PEOPLE)):
        owned = _owned(list(some), known_at)
        place = {customer: at for at, customer in enumerate(some)}
        with connection.chunked_cursor() as cursor:
            cursor.execute(
                sql.query("analytics/export_touchpoints"),
                {
                    "profiles": [profile for profile, _customer in owned],
                    "owners": [customer for _profile, customer in owned],
                    "places": [place[customer] for _profile, customer in owned],
                    "digits": minor_digits,
                    "types": types,
                    "as_of": as_of,
                    "known_at": known_at,
                },
            )
            while rows := cursor.fetchmany(ROWS):
                yield [words.told(row, some, currency) for row in rows]


def _owned(customers: list[int], known_at: datetime | None) -> list[tuple[int, int]]:
    """(profile, customer) of some customers, as known then."""
    if known_at is None:
        return list(Profile.objects.filter(customer__in=customers).values_list("pk", "customer"))
    return [(profile, one) for one in customers for profile in profiles_known(customer=one, known_at=known_at)]


class _Words:
    """What the numbers in rows stand for."""

    def __init__(self) -> None:
        self.types = {one: (name, role) for one, name, role in TouchpointType.objects.values_list("pk", "name", "role")}
        self.channels = dict(Channel.objects.values_list("pk", "key"))
        self.sources = dict(Source.objects.values_list("pk", "name"))
        self.remarks: dict[int, str] = {}

    def told(self, row: Sequence[Any], names: dict[int, str], currency: str) -> tuple[Any, ...]:
        number, customer, occurred, received, type_, channel, source, amount, original, of, *rest = row
        ref, lines, said, flags = rest
        name, role = self.types[type_]
        return (
            number,
            customer,
            names[customer],
            occurred,
            received,
            name,
            role,
            self.channels[channel],
            self.sources[source],
            amount,
            currency if amount is not None else None,
            original,
            of,
            ref,
            lines,
            said,
            self._remark(flags) if flags else None,
        )

    def _remark(self, flags: int) -> str:
        if flags not in self.remarks:
            self.remarks[flags] = "; ".join(str(flag.label) for flag in Touchpoint.Flag if flags & flag)
        return self.remarks[flags]
