"""Bringing customers up to date. Whoever calls it, however often and from however many processes: a customer is locked
before anything about it is read, and exactly the Stale rows that were read are deleted in the same commit.

Customers with very many touchpoints have a lane of their own (`advance_hot`), so that nobody waits for them; ordinary
ones are taken by age, as many as the bound on a batch's touchpoints allows.

One batch is one transaction:
1. candidates from Stale and Due are a hint only;
2. share the live versions and, without waiting, the buckets of the candidates; lock their rows, leaving out those that
   somebody else holds;
3. read the Stale rows of the locked customers' profiles (whose a profile is, is known only now);
4. load their touchpoints; then read the clock;
5. evaluate every live rule, write the differences, tell what is to be told;
6. delete the Stale rows read in step 3, and commit."""

import logging
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction

from clm.lib import sql
from clm.lib.columns import store_columns
from clm.lib.milliseconds import to_ms
from customers import locks
from customers.ingest import clock
from customers.models import Cause, Installation
from customers.portrait import refresh_portraits

from .candidates import candidates, hot_candidates
from .ids import Ids
from .live import live
from .load import Loaded, load
from .models import HotCustomer, Parked
from .parking import PROBE_CUSTOMERS, TooManyTouchpointsError, is_common, mended, note_fault, park, trouble, trouble_now
from .rewrite import Written, due_instants, rewrite
from .rules.evaluate import Spells, spells

log = logging.getLogger(__name__)

HOT_PAUSE = timedelta(minutes=1)


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


def advance(*, limit: int | None = None, hot: bool = True) -> Advanced:
    """Bring up to `limit` customers up to date that need it and nobody else is working on; then, unless `hot` is false,
    those with very many touchpoints whose turn has come. No customer with work left means customers == 0 and
    parked == 0."""
    limit = limit or settings.CLM_ADVANCE_BATCH
    fault = trouble_now()
    if fault is not None:
        if fault.waits:
            return Advanced()
        limit = min(limit, PROBE_CUSTOMERS)
    # More than one batch of candidates, so that processes working side by side find customers nobody holds.
    wanted = candidates(limit=4 * limit)
    done = _batch_or_singly(wanted, limit) if wanted else Advanced()
    if fault is not None and done.customers:
        mended(fault)
    if hot:
        done.add(advance_hot())
    return done


def advance_hot() -> Advanced:
    """Bring customers with very many touchpoints up to date whose turn has come, one by one."""
    done = Advanced()
    for customer in hot_candidates(limit=settings.CLM_ADVANCE_BATCH):
        done.add(_batch_or_singly([customer], 1, hot=True))
    return done


def advance_customers(*, customers: Sequence[int]) -> Advanced:
    """Bring these customers up to date at once, for somebody who waits for the answer. Those that somebody else holds
    are left to them, hot ones to their turn, and parked ones alone."""
    asked = list(customers)
    left = set(HotCustomer.objects.filter(customer__in=asked).values_list("customer_id", flat=True))
    left |= set(Parked.objects.filter(customer__in=asked).values_list("customer_id", flat=True))
    wanted = [customer for customer in asked if customer not in left]
    if not wanted or trouble_now() is not None:
        return Advanced()
    return _batch_or_singly(wanted, len(wanted))


def _batch_or_singly(customers: Sequence[int], limit: int, *, hot: bool = False) -> Advanced:
    """One batch; if it raises, every customer alone, and those that raise again are parked with their error. An error
    that strikes whoever one tries is the program's: then nobody is parked for it, and all wait until it is mended."""
    try:
        return _batch(customers, limit, hot=hot)
    except (OperationalError, InterfaceError):
        raise  # the database's trouble, not a customer's
    except Exception as error:
        if len(customers) > 1:
            log.exception("a batch of %d customers failed; trying them one by one", len(customers))
            return _singly(customers)
        return _park_or_wait({customers[0]: error})


def _singly(customers: Sequence[int]) -> Advanced:
    """Every customer in a transaction of its own."""
    done = Advanced()
    failed: dict[int, Exception] = {}
    alike: Counter[str] = Counter()
    for customer in customers:
        try:
            done.add(_batch([customer], 1))
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:
            failed[customer] = error
            alike[trouble(error)] += 1
            # No need to try hundreds to see that something is wrong with all of them.
            if alike[trouble(error)] >= PROBE_CUSTOMERS and len(failed) > done.customers:
                break
    if failed:
        done.add(_park_or_wait(failed))
    return done


def _park_or_wait(failed: dict[int, Exception]) -> Advanced:
    """Park customers that raise, unless their error is the program's own."""
    done = Advanced()
    by_kind: dict[str, dict[int, Exception]] = defaultdict(dict)
    for customer, error in failed.items():
        by_kind[trouble(error)][customer] = error
    for alike in by_kind.values():
        one = next(iter(alike.values()))
        if is_common(one, customers=list(alike), try_one=settle_and_undo):
            note_fault(one, customers=len(alike))
            continue
        for customer, error in alike.items():
            park(customer, error)
        done.parked += len(alike)
    return done


