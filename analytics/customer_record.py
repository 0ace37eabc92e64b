"""One customer as a whole: who it is, where it stands in every model, and what is known of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q

from customers.consents import counting_statements
from customers.models import Account, Customer, Identity, Merge, Role, Touchpoint, Trait
from customers.traits_then import traits_then
from lifecycle.load import Loaded
from lifecycle.models import Segment, Standing, Subject

from .customer_figures import customer_figures, figures_known, initials, names_of, with_waiting
from .customer_stages import NextChange, next_stages, stages_of
from .known_then import customer_known, profiles_known
from .sales import types_of
from .sorting import ACTIVE, ModelRef, Sorting, StageRef, live_segments
from .timeline import happened


@dataclass(frozen=True, slots=True)
class CustomerHead:
    """The head of a customer's page. revenue: minor units net of refunds; is_active: None while no segment of active
    customers is installed; merged_into: set when the address asked for was that of a customer merged into this one."""

    id: int
    name: str
    email: str
    phone: str
    known_as: str
    initials: str
    created_at: datetime
    first_seen: datetime | None
    last_seen: datetime | None
    touchpoints: int
    orders: int
    orders_waiting: int
    revenue: int
    profiles: int
    is_active: bool | None
    merged_into: int | None

    @property
    def orders_in_all(self) -> int:
        """With those whose money waits for an exchange rate."""
        return self.orders + self.orders_waiting


@dataclass(frozen=True, slots=True)
class IdentityRow:
    """One thing the customer is recognised by."""

    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class ContactRow:
    """One thing the customer is reached or recognised by. is_former: another one of its kind counts now; what arrives
    under a former one is still this customer's."""

    kind: str
    value: str
    is_former: bool


@dataclass(frozen=True, slots=True)
class ConsentRow:
    """The latest statement for one address, channel and purpose."""

    address: str
    channel: str
    purpose: str
    state: str
    at: datetime
    source: str


@dataclass(frozen=True, slots=True)
class TraitRow:
    """What a trait is now."""

    key: str
    value: Any
    set_at: datetime


@dataclass(frozen=True, slots=True)
class MergedRow:
    """Another customer that was found to be this one. merge: the merge that made them one, to be undone; None where
    it was undone since."""

    id: int
    name: str
    at: datetime
    merge: int | None


@dataclass(frozen=True, slots=True)
class StandingRow:
    """Where the customer stands in one model, and what time alone does next."""

    model: ModelRef
    stage: StageRef | None
    since: datetime | None
    next: NextChange | None


@dataclass(frozen=True, slots=True)
class MembershipRow:
    """A segment the customer is in, and since when."""

    segment: ModelRef
    since: datetime


def found_customer(number: int, *, known_at: datetime | None = None) -> tuple[Customer, int | None]:
    """The customer an id leads to, by the merges in force at `known_at` (None: now), and its id if the one asked for
    was merged into it. NotThereError otherwise."""
    customer = customer_known(number=number, known_at=known_at)
    return customer, None if customer.pk == number else customer.pk


def profiles_of(*, customer: int, known_at: datetime | None = None) -> list[int]:
    """The ids of the profiles that were the customer's at `known_at` (None: now); everything that happened hangs on
    them."""
    return profiles_known(customer=customer, known_at=known_at)


def customer_head(
    *,
    customer: Customer,
    profiles: Sequence[int],
    memberships: Sequence[MembershipRow],
    merged_into: int | None = None,
    as_of: datetime | None = None,
    known_at: datetime | None = None,
) -> CustomerHead:
    """The head of one customer's page, its figures until `as_of` (None: now) from what was known at `known_at` (None:
    today); `memberships` as they stood then. What the customer is called is always today's: it is who one is speaking
    of."""
    if known_at is not None:
        figures = figures_known(profiles=profiles, as_of=as_of or known_at, known_at=known_at)
    else:
        counted = customer_figures(customers=[customer.pk], as_of=as_of)
        figures = with_waiting(counted, as_of=as_of)[customer.pk]
    is_active: bool | None = any(row.segment.key == ACTIVE for row in memberships)
    if not is_active and not Segment.objects.filter(key=ACTIVE, retired_at=None).exists():
        is_active = None
    return CustomerHead(
        id=customer.pk,
        name=customer.name,
        email=customer.email,
        phone=customer.phone,
        known_as=names_of([customer])[customer.pk],
        initials=initials(customer.name, customer.email),
        created_at=customer.created_at,
        first_seen=figures.first_seen,
        last_seen=figures.last_seen,
        touchpoints=figures.touchpoints,
        orders=figures.orders,
        orders_waiting=figures.waiting,
        revenue=figures.revenue,
        profiles=len(profiles),
        is_active=is_active,
        merged_into=merged_into,
    )


def standings(
    *,
    customer: int,
    models: Sequence[Sorting],
    now: datetime,
    as_of: datetime | None = None,
    known_at: datetime | None = None,
    loaded: Loaded | None = None,
) -> tuple[StandingRow, ...]:
    """Where the customer stands in each model, in their order; two queries and one evaluation. as_of, known_at: where
    it stood, as known then. What was to come next is as one could see it coming at `as_of`; by what was known at
    `known_at` it is not told, since facts are evaluated as they are known today. loaded: the customer's life, if it is
    at hand."""
    placed = stages_of(customers=[customer], models=models, as_of=as_of or known_at, known_at=known_at)[customer]
    ahead: dict[int, NextChange] = {}
    if known_at is None:
        ahead = next_stages(
            customers=[customer], models=models, now=as_of or now, only_until_now=as_of is not None, loaded=loaded
        ).get(customer, {})
    return tuple(
        StandingRow(model.ref, row.stage, row.since, ahead.get(model.id))
        for model, row in zip(models, placed, strict=True)
    )


