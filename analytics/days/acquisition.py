"""Keeping how customers were won, and what attribution models credit channels with, day by day.

Whoever's history changed since the last count is read anew; what the kept row of that customer said is taken off the
sums, and what the new one says is added, in one transaction with the mark. So rows and sums always agree, and a row
that was read too early is mended by the next count. A first count is committed in parts."""

import json
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import numpy as np
from django.db import transaction

from campaigns.models import Campaign
from clm.lib import sql
from clm.lib.periods import local_day
from customers import locks
from customers.catalogue import channel_ids
from customers.models import Channel, Customer, Installation, ProfileMove, Role, TouchpointType

from ..attribution.channels import DIRECT, MESSAGES, OWN, marketing_channel
from ..attribution.declared import WINDOWS
from ..attribution.draws import DRAWS
from ..attribution.paths import paths_before
from ..attribution.sums import Row, Sums, credit_columns, month_columns, step_columns
from ..models import Acquired, CohortDraw, CohortMonth, Counting, CreditDay, OrderPath, PathStep
from ..sales import types_of
from .calendar import day_numbers
from .declared import ACQUISITION
from .identities import broken_credits
from .order_paths import keep_order_paths

CHUNK = 10_000  # customers whose touchpoints are read by one statement
PART_SECONDS = 60.0
# A visit may have begun so long before the window; its later pages are no touches of their own.
_LONGEST_VISIT_HOURS = 24
_TABLES = (Acquired, OrderPath, CreditDay, PathStep, CohortMonth, CohortDraw)

Tell = Callable[[str], None]


class _Asked:
    """What decides which contacts are touches, and of which channel: read once for a count."""

    def __init__(self) -> None:
        self.zone = Installation.current().time_zone
        self.purchases, self.refunds = types_of(Role.PURCHASE), types_of(Role.REFUND)
        self.visits, self.exposures = types_of(Role.VISIT), types_of(Role.EXPOSURE)
        known = Campaign.objects.filter(channel__isnull=False).order_by("key")
        self.campaigns = dict(known.values_list("key", "channel__key"))
        self.channels: dict[int, str] = dict(Channel.objects.values_list("pk", "key"))
        self.direct = channel_ids([DIRECT])[DIRECT]
        self._found: dict[tuple[int, str, str, str], int] = {}

    @property
    def silent(self) -> list[int]:
        """Channels over which what is shown is no touch."""
        return sorted(pk for pk, key in self.channels.items() if key in OWN | MESSAGES)

    @property
    def basis(self) -> str:
        """What a count rests on besides facts."""
        told = {
            "purchases": self.purchases,
            "refunds": self.refunds,
            "visits": self.visits,
            "ads": self.exposures,
            "campaigns": self.campaigns,
        }
        return f"{self.zone}; {json.dumps(told, sort_keys=True)}"

    def moved_campaigns(self, mark: Counting) -> list[str] | None:
        """The campaigns that are kept under another channel than a count knew. None where everybody must be counted
        anew: the zone is another, or types that had been sent before mean something else."""
        (zone, before), (_zone, now) = (
            (zone, json.loads(told)) for zone, _mark, told in (one.partition("; ") for one in (mark.basis, self.basis))
        )
        types = [(set(before[name]), set(now[name])) for name in ("purchases", "refunds", "visits", "ads")]
        fresh = {one for was, is_now in types for one in is_now - was}
        if zone != self.zone or any(was - is_now for was, is_now in types):
            return None
        if fresh and TouchpointType.objects.filter(pk__in=fresh, created_at__lt=mark.known_at).exists():
            return None
        was, is_now = before["campaigns"], now["campaigns"]
        return sorted(key for key in was.keys() | is_now.keys() if was.get(key) != is_now.get(key))

    def channel(self, over: int, source: str, medium: str, campaign: str) -> int:
        """The id of the marketing channel of a contact."""
        asked = (over, source, medium, campaign)
        found = self._found.get(asked)
        if found is None:
            key = marketing_channel(
                over=self.channels.get(over, ""),
                source=source.strip().lower(),
                medium=medium.strip().lower(),
                campaign=campaign.strip().lower(),
                known=self.campaigns,
            )
            found = self._found[asked] = channel_ids([key])[key]
        return found


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
    asked = _Asked()
    mark = _mark(known_at, asked)
    sums = Sums(asked.direct)
    if mark.state == Counting.State.STARTED:
        rows = _next_part(mark, asked, sums, tell)
        return rows, mark.state == Counting.State.DONE
    campaigns = asked.moved_campaigns(mark) or []
    if mark.known_at >= known_at and not campaigns:
        return 0, True
    moves = _last_move()
    found = sql.rows("analytics/listed_touched", since=mark.known_at, known_at=known_at, moves_seen=mark.moves_seen)
    if campaigns:
        types = [*asked.visits, *asked.exposures]
        found += sql.rows("analytics/acquired_by_campaign", campaigns=campaigns, types=types)
    touched = sorted({customer for (customer,) in found})
    rows = sum(_count(touched[start : start + CHUNK], asked, sums) for start in range(0, len(touched), CHUNK))
    _store(sums)
    mark.known_at, mark.moves_seen, mark.last_day = known_at, moves, local_day(known_at, asked.zone)
    mark.basis = asked.basis
    mark.save()
    return rows, True


