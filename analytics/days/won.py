"""How some customers were won, by the facts: what is kept of each is read anew, written where it differs, and what that
changes of the kept sums is noted."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from clm.lib import sql

from ..attribution.declared import LONGEST_WINDOW
from ..attribution.paths import Int64s, paths_before
from ..attribution.sums import Row, Sums
from ..models import Acquired
from .calendar import day_numbers
from .order_paths import Sold, keep_order_paths, sold_by
from .touches import BACK, NEVER, Contacts, Touches

_LATER = 1 << 43  # milliseconds since 1970, beyond any instant


def count(customers: Sequence[int], touches: Touches, sums: Sums) -> int:
    """Read some customers anew, whatever came of them; how many of them changed."""
    ends = touches.ends(customers)
    people, has_ordered = ends["customer"], ends["first"] > NEVER
    end = np.where(has_ordered, ends["first"], ends["contact"])
    last = np.where(has_ordered, ends["last"], end)
    contacts = touches.contacts(customers=people, sinces=end - BACK, untils=last)
    sold = sold_by(people[has_ordered].tolist(), touches)
    first = dict(zip(people[has_ordered].tolist(), end[has_ordered].tolist(), strict=True))
    changed = _exchange(customers, _rows(people, end, contacts, first, sold, touches), sums)
    return len(changed | keep_order_paths(customers=customers, sold=sold, contacts=contacts, touches=touches))


def count_contacts(customers: Int64s, ends: Int64s, touches: Touches, sums: Sums) -> int:
    """Read the ways of some customers anew who have not ordered and of whom contacts alone came: how many of them
    changed. ends: an instant that no last contact lies before."""
    contacts = touches.contacts(customers=customers, sinces=ends - BACK, untils=np.full(len(customers), _LATER))
    place = np.searchsorted(customers, contacts.owner)
    end = np.full(len(customers), NEVER)
    np.maximum.at(end, place, contacts.ms)
    near = contacts.ms > end[place] - BACK
    contacts = Contacts(contacts.owner[near], contacts.ms[near], contacts.channel[near])
    there = end > NEVER
    rows = _rows(customers[there], end[there], contacts, {}, [], touches)
    return len(_exchange(customers.tolist(), rows, sums))


def _exchange(customers: Sequence[int], found: dict[int, Row], sums: Sums) -> set[int]:
    """Put what was found in the place of what is kept of some customers; of whom it differs."""
    kept = _kept(customers)
    gone = {customer: row for customer, row in kept.items() if found.get(customer) != row}
    new = {customer: row for customer, row in found.items() if kept.get(customer) != row}
    sums.add(gone, -1)
    sums.add(new)
    if lost := sorted(gone.keys() - new.keys()):
        Acquired.objects.filter(pk__in=lost).delete()
    if new:
        _write(new)
    return set(gone.keys() | new.keys())


def _kept(customers: Sequence[int]) -> dict[int, Row]:
    found = sql.rows("analytics/acquired_kept", customers=sql.array(list(customers)))
    return {
        pk: (day, is_paying, revenue, value, tuple(channels), tuple(ages), tuple(months), tuple(amounts))
        for pk, day, is_paying, revenue, value, channels, ages, months, amounts in found
    }


def _rows(
    people: Int64s, end: Int64s, contacts: Contacts, first: dict[int, int], sold: Sequence[Sold], touches: Touches
) -> dict[int, Row]:
    """What is to be kept of some people, in order: of the way up to the end of each. first: of those who have ordered,
    when they did first; sold: what these bought and gave back."""
    paths = paths_before(
        owner=contacts.owner,
        ms=contacts.ms,
        channel=contacts.channel,
        end_owner=people,
        end_ms=end,
        days=LONGEST_WINDOW,
        direct=touches.direct,
    )
    brought = _brought(sold, first, touches.zone)
    days = day_numbers(end, touches.zone).tolist()
    channels, ages, heads = paths.channel.tolist(), (paths.age // 1_000).tolist(), paths.start.tolist()
    rows: dict[int, Row] = {}
    for at, customer in enumerate(people.tolist()):
        part = slice(heads[at], heads[at + 1])
        revenue, by_month = brought.get(customer, (0, {}))
        months = tuple(sorted(month for month, amount in by_month.items() if amount))
        rows[customer] = (
            days[at],
            customer in first,
            revenue,
            sum(by_month.values()),
            tuple(channels[part]),
            tuple(ages[part]),
            months,
            tuple(by_month[month] for month in months),
        )
    return rows


def _brought(sold: Sequence[Sold], first: dict[int, int], zone: str) -> dict[int, tuple[int, dict[int, int]]]:
    """By customer what the first order came to, and everything by months after that of the first order. Money given
    back before a first order is none of a customer's."""
    rows = [
        (customer, ms, amount)
        for customer, _touchpoint, amount, _is_order, ms, _name in sold
        if customer in first and ms >= first[customer]
    ]
    if not rows:
        return {}
    days = day_numbers(np.array([ms for _customer, ms, _amount in rows], np.int64), zone)
    begun = day_numbers(np.array([first[customer] for customer, _ms, _amount in rows], np.int64), zone)
    later = (_months(days) - _months(begun)).tolist()
    found: dict[int, tuple[int, dict[int, int]]] = {}
    for (customer, ms, amount), month in zip(rows, later, strict=True):
        revenue, by_month = found.setdefault(customer, (0, {}))
        by_month[month] = by_month.get(month, 0) + amount
        if ms == first[customer]:
            found[customer] = (revenue + amount, by_month)
    return found


def _months(days: Any) -> Any:
    return days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)


def _write(rows: dict[int, Row]) -> None:
    customers = sorted(rows)
    told = [rows[customer] for customer in customers]

    def literal(at: int) -> Any:
        return sql.array(["{" + ",".join(map(str, row[at])) + "}" for row in told])  # type: ignore[arg-type]

    sql.run(
        "analytics/acquired_write",
        customers=sql.array(customers),
        days=sql.array([row[0] for row in told]),
        paying=[row[1] for row in told],
        revenues=sql.array([row[2] for row in told]),
        worths=sql.array([row[3] for row in told]),
        paths=literal(4),
        ages=literal(5),
        months=literal(6),
        amounts=literal(7),
    ).close()
