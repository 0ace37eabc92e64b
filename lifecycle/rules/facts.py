"""What the evaluator takes and gives: plain columns about a run of customers, and the change points it finds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from lifecycle.rules.value_tests import Value

# An end that never comes, and the start of a life that is none.
FOREVER = np.iinfo(np.int64).max
NO_LIFE = FOREVER
# 2200-01-01T00:00:00Z: every end past it is for ever.
HORIZON = 7_258_118_400_000

Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The codes of touchpoint types and channels. Codes are small non-negative integers, as database ids are.

    `types` holds (code, name, role), the role from the version's table; `channels` (code, name). A code that is not
    listed is a touchpoint of role `other` without a type's or channel's name."""

    types: tuple[tuple[int, str, str], ...]
    channels: tuple[tuple[int, str], ...] = ()


@dataclass(slots=True)
class PropertyColumn:
    """One property: the rows that have it (rising positions in the touchpoint columns) and their values."""

    positions: Int64s
    values: Sequence[Value]


@dataclass(slots=True)
class TraitColumn:
    """One trait: every change of it, sorted by (owner, ms); of several at one instant the last counts. A value is None
    where the trait was set to null."""

    owner: Int64s
    ms: Int64s
    values: Sequence[Value]


@dataclass(slots=True)
class Listing:
    """Who was put on a segment's list, or taken out of the segment by name: spans [starts, ends), in any order, also
    overlapping. `ends` is FOREVER for one that does not end."""

    owner: Int64s
    starts: Int64s
    ends: Int64s


@dataclass(slots=True)
class Placing:
    """Who was placed in a stage of a model by hand: spans [starts, ends) with the key of the stage, in the order in
    which they were recorded. Of overlapping ones the later recorded counts."""

    owner: Int64s
    starts: Int64s
    ends: Int64s
    stages: Sequence[str]


@dataclass(slots=True)
class Facts:
    """Customers 0..n-1 and their touchpoints, sorted by (owner, ms)."""

    life: Int64s  # per owner: where the life starts, milliseconds since 1970 UTC; NO_LIFE: no life
    owner: npt.NDArray[np.integer]  # per touchpoint: index into `life`
    ms: Int64s  # per touchpoint: milliseconds since 1970 UTC
    type: npt.NDArray[np.integer]  # per touchpoint: code of the type
    channel: npt.NDArray[np.integer]  # per touchpoint: code of the channel
    amount: Int64s  # per touchpoint: minor units of the reporting currency, 0 when it carries none
    properties: dict[str, PropertyColumn] = field(default_factory=dict)  # those in Program.property_keys
    traits: dict[str, TraitColumn] = field(default_factory=dict)  # those in Program.trait_keys
    # What people decided, by the number of the segment or the model; only those of whom there is something to say.
    included: dict[int, Listing] = field(default_factory=dict)
    excluded: dict[int, Listing] = field(default_factory=dict)
    placed: dict[int, Placing] = field(default_factory=dict)


@dataclass(slots=True)
class Spells:
    """The change points of one subject, sorted by (owner, at), those in the future included.

    For StageRules `stage` is an index into the stages, len(stages) for the exit stage (-1 where nothing holds any
    more and the model has no exit stage); for a Membership 1 is in and 0 is out."""

    owner: Int64s
    at: Int64s
    stage: npt.NDArray[np.int16]
