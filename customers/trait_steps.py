"""Traits as step functions of time. A step is a value, when it was set, and when it was last told again.

Every telling is kept, and the steps are a function of the tellings alone: the value told at each instant, joined while
it stays the same. So any order of arrival gives the same steps. Only two values told for one and the same instant have
no order in time; of them the one recorded later counts, and saying again what was said of that instant records nothing.
The steps are stored as well, because most tellings repeat what is known and most readers ask for steps."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
from msgspec.structs import replace

from clm.lib import sql

from .models import Cause

# A profile and the key of a trait.
TraitKey = tuple[int, str]


class Told(msgspec.Struct, frozen=True):
    """Somebody told that `key` of `profile` was `value` at an instant."""

    profile: int
    key: str
    value: Any
    at: datetime
    cause: Cause
    # All that was told with it: saying the same again of the same instant is no telling.
    traits: Mapping[str, Any]


class Step(msgspec.Struct, frozen=True):
    """One stored step; id None while it is new. `value` is canonical JSON text."""

    value: str
    set_at: datetime
    last_seen_at: datetime
    id: int | None = None


def canonical(value: Any) -> str:
    """JSON text that is the same for values that are the same, also after a way through the database, which writes
    numbers out: 1e16, 10000000000000000 and 10000000000000000.0 are one."""
    text = _WRITER.encode(value)
    return text.decode() if type(value) in _ONE_WAY else canonical_text(text)


def canonical_text(text: str | bytes) -> str:
    """The same for JSON text; numbers keep every digit."""
    return _WRITER.encode(_plain(_READER.decode(text))).decode()


# Values that can be written in one way only.
_ONE_WAY = frozenset({str, int, bool, type(None)})


def is_written_one_way(values: Iterable[Any]) -> bool:
    """Whether all of some values are canonical however they are written."""
    return all(type(value) in _ONE_WAY for value in values)


_READER = msgspec.json.Decoder(float_hook=Decimal)
_WRITER = msgspec.json.Encoder(order="sorted", decimal_format="number", enc_hook=str)


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else value.normalize()
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value


def keeps_first(key: str) -> bool:
    """Whether a trait is what was told first of it, whatever is told later: the first touch of a campaign."""
    return key.startswith("first_utm_")


def first_of(tellings: Iterable[tuple[datetime, str]]) -> list[Step]:
    """The one step of a trait that keeps what was told first."""
    return [Step(step.value, step.set_at, step.set_at) for step in steps_of(tellings)[:1]]


def steps_of(tellings: Iterable[tuple[datetime, str]]) -> list[Step]:
    """The steps that tellings (instant, value), in the order in which they were recorded, make."""
    value_at = dict(tellings)  # of one instant the later recorded
    steps: list[Step] = []
    for at, value in sorted(value_at.items(), key=lambda one: one[0]):
        if steps and steps[-1].value == value:
            steps[-1] = replace(steps[-1], last_seen_at=at)
        else:
            steps.append(Step(value=value, set_at=at, last_seen_at=at))
    return steps


def with_telling(steps: Sequence[Step], value: str, at: datetime) -> list[Step] | None:
    """The steps after one more telling; None if that takes more than the steps know: a differing value told within a
    step. `steps` lie in order of time and do not overlap."""
    before = [step for step in steps if step.last_seen_at < at]
    after = [step for step in steps if step.set_at > at]
    around = next((step for step in steps if step.set_at <= at <= step.last_seen_at), None)
    if around is not None:
        return list(steps) if around.value == value else None
    middle = Step(value=value, set_at=at, last_seen_at=at)
    if before and before[-1].value == value:
        middle = replace(before.pop(), last_seen_at=at)
    if after and after[0].value == value:
        later = after.pop(0)
        middle = replace(middle, last_seen_at=later.last_seen_at)
    return [*before, middle, *after]


def _again(steps: Sequence[Step], old: Sequence[Step]) -> list[Step]:
    """Steps made anew, stored ones recognised by value and beginning."""
    known = {(step.value, step.set_at): step.id for step in old}
    return [replace(step, id=known.get((step.value, step.set_at))) for step in steps]


@dataclass(frozen=True, slots=True)
class Known:
    """What is stored, read under the profiles' locks: steps by trait, profiles that share their customer with others,
    and hashes of messages."""

    steps: Mapping[TraitKey, Sequence[Step]]
    shared: frozenset[int]
    messages: frozenset[str]


@dataclass(slots=True)
class Change:
    """What telling traits changes, as parameters of customers/touchpoints_add."""

    gone: list[int] = field(default_factory=list)
    seen: list[tuple[int, datetime]] = field(default_factory=list)
    steps: list[dict[str, Any]] = field(default_factory=list)
    changed: dict[int, Cause] = field(default_factory=dict)


def traits_known(*, traits: Iterable[tuple[TraitKey, datetime]], source: int, messages: Sequence[str]) -> Known:
    """What telling some traits, each at an instant, can touch."""
    asked: dict[TraitKey, tuple[datetime, datetime]] = {}
    for trait, at in traits:
        first, last = asked.get(trait, (at, at))
        asked[trait] = (min(first, at), max(last, at))
    ordered = sorted(asked)
    steps: dict[TraitKey, list[Step]] = defaultdict(list)
    shared, known = set(), set()
    for what, number, profile, key, value, set_at, seen_at, message in sql.prepared_rows(
        "customers/traits_known",
        profiles=[profile for profile, _key in ordered],
        keys=[key for _profile, key in ordered],
        firsts=[asked[trait][0] for trait in ordered],
        lasts=[asked[trait][1] for trait in ordered],
        source=source,
        messages=messages,
    ):
        if what == "step":
            steps[profile, key].append(Step(canonical_text(value), set_at, seen_at, number))
        elif what == "shared":
            shared.add(profile)
        else:
            known.add(str(message))
    for each in steps.values():
        each.sort(key=lambda step: step.set_at)
    return Known(steps, frozenset(shared), frozenset(known))


def change_of(*, told: Sequence[Told], known: Known) -> Change:
    """What some tellings change. A profile that gets another step is changed, with the first cause among its changed
    traits; the caller holds the profiles' locks."""
    by_trait: dict[TraitKey, list[Told]] = defaultdict(list)
    for telling in told:
        by_trait[telling.profile, telling.key].append(telling)
    made = _made(by_trait, known.steps)
    change = Change()
    for (profile, key), tellings in sorted(by_trait.items()):
        old, steps = known.steps.get((profile, key), ()), made[profile, key]
        if not old or [(s.value, s.set_at) for s in steps] != [(s.value, s.set_at) for s in old]:
            first = min(telling.cause for telling in tellings)
            change.changed[profile] = min(first, change.changed.get(profile, first))
        change.steps += _records(profile, key, steps)
        if not old:  # as of everybody new: nothing is stored that could go or move
            continue
        kept = {step.id: step for step in steps if step.id is not None}
        was = {step.id: step for step in old if step.id is not None}
        change.gone += was.keys() - kept.keys()
        # A stored step keeps its value and its beginning; only its last telling moves.
        moved = [(number, step.last_seen_at) for number, step in kept.items() if step != was[number]]
        change.seen += moved
        # Where several profiles speak of a customer, saying again what this one said can overrule what another said
        # since.
        if moved and profile not in change.changed and profile in known.shared:
            change.changed[profile] = min(telling.cause for telling in tellings)
    return change


