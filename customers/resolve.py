"""Whose events are: identities find their profile, or get one.

An event belongs to the profile of the strongest of its identities that is known; its unknown identities join that
profile. Events that share unknown identities only are one new person. A user id is a person's own name: a new one never
joins a profile that has another, unless the event itself says that both are one. So somebody who signs in on a device
that another used before is another person."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from clm.lib import sql

from .events import Event

IdentityKey = tuple[str, str]
USER = "user_id"


class Known(msgspec.Struct, frozen=True):
    """Where a stored identity belongs. has_user: its profile has a user id."""

    profile: int
    customer: int
    has_user: bool


@dataclass(frozen=True, slots=True)
class Apart:
    """A message named two people in one breath: profile is the one it belongs to, other has the identity too."""

    profile: int
    other: int
    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class People:
    """profiles: by position of the event; apart: who was named together and is not one customer; made: new profiles."""

    profiles: tuple[int, ...]
    apart: tuple[Apart, ...] = ()
    made: frozenset[int] = frozenset()


@dataclass
class _Owners:
    """Marks of identities while a batch is read: above 0 a profile, below 0 minus the ordinal of a new group."""

    owner: dict[IdentityKey, int]
    has_user: set[int]
    merged: dict[int, int] = field(default_factory=dict)  # a group found to be the same as another owner
    groups: int = 0

    def resolved(self, mark: int) -> int:
        while mark in self.merged:
            mark = self.merged[mark]
        return mark

    def mark_of(self, identity: IdentityKey) -> int | None:
        mark = self.owner.get(identity)
        return None if mark is None else self.resolved(mark)

    def read(self, event: Event) -> None:
        marks = [self.mark_of(one) for one in event.identities]
        first = marks[0]
        if first is not None and first in self.has_user and marks.count(first) == len(marks):
            return  # known, by every name, as one person who has a name of his own: as nearly everybody is
        self._read(event, [mark for mark in marks if mark is not None])

    def _read(self, event: Event, marks: list[int]) -> None:
        user = next((one for one in event.identities if one[0] == USER), None)
        own = None if user is None else self.mark_of(user)
        if user is not None and own is None and not event.says_same:
            # A new name: whoever has another one is somebody else.
            marks = [mark for mark in marks if mark not in self.has_user]
        home = own if own is not None else next((mark for mark in marks if mark > 0), marks[0] if marks else None)
        if home is None:
            self.groups += 1
            home = -self.groups
        for mark in marks:
            both_named = mark in self.has_user and home in self.has_user
            if mark < 0 and mark != home and (event.says_same or not both_named):
                self.merged[mark] = home
                if mark in self.has_user:
                    self.has_user.add(home)
        if user is not None:
            self.has_user.add(home)
        for identity in event.identities:
            self.owner.setdefault(identity, home)


def resolve(*, events: Sequence[Event], known: dict[IdentityKey, Known], now: datetime) -> People:
    """The profile of every event; identities, profiles and customers that are new are stored, and the profiles of
    events that tell traits are locked in order of id."""
    owners = _Owners(
        {one: at.profile for one, at in known.items()}, {at.profile for at in known.values() if at.has_user}
    )
    for event in events:
        owners.read(event)
    fresh = sorted(identity for identity in owners.owner if identity not in known)
    mark_of = owners.owner
    if owners.merged:
        mark_of = {identity: owners.resolved(mark) for identity, mark in mark_of.items()}
    telling = sorted({mark_of[event.identities[0]] for event in events if event.traits} - {0})
    customers = {at.profile: at.customer for at in known.values()}
    if not fresh and not telling:
        profile_of, made = mark_of, frozenset[int]()
    else:
        profile_of, made = _store(fresh, mark_of, owners.groups, [one for one in telling if one > 0], customers, now)
    profiles = tuple([profile_of[event.identities[0]] for event in events])
    apart = dict.fromkeys(
        Apart(home, profile_of[identity], *identity)
        for event, home in zip(events, profiles, strict=True)
        for identity in event.identities[1:]
        if profile_of[identity] != home
        and (home in made or profile_of[identity] in made or customers[profile_of[identity]] != customers[home])
    )
    return People(profiles, tuple(apart), made)


def _store(
    fresh: Sequence[IdentityKey],
    mark_of: dict[IdentityKey, int],
    groups: int,
    telling: Sequence[int],
    customers: dict[int, int],
    now: datetime,
) -> tuple[dict[IdentityKey, int], frozenset[int]]:
    marks = [mark_of[identity] for identity in fresh]
    added = sql.prepared_rows(
        "customers/people_add",
        kinds=[kind for kind, _value in fresh],
        identity_values=[value for _kind, value in fresh],
        known_profiles=[max(mark, 0) for mark in marks],
        groups=[max(-mark, 0) for mark in marks],
        group_count=groups,
        telling=list(telling),
        at=now,
    )
    stored = {(kind, value): profile for what, kind, value, profile in added if what == "stored"}
    made = frozenset(profile for what, _kind, _value, profile in added if what == "made")
    lost = [identity for identity in fresh if identity not in stored]
    if lost:
        stored, made = _beside_others(fresh, mark_of, stored, lost, telling, customers, now)
    known = {identity: mark for identity, mark in mark_of.items() if identity not in stored}
    return known | stored, made


def _beside_others(
    fresh: Sequence[IdentityKey],
    mark_of: dict[IdentityKey, int],
    stored: dict[IdentityKey, int],
    lost: Sequence[IdentityKey],
    telling: Sequence[int],
    customers: dict[int, int],
    now: datetime,
) -> tuple[dict[IdentityKey, int], frozenset[int]]:
    """Somebody else stored some of these people a moment ago; their commit is what we waited for, so look again.
    Whoever is new together with one of them is that person."""
    owned = sql.rows(
        "customers/identities_owned", kinds=[kind for kind, _v in lost], identity_values=[value for _k, value in lost]
    )
    taken = {(kind, value): profile for kind, value, profile, _customer in owned}
    customers |= {profile: customer for _kind, _value, profile, customer in owned}
    home_of: dict[int, int] = {}
    for identity in lost:
        if identity in taken:
            home_of.setdefault(mark_of[identity], taken[identity])
    moving = {one: home_of[mark_of[one]] for one in sorted(stored) if mark_of[one] < 0 and mark_of[one] in home_of}
    if moving:
        sql.run(
            "customers/identities_follow",
            kinds=[kind for kind, _value in moving],
            identity_values=[value for _kind, value in moving],
            profiles=list(moving.values()),
        ).close()
    stored = stored | moving | taken
    made = sorted({stored[one] for one in fresh if mark_of[one] < 0 and mark_of[one] not in home_of and one in stored})
    if made:
        sql.rows("customers/profiles_add", profiles=made, at=now)
    held = sorted({*telling, *(profile for profile in stored.values() if profile not in made)})
    sql.run("customers/profiles_held", profiles=held).close()
    return stored, frozenset(made)
