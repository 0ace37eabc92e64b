"""What became of the customers of an experiment, counted from packed histories: the question of
`experiment_results.sql`. Instants are microseconds since 1970, since assignments are as exact as that."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

from clm.lib.columns import fetch_columns

from .lives import Bools, Int64s, firsts, in_order
from .packs import FEW, Packs

_DAY = 86_400_000_000
_GIVEN = {"customer": "q", "at": "t", "rest": "h", "variant": "i"}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOST = 1 << 62  # sums below it fit 64 bits
CONFLICTING = 0  # in the place of a variant


@dataclass(frozen=True, slots=True)
class Given:
    """Who takes part, in order of customer: since when, and as which variant (CONFLICTING: merges brought two
    together)."""

    customer: Int64s
    at: Int64s
    variant: Int64s

    def places(self, customer: Int64s) -> Int64s:
        """The place of each of some customers, -1 for those who take no part."""
        of = np.full(int(max(self.customer.max(initial=0), customer.max(initial=0))) + 1, -1, np.int64)
        of[self.customer] = np.arange(len(self.customer))
        found: Int64s = of[customer]
        return found


def experiment_results(packs: Packs, asked: Mapping[str, Any]) -> list[tuple[Any, ...]] | None:
    """The rows of the file; None where what it asks is not packed."""
    version = asked["version"]
    if asked["kind"] == "reached" and version is not None and not packs.has(version, None):
        return None
    types = {"purchases": asked["purchases"], "refunds": asked["refunds"]}
    if (asked["kind"] != "reached" or asked["before"]) and not packs.has_sold(**types, segment=None):
        return None
    given: Given = packs.once(("given", asked["experiment"], asked["until_at"]), lambda: _given(asked))
    last = given.at + asked["days"] * _DAY
    until = (asked["until_at"] - _EPOCH) // timedelta(microseconds=1)
    is_counted = (given.variant != CONFLICTING) & (last <= until)
    all_y, all_x = _outcomes(packs, asked, given, last)
    rows: list[tuple[Any, ...]] = []
    for variant in sorted(np.unique(given.variant).tolist(), key=lambda one: (one == CONFLICTING, one)):
        of = given.variant == variant
        counted = of & is_counted
        groups = {"assigned": of, "counted": counted, "converted": counted & (all_y > 0)}
        y, x = all_y[counted], all_x[counted]
        sums = (int(y.sum()), dot(y, y), int(x.sum()), dot(x, x), dot(x, y))
        rows.append(
            (
                None if variant == CONFLICTING else variant,
                int(np.count_nonzero(of)),
                len(y),
                *sums,
                int(np.count_nonzero(y > 0)),
                _listed(asked, variant, given.customer, groups),
            )
        )
    return rows


def dot(one: Int64s, other: Int64s) -> int:
    """The sum of the products, exactly."""
    most = int(np.abs(one).max(initial=0)) * int(np.abs(other).max(initial=0))
    if most * len(one) < _MOST:
        return int(one @ other)
    return sum(mine * its for mine, its in zip(one.tolist(), other.tolist(), strict=True))


def _given(asked: Mapping[str, Any]) -> Given:
    found = fetch_columns(
        "analytics/experiment_given", _GIVEN, experiment=asked["experiment"], until_at=asked["until_at"]
    )
    customer, at, variant = found["customer"], found["at"] * 1000 + found["rest"], found["variant"].astype(np.int64)
    if not len(customer):
        return Given(customer, at, variant)
    order = in_order(customer, at)
    if order is not None:
        customer, at, variant = customer[order], at[order], variant[order]
    heads = np.flatnonzero(firsts(customer))
    alike = np.minimum.reduceat(variant, heads) == np.maximum.reduceat(variant, heads)
    # In order of time the first assignment of a customer is the earliest.
    return Given(customer[heads], at[heads], np.where(alike, variant[heads], CONFLICTING))


def _outcomes(packs: Packs, asked: Mapping[str, Any], given: Given, last: Int64s) -> tuple[Int64s, Int64s]:
    """What each of those who take part did within its days, and what it spent before."""
    y, x = np.zeros(len(given.at), np.int64), np.zeros(len(given.at), np.int64)
    members = given.customer if len(given.customer) <= FEW else None
    if asked["kind"] == "reached" and asked["version"] is not None:
        lives = packs.lives(asked["version"], members)
        rows = lives.stage == asked["stage"]
        place, at = _theirs(given, lives.customer[rows], lives.at[rows] * 1000)
        y[place[(at > given.at[place]) & (at <= last[place])]] = 1
    if asked["kind"] == "reached" and not asked["before"]:
        return y, x
    sold = packs.bought(purchases=asked["purchases"], refunds=asked["refunds"], members=members)
    place, at, amount, is_order = _theirs(
        given, sold.customer, sold.at * 1000, sold.amount, sold.is_purchase & (sold.amount > 0)
    )
    after = (at > given.at[place]) & (at <= last[place])
    if asked["kind"] == "revenue":
        _add(y, place[after], amount[after])
    elif asked["kind"] == "conversion":
        y[place[after & is_order]] = 1
    before = (at <= given.at[place]) & (at > given.at[place] - asked["before"] * _DAY)
    _add(x, place[before], amount[before])
    return y, x


def _theirs(given: Given, customer: Int64s, *columns: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], ...]:
    """Of rows in order of customer those of who takes part, with their places instead of the customers."""
    place = given.places(customer)
    kept = place >= 0
    return place[kept], *(column[kept] for column in columns)


def _add(sums: Int64s, place: Int64s, amount: Int64s) -> None:
    """Add amounts to the sums at their places, which are in order."""
    if len(place):
        heads = np.flatnonzero(firsts(place))
        sums[place[heads]] += np.add.reduceat(amount, heads)


def _listed(asked: Mapping[str, Any], variant: int, customer: Int64s, groups: Mapping[str, Bools]) -> list[int] | None:
    """Who is in the group that is listed, None where nobody is or another variant is asked about."""
    group = asked["listed_group"]
    if group == "conflicting" and variant == CONFLICTING:
        return customer[groups["assigned"]].tolist()
    if group not in groups or variant != asked["listed_variant"]:
        return None
    return customer[groups[group]].tolist() or None