def _records(profile: int, key: str, steps: Sequence[Step]) -> list[dict[str, Any]]:
    """New steps as customers/touchpoints_add takes them."""
    return [
        {
            "profile": profile,
            "key": key,
            "value": msgspec.Raw(step.value.encode()),
            "set_at": step.set_at,
            "last_seen_at": step.last_seen_at,
        }
        for step in steps
        if step.id is None
    ]


def _made(
    by_trait: Mapping[TraitKey, Sequence[Told]], stored: Mapping[TraitKey, Sequence[Step]]
) -> dict[TraitKey, list[Step]]:
    """The steps after all tellings: from the stored steps where these suffice, else with what was told around them."""
    made: dict[TraitKey, list[Step]] = {}
    torn: list[TraitKey] = []
    for trait, tellings in by_trait.items():
        steps: list[Step] | None = list(stored.get(trait, ()))
        for telling in tellings:
            steps = None if steps is None else _with(trait[1], steps, canonical(telling.value), telling.at)
        if steps is None:
            torn.append(trait)
        else:
            made[trait] = steps
    if torn:
        for trait, tellings_known in _around({trait: by_trait[trait] for trait in sorted(torn)}, stored).items():
            steps = first_of(tellings_known) if keeps_first(trait[1]) else steps_of(tellings_known)
            made[trait] = _again(steps, stored.get(trait, ()))
    return made


def _with(key: str, steps: list[Step], value: str, at: datetime) -> list[Step] | None:
    if not steps:
        return [Step(value, at, at)]
    if not keeps_first(key):
        return with_telling(steps, value, at)
    if at < steps[0].set_at:
        return [Step(value, at, at)]
    return None if at == steps[0].set_at and value != steps[0].value else steps


def _around(
    torn: Mapping[TraitKey, Sequence[Told]], stored: Mapping[TraitKey, Sequence[Step]]
) -> dict[TraitKey, list[tuple[datetime, str]]]:
    """Tellings that make the same steps as everything ever told of some traits and what is told now: the ends of the
    stored steps, what was told next to each new telling, and the new ones last. Between two of these that are
    neighbours nothing else can make a difference: it lies within one step, and no new telling is beside it. What was
    said of its instant before is no new telling."""
    found: dict[TraitKey, list[tuple[datetime, str]]] = {
        trait: [(at, step.value) for step in stored.get(trait, ()) for at in (step.set_at, step.last_seen_at)]
        for trait in torn
    }
    # Where no step is stored nothing was ever told.
    asked = [(*trait, telling.at) for trait, tellings in torn.items() if stored.get(trait) for telling in tellings]
    said: set[tuple[int, datetime, str]] = set()
    beside = (
        sql.prepared_rows(
            "customers/traits_torn",
            profiles=[profile for profile, _key, _at in asked],
            keys=[key for _profile, key, _at in asked],
            instants=[at for _profile, _key, at in asked],
        )
        if asked
        else []
    )
    for profile, key, at, traits in beside:
        if traits is not None:
            said.add((profile, at, canonical_text(traits)))
        found[profile, key] += [
            (at, step.value) for step in stored[profile, key] if step.set_at <= at <= step.last_seen_at
        ]
    for trait, tellings in torn.items():
        for telling in tellings:
            if (telling.profile, telling.at, canonical(telling.traits)) not in said:
                found[trait].append((telling.at, canonical(telling.value)))
    return found
