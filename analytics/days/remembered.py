"""Answers counted from history, kept for a few minutes: what is not kept per day (a segment, a period of one's own)
costs a look at everybody, and a page that is opened twice need not look twice.

An answer is remembered by its whole question, the instant it is as of included, and by a generation: a fill that moves
a finished day begins the next one, in its own transaction, so nobody is told an answer that a late fact has changed.
Nothing is remembered while nothing is counted per day: then the installation is small or has just begun.

All processes share what is remembered through the cache; what a process has read of it, it has at hand."""

import hashlib
import pickle
import zlib
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import uuid4

import numpy as np
from django.core.cache import cache

from clm.lib import sql

from .at_hand import AT_HAND
from .counters import counted_rows
from .held import may_be_held
from .lives import Int64s
from .packs import Packs

SECONDS = 300
MOST_ROWS = 20_000
_GENERATION = "figures:generation"


def generation() -> str:
    """What must be the same for an answer to be told again. Where none is known (nothing has moved yet, or it fell out
    of the cache) one begins that never was before."""
    known = cache.get(_GENERATION)
    if known is None:
        begun = uuid4().hex
        cache.add(_GENERATION, begun, None)
        known = cache.get(_GENERATION, begun)
    return str(known)


def next_generation(*, known_at: datetime) -> None:
    """Finished days have moved: tell no answer again that was given before."""
    cache.set(_GENERATION, known_at.isoformat(), None)


def forget_old() -> int:
    """Drop what is remembered no longer from the cache, which lets go of nothing by itself before it is full; how many
    answers."""
    return sql.run("analytics/answers_forget").rowcount


def remembered_now(*, now: datetime, zone: str) -> datetime:
    """The instant that pages which ask history mean by now, and say: at most SECONDS ago."""
    key = f"figures:now:{zone}"
    kept: datetime | None = cache.get(key)
    if kept is not None and kept <= now:
        return kept
    cache.set(key, now, SECONDS)
    return now


def remembered_rows(
    name: str, /, *, of: str | None, packs: Packs | None = None, **parameters: Any
) -> list[tuple[Any, ...]]:
    """All rows of a query file, as they were at most SECONDS ago; counted from `packs` where these answer it. of: the
    generation; None: remember nothing."""
    found: list[tuple[Any, ...]] = _told(
        name, of, parameters, lambda: _rows(name, packs, parameters), lambda rows: len(rows) <= MOST_ROWS
    )
    return found


def remembered(
    name: str,
    /,
    *,
    of: str | None,
    count: Callable[[], Any],
    is_kept: Callable[[Any], bool] = lambda _found: True,
    **asked: Any,
) -> Any:
    """What `count` says of a question, as it said at most SECONDS ago; the rest as in `remembered_rows`. is_kept: which
    answers are remembered."""
    return _told(name, of, asked, count, is_kept)


def remembered_ids(name: str, /, *, of: str | None, count: Callable[[], list[int]], **asked: Any) -> Int64s:
    """Ids of customers, rising, as they were at most SECONDS ago; the rest as in `remembered_rows`."""

    def packed() -> bytes:
        # The differences of rising ids are small: a million of them take about a megabyte.
        return zlib.compress(np.diff(np.array(count(), np.int64), prepend=0).tobytes(), 1)

    return np.frombuffer(zlib.decompress(_told(name, of, asked, packed)), np.int64).cumsum()


def _told(
    name: str,
    of: str | None,
    asked: dict[str, Any],
    count: Callable[[], Any],
    is_kept: Callable[[Any], bool] = lambda _found: True,
) -> Any:
    if of is None:
        return count()
    question = repr((of, sorted(asked.items())))
    key = f"answer:{name}:{hashlib.sha256(question.encode()).hexdigest()[:32]}"
    told = AT_HAND.get(key) if may_be_held() else None
    if told is None:
        told = cache.get(key)
        if told is None:
            found = count()
            if not is_kept(found):
                return found
            told = pickle.dumps(found, pickle.HIGHEST_PROTOCOL)
            cache.set(key, told, SECONDS)
        if may_be_held():
            AT_HAND.put(key, told, SECONDS)
    return pickle.loads(told)  # noqa: S301  # what we wrote ourselves


def _rows(name: str, packs: Packs | None, parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
    counted = counted_rows(name, packs, parameters)
    return sql.rows(name, **parameters) if counted is None else counted
