"""The catalogue of touchpoint types and channels: names to ids. Rows are never removed or renamed, so a process may
remember what it has seen committed."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from django.db import transaction

from clm.lib import sql

from .models import Channel, TouchpointType
from .standard_types import STANDARD_TYPES

_types: dict[str, int] = {}
_channels: dict[str, int] = {}


def forget() -> None:
    """Drop what this process remembers; whoever empties the tables calls it."""
    _types.clear()
    _channels.clear()


def unremembered(*, types: Iterable[str], channels: Iterable[str]) -> tuple[list[str], list[str]]:
    """Those names whose numbers this process does not know."""
    return sorted(set(types) - _types.keys()), sorted(set(channels) - _channels.keys())


def numbered(
    *,
    types: Iterable[str],
    channels: Iterable[str],
    found: tuple[Mapping[str, int], Mapping[str, int]],
    now: datetime,
) -> tuple[dict[str, int], dict[str, int]]:
    """The numbers of types and of channels, new names added in one statement. `found`: what was just read of those that
    `unremembered` named."""
    known_types, known_channels = {**_types, **found[0]}, {**_channels, **found[1]}
    new_types = sorted(set(types) - known_types.keys())
    new_channels = sorted(set(channels) - known_channels.keys())
    if new_types or new_channels:
        added = sql.rows(
            "customers/catalogue_add",
            types=new_types,
            roles=[STANDARD_TYPES.get(name, "other") for name in new_types],
            channels=new_channels,
            at=now,
        )
        known_types |= {name: number for what, number, name in added if what == "type"}
        known_channels |= {name: number for what, number, name in added if what == "channel"}
        # Names that somebody else added a moment ago.
        if lost := [name for name in new_types if name not in known_types]:
            known_types |= type_ids(lost)
        if lost := [key for key in new_channels if key not in known_channels]:
            known_channels |= channel_ids(lost)
    of_types, of_channels = {n: known_types[n] for n in types}, {n: known_channels[n] for n in channels}
    if of_types.keys() - _types.keys() or of_channels.keys() - _channels.keys():
        # Only what is committed may be remembered: a rolled back catalogue row has an id that nobody has.
        transaction.on_commit(lambda: (_types.update(of_types), _channels.update(of_channels)))
    return of_types, of_channels


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
