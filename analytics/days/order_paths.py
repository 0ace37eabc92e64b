"""Keeping the touches before every order. Rows of a customer whose history changed are replaced where they differ;
there are no sums of them: credit of every order is counted from these rows when somebody asks.

They are counted with how customers were won (`won`), under the same mark and in the same transaction."""

from collections.abc import Sequence

import numpy as np

from clm.lib import sql

from ..attribution.declared import LONGEST_WINDOW
from ..attribution.paths import paths_before_each
from ..models import OrderPath
from .calendar import day_numbers
from .touches import Contacts, Touches

# (customer, day, revenue, channels, ages in seconds); days are counted from 1970.
OrderRow = tuple[int, int, int, tuple[int, ...], tuple[int, ...]]
# (customer, touchpoint, amount, 1 for an order and 0 for a refund, when it counts, the order's name), in order of
# customer and time.
Sold = tuple[int, int, int, int, int, str]


def sold_by(customers: Sequence[int], touches: Touches) -> list[Sold]:
    """What some customers ordered and gave back."""
    if not customers:
        return []
    return sql.rows(
        "analytics/acquisition_orders",
        customers=sql.array(list(customers)),
        purchases=touches.purchases,
        refunds=touches.refunds,
    )


def keep_order_paths(
    *, customers: Sequence[int], sold: Sequence[Sold], contacts: Contacts, touches: Touches
) -> set[int]:
    """Write the rows of some customers anew where they differ; whose they are or were. sold, contacts: those of
    `customers`, contacts from BACK before the first order to the last."""
    kept = _kept(customers)
    found = _found(sold, contacts, touches)
    gone = kept.keys() - found.keys()
    new = {order: row for order, row in found.items() if kept.get(order) != row}
    if gone:
        OrderPath.objects.filter(pk__in=sorted(gone)).delete()
    if new:
        _write(new)
    return {kept[order][0] for order in gone} | {row[0] for row in new.values()}


def _kept(customers: Sequence[int]) -> dict[int, OrderRow]:
    """By order what is kept of some customers."""
    rows = sql.rows("analytics/order_paths_kept", customers=sql.array(list(customers)))
    return {
        order: (customer, day, revenue, tuple(channels), tuple(ages))
        for customer, order, day, revenue, channels, ages in rows
    }


def _found(sold: Sequence[Sold], contacts: Contacts, touches: Touches) -> dict[int, OrderRow]:
    """By order what the facts say."""
    orders = sorted((customer, order, ms) for customer, order, _amount, is_order, ms, _name in sold if is_order)
    if not orders:
        return {}
    revenue = _revenue(sold)
    owner, number, end_ms = (np.array(column, np.int64) for column in zip(*orders, strict=True))
    paths = paths_before_each(
        owner=contacts.owner,
        ms=contacts.ms,
        channel=contacts.channel,
        end_owner=owner,
        end_ms=end_ms,
        days=LONGEST_WINDOW,
        direct=touches.direct,
    )
    days = day_numbers(end_ms, touches.zone).tolist()
    channels, ages, heads = paths.channel.tolist(), (paths.age // 1_000).tolist(), paths.start.tolist()
    rows: dict[int, OrderRow] = {}
    for at, (customer, order) in enumerate(zip(owner.tolist(), number.tolist(), strict=True)):
        part = slice(heads[at], heads[at + 1])
        rows[order] = (customer, days[at], revenue[order], tuple(channels[part]), tuple(ages[part]))
    return rows


def _revenue(sold: Sequence[Sold]) -> dict[int, int]:
    """What each order came to. Money given back that names an order is taken off the first of that name."""
    revenue: dict[int, int] = {}
    named: dict[str, int] = {}
    for _customer, order, amount, is_order, _ms, name in sold:
        if is_order:
            revenue[order] = amount
            if name:
                named.setdefault(name, order)
    for _customer, _refund, amount, is_order, _ms, name in sold:
        if not is_order and name in named:
            revenue[named[name]] += amount
    return revenue


def _write(rows: dict[int, OrderRow]) -> None:
    customers, days, revenues, paths, ages = (list(column) for column in zip(*rows.values(), strict=True))
    sql.run(
        "analytics/order_paths_write",
        customers=sql.array(customers),
        orders=sql.array(list(rows)),
        days=sql.array(days),
        revenues=sql.array(revenues),
        paths=sql.array([_literal(path) for path in paths]),
        ages=sql.array([_literal(age) for age in ages]),
    ).close()


def _literal(numbers: Sequence[int]) -> str:
    return "{" + ",".join(map(str, numbers)) + "}"
