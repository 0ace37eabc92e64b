"""Keeping the touches before every order. Rows of a customer whose history changed are replaced where they differ;
there are no sums of them: credit of every order is counted from these rows when somebody asks.

They are counted with how customers were won, under the same mark and in the same transaction."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from clm.lib import sql

from ..attribution.declared import LONGEST_WINDOW
from ..attribution.paths import DAY, paths_before_each
from ..models import OrderPath
from .calendar import day_numbers

# (order, day, revenue, channels, ages in seconds); days are counted from 1970.
OrderRow = tuple[int, int, int, tuple[int, ...], tuple[int, ...]]


class Touches(Protocol):
    """What decides which contacts are touches, and of which channel."""

    zone: str
    purchases: list[int]
    refunds: list[int]
    visits: list[int]
    exposures: list[int]
    direct: int

    @property
    def silent(self) -> list[int]: ...

    def channel(self, over: int, source: str, medium: str, campaign: str) -> int: ...


def keep_order_paths(*, customers: Sequence[int], touches: Touches, longest_visit_hours: int) -> set[int]:
    """Write the rows of some customers anew where they differ; whose they were."""
    kept = _kept(customers)
    found = _found(customers, touches, longest_visit_hours)
    changed = {customer for customer in kept.keys() | found.keys() if kept.get(customer) != found.get(customer)}
    if changed:
        OrderPath.objects.filter(customer__in=changed).delete()
        _write({customer: found[customer] for customer in changed if customer in found})
    return changed


def _kept(customers: Sequence[int]) -> dict[int, list[OrderRow]]:
    rows: dict[int, list[OrderRow]] = defaultdict(list)
    for customer, order, day, revenue, channels, ages in sql.rows(
        "analytics/order_paths_kept", customers=list(customers)
    ):
        rows[customer].append((order, day, revenue, tuple(channels), tuple(ages)))
    return dict(rows)


def _found(customers: Sequence[int], touches: Touches, longest_visit_hours: int) -> dict[int, list[OrderRow]]:
    """What the facts say of some customers' orders, in order of customer and order."""
    told = sql.rows(
        "analytics/order_paths_orders",
        customers=list(customers),
        purchases=touches.purchases,
        refunds=touches.refunds,
    )
    orders = [(customer, order, ms) for customer, order, ms, _amount, is_order, _name in told if is_order]
    if not orders:
        return {}
    revenue = _revenue(told)
    firsts: dict[int, int] = {}
    lasts: dict[int, int] = {}
    for customer, _order, ms in orders:  # in order of time
        firsts.setdefault(customer, ms)
        lasts[customer] = ms
    buyers, back = sorted(firsts), LONGEST_WINDOW * DAY + longest_visit_hours * DAY // 24
    contacts = [
        (customer, ms, touches.channel(over, source, medium, campaign))
        for customer, ms, over, source, medium, campaign in sql.rows(
            "analytics/order_paths_contacts",
            customers=buyers,
            sinces=[firsts[customer] - back for customer in buyers],
            untils=[lasts[customer] for customer in buyers],
            visits=touches.visits,
            exposures=touches.exposures,
            silent=touches.silent,
        )
    ]
    orders.sort()
    owner, number, end_ms = (np.array(column, np.int64) for column in zip(*orders, strict=True))
    paths = paths_before_each(
        **_columns(contacts), end_owner=owner, end_ms=end_ms, days=LONGEST_WINDOW, direct=touches.direct
    )
    days = day_numbers(end_ms, touches.zone).tolist()
    channels, ages, heads = paths.channel.tolist(), (paths.age // 1_000).tolist(), paths.start.tolist()
    rows: dict[int, list[OrderRow]] = defaultdict(list)
    for at, (customer, order) in enumerate(zip(owner.tolist(), number.tolist(), strict=True)):
        part = slice(heads[at], heads[at + 1])
        rows[customer].append((order, days[at], revenue[order], tuple(channels[part]), tuple(ages[part])))
    return dict(rows)


def _columns(contacts: Sequence[tuple[int, int, int]]) -> dict[str, Any]:
    columns: Any = zip(*contacts, strict=True) if contacts else ((), (), ())
    return {name: np.array(column, np.int64) for name, column in zip(("owner", "ms", "channel"), columns, strict=True)}


def _revenue(told: Sequence[tuple[int, int, int, int, int, str]]) -> dict[int, int]:
    """What each order came to. Money given back that names an order is taken off the first of that name."""
    revenue: dict[int, int] = {}
    named: dict[str, int] = {}
    for _customer, order, _ms, amount, is_order, name in told:
        if is_order:
            revenue[order] = amount
            if name:
                named.setdefault(name, order)
    for _customer, _refund, _ms, amount, is_order, name in told:
        if not is_order and name in named:
            revenue[named[name]] += amount
    return revenue


def _write(rows: dict[int, list[OrderRow]]) -> None:
    told = [(customer, *row) for customer, theirs in sorted(rows.items()) for row in theirs]
    if not told:
        return
    customers, orders, days, revenues, paths, ages = (list(column) for column in zip(*told, strict=True))
    sql.run(
        "analytics/order_paths_write",
        customers=customers,
        orders=orders,
        days=days,
        revenues=revenues,
        paths=[_literal(path) for path in paths],
        ages=[_literal(age) for age in ages],
    ).close()


def _literal(numbers: Sequence[int]) -> str:
    return "{" + ",".join(map(str, numbers)) + "}"
