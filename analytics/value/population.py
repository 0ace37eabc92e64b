"""Reading who bought what: the histories that the value models are fitted to, customer by customer, as of some days.

Orders count behaviourally: what was given back is taken off on the day of its order. Customers known by nothing but a
device are left out (each of their orders would be a customer), and so are those who have or had a contract: a renewal
is no decision to come back, and contracts have models of their own."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from datetime import date, datetime, timedelta
from typing import Any

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
class Running:
    """Customers who have paid and whose contract runs on the last day, in ascending order. age: of the contract, in
    months; monthly: what one pays a month, in minor units, NaN while one has paid on one day only; revenue: net, minor
    units; orders: days with one; silent_days: since the last of them."""

    customer: Int64s
    age: Floats
    monthly: Floats
    revenue: Int64s
    orders: Int64s
    silent_days: Int64s

    def of(self, inside: slice) -> "Running":
        """Some of them."""
        return Running(*(getattr(self, one.name)[inside] for one in fields(self)))

    @classmethod
    def nobody(cls) -> "Running":
        whole = np.empty(0, np.int64)
        return cls(whole, np.empty(0), np.empty(0), whole, whole, whole)

    @classmethod
    def joined(cls, parts: Sequence["Running"]) -> "Running":
        """Those of several ranges of customers, in their order."""
        several = [cls.nobody(), *parts]
        return cls(*(np.concatenate([getattr(one, part.name) for one in several]) for part in fields(cls)))


@dataclass(frozen=True, slots=True)
class Bought:
    """What some customers bought. days: by the day asked about; the others as of the last of them: net revenue of all
    orders, mean net worth of repeat orders (0 without), both in minor units. order_days: the days of all orders of
    different days, and the customer's place in `days[last]`. lost, open: contracts by how many renewals they saw, as
    `contracts.Contracts` counts them; with_contract: customers left out, paid: their net revenue, months: those they
    were under contract; running: those whose contract runs."""

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
    running: Running = field(default_factory=Running.nobody)


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
    contracts, theirs, months, ages = _contracts(first, until, types, before)
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
        _running(ages, found, zone, asked[-1]),
    )


def _running(ages: dict[int, float], found: dict[str, Any], zone: str, until: int) -> Running:
    """Who of those under contract has paid, and what: ages are in months, by customer."""
    theirs = np.array(sorted(ages), np.int64)
    rows = np.isin(found["customer"], theirs)
    place, amount = np.searchsorted(theirs, found["customer"][rows]), found["amount"][rows]
    day, orders = day_numbers(found["at"][rows], zone), found["is_order"][rows] == 1
    number = len(theirs)
    first, last = np.full(number, np.iinfo(np.int64).max), np.full(number, -1)
    np.minimum.at(first, place[orders], day[orders])
    np.maximum.at(last, place[orders], day[orders])
    revenue = np.bincount(place, weights=amount, minlength=number).astype(np.int64)
    latest = day == last[place]
    newest = np.bincount(place[latest], weights=amount[latest], minlength=number)
    # The newest payment is for the time after it; those before it were for the time between.
    apart = np.where(last > first, (last - first) / PERIOD_DAYS, np.nan)
    monthly = np.maximum(revenue - newest, 0.0) / apart
    days = np.bincount(np.unique(place[orders] * 1_000_000 + day[orders]) // 1_000_000, minlength=number)
    has_paid = last >= 0
    return Running(
        theirs[has_paid],
        np.array([ages[one] for one in theirs[has_paid].tolist()]),
        monthly[has_paid],
        revenue[has_paid],
        days[has_paid].astype(np.int64),
        until - last[has_paid],
    )


def _contracts(
    first: int, until: int, types: Types, before: datetime
) -> tuple[tuple[Int64s, Int64s], Int64s, float, dict[int, float]]:
    """Contracts by the number of renewals, who has or had one, how many months they lasted together, and how many those
    that run have lasted, by customer."""
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
    ages = {customer: (end_of_all - at) / _MS_A_DAY / PERIOD_DAYS for customer, at in since.items()}
    open_.extend(int(one) for one in ages.values())
    theirs = np.unique(found["customer"][found["begins"] == 1])
    by_number = (_by_number(lost), _by_number([one for one in open_ if one > 0]))
    return by_number, theirs, months + sum(ages.values()), ages


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
