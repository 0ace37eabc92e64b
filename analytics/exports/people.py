"""Customers as rows: the same people in the same order as a list shows, with their stages and figures."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from ..customer_list import Asked, CustomerRow, customers
from ..listing_order import Order
from ..sorting import Sorting
from .tables import Column, Kind

ROWS = 1_000  # read at once


def customer_columns(models: Sequence[Sorting]) -> tuple[Column, ...]:
    """The columns of customers, two of each model."""
    placed = (
        column
        for model in models
        for column in (Column(f"{model.key}_stage"), Column(f"{model.key}_since", Kind.INSTANT))
    )
    return (
        Column("id", Kind.ID),
        Column("name"),
        Column("email"),
        Column("phone"),
        Column("known_as"),
        *placed,
        Column("last_seen", Kind.INSTANT),
        Column("touchpoints", Kind.WHOLE),
        Column("orders", Kind.WHOLE),
        Column("revenue", Kind.MONEY),
        Column("currency"),
    )


def customer_portions(
    *, asked: Asked, models: Sequence[Sorting], order: Order, now: datetime, currency: str
) -> Iterator[list[tuple[Any, ...]]]:
    """Everybody who is asked for, in the list's order."""
    cursor = None
    while True:
        page = customers(
            asked=asked, models=models, now=now, cursor=cursor, page_size=ROWS, with_next=False, order=order
        )
        yield [_row(row, models, currency) for row in page.rows]
        if page.next_cursor is None:
            return
        cursor, order = page.next_cursor, page.order  # what the first page is in, all of them are in


def _row(row: CustomerRow, models: Sequence[Sorting], currency: str) -> tuple[Any, ...]:
    placed: list[Any] = []
    by_model = row.by_model
    for model in models:
        one = by_model.get(model.key)
        placed += (one.stage.name if one and one.stage else None, one.since if one else None)
    return (
        row.id,
        row.name,
        row.email,
        row.phone,
        row.known_as,
        *placed,
        row.last_seen,
        row.touchpoints,
        row.orders,
        row.revenue,
        currency,
    )
