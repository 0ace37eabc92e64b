"""Packed histories that a process has read, kept for whoever asks next: reading the four million transitions of a model
takes longer than counting them. What is held is what was packed, under the mark it was packed with, and what was read
of changes since; whoever asks next reads the rows of all whose history has changed after that. At most so many bytes
are held, those used last."""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

from django.conf import settings
from django.db import connection

from .strands import Strand

MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Held:
    """A strand with everything in it that was recorded before `since`."""

    strand: Strand
    since: datetime


class Shelf:
    """Strands by what was packed (`subject`) and by the mark that says when (`mark`); only the latest of a subject is
    held. Many threads use it."""

    def __init__(self) -> None:
        self._strands: OrderedDict[Hashable, tuple[Hashable, Held]] = OrderedDict()
        self._lock = Lock()

    def get(self, subject: Hashable, mark: Hashable) -> Held | None:
        """The strand of a subject, None unless it is held by that mark."""
        with self._lock:
            held = self._strands.get(subject)
            if held is None or held[0] != mark:
                return None
            self._strands.move_to_end(subject)
            return held[1]

    def holds(self, subject: Hashable) -> bool:
        """Whether anything of a subject is held, whatever its mark."""
        with self._lock:
            return subject in self._strands

    def put(self, subject: Hashable, mark: Hashable, held: Held) -> None:
        """Hold a strand, and let go of those unused longest where there is no room; one that is too large is not
        held."""
        most, strand = settings.CLM_HELD_MB * MEGABYTE, held.strand
        if strand.size > most:
            return
        strand.close()  # many read it
        with self._lock:
            self._strands.pop(subject, None)
            while self._strands and self._size() + strand.size > most:
                self._strands.popitem(last=False)
            self._strands[subject] = (mark, held)

    def _size(self) -> int:
        return sum(held.strand.size for _mark, held in self._strands.values())


SHELF = Shelf()


def may_be_held() -> bool:
    """Whether what is read now may be told to others, and what others have read to whoever reads now. Within a
    transaction it may not: that one may see an earlier instant, or what is never committed."""
    return not connection.in_atomic_block
