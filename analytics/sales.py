"""What was bought: orders, revenue, and how many bought. Refunds count at their own date (the accounting view)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from clm.lib.reading import once
from customers.models import Role, TouchpointType

from .days import kept as days
from .days.remembered import remembered_rows
from .scope import Scope
from .sorting import active_customers

GROUPS = ("buyers", "first_paying", "customers")


@dataclass(frozen=True, slots=True)
class Sales:
    """Sales of a period; amounts in minor units of the reporting currency, refunded zero or below.

    orders: purchases with an amount above zero; unpriced: purchases without; buyers: customers with an order;
    first_paying: customers whose first order ever it was; customers: active at some instant of the period, or with an
    order in it."""

    orders: int = 0
    unpriced: int = 0
    bought: int = 0
    refunded: int = 0
    buyers: int = 0
    first_paying: int = 0
    customers: int = 0

    @property
    def revenue(self) -> int:
        """Net of refunds."""
        return self.bought + self.refunded


def sales(*, scope: Scope) -> Sales:
    """Sales of one period."""
    return sales_of(scope=scope, windows=[(scope.period.start_at, scope.until_at)])[0]


def sales_of(*, scope: Scope, windows: Sequence[tuple[datetime, datetime]]) -> list[Sales]:
    """Sales of several periods [start, until) in one query; of the scope only the segment counts."""
    answer = [Sales()] * len(windows)
    read = _kept(scope, windows)
    if read is not None:
        return read
    for number, *counts, _customers in _rows(scope, windows, None):
        answer[number - 1] = Sales(*counts)
    return answer


def _kept(scope: Scope, windows: Sequence[tuple[datetime, datetime]]) -> list[Sales] | None:
    """The same from figures per day, None where they do not answer it."""
    kept = scope.kept
    if kept is None or scope.segment is not None or not windows or not kept.has_sales:
        return None
    asked = kept.windows(windows)
    if asked is None:
        return None
    sums = days.sold(products_only=scope.products_only, windows=asked)
    counts = days.active_counts(products_only=scope.products_only, windows=asked)
    return [
        Sales(orders, unpriced, bought, refunded, buyers, first_paying, customers)
        for (orders, unpriced, bought, refunded, first_paying), (_active, buyers, customers) in zip(
            sums, counts, strict=True
        )
    ]


def customers_of(*, scope: Scope, group: str) -> list[int]:
    """The ids of the customers of one of GROUPS."""
    assert group in GROUPS, group
    found = _rows(scope, [(scope.period.start_at, scope.until_at)], group)
    return sorted(found[0][-1] or []) if found else []


@once
def types_of(*roles: str) -> list[int]:
    """Ids of the touchpoint types that are mapped to one of the roles now."""
    return list(TouchpointType.objects.filter(role__in=roles).order_by("id").values_list("id", flat=True))


def _rows(
    scope: Scope, windows: Sequence[tuple[datetime, datetime]], listed: str | None
) -> list[tuple[int, int, int, int, int, int, int, int, list[int] | None]]:
    active = active_customers()
    return remembered_rows(
        "analytics/sales",
        packs=scope.packs,
        of=scope.generation if listed is None else None,
        purchases=types_of(Role.PURCHASE),
        refunds=types_of(Role.REFUND),
        starts=[start for start, _until in windows],
        untils=[until for _start, until in windows],
        version=active.version if active else None,
        inside=active.stage_id("in") if active else None,
        listed=listed,
        **scope.filters(),
    )
