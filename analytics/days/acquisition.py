"""Keeping how customers were won, and what attribution models credit channels with, day by day.

Whoever's history changed since the last count is read anew; what the kept row of that customer said is taken off the
sums, and what the new one says is added, in one transaction with the mark. So rows and sums always agree, and a row
that was read too early is mended by the next count. A first count is committed in parts.

Most news is a visit of somebody who has not ordered: then only the contacts of the last months are read. Visits after
the last order change nothing."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from django.db import transaction
from numpy.typing import NDArray

from clm.lib import sql
from clm.lib.columns import fetch_columns
from clm.lib.periods import local_day
from customers import locks
from customers.models import Customer, ProfileMove

from ..attribution.draws import DRAWS
from ..attribution.paths import DAY, Int64s
from ..attribution.sums import Sums, credit_columns, month_columns, step_columns
from ..models import Acquired, CohortDraw, CohortMonth, Counting, CreditDay, OrderPath, PathStep
from .calendar import day_numbers
from .declared import ACQUISITION
from .identities import broken_credits
from .touches import Touches
from .won import count, count_contacts

CHUNK = 10_000  # customers whose touchpoints are read by one statement
PART_SECONDS = 60.0
_TABLES = (Acquired, OrderPath, CreditDay, PathStep, CohortMonth, CohortDraw)

Tell = Callable[[str], None]


def keep_acquisition(*, known_at: datetime, tell: Tell = lambda _line: None) -> int:
    """Bring it up to everything recorded before `known_at`; how many customers' rows changed."""
    rows = 0
    while True:
        changed, is_done = _part(known_at, tell)
        rows += changed
        if is_done:
            break
    if rows:
        broken_credits(now=known_at)
    return rows


@transaction.atomic
def _part(known_at: datetime, tell: Tell) -> tuple[int, bool]:
    """Rows changed, and whether nothing is left to do, or somebody else is doing it."""
    if not locks.try_own(locks.FILLING):
        return 0, True
    touches = Touches()
    mark = _mark(known_at, touches)
    sums = Sums(touches.direct)
    if mark.state == Counting.State.STARTED:
        rows = _next_part(mark, touches, sums, tell)
        return rows, mark.state == Counting.State.DONE
    campaigns = touches.moved_campaigns(mark) or []
    if mark.known_at >= known_at and not campaigns:
        return 0, True
    moves, rows = _last_move(), 0
    news = _news(mark, known_at, touches, campaigns)
    for some in _parts(news.whole):
        rows += count(some.tolist(), touches, sums)
    for some in _parts(np.arange(len(news.contacted))):
        rows += count_contacts(news.contacted[some], news.ends[some], touches, sums)
    _store(sums)
    mark.known_at, mark.moves_seen, mark.last_day = known_at, moves, local_day(known_at, touches.zone)
    mark.basis = touches.basis
    mark.save()
    if asked := len(news.whole) + len(news.contacted):
        tell(f"acquisition: {asked} customers")
    return rows, True


@dataclass(frozen=True, slots=True)
class _News:
    """Customers, in order. whole: who is read anew whatever came; contacted: who has not ordered, and of whom contacts
    alone came; ends: instants that their last contacts do not lie before."""

    whole: Int64s
    contacted: Int64s
    ends: Int64s


def _news(mark: Counting, known_at: datetime, touches: Touches, campaigns: list[str]) -> _News:
    """Who must be read anew since a count. Of whoever had ordered, contacts after the day of the last order are part of
    no way to one."""
    came = touches.touched(mark, known_at=known_at)
    customer, is_more = came["customer"], came["is_more"] == 1
    if campaigns:
        types = [*touches.visits, *touches.exposures]
        found = sql.rows("analytics/acquired_by_campaign", campaigns=campaigns, types=types)
        theirs = np.array([one for (one,) in found], np.int64)
        is_more |= np.isin(customer, theirs)
    else:
        theirs = np.empty(0, np.int64)
    asked = np.flatnonzero(~is_more)
    ended, has_ordered = _kept_ends(customer[asked])
    first_day = day_numbers(came["first"][asked], touches.zone)
    whole = np.concatenate((theirs, customer[is_more], customer[asked][has_ordered & (first_day <= ended)]))
    fresh = asked[~has_ordered]
    # A day begins in no time zone as early as the day before does in UTC.
    ends = np.maximum(came["last"][fresh], (ended[~has_ordered] - 1) * DAY)
    return _News(np.unique(whole), customer[fresh], ends)


