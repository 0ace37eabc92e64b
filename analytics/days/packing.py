"""Stringing histories together (`packs`), so that periods and segments that are not kept per day are counted fast.

Packs need not be fresh: whoever reads them reads the rows of all whose history changed since. So they are made anew
when a hundred times as long has passed as it took, and something has changed: a hundredth of a processor at most. Each
range of customers is a transaction; a pack newer than its mark says nothing wrong. What the mark says is read before
the first row, and the old mark counts until the last. One process strings at a time; the lock that says so ends with
it, however it ends."""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction

from clm.lib import sql
from customers import locks
from customers.ingest import clock
from customers.models import Customer, ProfileMove, Role
from lifecycle.models import Subject

from ..models import BegunPack, Counting, SoldPack, StagePack
from ..sales import types_of
from .declared import PACKS
from .histories import SalesTypes
from .packs import BEGUN, SOLD, basis_of_begun, basis_of_sold

SIZE = 50_000  # ids in a range of customers
REST = 100  # times as long as it took
LEAST_REST = timedelta(minutes=1)


def keep_packs(*, known_at: datetime, tell: Callable[[str], None] = lambda _line: None) -> int:
    """Make what is missing or old, unless somebody else is at it; how many versions, what was bought and when life
    began among them. known_at: everything recorded before it is committed."""
    with locks.held_alone(locks.PACKING) as alone:
        return _made(known_at, tell) if alone else 0


def _made(known_at: datetime, tell: Callable[[str], None]) -> int:
    types, signups = SalesTypes.mapped(), types_of(Role.SIGNUP)
    live = set(
        Subject.objects.filter(live_version__isnull=False, retired_at=None).values_list("live_version", flat=True)
    )
    wanted = {
        SOLD: basis_of_sold(purchases=types.purchases, refunds=types.refunds),
        BEGUN: basis_of_begun(signups=signups),
        **dict.fromkeys(live, ""),
    }
    moves = ProfileMove.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    taken = _taken(wanted, known_at, moves)
    if not taken:
        return 0
    last = Customer.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    for part in range(min(mark.next_customer for mark in taken) // SIZE, last // SIZE + 1):
        _pack(part, [mark for mark in taken if mark.next_customer <= part * SIZE], types, signups)
        tell(f"packs: customers up to {min((part + 1) * SIZE - 1, last)} of {last}")
    for mark in taken:
        is_first = mark.state == Counting.State.STARTED
        # A mark that is gone says that something was taken back meanwhile, and nobody knows what was strung before.
        Counting.objects.filter(pk=mark.pk).update(
            state=Counting.State.DONE,
            basis=wanted[mark.version],
            known_at=mark.known_at if is_first else known_at,
            last_day=known_at.date(),
            next_customer=0,
            moves_seen=mark.moves_seen if is_first else moves,
            done_at=clock(),
        )
    return len(taken)


@transaction.atomic
def _taken(wanted: dict[int, str], known_at: datetime, moves: int) -> list[Counting]:
    """The marks of what is missing or old. What has never been there is strung on where a killed process stopped, and
    is as of when that one began; anything else from the beginning, and is readable meanwhile as it was."""
    now = clock()
    marks = {mark.version: mark for mark in Counting.objects.select_for_update().filter(statistic=PACKS.name)}
    gone = sorted(set(marks) - set(wanted))
    if gone:
        Counting.objects.filter(statistic=PACKS.name, version__in=gone).delete()
        StagePack.objects.filter(version__in=gone).delete()
    taken = []
    for version, basis in sorted(wanted.items()):
        mark = marks.get(version)
        if mark is not None and mark.state == Counting.State.STARTED and mark.basis != basis:
            mark.delete()
            mark = None
        if mark is None:
            mark = Counting.objects.create(
                statistic=PACKS.name,
                version=version,
                state=Counting.State.STARTED,
                basis=basis,
                known_at=known_at,
                last_day=known_at.date(),
                moves_seen=moves,
                started_at=now,
            )
            taken.append(mark)
        elif mark.state == Counting.State.STARTED:
            mark.next_customer -= mark.next_customer % SIZE
            taken.append(mark)
        elif mark.basis != basis or _is_old(mark, now):
            Counting.objects.filter(pk=mark.pk).update(started_at=now)
            mark.next_customer = 0
            taken.append(mark)
    return taken


def _is_old(mark: Counting, now: datetime) -> bool:
    done = mark.done_at or mark.started_at
    return now >= done + max((done - mark.started_at) * REST, LEAST_REST) and _is_behind(mark)


def _is_behind(mark: Counting) -> bool:
    """Whether anything has come since it was made."""
    if mark.version not in (SOLD, BEGUN):
        return bool(sql.rows("analytics/packs_stages_behind", version=mark.version, since=mark.known_at))
    if mark.version == BEGUN:
        return bool(sql.rows("analytics/packs_begun_changed", since=mark.known_at, moves_seen=mark.moves_seen))
    types = SalesTypes.mapped()
    return bool(
        sql.rows(
            "analytics/packs_sold_changed",
            types=[*types.purchases, *types.refunds],
            since=mark.known_at,
            moves_seen=mark.moves_seen,
        )
    )


@transaction.atomic
def _pack(part: int, marks: list[Counting], types: SalesTypes, signups: list[int]) -> None:
    """String one range of customers together, and write down how far what is strung for the first time has come."""
    stages = [mark.version for mark in marks if mark.version not in (SOLD, BEGUN)]
    versions = {mark.version for mark in marks}
    if stages:
        StagePack.objects.filter(part=part, version__in=stages).delete()
        sql.run("analytics/packs_stages_add", versions=stages, part=part, size=SIZE).close()
    if SOLD in versions:
        SoldPack.objects.filter(part=part).delete()
        sql.run(
            "analytics/packs_sold_add",
            part=part,
            size=SIZE,
            purchases=list(types.purchases),
            refunds=list(types.refunds),
        ).close()
    if BEGUN in versions:
        BegunPack.objects.filter(part=part).delete()
        sql.run("analytics/packs_begun_add", part=part, size=SIZE, signups=signups).close()
    Counting.objects.filter(pk__in=[mark.pk for mark in marks], state=Counting.State.STARTED).update(
        next_customer=(part + 1) * SIZE
    )
