"""Answers counted from history, kept for a few minutes: what is not kept per day (a segment, a period of one's own)
costs a look at everybody, and a page that is opened twice need not look twice.

An answer is remembered by its whole question, the instant it is as of included, and by a generation: a fill that moves
a finished day begins the next one, in its own transaction, so nobody is told an answer that a late fact has changed.
Nothing is remembered while nothing is counted per day: then the installation is small or has just begun."""

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.core.cache import cache

from clm.lib import sql

from .counters import counted_rows
from .packs import Packs

SECONDS = 300
MOST_ROWS = 20_000
_NOTHING = "nothing is remembered"
_GENERATION = "figures:generation"


def generation() -> str:
    """What must be the same for an answer to be told again."""
    return str(cache.get(_GENERATION) or "")


def next_generation(*, known_at: datetime) -> None:
    """Finished days have moved: tell no answer again that was given before."""
    cache.set(_GENERATION, known_at.isoformat(), None)


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
    if of is None:
        return _rows(name, packs, parameters)
    asked = repr((of, sorted(parameters.items())))
    key = f"figures:{name}:{hashlib.sha256(asked.encode()).hexdigest()[:32]}"
    kept: list[tuple[Any, ...]] | None = cache.get(key)
    if kept is not None:
        return kept
    found = _rows(name, packs, parameters)
    if len(found) <= MOST_ROWS:
        cache.set(key, found, SECONDS)
    return found


def remembered(name: str, /, *, of: str | None, count: Callable[[], Any], **asked: Any) -> Any:
    """What `count` says of a question, as it said at most SECONDS ago; the rest as in `remembered_rows`."""
    if of is None:
        return count()
    told = repr((of, sorted(asked.items())))
    key = f"figures:{name}:{hashlib.sha256(told.encode()).hexdigest()[:32]}"
    kept = cache.get(key, _NOTHING)
    if kept == _NOTHING:
        kept = count()
        cache.set(key, kept, SECONDS)
    return kept


def _rows(name: str, packs: Packs | None, parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
    counted = counted_rows(name, packs, parameters)
    return sql.rows(name, **parameters) if counted is None else counted
