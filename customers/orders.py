"""From the lines of one invoice to one touchpoint: the rules of what an order is.

1. A line without a customer is set aside, with its value.
2. A line that cannot be read sets its whole invoice aside: half an order would be stored under the invoice's message
   id, and the mended file could never complete it.
3. An invoice belongs to the customer of its first line; lines that name somebody else are set aside.
4. An order is an invoice with at least one line of quantity and price above zero. Those lines are its lines, their sum
   is its amount. On a refund the quantity is below zero instead. The other lines are set aside.
5. Its instant is its earliest line's. Exact duplicates are lines like any other: a thing scanned twice was sold twice.
6. Lines that are not products (postage, fees) are marked and stay in the amount."""

import json
from collections.abc import Iterable
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from typing import NamedTuple
from zoneinfo import ZoneInfo

from clm.lib.milliseconds import from_ms

from .events import Event, Line
from .line_account import LineAccount
from .models import Touchpoint
from .money import LIMIT, Conversion, NoRate
from .order_mapping import OrderMapping

MAX_LINES = 10_000
ORDER, REFUND = "Order Completed", "Order Refunded"
_FOUR_PLACES = Decimal("0.0001")


class StagedLine(NamedTuple):
    """A line as it comes back from staging. `reason` is empty for a line that was understood; at in ms since 1970."""

    line: int
    customer: str
    product: str
    description: str
    category: str
    quantity: Decimal
    price: Decimal
    at: int
    traits: str
    reason: str

    @property
    def value(self) -> Decimal:
        """Quantity times price, in the currency of the file."""
        return self.quantity * self.price


class Orders:
    """Turns invoices into events under one mapping and keeps the account of their lines."""

    def __init__(self, *, mapping: OrderMapping, conversion: Conversion, account: LineAccount) -> None:
        self.mapping, self.conversion, self.account = mapping, conversion, account
        self.zone = ZoneInfo(mapping.time_zone)

    def event(self, invoice: str, lines: Iterable[StagedLine]) -> Event | None:
        """The order or refund that an invoice is, if it is one. Reads any number of lines in bounded memory."""
        kept: list[StagedLine] = []
        faulty = too_many = False
        for line in lines:
            if line.reason:
                faulty = True
                self.account.set_aside(line.reason, line.line, 0)
            elif not line.customer:
                self._set_aside("no_customer", [line])
            elif too_many:
                self._set_aside("too_many_lines", [line])
            else:
                kept.append(line)
                if len(kept) > MAX_LINES:
                    too_many = True
                    self._set_aside("too_many_lines", kept)
                    kept.clear()
        if not kept or too_many:
            return None
        if faulty:
            self._set_aside("faulty_order", kept)
            return None
        return self._order(invoice, kept)

    def _order(self, invoice: str, lines: list[StagedLine]) -> Event | None:
        customer = lines[0].customer
        own = [line for line in lines if line.customer == customer]
        if len(own) < len(lines):
            self.account.counts["orders_naming_several_customers"] += 1
            self._set_aside("other_customer", [line for line in lines if line.customer != customer])
        prefix = self.mapping.refund_prefix
        is_refund = bool(prefix) and invoice.startswith(prefix)
        counted = [line for line in own if line.price > 0 and (line.quantity < 0 if is_refund else line.quantity > 0)]
        if len(counted) < len(own):
            numbers = {line.line for line in counted}
            self._set_aside("not_counted", [line for line in own if line.line not in numbers])
        if not counted:
            return None
        first = min(own, key=lambda line: (line.at, line.line))
        total = sum((line.value for line in counted), Decimal(0))
        day = self._day(first)
        try:
            amount = self.conversion.minor_units(total, day)
            amounts = [self.conversion.minor_units(line.value, day) for line in counted]
        except NoRate:
            self._set_aside("no_rate", counted)
            return None
        if abs(amount) >= LIMIT:
            self._set_aside("too_large", counted)
            return None
        tagged = [line.product.strip().casefold() in self.mapping.not_products for line in counted]
        self._count(is_refund, amount, amounts, tagged, several_times=len({line.at for line in own}) > 1)
        original = total.quantize(_FOUR_PLACES, ROUND_HALF_EVEN)
        return Event(
            message_id=f"order:{invoice}",
            identities=((self.mapping.identity_kind, customer),),
            type=REFUND if is_refund else ORDER,
            channel=self.mapping.channel,
            occurred_at=from_ms(first.at),
            amount=amount,
            original_amount=original,
            currency=self.mapping.currency,
            order_ref=invoice,
            properties={"total": float(original), "lines": len(counted)},
            flags=Touchpoint.Flag.TAGGED if any(tagged) else 0,
            lines=tuple(
                Line(line.product, line.quantity, each, line.description, line.category, is_product=not is_tagged)
                for line, each, is_tagged in zip(counted, amounts, tagged, strict=True)
            ),
            traits=json.loads(first.traits),
        )

    def _day(self, line: StagedLine) -> date:
        return from_ms(line.at).astimezone(self.zone).date()

    def _count(
        self, is_refund: bool, amount: int, amounts: list[int], tagged: list[bool], *, several_times: bool
    ) -> None:
        self.account.lines_used += len(amounts)
        self.account.counts.update(
            {
                "refunds" if is_refund else "orders": 1,
                "refund_amount" if is_refund else "order_amount": amount,
                "tagged_lines": sum(tagged),
                "tagged_amount": sum(each for each, is_tagged in zip(amounts, tagged, strict=True) if is_tagged),
                "orders_at_several_times": int(several_times),
                # An invoice number is all a refund says: nothing in the file tells which order it takes back.
                "refunds_unmatched": int(is_refund),
            }
        )

    def _set_aside(self, reason: str, lines: Iterable[StagedLine]) -> None:
        for line in lines:
            try:
                amount = self.conversion.minor_units(line.value, self._day(line))
            except NoRate:
                amount = 0
            self.account.set_aside(reason, line.line, amount)
