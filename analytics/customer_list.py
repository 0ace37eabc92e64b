"""The list of customers: who matches, one page at a time, in the order asked for (`listing_order`, `listing_pages`).

A page costs the same few queries whatever is on it: the customers, what those without a name are called, their figures
from the covering index, their stages, and what happens to them next."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.utils.translation import gettext as _

from clm.lib import sql
from clm.lib.questions import QuestionError
from clm.lib.reading import once
from customers.models import Customer
from lifecycle.models import Standing, Transition

from .behind import ids_behind, refuse_unknown_group
from .bounded_search import Matching
from .customer_figures import customer_figures, initials, large_customers, names_of, with_waiting
from .customer_stages import NextChange, RowStage, next_stages, stages_of
from .days.falls import DAYS, falls_ahead
from .days.kept import Kept, members_of
from .known_then import customers_met
from .listing_behind import Behind
from .listing_order import NEWEST, Order, Place, is_of_newest, parse_place, place_cursor
from .listing_pages import EXACT_AS_OF, Slice, newest_slice, sorted_page
from .models import Fall, Listed, Member
from .scope import Scope
from .search import refuse_unsearchable, searched
from .sorting import Sorting, StageRef, lapsed_stage, version_known
from .stages import refuse_unknowable

PAGE = 50
# A list is counted to here; beyond it the exact number tells nobody anything and costs a scan of all customers.
COUNTED = 10_000
# In a large installation what a search finds is counted and sorted to here: reading more costs longer than anybody
# waits for a word that too many have.
COUNTED_SEARCH = 2_000


@dataclass(frozen=True, slots=True)
class Falls:
    """Customers who by time alone will enter a stage within some days."""

    model: Sorting
    stage: int
    days: int = 30


@dataclass(frozen=True, slots=True)
class Asked:
    """Which customers are asked for; all conditions must hold.

    stages: (model, ids of its stages), any of each model's; segment: its members; search: words that each occur in a
    name, an address or an id; group: of `analytics.behind`, over `scope`. as_of, known_at: the
    instant that stages and segment are asked about, and whose belief; as_of None: now. anonymous: only those known by
    nothing but a device, or only the others."""

    stages: tuple[tuple[Sorting, tuple[int, ...]], ...] = ()
    segment: Sorting | None = None
    search: str = ""
    falls: Falls | None = None
    group: str = ""
    scope: Scope | None = None
    as_of: datetime | None = None
    known_at: datetime | None = None
    kept: Kept | None = None
    anonymous: bool | None = None

    @property
    def is_narrowed(self) -> bool:
        """Whether anything but `anonymous` is asked."""
        return bool(self.stages or self.segment or self.is_searched or self.falls or self.group or self.at is not None)

    @property
    def is_everybody(self) -> bool:
        """Whether all customers are asked for that there are, or were at an instant."""
        narrowed = self.stages or self.segment or self.is_searched or self.falls or self.group
        return not narrowed and self.anonymous is None

    @property
    def is_searched(self) -> bool:
        """Whether words are searched for."""
        return bool(self.search.strip())

    @property
    def at(self) -> datetime | None:
        """The instant asked about, None: now."""
        return self.as_of or self.known_at


@dataclass(frozen=True, slots=True)
class CustomerRow:
    """One customer of the list. known_as: the name, or what stands for it; stage, since, next: in the first model asked
    for; stages: in all of them. revenue: minor units. is_large: its touchpoints are so many that its figures are as old
    as its last turn, about a minute, and that what comes next only its own page works out."""

    id: int
    name: str
    email: str
    known_as: str
    initials: str
    stage: StageRef | None
    since: datetime | None
    stages: tuple[RowStage, ...]
    last_seen: datetime | None
    touchpoints: int
    orders: int
    revenue: int
    next: NextChange | None
    phone: str = ""
    is_large: bool = False
    orders_waiting: int = 0

    @property
    def orders_in_all(self) -> int:
        """With those whose money waits for an exchange rate."""
        return self.orders + self.orders_waiting

    @property
    def by_model(self) -> dict[str, RowStage]:
        """The stages by the key of their model."""
        return {row.model.key: row for row in self.stages}


@dataclass(frozen=True, slots=True)
class Size:
    """How many there are. is_exact: counted to the end; else there are more than `number`, or about as many."""

    number: int
    is_exact: bool


@dataclass(frozen=True, slots=True)
class CustomerPage:
    """One page of the list, the place of its first row in the whole list (from 1), and the cursors of its neighbours.
    The place is carried by the cursors, so it costs no counting; customers made meanwhile may shift it. size: how long
    the whole list is, None when it was not counted. order: the one it is in; refused: why it is not the one asked for,
    "" when it is."""

    rows: tuple[CustomerRow, ...]
    start: int
    next_cursor: str | None
    previous_cursor: str | None
    size: Size | None = None
    order: Order = NEWEST
    refused: str = ""


def customers(
    *,
    asked: Asked,
    models: Sequence[Sorting],
    now: datetime,
    cursor: str | None = None,
    page_size: int = PAGE,
    with_next: bool = True,
    counted: bool = False,
    order: Order = NEWEST,
) -> CustomerPage:
    """A page of the customers asked for, with their stages in `models`; `counted`: and how many there are in all. An
    order that cannot be had of so many is replaced by NEWEST, and the page says why."""
    everyone, behind, search = _found(asked, now)
    limit = max(page_size, 1)
    began = NEWEST if cursor is not None and is_of_newest(cursor) else order  # a list goes on as it began
    found = _page(asked, everyone, behind, search, models, began, cursor, limit)
    refused, too_many = "", None
    if found is None:
        too_many = _most(asked, began, search)
        refused, began = _too_many(too_many), NEWEST
        found = _page(asked, everyone, behind, search, models, NEWEST, None, limit)
        assert found is not None
    page, backwards, place = found
    has_next, has_previous = (True, page.more) if backwards else (page.more, cursor is not None and not refused)
    start = max(place - len(page.places) if backwards else place, 1) if has_previous else 1
    whole = Size(page.size, True) if page.size is not None else None
    if whole is None and counted and not has_next and not has_previous:
        whole = Size(len(page.places), True)  # all of them are on this page
    elif whole is None and counted:
        most = _most(asked, NEWEST, search)
        # Who refused to sort them has read more than so many: they are not counted once more. A common search refuses
        # without reading.
        read = too_many == most and (search is None or not search.is_common)
        whole = _kept_size(asked) or (Size(most, False) if read else _size(everyone, behind, most))
    return CustomerPage(
        rows=_rows(_in_places(page.places), asked, models, now, with_next),
        start=start,
        next_cursor=place_cursor("n", page.places[-1], start + len(page.places), began)
        if page.places and has_next
        else None,
        previous_cursor=place_cursor("p", page.places[0], start, began) if page.places and has_previous else None,
        size=whole,
        order=began,
        refused=refused,
    )


def everybody_in_order(
    *, asked: Asked, models: Sequence[Sorting], now: datetime, order: Order, portion: int
) -> Iterator[tuple[int, str]]:
    """Everybody asked for in the order of the list, a portion read at a time: (id, what each is called)."""
    everyone, behind, search = _found(asked, now)
    cursor: str | None = None
    while True:
        found = _page(asked, everyone, behind, search, models, order, cursor, portion)
        if found is None:  # too many to sort like this
            order, cursor = NEWEST, None
            continue
        page = found[0]
        some = _in_places(page.places)
        names = names_of(some)
        yield from ((one.pk, names[one.pk]) for one in some)
        if not page.more or not page.places:
            return
        cursor = place_cursor("n", page.places[-1], 1, order)


def _page(
    asked: Asked,
    everyone: QuerySet[Customer],
    behind: Behind | None,
    search: Matching | None,
    models: Sequence[Sorting],
    order: Order,
    cursor: str | None,
    limit: int,
) -> tuple[Slice, bool, int] | None:
    """The places on a page, whether it was read backwards, and the number its cursor carries; None where so many cannot
    be sorted like this."""
    kind, border, number = "n", None, 1
    if cursor is not None:
        kind, border, number = parse_place(cursor, order)
    backwards = kind == "p"
    most = _most(asked, order, search)
    if order.is_newest:
        newest = newest_slice(
            found=everyone, border=border, backwards=backwards, limit=limit, search=search, behind=behind
        )
        return newest, backwards, number
    known = _kept_size(asked) if asked.is_narrowed else None
    if behind is not None and search is None:
        known = _size(everyone, behind, most)
        if not known.is_exact:
            return None
    if known is not None and known.number > most:
        return None
    listed = asked.kept if asked.kept is not None and asked.kept.listed_known_at is not None else None
    page = sorted_page(
        found=everyone,
        order=order,
        border=border,
        backwards=backwards,
        limit=limit,
        most=most,
        kept=listed,
        walks=not asked.is_narrowed and listed is not None and order.key != "since",
        is_anonymous=asked.anonymous,
        search=search,
        as_of=asked.at,
        since=partial(_since, asked, models),
        size=None if known is None else known.number,
    )
    return None if page is None else (page, backwards, number)


def _most(asked: Asked, order: Order, search: Matching | None) -> int:
    """How many can be sorted: fewer where what they are sorted by is asked about a past instant."""
    if search is not None and search.is_large:
        return COUNTED_SEARCH
    return COUNTED if asked.at is None or order.key in ("name", "since") else EXACT_AS_OF


def _too_many(most: int) -> str:
    return _(
        "More than %(most)s customers match, too many to sort: the newest come first. Narrow the list by a stage, a "
        "segment or a search to sort it."
    ) % {"most": f"{most:,}"}


def _since(asked: Asked, models: Sequence[Sorting], ids: Sequence[int]) -> dict[int, datetime | None]:
    """Since when each customer is in its stage of the first model."""
    placed = stages_of(customers=ids, models=models[:1], as_of=asked.at, known_at=asked.known_at)
    return {one: stages[0].since if stages else None for one, stages in placed.items()}


def refuse_unanswerable(*, asked: Asked, cursor: str | None, order: Order) -> None:
    """Raise what reading a page would, without reading one: a search that holds what no name can, an instant that
    nothing can be known of, a group there is not, a cursor of another list."""
    refuse_unsearchable(asked.search)
    if asked.at is not None:
        refuse_unknowable(as_of=asked.at, known_at=asked.known_at)
        if asked.falls is not None:
            raise QuestionError("falling", _("What happens next is only known from now on, not from an earlier day."))
    if asked.group:
        refuse_unknown_group(asked.group)
    if cursor and not is_of_newest(cursor):
        parse_place(cursor, order)


def _in_places(places: Sequence[Place]) -> list[Customer]:
    """The customers of a page, in its order."""
    some = Customer.objects.only("pk", "name", "email", "phone", "search_text", "is_anonymous")
    found = some.in_bulk([place.id for place in places])
    return [found[place.id] for place in places if place.id in found]


def matching(*, asked: Asked, now: datetime) -> Size:
    """How many customers are asked for, counted up to COUNTED; of one stage alone, as many as are kept of it."""
    return _kept_size(asked) or _size(*_found(asked, now)[:2])


def _kept_size(asked: Asked) -> Size | None:
    """How many there are, if the list is of one model's stages alone, now, and read from what is kept."""
    if asked.anonymous is not None:
        return _kept_size_of_all(asked)
    conditions = [*asked.stages]
    if asked.segment is not None:
        conditions.append((asked.segment, (asked.segment.stage_id("in"),)))
    if len(conditions) != 1 or asked.search.strip() or asked.falls or asked.group or asked.at is not None:
        return None
    ((model, stages),) = conditions
    if asked.kept is None or not asked.kept.lists_members(model.version):
        return None
    return Size(members_of(version=model.version or 0, stages=stages), True)


