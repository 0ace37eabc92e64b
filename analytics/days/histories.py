"""Reading what was known of customers at an instant, and what has become of it since: stages, purchases and refunds."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt

from clm.lib import sql
from clm.lib.columns import Columns, fetch_columns
from clm.lib.milliseconds import to_ms
from customers.models import Cause, ProfileMove, Role

from ..sales import types_of
from .differences import Int64s

_HISTORY = {"customer": "q", "version": "i", "at": "t", "stage": "i"}
# How a row of a history is known (analytics/sql/days_histories.sql).
_THEN, _NOW, _STILL = 2, 4, 8
_SOLD = {"at": "t", "amount": "q", "products": "q", "is_purchase": "h"}


@dataclass(frozen=True, slots=True)
class Changed:
    """Customers of whom something else is believed, version by version, with the first of the causes."""

    customer: Int64s
    version: Int64s
    cause: Int64s

    def causes(self, version: int) -> dict[Cause, list[int]]:
        """The customers of one version by cause."""
        of_version = self.version == version
        found: dict[Cause, list[int]] = {}
        for cause in np.unique(self.cause[of_version]).tolist():
            found[Cause(cause)] = self.customer[of_version & (self.cause == cause)].tolist()
        return found


def changed(*, versions: Sequence[int], since: datetime, known_at: datetime) -> Changed:
    """Who is believed differently at `known_at` than at `since`."""
    found = fetch_columns(
        "analytics/days_changed",
        {"customer": "q", "version": "i", "cause": "h"},
        versions=list(versions),
        since=since,
        known_at=known_at,
    )
    return Changed(found["customer"], found["version"], found["cause"])


def histories_then_and_now(
    *, customers: Sequence[int], version: int, since: datetime, known_at: datetime
) -> tuple[Columns, Columns]:
    """What was believed of some customers at `since`, and at `known_at`: columns customer, at, stage."""
    found = _told_once(
        fetch_columns(
            "analytics/days_histories",
            {**_HISTORY, "known": "h"},
            customers=sql.array(list(customers)),
            versions=[version],
            since=since,
            known_at=known_at,
        )
    )
    return _taken(found, _is_among(found, _THEN)), _taken(found, _is_among(found, _NOW))


def _told_once(found: Columns) -> Columns:
    """Without those rows of what is believed now of which it is told elsewhere when that was recorded: there is one of
    a customer, version and instant."""
    told = np.flatnonzero(found["known"] & _STILL)
    if not len(told):
        return found
    twin, key = found["known"] == 0, np.zeros(len(found["known"]), np.int64)
    for name in ("customer", "version", "at"):
        values = np.unique(found[name][told])
        place = np.minimum(np.searchsorted(values, found[name]), len(values) - 1)
        twin &= values[place] == found[name]
        key = key * len(values) + place
    return _taken(found, ~(twin & np.isin(key, key[told])))


def _is_among(found: Columns, bit: int) -> npt.NDArray[np.bool_]:
    """Which rows were believed at an instant; those that nothing was recorded of lately were at either."""
    return (found["known"] == 0) | (found["known"] & bit != 0)


def _taken(found: Columns, rows: npt.NDArray[np.bool_]) -> Columns:
    return {name: column[rows] for name, column in found.items()}


def histories_of_range(*, first: int, until: int, versions: Sequence[int], known_at: datetime) -> Columns:
    """What was believed at `known_at` of the customers [first, until): columns customer, version, at, stage."""
    found = _told_once(
        fetch_columns(
            "analytics/days_histories_range",
            {**_HISTORY, "known": "h"},
            first=first,
            until=until,
            versions=list(versions),
            since=known_at,
            known_at=known_at,
        )
    )
    return found if not found["known"].any() else _taken(found, _is_among(found, _NOW))


@dataclass(frozen=True, slots=True)
class SalesTypes:
    """The types that are purchases and refunds, by id."""

    purchases: tuple[int, ...]
    refunds: tuple[int, ...]

    @classmethod
    def mapped(cls) -> "SalesTypes":
        return cls(tuple(types_of(Role.PURCHASE)), tuple(types_of(Role.REFUND)))


def sold_in_range(*, first: int, until: int, types: SalesTypes, known_at: datetime) -> Columns:
    """What the customers [first, until) bought and gave back, as known at `known_at`: columns customer, at, amount,
    products (the amount without lines that are not products), is_purchase."""
    return fetch_columns(
        "analytics/days_sales_range",
        {"customer": "q", **_SOLD},
        first=first,
        until=until,
        purchases=list(types.purchases),
        refunds=list(types.refunds),
        known_at=known_at,
    )


@dataclass(frozen=True, slots=True)
class Owners:
    """Whose some profiles were when figures were counted last, and whose they are. Owner 0: nobody's."""

    profile: Int64s
    then: Int64s
    now: Int64s


