"""Histories of many customers laid end to end, in order of customer and instant, so that a question about all of them
is a few linear NumPy operations. Pure functions of columns; instants are milliseconds since 1970."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Int64s = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

NEVER = np.int64(1) << np.int64(62)  # an instant that does not come


def in_order(customer: Int64s, at: Int64s) -> npt.NDArray[np.intp] | None:
    """The order by customer and instant, None where rows are in it already."""
    if _is_in_order(customer, at):
        return None
    # Packs and what changed since are two runs of whole customers: the cheap order is mostly the right one.
    order = np.argsort(customer, kind="stable")
    return order if _is_in_order(customer[order], at[order]) else np.lexsort((at, customer))


def _is_in_order(customer: Int64s, at: Int64s) -> bool:
    return bool(np.all((customer[1:] > customer[:-1]) | ((customer[1:] == customer[:-1]) & (at[1:] >= at[:-1]))))


def firsts(customer: Int64s) -> Bools:
    """Which rows are the first of their customer."""
    first = np.ones(len(customer), np.bool_)
    first[1:] = customer[1:] != customer[:-1]
    return first


def distinct(numbers: Int64s) -> Int64s:
    """The different numbers, in order. np.unique hashes them, which takes twenty times as long where most of millions
    are different."""
    ordered = np.sort(numbers)
    return ordered[firsts(ordered)]


@dataclass(frozen=True, slots=True)
class Lives:
    """Who entered which stage when. first: which rows are a customer's first; starts: their places, in the order of
    `ids`; left: when the stage was left, NEVER if it was not."""

    customer: Int64s
    at: Int64s
    stage: Int64s
    first: Bools
    starts: Int64s
    ids: Int64s
    left: Int64s

    @classmethod
    def of(cls, customer: Int64s, at: Int64s, stage: Int64s) -> "Lives":
        """From columns in any order."""
        order = in_order(customer, at)
        if order is not None:
            customer, at, stage = customer[order], at[order], stage[order]
        starts = np.flatnonzero(firsts(customer))
        return cls.laid(customer, at, stage, starts)

    @classmethod
    def laid(cls, customer: Int64s, at: Int64s, stage: Int64s, starts: Int64s) -> "Lives":
        """From columns in order of customer and instant, and the places at which customers begin."""
        first = np.zeros(len(at), np.bool_)
        first[starts] = True
        left = np.empty(len(at), np.int64)
        left[:-1] = at[1:]
        left[starts[1:] - 1] = NEVER
        left[-1:] = NEVER
        return cls(customer, at, stage, first, starts, customer[starts], left)

    def before(self) -> Int64s:
        """The stage that each entry left, 0 for a first one."""
        found = np.zeros(len(self.stage), np.int64)
        found[1:] = np.where(self.first[1:], 0, self.stage[:-1])
        return found

    def stage_at(self, instant: int) -> Int64s:
        """The stage of each of `ids` at an instant, 0 before the first."""
        found = np.zeros(len(self.ids), np.int64)
        # Of each customer who has begun exactly one row goes on at the instant: they come in the order of `ids`.
        found[self.at[self.starts] <= instant] = self.stage[(self.at <= instant) & (self.left > instant)]
        return found

    def inside(self, stage: int, instant: int) -> Int64s:
        """The ids of those who are in a stage at an instant, in order."""
        return self.ids[self.stage_at(instant) == stage]


@dataclass(frozen=True, slots=True)
class Bought:
    """Purchases and refunds. amount in minor units, 0 when none was given; products: without lines that are not
    products."""

    customer: Int64s
    at: Int64s
    amount: Int64s
    products: Int64s
    is_purchase: Bools

    @classmethod
    def of(cls, customer: Int64s, at: Int64s, amount: Int64s, products: Int64s, is_purchase: Bools) -> "Bought":
        """From columns in any order."""
        order = in_order(customer, at)
        if order is not None:
            customer, at, amount = customer[order], at[order], amount[order]
            products, is_purchase = products[order], is_purchase[order]
        return cls(customer, at, amount, products, is_purchase)

    def money(self, products_only: bool) -> Int64s:
        """The amounts that count."""
        return self.products if products_only else self.amount


def among(customer: Int64s, members: Int64s) -> Bools:
    """Which rows are of one of `members`."""
    if not len(customer) or not len(members):
        return np.zeros(len(customer), np.bool_)
    flags = np.zeros(int(max(customer.max(), members.max())) + 1, np.bool_)
    flags[members] = True
    return flags[customer]
