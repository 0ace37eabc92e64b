"""Orders of files whose currency has no exchange rate on their day: what is kept with such a touchpoint, so that a rate
that is entered later makes of it what it would have made of it at once.

A line of an order has an amount, so there is none before there is a rate. Until then the products stand among the
properties, with what each came to as the file says it; and beside them the day whose rate counts, which is the order's
own, of its refund too."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, NamedTuple

from .events import Line

PRODUCTS, RATE_DAY = "products", "rate_day"
FOUR_PLACES = Decimal("0.0001")


class WaitingLine(NamedTuple):
    """A line of an order as its file says it; value: what it comes to, in the currency of the order."""

    product: str
    description: str
    category: str
    quantity: Decimal
    value: Decimal
    is_product: bool


@dataclass(frozen=True, slots=True)
class Waiting:
    """What is kept with a touchpoint that waits. day: whose rate counts."""

    day: date
    lines: tuple[WaitingLine, ...]


def kept_of(*, day: date, lines: Iterable[WaitingLine] = ()) -> dict[str, Any]:
    """What is kept among the properties of a touchpoint without a rate."""
    products = [
        {
            "product_id": line.product,
            **({"name": line.description} if line.description else {}),
            **({"category": line.category} if line.category else {}),
            "quantity": line.quantity.normalize(),
            "total": line.value.normalize(),
            **({} if line.is_product else {"is_product": False}),
        }
        for line in lines
    ]
    return {RATE_DAY: day.isoformat()} | ({PRODUCTS: products} if products else {})


def waiting_of(properties: Mapping[str, Any]) -> Waiting | None:
    """What is kept among properties, whose numbers are exact; None where nothing of the kind is, as once they were
    blanked."""
    told = properties.get(RATE_DAY)
    try:
        day = date.fromisoformat(told) if isinstance(told, str) else None
    except ValueError:
        day = None
    if day is None:
        return None
    products = properties.get(PRODUCTS)
    return Waiting(day, tuple(_line(one) for one in products) if isinstance(products, list) else ())


def _line(told: Mapping[str, Any]) -> WaitingLine:
    return WaitingLine(
        product=told["product_id"],
        description=told.get("name", ""),
        category=told.get("category", ""),
        quantity=Decimal(told["quantity"]),
        value=Decimal(told["total"]),
        is_product=told.get("is_product", True),
    )


def lines_then(waiting: Waiting, *, original: Decimal, units: Callable[[Decimal], int]) -> list[Line]:
    """The lines of an order that comes to `original`, now that its rate is known; units: an amount in minor units."""
    values = [line.value for line in waiting.lines]
    listed = sum(values, Decimal(0))
    # What is stored of the sum is cut to four places.
    total = listed if listed.quantize(FOUR_PLACES, ROUND_HALF_EVEN) == original else original
    return [
        Line(line.product, line.quantity, amount, line.description, line.category, is_product=line.is_product)
        for line, amount in zip(waiting.lines, line_amounts(values, total=total, units=units), strict=True)
    ]


def line_amounts(values: Sequence[Decimal], *, total: Decimal, units: Callable[[Decimal], int]) -> list[int]:
    """What each line of an order has of its amount, in minor units: what it comes to by itself, where all of them come
    to the total; else its share of that, and together they are exactly the amount."""
    listed = sum(values, Decimal(0))
    if total == listed or not listed:
        return [units(value) for value in values]
    so_far, shared, shares = Decimal(0), 0, []
    for value in values:
        so_far += value
        until = units(total * so_far / listed)
        shares.append(until - shared)
        shared = until
    return shares
