"""Reading the amounts of stored touchpoints anew: once people said otherwise what a name means, or where its messages
say what it cost, and once a fault in reading was mended.

A refund is money that went back, so its amount is below zero (`receiving.money`): what is stored under a name that
becomes one is turned, and turned back when it is one no longer. What came as messages is read from its properties as if
it arrived today; what came from files and forms, whose columns said the amount, is only turned. No amount is ever taken
away: properties that were blanked, or say nothing, leave what is stored.

The work is a row (`Rereading`), done in stretches of ids of one transaction each; a stopped one goes on after the last.
Every touchpoint that changes is noted, its customer is looked at again, and figures of sales are counted anew."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from typing import Any

from django.db import transaction
from django.db.models import Max

from clm.lib import sql
from clm.lib.milliseconds import truncated

from . import locks
from .ingest import clock
from .mapped_types import USUAL, MappedType, mapped_types, read_from, told_at
from .models import Cause, Import, Installation, Rereading, Source, Touchpoint, TouchpointType
from .open_work import claimed, do_open
from .receiving.money import FREE, PRICED, amount_of, converted, currency_of, lines_of
from .receiving.people import person_id
from .receiving.refusal import Refusal
from .standard_types import STANDARD_TYPES

STRETCH = 20_000  # ids looked at in one transaction
# Processes that receive remember what names mean for a second: until then messages may come that are read as before.
SETTLES = timedelta(seconds=5)
REFUND = "refund"
_ORDERS = frozenset({"purchase", REFUND})
_STORED = Decimal("0.001")  # of quantities
_MONEY = ("amount", "currency", "order", "products")


@dataclass(frozen=True, slots=True)
class Stored:
    """The money of a touchpoint as it is stored; amount in minor units of the reporting currency; lines: of the order
    in their order, as (product, quantity, amount)."""

    amount: int | None
    original: Decimal | None
    currency: str
    order_ref: str
    flags: int
    lines: Sequence[tuple[str, Decimal, int]] = ()


@dataclass(frozen=True, slots=True)
class ReadAnew:
    """The same as it is read today. turns: its lines are turned; lines: those it has got, in place of others where it
    `replaces` them."""

    amount: int | None
    original: Decimal | None
    currency: str
    order_ref: str
    flags: int
    turns: bool = False
    lines: Sequence[Mapping[str, Any]] = ()
    replaces: bool = False


@dataclass(frozen=True, slots=True)
class Reader:
    """What must be known to read amounts of one name. role_before: what it was when they were stored; former: where its
    messages were read before, whose traces its properties bear."""

    name: str
    mapped: MappedType
    role_before: str
    reporting: str
    former: Sequence[Mapping[str, str]] = field(default=())

    def read(
        self, stored: Stored, *, at: datetime, properties: Mapping[str, Any], fallback: str, is_message: bool
    ) -> ReadAnew | None:
        """The amount as it is read today; None where that is what is stored. fallback: the currency of amounts that
        name none; is_message: it came as a message, which says it in its properties."""
        if is_message and properties:
            try:
                if (found := self._of_message(stored, at, properties, fallback)) is not None:
                    return None if _same(stored, found) else found
            except Refusal:
                return None
        return self._turned(stored)

    def _turned(self, stored: Stored) -> ReadAnew | None:
        is_refund = self.mapped.role == REFUND
        if stored.original is None and stored.amount is None:
            return None
        if not is_refund and self.role_before != REFUND:
            return None
        sign = (stored.original if stored.original is not None else Decimal(stored.amount or 0)) < 0
        if not (stored.original or stored.amount) or sign == is_refund:
            return None
        return ReadAnew(
            None if stored.amount is None else -stored.amount,
            None if stored.original is None else -stored.original,
            stored.currency,
            stored.order_ref,
            stored.flags,
            turns=True,
        )

    def _of_message(
        self, stored: Stored, at: datetime, properties: Mapping[str, Any], fallback: str
    ) -> ReadAnew | None:
        role = self.mapped.role
        said = {**self._as_sent(properties), **read_from(properties, self.mapped.reads)}
        told = amount_of(said, role)
        if told is None:
            return None
        original, currency = told[0], currency_of(said, fallback)
        reference = person_id(said.get("order_id"), "properties.order_id") if role in _ORDERS else ""
        reference = reference or stored.order_ref
        keeps = stored.original is not None and currency == stored.currency and abs(original) == abs(stored.original)
        if keeps:
            # What was converted once keeps its rate.
            turns = original != stored.original
            amount = -stored.amount if turns and stored.amount is not None else stored.amount
        else:
            turns = False
            amount = converted(original, currency, reporting=self.reporting, at=at) if currency else None
            if amount is None and stored.amount is not None:
                return None
        flag = int(Touchpoint.Flag.NO_RATE)
        flags = stored.flags | flag if amount is None else stored.flags & ~flag
        lines: tuple[Mapping[str, Any], ...] = ()
        if role in _ORDERS and currency:
            # An order whose amount keeps its rate has lines of that rate.
            rate = abs(amount / original) if keeps and amount is not None and original else None
            lines = self._lines(said, currency, at, rate)
        replaces = bool(stored.lines and lines) and _are_others(lines, stored, is_read_anew=not keeps)
        if stored.lines and not replaces:
            lines = ()
        return ReadAnew(
            amount, original, currency, reference, flags, turns and bool(stored.lines) and not replaces, lines, replaces
        )

    def _as_sent(self, properties: Mapping[str, Any]) -> dict[str, Any]:
        """Without what an earlier mapping wrote beside what was sent."""
        kept = dict(properties)
        for reads in self.former:
            for key, place in reads.items():
                usual = USUAL.get(key, "")
                if usual in kept and place != usual and told_at(properties, place) == kept[usual]:
                    del kept[usual]
        return kept

    def _lines(
        self, said: Mapping[str, Any], currency: str, at: datetime, rate: Decimal | None
    ) -> tuple[Mapping[str, Any], ...]:
        """The lines that a message says. rate: minor units for one unit of the currency, None for that of the day."""

        def units(one: Decimal) -> int | None:
            if rate is not None:
                return int((one * rate).to_integral_value(ROUND_HALF_EVEN))
            return converted(one, currency, reporting=self.reporting, at=at)

        found = lines_of(said, role=self.mapped.role, units=units)
        return tuple(
            {
                "number": number,
                "product": line.product,
                "description": line.description,
                "category": line.category,
                "quantity": str(line.quantity),
                "amount": line.amount,
            }
            for number, line in enumerate(found, start=1)
        )


def _are_others(lines: Sequence[Mapping[str, Any]], stored: Stored, *, is_read_anew: bool) -> bool:
    """Whether an order has other lines than those that are stored: of other things, or, where its amount was read anew,
    of other amounts."""
    now = [(line["product"], Decimal(line["quantity"]).quantize(_STORED, ROUND_HALF_UP)) for line in lines]
    if now != [(product, quantity) for product, quantity, _amount in stored.lines]:
        return True
    return is_read_anew and [line["amount"] for line in lines] != [amount for _p, _q, amount in stored.lines]


def _same(stored: Stored, found: ReadAnew) -> bool:
    return not found.lines and (stored.amount, stored.original, stored.currency, stored.order_ref, stored.flags) == (
        found.amount, found.original, found.currency, found.order_ref, found.flags,
    )  # fmt: skip


def reads_otherwise(*, now: Mapping[str, Any], before: Mapping[str, Any]) -> bool:
    """Whether amounts may be read otherwise under a mapping, {"role", "reads"}, than under the one before."""
    roles = (now["role"], before["role"])
    if any(now["reads"].get(key) != before["reads"].get(key) for key in _MONEY):
        return True
    return roles[0] != roles[1] and (
        REFUND in roles
        or any((roles[0] in some) != (roles[1] in some) for some in (PRICED, FREE, _ORDERS))
    )  # fmt: skip


def ask_to_reread(
    *, names: Mapping[str, Mapping[str, Any]], change: int | None = None, author: int | None = None, now: datetime
) -> Rereading | None:
    """Ask for the amounts of some names to be read anew: {name: {"role_before", "former"}}; None without names."""
    if not names:
        return None
    last = Touchpoint.objects.aggregate(last=Max("pk"))["last"] or 0
    return Rereading.objects.create(
        names={name: dict(told) for name, told in sorted(names.items())},
        total=last,
        change=change,
        author_id=author,
        asked_at=now,
    )


def every_name() -> dict[str, dict[str, Any]]:
    """All names, as they mean now: for reading anew what a fault had read."""
    names = TouchpointType.objects.order_by("name").values_list("name", "role")
    return {name: {"role_before": role, "former": []} for name, role in names}


def reread_asked(*, recount: Callable[[], None], seconds: float = float("inf")) -> int:
    """Do what is asked for, the oldest first, for about so long; how many touchpoints changed. recount: has figures of
    sales counted anew."""
    return do_open(Rereading, step=lambda number: _step(number, recount), seconds=seconds)


def _step(number: int, recount: Callable[[], None]) -> int | None:
    """Look at one stretch; how many changed. None when nothing is left to do now, or somebody else is at it."""
    with transaction.atomic():
        locks.share(locks.PROPERTY_KEYS)  # who writes when something was recorded holds it
        asked = claimed(Rereading, number)
        if asked is None:
            return None
        last = Touchpoint.objects.aggregate(last=Max("pk"))["last"] or 0
        is_last = last <= asked.next_touchpoint + STRETCH
        upto = last if is_last else asked.next_touchpoint + STRETCH
        told, looked_at = _told(asked, upto)
        changed = 0
        if told:
            ((changed,),) = sql.rows(
                "customers/amounts_reread", told=json.dumps(told), at=truncated(clock()), cause=int(Cause.MAPPING)
            )
        asked.next_touchpoint = upto
        asked.looked_at += looked_at
        asked.changed += changed
        if is_last:
            now = clock()
            if asked.change is not None and now < asked.asked_at + SETTLES:
                asked.save(update_fields=["next_touchpoint", "looked_at", "changed"])
                return int(changed) or None
            asked.finished_at = now
            if asked.changed:
                recount()
        asked.save(update_fields=["next_touchpoint", "looked_at", "changed", "finished_at"])
    return int(changed)


def readers(names: Mapping[str, Mapping[str, Any]]) -> dict[int, Reader]:
    """By the number of the type, how its amounts are read now."""
    mapped, reporting = mapped_types(), Installation.current().currency
    return {
        number: Reader(
            name,
            mapped.get(name) or MappedType(STANDARD_TYPES.get(name, "other")),
            str(names[name].get("role_before", "")),
            reporting,
            tuple(names[name].get("former", ())),
        )
        for number, name in TouchpointType.objects.filter(name__in=list(names)).values_list("pk", "name")
    }


def message_sources() -> dict[int, str]:
    """The sources whose touchpoints came as messages, with the currency of amounts that name none."""
    dumps = Import.objects.filter(kind=Import.Kind.EVENTS).values("source")
    found = (Source.objects.filter(kind="api") | Source.objects.filter(pk__in=dumps)).values_list("pk", "currency")
    return dict(found)


def exact(properties: Any) -> dict[str, Any]:
    """Properties as a message says them: numbers are exact."""
    text = properties if isinstance(properties, str) else json.dumps(properties)
    said = json.loads(text, parse_float=Decimal)
    return said if isinstance(said, dict) else {}


def _told(asked: Rereading, upto: int) -> tuple[list[dict[str, Any]], int]:
    by_type, sources = readers(asked.names), message_sources()
    told: list[dict[str, Any]] = []
    rows = sql.rows("customers/amounts_stored", types=sorted(by_type), after=asked.next_touchpoint, upto=upto)
    for number, type_id, source, at, amount, original, currency, order_ref, flags, properties, lines in rows:
        reader = by_type[type_id]
        found = reader.read(
            Stored(amount, original, currency, order_ref, flags, _stored_lines(lines)),
            at=at,
            properties=exact(properties),
            fallback=sources.get(source) or reader.reporting,
            is_message=source in sources,
        )
        if found is not None:
            told.append(_as_told(number, found))
    return told, len(rows)


def _stored_lines(text: str | None) -> list[tuple[str, Decimal, int]]:
    told = json.loads(text, parse_float=Decimal) if text else []
    return [(product, Decimal(quantity), amount) for product, quantity, amount in told]


def _as_told(number: int, found: ReadAnew) -> dict[str, Any]:
    return {
        "id": number,
        "amount": found.amount,
        "original": None if found.original is None else str(found.original),
        "currency": found.currency,
        "order_ref": found.order_ref,
        "flags": found.flags,
        "turns": found.turns,
        "lines": list(found.lines),
        "replaces": found.replaces,
    }


def former_places(mappings: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Where a name's messages were ever read, from the mappings it had: [{"role", "reads"}]."""
    found: list[dict[str, str]] = []
    for one in mappings:
        if one["reads"] and one["reads"] not in found:
            found.append(dict(one["reads"]))
    return found