def _mark(known_at: datetime, asked: _Asked) -> Counting:
    """How far is counted. A count on another basis begins anew; of a finished one, campaigns under another channel
    concern only whom they touched."""
    mark = Counting.objects.filter(statistic=ACQUISITION.name).first()
    if mark is not None and mark.basis == asked.basis:
        return mark
    is_done = mark is not None and mark.state == Counting.State.DONE
    if mark is not None and is_done and asked.moved_campaigns(mark) is not None:
        return mark
    Counting.objects.filter(statistic=ACQUISITION.name).delete()
    for table in _TABLES:
        table.objects.all().delete()
    return Counting.objects.create(
        statistic=ACQUISITION.name,
        version=0,
        state=Counting.State.STARTED,
        basis=asked.basis,
        known_at=known_at,
        last_day=local_day(known_at, asked.zone),
        moves_seen=_last_move(),
    )


def _next_part(mark: Counting, asked: _Asked, sums: Sums, tell: Tell) -> int:
    last = Customer.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    rows, began = 0, time.monotonic()
    while mark.next_customer <= last and time.monotonic() - began < PART_SECONDS:
        rows += _count(range(mark.next_customer, mark.next_customer + CHUNK), asked, sums)
        mark.next_customer += CHUNK
        tell(f"acquisition: customers up to {min(mark.next_customer - 1, last)} of {last}")
    _store(sums)
    if mark.next_customer > last:
        mark.state, mark.done_at = Counting.State.DONE, mark.known_at
    mark.save()
    return rows


def _count(customers: Sequence[int], asked: _Asked, sums: Sums) -> int:
    """Write the rows of some customers anew where they differ, and note by how much the sums change."""
    kept = _kept(customers)
    found = _found(customers, asked)
    gone = {customer: row for customer, row in kept.items() if found.get(customer) != row}
    new = {customer: row for customer, row in found.items() if kept.get(customer) != row}
    sums.add(gone, -1)
    sums.add(new)
    if lost := sorted(gone.keys() - new.keys()):
        Acquired.objects.filter(pk__in=lost).delete()
    if new:
        _write(new)
    ordered = keep_order_paths(customers=customers, touches=asked, longest_visit_hours=_LONGEST_VISIT_HOURS)
    return len(gone.keys() | new.keys() | ordered)


def _kept(customers: Sequence[int]) -> dict[int, Row]:
    found = sql.rows("analytics/acquired_kept", customers=list(customers))
    return {
        pk: (day, is_paying, revenue, value, tuple(channels), tuple(ages), tuple(months), tuple(amounts))
        for pk, day, is_paying, revenue, value, channels, ages, months, amounts in found
    }


