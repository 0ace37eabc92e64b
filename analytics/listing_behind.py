"""Reading a list of the customers behind a number, who may be a million: the list shows fifty of them, so the database
is asked about the next few hundred ids and not about all of them, over and over for every page."""

import hashlib
from collections.abc import Iterator

from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

from clm.lib import sql
from customers.models import Customer

from .days.lives import Int64s
from .days.remembered import remembered
from .listing_order import Place

GROWTH = 8  # how many times as many ids are asked about next where the first were not enough


class Behind:
    """Of some customers (`ids`, rising) those who are in `found`. of: the generation by which it is remembered that
    they are too many to be counted; None where `found` asks for anything besides."""

    def __init__(self, *, ids: Int64s, found: QuerySet[Customer], of: str | None = None) -> None:
        self.ids = ids
        self._found, self._of = found, of

    @property
    def everybody(self) -> QuerySet[Customer]:
        """All of them."""
        return self._among(self.ids)

    def newest(self, *, limit: int, border: Place | None = None, backwards: bool = False) -> list[int]:
        """The ids of the first `limit`, the newest first, after `border`; backwards: before it, the nearest first."""
        ids = self.ids
        if border is not None:
            ids = ids[ids > border.id] if backwards else ids[ids < border.id]
        found: list[int] = []
        for some in _portions(ids if backwards else ids[::-1], 4 * limit):
            here = self._among(some).order_by("pk" if backwards else "-pk").values_list("pk", flat=True)
            found += here[: limit - len(found)]
            if len(found) == limit:
                break
        return found

    def count(self, *, most: int) -> int:
        """How many they are; one more than `most` where they are more than that. A number is always counted; that they
        are more is remembered, since every page of the list asks."""
        if self._of is None or len(self.ids) <= most:
            return self._counted(most)
        number: int = remembered(
            "behind_more",
            of=self._of,
            count=lambda: self._counted(most),
            is_kept=lambda number: number > most,
            most=most,
            ids=hashlib.sha256(self.ids.tobytes()).hexdigest(),
        )
        return number

    def _counted(self, most: int) -> int:
        number = 0
        for some in _portions(self.ids, most + most // 8 + 1):
            number += self._among(some).values("pk")[: most + 1 - number].count()
            if number > most:
                break
        return number

    def _among(self, some: Int64s) -> QuerySet[Customer]:
        # One array, not a hundred thousand literals to parse and to compare with one after the other.
        return self._found.filter(pk__in=RawSQL("SELECT unnest(%s::bigint[])", [sql.array(some.tolist())]))


def _portions(ids: Int64s, first: int) -> Iterator[Int64s]:
    """The ids in a few portions, each GROWTH times as large as the one before."""
    start, size = 0, first
    while start < len(ids):
        yield ids[start : start + size]
        start, size = start + size, size * GROWTH
