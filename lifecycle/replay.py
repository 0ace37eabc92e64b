"""Computing everybody anew, bucket by bucket: each holds its bucket's lock exclusively, runs the code of advance and
commits with the mark that it is done. Any number of processes share a replay; a killed one is taken up where it
stopped. Under unchanged versions it changes no row."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction

from clm.lib import sql
from clm.lib.columns import fetch_columns
from customers import locks
from customers.ingest import clock
from customers.models import Cause

from .advance import Advanced, news_about, settle, settle_and_undo, with_emptied
from .models import Replay, ReplayBucket
from .parking import ProgramFaultError, is_common, park, trouble

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a replay is."""

    buckets: int
    done: int
    customers: int
    touchpoints: int
    rows_changed: int
    rows_by_time: int


def start_replay(*, cause: Cause = Cause.ENGINE) -> Replay:
    """The unfinished replay of that cause, or a new one over all customers there are now."""
    with transaction.atomic():
        locks.own(locks.REPLAYS)
        unfinished = Replay.objects.filter(cause=cause, finished_at=None).first()
        if unfinished is not None:
            return unfinished
        replay = Replay.objects.create(cause=cause, started_at=clock())
        sql.run("lifecycle/replay_buckets_add", replay=replay.pk, size=settings.CLM_BUCKET_SIZE).close()
        return replay


def abandon_replays(*, cause: Cause, now: datetime) -> None:
    """End unfinished replays of that cause; what they have not reached is left to the next one."""
    Replay.objects.filter(cause=cause, finished_at=None).update(finished_at=now)


def replay_next(*, replay: Replay) -> bool:
    """Do one bucket that nobody is doing; false when none is left to take."""
    with transaction.atomic():
        taken = (
            ReplayBucket.objects.select_for_update(skip_locked=True)
            .filter(replay=replay, done_at=None)
            .order_by("bucket")
            .first()
        )
        if taken is None:
            return False
        locks.share(locks.VERSIONS)
        locks.own(locks.BUCKET, taken.bucket)
        done = _bucket(taken.bucket, Cause(replay.cause))
        taken.done_at = clock()
        taken.customers, taken.touchpoints = done.customers, done.touchpoints
        taken.rows_changed, taken.rows_by_time = done.written.rows, done.written.rows_by_time
        taken.save()
    return True


def _bucket(bucket: int, cause: Cause) -> Advanced:
    first = bucket * settings.CLM_BUCKET_SIZE
    inside = fetch_columns(
        "lifecycle/bucket_customers", {"customer": "q"}, first=first, last=first + settings.CLM_BUCKET_SIZE - 1
    )
    return _settle_or_split(inside["customer"].tolist(), cause)


def _settle_or_split(customers: Sequence[int], cause: Cause) -> Advanced:
    """Settle customers whose bucket is ours; if that raises, each half, down to the one that is parked for it."""
    if not customers:
        return Advanced()
    try:
        with transaction.atomic():
            news = news_about(customers)
            kept, emptied = with_emptied(set(customers), news)
            if not kept:  # their Stale rows stay for whoever comes next
                return Advanced()
            return settle(customers=sorted(kept | emptied), news=news, emptied=emptied, fallback=cause)
    except (OperationalError, InterfaceError, ProgramFaultError):
        raise  # the database's trouble or the program's, not a customer's
    except Exception as error:
        if len(customers) == 1:
            # Raised out of the bucket, it undoes the bucket: nobody stays parked for what is not their trouble.
            if is_common(error, customers=customers, try_one=settle_and_undo):
                raise ProgramFaultError(f"the same for customers picked at random: {trouble(error)}") from error
            park(customers[0], error)
            return Advanced(parked=1)
        log.exception("%d customers of a replay failed; trying halves of them", len(customers))
    middle = len(customers) // 2
    done = _settle_or_split(customers[:middle], cause)
    done.add(_settle_or_split(customers[middle:], cause))
    return done


def finish(*, replay: Replay) -> None:
    """Mark the replay as finished if every bucket is done."""
    with transaction.atomic():
        if not ReplayBucket.objects.filter(replay=replay, done_at=None).exists():
            Replay.objects.filter(pk=replay.pk, finished_at=None).update(finished_at=clock())


def progress(*, replay: Replay) -> Progress:
    (row,) = sql.rows("lifecycle/replay_progress", replay=replay.pk)
    return Progress(*row)


def replay_all(*, cause: Cause = Cause.ENGINE, tell: Callable[[Progress], None] = lambda _progress: None) -> Progress:
    """A whole replay in this process, sharing it with whoever else works on it."""
    replay = start_replay(cause=cause)
    while replay_next(replay=replay):
        tell(progress(replay=replay))
    # Buckets that another process holds are its to finish; wait for them, and take over those it leaves.
    while ReplayBucket.objects.filter(replay=replay, done_at=None).exists():
        with transaction.atomic():
            waiting = ReplayBucket.objects.select_for_update().filter(replay=replay, done_at=None).first()
            left = waiting is not None and waiting.done_at is None
        if left:
            replay_next(replay=replay)
    finish(replay=replay)
    return progress(replay=replay)
