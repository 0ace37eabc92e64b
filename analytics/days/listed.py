"""Keeping what lists of customers are sorted by: when somebody was seen last, and what they ordered. Unlike figures per
day these rows are no sums, so whoever's history changed since the last count is simply read anew, and a row written
too early is mended by the next count. Of whom touchpoints without money are all that came, only the last one is new."""

import time
from collections.abc import Callable, Sequence
from datetime import datetime

from django.db import transaction

from clm.lib import sql
from clm.lib.columns import fetch_columns
from customers import locks
from customers.models import Customer, ProfileMove

from ..models import Counting, Listed
from .declared import LISTED
from .differences import Int64s
from .histories import SalesTypes

CHUNK = 10_000  # customers whose touchpoints are read by one statement
PART_SECONDS = 60.0


def keep_listed(*, known_at: datetime, tell: Callable[[str], None] = lambda _line: None) -> int:
    """Bring sort keys up to everything recorded before `known_at`; how many rows changed. A first count is committed in
    parts, and a killed one goes on where it stopped."""
    rows = 0
    while True:
        changed, is_done = _part(known_at, tell)
        rows += changed
        if is_done:
            return rows


@transaction.atomic
def _part(known_at: datetime, tell: Callable[[str], None]) -> tuple[int, bool]:
    """Rows changed, and whether nothing is left to do, or somebody else is doing it."""
    if not locks.try_own(locks.FILLING):
        return 0, True
    types = SalesTypes.mapped()
    mark = _mark(known_at, types)
    if mark.state == Counting.State.STARTED:
        rows = _next_part(mark, types, tell)
        return rows, mark.state == Counting.State.DONE
    if mark.known_at >= known_at:
        return 0, True
    moves = _last_move()
    touched = fetch_columns(
        "analytics/listed_touched",
        {"customer": "q", "is_more": "h", "last": "t"},
        types=[*types.purchases, *types.refunds],
        since=mark.known_at,
        known_at=known_at,
        moves_seen=mark.moves_seen,
    )
    is_more = touched["is_more"] == 1
    rows, unknown = _seen(touched["customer"][~is_more], touched["last"][~is_more])
    anew = sorted([*touched["customer"][is_more].tolist(), *unknown])
    rows += sum(_refresh(anew[start : start + CHUNK], types) for start in range(0, len(anew), CHUNK))
    mark.known_at, mark.moves_seen = known_at, moves
    mark.save()
    if len(is_more):
        tell(f"order of lists: {len(is_more)} customers")
    return rows, True


def _mark(known_at: datetime, types: SalesTypes) -> Counting:
    """How far is counted; a count on another mapping of types begins anew."""
    basis = f"; purchases {list(types.purchases)}; refunds {list(types.refunds)}"
    mark = Counting.objects.filter(statistic=LISTED.name, basis=basis).first()
    if mark is not None:
        return mark
    Counting.objects.filter(statistic=LISTED.name).delete()
    Listed.objects.all().delete()
    return Counting.objects.create(
        statistic=LISTED.name,
        version=0,
        state=Counting.State.STARTED,
        basis=basis,
        known_at=known_at,
        last_day=known_at.date(),
        moves_seen=_last_move(),
    )


def _next_part(mark: Counting, types: SalesTypes, tell: Callable[[str], None]) -> int:
    last = Customer.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    rows, began = 0, time.monotonic()
    while mark.next_customer <= last and time.monotonic() - began < PART_SECONDS:
        rows += _refresh(range(mark.next_customer, mark.next_customer + CHUNK), types)
        mark.next_customer += CHUNK
        tell(f"order of lists: customers up to {min(mark.next_customer - 1, last)} of {last}")
    if mark.next_customer > last:
        mark.state, mark.done_at = Counting.State.DONE, mark.known_at
    mark.save()
    return rows


def _seen(customers: Int64s, instants: Int64s) -> tuple[int, list[int]]:
    """Write down that some customers were seen again: how many rows changed, and of whom none is kept."""
    rows = sql.rows(
        "analytics/listed_seen", customers=sql.array(customers.tolist()), instants=sql.array(instants.tolist())
    )
    unknown = [customer for customer, is_kept in rows if not is_kept]
    return len(rows) - len(unknown), unknown


def _refresh(customers: Sequence[int], types: SalesTypes) -> int:
    changed = sql.rows(
        "analytics/listed_refresh",
        customers=sql.array(list(customers)),
        purchases=list(types.purchases),
        refunds=list(types.refunds),
    )
    return len(changed)


def _last_move() -> int:
    return ProfileMove.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
