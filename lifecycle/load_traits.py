"""The traits that rules name, as steps of time over all profiles of a customer."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal

import numpy as np
import numpy.typing as npt

from clm.lib import sql
from customers.models import PropertyValue
from customers.trait_steps import keeps_first

from .ids import Ids
from .profile_rows import profile_rows
from .rules.evaluate import TraitColumn
from .rules.value_tests import OTHER, Value

Int64s = npt.NDArray[np.int64]
# Instant and value of one change.
_Change = tuple[int, Value]


def trait_columns(*, keys: Iterable[str], profiles: Ids, owner: Int64s) -> dict[str, TraitColumn]:
    """The changes of the named traits. owner[i] is whose the profile at place i of `profiles` is."""
    asked = sorted(keys)
    changes: dict[str, dict[int, list[_Change]]] = {key: defaultdict(list) for key in asked}
    ends: dict[tuple[str, int], list[tuple[int, int]]] = defaultdict(list)
    for one, key, kind, text, set_at, seen_at in profile_rows(
        "lifecycle/trait_steps", profiles=profiles, owner=owner, keys=asked
    ):
        changes[key][one].append((set_at, stored_value(kind, text)))
        ends[key, one].append((set_at, seen_at))
    # What one profile says may lie within a step of another: then only the tellings tell what held when.
    woven = {one for (_key, one), spans in ends.items() if _overlap(spans)}
    if woven:
        for key in asked:
            for one in woven:
                changes[key].pop(one, None)
        rows = np.flatnonzero(np.isin(owner, sorted(woven)))
        whose = dict(zip(profiles.values[rows].tolist(), owner[rows].tolist(), strict=True))
        for profile, key, kind, text, told_at in sql.rows("lifecycle/trait_tellings", profiles=list(whose), keys=asked):
            changes[key][whose[profile]].append((told_at, stored_value(kind, text)))
    return {key: _column(_firsts(changes[key]) if keeps_first(key) else changes[key]) for key in asked}


def stored_value(kind: int, text: str) -> Value:
    """A stored value as rules see it."""
    match kind:
        case PropertyValue.Kind.STRING:
            return text
        case PropertyValue.Kind.NUMBER:
            return Decimal(text)
        case PropertyValue.Kind.BOOLEAN:
            return text == "true"
        case PropertyValue.Kind.OTHER:
            return OTHER
        case _:
            return None


def _overlap(spans: Sequence[tuple[int, int]]) -> bool:
    """Whether any two closed spans share an instant."""
    latest = -1
    for start, end in sorted(spans):
        if start <= latest:
            return True
        latest = max(latest, end)
    return False


def _firsts(changes: dict[int, list[_Change]]) -> dict[int, list[_Change]]:
    """Of several profiles the one that was told first says what was first."""
    first = {owner: min(at for at, _value in own) for owner, own in changes.items() if own}
    return {owner: [change for change in changes[owner] if change[0] == at] for owner, at in first.items()}


def _column(changes: dict[int, list[_Change]]) -> TraitColumn:
    rows = [
        (owner, at, value)
        for owner, own in sorted(changes.items())
        for at, value in sorted(own, key=lambda change: change[0])  # stable: of one instant the later recorded last
    ]
    return TraitColumn(
        np.array([owner for owner, _at, _value in rows], np.int64),
        np.array([at for _owner, at, _value in rows], np.int64),
        [value for _owner, _at, value in rows],
    )
