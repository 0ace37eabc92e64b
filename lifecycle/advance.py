"""Bringing customers up to date. Whoever calls it, however often and from however many processes: a customer is locked
before anything about it is read, and exactly the Stale rows that were read are deleted in the same commit.

One batch is one transaction:
1. candidates from Stale and Due are a hint only;
2. share the live versions and, without waiting, the buckets of the candidates; lock their rows, leaving out those that
   somebody else holds;
3. read the Stale rows of the locked customers' profiles (whose a profile is, is known only now);
4. load their touchpoints; then read the clock;
5. evaluate every live rule, write the differences, tell what is to be told;
6. delete the Stale rows read in step 3, and commit."""

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import InterfaceError, OperationalError, connection, transaction

from clm.lib import sql
from clm.lib.milliseconds import to_ms
from customers import locks
from customers.ingest import clock
from customers.models import Cause, Installation
from customers.portrait import refresh_portraits

from .ids import Ids
from .live import live
from .load import Loaded, load
from .models import HotCustomer, Parked
from .rewrite import Written, due_instants, rewrite
from .rules.evaluate import Spells, spells

log = logging.getLogger(__name__)

HOT_PAUSE = timedelta(minutes=1)


class TooManyTouchpointsError(RuntimeError):
    """So many touchpoints that the identity is probably shared by many people."""


@dataclass(slots=True)
class Advanced:
    """What one or more batches did."""

    customers: int = 0
    touchpoints: int = 0
    written: Written = field(default_factory=Written)
    parked: int = 0

    def add(self, other: "Advanced") -> None:
        self.customers += other.customers
        self.touchpoints += other.touchpoints
        self.parked += other.parked
        self.written.rows += other.written.rows
        self.written.rows_by_time += other.written.rows_by_time
        self.written.announced += other.written.announced


def advance(*, limit: int | None = None) -> Advanced:
    """Bring up to `limit` customers up to date that need it and nobody else is working on. No customer with work left
    means customers == 0 and parked == 0."""
    limit = limit or settings.CLM_ADVANCE_BATCH
    # More than one batch of candidates, so that processes working side by side find customers nobody holds.
    wanted = candidates(limit=4 * limit)
    if not wanted:
        return Advanced()
    hot = set(HotCustomer.objects.filter(customer__in=wanted).values_list("customer_id", flat=True))
    done = Advanced()
    ordinary = [customer for customer in wanted if customer not in hot]
    if ordinary:
        done.add(_batch_or_singly(ordinary, limit))
    for customer in sorted(hot):  # one by one, after everybody else
        done.add(_batch_or_singly([customer], 1))
    return done


def advance_customers(*, customers: Sequence[int]) -> Advanced:
    """Bring these customers up to date at once, for somebody who waits for the answer. Those that somebody else holds
    are left to them, hot ones to their turn, and parked ones alone."""
    asked = list(customers)
    left = set(HotCustomer.objects.filter(customer__in=asked).values_list("customer_id", flat=True))
    left |= set(Parked.objects.filter(customer__in=asked).values_list("customer_id", flat=True))
    wanted = [customer for customer in asked if customer not in left]
    return _batch_or_singly(wanted, len(wanted)) if wanted else Advanced()


def candidates(*, limit: int) -> list[int]:
    """Customers that may need advancing, most overdue first. What waits for parked customers is dropped: whoever puts
    them back marks them as changed."""
    now = clock()
    while True:
        stale = _oldest_stale(limit, now)
        parked = [customer for customer, is_parked in stale if is_parked]
        found = [customer for customer, is_parked in stale if not is_parked]
        if parked:
            sql.run("lifecycle/stale_of_parked_end", customers=parked).close()
        if found or not parked:
            break
    if len(found) < limit:
        due = sql.rows("lifecycle/candidates_due", limit=limit - len(found), now=now)
        found += [customer for (customer,) in due if customer not in set(found)]
    return found


