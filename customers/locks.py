"""The advisory locks of the program, in the order in which they are taken. All of them end with the transaction.

1. PROPERTY_KEYS shared by every ingest, exclusive while a property is registered: an ingest knows the property or
   has ended before its backfill begins. Exclusive too while a customer's names are erased: whatever was on its way to
   that customer is there by then, and what comes later finds its profiles closed.
2. VERSIONS shared by every advance, exclusive while a version goes live: nobody mixes two versions.
3. MERGES exclusive for every merge, unmerge and erasure: they are rare, and one at a time they cannot wait in a circle.
4. BUCKET of a contiguous range of customer ids: shared by advance (tried, never waited for), merge, unmerge and erasure
   (waited for, in order), exclusive by replay. Only after it come the row locks of customers, in order of id.
5. SEQUENCER while announcements get their place.
6. Row locks of profiles while traits are told, and while their customers are merged, in order of id.

A request with an idempotency key takes, before all of these, a lock of its own without waiting
(`clm.lib.access.kept_answers`); if it brings customers up to date as well, PROPERTY_KEYS and VERSIONS follow at once.

FILLING keeps daily figures from being counted by two at once: tried, never waited for, and taken before MERGES, which
a count holds while it reads whose profiles are.

SCORING keeps customers from being scored by two at once: tried, never waited for. Nothing is taken after it; whoever
tells rules what was scored shares PROPERTY_KEYS and VERSIONS before.

A portion of simulated people is stored under its SIMULATED after PROPERTY_KEYS and before anything else, so that two
runs of one seed share the work.

PUBLISHING is held by whoever makes versions live, before it takes VERSIONS: one publish after the other. PUBLICATIONS
is tried, and held by a session over many transactions, by whoever fulfils what people asked to be made live.

DRAFTING is held by whoever drafts a change of what stages and segments mean, before anything else: numbers of versions
and keys are given to one after the other.

DELIVERING is tried, and held by a session over many transactions, by whoever delivers webhooks; MAILING likewise by
whoever sends reports, and PACKING by whoever strings histories together.

FILES of a source is of another kind: an importing session holds it over many transactions and waits for nothing else
because of it, so that one source is filled from one file at a time.

Whoever writes rows that say when they were recorded (Touchpoint.received_at, Transition.recorded_at) holds
PROPERTY_KEYS or VERSIONS from before it reads the clock until it commits: `settled_until` rests on it."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime

from django.conf import settings
from django.db import OperationalError, connection, transaction

from clm.lib import sql
from clm.lib.milliseconds import truncated

PROPERTY_KEYS = 7301
VERSIONS = 7302
MERGES = 7303
BUCKET = 7304
SEQUENCER = 7305
REPLAYS = 7306
INSTALL = 7307
FILES = 7308
PUBLISHING = 7309
SIMULATED = 7310
PUBLICATIONS = 7311
DRAFTING = 7312
FILLING = 7313
DELIVERING = 7314
SCORING = 7315
MAILING = 7316
PACKING = 7317
EXPERIMENTS = 7318

# Whoever waits for an exclusive lock holds up all who come after: it is tried for so long, so many times, with pauses
# in which the others go on, before it is simply waited for.
_TRY_MILLISECONDS, _PAUSE_SECONDS, _TRIES = 250, 0.05, 40
_LOCK_NOT_AVAILABLE = "55P03"


def share(lock: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s, 0)", [lock])


def own(lock: int, number: int = 0) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [lock, number])


def try_own(lock: int) -> bool:
    """Own the lock if nobody else does."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, 0)", [lock])
        (owned,) = cursor.fetchone()
    return bool(owned)


@contextmanager
def held_alone(lock: int) -> Iterator[bool]:
    """Hold a lock over many transactions, if nobody else does; whether it is held. It ends with the session, so whoever
    is killed holds nothing."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, 0)", [lock])
        (owned,) = cursor.fetchone()
    try:
        yield bool(owned)
    finally:
        if owned:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, 0)", [lock])


def settled_until() -> datetime | None:
    """Every row that says it was recorded before this instant is committed, or never will be: a reader that goes on
    from here misses nothing. None while a writer's start is hidden from this database role.

    The clock is read first: a writer that is not among the holders of the locks afterwards reads a later one."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (now,) = cursor.fetchone()
    ((writers, known, earliest),) = sql.rows("customers/writers", locks=[PROPERTY_KEYS, VERSIONS])
    if known < writers:
        return None
    return truncated(now if earliest is None else min(now, earliest))


def own_patiently(lock: int) -> None:
    """Like `own`, for a lock that many share all the time: nobody is held up for long while somebody keeps it."""
    for _try in range(_TRIES):
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{_TRY_MILLISECONDS}ms"])
                cursor.execute("SELECT pg_advisory_xact_lock(%s, 0)", [lock])
                cursor.execute("SET LOCAL lock_timeout TO DEFAULT")
            return
        except OperationalError as error:
            if getattr(error.__cause__, "pgcode", None) != _LOCK_NOT_AVAILABLE:
                raise
        time.sleep(_PAUSE_SECONDS)
    own(lock)


def bucket_of(customer: int) -> int:
    return customer // settings.CLM_BUCKET_SIZE


def shared_buckets(customers: Iterable[int]) -> set[int]:
    """Try to share the buckets of these customers; the buckets that could be shared."""
    wanted = sorted({bucket_of(customer) for customer in customers})
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT bucket FROM unnest(%s::int[]) AS bucket WHERE pg_try_advisory_xact_lock_shared(%s, bucket)",
            [wanted, BUCKET],
        )
        return {bucket for (bucket,) in cursor.fetchall()}


def share_buckets(customers: Iterable[int]) -> None:
    """Share the buckets of these customers, waiting for each in order."""
    for bucket in sorted({bucket_of(customer) for customer in customers}):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock_shared(%s, %s)", [BUCKET, bucket])
