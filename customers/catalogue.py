"""The catalogue of touchpoint types and channels: names to ids. Rows are never removed or renamed, so a process may
remember what it has seen committed."""

from collections.abc import Iterable

from django.db import transaction

from .models import Channel, TouchpointType
from .standard_types import STANDARD_TYPES

_types: dict[str, int] = {}
_channels: dict[str, int] = {}


def forget() -> None:
    """Drop what this process remembers; whoever empties the tables calls it."""
    _types.clear()
    _channels.clear()


def type_ids(names: Iterable[str]) -> dict[str, int]:
    """Ids by name. New names enter the catalogue with their standard role, or as `other` until an admin maps them."""
    wanted = set(names)
    found = {name: _types[name] for name in wanted & _types.keys()}
    missing = sorted(wanted - found.keys())
    if missing:
        fresh = dict(TouchpointType.objects.filter(name__in=missing).values_list("name", "id"))
        # A refused insert costs a number too, and numbers are few: only what is really new is tried.
        if new := [name for name in missing if name not in fresh]:
            TouchpointType.objects.bulk_create(
                [TouchpointType(name=name, role=STANDARD_TYPES.get(name, "other")) for name in new],
                ignore_conflicts=True,
            )
            fresh |= dict(TouchpointType.objects.filter(name__in=new).values_list("name", "id"))
        # Only what is committed may be remembered: a rolled back catalogue row has an id that nobody has.
        transaction.on_commit(lambda: _types.update(fresh))
        found |= fresh
    return found


def channel_ids(keys: Iterable[str]) -> dict[str, int]:
    """Ids by key; new channels enter the catalogue."""
    wanted = set(keys)
    found = {key: _channels[key] for key in wanted & _channels.keys()}
    missing = sorted(wanted - found.keys())
    if missing:
        fresh = dict(Channel.objects.filter(key__in=missing).values_list("key", "id"))
        if new := [key for key in missing if key not in fresh]:
            Channel.objects.bulk_create([Channel(key=key) for key in new], ignore_conflicts=True)
            fresh |= dict(Channel.objects.filter(key__in=new).values_list("key", "id"))
        transaction.on_commit(lambda: _channels.update(fresh))
        found |= fresh
    return found
