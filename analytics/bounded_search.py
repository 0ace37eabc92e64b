"""Reading who matches a search without reading everybody.

Short words and runs of digits are worth so little to the statistics that a planner expects thousands of people where
there is nobody, and walks all customers from the newest on in search of a page of them: at a million two short words
that nobody has together took 0.9 to 1.9 s. So a small number of the newest are looked through first: where many match,
a page is found there at once. Where it is not, the index of the search is asked for all of them, which costs what the
words' lists are long: 30 to 60 ms, whatever the planner expects."""

from django.db.models import Max, QuerySet

from customers.models import Customer

from .listing_order import Place

# So many ids from the border on are looked through first.
NEAR = 20_000
# More than so many among the newest of a large installation: a search that half the world matches.
COMMON = 100
LARGE = 200_000
# So many who match are read and sorted; the pages of more are found by walking, which is then short.
MOST = 10_000


def newest_matching(
    *, found: QuerySet[Customer], limit: int, border: Place | None = None, backwards: bool = False
) -> list[int]:
    """The ids of the first `limit` in `found`, the newest first, after `border`; backwards: before it, the nearest
    first."""
    order = "pk" if backwards else "-pk"
    beyond = found if border is None else found.filter(**{"pk__gt" if backwards else "pk__lt": border.id})
    start = newest_id() if border is None else border.id
    near = beyond.filter(pk__lte=start + NEAR) if backwards else beyond.filter(pk__gte=start - NEAR)
    ids = list(near.order_by(order).values_list("pk", flat=True)[:limit])
    if len(ids) == limit or (not backwards and start <= NEAR):
        return ids
    everybody = list(fenced(beyond).values_list("pk", flat=True)[: MOST + 1])
    if len(everybody) <= MOST:
        return sorted(everybody, reverse=not backwards)[:limit]
    return list(beyond.order_by(order).values_list("pk", flat=True)[:limit])


def fenced(found: QuerySet[Customer]) -> QuerySet[Customer]:
    """The same customers, found before anything else is done with them: what stands behind DISTINCT is planned by
    itself, for all of its rows, so no limit outside of it can tempt the planner to walk."""
    return Customer.objects.filter(pk__in=found.order_by().values("pk").distinct())


def is_common(found: QuerySet[Customer]) -> bool:
    """Whether so many of the newest match that there are certainly too many to sort, in a large installation."""
    newest = newest_id()
    if newest <= LARGE:
        return False
    return found.filter(pk__gt=newest - NEAR).values("pk")[: COMMON + 1].count() > COMMON


def newest_id() -> int:
    """The greatest id of a customer, 0 when there is none."""
    return Customer.objects.aggregate(newest=Max("pk"))["newest"] or 0