def _kept_size_of_all(asked: Asked) -> Size | None:
    """How many are known by nothing but a device, or are not, where nothing else is asked and it is kept."""
    if asked.is_narrowed or asked.kept is None or asked.kept.listed_known_at is None:
        return None
    number = Listed.objects.filter(is_anonymous=bool(asked.anonymous))[: COUNTED + 1].count()
    return Size(min(number, COUNTED), number <= COUNTED)


def everybody() -> Size:
    """All customers, those merged into others apart; about how many, when they are more than COUNTED."""
    size = _size(Customer.objects.filter(merged_into=None), None)
    if size.is_exact:
        return size
    ((estimate,),) = sql.rows("analytics/customers_estimated")
    return Size(max(int(estimate), COUNTED), False)


@once
def anybody() -> bool:
    """Whether there is any customer."""
    return Customer.objects.filter(merged_into=None).exists()


def falling(*, falls: Falls, now: datetime) -> list[int]:
    """The customers who enter the stage within those days by time alone, and are not in it now.

    Due gives everybody whom time may change until then; their rules are evaluated exactly."""
    return sorted(falls_ahead(subject=falls.model.id, stage=falls.stage, now=now, days=falls.days))


def _size(found: QuerySet[Customer], behind: Behind | None, most: int | None = None) -> Size:
    most = COUNTED if most is None else most
    number = found.values("pk")[: most + 1].count() if behind is None else behind.count(most=most)
    return Size(min(number, most), number <= most)


