"""The few numbers that stand beside a customer's name."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from clm.lib import sql
from clm.lib.milliseconds import from_ms
from customers.models import Customer, Identity, Role
from lifecycle.models import HotCustomer

from .models import Listed
from .sales import types_of


@dataclass(frozen=True, slots=True)
class CustomerFigures:
    """touchpoints and orders are counts, revenue minor units net of refunds, first_seen and last_seen the instants of
    the first and the last touchpoint; unpriced counts purchases without an amount, waiting those of them whose money
    waits for an exchange rate, once that was looked up (`with_waiting`)."""

    touchpoints: int = 0
    first_seen: datetime | None = None
    last_seen: datetime | None = None
    orders: int = 0
    revenue: int = 0
    unpriced: int = 0
    waiting: int = 0


def customer_figures(*, customers: Sequence[int], as_of: datetime | None = None) -> dict[int, CustomerFigures]:
    """The figures of some customers until `as_of` (None: all), by id; every id asked for is answered."""
    found = sql.rows(
        "analytics/customer_figures",
        customers=list(customers),
        purchases=types_of(Role.PURCHASE),
        refunds=types_of(Role.REFUND),
        as_of=as_of,
    )
    figures = {row[0]: CustomerFigures(*row[1:]) for row in found}
    return {customer: figures.get(customer, CustomerFigures()) for customer in customers}


def with_waiting(
    figures: Mapping[int, CustomerFigures], *, as_of: datetime | None = None
) -> dict[int, CustomerFigures]:
    """The same figures of customers, by id, until the same instant, with how many orders wait for a rate. Asks only
    where somebody has orders without an amount."""
    unpriced = [customer for customer, its in figures.items() if its.unpriced]
    if not unpriced:
        return dict(figures)
    rows = sql.rows("analytics/orders_waiting", customers=unpriced, purchases=types_of(Role.PURCHASE), as_of=as_of)
    return {**figures, **{customer: replace(figures[customer], waiting=number) for customer, number in rows}}


def large_customers(*, customers: Sequence[int]) -> dict[int, CustomerFigures]:
    """The figures of those among some customers who have very many touchpoints, by id, as they were counted last: how
    many touchpoints when each had its turn, the others at the last fill. first_seen is not kept and None."""
    turns = dict(HotCustomer.objects.filter(customer__in=customers).values_list("customer_id", "touchpoints"))
    kept = Listed.objects.filter(customer__in=turns)
    return {
        one.customer_id: CustomerFigures(
            touchpoints=turns[one.customer_id],
            last_seen=from_ms(one.last_seen) if one.last_seen else None,
            orders=one.orders,
            revenue=one.revenue,
        )
        for one in (kept if turns else ())
    }


def figures_known(*, profiles: Sequence[int], as_of: datetime, known_at: datetime) -> CustomerFigures:
    """The figures of one customer, whose those profiles were, until `as_of` and from what had arrived by `known_at`."""
    (found,) = sql.rows(
        "analytics/customer_figures_known",
        profiles=list(profiles),
        purchases=types_of(Role.PURCHASE),
        refunds=types_of(Role.REFUND),
        as_of=as_of,
        known_at=known_at,
    )
    *told, waiting = found
    return replace(CustomerFigures(*told), waiting=waiting)


def names_of(customers: Sequence[Customer]) -> dict[int, str]:
    """What each customer is called, by id. The portrait that search looks in is folded to lower case, so whoever has
    neither a name nor an address is called by the identity met first, as it was told; one query for all of them."""
    nameless = [one.pk for one in customers if not (one.name or one.email or one.phone)]
    first = (
        Identity.objects.filter(profile__customer__in=nameless)
        .order_by("profile__customer", "pk")
        .distinct("profile__customer")
        .values_list("profile__customer", "value")
    )
    told = dict(first) if nameless else {}
    return {one.pk: told.get(one.pk) or one.known_as for one in customers}


def names_by_id(customers: Collection[int]) -> dict[int, str]:
    """What customers are called, by their ids."""
    return names_of(list(Customer.objects.filter(pk__in=set(customers))))


def initials(name: str, email: str) -> str:
    """One or two letters to stand for somebody."""
    words = (name or email.split("@")[0].replace(".", " ")).split()
    return "".join(word[0] for word in words[:2]).upper()
