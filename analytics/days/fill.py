"""Keeping the daily figures right: `fill` is called again and again, by beat, by a command, by anybody, and each time
brings everything that was recorded since into the figures of the days it belongs to.

1. The instant up to which everything recorded is committed (`locks.settled_until`): nothing before it can be missed,
   and what comes after it is left to the next call. Nobody is waited for.
2. Statistics that are not counted yet, or on another basis (a version that went live, another time zone, other roles
   of types), are counted anew from everybody's history as known at that instant, in parts of at most a minute (sales:
   ten seconds) that are committed with how far they came; a killed count goes on where it stopped.
3. Of the others, whoever's history changed since the last call is taken off as it was known then and added as it is
   known now. Rows and mark are one transaction, so a crash leaves nothing half counted and the next call does it again.
4. The identities between the figures are checked.
5. What lists of customers are sorted by is read anew of whoever changed (`listed`).
6. How customers were won is read anew of whoever changed, and so are the credits of channels (`acquisition`).
7. Histories are strung together anew, when that is old enough (`packing`).
8. Who will lapse is computed anew, when it is old enough (`falls`).
9. Answers from history that are too old to be told again are dropped (`remembered`).

A fill locks no row that ingest or advance needs; merges wait while sales are counted."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
from django.db import transaction

from clm.lib import sql
from clm.lib.columns import Columns
from clm.lib.periods import local_day
from customers import locks
from customers.models import Cause, Customer, Installation, ProfileMove
from lifecycle.models import Stage, Subject

from ..models import (
    CONVERTED,
    Acquired,
    Activity,
    BegunPack,
    Broken,
    CohortDraw,
    CohortMonth,
    Counting,
    CreditDay,
    Fall,
    Listed,
    Member,
    OrderPath,
    PathStep,
    Revision,
    SalesDay,
    Seen,
    SoldPack,
    StageDay,
    StageMove,
    StagePack,
    StageShift,
)
from ..sorting import active_customers
from .acquisition import keep_acquisition
from .counts import SalesChanges, StageChanges
from .declared import ACQUISITION, APART, FALLS, PACKS, SALES, SEEN, STAGES
from .differences import NOBODY, Int64s, Spans, spells_in
from .falls import count_falls
from .histories import (
    Owners,
    SalesTypes,
    arrivals,
    changed,
    histories_of_range,
    histories_then_and_now,
    owners,
    sold_in_range,
    sold_then_and_now,
)
from .identities import broken_identities
from .listed import keep_listed
from .packing import keep_packs
from .packs import BEGUN, SOLD
from .remembered import forget_old, next_generation
from .stores import Stroke, copy_members, open_days, store_members, store_sales, store_stages

CHUNK = 50_000  # customers whose histories are in memory at once
PART_SECONDS = 60.0
SALES_SECONDS = 10.0  # of a part of sales, in which nobody is merged

Tell = Callable[[str], None]
_KEPT = (
    *(StageDay, StageMove, StageShift, Member, Fall, SalesDay, Activity, Seen, Listed, StagePack, SoldPack, BegunPack),
    *(Revision, Broken, Counting),
    *(Acquired, OrderPath, CreditDay, PathStep, CohortMonth, CohortDraw),
)


@dataclass(slots=True)
class Filled:
    """What a fill did. rows: kept rows that it touched; anew: statistics counted from the beginning; broken: identities
    that do not hold; known_at: what was recorded before it is counted, None when somebody else is at work."""

    known_at: datetime | None = None
    customers: int = 0
    rows: int = 0
    anew: int = 0
    broken: int = 0


def fill(*, tell: Tell = lambda _line: None, anew: bool = False) -> Filled:
    """Bring the kept figures up to everything that is committed. `anew`: forget them first."""
    known_at = locks.settled_until()
    done = Filled()
    if known_at is None:
        return done
    if anew and not forget():
        return done
    for part in (_stages_anew, _sales_anew, _seen_anew):
        if not part(known_at, done, tell):
            return done
    _look(known_at, done, tell)
    done.rows += keep_listed(known_at=known_at, tell=tell)
    done.rows += keep_acquisition(known_at=known_at, tell=tell)
    keep_packs(known_at=known_at, tell=tell)
    count_falls(tell=tell)
    forget_old()
    return done


@transaction.atomic
def forget() -> bool:
    """Drop all kept figures, so that the next fill counts them anew: for whoever has written rows that say they were
    recorded long ago. False when somebody is at work on them."""
    if not locks.try_own(locks.FILLING):
        return False
    for table in _KEPT:
        table.objects.all().delete()
    return True


def count_sales_anew() -> None:
    """Let the next fill count sales, activity, what sources sent and how customers were won from the beginning:
    touchpoints were taken back, and nothing says any more what they were."""
    Counting.objects.filter(statistic__in=(SALES.name, SEEN.name, ACQUISITION.name)).delete()
    Counting.objects.filter(statistic=PACKS.name, version__in=(SOLD, BEGUN)).delete()


# --- counting anew ---------------------------------------------------------------------------------------------
def _stages_anew(known_at: datetime, done: Filled, tell: Tell) -> bool:
    """Count every live version that is not counted yet; false when somebody else is at work."""
    while True:
        with transaction.atomic():
            if not locks.try_own(locks.FILLING):
                return False
            _begin_stages(known_at)
            begun = list(
                Counting.objects.filter(statistic=STAGES.name, state=Counting.State.STARTED).order_by("known_at", "pk")
            )
            together = [one for one in begun if (one.known_at, one.next_customer) == _mark(begun[0])]
            if not together:
                return True
            _part_of_stages(together, done, tell)


def _mark(one: Counting) -> tuple[datetime, int]:
    return one.known_at, one.next_customer


def _begin_stages(known_at: datetime) -> None:
    zone = Installation.current().time_zone
    live = set(
        Subject.objects.filter(live_version__isnull=False, retired_at=None).values_list("live_version", flat=True)
    )
    counted = {one.version: one for one in Counting.objects.filter(statistic=STAGES.name)}
    for version, one in counted.items():
        if version not in live or one.basis != zone:
            _forget_stages(version)
    for version in sorted(live):
        if version not in counted or counted[version].basis != zone:
            _forget_stages(version)
            Counting.objects.create(
                statistic=STAGES.name,
                version=version,
                state=Counting.State.STARTED,
                basis=zone,
                known_at=known_at,
                last_day=local_day(known_at, zone),
            )


def _forget_stages(version: int) -> None:
    for table in (StageDay, StageMove, StageShift, Member, Fall):
        table.objects.filter(version=version).delete()
    Revision.objects.filter(statistic=STAGES.name, version=version).delete()
    Counting.objects.filter(statistic__in=(STAGES.name, FALLS.name), version=version).delete()


def _part_of_stages(together: Sequence[Counting], done: Filled, tell: Tell) -> None:
    """As many customers as a minute allows, of several versions that are equally far."""
    one = together[0]
    last = _last_customer()
    changes = {each.version: _no_changes(each.version) for each in together}
    came_from = customer = one.next_customer
    began = time.monotonic()
    while customer <= last and time.monotonic() - began < PART_SECONDS:
        found = histories_of_range(
            first=customer, until=customer + CHUNK, versions=list(changes), known_at=one.known_at
        )
        for version, its in changes.items():
            rows = found["version"] == version
            entries = its.entries(found["customer"][rows], found["at"][rows], found["stage"][rows], one.basis)
            its.add(entries)
            copy_members(version=version, changes=its, entries=entries)
        customer += CHUNK
        tell(f"stages: customers up to {min(customer - 1, last)} of {last}")
    stroke = Stroke(today=one.last_day, known_at=one.known_at, cause=Cause.PUBLISH, finished=None)
    for version, its in changes.items():
        done.rows += store_stages(version=version, changes=its, stroke=stroke)
    for each in together:
        each.next_customer = customer
        if customer > last:
            each.state, each.done_at = Counting.State.DONE, each.known_at
            done.anew += 1
        each.save()
    done.customers += customer - came_from


def _last_customer() -> int:
    return Customer.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


def _no_changes(version: int) -> StageChanges:
    stages = Stage.objects.filter(subject__versions=version).order_by("pk").values_list("pk", flat=True)
    return StageChanges(tuple(stages))


@dataclass(frozen=True, slots=True)
class _ActiveSegment:
    """The segment of active customers: its live version, the code of being in it, and how its stages are coded."""

    version: int
    inside: int
    changes: StageChanges

    def spells(self, history: Columns, zone: str) -> Spans:
        found = self.changes.entries(history["customer"], history["at"], history["stage"], zone)
        return spells_in(found, self.inside)


def _active_segment() -> _ActiveSegment | None:
    active = active_customers()
    if active is None or active.version is None:
        return None
    changes = _no_changes(active.version)
    return _ActiveSegment(active.version, int(changes.coded(np.array([active.stage_id("in")]))[0]), changes)


def _no_spells() -> Spans:
    return Spans(NOBODY, NOBODY, NOBODY)


def _basis_of_sales(zone: str, types: SalesTypes, active: _ActiveSegment | None) -> str:
    version = active.version if active else 0
    return f"{zone}; purchases {list(types.purchases)}; refunds {list(types.refunds)}; active {version}"


def _sales_anew(known_at: datetime, done: Filled, tell: Tell) -> bool:
    """Count sales and activity from the beginning, unless they are counted; false when somebody else is at work."""
    while True:
        with transaction.atomic():
            if not locks.try_own(locks.FILLING):
                return False
            locks.own(locks.MERGES)
            one = _mark_of_sales(known_at)
            if one.state == Counting.State.DONE:
                return True
            _part_of_sales(one, done, tell)


def _mark_of_sales(known_at: datetime) -> Counting:
    """How far sales are counted; a count on another basis begins anew."""
    zone = Installation.current().time_zone
    basis = _basis_of_sales(zone, SalesTypes.mapped(), _active_segment())
    mark = Counting.objects.filter(statistic=SALES.name, basis=basis).first()
    if mark is not None:
        return mark
    for table in (SalesDay, Activity):
        table.objects.all().delete()
    Counting.objects.filter(statistic=SALES.name).delete()
    Revision.objects.filter(statistic=SALES.name).delete()
    return Counting.objects.create(
        statistic=SALES.name,
        version=0,
        state=Counting.State.STARTED,
        basis=basis,
        known_at=known_at,
        last_day=local_day(known_at, zone),
        moves_seen=_last_move(),
    )


def _part_of_sales(one: Counting, done: Filled, tell: Tell) -> None:
    """As many customers as some seconds allow: merges wait meanwhile. Profiles belong to whom they belonged to when the
    count began: what moved between two parts would else be counted twice or not at all. The next look moves it."""
    zone, types, active = Installation.current().time_zone, SalesTypes.mapped(), _active_segment()
    moved = _moved_since(one.moves_seen)
    changes, last = SalesChanges(zone), _last_customer()
    came_from, began = one.next_customer, time.monotonic()
    while one.next_customer <= last and (one.next_customer == came_from or time.monotonic() - began < SALES_SECONDS):
        span = {"first": one.next_customer, "until": one.next_customer + CHUNK}
        sold = sold_in_range(**span, types=types, known_at=one.known_at)
        theirs = moved[(moved >= span["first"]) & (moved < span["until"])]
        if len(theirs):
            sold = _sold_as_owned_then(sold, theirs, one, types)
        spells = _no_spells()
        if active:
            history = histories_of_range(**span, versions=[active.version], known_at=one.known_at)
            spells = active.spells(history, zone)
        changes.add(sold["customer"], sold, spells)
        one.next_customer += CHUNK
        tell(f"sales: customers up to {min(one.next_customer - 1, last)} of {last}")
    stroke = Stroke(today=one.last_day, known_at=one.known_at, cause=Cause.PUBLISH, finished=None)
    done.rows += store_sales(changes=changes, stroke=stroke)
    if one.next_customer > last:
        one.state, one.done_at = Counting.State.DONE, one.known_at
        done.anew += 1
    one.save()


def _moved_since(moves_seen: int) -> Int64s:
    """Who gave or got a profile since a move."""
    pairs = ProfileMove.objects.filter(pk__gt=moves_seen).values_list("from_customer_id", "to_customer_id")
    return np.array(sorted({customer for pair in pairs for customer in pair}), np.int64)


def _sold_as_owned_then(sold: Columns, theirs: Int64s, one: Counting, types: SalesTypes) -> Columns:
    """With what some customers bought and gave back as the profiles were theirs when the count began."""
    owned = owners(arrived=[], customers=theirs.tolist(), moves_seen=one.moves_seen)
    then, _now = sold_then_and_now(owned=owned, types=types, since=one.known_at, known_at=one.known_at)
    stays, came = ~np.isin(sold["customer"], theirs), np.isin(then["customer"], theirs)
    return {name: np.concatenate((column[stays], then[name][came])) for name, column in sold.items()}


def _last_move() -> int:
    return ProfileMove.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


@transaction.atomic
def _seen_anew(known_at: datetime, done: Filled, tell: Tell) -> bool:
    if not locks.try_own(locks.FILLING):
        return False
    if Counting.objects.filter(statistic=SEEN.name).exists():
        return True
    tell("seen: all touchpoints")
    Seen.objects.all().delete()
    done.rows += sql.run("analytics/days_seen", since=None, known_at=known_at).rowcount
    done.anew += 1
    Counting.objects.create(
        statistic=SEEN.name,
        version=0,
        state=Counting.State.DONE,
        basis="",
        known_at=known_at,
        last_day=known_at.date(),
        done_at=known_at,
    )
    return True


# --- what is new since the last count --------------------------------------------------------------------------
@transaction.atomic
def _look(known_at: datetime, done: Filled, tell: Tell) -> None:
    """Bring every counted statistic from what it knows to what is known at `known_at`, all in one transaction."""
    if not locks.try_own(locks.FILLING):
        return
    locks.own(locks.MERGES)
    counted = list(
        Counting.objects.filter(state=Counting.State.DONE, known_at__lt=known_at)
        .exclude(statistic__in=APART)
        .order_by("pk")
    )
    zone = Installation.current().time_zone
    today = local_day(known_at, zone)
    stages = [one for one in counted if one.statistic == STAGES.name]
    for since in sorted({one.known_at for one in stages}):
        _look_at_stages([one for one in stages if one.known_at == since], since, known_at, today, done)
    for one in counted:
        if one.statistic == SALES.name:
            _look_at_sales(one, known_at, zone, today, done)
        elif one.statistic == SEEN.name:
            done.rows += sql.run("analytics/days_seen", since=one.known_at, known_at=known_at).rowcount
    for one in counted:
        one.known_at, one.last_day = known_at, today
        one.save()
    done.known_at = known_at
    if done.rows and Revision.objects.filter(revised_on=today, revised_at=known_at).exists():
        next_generation(known_at=known_at)
    if done.rows or done.anew:
        done.broken = broken_identities(now=known_at)
        tell(f"identities: {done.broken} broken")
    else:
        done.broken = Broken.objects.count()


def _look_at_stages(
    counted: Sequence[Counting], since: datetime, known_at: datetime, today: date, done: Filled
) -> None:
    found = changed(versions=[one.version for one in counted], since=since, known_at=known_at)
    finished = local_day(since, counted[0].basis)
    for one in counted:
        open_days(version=one.version, last_day=one.last_day, today=today)
        for cause, customers in sorted(found.causes(one.version).items()):
            changes = _no_changes(one.version)
            for start in range(0, len(customers), CHUNK):
                then, now = histories_then_and_now(
                    customers=customers[start : start + CHUNK], version=one.version, since=since, known_at=known_at
                )
                was, is_now = (
                    changes.entries(history["customer"], history["at"], history["stage"], one.basis)
                    for history in (then, now)
                )
                changes.add(was, -1)
                changes.add(is_now)
                store_members(version=one.version, changes=changes, then=was, now=is_now)
            stroke = Stroke(today=today, known_at=known_at, cause=cause, finished=finished)
            done.rows += store_stages(version=one.version, changes=changes, stroke=stroke)
            done.customers += len(customers)


def _look_at_sales(one: Counting, known_at: datetime, zone: str, today: date, done: Filled) -> None:
    types, active, since = SalesTypes.mapped(), _active_segment(), one.known_at
    came = arrivals(types=types, since=since, known_at=known_at)
    otherwise: list[int] = []
    if active:
        otherwise = np.unique(changed(versions=[active.version], since=since, known_at=known_at).customer).tolist()
    owned = owners(arrived=list(came), customers=otherwise, moves_seen=one.moves_seen)
    moved = owned.then != owned.now
    merged = set(owned.then[moved].tolist()) | set(owned.now[moved].tolist())
    everybody = {*owned.then.tolist(), *owned.now.tolist(), *otherwise}
    arrived, converted = (
        set(owned.now[np.isin(owned.profile, [profile for profile, has in came.items() if has == wanted])].tolist())
        for wanted in (True, False)
    )
    converted -= arrived | merged
    finished = local_day(since, zone)
    for cause, customers in (
        (Cause.LATE, sorted(everybody - merged - converted)),
        (CONVERTED, sorted(converted)),
        (Cause.MERGE, sorted(merged)),
    ):
        changes = SalesChanges(zone)
        for start in range(0, len(customers), CHUNK):
            some = np.array(customers[start : start + CHUNK], np.int64)
            _exchange(changes, some, owned, types, active, since, known_at, zone)
        stroke = Stroke(today=today, known_at=known_at, cause=cause, finished=finished)
        done.rows += store_sales(changes=changes, stroke=stroke)
    one.moves_seen = _last_move()


def _exchange(
    changes: SalesChanges,
    customers: Int64s,
    owned: Owners,
    types: SalesTypes,
    active: _ActiveSegment | None,
    since: datetime,
    known_at: datetime,
    zone: str,
) -> None:
    """Take off what some customers' sales and activity were at `since`, and add what they are at `known_at`."""
    theirs = np.isin(owned.then, customers) | np.isin(owned.now, customers)
    of_theirs = Owners(owned.profile[theirs], owned.then[theirs], owned.now[theirs])
    sold = sold_then_and_now(owned=of_theirs, types=types, since=since, known_at=known_at)
    spells = [_no_spells(), _no_spells()]
    if active:
        histories = histories_then_and_now(
            customers=customers.tolist(), version=active.version, since=since, known_at=known_at
        )
        spells = [active.spells(history, zone) for history in histories]
    for rows, stays, sign in zip(sold, spells, (-1, 1), strict=True):
        own = np.isin(rows["customer"], customers)
        changes.add(rows["customer"][own], {name: column[own] for name, column in rows.items()}, stays, sign)
