"""Storing what happened: one READ COMMITTED transaction in which identities find or get their profile, touchpoints are
stored once, traits step, and every touched profile is marked as changed. No Customer row is locked and no message is
published: whoever answers a client answers after the commit, and the next tick finds the work.

Rows are written in one order everywhere (identities, profiles, touchpoints by message hash, traits, Stale), so that
overlapping batches wait for each other but never in a circle."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction

from clm.lib import sql
from clm.lib.milliseconds import truncated

from . import catalogue, locks
from .events import Event, body_hash, message_hash
from .models import Cause, Installation, PropertyKey, Source, Touchpoint
from .trait_steps import Told, tell_traits

IdentityKey = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Ingested:
    """What became of the events of one call. repeated: known message, same body; conflicting: known message, other body
    (the first stored wins). profiles: by position of the event."""

    new: int
    repeated: int
    conflicting: int
    new_customers: int
    profiles: tuple[int, ...]


@transaction.atomic
def ingest(*, source: Source, events: Sequence[Event], cause: Cause | None = None) -> Ingested:
    """Store `events` of one source, in the caller's transaction if there is one.

    `cause` None tells each event by itself: live if it happened within the news window, late otherwise."""
    if not events:
        return Ingested(0, 0, 0, 0, ())
    known = _profiles_of({identity for event in events for identity in event.identities})
    now = _clock_within_lock()
    keys = list(PropertyKey.objects.order_by("id").values_list("id", "key"))
    profile_of, new_customers = _resolve(events, known, now)
    profiles = tuple(profile_of[event.identities[0]] for event in events)
    touchpoints = [index for index, event in enumerate(events) if event.is_touchpoint]
    news_since = now - timedelta(hours=Installation.current().news_hours)
    causes = [cause or (Cause.LIVE if event.occurred_at > news_since else Cause.LATE) for event in events]
    new: set[int] = set()
    repeated = conflicting = 0
    if touchpoints:
        new, repeated, conflicting = _store(source, events, touchpoints, profiles, keys, now, causes)
    # A repeated message tells nothing, its traits included: the first stored wins.
    told = [
        Told(profile, key, value, min(event.occurred_at, truncated(now)), causes[index])
        for index, (event, profile) in enumerate(zip(events, profiles, strict=True))
        if index in new or not event.is_touchpoint
        for key, value in event.traits.items()
    ]
    if told:
        tell_traits(told=told, now=now)
    return Ingested(len(new), repeated, conflicting, new_customers, profiles)


def clock() -> datetime:
    """The database's time now, not the transaction's start: it is read after the locks are held."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (now,) = cursor.fetchone()
    return now