def memberships(
    *, customer: int, as_of: datetime | None = None, known_at: datetime | None = None
) -> tuple[MembershipRow, ...]:
    """The segments the customer is in, in their order on pages; at `as_of` (None: now) as known at `known_at` (None:
    today)."""
    at = as_of or known_at
    if at is None:
        found = (
            Standing.objects.filter(customer=customer, stage__key="in", subject__retired_at=None)
            .exclude(subject__kind=Subject.Kind.MODEL)
            .order_by("subject__position", "subject_id")
            .values_list("subject__key", "subject__name", "since")
        )
        return tuple(MembershipRow(ModelRef(key, name), since) for key, name, since in found)
    rows = stages_of(customers=[customer], models=live_segments(), as_of=at, known_at=known_at)[customer]
    return tuple(
        MembershipRow(row.model, row.since)
        for row in rows
        if row.stage is not None and row.stage.key == "in" and row.since is not None
    )


def identities(*, profiles: Sequence[int], known_at: datetime | None = None) -> tuple[IdentityRow, ...]:
    """What the customer is recognised by (at `known_at`: was recognised by), oldest first."""
    found = Identity.objects.filter(profile__in=list(profiles)).order_by("pk")
    if known_at is not None:
        found = found.filter(created_at__lte=known_at)
    return tuple(IdentityRow(kind, value) for kind, value in found.values_list("kind", "value"))


def accounts_of(*, profiles: Sequence[int], at: datetime) -> tuple[Account, ...]:
    """The organisations the customer belonged to at that instant, in the order of their names."""
    belongs = Q(affiliations__until_at=None) | Q(affiliations__until_at__gt=at)
    found = Account.objects.filter(belongs, affiliations__profile__in=list(profiles), affiliations__from_at__lte=at)
    return tuple(sorted(found.distinct(), key=lambda one: (str(one).casefold(), one.pk)))


def contacts(
    *, email: str, phone: str, identities: Sequence[IdentityRow], traits: Sequence[TraitRow]
) -> tuple[ContactRow, ...]:
    """The address and the number that count now, then everything else the customer is recognised by, in the order in
    which it was met; last of all the e-mail addresses, numbers and external ids that were replaced."""
    external = next((str(trait.value) for trait in traits if trait.key == "external_id"), "")
    external = external or next((one.value for one in reversed(identities) if one.kind == "external_id"), "")
    now = {"email": email.lower(), "phone": _digits(phone), "external_id": external}
    found = [ContactRow(kind, value, False) for kind, value in (("email", email), ("phone", phone)) if value]
    for one in identities:
        value = _digits(one.value) if one.kind == "phone" else one.value
        is_now = value == now.get(one.kind)
        if not (is_now and one.kind in ("email", "phone")):
            found.append(ContactRow(one.kind, one.value, one.kind in now and not is_now))
    found.sort(key=lambda row: row.is_former)
    return tuple(found)


def _digits(number: str) -> str:
    return "".join(sign for sign in number if sign.isdigit())


def traits(
    *, profiles: Sequence[int], as_of: datetime | None = None, known_at: datetime | None = None
) -> tuple[TraitRow, ...]:
    """What was told last of every trait, over all profiles, until `as_of` (None: now) as known at `known_at` (None:
    today); cleared ones left out."""
    at = as_of or known_at
    if at is not None:
        then = traits_then(profiles=profiles, as_of=at, known_at=known_at)
        return tuple(TraitRow(one.key, one.value, one.set_at) for one in then)
    latest = (
        Trait.objects.filter(profile__in=list(profiles))
        .order_by("key", "-last_seen_at", "-pk")
        .distinct("key")
        .values_list("key", "value", "set_at")
    )
    return tuple(TraitRow(key, value, at) for key, value, at in latest if value is not None)


def consents(*, profiles: Sequence[int], as_of: datetime | None = None) -> tuple[ConsentRow, ...]:
    """The statement that counts per address, channel and purpose until `as_of` (None: now)."""
    counting = counting_statements(profiles=profiles, as_of=as_of)
    return tuple(ConsentRow(one.address, one.channel, one.purpose, one.state, one.at, one.source) for one in counting)


def merged_from(*, customer: int, known_at: datetime | None = None) -> tuple[MergedRow, ...]:
    """The customers that were merged into this one and still are (at `known_at`: were), latest first."""
    merges = Merge.objects.filter(survivor=customer).select_related("absorbed").order_by("-at")
    if known_at is None:
        merges = merges.filter(undone_at=None)
    else:
        merges = merges.filter(at__lte=known_at).exclude(undone_at__lte=known_at)
    return tuple(
        MergedRow(one.absorbed_id, str(one.absorbed), one.at, one.pk if one.undone_at is None else None)
        for one in merges
    )


def purchase_marks(
    *, profiles: Sequence[int], most: int = 400, as_of: datetime | None = None, known_at: datetime | None = None
) -> tuple[datetime, ...]:
    """The instants of the latest purchases, in order of time."""
    bought = Touchpoint.objects.filter(profile__in=list(profiles), type__in=types_of(Role.PURCHASE))
    found = happened(bought, as_of=as_of or known_at, known_at=known_at).order_by("-occurred_at")
    return tuple(reversed(found.values_list("occurred_at", flat=True)[:most]))
