"""How many batches one process stores at once. Those beyond wait for a moment and are then sent away with the word to
come back, so that a flood of events leaves threads for people, and a slow database is not asked for more still.

Who waits holds the last thread. So once somebody has waited in vain nobody waits for a while: else a flood would hold
that thread by turns, and a page would stand in line behind all of it (10 s were measured)."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

WAIT_SECONDS = 0.5
# For so long after a vain wait whoever finds no place is sent away at once.
FULL_SECONDS = 5.0
_full_until = 0.0
_places = threading.BoundedSemaphore(max(1, settings.CLM_INGEST_AT_ONCE))


class Busy(Exception):  # noqa: N818 told to the client
    """There was no place within the waiting time."""


@contextmanager
def place() -> Iterator[None]:
    """A place to store a batch in."""
    global _full_until
    if not _places.acquire(blocking=False):
        if time.monotonic() < _full_until:
            raise Busy
        if not _places.acquire(timeout=WAIT_SECONDS):
            _full_until = time.monotonic() + FULL_SECONDS
            raise Busy
    try:
        yield
    finally:
        _places.release()
