"""What is known before a portion of rows is stored, and what earlier rows of the same file have said: by it a row is
new, updates somebody, or changes nothing. A dry run and a run ask the same questions here."""

import hashlib
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from django.db import connection

from clm.lib import sql

from ..models import Source
from ..trait_steps import canonical_text
from .events_of import RowEvents

IdentityKey = tuple[str, str]
ConsentKey = tuple[str, str, str]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WRITER = msgspec.json.Encoder(order="sorted")


@dataclass(frozen=True, slots=True)
class Stated:
    """A stored statement of consent."""

    state: str
    at: datetime
    number: int


@dataclass(slots=True)
class Known:
    """What the database knows. now: its clock; owner: whose an identity is; traits: of customers, key -> (canonical
    JSON text, when it was told last); messages: hashes that are stored; affiliated: (customer, account key)."""

    now: datetime
    owner: dict[IdentityKey, int] = field(default_factory=dict)
    traits: dict[int, dict[str, tuple[str, datetime]]] = field(default_factory=dict)
    messages: set[str] = field(default_factory=set)
    consents: dict[ConsentKey, list[Stated]] = field(default_factory=dict)
    affiliated: set[tuple[int, str]] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Asked:
    """Whom and what some rows speak of, as parameters of customers/import_looks."""

    kinds: Sequence[str]
    identity_values: Sequence[str]
    keys: Sequence[str]
    touchpoints: Sequence[str]
    tellings: Sequence[str]
    addresses: Sequence[str]


def asked_by(rows: Sequence[RowEvents]) -> Asked:
    """Whom and what some rows speak of. Asks the database nothing."""
    identities = sorted({one for each in rows for one in each.row.identities})
    touchpoints: set[str] = set()
    tellings: set[str] = set()
    for each in rows:
        for event, hashed in zip(each.events, each.hashes, strict=True):
            (touchpoints if event.is_touchpoint else tellings).add(hashed)
    return Asked(
        kinds=[kind for kind, _value in identities],
        identity_values=[value for _kind, value in identities],
        keys=sorted({key for each in rows for key in each.row.traits or ()}),
        touchpoints=sorted(touchpoints),
        tellings=sorted(tellings),
        addresses=sorted({one.address.lower() for each in rows for one in each.row.consents}),
    )


def known_of(*, asked: Asked, source: Source | None) -> Known:
    """Look up whom and what some rows speak of, in one statement. source None: nothing of it is stored yet."""
    ((now, people, traits, messages, consents, affiliations),) = sql.rows(
        "customers/import_looks",
        kinds=sql.array(asked.kinds),
        identity_values=sql.array(asked.identity_values),
        keys=sql.array(asked.keys),
        source=0 if source is None else source.pk,
        touchpoints=sql.array(asked.touchpoints),
        tellings=sql.array(asked.tellings),
        addresses=sql.array(asked.addresses),
    )
    found = Known(now)
    for kind, value, customer in msgspec.json.decode(people):
        found.owner[kind, value] = customer
    for customer, key, value, seen_at in msgspec.json.decode(traits):
        found.traits.setdefault(customer, {})[key] = (canonical_text(value or "null"), _instant(seen_at))
    found.messages = set(msgspec.json.decode(messages))
    for address, channel, purpose, state, at, number in msgspec.json.decode(consents):
        found.consents.setdefault((address, channel, purpose), []).append(Stated(state, _instant(at), number))
    found.affiliated = {(customer, key) for customer, key in msgspec.json.decode(affiliations)}
    return found


def _instant(seconds: float) -> datetime:
    return _EPOCH + timedelta(microseconds=round(seconds * 1_000_000))


class Earlier:
    """What earlier rows of a file have said, which a dry run must remember although nothing of it is stored: a
    temporary table of the session. A run does without (is_kept False): what earlier portions said is stored."""

    def __init__(self, *, is_kept: bool) -> None:
        self.is_kept = is_kept
        self.now: dict[Hashable, Any] = {}  # what the rows of the present portion said
        self.before: dict[Hashable, Any] = {}  # and earlier ones, of what is asked now
        if is_kept:
            with connection.cursor() as cursor:
                cursor.execute("DROP TABLE IF EXISTS pg_temp.said_by_file")
                cursor.execute("CREATE TEMPORARY TABLE said_by_file (mark bigint PRIMARY KEY, said text NOT NULL)")

    def mark(self, *of: object) -> Hashable:
        """A name for something that a file says: 64 bits where it is stored, itself where one portion is remembered."""
        return mark(*of) if self.is_kept else of

    def next_portion(self, marks: Iterable[Hashable]) -> None:
        """Keep what the last portion said, and look up what is known of the marks of the next one. A run does not even
        ask for the marks."""
        self.before = {}
        if not self.is_kept:
            self.now = {}
            return
        with connection.cursor() as cursor:
            if self.now:
                cursor.execute(
                    "INSERT INTO said_by_file SELECT * FROM unnest(%s::bigint[], %s::text[]) "
                    "ON CONFLICT (mark) DO UPDATE SET said = excluded.said",
                    [list(self.now), [_WRITER.encode(said).decode() for said in self.now.values()]],
                )
            cursor.execute("SELECT mark, said FROM said_by_file WHERE mark = ANY(%s)", [sorted(set(marks))])
            self.before = {mark: msgspec.json.decode(said) for mark, said in cursor.fetchall()}
        self.now = {}

    def said(self, mark: Hashable) -> Any:
        """What was said under a mark last; None for nothing."""
        return self.now.get(mark, self.before.get(mark))

    def say(self, mark: Hashable, what: Any) -> None:
        self.now[mark] = what

    def close(self) -> None:
        if self.is_kept:
            with connection.cursor() as cursor:
                cursor.execute("DROP TABLE IF EXISTS pg_temp.said_by_file")


def mark(*of: object) -> int:
    """64 bits for something that a file said."""
    said = "\x1f".join(map(str, of)).encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(said, digest_size=8).digest(), "big", signed=True)
