"""Reading who matches a search without reading everybody.

Short words and runs of digits are worth so little to the statistics that a planner expects thousands of people where
there is nobody, and walks all customers from the newest on in search of a page of them: at a million two short words
that nobody has together took 0.9 to 1.9 s. So a small number of the newest are looked through first: where many match,
a page is found there at once. Where it is not, the index of the search is asked for all of them, which costs what the
words' lists are long: 30 to 60 ms, whatever the planner expects."""

from functools import cached_property

from django.db.models import Max, QuerySet
from django.db.models.functions import Left, Lower

from customers.models import Customer
from customers.models.identity import SORTED_LETTERS

from .listing_order import Place

SORTED_NAME = Lower(Left("name", SORTED_LETTERS))
# So many ids from the border on are looked through first.
NEAR = 20_000
# More than so many among the newest of a large installation: a search that half the world matches.
COMMON = 100
LARGE = 200_000
# So many who match are read and sorted; the pages of more are found by walking, which is then short.
MOST = 10_000


class Matching:
    """Who matches a search. What was read of them once is not read again, so make one for each question."""

    def __init__(self, found: QuerySet[Customer]) -> None:
        self.found = found

    @cached_property
    def newest_id(self) -> int:
        """The greatest id of a customer, 0 when there is none."""
        return Customer.objects.aggregate(newest=Max("pk"))["newest"] or 0

    @property
    def is_large(self) -> bool:
        """Whether there are so many customers that reading all who match a word may take long."""
        return self.newest_id > LARGE

    @cached_property
    def is_common(self) -> bool:
        """Whether so many of the newest match that there are certainly too many to sort, in a large installation."""
        if not self.is_large:
            return False
        return self.found.filter(pk__gt=self.newest_id - NEAR).values("pk")[: COMMON + 1].count() > COMMON

    @cached_property
    def everybody(self) -> list[tuple[int, bool, str]]:
        """(id, is_anonymous, name to sort by) of all of them, in no order, at most one more than MOST."""
        return sortable(fenced(self.found), most=MOST)

    @property
    def number(self) -> int | None:
        """How many there are, if that is known by now."""
        known = self.__dict__.get("everybody")
        return len(known) if known is not None and len(known) <= MOST else None

    def newest(self, *, limit: int, border: Place | None = None, backwards: bool = False) -> list[int]:
        """The ids of the first `limit`, the newest first, after `border`; backwards: before it, the nearest first."""
        order = "pk" if backwards else "-pk"
        beyond = self.found
        if border is not None:
            beyond = beyond.filter(**{"pk__gt" if backwards else "pk__lt": border.id})
        if "everybody" not in self.__dict__:
            start = self.newest_id if border is None else border.id
            near = beyond.filter(pk__lte=start + NEAR) if backwards else beyond.filter(pk__gte=start - NEAR)
            ids = list(near.order_by(order).values_list("pk", flat=True)[:limit])
            if len(ids) == limit or (not backwards and start <= NEAR):
                return ids
        if len(self.everybody) <= MOST:
            every = sorted((row[0] for row in self.everybody), reverse=not backwards)
            if border is not None:
                every = [one for one in every if (one > border.id if backwards else one < border.id)]
            return every[:limit]
        return list(beyond.order_by(order).values_list("pk", flat=True)[:limit])


def fenced(found: QuerySet[Customer]) -> QuerySet[Customer]:
    """The same customers, found before anything else is done with them: what stands behind DISTINCT is planned by
    itself, for all of its rows, so no limit outside of it can tempt the planner to walk."""
    return Customer.objects.filter(pk__in=found.order_by().values("pk").distinct())


def sortable(found: QuerySet[Customer], *, most: int) -> list[tuple[int, bool, str]]:
    """(id, is_anonymous, name to sort by) of whoever is in `found`, in no order, at most one more than `most`."""
    rows = found.order_by().annotate(sorted_name=SORTED_NAME).values_list("pk", "is_anonymous", "sorted_name")
    return list(rows[: most + 1])
