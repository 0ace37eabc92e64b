"""Everything about some customers that rules look at, in columns: their touchpoints over all their profiles, where
their lives begin, and the properties that rules name."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import numpy.typing as npt

from clm.lib import sql
from clm.lib.columns import fetch_columns
from customers.models import PropertyValue

from .rules.evaluate import NO_LIFE, Facts, PropertyColumn
from .rules.value_tests import OTHER, Value

Int64s = npt.NDArray[np.int64]


@dataclass(slots=True)
class Loaded:
    """The facts of some customers. customers[i] is owner i, in order of id; touchpoints[i] is how many it has."""

    customers: Int64s
    facts: Facts
    touchpoints: Int64s


def load(*, customers: Iterable[int], property_keys: Iterable[str] = ()) -> Loaded:
    """Load the facts of `customers`. A customer without profiles, or an unknown one, has no life."""
    ids = np.unique(np.fromiter(customers, np.int64))
    asked = ids.tolist()
    belongs = fetch_columns("lifecycle/profiles", {"profile": "q", "customer": "q"}, customers=asked)
    profile, owner_of_profile = belongs["profile"], np.searchsorted(ids, belongs["customer"])
    seen = fetch_columns(
        "lifecycle/history",
        {"profile": "q", "at": "t", "type": "i", "channel": "h", "amount": "q"},
        profiles=profile.tolist(),
    )
    owner, ms = owner_of_profile[np.searchsorted(profile, seen["profile"])], seen["at"]
    columns = {"owner": owner, "ms": ms, **{name: seen[name] for name in ("type", "channel", "amount")}}
    # Rows come by profile; only customers of several profiles, or whose profiles lie out of order, need sorting.
    if len(ms) and not _sorted(owner, ms):
        order = np.lexsort((ms, owner))
        columns = {name: column[order] for name, column in columns.items()}
    keys = sorted(property_keys)
    facts = Facts(
        life=_lives(ids, belongs["customer"], columns["owner"], columns["ms"]),
        owner=columns["owner"],
        ms=columns["ms"],
        type=columns["type"],
        channel=columns["channel"],
        amount=columns["amount"],
    )
    if keys:
        facts.properties = _properties(facts, keys, profile, owner_of_profile)
    return Loaded(ids, facts, np.bincount(facts.owner, minlength=len(ids)).astype(np.int64))


def _sorted(owner: Int64s, ms: Int64s) -> bool:
    step = np.diff(owner)
    return bool((step >= 0).all() and (np.diff(ms)[step == 0] >= 0).all())


def _lives(ids: Int64s, with_profiles: Int64s, owner: Int64s, ms: Int64s) -> Int64s:
    """Where lives begin: the earliest of the first touchpoint, the first trait and creation."""
    life = np.full(len(ids), NO_LIFE)
    born = fetch_columns("lifecycle/beginnings", {"customer": "q", "at": "t"}, customers=ids.tolist())
    life[np.searchsorted(ids, born["customer"])] = born["at"]
    if len(owner):
        first = np.flatnonzero(np.concatenate(([True], owner[1:] != owner[:-1])))
        life[owner[first]] = np.minimum(life[owner[first]], ms[first])
    alive = np.zeros(len(ids), bool)
    alive[np.searchsorted(ids, with_profiles)] = True
    life[~alive] = NO_LIFE
    return life


def _properties(facts: Facts, keys: list[str], profile: Int64s, owner_of_profile: Int64s) -> dict[str, PropertyColumn]:
    """The named properties, each value at the row of its touchpoint.

    The replay's index has no touchpoint ids. But touchpoints of one owner that agree in instant, type, channel and
    amount are alike to every rule, so the k-th property-bearing one may sit at the k-th such row."""
    values = sql.rows("lifecycle/property_values", profiles=profile.tolist(), keys=keys)
    if not values:
        return {key: PropertyColumn(np.empty(0, np.int64), []) for key in keys}
    touchpoints = sorted({row[:6] for row in values}, key=lambda row: row[5])
    where = np.array([row[:5] for row in touchpoints], np.int64)
    owners = owner_of_profile[np.searchsorted(profile, where[:, 0])]
    # Only rows that share owner and instant with one of them can be meant.
    line = _line(facts.owner, facts.ms)
    nearby = np.flatnonzero(np.isin(line, _line(owners, where[:, 1])))
    mine = (facts.owner[nearby], facts.ms[nearby], facts.type[nearby], facts.channel[nearby], facts.amount[nearby])
    theirs = (owners, where[:, 1], where[:, 2], where[:, 3], where[:, 4])
    rows: dict[tuple[int, ...], list[int]] = {}
    for position, alike in zip(nearby.tolist(), zip(*(column.tolist() for column in mine), strict=True), strict=True):
        rows.setdefault(alike, []).append(position)
    row_of: dict[int, int] = {}
    for touchpoint, alike in zip(touchpoints, zip(*(column.tolist() for column in theirs), strict=True), strict=True):
        # One without a row was committed after the touchpoints were read; its own Stale row brings us back for it.
        if rows.get(alike):
            row_of[touchpoint[5]] = rows[alike].pop(0)
    columns: dict[str, dict[int, Value]] = {key: {} for key in keys}
    for *_alike, touchpoint, key, kind, text in values:
        if touchpoint in row_of:
            columns[key][row_of[touchpoint]] = _value(kind, text)
    return {
        key: PropertyColumn(np.array(sorted(column), np.int64), [column[row] for row in sorted(column)])
        for key, column in columns.items()
    }


def _line(owner: npt.NDArray[np.integer], ms: Int64s) -> Int64s:
    """Owner and instant in one number; milliseconds until 2200 fit 43 bits."""
    return (np.asarray(owner, np.int64) << 43) + ms


def _value(kind: int, text: str) -> Value:
    match kind:
        case PropertyValue.Kind.STRING:
            return text
        case PropertyValue.Kind.NUMBER:
            return Decimal(text)
        case PropertyValue.Kind.BOOLEAN:
            return text == "true"
        case _:
            return OTHER
