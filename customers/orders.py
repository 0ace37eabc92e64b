"""From the lines of one invoice to its touchpoints: the rules of what an order is.

1. A line without a customer is set aside, with its value.
2. A line that cannot be read sets its whole invoice aside: half an order would be stored under the invoice's message
   id, and the mended file could never complete it.
3. An invoice belongs to the customer of its first line; lines that name somebody else are set aside.
4. An order is an invoice with at least one line of quantity and price above zero. Those lines are its lines, their sum
   is its amount. On a refund the quantity is below zero instead. The other lines are set aside.
5. Its instant is its earliest line's. Exact duplicates are lines like any other: a thing scanned twice was sold twice.
6. Lines that are not products (postage, fees) are marked and stay in the amount.
7. Where the file says what the order as a whole came to, that is its amount: what the goods cost after discounts,
   without taxes and shipping. Its lines share it in proportion to what they would have cost. What was paid back of it
   is a refund of its own that names the order, in the same proportion free of taxes and shipping.
8. An order that was called off was never revenue: it is no order but a touchpoint that says so, and its lines are set
   aside. Nor is one whose payment was never taken. One that was called off of which money was kept stays an order.
9. An order that names a currency of its own is in that one, whatever the others are in. Where no exchange rate is known
   for its day, it is stored as the file says it, without an amount and without lines, and gets both once there is one.

What is stored of an order by an earlier file is not looked at here: see `order_changes`."""

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from clm.lib.milliseconds import from_ms

from .events import Event, Line
from .importing.rows import ToldConsent
from .line_account import LineAccount
from .models import Touchpoint
from .money import LIMIT, MOST_SENT, Conversion, NoRate
from .order_mapping import OrderMapping
from .receiving.money import currency_of
from .waiting_orders import FOUR_PLACES, WaitingLine, kept_of, line_amounts

MAX_LINES = 10_000
ORDER, REFUND, CANCELLED = "Order Completed", "Order Refunded", "Order Cancelled"
AT_THE_ORDER = "at_the_time_of_the_order"
_NUMBERS = ("subtotal", "shipping", "taxes", "total", "discount", "refunded")


def first_refund(order_ref: str) -> str:
    """The id of the message that says first what of an order was paid back."""
    return f"refund:{order_ref}"


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
    order: str
    reason: str


@dataclass(frozen=True, slots=True)
class _Said:
    """What a file says of an order as a whole, in its currency. net: what the goods cost after discounts, without taxes
    and shipping; paid_back: what of it was paid back; refunded: with taxes and shipping, as it stands in the file;
    refunded_at: ms since 1970, None where the file does not say."""

    net: Decimal
    paid_back: Decimal
    refunded: Decimal
    refunded_at: int | None
    properties: Mapping[str, float]


def _said(told: Mapping[str, Any]) -> _Said | None:
    """None where nothing is said of what the goods cost."""
    if "subtotal" not in told:
        return None
    number = {key: Decimal(told[key]) for key in _NUMBERS if key in told}
    subtotal, refunded = number["subtotal"], number.get("refunded", Decimal(0))
    shipping, taxes = number.get("shipping", Decimal(0)), number.get("taxes", Decimal(0))
    total = number.get("total", subtotal + shipping + taxes)
    net = subtotal
    # Prices of some shops hold the taxes, which are then no part of the total's sum; shipping holds its share of them.
    if taxes and abs(subtotal + shipping - total) < abs(subtotal + shipping + taxes - total):
        net = subtotal - taxes * subtotal / (subtotal + shipping)
    net = max(net, Decimal(0))
    share = min(refunded / total, Decimal(1)) if total > 0 and refunded > 0 else Decimal(0)
    kept = {key: float(number[key]) for key in ("discount", "shipping", "taxes") if number.get(key)}
    return _Said(net, net * share, refunded, told.get("refunded_at"), kept)


