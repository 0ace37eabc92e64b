"""One page of the list of customers in any order, however many there are.

Two ways lead to it. Where nothing narrows the list, the kept sort keys are walked along their index from where the page
begins. Where something does, whoever matches is found first (up to MOST) and then sorted, by the database if the keys
are kept, else here: no index knows a filter and an order together, and a planner that walks an order in search of few
who match may read everybody. Above MOST such a list is not sorted, and says so.

Sort keys are kept by each fill and so seconds old; of whoever is new or changed since, they are read from the facts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import BigIntegerField, F, Func, IntegerField, Q, QuerySet, Value
from django.db.models.functions import Coalesce
from django.db.models.lookups import GreaterThan, LessThan

from clm.lib import sql
from clm.lib.milliseconds import to_ms
from customers.models import Customer

from .bounded_search import SORTED_NAME, Matching, sortable
from .customer_figures import customer_figures
from .days.kept import Kept
from .listing_behind import Behind
from .listing_order import Order, Place, follows, in_order
from .models import Listed

# So many that match are sorted.
MOST = 10_000
# Of so many the sort keys are read from their touchpoints, and so exactly as of now or any other instant.
EXACT = 1_000
EXACT_AS_OF = 2_000
# So many new and changed ones are put in their places between two fills; of more, lists are as old as the last fill.
FRESH = 1_000

KNOWN, UNNAMED, ANONYMOUS = 0, 1, 2
_KEPT = ("last_seen", "orders", "revenue")


@dataclass(frozen=True, slots=True)
class Slice:
    """A page: the places on it, and whether the list goes on in the direction it was read. size: how long the whole
    list is, None when it was not counted."""

    places: list[Place]
    more: bool
    size: int | None


def newest_slice(
    *,
    found: QuerySet[Customer],
    border: Place | None,
    backwards: bool,
    limit: int,
    search: Matching | None = None,
    behind: Behind | None = None,
) -> Slice:
    """A page of `found` in the order in which customers were made, along their ids. search, behind: `found` as what a
    search finds, or as those behind a number, if it is that."""
    if search is not None:
        ids = search.newest(limit=limit + 1, border=border, backwards=backwards)
    elif behind is not None:
        ids = behind.newest(limit=limit + 1, border=border, backwards=backwards)
    else:
        if border is not None:
            found = found.filter(**{"pk__gt" if backwards else "pk__lt": border.id})
        ids = list(found.order_by("pk" if backwards else "-pk").values_list("pk", flat=True)[: limit + 1])
    page = ids[:limit][::-1] if backwards else ids[:limit]
    return Slice([Place(0, 0, one) for one in page], len(ids) > limit, search.number if search else None)


def sorted_page(
    *,
    found: QuerySet[Customer],
    order: Order,
    border: Place | None,
    backwards: bool,
    limit: int,
    most: int,
    kept: Kept | None,
    walks: bool,
    is_anonymous: bool | None,
    search: Matching | None,
    as_of: datetime | None,
    since: Callable[[Sequence[int]], dict[int, datetime | None]],
    size: int | None = None,
) -> Slice | None:
    """A page of `found` in any other order. walks: nothing but `is_anonymous` narrows it, so many are walked along what
    is `kept`; else None where more than `most` match. since: when each entered its stage, should the order ask. size:
    how many match, where that is known."""
    if search is not None and search.is_common:
        return None
    if search is None and as_of is None and order.key in _KEPT and kept is not None and not walks:
        size = found.values("pk")[: most + 1].count() if size is None else size
        if size > most:
            return None
        fresh = _fresh(kept, is_anonymous) if size > EXACT else None
        if fresh is not None:
            return kept_slice(
                found=found, size=size, order=order, border=border, backwards=backwards, limit=limit, fresh=fresh
            )
    rows = sortable(found, most=EXACT if walks else most) if search is None else search.everybody
    if len(rows) > (EXACT if walks else most):
        if not walks or kept is None:
            return None
        return walked_slice(
            order=order, border=border, backwards=backwards, limit=limit, kept=kept, is_anonymous=is_anonymous
        )
    return sorted_slice(
        rows=rows,
        order=order,
        border=border,
        backwards=backwards,
        limit=limit,
        kept=kept,
        as_of=as_of,
        since=since([row[0] for row in rows]) if order.key == "since" else None,
    )


def sorted_slice(
    *,
    rows: Sequence[tuple[int, bool, str]],
    order: Order,
    border: Place | None,
    backwards: bool,
    limit: int,
    kept: Kept | None = None,
    as_of: datetime | None = None,
    since: dict[int, datetime | None] | None = None,
) -> Slice:
    """The page after (before) `border` of all the customers in `rows`; since: what an order by it needs."""
    there = _beyond(in_order(_places(rows, order, kept, as_of, since), order), border, backwards, order)
    page = there[-limit:] if backwards else there[:limit]
    return Slice(page, len(there) > limit, len(rows))


def kept_slice(
    *,
    found: QuerySet[Customer],
    size: int,
    order: Order,
    border: Place | None,
    backwards: bool,
    limit: int,
    fresh: Sequence[int],
) -> Slice:
    """The page after (before) `border` of the `size` customers in `found`, sorted by what is kept of them; of those in
    `fresh` the keys are read from the facts."""
    key = Coalesce(F(f"listed__{order.key}"), 0)  # an expression: no index of the order tempts the planner to walk it
    rows = found.exclude(pk__in=list(fresh)) if fresh else found
    descending = order.descending != backwards
    if border is not None:
        here = _Row(key, F("pk"), output_field=BigIntegerField())
        last = Value(border.id, output_field=BigIntegerField())
        there = _Row(Value(border.key), last, output_field=BigIntegerField())
        beyond = Q(is_anonymous=border.part == ANONYMOUS) & Q((LessThan if descending else GreaterThan)(here, there))
        other = KNOWN if backwards else ANONYMOUS
        rows = rows.filter(beyond | Q(is_anonymous=other == ANONYMOUS) if border.part != other else beyond)
    rows = rows.order_by(
        "-is_anonymous" if backwards else "is_anonymous",
        key.desc() if descending else key.asc(),
        "-pk" if descending else "pk",
    )
    read = rows.annotate(place_key=key).values_list("is_anonymous", "place_key", "pk")[: limit + 1]
    places = [Place(ANONYMOUS if is_anonymous else KNOWN, at, one) for is_anonymous, at, one in read]
    if fresh:
        others = [(one.pk, one.is_anonymous, "") for one in found.filter(pk__in=list(fresh))]
        places += _beyond(_places(others, order, None, None, None), border, backwards, order)
    places = in_order(places, order)
    page = places[-limit:] if backwards else places[:limit]
    return Slice(page, len(places) > limit, size)


def walked_slice(
    *, order: Order, border: Place | None, backwards: bool, limit: int, kept: Kept, is_anonymous: bool | None = None
) -> Slice:
    """The page after (before) `border` of everybody (is_anonymous: of those alone), along the index of the order."""
    fresh = [] if order.key == "name" else _fresh(kept, is_anonymous) or []
    parts = [part for part in _parts(order) if is_anonymous is None or (part == ANONYMOUS) == is_anonymous]
    descending = order.descending != backwards
    found: list[Place] = []
    for part in reversed(parts) if backwards else parts:
        wanted = limit + 1 - len(found)
        if border is not None and part != border.part and (part < border.part) != backwards:
            continue
        if wanted > 0:
            inside = border if border is not None and border.part == part else None
            found += _walk(order, part, inside, descending, wanted, fresh)
    if fresh:
        rows = [(one.pk, one.is_anonymous, "") for one in Customer.objects.filter(pk__in=fresh)]
        others = _places(rows, order, None, None, None)
        found = in_order([*found, *_beyond(others, border, backwards, order)], order)
        found = found[-(limit + 1) :] if backwards else found[: limit + 1]
    elif backwards:
        found.reverse()
    page = found[-limit:] if backwards else found[:limit]
    return Slice(page, len(found) > limit, None)


def _parts(order: Order) -> tuple[int, ...]:
    return (KNOWN, UNNAMED, ANONYMOUS) if order.key == "name" else (KNOWN, ANONYMOUS)


def _part_of(order: Order, is_anonymous: bool, name: str) -> int:
    if is_anonymous:
        return ANONYMOUS
    return UNNAMED if order.key == "name" and not name else KNOWN


def _beyond(places: Sequence[Place], border: Place | None, backwards: bool, order: Order) -> list[Place]:
    """Those of `places` that come after (before) `border`; all without one."""
    if border is None:
        return list(places)
    if backwards:
        return [place for place in places if follows(border, place, order)]
    return [place for place in places if follows(place, border, order)]


def _fresh(kept: Kept, is_anonymous: bool | None) -> list[int] | None:
    """Who is new or changed since the sort keys were counted; None when these are too many to look at."""
    assert kept.listed_known_at is not None
    changed = Customer.objects.filter(portrayed_at__gte=kept.listed_known_at, merged_into=None)
    if is_anonymous is not None:
        changed = changed.filter(is_anonymous=is_anonymous)
    found = list(changed.values_list("pk", flat=True)[: FRESH + 1])
    return found if len(found) <= FRESH else None


class _Row(Func):
    """(a, b): compared as one, so that an index finds where a page begins even among many equal keys."""

    template = "(%(expressions)s)"


def _walk(
    order: Order, part: int, border: Place | None, descending: bool, limit: int, without: Sequence[int]
) -> list[Place]:
    """Up to `limit` places of one part after `border` in the direction of reading."""
    key: Any
    found: QuerySet[Any]
    if order.key == "name":
        # Without a name the id decides; the condition is that of the partial index.
        found = Customer.objects.filter(merged_into=None)
        found = found.exclude(name="") if part == KNOWN else found.filter(name="", is_anonymous=part == ANONYMOUS)
        key, number = SORTED_NAME if part == KNOWN else Value(0), "pk"
    else:
        found = Listed.objects.filter(is_anonymous=part == ANONYMOUS, customer__merged_into=None)
        if without:
            found = found.exclude(customer__in=list(without))
        key, number = F(order.key), "customer_id"
    if border is not None and order.key == "name" and part != KNOWN:
        found = found.filter(**{"pk__lt" if descending else "pk__gt": border.id})
    elif border is not None:
        here = _Row(key, F(number), output_field=BigIntegerField())
        there = _Row(
            Value(border.key),
            Value(border.id, output_field=BigIntegerField()),
            output_field=BigIntegerField(),
        )
        found = found.filter((LessThan if descending else GreaterThan)(here, there))
    by_key = [key.desc() if descending else key.asc()] if order.key != "name" or part == KNOWN else []
    by_id = F(number).desc() if descending else F(number).asc()
    shown = key if order.key != "name" or part == KNOWN else Value(0, output_field=IntegerField())
    rows = found.order_by(*by_key, by_id).annotate(place_key=shown).values_list("place_key", number)[:limit]
    return [Place(part, "" if order.key == "name" and part != KNOWN else at, customer) for at, customer in rows]


def _places(
    rows: Sequence[tuple[int, bool, str]],
    order: Order,
    kept: Kept | None,
    as_of: datetime | None,
    since: dict[int, datetime | None] | None,
) -> list[Place]:
    """Where customers stand. Sort keys are read from the facts, or where there are many from what is kept."""
    ids = [row[0] for row in rows]
    keys: dict[int, Any]
    if order.key == "name":
        keys = {row[0]: row[2] for row in rows}
    elif order.key == "since":
        keys = {one: _ms(at) for one, at in (since or {}).items()}
    elif as_of is None and len(ids) > EXACT and kept is not None and kept.listed_known_at is not None:
        column = _KEPT.index(order.key) + 1
        keys = {row[0]: row[column] for row in sql.rows("analytics/listed_keys", customers=ids)}
        missing = sorted({*(one for one in ids if one not in keys), *(set(_fresh(kept, None) or []) & set(ids))})
        keys |= _read_keys(missing, order, None)
    else:
        keys = _read_keys(ids, order, as_of)
    empty: int | str = "" if order.key == "name" else 0
    return [Place(_part_of(order, row[1], row[2]), keys.get(row[0], empty), row[0]) for row in rows]


def _read_keys(ids: Sequence[int], order: Order, as_of: datetime | None) -> dict[int, int]:
    if not ids:
        return {}
    figures = customer_figures(customers=ids, as_of=as_of)
    if order.key == "last_seen":
        return {one: _ms(its.last_seen) for one, its in figures.items()}
    return {one: getattr(its, order.key) for one, its in figures.items()}


def _ms(at: datetime | None) -> int:
    return 0 if at is None else to_ms(at)
