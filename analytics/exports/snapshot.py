"""One view of the data from the first row of a file to its last: whatever is written meanwhile is not in it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from customers.ingest import clock


@contextmanager
def snapshot(*, idle_seconds: int = 120) -> Iterator[datetime]:
    """A transaction that reads and sees one instant, which it answers. Whoever leaves it lying idle for longer than
    `idle_seconds` (a download that has stopped) loses it: an old view keeps the database from tidying up. Inside of
    another transaction it is that one."""
    if connection.in_atomic_block:
        yield clock()
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            cursor.execute("SELECT set_config('idle_in_transaction_session_timeout', %s, true)", [f"{idle_seconds}s"])
        yield clock()


@contextmanager
def beside_the_snapshot() -> Iterator[BaseDatabaseWrapper]:
    """A connection of its own, to write down how far one is; within somebody's transaction it is that one's."""
    if connection.in_atomic_block:
        yield connection
        return
    other = connection.copy()
    other.set_autocommit(True)
    try:
        yield other
    finally:
        other.close()