class Orders:
    """Turns invoices into events under one mapping and keeps the account of their lines."""

    def __init__(self, *, mapping: OrderMapping, account: LineAccount) -> None:
        self.mapping, self.account = mapping, account
        self.zone = ZoneInfo(mapping.time_zone)
        # Of the order that was put together last: its first line, and what it says of consent.
        self.first_line = 0
        self.consent: ToldConsent | None = None
        self.conversions: dict[str, Conversion] = {}  # by currency, as it is met

    def rated_since(self) -> list[str]:
        """The currencies whose rates are others by now than those that orders were converted by."""
        return [
            currency
            for currency, used in sorted(self.conversions.items())
            if (now := Conversion(currency)).days != used.days or now.rates != used.rates
        ]

    def _conversion(self, currency: str) -> Conversion:
        if currency not in self.conversions:
            self.conversions[currency] = Conversion(currency)
        return self.conversions[currency]

    def events(self, invoice: str, lines: Iterable[StagedLine]) -> list[Event]:
        """The order or refund that an invoice is, if it is one, and what of it was paid back. Reads any number of lines
        in bounded memory."""
        self.consent = None
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
            return []
        if faulty:
            self._set_aside("faulty_order", kept)
            return []
        return self._order(invoice, kept)

    def _order(self, invoice: str, lines: list[StagedLine]) -> list[Event]:
        customer = lines[0].customer
        own = [line for line in lines if line.customer == customer]
        if len(own) < len(lines):
            self.account.counts["orders_naming_several_customers"] += 1
            self._set_aside("other_customer", [line for line in lines if line.customer != customer])
        told = json.loads(next((line.order for line in own if line.order), "{}"))
        first = min(own, key=lambda line: (line.at, line.line))
        if (consent := self.mapping.consent) and (state := told.get("consent")):
            self.consent = ToldConsent(customer, consent.channel, consent.purpose, state, from_ms(first.at))
        currency = currency_of(told, self.mapping.currency)
        if self._is_called_off(told):
            return [self._called_off(invoice, own, told, currency)]
        prefix = self.mapping.refund_prefix
        is_refund = bool(prefix) and invoice.startswith(prefix)
        counted = [line for line in own if line.price > 0 and (line.quantity < 0 if is_refund else line.quantity > 0)]
        if len(counted) < len(own):
            numbers = {line.line for line in counted}
            self._set_aside("not_counted", [line for line in own if line.line not in numbers], currency)
        if not counted:
            return []
        self.first_line = min(line.line for line in counted)
        said = _said(told)
        values = [self._value(line) for line in counted]
        listed = sum(values, Decimal(0))
        total = listed if said is None or is_refund else said.net
        conversion = self._conversion(currency)
        day = self._day(first)

        def units(value: Decimal) -> int:
            return conversion.minor_units(value, day)

        amount: int | None = None
        amounts: list[int] = []
        with suppress(NoRate):  # it waits for one
            amount, amounts = units(total), line_amounts(values, total=total, units=units)
        if abs(total) >= MOST_SENT or (amount is not None and abs(amount) >= LIMIT):
            self._set_aside("too_large", counted, currency)
            return []
        tagged = [line.product.strip().casefold() in self.mapping.not_products for line in counted]
        self._count(is_refund, amount, amounts, tagged, several_times=len({line.at for line in own}) > 1)
        original = total.quantize(FOUR_PLACES, ROUND_HALF_EVEN)
        properties = {"total": float(original), "lines": len(counted), **(said.properties if said else {})}
        kept = [
            WaitingLine(line.product, line.description, line.category, line.quantity, value, not is_tagged)
            for line, value, is_tagged in zip(counted, values, tagged, strict=True)
        ]
        order = Event(
            message_id=f"order:{invoice}",
            identities=((self.mapping.identity_kind, customer),),
            type=REFUND if is_refund else ORDER,
            channel=self.mapping.channel,
            occurred_at=from_ms(first.at),
            amount=amount,
            original_amount=original,
            currency=conversion.currency,
            order_ref=invoice,
            properties=properties if amount is not None else {**properties, **kept_of(day=day, lines=kept)},
            flags=(Touchpoint.Flag.TAGGED if any(tagged) else 0) | (Touchpoint.Flag.NO_RATE if amount is None else 0),
            lines=tuple(
                Line(line.product, line.quantity, each, line.description, line.category, is_product=line.is_product)
                for line, each in zip(kept, amounts, strict=False)  # none before there is a rate
            ),
            traits=json.loads(first.traits),
            says=[properties, [line[:1] + line[3:5] for line in kept]] if conversion.is_needed else None,
        )
        if said is None or is_refund or not said.paid_back:
            return [order]
        return [order, self._paid_back(order, said, conversion, day)]

    def _is_called_off(self, told: Mapping[str, Any]) -> bool:
        status = told.get("status", "")
        return status in self.mapping.cancelled or ("cancelled_at" in told and status not in self.mapping.kept)

    def _called_off(self, invoice: str, lines: list[StagedLine], told: Mapping[str, Any], currency: str) -> Event:
        """That an order was called off; where the file does not say when, at the order's own instant. It is kept for
        whoever speaks with the customer, and so that an older file does not bring the order back."""
        self.account.counts["orders_cancelled"] += 1
        self._set_aside("cancelled", lines, currency)
        first = min(lines, key=lambda line: (line.at, line.line))
        self.first_line = min(line.line for line in lines)
        said = _said(told)
        total = sum(map(self._value, lines), Decimal(0)) if said is None else said.net
        properties: dict[str, Any] = {"total": float(total.quantize(FOUR_PLACES, ROUND_HALF_EVEN))}
        if "cancelled_at" not in told:
            properties[AT_THE_ORDER] = True
        return Event(
            message_id=f"cancelled:{invoice}",
            identities=((self.mapping.identity_kind, lines[0].customer),),
            type=CANCELLED,
            channel=self.mapping.channel,
            occurred_at=from_ms(max(first.at, told.get("cancelled_at", first.at))),
            order_ref=invoice,
            properties=properties,
            traits=json.loads(first.traits),
        )

    def _paid_back(self, order: Event, said: "_Said", conversion: Conversion, day: date) -> Event:
        """The refund of an order, at the order's own rate. A file that does not say when it was paid back leaves the
        order's instant, and the touchpoint says so."""
        paid_back = said.paid_back.quantize(FOUR_PLACES, ROUND_HALF_EVEN)
        at = order.occurred_at if said.refunded_at is None else max(order.occurred_at, from_ms(said.refunded_at))
        amount = None if order.waits else -conversion.minor_units(paid_back, day)
        self.account.counts.update({"refunds": 1, "refund_amount": amount or 0})
        self.account.counts["touchpoints_waiting"] += amount is None
        properties: dict[str, Any] = {"total": float(-paid_back), "refunded": float(said.refunded)}
        if said.refunded_at is None:
            properties[AT_THE_ORDER] = True
        return Event(
            message_id=first_refund(order.order_ref),
            identities=order.identities,
            type=REFUND,
            channel=order.channel,
            occurred_at=at,
            amount=amount,
            original_amount=-paid_back,
            currency=order.currency,
            order_ref=order.order_ref,
            properties={**properties, **(kept_of(day=day) if amount is None else {})},
            flags=Touchpoint.Flag.NO_RATE if amount is None else 0,
            says=properties if conversion.is_needed else None,
        )

    def _value(self, line: StagedLine) -> Decimal:
        """What a line comes to, in the currency of the file."""
        return line.price if self.mapping.price_is_total else line.quantity * line.price

    def _day(self, line: StagedLine) -> date:
        return from_ms(line.at).astimezone(self.zone).date()

    def _count(
        self, is_refund: bool, amount: int | None, amounts: list[int], tagged: list[bool], *, several_times: bool
    ) -> None:
        self.account.lines_used += len(tagged)
        self.account.counts.update(
            {
                "refunds" if is_refund else "orders": 1,
                "refund_amount" if is_refund else "order_amount": amount or 0,
                "tagged_lines": sum(tagged),
                "tagged_amount": sum(each for each, is_tagged in zip(amounts, tagged, strict=False) if is_tagged),
                "orders_at_several_times": int(several_times),
                "touchpoints_waiting": int(amount is None),
                # An invoice number is all a refund says: nothing in the file tells which order it takes back.
                "refunds_unmatched": int(is_refund),
            }
        )

    def _set_aside(self, reason: str, lines: Iterable[StagedLine], currency: str | None = None) -> None:
        conversion = self._conversion(self.mapping.currency if currency is None else currency)
        for line in lines:
            try:
                amount = conversion.minor_units(self._value(line), self._day(line))
            except NoRate:
                amount = 0
            self.account.set_aside(reason, line.line, amount)
