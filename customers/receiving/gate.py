"""How many batches one process stores at once. Those beyond wait for a moment and are then sent away with the word to
come back, so that a flood of events leaves threads for people, and a slow database is not asked for more still."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

WAIT_SECONDS = 1.0
_places = threading.BoundedSemaphore(max(1, settings.CLM_INGEST_AT_ONCE))


class Busy(Exception):  # noqa: N818 told to the client
    """There was no place within the waiting time."""


@contextmanager
def place() -> Iterator[None]:
    """A place to store a batch in."""
    if not _places.acquire(timeout=WAIT_SECONDS):
        raise Busy
    try:
        yield
    finally:
        _places.release()
