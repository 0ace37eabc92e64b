"""Converting what no exchange rate was known for: touchpoints whose money is stored as it was sent, without an amount,
until a rate of their currency arrives.

A rate that is entered asks for a `Conversion`, a row; workers (and `manage.py convert`) do it in steps of one
transaction each, and go on where a stopped one ended. Converted once, an amount stays as it is, whatever becomes of the
rate. Each step appends what it changed, so that figures counted before are put right, and marks the profiles as
changed, so that stages are computed anew."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from django.db import transaction

from clm.lib import sql
from clm.lib.milliseconds import truncated

from . import locks
from .events import Line
from .ingest import clock
from .models import Cause, Conversion, ExchangeRate, Touchpoint
from .money import LIMIT, NoRate
from .money import Conversion as Rates
from .open_work import OPEN, claimed, do_open
from .receiving.money import lines_of
from .rereading import exact, message_sources
from .waiting_orders import lines_then, waiting_of

STEP = 1_000  # touchpoints of one transaction
_ORDERS = frozenset({"purchase", "refund"})


def unconverted(*, currency: str | None = None) -> Any:
    """The touchpoints without an amount because no rate was known, of one currency or of all."""
    found = Touchpoint.objects.filter(amount=None, original_amount__isnull=False)
    return found if currency is None else found.filter(currency=currency)


@transaction.atomic
def ask_to_convert(*, currencies: Iterable[str], author: int | None = None, now: datetime) -> list[Conversion]:
    """Ask for the conversion of what is stored in these currencies; those that nothing waits in are left out. One that
    is under way begins again: the new rate may do for what it has passed."""
    asked = []
    for currency in sorted(set(currencies)):
        waiting = unconverted(currency=currency).count()
        if not waiting or not ExchangeRate.objects.filter(currency=currency).exists():
            continue
        again = {"next_touchpoint": 0, "total": waiting, "looked_at": 0, "asked_at": now}
        found = Conversion.objects.select_for_update(no_key=True).filter(currency=currency, **OPEN).first()
        if found is None:
            found = Conversion.objects.create(currency=currency, author_id=author, **again)
        else:
            Conversion.objects.filter(pk=found.pk).update(**again)
        asked.append(found)
    return asked


def convert_asked(*, seconds: float = float("inf")) -> int:
    """Do what is asked for, the oldest first, for about so long; how many touchpoints got an amount."""
    return do_open(Conversion, step=_step, seconds=seconds)


def _step(number: int) -> int | None:
    """Convert some; how many. None when nothing is left to do, or somebody else is at it."""
    with transaction.atomic():
        locks.share(locks.PROPERTY_KEYS)  # who writes when something was recorded holds it
        conversion = claimed(Conversion, number)
        if conversion is None:
            return None
        rows = sql.rows(
            "customers/unconverted", currency=conversion.currency, after=conversion.next_touchpoint, most=STEP
        )
        told = _told(rows, conversion.currency)
        changed = 0
        if told:
            ((changed,),) = sql.rows(
                "customers/convert",
                told=json.dumps(told),
                flag=int(Touchpoint.Flag.NO_RATE),
                at=truncated(clock()),
                cause=int(Cause.LATE),
            )
        if rows:
            conversion.next_touchpoint = rows[-1][0]
        conversion.looked_at += len(rows)
        conversion.converted += changed
        if len(rows) < STEP:
            conversion.finished_at = clock()
        conversion.save(update_fields=["next_touchpoint", "looked_at", "converted", "finished_at"])
    return int(changed)


def _told(rows: Iterable[tuple[Any, ...]], currency: str) -> list[dict[str, Any]]:
    rates, messages = Rates(currency), message_sources()
    told = []
    for number, source, at, original, order_ref, role, properties, has_lines in rows:
        said = exact(properties)
        waiting = None if source in messages else waiting_of(said)
        units = partial(rates.minor_units, day=at.date() if waiting is None else waiting.day)
        try:
            amount = units(original)
        except NoRate:
            continue
        if abs(amount) >= LIMIT:  # it would be more money than there is
            continue
        lines: Sequence[Line] = ()
        if waiting is not None:
            lines = lines_then(waiting, original=original, units=units)
        elif not has_lines and (order_ref or role in _ORDERS):
            lines = lines_of(said, role=role, units=units)
        told.append({"id": number, "amount": amount, "lines": _as_told(lines)})
    return told


def _as_told(lines: Iterable[Line]) -> list[dict[str, Any]]:
    """The lines that an order would have got had the rate been known when it arrived."""
    return [
        {
            "number": number,
            "product": line.product,
            "description": line.description,
            "category": line.category,
            "quantity": str(line.quantity),
            "amount": line.amount,
            "is_product": line.is_product,
        }
        for number, line in enumerate(lines, start=1)
    ]