def _oldest_stale(limit: int, now: datetime) -> list[tuple[int, bool]]:
    """Customers of the oldest Stale rows. A backlog of millions is not read for one batch; but rows of hot customers
    that wait for their minute must not hide everybody behind them, so the look widens until it finds enough."""
    rows = 10 * limit
    while True:
        found = sql.rows("lifecycle/candidates_stale", rows=rows, limit=limit, now=now)
        if len(found) >= limit:
            return found
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM (SELECT FROM customers_stale LIMIT %s) AS head", [rows])
            (known,) = cursor.fetchone()
        if known < rows:
            return found
        rows *= 10


def _batch_or_singly(customers: Sequence[int], limit: int) -> Advanced:
    """One batch; if it raises, every customer alone, and those that raise again are parked with their error."""
    try:
        return _batch(customers, limit)
    except (OperationalError, InterfaceError):
        raise  # the database's trouble, not a customer's
    except Exception as error:
        if len(customers) == 1:
            return park(customers[0], error)
        log.exception("a batch of %d customers failed; trying them one by one", len(customers))
    done = Advanced()
    for customer in customers:
        done.add(_batch_or_singly([customer], 1))
    return done


@transaction.atomic
def _batch(customers: Sequence[int], limit: int) -> Advanced:
    locks.share(locks.VERSIONS)
    locked = _lock(customers, limit)
    # Whoever held a hot customer a moment ago has given it its turn.
    locked -= set(
        HotCustomer.objects.filter(customer__in=locked, not_before__gt=clock()).values_list("customer_id", flat=True)
    )
    if not locked:
        return Advanced()
    news = news_about(locked)
    locked, emptied = with_emptied(locked, news)
    if not locked:
        return Advanced()
    return settle(customers=sorted(locked | emptied), news=news, emptied=emptied, fallback=Cause.TIME)


def _lock(customers: Sequence[int], limit: int) -> set[int]:
    shared = locks.shared_buckets(customers)
    reachable = [customer for customer in customers if locks.bucket_of(customer) in shared]
    return {customer for (customer,) in sql.rows("lifecycle/customers_lock", customers=reachable, limit=limit)}


@dataclass(slots=True)
class News:
    """The Stale rows of one customer that an advance has read."""

    ids: list[int]
    cause: Cause  # the first in order among them
    emptied_others: bool  # a merge or an unmerge is among them


def news_about(customers: Iterable[int]) -> dict[int, News]:
    ids = Ids.of(customers)
    read = ids.fetch("lifecycle/stale_of", {"id": "q", "cause": "h"})
    found: dict[int, list[tuple[int, int]]] = defaultdict(list)
    whose = ids.values[read["owner"]].tolist()
    for customer, number, cause in zip(whose, read["id"].tolist(), read["cause"].tolist(), strict=True):
        found[customer].append((number, cause))
    return {
        customer: News(
            ids=[number for number, _cause in rows],
            cause=Cause(min(cause for _number, cause in rows)),
            emptied_others=any(cause in (Cause.MERGE, Cause.UNMERGE) for _number, cause in rows),
        )
        for customer, rows in found.items()
    }


def with_emptied(locked: set[int], news: dict[int, News]) -> tuple[set[int], set[int]]:
    """Customers whom a merge left without profiles must lose their stages together with the survivor's advance, which
    deletes the only Stale rows that speak of it. A survivor whose emptied ones are held by somebody waits."""
    survivors = sorted(customer for customer, about in news.items() if about.emptied_others)
    if not survivors:
        return locked, set()
    emptied: dict[int, set[int]] = defaultdict(set)
    for survivor, customer in sql.rows("lifecycle/emptied_by", customers=survivors):
        emptied[survivor].add(customer)
    wanted = sorted({customer for others in emptied.values() for customer in others} - locked)
    held = _lock(wanted, len(wanted)) if wanted else set()
    waiting = {survivor for survivor, others in emptied.items() if not others <= held | locked}
    for survivor in waiting:
        del news[survivor]
    kept = locked - waiting
    return kept, {customer for survivor in kept & emptied.keys() for customer in emptied[survivor]}


