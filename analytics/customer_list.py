"""The list of customers: who matches, one page at a time, newest customers first.

A page costs the same few queries whatever is on it: the customers, what those without a name are called, their figures
from the covering index, their stages, and what happens to them next."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from clm.lib import sql
from clm.lib.cursors import cursor as written_cursor
from clm.lib.cursors import parse_cursor
from clm.lib.questions import QuestionError
from customers.models import Customer
from lifecycle.models import Standing, Transition
from lifecycle.outlook import next_changes

from . import retention, sales
from .customer_figures import customer_figures, initials, names_of
from .days.falls import DAYS, falls_ahead
from .days.kept import Kept, members_of
from .known_then import customers_met
from .models import Fall, Member
from .scope import Scope
from .search import searched
from .sorting import ModelRef, Sorting, StageRef, lapsed_stage, version_known
from .stages import refuse_unknowable

PAGE = 50
MOST = 200
# A list is counted to here; beyond it the exact number tells nobody anything and costs a scan of all customers.
COUNTED = 10_000


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
    name, an address or an id; group: of `analytics.retention` or `analytics.sales`, over `scope`. as_of, known_at: the
    instant that stages and segment are asked about, and whose belief; as_of None: now."""

    stages: tuple[tuple[Sorting, tuple[int, ...]], ...] = ()
    segment: Sorting | None = None
    search: str = ""
    falls: Falls | None = None
    group: str = ""
    scope: Scope | None = None
    as_of: datetime | None = None
    known_at: datetime | None = None
    kept: Kept | None = None

    @property
    def at(self) -> datetime | None:
        """The instant asked about, None: now."""
        return self.as_of or self.known_at


@dataclass(frozen=True, slots=True)
class RowStage:
    """The stage of a customer in one model, None when in none."""

    model: ModelRef
    stage: StageRef | None
    since: datetime | None


@dataclass(frozen=True, slots=True)
class NextChange:
    """What time alone does next."""

    at: datetime
    stage: StageRef
    sentence: str


@dataclass(frozen=True, slots=True)
class CustomerRow:
    """One customer of the list. known_as: the name, or what stands for it; stage, since, next: in the first model asked
    for; stages: in all of them. revenue: minor units."""

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
    the whole list is, None when it was not counted."""

    rows: tuple[CustomerRow, ...]
    start: int
    next_cursor: str | None
    previous_cursor: str | None
    size: Size | None = None


def customers(
    *,
    asked: Asked,
    models: Sequence[Sorting],
    now: datetime,
    cursor: str | None = None,
    page_size: int = PAGE,
    with_next: bool = True,
    counted: bool = False,
) -> CustomerPage:
    """A page of the customers asked for, with their stages in `models`; `counted`: and how many there are in all."""
    everyone = found = _matching(asked, now)
    size = min(max(page_size, 1), MOST)
    backwards, place = False, 1
    if cursor is not None:
        kind, (border, place) = parse_cursor(cursor, kinds="np", count=2)
        backwards = kind == "p"
        found = found.filter(pk__gt=border) if backwards else found.filter(pk__lt=border)
    ordered = found.order_by("pk" if backwards else "-pk")[: size + 1]
    page = list(ordered.only("pk", "name", "email", "phone", "search_text"))
    more = len(page) > size
    page = page[:size]
    if backwards:
        page.reverse()
    has_next, has_previous = (True, more) if backwards else (more, cursor is not None)
    start = max(place - len(page) if backwards else place, 1) if has_previous else 1
    whole = None
    if counted and not has_next and not has_previous:
        whole = Size(len(page), True)  # all of them are on this page
    elif counted:
        whole = _kept_size(asked) or _size(everyone)
    return CustomerPage(
        rows=_rows(page, asked, models, now, with_next),
        start=start,
        next_cursor=written_cursor("n", page[-1].pk, start + len(page)) if page and has_next else None,
        previous_cursor=written_cursor("p", page[0].pk, start) if page and has_previous else None,
        size=whole,
    )


def matching(*, asked: Asked, now: datetime) -> Size:
    """How many customers are asked for, counted up to COUNTED; of one stage alone, as many as are kept of it."""
    return _kept_size(asked) or _size(_matching(asked, now))


def _kept_size(asked: Asked) -> Size | None:
    """How many there are, if the list is of one model's stages alone, now, and read from what is kept."""
    conditions = [*asked.stages]
    if asked.segment is not None:
        conditions.append((asked.segment, (asked.segment.stage_id("in"),)))
    if len(conditions) != 1 or asked.search.strip() or asked.falls or asked.group or asked.at is not None:
        return None
    ((model, stages),) = conditions
    if asked.kept is None or not asked.kept.lists_members(model.version):
        return None
    return Size(members_of(version=model.version or 0, stages=stages), True)


def everybody() -> Size:
    """All customers, those merged into others apart; about how many, when they are more than COUNTED."""
    size = _size(Customer.objects.filter(merged_into=None))
    if size.is_exact:
        return size
    ((estimate,),) = sql.rows("analytics/customers_estimated")
    return Size(max(int(estimate), COUNTED), False)


def anybody() -> bool:
    """Whether there is any customer."""
    return Customer.objects.filter(merged_into=None).exists()