def _kept_ends(customers: Int64s) -> tuple[Int64s, NDArray[np.bool_]]:
    """Of customers in order: up to which day their kept ways reach (0: nothing is kept), and who has ordered."""
    kept = fetch_columns(
        "analytics/acquired_ends",
        {"customer": "q", "day": "i", "is_paying": "h"},
        customers=sql.array(customers.tolist()),
    )
    day, has_ordered = np.zeros(len(customers), np.int64), np.zeros(len(customers), bool)
    place = np.searchsorted(customers, kept["customer"])
    day[place], has_ordered[place] = kept["day"], kept["is_paying"] == 1
    return day, has_ordered


def _parts(customers: Int64s) -> list[Int64s]:
    return [customers[start : start + CHUNK] for start in range(0, len(customers), CHUNK)]


def _mark(known_at: datetime, touches: Touches) -> Counting:
    """How far is counted. A count on another basis begins anew; of a finished one, campaigns under another channel
    concern only whom they touched."""
    mark = Counting.objects.filter(statistic=ACQUISITION.name).first()
    if mark is not None and mark.basis == touches.basis:
        return mark
    is_done = mark is not None and mark.state == Counting.State.DONE
    if mark is not None and is_done and touches.moved_campaigns(mark) is not None:
        return mark
    Counting.objects.filter(statistic=ACQUISITION.name).delete()
    for table in _TABLES:
        table.objects.all().delete()
    return Counting.objects.create(
        statistic=ACQUISITION.name,
        version=0,
        state=Counting.State.STARTED,
        basis=touches.basis,
        known_at=known_at,
        last_day=local_day(known_at, touches.zone),
        moves_seen=_last_move(),
    )


def _next_part(mark: Counting, touches: Touches, sums: Sums, tell: Tell) -> int:
    last = Customer.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    rows, began = 0, time.monotonic()
    while mark.next_customer <= last and time.monotonic() - began < PART_SECONDS:
        rows += count(range(mark.next_customer, mark.next_customer + CHUNK), touches, sums)
        mark.next_customer += CHUNK
        tell(f"acquisition: customers up to {min(mark.next_customer - 1, last)} of {last}")
    _store(sums)
    if mark.next_customer > last:
        mark.state, mark.done_at = Counting.State.DONE, mark.known_at
    mark.save()
    return rows


def _store(sums: Sums) -> None:
    """Add what changed to the kept sums."""
    for name, columns in (
        ("analytics/credit_days_add", credit_columns(sums.credits)),
        ("analytics/path_steps_add", step_columns(sums.steps)),
        ("analytics/cohort_months_add", month_columns(sums.months)),
    ):
        if columns["days" if "days" in columns else "months"]:
            sql.run(name, **columns).close()
    months, changes = sums.draws.read()
    if not len(months):
        return
    kept = CohortDraw.objects.in_bulk(months.tolist())
    fresh = []
    for month, change in zip(months.tolist(), changes, strict=True):
        had = kept.get(month)
        before = np.zeros(2 + 2 * DRAWS, np.int64)
        if had is not None:
            before = np.array([had.customers, had.value, *had.drawn_customers, *had.drawn_value], np.int64)
        customers, value, *draws = (before + change).tolist()
        fresh.append(
            CohortDraw(
                month=month,
                customers=customers,
                value=value,
                drawn_customers=draws[:DRAWS],
                drawn_value=draws[DRAWS:],
            )
        )
    CohortDraw.objects.bulk_create(
        fresh,
        update_conflicts=True,
        unique_fields=["month"],
        update_fields=["customers", "value", "drawn_customers", "drawn_value"],
    )


def _last_move() -> int:
    return ProfileMove.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
