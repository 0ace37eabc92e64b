"""The histories of everybody whom a question is about, laid end to end: from packs where there are any, else row by
row."""

from datetime import UTC, datetime

import numpy as np

from clm.lib.milliseconds import to_ms

from .days.histories import SalesTypes, histories_of_range, sold_in_range
from .days.lives import Bought, Int64s, Lives, among
from .days.packs import Packs
from .scope import Scope
from .sorting import Sorting

EVERYBODY = {"first": 0, "until": 1 << 62}
ALL_KNOWN = datetime(9000, 1, 1, tzinfo=UTC)


def lives_among(*, scope: Scope, sorting: Sorting | None) -> Lives:
    """Who entered which stage of a model or segment when, of those whom the scope is about; nobody while nothing is
    live."""
    version = sorting.version if sorting is not None else None
    if version is None:
        return Lives.of(*(np.empty(0, np.int64) for _column in range(3)))
    segment = scope.segment.version if scope.segment is not None else None
    if scope.packs is not None and scope.packs.has(version, segment):
        return scope.packs.lives(version, _members(scope))
    found = histories_of_range(versions=[version], known_at=ALL_KNOWN, **EVERYBODY)
    members = _members(scope)
    if members is not None:
        kept = among(found["customer"], members)
        found = {name: column[kept] for name, column in found.items()}
    return Lives.of(found["customer"], found["at"], found["stage"].astype(np.int64))


def bought_among(*, scope: Scope) -> Bought:
    """What they bought and gave back."""
    types = SalesTypes.mapped()
    of = {"purchases": list(types.purchases), "refunds": list(types.refunds)}
    segment = scope.segment.version if scope.segment is not None else None
    if scope.packs is not None and scope.packs.has_sold(**of, segment=segment):
        return scope.packs.bought(**of, members=_members(scope))
    found = sold_in_range(types=types, known_at=ALL_KNOWN, **EVERYBODY)
    members = _members(scope)
    if members is not None:
        kept = among(found["customer"], members)
        found = {name: column[kept] for name, column in found.items()}
    return Bought.of(found["customer"], found["at"], found["amount"], found["products"], found["is_purchase"] == 1)


def members_of(*, scope: Scope, segment: Sorting) -> Int64s:
    """The ids of who is in a segment at the scope's as_of, whatever segment the scope is about."""
    if segment.version is None:
        return np.empty(0, np.int64)
    packs: Packs | None = scope.packs
    if packs is not None and packs.has(segment.version, None):
        lives = packs.lives(segment.version, None)
    else:
        found = histories_of_range(versions=[segment.version], known_at=ALL_KNOWN, **EVERYBODY)
        lives = Lives.of(found["customer"], found["at"], found["stage"].astype(np.int64))
    return lives.inside(segment.stage_id("in"), to_ms(scope.as_of))


def _members(scope: Scope) -> Int64s | None:
    return None if scope.segment is None else _kept_members(scope)


def _kept_members(scope: Scope) -> Int64s:
    assert scope.segment is not None
    packs, version = scope.packs, scope.segment.version
    if packs is not None and packs.has(version, version):
        found = packs.members(**scope.among)
        if found is not None:
            return found
    return members_of(scope=scope, segment=scope.segment)


def first_orders(sold: Bought, *, products_only: bool) -> tuple[Int64s, Int64s]:
    """Who ever ordered, in order, and when first."""
    is_order = sold.is_purchase & (sold.money(products_only) > 0)
    customer, at = sold.customer[is_order], sold.at[is_order]
    first = np.ones(len(customer), np.bool_)
    first[1:] = customer[1:] != customer[:-1]
    return customer[first], at[first]
