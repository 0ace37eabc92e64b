"""Everything about some customers that rules look at, in columns: their touchpoints over all their profiles, where
their lives begin, and the properties, traits and scores that rules name."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from clm.lib import sql
from clm.lib.columns import Columns, fetch_columns
from customers.score_steps import KEYS

from .ids import Ids
from .load_hands import lay_hands
from .load_scores import COLUMNS, score_columns
from .load_traits import stored_value, trait_columns
from .rules.evaluate import NO_LIFE, Facts, Program, PropertyColumn
from .rules.value_tests import Value

Int64s = npt.NDArray[np.int64]


@dataclass(slots=True)
class Loaded:
    """The facts of some customers. The customer at place i of `ids` is owner i; touchpoints[i] is how many it has;
    program: the one whose needs decided what was loaded."""

    ids: Ids
    facts: Facts
    touchpoints: Int64s
    program: Program | None

    @property
    def customers(self) -> Int64s:
        """The customers in order of id."""
        return self.ids.values

    def answers(self, program: Program) -> bool:
        """Whether everything is there that a program looks at: another one may have gone live since."""
        had = self.program
        return had is not None and (
            program is had
            or (
                program.property_keys <= had.property_keys
                and program.trait_keys <= had.trait_keys
                and had.looks_at_channels >= program.looks_at_channels
                and had.looks_at_amounts >= program.looks_at_amounts
            )
        )


def load(*, customers: Iterable[int] | Ids, program: Program | None, unkept: frozenset[str] = frozenset()) -> Loaded:
    """Load the facts of `customers` that the program looks at. A customer without profiles, or an unknown one, has no
    life. `unkept` are properties of which no values are kept yet: theirs are read from the wide rows, which is for few
    customers only."""
    ids = customers if isinstance(customers, Ids) else Ids.of(customers)
    profiles = _profiles(ids)
    facts = _touchpoints(
        profiles,
        channels=program is not None and program.looks_at_channels,
        amounts=program is not None and program.looks_at_amounts,
    )
    facts.life = _lives(ids, profiles, facts)
    if program is not None and program.property_keys:
        facts.properties = _properties(facts, program, profiles, unkept & program.property_keys)
    if program is not None and (traits := program.trait_keys - KEYS):
        facts.traits = trait_columns(keys=traits, profiles=profiles.ids, owner=profiles.owner)
    if program is not None and (scores := program.trait_keys & KEYS):
        facts.traits |= score_columns(keys=scores, told=profiles.fetch("lifecycle/score_steps", COLUMNS))
    lay_hands(facts=facts, profiles=profiles.ids, owner=profiles.owner)
    return Loaded(ids, facts, np.bincount(facts.owner, minlength=len(ids)).astype(np.int64), program)


@dataclass(slots=True)
class _Profiles:
    """The profiles of the customers: owner[i] is whose the one at place i of `ids` is."""

    ids: Ids
    owner: Int64s

    def owner_of(self, profiles: Int64s) -> Int64s:
        """Whose each of these profiles is; -1 for profiles of others."""
        places = self.ids.places(profiles)
        return np.where(places < 0, -1, self.owner.take(places, mode="clip"))

    def fetch(self, name: str, columns: dict[str, str], /, **parameters: Any) -> Columns:
        """The columns of a statement about the profiles, `owner` instead of its first column, the profile. Rows of
        profiles that only lie between them have owner -1."""
        parts = [
            fetch_columns(name, {"profile": "q", **columns}, **part.named("profiles"), **parameters)
            for part in self.ids.parts
        ]
        found = parts[0]
        if len(parts) > 1:
            found = {column: np.concatenate([part[column] for part in parts]) for column in found}
        found["owner"] = self.owner_of(found.pop("profile"))
        return found


def _profiles(ids: Ids) -> _Profiles:
    found = ids.fetch("lifecycle/profiles", {"profile": "q"})
    profile, owner = found["profile"], found["owner"]
    if (profile[1:] < profile[:-1]).any():
        order = np.argsort(profile)
        profile, owner = profile[order], owner[order]
    return _Profiles(Ids.of(profile), owner)


def _touchpoints(profiles: _Profiles, *, channels: bool, amounts: bool) -> Facts:
    """All touchpoints by owner and time, lives still to be told. Channels and amounts are 0 unless asked for."""
    columns = profiles.fetch(
        "lifecycle/history",
        {"count": "q", "ms": "T", "type": "I", "channel": "H", "amount": "Q"},
        channels=channels,
        amounts=amounts,
    )
    if not channels:
        columns["channel"] = np.zeros(len(columns["ms"]), np.int16)
    amount = np.zeros(len(columns["ms"]), np.int64)
    if amounts:
        amount[columns["type"] < 0] = columns["amount"]
        columns["type"] ^= columns["type"] >> 31
    columns["amount"] = amount
    owner, count = columns.pop("owner"), columns.pop("count")  # one a profile
    if len(owner) and (owner[0] < 0 or (owner[1:] < owner[:-1]).any()):
        # Profiles of others are left out, and those that lie out of order (their customer is older) brought in order.
        order = np.argsort(owner, kind="stable")
        order = order[np.searchsorted(owner[order], 0) :]
        begins, owner, count = (np.cumsum(count) - count)[order], owner[order], count[order]
        rows = np.repeat(begins - (np.cumsum(count) - count), count) + np.arange(count.sum())
        columns = {name: column.take(rows) for name, column in columns.items()}
    again = owner[1:][owner[1:] == owner[:-1]]
    owner = np.repeat(owner, count)
    if len(again):
        # Only customers of several profiles need sorting by time.
        several = np.zeros(owner[-1] + 1, bool)
        several[again] = True
        rows = np.flatnonzero(several.take(owner))
        order = rows[np.lexsort((columns["ms"][rows], owner[rows]))]
        for column in columns.values():
            column[rows] = column[order]
    return Facts(
        life=np.empty(0, np.int64),
        owner=owner,
        ms=columns["ms"],
        type=columns["type"],
        channel=columns["channel"],
        amount=columns["amount"],
    )


def _lives(ids: Ids, profiles: _Profiles, facts: Facts) -> Int64s:
    """Where lives begin: the earliest of the first touchpoint, the first trait and creation."""
    life = np.full(len(ids), NO_LIFE)
    born = ids.fetch("lifecycle/creations", {"at": "t"})
    life[born["owner"]] = born["at"]
    traits = profiles.fetch("lifecycle/first_traits", {"at": "t"})
    mine = traits["owner"] >= 0
    np.minimum.at(life, traits["owner"][mine], traits["at"][mine])
    if len(facts.owner):
        first = np.append(0, np.flatnonzero(facts.owner[1:] != facts.owner[:-1]) + 1)
        life[facts.owner[first]] = np.minimum(life[facts.owner[first]], facts.ms[first])
    alive = np.zeros(len(ids), bool)
    alive[profiles.owner] = True
    life[~alive] = NO_LIFE
    return life


def _properties(
    facts: Facts, program: Program, profiles: _Profiles, unkept: frozenset[str]
) -> dict[str, PropertyColumn]:
    """The named properties, each value at the row of its touchpoint.

    The replay's index has no touchpoint ids. But touchpoints of one owner that agree in instant, type, channel and
    amount (as far as rules look at them) are alike to every rule, so the k-th property-bearing one may sit at the k-th
    such row."""
    keys = sorted(program.property_keys)
    values = [
        row
        for part in profiles.ids.parts
        for name, asked in (
            ("lifecycle/property_values", sorted(program.property_keys - unkept)),
            ("lifecycle/property_values_unkept", sorted(unkept)),
        )
        if asked
        for row in sql.rows(name, keys=asked, **part.named("profiles"))
    ]
    if not values:
        return {key: PropertyColumn(np.empty(0, np.int64), []) for key in keys}
    touchpoints = sorted({row[:6] for row in values}, key=lambda row: row[5])
    where = np.array([row[:6] for row in touchpoints], np.int64)
    if not program.looks_at_channels:
        where[:, 3] = 0
    if not program.looks_at_amounts:
        where[:, 4] = 0
    where[:, 0] = profiles.owner_of(where[:, 0])
    # Only rows that share owner and instant with one of them can be meant; they lie together.
    line, at = _line(facts.owner, facts.ms), _line(where[:, 0], where[:, 1])
    nearby = _ranges(*(np.searchsorted(line, np.unique(at), side) for side in ("left", "right")))
    mine = (facts.owner[nearby], facts.ms[nearby], facts.type[nearby], facts.channel[nearby], facts.amount[nearby])
    rows: dict[tuple[int, ...], list[int]] = {}
    for position, alike in zip(nearby.tolist(), zip(*(column.tolist() for column in mine), strict=True), strict=True):
        rows.setdefault(alike, []).append(position)
    row_of: dict[int, int] = {}
    for *alike, touchpoint in where.tolist():
        # One without a row was committed after the touchpoints were read; its own Stale row brings us back for it.
        if found := rows.get(tuple(alike)):
            row_of[touchpoint] = found.pop(0)
    columns: dict[str, dict[int, Value]] = {key: {} for key in keys}
    for *_alike, touchpoint, key, kind, text in values:
        if touchpoint in row_of:
            columns[key][row_of[touchpoint]] = stored_value(kind, text)
    return {
        key: PropertyColumn(np.array(sorted(column), np.int64), [column[row] for row in sorted(column)])
        for key, column in columns.items()
    }


def _ranges(starts: Int64s, ends: Int64s) -> Int64s:
    """The numbers of all half-open ranges [starts[i], ends[i]), one range after the other."""
    sizes = ends - starts
    return np.repeat(starts - (np.cumsum(sizes) - sizes), sizes) + np.arange(sizes.sum())


def _line(owner: npt.NDArray[np.integer], ms: Int64s) -> Int64s:
    """Owner and instant in one number; milliseconds until 2200 fit 43 bits."""
    return (np.asarray(owner, np.int64) << 43) + ms
