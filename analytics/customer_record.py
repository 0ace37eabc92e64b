"""One customer as a whole: who it is, where it stands in every model, and what is known of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from clm.lib.questions import NotThereError
from customers.merge import surviving
from customers.models import Consent, Customer, Identity, Merge, Profile, Role, Touchpoint, Trait
from lifecycle.models import Standing

from .customer_figures import customer_figures, initials, names_of
from .customer_list import NextChange, next_stages, stages_of
from .sales import types_of
from .sorting import ModelRef, Sorting, StageRef, active_customers


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
    revenue: int
    profiles: int
    is_active: bool | None
    merged_into: int | None


@dataclass(frozen=True, slots=True)
class IdentityRow:
    """One thing the customer is recognised by."""

    kind: str
    value: str


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
    """Another customer that was found to be this one."""

    id: int
    name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class StandingRow:
    """Where the customer stands in one model, and what time alone does next."""

    model: ModelRef
    stage: StageRef | None
    since: datetime | None
    next: NextChange | None


def found_customer(number: int) -> tuple[Customer, int | None]:
    """The customer an id leads to, and its id if the one asked for was merged into it. NotThereError otherwise."""
    asked = Customer.objects.filter(pk=number).first()
    if asked is None:
        raise NotThereError(f"there is no customer {number}")
    customer = surviving(asked)
    return customer, None if customer.pk == number else customer.pk


def profiles_of(*, customer: int) -> list[int]:
    """The ids of the customer's profiles; everything that happened hangs on them."""
    return list(Profile.objects.filter(customer=customer).order_by("pk").values_list("pk", flat=True))


def customer_head(*, customer: Customer, profiles: Sequence[int], merged_into: int | None = None) -> CustomerHead:
    """The head of one customer's page."""
    figures = customer_figures(customers=[customer.pk])[customer.pk]
    active = active_customers()
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
        revenue=figures.revenue,
        profiles=len(profiles),
        is_active=None if active is None else _is_in(customer.pk, active),
        merged_into=merged_into,
    )


def standings(*, customer: int, models: Sequence[Sorting], now: datetime) -> tuple[StandingRow, ...]:
    """Where the customer stands in each model, in their order; two queries and one evaluation."""
    placed = stages_of(customers=[customer], models=models)[customer]
    ahead = next_stages(customers=[customer], models=models, now=now).get(customer, {})
    return tuple(
        StandingRow(model.ref, row.stage, row.since, ahead.get(model.id))
        for model, row in zip(models, placed, strict=True)
    )


def identities(*, profiles: Sequence[int]) -> tuple[IdentityRow, ...]:
    """What the customer is recognised by, oldest first."""
    found = Identity.objects.filter(profile__in=list(profiles)).order_by("pk")
    return tuple(IdentityRow(kind, value) for kind, value in found.values_list("kind", "value"))


def traits(*, profiles: Sequence[int]) -> tuple[TraitRow, ...]:
    """What was told last of every trait, over all profiles; cleared ones left out."""
    latest = (
        Trait.objects.filter(profile__in=list(profiles))
        .order_by("key", "-last_seen_at", "-pk")
        .distinct("key")
        .values_list("key", "value", "set_at")
    )
    return tuple(TraitRow(key, value, at) for key, value, at in latest if value is not None)


def consents(*, profiles: Sequence[int]) -> tuple[ConsentRow, ...]:
    """The latest statement per address, channel and purpose."""
    latest = (
        Consent.objects.filter(profile__in=list(profiles))
        .order_by("address", "channel", "purpose", "-at", "-pk")
        .distinct("address", "channel", "purpose")
    )
    return tuple(ConsentRow(one.address, one.channel, one.purpose, one.state, one.at, one.source) for one in latest)


def merged_from(*, customer: int) -> tuple[MergedRow, ...]:
    """The customers that were merged into this one and still are, latest first."""
    merges = Merge.objects.filter(survivor=customer, undone_at=None).select_related("absorbed").order_by("-at")
    return tuple(MergedRow(one.absorbed_id, str(one.absorbed), one.at) for one in merges)


def purchase_marks(*, profiles: Sequence[int], most: int = 400) -> tuple[datetime, ...]:
    """The instants of the latest purchases, in order of time."""
    found = (
        Touchpoint.objects.filter(profile__in=list(profiles), type__in=types_of(Role.PURCHASE))
        .order_by("-occurred_at")
        .values_list("occurred_at", flat=True)[:most]
    )
    return tuple(reversed(found))


def _is_in(customer: int, segment: Sorting) -> bool:
    return Standing.objects.filter(customer=customer, subject=segment.id, stage=segment.stage_id("in")).exists()