class _UndoneError(Exception):
    """Rolls back what was only tried."""


def settle_and_undo(customer: int) -> None:
    """Do what an advance of that customer would do, and leave no trace; raises what it raises."""
    try:
        with transaction.atomic():
            locks.share(locks.VERSIONS)
            if _lock([customer], 1):
                settle(customers=[customer], news={}, emptied=set(), fallback=Cause.TIME)
            raise _UndoneError
    except _UndoneError:
        pass


@transaction.atomic
def _batch(customers: Sequence[int], limit: int, *, hot: bool = False) -> Advanced:
    locks.share(locks.VERSIONS)
    locked = _lock(customers, limit)
    if not locked:
        return Advanced()
    # Whoever held a hot customer a moment ago has given it its turn.
    waiting = HotCustomer.objects.filter(customer__in=locked)
    waiting = waiting.filter(not_before__gt=clock()) if hot else waiting
    locked -= set(waiting.values_list("customer_id", flat=True))
    locked = _within_bounds([customer for customer in customers if customer in locked], hot=hot)
    if not locked:
        return Advanced()
    news = news_about(locked)
    locked, emptied = with_emptied(locked, news)
    if not locked:
        return Advanced()
    return settle(customers=sorted(locked | emptied), news=news, emptied=emptied, fallback=Cause.TIME)


def _lock(customers: Sequence[int], limit: int) -> set[int]:
    """Lock up to `limit` of the customers, the first ones first, leaving out those somebody else holds."""
    shared = locks.shared_buckets(customers)
    reachable = [customer for customer in customers if locks.bucket_of(customer) in shared]
    locked: set[int] = set()
    for start in range(0, len(reachable), limit):
        some, left = reachable[start : start + limit], limit - len(locked)
        locked.update(customer for (customer,) in sql.rows("lifecycle/customers_lock", customers=some, limit=left))
        if len(locked) == limit:
            break
    return locked


def _within_bounds(customers: Sequence[int], *, hot: bool) -> set[int]:
    """Of locked customers, those that one transaction takes on: the first ones, up to the bound on touchpoints. One
    found to have very many is noted, and left to the lane of its own; there, one with far too many is refused before
    any of them is loaded."""
    if not customers:
        return set()
    most = settings.CLM_PARK_TOUCHPOINTS if hot else settings.CLM_HOT_TOUCHPOINTS
    counted = dict(sql.rows("lifecycle/touchpoints_of", customers=list(customers), limit=most + 1))
    if hot:
        for customer, count in counted.items():
            if count > most:
                raise TooManyTouchpointsError(customer, count)
        return set(customers)
    taken: set[int] = set()
    room = settings.CLM_BATCH_TOUCHPOINTS
    for customer in customers:
        count = counted.get(customer, 0)
        if count > most:
            HotCustomer.objects.get_or_create(
                customer_id=customer, defaults={"touchpoints": count, "not_before": clock()}
            )
            continue
        if taken and count > room:
            break
        taken.add(customer)
        room -= count
    return taken


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
    if any(not subject.is_live for subject in now_live.subjects):
        _note_touched(ids, causes, news)
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


def _note_touched(ids: Ids, causes: npt.NDArray[np.int64], news: dict[int, News]) -> None:
    """Tell whoever publishes what is being built that these customers have moved on; all but those whom nothing but
    the building itself brought here."""
    moved_on = causes != Cause.PUBLISH
    moved_on[ids.places(np.array(sorted(news), np.int64))] = True
    store_columns("lifecycle_touched", {"customer_id": "q"}, {"customer_id": ids.values[moved_on]})


def _refuse_shared_identities(loaded: Loaded) -> None:
    too_many = np.flatnonzero(loaded.touchpoints > settings.CLM_PARK_TOUCHPOINTS)
    if len(too_many):
        raise TooManyTouchpointsError(int(loaded.customers[too_many[0]]), int(loaded.touchpoints[too_many[0]]))


def _note_hot(loaded: Loaded, now: datetime) -> None:
    """Remember who has very many touchpoints and when its next turn comes; forget who no longer has."""
    for index in np.flatnonzero(loaded.touchpoints > settings.CLM_HOT_TOUCHPOINTS).tolist():
        HotCustomer.objects.update_or_create(
            customer_id=int(loaded.customers[index]),
            defaults={"touchpoints": int(loaded.touchpoints[index]), "not_before": now + HOT_PAUSE},
        )
    if len(loaded.customers) == 1 and loaded.touchpoints[0] <= settings.CLM_HOT_TOUCHPOINTS:
        HotCustomer.objects.filter(customer=int(loaded.customers[0])).delete()
