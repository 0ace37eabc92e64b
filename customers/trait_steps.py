"""Traits as step functions of time. A step is a value, when it was set, and when it was last told again.

Every telling is kept, and the steps are a function of the tellings alone: the value told at each instant, joined while
it stays the same. So any order of arrival gives the same steps. Only two values told for one and the same instant have
no order in time; of them the one recorded later counts, and saying again what was said of that instant records nothing.
The steps are stored as well, because most tellings repeat what is known and most readers ask for steps."""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef

from clm.lib import sql

from .models import Cause, Profile, Stale, Trait

# A profile and the key of a trait.
TraitKey = tuple[int, str]


@dataclass(frozen=True, slots=True)
class Told:
    """Somebody told that `key` of `profile` was `value` at an instant."""

    profile: int
    key: str
    value: Any
    at: datetime
    cause: Cause


@dataclass(frozen=True, slots=True)
class Step:
    """One stored step; id None while it is new. `value` is canonical JSON text."""

    value: str
    set_at: datetime
    last_seen_at: datetime
    id: int | None = None


def canonical(value: Any) -> str:
    """JSON text that is the same for values that are the same, also after a way through the database, which writes
    numbers out: 1e16, 10000000000000000 and 10000000000000000.0 are one."""
    plain = json.loads(json.dumps(value, default=str), parse_float=_plain_number)
    return json.dumps(plain, sort_keys=True, separators=(",", ":"))


def _plain_number(text: str) -> int | float:
    number = Decimal(text)
    return int(number) if number == number.to_integral_value() else float(text)


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


@transaction.atomic
def tell_traits(*, told: Sequence[Told], now: datetime) -> int:
    """Store tellings; returns how many profiles got another step and were marked as changed, each with the first cause
    among its changed traits. The profile rows are locked in order of id, so two tellers of one trait take turns."""
    profiles = sorted({telling.profile for telling in told})
    list(Profile.objects.select_for_update(no_key=True).filter(pk__in=profiles).order_by("pk").values_list("pk"))
    by_trait: dict[TraitKey, list[Told]] = defaultdict(list)
    for telling in told:
        by_trait[telling.profile, telling.key].append(telling)
    stored: dict[TraitKey, list[Step]] = defaultdict(list)
    for number, profile, key, value, set_at, seen_at in sql.rows(
        "customers/traits_around",
        profiles=[profile for profile, _key in by_trait],
        keys=[key for _profile, key in by_trait],
    ):
        stored[profile, key].append(Step(canonical(json.loads(value)), set_at, seen_at, number))
    _record(told)
    made = _made(by_trait, stored)
    # Where several profiles speak of a customer, saying again what this one said can overrule what another said since.
    shared = _sharing(profiles)
    changed: dict[int, Cause] = {}
    fresh: list[Trait] = []
    seen: list[tuple[int, datetime]] = []
    gone: list[int] = []
    for (profile, key), tellings in sorted(by_trait.items()):
        old, steps = stored[profile, key], made[profile, key]
        if [(s.value, s.set_at) for s in steps] != [(s.value, s.set_at) for s in old]:
            first = min(telling.cause for telling in tellings)
            changed[profile] = min(first, changed.get(profile, first))
        kept = {step.id: step for step in steps if step.id is not None}
        was = {step.id: step for step in old if step.id is not None}
        gone += was.keys() - kept.keys()
        # A stored step keeps its value and its beginning; only its last telling moves.
        moved = [(number, step.last_seen_at) for number, step in kept.items() if step != was[number]]
        seen += moved
        if moved and profile not in changed and profile in shared:
            changed[profile] = min(telling.cause for telling in tellings)
        fresh += [
            Trait(
                profile_id=profile,
                key=key,
                value=json.loads(step.value),
                set_at=step.set_at,
                last_seen_at=step.last_seen_at,
                recorded_at=now,
            )
            for step in steps
            if step.id is None
        ]
    if gone:  # first, for another step may begin where one began
        Trait.objects.filter(pk__in=gone).delete()
    if seen:
        sql.run(
            "customers/traits_seen", traits=[number for number, _at in seen], seen_at=[at for _number, at in seen]
        ).close()
    Trait.objects.bulk_create(fresh)
    Stale.objects.bulk_create([Stale(profile_id=profile, cause=cause) for profile, cause in sorted(changed.items())])
    return len(changed)


def _sharing(profiles: Sequence[int]) -> set[int]:
    """Those of some profiles whose customer has others too."""
    others = Profile.objects.filter(customer=OuterRef("customer")).exclude(pk=OuterRef("pk"))
    return set(Profile.objects.filter(Exists(others), pk__in=profiles).values_list("pk", flat=True))


def _record(told: Sequence[Told]) -> None:
    """Append what was told, a row per profile and instant, but nothing that was said of that instant before."""
    rows: dict[tuple[int, datetime], dict[str, Any]] = {}
    for telling in told:
        rows.setdefault((telling.profile, telling.at), {})[telling.key] = telling.value
    sql.run(
        "customers/trait_tellings_add",
        profiles=[profile for profile, _at in rows],
        told_at=[at for _profile, at in rows],
        traits=[json.dumps(traits, default=str) for traits in rows.values()],
    ).close()


def _made(by_trait: dict[TraitKey, list[Told]], stored: dict[TraitKey, list[Step]]) -> dict[TraitKey, list[Step]]:
    """The steps after all tellings: from the stored steps where these suffice, else from everything ever told."""
    made: dict[TraitKey, list[Step]] = {}
    torn: dict[TraitKey, list[tuple[datetime, str]]] = {}
    for trait, tellings in by_trait.items():
        steps: list[Step] | None = stored[trait]
        for telling in tellings:
            steps = None if steps is None else with_telling(steps, canonical(telling.value), telling.at)
        if steps is None:
            torn[trait] = []
        else:
            made[trait] = steps
    if torn:
        asked = sorted(torn)
        for profile, key, value, at in sql.rows(
            "customers/trait_tellings", profiles=[profile for profile, _key in asked], keys=[key for _p, key in asked]
        ):
            torn[profile, key].append((at, canonical(json.loads(value))))
    return made | {trait: _again(steps_of(tellings), stored[trait]) for trait, tellings in torn.items()}