def settle(*, customers: Sequence[int], news: dict[int, News], emptied: set[int], fallback: Cause) -> Advanced:
    """Steps 4 to 6 for customers that the caller holds: load, evaluate, write, tell, delete what was read. `fallback`
    is the cause where no Stale row was read and no due date has passed."""
    now_live = live()
    ids = Ids.of(customers)
    loaded = load(customers=ids, program=now_live.program)
    now = clock()
    _refuse_shared_identities(loaded)
    found: list[Spells] = spells(now_live.program, loaded.facts) if now_live.program else []
    dues = due_instants(ids)
    causes, by_time = _causes(ids, dues <= to_ms(now), news, emptied, fallback)
    written = rewrite(
        loaded=loaded,
        live=now_live,
        spells=found,
        causes=causes,
        by_time=by_time,
        dues=dues,
        now=now,
        news_since=now - timedelta(hours=Installation.current().news_hours),
    )
    if news:
        refresh_portraits(customers=sorted(news))
    _note_hot(loaded, now)
    read = [number for about in news.values() for number in about.ids]
    if read:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM customers_stale WHERE id = ANY(%s)", [read])
    return Advanced(customers=len(customers), touchpoints=len(loaded.facts.ms), written=written)


def _causes(
    ids: Ids, due: npt.NDArray[np.bool_], news: dict[int, News], emptied: set[int], fallback: Cause
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Per customer its cause, and whether time alone speaks for looking at it. due[i]: customer i is due."""
    causes = np.where(due, Cause.TIME, fallback).astype(np.int64)
    told = np.zeros(len(ids), bool)
    for customers, cause_of in (
        (sorted(emptied), lambda _customer: Cause.MERGE),
        (sorted(news), lambda customer: news[customer].cause),
    ):
        places = ids.places(np.array(customers, np.int64))
        causes[places] = [cause_of(customer) for customer in customers]
        told[places] = True
    return causes, due & ~told


def _refuse_shared_identities(loaded: Loaded) -> None:
    too_many = np.flatnonzero(loaded.touchpoints > settings.CLM_PARK_TOUCHPOINTS)
    if len(too_many):
        raise TooManyTouchpointsError(
            f"Customer {int(loaded.customers[too_many[0]])} has {int(loaded.touchpoints[too_many[0]])} touchpoints:"
            " one of its identities is probably shared by many people."
        )


def _note_hot(loaded: Loaded, now: datetime) -> None:
    for index in np.flatnonzero(loaded.touchpoints > settings.CLM_HOT_TOUCHPOINTS).tolist():
        HotCustomer.objects.update_or_create(
            customer_id=int(loaded.customers[index]),
            defaults={"touchpoints": int(loaded.touchpoints[index]), "not_before": now + HOT_PAUSE},
        )


@transaction.atomic
def park(customer: int, error: Exception) -> Advanced:
    """Put a customer that raises out of everybody's way, with its error for an admin."""
    log.error("customer %d is parked: %s", customer, type(error).__name__)
    said = f"{type(error).__name__}: {error}" if not isinstance(error, DatabaseError) else type(error).__name__
    Parked.objects.update_or_create(customer_id=customer, defaults={"error": said[:2000], "parked_at": clock()})
    return Advanced(parked=1)


@transaction.atomic
def unpark(*, customer: int) -> None:
    """Try a parked customer again: it is marked as changed, whatever waited for it was dropped."""
    Parked.objects.filter(customer=customer).delete()
    HotCustomer.objects.filter(customer=customer).delete()
    # What was merged into it meanwhile waits for it with stages that it has lost.
    cause = Cause.MERGE if sql.rows("lifecycle/emptied_by", customers=[customer]) else Cause.ENGINE
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO customers_stale (profile_id, cause, attempts)"
            " SELECT id, %s, 1 FROM customers_profile WHERE customer_id = %s ORDER BY id",
            [cause, customer],
        )