def _found(asked: Asked, now: datetime) -> tuple[QuerySet[Customer], Behind | None, Matching | None]:
    """All customers asked for; the same as those behind a number, if one is asked about; and as what a search finds."""
    everyone, behind = _matching(asked, now), None
    if asked.group:
        assert asked.scope is not None
        narrows = asked.stages or asked.segment or asked.is_searched or asked.falls or asked.anonymous is not None
        behind = Behind(
            ids=ids_behind(scope=asked.scope, group=asked.group),
            found=everyone,
            of=None if narrows or asked.at is not None else asked.scope.generation,
        )
        everyone = behind.everybody
    return everyone, behind, Matching(everyone) if asked.is_searched else None


def _matching(asked: Asked, now: datetime) -> QuerySet[Customer]:
    """The customers asked for, whoever is behind a number."""
    found = Customer.objects.filter(merged_into=None)
    at = asked.at
    if at is not None:
        refuse_unknowable(as_of=at, known_at=asked.known_at)
        # Whoever had not been met by then was no customer.
        found = customers_met(at=at, known_at=asked.known_at)
    if asked.anonymous is not None:
        found = found.filter(is_anonymous=asked.anonymous)
    for model, stages in asked.stages:
        found = _in_stage(found, model, stages, asked)
    if asked.segment is not None:
        found = _in_stage(found, asked.segment, (asked.segment.stage_id("in"),), asked)
    found = found.filter(searched(asked.search))
    if asked.falls is not None:
        if at is not None:
            raise QuestionError("as_of", _("What happens next is only known from now on, not from an earlier day."))
        if _keeps_falls(asked.falls, asked.kept):
            found = found.filter(pk__in=Fall.objects.filter(version=asked.falls.model.version or 0).values("customer"))
        else:
            found = found.filter(pk__in=falling(falls=asked.falls, now=now))
    return found