def _found(customers: Sequence[int], asked: _Asked) -> dict[int, Row]:
    """What the facts say of some customers."""
    contacts = [
        (customer, ms, asked.channel(over, source, medium, campaign))
        for customer, ms, over, source, medium, campaign in sql.rows(
            "analytics/acquired_contacts",
            customers=list(customers),
            purchases=asked.purchases,
            visits=asked.visits,
            exposures=asked.exposures,
            silent=asked.silent,
            hours=24 * max(WINDOWS) + _LONGEST_VISIT_HOURS,
        )
    ]
    orders = sql.rows(
        "analytics/acquired_orders", customers=list(customers), purchases=asked.purchases, refunds=asked.refunds
    )
    first: dict[int, int] = {}
    for customer, ms, _amount, is_order in orders:
        if is_order and ms < first.get(customer, ms + 1):
            first[customer] = ms
    last: dict[int, int] = {}
    for customer, ms, _channel in contacts:
        last[customer] = max(ms, last.get(customer, ms))
    people = sorted(first.keys() | last.keys())
    if not people:
        return {}
    ends = np.array([first.get(customer, last.get(customer, 0)) for customer in people], np.int64)
    owner, ms, channel = (np.array(column, np.int64) for column in zip(*contacts, strict=True)) if contacts else _none()
    paths = paths_before(
        owner=owner,
        ms=ms,
        channel=channel,
        end_owner=np.array(people, np.int64),
        end_ms=ends,
        days=max(WINDOWS),
        direct=asked.direct,
    )
    brought = _brought(orders, first, asked.zone)
    days = day_numbers(ends, asked.zone).tolist()
    channels, ages, heads = paths.channel.tolist(), (paths.age // 1_000).tolist(), paths.start.tolist()
    found: dict[int, Row] = {}
    for at, customer in enumerate(people):
        part = slice(heads[at], heads[at + 1])
        revenue, by_month = brought.get(customer, (0, {}))
        months = tuple(sorted(month for month, amount in by_month.items() if amount))
        found[customer] = (
            days[at],
            customer in first,
            revenue,
            sum(by_month.values()),
            tuple(channels[part]),
            tuple(ages[part]),
            months,
            tuple(by_month[month] for month in months),
        )
    return found


def _none() -> tuple[Any, Any, Any]:
    return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int64)


def _brought(
    orders: Sequence[tuple[int, int, int, int]], first: dict[int, int], zone: str
) -> dict[int, tuple[int, dict[int, int]]]:
    """By customer what the first order came to, and everything by months after that of the first order. Money given
    back before a first order is none of a customer's."""
    rows = [row for row in orders if row[0] in first and row[1] >= first[row[0]]]
    if not rows:
        return {}
    days = day_numbers(np.array([row[1] for row in rows], np.int64), zone)
    begun = day_numbers(np.array([first[row[0]] for row in rows], np.int64), zone)
    later = (_months(days) - _months(begun)).tolist()
    found: dict[int, tuple[int, dict[int, int]]] = {}
    for (customer, ms, amount, _is_order), month in zip(rows, later, strict=True):
        revenue, by_month = found.setdefault(customer, (0, {}))
        by_month[month] = by_month.get(month, 0) + amount
        if ms == first[customer]:
            found[customer] = (revenue + amount, by_month)
    return found


def _months(days: Any) -> Any:
    return days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)


def _write(rows: dict[int, Row]) -> None:
    customers = sorted(rows)
    told = [rows[customer] for customer in customers]

    def literal(at: int) -> list[str]:
        return ["{" + ",".join(map(str, row[at])) + "}" for row in told]  # type: ignore[arg-type]

    sql.run(
        "analytics/acquired_write",
        customers=customers,
        days=[row[0] for row in told],
        paying=[row[1] for row in told],
        revenues=[row[2] for row in told],
        worths=[row[3] for row in told],
        paths=literal(4),
        ages=literal(5),
        months=literal(6),
        amounts=literal(7),
    ).close()


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