def owners(*, arrived: Sequence[int], customers: Sequence[int], moves_seen: int) -> Owners:
    """All profiles of the customers that something arrived for, that own or owned a profile that moved, or that are
    named. The caller keeps merges away."""
    moves = list(
        ProfileMove.objects.filter(pk__gt=moves_seen).order_by("pk").values_list("profile_id", "from_customer_id")
    )
    before: dict[int, int] = {}
    for profile, owner in moves:
        before.setdefault(profile, owner)
    mentioned = sorted({*arrived, *before})
    now = _owners_of(mentioned, [])
    everybody = sorted({*customers, *now.values(), *before.values()})
    belongs = _owners_of(mentioned, everybody)
    profiles = sorted(belongs)
    return Owners(
        profile=np.array(profiles, np.int64),
        then=np.array([before.get(profile, belongs[profile]) for profile in profiles], np.int64),
        now=np.array([belongs[profile] for profile in profiles], np.int64),
    )


def _owners_of(profiles: Sequence[int], customers: Sequence[int]) -> dict[int, int]:
    """Whose these profiles are, and all profiles of these customers."""
    if not profiles and not customers:
        return {}
    return dict(
        sql.rows("analytics/days_owners", profiles=sql.array(list(profiles)), customers=sql.array(list(customers)))
    )


def arrivals(*, types: SalesTypes, since: datetime, known_at: datetime) -> dict[int, bool]:
    """The profiles of which a purchase or a refund arrived in [since, known_at), and, as False, those whose money was
    converted then and nothing else."""
    asked = [*types.purchases, *types.refunds]
    return dict(sql.rows("analytics/days_arrivals", types=asked, since=since, known_at=known_at))


def sold_then_and_now(
    *, owned: Owners, types: SalesTypes, since: datetime, known_at: datetime
) -> tuple[Columns, Columns]:
    """What these profiles bought and gave back as known at `since`, with the owners of then, and as known at
    `known_at`, with those of now: columns customer, at, amount, products, is_purchase."""
    found = fetch_columns(
        "analytics/days_sales",
        {
            "profile": "q",
            "at": "t",
            "received": "t",
            "amount": "q",
            "products": "q",
            "is_purchase": "h",
            "converted": "t",
        },
        profiles=sql.array(owned.profile.tolist()),
        purchases=list(types.purchases),
        refunds=list(types.refunds),
        since=since,
        known_at=known_at,
    )
    place = np.searchsorted(owned.profile, found.pop("profile"))
    known = found["received"] < to_ms(since)
    converted = found.pop("converted")
    then = _taken({**_priced(found, converted, since), "customer": owned.then[place]}, known)
    return then, {**_priced(found, converted, known_at), "customer": owned.now[place]}


def _priced(sold: Columns, converted: Int64s, at: datetime) -> Columns:
    """With the amounts that were known at an instant: one converted from then on is 0."""
    had = converted < to_ms(at)
    return {**sold, "amount": sold["amount"] * had, "products": sold["products"] * had}
