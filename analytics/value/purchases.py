"""How often and when customers bought, in the form every buy-till-you-die model reads: repeat purchases, the age at the
last of them, the age at the end of what was observed. Purchases of one day are one purchase. Ages are exact days:
rounding them to weeks first merges a week's purchases and moves the estimates."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Purchases:
    """Histories of customers who have bought, `weight` of them alike in each row.

    repeats: purchases after the first; last: age at the last purchase, 0 without repeats; age: age at the end of what
    was observed. Ages count from the first purchase, in days unless a caller scales them; arrays are equally long."""

    repeats: Int64s
    last: Floats
    age: Floats
    weight: Floats

    @property
    def customers(self) -> int:
        """How many customers all rows stand for."""
        return round(float(self.weight.sum()))

    @property
    def repeaters(self) -> int:
        """How many of them bought again."""
        return round(float(self.weight[self.repeats > 0].sum()))

    def in_units_of(self, days: float) -> "Purchases":
        """The same histories with ages in units of so many days (7: weeks, as papers print them)."""
        return Purchases(self.repeats, self.last / days, self.age / days, self.weight)


def each_its_own(repeats: npt.ArrayLike, last: npt.ArrayLike, age: npt.ArrayLike) -> Purchases:
    """Histories of customers, a row each."""
    found = np.asarray(repeats, np.int64)
    return Purchases(found, np.asarray(last, np.float64), np.asarray(age, np.float64), np.ones(len(found)))


@dataclass(frozen=True, slots=True)
class Buyers:
    """Customers with their histories: `row` is the place of each one's history in `purchases`, where those whose
    histories are equal share a row. That loses nothing: the likelihood is the same number."""

    purchases: Purchases
    row: Int64s


def alike(repeats: npt.ArrayLike, last: npt.ArrayLike, age: npt.ArrayLike) -> Buyers:
    """Put customers with equal histories (ages in whole days) together."""
    often, recent, old = (np.asarray(one, np.int64) for one in (repeats, last, age))
    if not len(often):
        none = np.empty(0)
        return Buyers(Purchases(often, none, none, none), np.empty(0, np.int64))
    span = int(old.max()) + 1
    keys, row, weight = np.unique((often * span + recent) * span + old, return_inverse=True, return_counts=True)
    rest, ages = np.divmod(keys, span)
    found, last_ages = np.divmod(rest, span)
    return Buyers(
        Purchases(found, last_ages.astype(np.float64), ages.astype(np.float64), weight.astype(np.float64)), row
    )


@dataclass(frozen=True, slots=True)
class Counted:
    """Customers in ascending order, with the day of each one's first purchase and its history up to a day."""

    customer: Int64s
    first: Int64s
    repeats: Int64s
    last: Int64s
    age: Int64s


def counted(*, customer: Int64s, day: Int64s, until: int) -> Counted:
    """Histories of the customers who bought on or before the day `until`. customer, day: one purchase a row, in any
    order, days as whole numbers; those after `until` are not looked at."""
    seen = day <= until
    who, when = customer[seen], day[seen]
    order = np.lexsort((when, who))
    who, when = who[order], when[order]
    new_day = np.ones(len(who), bool)
    new_day[1:] = (who[1:] != who[:-1]) | (when[1:] != when[:-1])
    who, when = who[new_day], when[new_day]
    heads = np.flatnonzero(np.r_[True, who[1:] != who[:-1]]) if len(who) else np.empty(0, np.int64)
    tails = np.r_[heads[1:], len(who)] - 1 if len(who) else heads
    return Counted(who[heads], when[heads], tails - heads, when[tails] - when[heads], until - when[heads])
