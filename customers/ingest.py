"""Storing what happened: one READ COMMITTED transaction in which identities find or get their profile, touchpoints are
stored once, traits step, and every touched profile is marked as changed. No Customer row is locked and no message is
published: whoever answers a client answers after the commit, and the next tick finds the work.

Rows are written in one order everywhere (catalogue, identities, profiles, touchpoints by message hash, traits, Stale),
so that overlapping batches wait for each other but never in a circle. A batch takes at most six statements, whatever
its size: what there is (ingest_begins), new names (catalogue_add), new people (people_add), known traits
(traits_known), what was told around late ones (traits_torn), the writing (touchpoints_add), and for a batch that was
known in part and brings no new name the bodies of what was not (raw_bodies_add); most take three or four."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
from django.db import connection, transaction

from clm.lib import sql
from clm.lib.milliseconds import truncated

from . import catalogue, locks
from .erased import digests_of, named, note_met, sift
from .events import Event, body_hash, message_text
from .models import Cause, Source, Touchpoint
from .raw_bodies import packed
from .resolve import Apart, IdentityKey, Known, People, resolve
from .trait_steps import Change, Told, change_of, is_written_one_way, traits_known

_ENCODER = msgspec.json.Encoder(decimal_format="number", enc_hook=str)
_TRIES = 5


@dataclass(frozen=True, slots=True)
class Ingested:
    """What became of the events of one call. repeated: known message, same body; conflicting: known message, other body
    (the first stored wins). profiles: by position of the event, 0 for one that is about nobody but somebody who was
    erased, of which there are `erased`; apart: customers that an event named as one."""

    new: int
    repeated: int
    conflicting: int
    new_customers: int
    profiles: tuple[int, ...]
    apart: tuple[Apart, ...] = ()
    erased: int = 0


class Raced(RuntimeError):  # noqa: N818 an accident, not a fault
    """A message believed to be new was stored by somebody else meanwhile, as somebody else's: begin again."""


def ingest(*, source: Source, events: Sequence[Event], cause: Cause | None = None) -> Ingested:
    """Store `events` of one source, in the caller's transaction if there is one.

    `cause` None tells each event by itself: live if it happened within the news window, late otherwise."""
    for _try in range(_TRIES):
        try:
            with transaction.atomic():
                return ingest_within(source=source, events=events, cause=cause)
        except Raced:
            continue
    raise Raced


def ingest_within(
    *,
    source: Source,
    events: Sequence[Event],
    cause: Cause | None = None,
    newcomers: str | None = None,
    patience_ms: int | None = None,
    statement_ms: int | None = None,
) -> Ingested:
    """The same in the caller's transaction, whose business it is to begin again after Raced.

    newcomers     the type of the touchpoint that somebody new gets who did nothing in these events
    patience_ms   how long the transaction waits for a lock
    statement_ms  how long each of its statements after the first may take"""
    if not events:
        return Ingested(0, 0, 0, 0, ())
    types = {event.type for event in events if event.is_touchpoint} | ({newcomers} if newcomers else set())
    channels = {event.channel for event in events}
    begun = _begin(events, types, channels, patience_ms, statement_ms)
    asked, places = len(events), tuple(range(len(events)))
    if begun.erased:
        sifted = sift(events=events, erased=begun.erased, known=begun.known)
        events, places = sifted.events, sifted.places
        if sifted.met:
            note_met(met=sifted.met, at=begun.now)
    gone = asked - len(events)
    if not events:
        return Ingested(0, 0, 0, 0, (0,) * asked, erased=gone)
    now = begun.now
    type_ids, channel_ids = catalogue.numbered(types=types, channels=channels, found=begun.found, now=now)
    people = resolve(events=events, known=begun.known, now=now)
    news_since = now - timedelta(hours=begun.news_hours)
    causes = [cause or (Cause.LIVE if event.occurred_at > news_since else Cause.LATE) for event in events]
    batch = _Batch(
        source, events, people, causes, type_ids, channel_ids, now, truncated(now), newcomers, begun.names_are_new
    )
    new, repeated, conflicting = batch.store()
    profiles = people.profiles
    if gone:
        profile_at = dict(zip(places, profiles, strict=True))
        profiles = tuple(profile_at.get(place, 0) for place in range(asked))
    return Ingested(new, repeated, conflicting, len(people.made), profiles, people.apart, gone)


