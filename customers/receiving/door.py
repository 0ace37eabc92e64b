"""Which source a write key opens. What was looked up is remembered for less than a second, so that a revoked key stops
within one, and thousands of requests ask the database once."""

import time
from dataclasses import dataclass
from datetime import datetime

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Q, Subquery
from django.db.models.functions import JSONObject

from customers.mapped_types import MappedType
from customers.models import Installation, Source, TouchpointType

from .meaning import Sender
from .write_keys import hashed

KEPT_SECONDS = 0.8
_MOST = 1000
_known: dict[str, "tuple[float, Door | None]"] = {}


@dataclass(frozen=True, slots=True)
class Door:
    """A source that may send, in which currencies it is understood, and what its names mean."""

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
    mapped = TouchpointType.objects.exclude(mapped_at=None).order_by("id")
    types = ArraySubquery(mapped.values(told=JSONObject(name="name", role="role", reads="reads")))
    opened = Source.objects.filter(opens, revoked_at=None).annotate(reporting=Subquery(installation), types=types)
    source = opened.first()
    if source is None:
        return None
    names = {told["name"]: MappedType(told["role"], told["reads"]) for told in source.types}
    return Door(source, Sender(source.currency, source.reporting or Installation().currency, names))
