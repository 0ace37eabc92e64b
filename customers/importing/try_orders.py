"""A dry run over a file of order lines: which orders are new, of whom, and which lines would be set aside. Read and put
together by the code that stores them; nothing is stored."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import transaction

from .. import order_staging
from ..by_index import look_up_by_index
from ..events import Event, message_text
from ..ingest import clock
from ..line_account import LineAccount
from ..local_times import LocalTimes
from ..models import Source
from ..order_changes import changes_of
from ..order_lines import OrderLineReader
from ..order_mapping import OrderMapping
from ..orders import ORDER, Orders
from ..parsing import table
from .effects import NEW, effects_of
from .events_of import RowEvents
from .known import Earlier, asked_by, known_of
from .order_rows import order_row
from .rows import Fault, ReadRow
from .tally import EXAMPLES, Tally

ORDERS = 500  # looked at together
_LAST = "\U0010ffff"  # no invoice number comes after it


def try_orders(
    *,
    path: Path,
    mapping: OrderMapping,
    now: datetime,
    tell: Callable[[str], None],
    go_on: Callable[[int, int], None] = lambda _done, _lines: None,
) -> dict[str, Any]:
    """What importing a file of orders would do: new, updated, unchanged and rejected are counted in lines; besides,
    `orders`, `orders_new`, `customers` and `customers_new` count each order and each customer once. `go_on` hears how
    many lines of how many were looked at, and may raise to stop it. BadFile as the import itself."""
    source = Source.objects.filter(key=mapping.source_key).first()
    content = table(path, encoding=mapping.encoding, delimiter=mapping.delimiter, needed=mapping.needed)
    times = LocalTimes(
        time_format=mapping.time_format,
        time_zone=mapping.time_zone,
        shift_days=0 if source is None else source.shift_days,
    )
    reader = OrderLineReader(mapping=mapping, header=content.header, times=times, now=now)
    orders = Orders(mapping=mapping, account=LineAccount())
    earlier, tally = Earlier(is_kept=True), Tally(orders.account)
    counts = dict.fromkeys(("orders", "orders_new", "customers", "customers_new"), 0)
    try:
        lines = order_staging.stage(content.rows, reader=reader, tell=lambda count: tell(f"read {count:,} lines"))
        together = _together(orders)
        while some := list(itertools.islice(together, ORDERS)):
            with transaction.atomic():
                look_up_by_index()
                known = known_of(asked=asked_by(some), source=source)
            new = _new(some, source, mapping)
            for each, effect in zip(some, effects_of(rows=new, known=known, earlier=earlier), strict=True):
                tally.count(each, effect, lines=len(each.events[0].lines))
                counts["orders"] += sum(event.type == ORDER for event in each.events)
                counts["orders_new"] += sum(name == ORDER for name, _at in effect.touchpoints)
                counts["customers"] += "named_again" not in effect.conflicts
                counts["customers_new"] += effect.outcome == NEW  # of the first order of somebody new only
            go_on(orders.account.lines_read, lines)
            tell(f"looked at {orders.account.lines_read:,} of {lines:,} lines")
        for fault in order_staging.faults(after=None, until=_LAST, limit=EXAMPLES):
            text = fault.raw.decode("utf-8", "replace").rstrip("\r\n")
            tally.show_fault(ReadRow(fault.line, [text]), Fault("", fault.column, fault.message))
    finally:
        earlier.close()
        order_staging.clear()
    del tally.conflicts["named_again"]  # to buy twice is no conflict
    return {**tally.written(at=clock()), **counts}


def _together(orders: Orders) -> Iterator[RowEvents]:
    for invoice, lines in order_staging.invoices(after=None):
        if events := orders.events(invoice, lines):
            yield order_row(events, line=orders.first_line, consent=orders.consent)


def _new(some: Sequence[RowEvents], source: Source | None, mapping: OrderMapping) -> list[RowEvents]:
    """The same orders with what is not stored of them yet."""
    if source is None or not mapping.says_more_later:
        return list(some)
    said = [event for each in some for event in each.events]
    found: dict[str, list[Event]] = {}
    for event in changes_of(events=said, source=source).events:
        found.setdefault(event.order_ref, []).append(event)
    return [_with(each, found.get(each.events[0].order_ref, [])) for each in some]


def _with(each: RowEvents, events: Sequence[Event]) -> RowEvents:
    return replace(each, events=tuple(events), hashes=tuple(message_text(event.message_id) for event in events))
