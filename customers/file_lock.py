"""One file at a time fills a source: an importing session holds its lock over many transactions. A killed session gives
it back by itself, so whoever holds it may go on where another one stopped."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection
from django.db.utils import OperationalError

from . import locks
from .models import Import, Source


class ImportRefused(Exception):  # noqa: N818 told to people
    """The import cannot begin; the message says why and what to do."""


class Stopped(Exception):  # noqa: N818 no fault: somebody asked for it
    """Somebody paused or stopped the import; what is stored is stored."""


def refuse_stopped(record: Import) -> None:
    """Hold the import's row until the transaction ends, and look whether its work is still asked for."""
    found = Import.objects.select_for_update(no_key=True).filter(pk=record.pk).values_list("state", flat=True).first()
    if found != record.state:
        raise Stopped(str(found))


@contextmanager
def alone(source: Source) -> Iterator[None]:
    """Hold the source for this session. A killed import's session may live a moment longer, so wait a little;
    ImportRefused if somebody else keeps it."""
    with connection.cursor() as cursor:
        try:
            cursor.execute("SET lock_timeout = '15s'")
            cursor.execute("SELECT pg_advisory_lock(%s, %s)", [locks.FILES, source.pk])
        except OperationalError as error:
            raise ImportRefused(f'another import of the source "{source.key}" is running') from error
        finally:
            cursor.execute("SET lock_timeout = DEFAULT")
    try:
        yield
    finally:
        _give_back(source)


@contextmanager
def alone_at_once(source: Source) -> Iterator[bool]:
    """The same without waiting: whether nobody else holds it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [locks.FILES, source.pk])
        (held,) = cursor.fetchone()
    try:
        yield bool(held)
    finally:
        if held:
            _give_back(source)


def is_connected() -> bool:
    """Whether the session can still be told anything."""
    return not connection.needs_rollback and connection.is_usable()


def _give_back(source: Source) -> None:
    if is_connected():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [locks.FILES, source.pk])
