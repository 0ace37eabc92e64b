"""What a message says of money: the amount, its currency, and the lines of an order."""

import re
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache
from typing import Any

from customers.events import Line
from customers.money import LIMIT, MOST_SENT, Conversion, NoRate

from .refusal import Refusal

# For these roles a bare `value` or a price is money too; elsewhere it may be a rating or a score.
PRICED = frozenset({"cart", "checkout", "purchase", "refund", "subscribe", "upgrade", "cancel"})
# Looking is not paying, whatever the thing looked at costs.
FREE = frozenset({"exposure", "visit"})
_MONEY = ("revenue", "total")
_PRICED = (*_MONEY, "value")
_NUMBER = re.compile(r"[+-]?[0-9]{1,20}(\.[0-9]{1,20})?")
_CODE = re.compile(r"[A-Z]{3}")
_PLACES = Decimal("0.0001")
_KEPT_SECONDS = 1.0
_conversions: dict[tuple[str, str], tuple[float, Conversion]] = {}


def forget() -> None:
    """Drop the exchange rates this process remembers for a second."""
    _conversions.clear()


def number_of(value: Any) -> Decimal | None:
    """A number, or text that is one; None for everything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | Decimal):
        return Decimal(value)
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        return Decimal(value.strip())
    return None


def amount_of(properties: Mapping[str, Any], role: str) -> tuple[Decimal, str] | None:
    """The amount and the member that says it: revenue, total, value, price times quantity, or the same of all products
    together; a refund is negative."""
    if role in FREE:
        return None
    found = None
    for name in _PRICED if role in PRICED else _MONEY:
        if name in properties and (number := number_of(properties[name])) is not None:
            found = (number, name)
            break
    if found is None and role in PRICED and (price := _price(properties)) is not None:
        found = (price, "price")
    if found is None and role in PRICED and isinstance(products := properties.get("products"), list):
        prices = [_price(one) for one in products if isinstance(one, dict)]
        # One thing without a price would make the sum a wrong one.
        if prices and len(prices) == len(products) and None not in prices:
            found = (sum((price for price in prices if price is not None), Decimal(0)), "products")
    if found is None:
        return None
    amount, name = found
    amount = -abs(amount) if role == "refund" else amount
    if abs(amount) >= MOST_SENT:
        raise Refusal(f"properties.{name}", "is more money than there is")
    return amount.quantize(_PLACES, ROUND_HALF_EVEN), name


def _price(told: Mapping[str, Any]) -> Decimal | None:
    """Price times quantity of one thing; None without a price."""
    price, quantity = number_of(told.get("price")), number_of(told.get("quantity", 1))
    return None if price is None else price * (1 if quantity is None else quantity)


def converted(amount: Decimal, currency: str, *, reporting: str, at: datetime) -> int | None:
    """In minor units of the reporting currency; None where no rate is known. Refusal for what no total could hold."""
    try:
        found = _conversion(currency, reporting).minor_units(amount, at.date())
    except NoRate:
        return None
    if abs(found) >= LIMIT:
        raise Refusal("properties", "is more money than there is")
    return found


def _conversion(currency: str, reporting: str) -> Conversion:
    """Kept for a second: a rate that was entered counts from then on."""
    now = time.monotonic()
    kept = _conversions.get((currency, reporting))
    if kept is not None and kept[0] >= now:
        return kept[1]
    if len(_conversions) > 200:
        _conversions.clear()
    found = Conversion(currency)
    _conversions[currency, reporting] = (now + _KEPT_SECONDS, found)
    return found


def currency_of(properties: Mapping[str, Any], fallback: str) -> str:
    """Three letters, upper-case; "" for what cannot be a currency."""
    told = properties.get("currency")
    if told is None or told == "":
        return fallback
    return _code_of(told) if isinstance(told, str) else ""


@lru_cache(maxsize=1000)
def _code_of(told: str) -> str:
    code = told.strip().upper()
    return code if _CODE.fullmatch(code) else ""


def lines_of(properties: Mapping[str, Any], *, role: str, units: Callable[[Decimal], int | None]) -> tuple[Line, ...]:
    """The lines of an order. A product without an id or a name, and a line without a price or a rate, is left to the
    properties. units: an amount in minor units of the reporting currency, None where no rate is known."""
    products = properties.get("products")
    if not isinstance(products, list):
        return ()
    sign = -1 if role == "refund" else 1
    lines = []
    for one in products:
        if not isinstance(one, dict):
            continue
        product = next((text for name in ("product_id", "sku", "name") if (text := _text(one.get(name)))), "")
        price = number_of(one.get("price"))
        quantity = number_of(one.get("quantity", 1))
        if not product or price is None or quantity is None or abs(quantity) >= 10**11:
            continue
        amount = units(sign * price * quantity)
        if amount is not None:
            description, category = _text(one.get("name")), _text(one.get("category"))
            lines.append(Line(product, quantity, amount, description=description, category=category))
    return tuple(lines)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value.strip()
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""
