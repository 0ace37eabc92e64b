"""What the traits of somebody were at an instant: from the tellings themselves, since those of several profiles weave
into each other and a later telling may have changed the steps that are stored."""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from clm.lib import sql

from .trait_steps import canonical_text, first_of, keeps_first, steps_of


@dataclass(frozen=True, slots=True)
class TraitThen:
    """A trait as it was: its value, and since when it had been that."""

    key: str
    value: Any
    set_at: datetime


def traits_then(*, profiles: Sequence[int], as_of: datetime, known_at: datetime | None = None) -> tuple[TraitThen, ...]:
    """What had been told last of every trait by `as_of`, over all profiles, as known at `known_at` (None: today), by
    key; cleared ones left out."""
    told: dict[str, list[tuple[datetime, str]]] = defaultdict(list)
    for key, value, at in sql.rows("customers/traits_told", profiles=list(profiles), as_of=as_of, known_at=known_at):
        told[key].append((at, canonical_text(value)))
    last = {
        key: (first_of(tellings) if keeps_first(key) else steps_of(tellings))[-1]
        for key, tellings in sorted(told.items())
    }
    found = (TraitThen(key, json.loads(step.value), step.set_at) for key, step in last.items())
    return tuple(trait for trait in found if trait.value is not None)
