"""From histories to changes of kept figures: per table the cells that change and by how much, summed over customers."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from clm.lib.columns import Columns

from .calendar import day_numbers
from .declared import LENGTHS
from .differences import (
    Entries,
    Int64s,
    Moves,
    Sales,
    Spans,
    both,
    first_days,
    members,
    moves,
    shifts,
    touching,
)

Cells = tuple[Int64s, Int64s]  # keys and the sums that belong to them


def summed(parts: list[Cells]) -> Cells:
    """One sum per key, those that come to nothing left out."""
    parts = [part for part in parts if len(part[0])]
    if not parts:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    key, amount = (np.concatenate(column) for column in zip(*parts, strict=True))
    first = int(key.min())
    totals = np.zeros(int(key.max()) - first + 1, np.int64)
    np.add.at(totals, key - first, amount)
    kept = np.flatnonzero(totals)
    return kept + first, totals[kept]


@dataclass(slots=True)
class StageChanges:
    """What changes of the stage figures of one version. stages: its ids; their codes are 1, 2, ..., and 0 is none."""

    stages: tuple[int, ...]
    moved: Cells = field(default_factory=lambda: summed([]))
    stock: Cells = field(default_factory=lambda: summed([]))
    shifted: dict[int, Cells] = field(default_factory=lambda: {length: summed([]) for length in LENGTHS})

    @property
    def codes(self) -> int:
        return len(self.stages) + 1

    def entries(self, owner: Int64s, ms: Int64s, stage: npt.NDArray[np.integer], zone: str) -> Entries:
        """Transitions in any order as entries. owner: any numbers that tell customers apart."""
        order = np.lexsort((ms, owner))
        return Entries(owner[order], day_numbers(ms, zone)[order], self.coded(stage)[order])

    def coded(self, stage: npt.NDArray[np.integer]) -> Int64s:
        """The codes of stages by their ids."""
        known = np.array(sorted(self.stages), np.int64)
        return (np.searchsorted(known, stage) + 1).astype(np.int64)

    def stage_of(self, code: Int64s) -> Int64s:
        """The ids of stages by their codes, 0 for none."""
        return np.concatenate((np.zeros(1, np.int64), np.array(sorted(self.stages), np.int64)))[code]

    def add(self, entries: Entries, sign: int = 1) -> None:
        """Count what these histories say; sign -1 takes it off."""
        if not len(entries.owner):
            return
        ends = entries.at_day_ends()
        left, one = ends.before(), np.ones(len(ends.day), np.int64)
        self.moved = summed([self.moved, self._keyed(moves(entries), sign)])
        came = Moves(ends.day, np.zeros_like(left), ends.stage, one)
        gone = Moves(ends.day, np.zeros_like(left), left, -one)
        self.stock = summed([self.stock, self._keyed(came, sign), self._keyed(gone, sign)])
        for length in LENGTHS:
            self.shifted[length] = summed([self.shifted[length], self._keyed(shifts(ends, length), sign)])

    def _keyed(self, found: Moves, sign: int) -> Cells:
        return (found.day * self.codes + found.source) * self.codes + found.target, found.amount * sign

    def read(self, cells: Cells) -> tuple[Int64s, Int64s, Int64s, Int64s]:
        """(day, stage left, stage entered, amount) of cells, stages by id; the cell none to none says nothing."""
        key, amount = cells
        day, pair = key // self.codes**2, key % self.codes**2
        told = pair != 0
        source, target = self.stage_of(pair // self.codes), self.stage_of(pair % self.codes)
        return day[told], source[told], target[told], amount[told]


SALES_COLUMNS = ("orders", "unpriced", "bought", "refunded", "buyers", "first_paying")
ACTIVITY_COLUMNS = ("active", "buyers", "customers")


@dataclass(slots=True)
class SalesChanges:
    """What changes of sales per day and of activity per window, by lines (products only: 1, all: 0) and column."""

    zone: str
    days: dict[tuple[int, str], Cells] = field(default_factory=dict)
    windows: dict[tuple[int, int, str], Cells] = field(default_factory=dict)

    def add(self, owner: Int64s, sold: Columns, spells: Spans, sign: int = 1) -> None:
        """Count what these purchases, refunds and spells of activity say. sold: at (ms), amount, products (its amount
        without other lines), is_purchase; in any order, beside their owners."""
        day = day_numbers(sold["at"], self.zone)
        is_purchase = sold["is_purchase"] == 1
        for lines, column in ((0, "amount"), (1, "products")):
            sales = Sales(owner, day, sold[column], is_purchase)
            for name, found in _of_days(sales):
                self.days[lines, name] = _plus(self.days.get((lines, name)), found, sign)
            for length, name, found in _of_windows(sales, spells):
                key = (length, lines, name)
                self.windows[key] = _plus(self.windows.get(key), found, sign)


def _plus(kept: Cells | None, found: Cells, sign: int) -> Cells:
    return summed([*([] if kept is None else [kept]), (found[0], found[1] * sign)])


def _of_days(sales: Sales) -> Iterator[tuple[str, Cells]]:
    one = np.ones(len(sales.day), np.int64)
    order, other = sales.is_order, sales.is_purchase & ~sales.is_order
    yield "orders", (sales.day[order], one[order])
    yield "unpriced", (sales.day[other], one[other])
    yield "bought", (sales.day[sales.is_purchase], sales.amount[sales.is_purchase])
    yield "refunded", (sales.day[~sales.is_purchase], sales.amount[~sales.is_purchase])
    owner, day = sales.order_days()
    yield "buyers", (day, np.ones(len(day), np.int64))
    first = first_days(owner, day)
    yield "first_paying", (first, np.ones(len(first), np.int64))


def _of_windows(sales: Sales, spells: Spans) -> Iterator[tuple[int, str, Cells]]:
    orders = sales.order_spans()
    for length in LENGTHS:
        ordered, active = touching(orders, length), touching(spells, length)
        yield length, "active", members(active)
        yield length, "buyers", members(ordered)
        yield length, "customers", members(both(active, ordered))


def sparse(parts: Mapping[str, Cells]) -> tuple[Int64s, dict[str, Int64s]]:
    """Columns of cells side by side: every key that any of them has, and their amounts there."""
    keys = np.unique(np.concatenate([key for key, _amount in parts.values()])) if parts else np.empty(0, np.int64)
    columns = {}
    for name, (key, amount) in parts.items():
        column = np.zeros(len(keys), np.int64)
        column[np.searchsorted(keys, key)] = amount
        columns[name] = column
    return keys, columns
