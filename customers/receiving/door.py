"""Which source a write key opens. What was looked up is remembered for less than a second, so that a revoked key stops
within one, and thousands of requests ask the database once."""

import time
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, Subquery

from customers.models import Installation, Source

from .meaning import Sender
from .write_keys import hashed

KEPT_SECONDS = 0.8
_MOST = 1000
_known: dict[str, "tuple[float, Door | None]"] = {}


@dataclass(frozen=True, slots=True)
class Door:
    """A source that may send, and in which currencies it is understood."""

    source: Source
    sender: Sender


def forget() -> None:
    """Drop what this process remembers."""
    _known.clear()


def door_of(key: str, *, now: datetime) -> Door | None:
    """What a write key opens; None for an unknown or revoked one."""
    digest = hashed(key)
    until, door = _known.get(digest, (0.0, None))
    instant = time.monotonic()
    if until < instant:
        door = _looked_up(digest, now)
        if len(_known) >= _MOST:
            _known.clear()
        _known[digest] = (instant + KEPT_SECONDS, door)
    return door


def _looked_up(digest: str, now: datetime) -> Door | None:
    opens = Q(write_key_hash=digest) | Q(former_key_hash=digest, former_key_until__gt=now)
    installation = Installation.objects.filter(pk=1).values("currency")
    source = Source.objects.filter(opens, revoked_at=None).annotate(reporting=Subquery(installation)).first()
    if source is None:
        return None
    return Door(source, Sender(source.currency, source.reporting or Installation().currency))
