"""Traits as step functions of time. A row is one step: a value, when it was set, and when it was last told again.

Whatever order tellings arrive in, the stored steps are true tellings in their order in time, and neighbouring steps
differ. A differing value told late, between the first and the last telling of a step, splits it."""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from clm.lib import sql

from .models import Cause, Profile, Stale, Trait


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


def with_telling(steps: Sequence[Step], value: str, at: datetime) -> list[Step]:
    """The steps after one more telling. `steps` lie in order of time and do not overlap. Of two values told for one
    instant, the one recorded later counts."""
    before = [step for step in steps if step.last_seen_at < at]
    after = [step for step in steps if step.set_at > at]
    around = next((step for step in steps if step.set_at <= at <= step.last_seen_at), None)
    if around is not None:
        if around.value == value:
            return list(steps)
        # Split: what was told before and after the instant stays told, as far as it is known.
        left = [replace(around, last_seen_at=around.set_at)] if around.set_at < at else []
        right = [Step(value=around.value, set_at=around.last_seen_at, last_seen_at=around.last_seen_at)]
        right = right if around.last_seen_at > at else []
        before, after = before + left, right + after
    middle = Step(value=value, set_at=at, last_seen_at=at)
    if before and before[-1].value == value:
        middle = replace(before.pop(), last_seen_at=at)
    if after and after[0].value == value:
        later = after.pop(0)
        middle = replace(middle, last_seen_at=later.last_seen_at)
    return [*before, middle, *after]


@transaction.atomic
def tell_traits(*, told: Sequence[Told], now: datetime) -> int:
    """Store tellings; returns how many profiles got another step and were marked as changed, each with the first cause
    among its changed traits. The profile rows are locked in order of id, so two tellers of one trait take turns."""
    profiles = sorted({telling.profile for telling in told})
    list(Profile.objects.select_for_update(no_key=True).filter(pk__in=profiles).order_by("pk").values_list("pk"))
    by_trait: dict[tuple[int, str], list[Told]] = defaultdict(list)
    for telling in told:
        by_trait[telling.profile, telling.key].append(telling)
    stored: dict[tuple[int, str], list[Step]] = defaultdict(list)
    for number, profile, key, value, set_at, seen_at in sql.rows(
        "customers/traits_around",
        profiles=[profile for profile, _key in by_trait],
        keys=[key for _profile, key in by_trait],
    ):
        stored[profile, key].append(Step(canonical(json.loads(value)), set_at, seen_at, number))
    changed: dict[int, Cause] = {}
    fresh: list[Trait] = []
    seen: list[tuple[int, datetime]] = []
    gone: list[int] = []
    for (profile, key), tellings in sorted(by_trait.items()):
        steps = old = stored[profile, key]
        for telling in tellings:
            steps = with_telling(steps, canonical(telling.value), telling.at)
        if [(s.value, s.set_at) for s in steps] != [(s.value, s.set_at) for s in old]:
            first = min(telling.cause for telling in tellings)
            changed[profile] = min(first, changed.get(profile, first))
        kept = {step.id: step for step in steps if step.id is not None}
        was = {step.id: step for step in old if step.id is not None}
        gone += was.keys() - kept.keys()
        # A stored step keeps its value and its beginning; only its last telling moves.
        seen += [(number, step.last_seen_at) for number, step in kept.items() if step != was[number]]
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
    if gone:
        Trait.objects.filter(pk__in=gone).delete()
    if seen:
        sql.run(
            "customers/traits_seen", traits=[number for number, _at in seen], seen_at=[at for _number, at in seen]
        ).close()
    Trait.objects.bulk_create(fresh)
    Stale.objects.bulk_create([Stale(profile_id=profile, cause=cause) for profile, cause in sorted(changed.items())])
    return len(changed)