def clock() -> datetime:
    """The database's time now, not the transaction's start: it is read after the locks are held."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (now,) = cursor.fetchone()
    return now


@dataclass(frozen=True, slots=True)
class _Begun:
    """What an ingest knows before it writes: see customers/sql/ingest_begins.sql."""

    now: datetime
    news_hours: int
    known: dict[IdentityKey, Known]
    found: tuple[dict[str, int], dict[str, int]]
    erased: frozenset[str]
    # Whether the catalogue does not know some of the names: adding them takes a statement.
    names_are_new: bool


# Whether anybody was ever erased, as far as this process knows: until then nobody's identifiers need be hashed.
_some_are_erased = False


def _begin(
    events: Sequence[Event], types: set[str], channels: set[str], patience_ms: int | None, statement_ms: int | None
) -> _Begun:
    global _some_are_erased
    asked = sorted({identity for event in events for identity in event.identities})
    asked_types, asked_channels = catalogue.unremembered(types=types, channels=channels)
    while True:
        hashed = _some_are_erased
        digests = (
            {digest for one in {each for event in events for each in named(event)} for digest in digests_of(*one)}
            if hashed
            else ()
        )
        ((now, news_hours, *people, found_types, found_channels, erased, some_are_erased),) = sql.prepared_rows(
            "customers/ingest_begins",
            lock=locks.PROPERTY_KEYS,
            patience=None if patience_ms is None else f"{patience_ms}ms",
            limit=None if statement_ms is None else f"{statement_ms}ms",
            kinds=[kind for kind, _value in asked],
            identity_values=[value for _kind, value in asked],
            types=asked_types,
            channels=asked_channels,
            digests=sorted(digests),
        )
        _some_are_erased = some_are_erased
        if hashed or not some_are_erased:
            break
    known = {
        asked[place - 1]: Known(profile, customer, has_user)
        for place, profile, customer, has_user in zip(*people, strict=True)
    }
    found = msgspec.json.decode(found_types), msgspec.json.decode(found_channels)
    names_are_new = len(found[0]) < len(asked_types) or len(found[1]) < len(asked_channels)
    return _Begun(now, news_hours, known, found, frozenset(erased), names_are_new)


class _Row(msgspec.Struct):
    """A touchpoint on its way into customers/touchpoints_add."""

    message_hash: str
    body_hash: int
    profile: int
    type: int
    channel: int
    occurred_at: datetime
    cause: Cause
    tells: bool
    flags: int
    event: Event


class _Telling(msgspec.Struct):
    """What an event tells of traits. message_hash: of a message that does nothing else; begins: it is all that was ever
    told of its profile."""

    place: int
    profile: int
    at: datetime
    traits: Mapping[str, Any]
    message_hash: str | None
    begins: bool = False


@dataclass(frozen=True)
class _Batch:
    """Events whose people are known, on their way into the database."""

    source: Source
    events: Sequence[Event]
    people: People
    causes: Sequence[Cause]
    types: Mapping[str, int]
    channels: Mapping[str, int]
    now: datetime
    arrival: datetime
    newcomers: str | None
    names_are_new: bool

    def store(self) -> tuple[int, int, int]:
        """How many were new, repeated, conflicting."""
        records: dict[str, _Row] = {}
        position: dict[str, int] = {}
        repeated = conflicting = 0
        events = self.events
        hashes = [message_text(event.message_id) for event in events]
        for index, event in enumerate(events):
            message = hashes[index]
            if event.is_touchpoint:
                body = body_hash(event)
                if (first := records.get(message)) is not None:
                    repeated, conflicting = _again(first.body_hash == body, repeated, conflicting)
                    continue
                records[message] = self._record(index, message, body, event)
            elif event.is_telling and message in position:
                repeated += 1
                continue
            position.setdefault(message, index)
        arrived = {message: raw for message, index in position.items() if (raw := events[index].raw) is not None}
        records |= self._welcomes(hashes)
        change, tellings, again = self._traits(self._told(hashes, position), records)
        known = self._write(records, tellings, change, arrived)
        if lost := [message for message, body in known.items() if body is None]:
            # Stored by somebody else while the statement ran.
            stored = Touchpoint.objects.filter(source=self.source, message_hash__in=lost)
            known |= {str(hashed): body for hashed, body in stored.values_list("message_hash", "body_hash")}
        new = sum(message in position for message in records)
        for message, stored_body in known.items():
            if message in position:
                new -= 1
                repeated, conflicting = _again(stored_body == records[message].body_hash, repeated, conflicting)
        return new, repeated + again, conflicting

    def _record(self, index: int, message: str, body: int, event: Event) -> _Row:
        lies_ahead = event.occurred_at > self.arrival
        return _Row(
            message,
            body,
            self.people.profiles[index],
            self.types[event.type],
            self.channels[event.channel],
            self.arrival if lies_ahead else event.occurred_at,
            self.causes[index],
            bool(event.traits),
            event.flags | int(Touchpoint.Flag.CLAMPED) if lies_ahead else event.flags,
            event,
        )

    def _welcomes(self, hashes: Sequence[str]) -> dict[str, _Row]:
        """A touchpoint for everybody new who did nothing: nobody is without a life."""
        if self.newcomers is None or not self.people.made:
            return {}
        active = {
            profile for event, profile in zip(self.events, self.people.profiles, strict=True) if event.is_touchpoint
        }
        first: dict[int, int] = {}
        for index, profile in enumerate(self.people.profiles):
            if profile in self.people.made and profile not in active:
                earliest = first.setdefault(profile, index)
                if self.events[index].occurred_at < self.events[earliest].occurred_at:
                    first[profile] = index
        made = {}
        for index in first.values():
            message = message_text(f"created:{hashes[index]}")
            event = self.events[index]
            welcome = Event(message, event.identities, self.newcomers, event.channel, event.occurred_at)
            made[message] = self._record(index, message, body_hash(welcome), welcome)
        return made

    def _told(self, hashes: Sequence[str], position: Mapping[str, int]) -> dict[str | int, _Telling]:
        """By message (or by place, for what is remembered by no message): the record of the telling."""
        records: dict[str | int, _Telling] = {}
        for index, event in enumerate(self.events):
            if not event.traits and (event.is_touchpoint or not event.is_telling):
                continue
            is_telling = event.is_telling
            remembered = event.is_touchpoint or is_telling
            if remembered and position.get(hashes[index]) != index:
                continue
            records[hashes[index] if remembered else index] = _Telling(
                index,
                self.people.profiles[index],
                min(event.occurred_at, self.arrival),
                event.traits,
                hashes[index] if is_telling else None,
            )
        return records

    def _traits(
        self, tellings: Mapping[str | int, _Telling], records: Mapping[str, _Row]
    ) -> tuple[Change, list[_Telling], int]:
        """What the traits of new messages change, their tellings, and how many of these messages are known already."""
        if not tellings:
            return Change(), [], 0
        made = self.people.made
        known = traits_known(
            # Of somebody made in this transaction nothing was told before.
            traits=[
                ((each.profile, key), each.at)
                for each in tellings.values()
                if each.profile not in made
                for key in each.traits
            ],
            source=self.source.pk,
            messages=[name for name in tellings if isinstance(name, str)],
        )
        # A repeated message tells nothing, its traits included: the first stored wins.
        for message in known.messages & records.keys():
            records[message].tells = False
        times = Counter([each.profile for each in tellings.values()])
        said: set[tuple[int, datetime, bytes]] = set()
        spoken: list[Told] = []
        begun: dict[int, Cause] = {}
        written: list[_Telling] = []
        for name, record in tellings.items():
            if name in known.messages:
                continue
            profile, at, traits = record.profile, record.at, record.traits
            if traits and profile in made and times[profile] == 1 and is_written_one_way(traits.values()):
                # All that was ever told of somebody: each value is a step, and the telling itself says which.
                begun[profile] = self.causes[record.place]
                record.begins = True
                written.append(record)
                continue
            mark = (profile, at, _SORTED.encode(traits)) if times[profile] > 1 else None
            if mark is not None and mark in said:  # the same, of the same instant, in one batch
                if record.message_hash is None:
                    continue
                record.traits = {}
            else:
                if mark is not None:
                    said.add(mark)
                cause = self.causes[record.place]
                spoken += [Told(profile, key, value, at, cause, traits) for key, value in traits.items()]
            written.append(record)
        again = sum(name in known.messages and name not in records for name in tellings)
        change = change_of(told=spoken, known=known)
        change.changed |= begun
        return change, written, again

    def _write(
        self, records: Mapping[str, _Row], tellings: Sequence[_Telling], change: Change, bodies: Mapping[str, bytes]
    ) -> dict[str, int | None]:
        """The touchpoints that were known already, by message: the hash of the stored body, None if it was stored while
        this ran."""
        named = [telling.message_hash for telling in tellings if telling.message_hash is not None]
        raws: list[str | None] = []
        telling_raws: list[str | None] = []
        if self.names_are_new:
            # One by one: should some of these messages be known, keeping the others would be a seventh statement.
            texts = {message: bodies[message].decode() for message in (*records, *named) if message in bodies}
            raws = [texts.get(message) for message in records]
            telling_raws = [
                None if each.message_hash is None or each.message_hash in records else texts.get(each.message_hash)
                for each in tellings
            ]
            bodies = {}
        else:
            # Of what is known to be known nothing is written.
            bodies = {message: bodies[message] for message in (*records, *named) if message in bodies}
        rows = list(records.values())
        told = [row.event for row in rows]
        changed = sorted(change.changed)
        known = sql.prepared_rows(
            "customers/touchpoints_add",
            source=self.source.pk,
            at=self.arrival,
            now=self.now,
            hashes=list(records),
            body_hashes=[row.body_hash for row in rows],
            profiles=[row.profile for row in rows],
            types=[row.type for row in rows],
            channels=[row.channel for row in rows],
            instants=[row.occurred_at for row in rows],
            causes=[int(row.cause) for row in rows],
            tells=[row.tells for row in rows],
            properties=_text([event.properties for event in told]),
            amounts=_unless_none([event.amount for event in told]),
            original_amounts=_unless_none([event.original_amount for event in told]),
            currencies=_if_any([event.currency for event in told]),
            order_refs=_if_any([event.order_ref for event in told]),
            flags=_if_any([int(row.flags) for row in rows]),
            raws=raws,
            lines=_text(_lines(told)),
            telling_profiles=[telling.profile for telling in tellings],
            telling_instants=[telling.at for telling in tellings],
            telling_traits=_text([telling.traits for telling in tellings]),
            telling_hashes=_unless_none([telling.message_hash for telling in tellings]),
            telling_raws=telling_raws,
            begins=[telling.begins for telling in tellings],
            steps=_text(change.steps),
            gone=change.gone,
            seen=[number for number, _at in change.seen],
            seen_at=[at for _number, at in change.seen],
            changed=changed,
            changed_causes=[int(change.changed[profile]) for profile in changed],
            expected=sum([row.tells for row in rows]) + len(named),
            messages=list(bodies),
            bodies=packed(list(bodies.values())),
            asked=len(records) + len(named),
        )
        if not all(is_whole for *_rest, is_whole in known):
            raise Raced
        messages = list(records)
        repeated = {messages[place - 1]: body for place, body, _whole in known if place is not None}
        if bodies and repeated:
            # The bodies of what was stored of a batch that was known in part.
            self._keep({message: body for message, body in bodies.items() if message not in repeated})
        return repeated

    def _keep(self, bodies: Mapping[str, bytes]) -> None:
        if bodies:
            sql.run(
                "customers/raw_bodies_add",
                at=self.arrival,
                source=self.source.pk,
                messages=list(bodies),
                body=packed(list(bodies.values())),
            ).close()


_SORTED = msgspec.json.Encoder(order="sorted", decimal_format="number", enc_hook=str)


def _text(told: Sequence[Any]) -> str:
    """An array as JSON text."""
    return _ENCODER.encode(told).decode() if told else "[]"


def _if_any(values: list[Any]) -> list[Any]:
    """Values of which each may be empty; nothing if all are."""
    return values if any(values) else []


def _unless_none(values: list[Any]) -> list[Any]:
    """Values of which each may be None; nothing if all are."""
    return values if values.count(None) < len(values) else []


def _lines(events: Sequence[Event]) -> list[dict[str, Any]]:
    """The order lines of events, with the place of their touchpoint, from 1."""
    return [
        {
            "place": place,
            "number": number,
            "product": line.product,
            "description": line.description,
            "category": line.category,
            "quantity": line.quantity,
            "amount": line.amount,
            "cost": line.cost,
            "is_product": line.is_product,
        }
        for place, event in enumerate(events, start=1)
        if event.lines
        for number, line in enumerate(event.lines, start=1)
    ]


def _again(same: bool, repeated: int, conflicting: int) -> tuple[int, int]:
    return (repeated + 1, conflicting) if same else (repeated, conflicting + 1)
