"""Reading who bought what: the histories that the value models are fitted to, customer by customer, as of some days.

Orders count behaviourally: what was given back is taken off on the day of its order. Customers known by nothing but a
device are left out (each of their orders would be a customer), and so are those who have or had a contract: a renewal
is no decision to come back, and contracts have models of their own."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np

from clm.lib.columns import fetch_columns
from clm.lib.periods import day_start
from customers.models import Role

from ..days.calendar import day_numbers
from ..sales import types_of
from .purchases import Floats, Int64s, counted

# Contracts are looked at in months of this many days.
PERIOD_DAYS = 365.25 / 12
_MS_A_DAY = 86_400_000


@dataclass(frozen=True, slots=True)
class Types:
    """Ids of the types that are mapped to what is counted."""

    purchases: tuple[int, ...]
    refunds: tuple[int, ...]
    begins: tuple[int, ...]
    ends: tuple[int, ...]

    @classmethod
    def mapped(cls) -> "Types":
        return cls(
            *(tuple(sorted(types_of(role))) for role in (Role.PURCHASE, Role.REFUND, Role.SUBSCRIBE, Role.CANCEL))
        )


@dataclass(frozen=True, slots=True)
class Histories:
    """Customers in ascending order as known on one day: repeats, last, age as in `Purchases`, in days."""

    customer: Int64s
    first: Int64s
    repeats: Int64s
    last: Int64s
    age: Int64s


@dataclass(frozen=True, slots=True)
class Bought:
    """What some customers bought. days: by the day asked about; the others as of the last of them: net revenue of all
    orders, mean net worth of repeat orders (0 without), both in minor units. order_days: the days of all orders of
    different days, and the customer's place in `days[last]`. lost, open: contracts by how many renewals they saw, as
    `contracts.Contracts` counts them; with_contract: customers left out, paid: their net revenue, months: those they
    were under contract."""

    days: dict[int, Histories]
    revenue: Int64s
    mean: Floats
    order_day: Int64s
    order_place: Int64s
    lost: Int64s
    open: Int64s
    with_contract: int
    paid: int
    months: float


def bought(*, first: int, until: int, types: Types, zone: str, asked: Sequence[int], day_of_number: date) -> Bought:
    """Of the customers [first, until). asked: day numbers, ascending; the last is `day_of_number`."""
    before = day_start(day_of_number + timedelta(days=1), zone)
    found = fetch_columns(
        "analytics/value_orders",
        {"customer": "q", "at": "t", "amount": "q", "is_order": "h"},
        first=first,
        until=until,
        purchases=list(types.purchases),
        refunds=list(types.refunds),
        before=before,
    )
    contracts, theirs, months = _contracts(first, until, types, before)
    kept = ~np.isin(found["customer"], theirs)
    customer, amount, is_order = (found[name][kept] for name in ("customer", "amount", "is_order"))
    day = day_numbers(found["at"][kept], zone)
    orders = is_order == 1
    histories = {
        one: Histories(*(getattr(seen, name) for name in ("customer", "first", "repeats", "last", "age")))
        for one in asked
        for seen in [counted(customer=customer[orders], day=day[orders], until=one)]
    }
    latest = histories[asked[-1]]
    place = np.searchsorted(latest.customer, customer)
    # Whoever only gave back, of an order that is not known, has not bought.
    known = (place < len(latest.customer)) & np.isin(customer, latest.customer)
    place, amount, day = place[known], amount[known], day[known]
    number = len(latest.customer)
    revenue = np.bincount(place, weights=amount, minlength=number).astype(np.int64)
    again = day > latest.first[place]
    repeated = np.bincount(place[again], weights=amount[again], minlength=number)
    mean = np.where(latest.repeats > 0, repeated / np.maximum(latest.repeats, 1), 0.0)
    different = np.unique(place[orders[known]] * 1_000_000 + day[orders[known]])
    return Bought(
        histories,
        revenue,
        mean,
        different % 1_000_000,
        different // 1_000_000,
        contracts[0],
        contracts[1],
        len(theirs),
        int(found["amount"][~kept].sum()),
        months,
    )


def _contracts(first: int, until: int, types: Types, before: datetime) -> tuple[tuple[Int64s, Int64s], Int64s, float]:
    """Contracts by the number of renewals, who has or had one, and how many months they lasted together."""
    found = fetch_columns(
        "analytics/value_contracts",
        {"customer": "q", "at": "t", "begins": "h"},
        first=first,
        until=until,
        begins=list(types.begins),
        ends=list(types.ends),
        before=before,
    )
    order = np.lexsort((-found["begins"], found["at"], found["customer"]))
    end_of_all = int(before.timestamp() * 1000)
    lost: list[int] = []
    open_: list[int] = []
    since: dict[int, int] = {}
    months = 0.0
    for customer, at, begins in zip(
        *(found[name][order].tolist() for name in ("customer", "at", "begins")), strict=True
    ):
        if begins:
            since.setdefault(customer, at)
        elif customer in since:
            periods = (at - since.pop(customer)) / _MS_A_DAY / PERIOD_DAYS
            months += periods
            lost.append(max(1, int(np.ceil(periods - 0.05))))  # ended a day late, it was not renewed
    running = [(end_of_all - at) / _MS_A_DAY / PERIOD_DAYS for at in since.values()]
    open_.extend(int(one) for one in running)
    theirs = np.unique(found["customer"][found["begins"] == 1])
    return (_by_number(lost), _by_number([one for one in open_ if one > 0])), theirs, months + sum(running)


def _by_number(renewals: Sequence[int]) -> Int64s:
    """How many have each number of renewals, from 1."""
    return (
        np.bincount(np.array(renewals, np.int64), minlength=1)[1:].astype(np.int64)
        if renewals
        else np.empty(0, np.int64)
    )


def added(one: Int64s, other: Int64s) -> Int64s:
    """The sums of two counts of different lengths."""
    found = np.zeros(max(len(one), len(other)), np.int64)
    found[: len(one)] += one
    found[: len(other)] += other
    return found