def _clock_within_lock() -> datetime:
    """The database's time, and from now to the commit no property is registered: those that are, are read next."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s, 0), clock_timestamp()", [locks.PROPERTY_KEYS])
        _locked, now = cursor.fetchone()
    return now


def _profiles_of(identities: Collection[IdentityKey]) -> dict[IdentityKey, int]:
    asked = sorted(identities)
    found = sql.rows(
        "customers/identities_known",
        kinds=[kind for kind, _value in asked],
        identity_values=[value for _kind, value in asked],
    )
    return {(kind, value): profile for kind, value, profile in found}


def _resolve(
    events: Sequence[Event], known: dict[IdentityKey, int], now: datetime
) -> tuple[dict[IdentityKey, int], int]:
    """The profile of every identity named, making those that are new.

    An event belongs to the profile of the strongest of its identities that is known; its unknown identities join that
    profile. Events that share unknown identities only are one new person."""
    owner: dict[IdentityKey, int] = dict(known)  # > 0: a profile; < 0: minus the ordinal of a new group
    merged: dict[int, int] = {}  # a group found to be the same as another owner

    def resolved(mark: int) -> int:
        while mark in merged:
            mark = merged[mark]
        return mark

    groups = 0
    for event in events:
        marks = [resolved(owner[identity]) for identity in event.identities if identity in owner]
        if not marks:
            groups += 1
            marks = [-groups]
        home = next((mark for mark in marks if mark > 0), marks[0])
        for mark in marks:
            if mark < 0 and mark != home:
                merged[mark] = home
        for identity in event.identities:
            owner.setdefault(identity, home)
    fresh = sorted(identity for identity in owner if identity not in known)
    if not fresh:
        return owner, 0
    marks = [resolved(owner[identity]) for identity in fresh]
    added = sql.rows(
        "customers/identities_add",
        kinds=[kind for kind, _value in fresh],
        identity_values=[value for _kind, value in fresh],
        known_profiles=[max(mark, 0) for mark in marks],
        groups=[max(-mark, 0) for mark in marks],
        group_count=groups,
        at=now,
    )
    stored = {(kind, value): profile for kind, value, profile in added}
    mark_of = dict(zip(fresh, marks, strict=True))
    lost = [identity for identity in fresh if identity not in stored]
    home_of: dict[int, int] = {}
    if lost:
        # Somebody else stored some of these people a moment ago; their commit is what we waited for, so look again.
        # Whoever is new together with one of them is that person.
        taken = _profiles_of(lost)
        for identity in (identity for event in events for identity in event.identities if identity in taken):
            home_of.setdefault(mark_of[identity], taken[identity])
        stored = _follow(stored, mark_of, home_of) | taken
    new_profiles = sorted({stored[one] for one in fresh if mark_of[one] < 0 and mark_of[one] not in home_of})
    if new_profiles:
        sql.rows("customers/profiles_add", profiles=new_profiles, at=now)
    return known | stored, len(new_profiles)


def _follow(
    stored: dict[IdentityKey, int], mark_of: dict[IdentityKey, int], home_of: dict[int, int]
) -> dict[IdentityKey, int]:
    """Move stored identities of new groups (marks below 0) that have a home elsewhere; where all are now."""
    moving = {one: home_of[mark_of[one]] for one in sorted(stored) if mark_of[one] < 0 and mark_of[one] in home_of}
    if moving:
        sql.run(
            "customers/identities_follow",
            kinds=[kind for kind, _value in moving],
            identity_values=[value for _kind, value in moving],
            profiles=list(moving.values()),
        ).close()
    return stored | moving


def _store(
    source: Source,
    events: Sequence[Event],
    touchpoints: Sequence[int],
    profiles: Sequence[int],
    keys: Sequence[tuple[int, str]],
    now: datetime,
    causes: Sequence[Cause],
) -> tuple[set[int], int, int]:
    """Store the touchpoints among the events: the positions of the new ones, how many were repeated, conflicting."""
    types = catalogue.type_ids(events[index].type for index in touchpoints)
    channels = catalogue.channel_ids(events[index].channel for index in touchpoints)
    arrival = truncated(now)
    records: dict[str, dict[str, object]] = {}
    position: dict[str, int] = {}
    repeated = conflicting = 0
    for index in touchpoints:
        event = events[index]
        message = str(message_hash(event.message_id))
        body = body_hash(event)
        first = records.get(message)
        if first is not None:
            repeated, conflicting = _again(first["body_hash"] == body, repeated, conflicting)
            continue
        lies_ahead = event.occurred_at > arrival
        position[message] = index
        records[message] = {
            "message_hash": message,
            "body_hash": body,
            "profile": profiles[index],
            "type": types[event.type],
            "channel": channels[event.channel],
            "occurred_at": (arrival if lies_ahead else event.occurred_at).isoformat(),
            "amount": event.amount,
            "original_amount": None if event.original_amount is None else str(event.original_amount),
            "currency": event.currency,
            "order_ref": event.order_ref,
            "flags": event.flags | (Touchpoint.Flag.CLAMPED if lies_ahead else 0),
            "cause": int(causes[index]),
            "properties": event.properties,
            "lines": [
                {
                    "number": number,
                    "product": line.product,
                    "description": line.description,
                    "category": line.category,
                    "quantity": str(line.quantity),
                    "amount": line.amount,
                    "cost": line.cost,
                    "is_product": line.is_product,
                }
                for number, line in enumerate(event.lines, start=1)
            ],
        }
    added = sql.rows(
        "customers/touchpoints_add",
        source=source.pk,
        at=arrival,
        touchpoints=json.dumps(list(records.values())),
        named_properties=[number for number, _key in keys],
        property_names=[key for _number, key in keys],
    )
    stored = {str(hashed) for (hashed,) in added}
    known = [message for message in records if message not in stored]
    if known:
        bodies = Touchpoint.objects.filter(source=source, message_hash__in=known).values_list(
            "message_hash", "body_hash"
        )
        for hashed, body in bodies:
            same = records[str(hashed)]["body_hash"] == body
            repeated, conflicting = _again(same, repeated, conflicting)
    return {position[message] for message in stored}, repeated, conflicting


def _again(same: bool, repeated: int, conflicting: int) -> tuple[int, int]:
    return (repeated + 1, conflicting) if same else (repeated, conflicting + 1)
