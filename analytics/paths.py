"""Journeys to the first purchase: which ways those who paid for the first time in a period had come, most common first.

A way is told by stages, those of a model that somebody was in before the first order, one after the other; or by
touches, the kinds of touchpoints before it (roles), each where it came first. Everybody told of has ordered, so the
time it took is known of all: its median needs no estimate."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from django.utils.translation import gettext_lazy as _

from clm.lib.columns import fetch_columns
from clm.lib.milliseconds import to_ms
from clm.lib.questions import QuestionError
from customers.models import Role, TouchpointType

from .days.lives import Int64s
from .days.remembered import remembered
from .lived import bought_among, first_orders, lives_among
from .scope import Scope
from .sorting import Sorting

KINDS: dict[str, Any] = {"stages": _("stages"), "touches": _("kinds of touch")}
LONGEST = 6  # steps; longer ways are told by their first ones. Seven digits of up to 500 fit one number.
TOLD = 12  # ways
MORE = "*"  # after the last step of a way that goes on
DRAWN = 50_000  # customers whose touches are read; of more, so many are drawn
HOUR = 3_600_000
Way = tuple[str, ...]  # keys of stages, or roles


@dataclass(frozen=True, slots=True)
class Path:
    """A way, the customers who came by it, and after how many hours half of them had ordered, from their first step.
    names: of its steps; goes_on: more steps came before the order."""

    way: Way
    names: tuple[str, ...]
    goes_on: bool
    customers: int
    share: Fraction
    hours: int


@dataclass(frozen=True, slots=True)
class Paths:
    """The most common ways. customers: who paid for the first time in the period; told_of: of how many of them ways are
    told, fewer where they were drawn; others: customers on ways that are not listed; different: how many there are."""

    kind: str
    scope: Scope
    customers: int
    told_of: int
    different: int
    rows: tuple[Path, ...]

    @property
    def others(self) -> int:
        return self.told_of - sum(row.customers for row in self.rows)


def paths(*, model: Sorting, scope: Scope, kind: str = "stages") -> Paths:
    """The ways to the first purchase of those who paid for the first time in the scope's period."""
    if kind not in KINDS:
        raise QuestionError("paths", f"paths is one of {', '.join(KINDS)}")
    customers, told_of, different, rows = remembered(
        "paths",
        of=scope.generation,
        count=lambda: _counted(model, scope, kind),
        kind=kind,
        version=model.version,
        start=scope.period.start_at,
        until=scope.until_at,
        **scope.filters(),
    )
    names = _names(model, kind)
    return Paths(
        kind,
        scope,
        customers,
        told_of,
        different,
        tuple(
            Path(
                way,
                tuple(names.get(step, step) for step in way if step != MORE),
                MORE in way,
                count,
                Fraction(count, told_of),
                hours,
            )
            for way, count, hours in rows
        ),
    )


def customers_of(*, model: Sorting, scope: Scope, kind: str, way: Way) -> list[int]:
    """The ids of the customers who came by a way."""
    _everybody, ids, came, _hours = _ways(model, scope, kind)
    found: list[int] = ids[came.which == came.ways.index(way)].tolist() if way in came.ways else []
    return found


def way_text(way: Way) -> str:
    """A way as part of an address."""
    return ">".join(way)


def parsed_way(text: str) -> Way:
    return tuple(text.split(">")) if text else ()


def steps_named(model: Sorting, kind: str, way: Way) -> str:
    """A way in words."""
    names = _names(model, kind)
    told = [names.get(step, step) for step in way if step != MORE]
    return " → ".join([*told, *(["…"] if MORE in way else [])])


def _names(model: Sorting, kind: str) -> Mapping[str, str]:
    if kind == "touches":
        return {str(value): str(label) for value, label in Role.choices}
    return {stage.key: stage.name for stage in model.stages.every.values()}