def falling(*, falls: Falls, now: datetime) -> list[int]:
    """The customers who enter the stage within those days by time alone, and are not in it now.

    Due gives everybody whom time may change until then; their rules are evaluated exactly."""
    return sorted(falls_ahead(subject=falls.model.id, stage=falls.stage, now=now, days=falls.days))


def _size(found: QuerySet[Customer]) -> Size:
    number = found.values("pk")[: COUNTED + 1].count()
    return Size(min(number, COUNTED), number <= COUNTED)


def _matching(asked: Asked, now: datetime) -> QuerySet[Customer]:
    found = Customer.objects.filter(merged_into=None)
    at = asked.at
    if at is not None:
        refuse_unknowable(as_of=at, known_at=asked.known_at)
        # Whoever had not been met by then was no customer.
        found = customers_met(at=at, known_at=asked.known_at)
    for model, stages in asked.stages:
        found = _in_stage(found, model, stages, asked)
    if asked.segment is not None:
        found = _in_stage(found, asked.segment, (asked.segment.stage_id("in"),), asked)
    found = found.filter(searched(asked.search))
    if asked.falls is not None:
        if at is not None:
            raise QuestionError("as_of", "what happens next is only known from now on")
        if _keeps_falls(asked.falls, asked.kept):
            found = found.filter(pk__in=Fall.objects.filter(version=asked.falls.model.version or 0).values("customer"))
        else:
            found = found.filter(pk__in=falling(falls=asked.falls, now=now))
    if asked.group:
        found = found.filter(pk__in=_group(asked))
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


def _group(asked: Asked) -> list[int]:
    assert asked.scope is not None
    if asked.group in retention.GROUPS:
        return retention.customers_of(scope=asked.scope, group=asked.group)
    if asked.group in sales.GROUPS:
        return sales.customers_of(scope=asked.scope, group=asked.group)
    groups = ", ".join((*retention.GROUPS, *sales.GROUPS))
    raise QuestionError("group", f'there is no group "{asked.group[:40]}"; the groups are {groups}')


def _rows(
    page: list[Customer], asked: Asked, models: Sequence[Sorting], now: datetime, with_next: bool
) -> tuple[CustomerRow, ...]:
    ids = [customer.pk for customer in page]
    if not ids:
        return ()
    figures = customer_figures(customers=ids, as_of=asked.at)
    placed = stages_of(customers=ids, models=models, as_of=asked.at, known_at=asked.known_at)
    ahead = next_stages(customers=ids, models=models[:1], now=now) if with_next and asked.at is None else {}
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
                known_as=names[number],
                initials=initials(customer.name, customer.email),
                stage=first.stage if first else None,
                since=first.since if first else None,
                stages=stages,
                last_seen=known.last_seen,
                touchpoints=known.touchpoints,
                orders=known.orders,
                revenue=known.revenue,
                next=ahead[number][models[0].id] if models and models[0].id in ahead.get(number, {}) else None,
            )
        )
    return tuple(rows)


def stages_of(
    *,
    customers: Sequence[int],
    models: Sequence[Sorting],
    as_of: datetime | None = None,
    known_at: datetime | None = None,
) -> dict[int, tuple[RowStage, ...]]:
    """The stage of each customer in each model, in the order of `models`, in one query for all."""
    placed: dict[tuple[int, int], tuple[int, datetime]] = {}
    if as_of is None:
        standings = Standing.objects.filter(customer__in=list(customers), subject__in=[model.id for model in models])
        for customer, subject, stage, since in standings.values_list("customer_id", "subject_id", "stage_id", "since"):
            placed[customer, subject] = (stage, since)
    else:
        versions = {version_known(sorting=model, known_at=known_at): model.id for model in models}
        for customer, version, stage, since in sql.rows(
            "analytics/customer_stages",
            customers=list(customers),
            versions=[version for version in versions if version is not None],
            as_of=as_of,
            known_at=known_at,
        ):
            placed[customer, versions[version]] = (stage, since)
    return {
        customer: tuple(_row_stage(model, placed.get((customer, model.id))) for model in models)
        for customer in customers
    }


def next_stages(
    *, customers: Sequence[int], models: Sequence[Sorting], now: datetime, only_until_now: bool = False
) -> dict[int, dict[int, NextChange]]:
    """By customer and model id, what time alone does next; one evaluation for all. only_until_now: as one could see it
    coming at `now`, an instant of the past."""
    only = models[0].id if len(models) == 1 else None
    by_id = {model.id: model for model in models}
    found = next_changes(customers=customers, now=now, subject=only, only_until_now=only_until_now)
    return {
        customer: {
            subject: next_change(by_id[subject], change.stage, change.at)
            for subject, change in changes.items()
            if subject in by_id
        }
        for customer, changes in found.items()
    }


def next_change(model: Sorting, stage: int, at: datetime) -> NextChange:
    """A coming change in words."""
    entered = model.stages[stage]
    return NextChange(at=at, stage=entered, sentence=f"{entered.name}, if nothing else happens")


def _row_stage(model: Sorting, placed: tuple[int, datetime] | None) -> RowStage:
    if placed is None:
        return RowStage(model.ref, None, None)
    stage, since = placed
    return RowStage(model.ref, model.stages[stage], since)
