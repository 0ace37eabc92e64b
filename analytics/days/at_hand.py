"""Remembered answers that a process has read, for a while: to read them again costs a statement each, and a page of a
segment is told a dozen. Within a process only; at most so many bytes, those used last."""

import time
from collections import OrderedDict
from threading import Lock

MOST_BYTES = 32_000_000


class Pigeonholes:
    """Bytes by name, each until its time is over. Many threads use it."""

    def __init__(self, *, most: int = MOST_BYTES) -> None:
        self._most, self._size = most, 0
        self._held: OrderedDict[str, tuple[float, bytes]] = OrderedDict()
        self._lock = Lock()

    def get(self, name: str) -> bytes | None:
        """What was put there, None when it is over."""
        with self._lock:
            held = self._held.get(name)
            if held is None:
                return None
            if held[0] <= time.monotonic():
                self._drop(name)
                return None
            self._held.move_to_end(name)
            return held[1]

    def put(self, name: str, told: bytes, seconds: float) -> None:
        """Hold it for so long, unless there is no room for it at all; what was unused longest makes room."""
        if len(told) > self._most:
            return
        with self._lock:
            if name in self._held:
                self._drop(name)
            while self._size + len(told) > self._most:
                self._drop(next(iter(self._held)))
            self._held[name] = (time.monotonic() + seconds, told)
            self._size += len(told)

    def _drop(self, name: str) -> None:
        self._size -= len(self._held.pop(name)[1])


AT_HAND = Pigeonholes()