def _counted(model: Sorting, scope: Scope, kind: str) -> tuple[int, int, int, list[tuple[Way, int, int]]]:
    everybody, ids, came, hours = _ways(model, scope, kind)
    counts = np.bincount(came.which, minlength=len(came.ways)).tolist()
    # Ways that are equally common stand in the order of their steps: the same answer every time.
    listed = sorted(range(len(came.ways)), key=lambda number: (-counts[number], came.ways[number]))[:TOLD]
    rows = []
    for number in listed:
        took = np.sort(hours[came.which == number])
        rows.append((came.ways[number], counts[number], int(took[(counts[number] - 1) // 2])))
    return everybody, len(ids), len(came.ways), rows


@dataclass(frozen=True, slots=True)
class _Came:
    """By which way each of some customers came: its number in `ways`, each of which somebody came by."""

    ways: tuple[Way, ...]
    which: Int64s


def _ways(model: Sorting, scope: Scope, kind: str) -> tuple[int, Int64s, _Came, Int64s]:
    """How many paid for the first time; of those who are told of: ids, ways, and hours from the first step."""
    customer, at = first_orders(bought_among(scope=scope), products_only=scope.products_only)
    inside = (at >= to_ms(scope.period.start_at)) & (at < to_ms(scope.until_at))
    customer, at = customer[inside], at[inside]
    everybody = len(customer)
    if kind == "stages":
        came, hours = _by_stages(model, scope, customer, at)
    else:
        if everybody > DRAWN:
            # A number scattered by a multiplication says nothing about who somebody is: the lowest are a fair draw.
            scattered = customer.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
            drawn = np.sort(np.argsort(scattered, kind="stable")[:DRAWN])
            customer, at = customer[drawn], at[drawn]
        came, hours = _by_touches(customer, at)
    return everybody, customer, came, hours


def _by_stages(model: Sorting, scope: Scope, customer: Int64s, at: Int64s) -> tuple[_Came, Int64s]:
    lives = lives_among(scope=scope, sorting=model)
    ordered = np.zeros(int(max(lives.customer.max(initial=0), customer.max(initial=0))) + 1, np.int64)
    ordered[customer] = at
    rows = np.flatnonzero(lives.at < ordered[lives.customer])
    keys = {number: stage.key for number, stage in model.stages.every.items()}
    return _strung(customer, at, lives.customer[rows], lives.at[rows], lives.stage[rows], keys)


def _by_touches(customer: Int64s, at: Int64s) -> tuple[_Came, Int64s]:
    found = fetch_columns(
        "analytics/path_touches",
        {"customer": "q", "type": "i", "at": "t"},
        customers=customer.tolist(),
        instants=at.tolist(),
    )
    roles = [str(role) for role in Role.values]
    of_type = {
        number: roles.index(role) for number, role in TouchpointType.objects.values_list("pk", "role") if role in roles
    }
    lut = np.full(max(of_type, default=0) + 1, -1)
    for number, place in of_type.items():
        lut[number] = place
    role = lut[found["type"]]
    # Of each role the first touch; simultaneous ones in the order of the roles.
    order = np.lexsort((role, found["at"], found["customer"]))
    owner, when, role = found["customer"][order], found["at"][order], role[order]
    _keys, first = np.unique(owner * len(roles) + role, return_index=True)
    kept = np.sort(first)
    return _strung(customer, at, owner[kept], when[kept], role[kept], dict(enumerate(roles)))


def _strung(
    customer: Int64s, at: Int64s, owner: Int64s, when: Int64s, step: Int64s, keys: Mapping[int, str]
) -> tuple[_Came, Int64s]:
    """Rows in order of owner and instant as a way for each customer; hours from its first row to `at`."""
    starts, ends = (np.searchsorted(owner, customer, side=side) for side in ("left", "right"))
    there = ends > starts
    begins = np.where(there, when[np.minimum(starts, max(len(when) - 1, 0))], at) if len(when) else at
    # Each different way is named once: there are some thousands at most among a million.
    count = np.minimum(ends - starts, LONGEST + 1)
    known = sorted(keys)
    codes = np.searchsorted(np.array(known, np.int64), step) + 1  # 0: no step
    key = np.zeros(len(customer), np.int64)  # the codes of a way as the digits of one number
    for place in range(LONGEST + 1):
        rows = np.flatnonzero(count > place)
        key[rows] += codes[starts[rows] + place] * (len(known) + 1) ** (LONGEST - place)
    different, which = np.unique(key, return_inverse=True)
    names = [_named(one, known, keys) for one in different.tolist()]
    # Ways that differ only after their longest are one.
    number = {name: place for place, name in enumerate(dict.fromkeys(names))}
    one_of = np.array([number[name] for name in names], np.int64)
    return _Came(tuple(number), one_of[which] if len(names) else which), (at - begins) // HOUR


def _named(key: int, known: Sequence[int], keys: Mapping[int, str]) -> Way:
    digits = []
    for _place in range(LONGEST + 1):
        key, digit = divmod(key, len(known) + 1)
        digits.append(digit)
    told = tuple(keys[known[digit - 1]] for digit in reversed(digits[1:]) if digit)
    return (*told, MORE) if digits[0] else told