def _keeps_falls(falls: Falls, kept: Kept | None) -> bool:
    is_kept = falls.days == DAYS and falls.stage == lapsed_stage(falls.model)
    return is_kept and kept is not None and kept.falls_known_at(falls.model.version) is not None


def _in_stage(found: QuerySet[Customer], model: Sorting, stages: tuple[int, ...], asked: Asked) -> QuerySet[Customer]:
    at = asked.at
    if at is None and asked.kept is not None and asked.kept.lists_members(model.version):
        members = Member.objects.filter(version=model.version or 0, stage__in=stages)
        return found.filter(pk__in=members.values("customer"))
    if at is None:
        standing = Standing.objects.filter(customer=OuterRef("pk"), subject=model.id, stage__in=stages)
        return found.filter(Exists(standing))
    version = version_known(sorting=model, known_at=asked.known_at)
    history = Transition.objects.filter(customer=OuterRef("pk"), version=version, entered_at__lte=at)
    if asked.known_at is None:
        history = history.filter(superseded_at=None)
    else:
        history = history.filter(recorded_at__lte=asked.known_at).filter(
            Q(superseded_at=None) | Q(superseded_at__gt=asked.known_at)
        )
    name = f"stage_in_{model.id}"
    latest = Subquery(history.order_by("-entered_at").values("stage")[:1])
    return found.alias(**{name: latest}).filter(**{f"{name}__in": stages})


def _rows(
    page: list[Customer], asked: Asked, models: Sequence[Sorting], now: datetime, with_next: bool
) -> tuple[CustomerRow, ...]:
    ids = [customer.pk for customer in page]
    if not ids:
        return ()
    # Of one with very many touchpoints only its own page reads them all: a list would take seconds.
    large = large_customers(customers=ids) if asked.at is None else {}
    few = [one for one in ids if one not in large]
    figures = with_waiting(customer_figures(customers=few, as_of=asked.at), as_of=asked.at) | large
    placed = stages_of(customers=ids, models=models, as_of=asked.at, known_at=asked.known_at)
    ahead = next_stages(customers=few, models=models[:1], now=now) if with_next and asked.at is None else {}
    names = names_of(page)
    rows = []
    for customer in page:
        number = customer.pk
        stages = placed[number]
        first = stages[0] if stages else None
        known = figures[number]
        rows.append(
            CustomerRow(
                id=number,
                name=customer.name,
                email=customer.email,
                phone=customer.phone,
                known_as=names[number],
                initials=initials(customer.name, customer.email),
                stage=first.stage if first else None,
                since=first.since if first else None,
                stages=stages,
                last_seen=known.last_seen,
                touchpoints=known.touchpoints,
                orders=known.orders,
                orders_waiting=known.waiting,
                revenue=known.revenue,
                next=ahead[number][models[0].id] if models and models[0].id in ahead.get(number, {}) else None,
                is_large=number in large,
            )
        )
    return tuple(rows)
