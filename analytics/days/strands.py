"""Rows of many customers as they are held in memory: narrow columns in order of customer and instant, and in the place
of a column of customers each of them once, with how many rows are theirs. A million histories of four million rows
take 50 MB so, and to pick out some customers one looks at each customer and not at each row."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from clm.lib.columns import Columns

from .lives import Bools, Int64s, among, firsts

_NARROW = (np.int8, np.int16, np.int32)


@dataclass(frozen=True, slots=True)
class Strand:
    """ids: the customers, rising; counts: how many rows each of them has; columns: the rows, by name."""

    ids: Int64s
    counts: npt.NDArray[np.int32]
    columns: Columns

    @classmethod
    def of(cls, rows: Columns) -> "Strand":
        """From columns in order of `customer`."""
        customer = rows["customer"]
        starts = np.flatnonzero(firsts(customer))
        counts = np.diff(starts, append=len(customer)).astype(np.int32)
        columns = {name: _narrowed(column) for name, column in rows.items() if name != "customer"}
        return cls(customer[starts].astype(np.int64), counts, columns)

    @property
    def customer(self) -> Int64s:
        """Whose each row is."""
        return np.repeat(self.ids, self.counts)

    @property
    def starts(self) -> Int64s:
        """The place of each customer's first row."""
        starts = np.zeros(len(self.counts), np.int64)
        np.cumsum(self.counts[:-1], out=starts[1:])
        return starts

    @property
    def size(self) -> int:
        """Bytes."""
        return self.ids.nbytes + self.counts.nbytes + sum(column.nbytes for column in self.columns.values())

    def close(self) -> None:
        """Let nobody write into it any more."""
        self.ids.flags.writeable = self.counts.flags.writeable = False
        for column in self.columns.values():
            column.flags.writeable = False

    def among(self, members: Int64s) -> "Strand":
        """The rows of some customers."""
        return self._kept(among(self.ids, members))

    def replaced(self, customers: Int64s, anew: "Strand") -> "Strand":
        """With the rows of `anew` in the place of all rows of some customers."""
        left = self._kept(~among(self.ids, customers))
        ids = np.concatenate((left.ids, anew.ids))
        order = np.argsort(ids, kind="stable")  # two rising runs: merged in one pass
        counts = np.concatenate((left.counts, anew.counts))[order]
        is_new = np.repeat(order >= len(left.ids), counts)
        columns = {}
        for name, column in left.columns.items():
            woven = np.empty(len(is_new), np.result_type(column, anew.columns[name]))
            woven[is_new], woven[~is_new] = anew.columns[name], column
            columns[name] = woven
        return Strand(ids[order], counts, columns)

    def _kept(self, wanted: Bools) -> "Strand":
        rows = np.repeat(wanted, self.counts)
        columns = {name: column[rows] for name, column in self.columns.items()}
        return Strand(self.ids[wanted], self.counts[wanted], columns)


def _narrowed(column: npt.NDArray[np.signedinteger]) -> npt.NDArray[np.signedinteger]:
    """The same numbers in as few bytes as hold them all."""
    low, high = (int(column.min()), int(column.max())) if len(column) else (0, 0)
    for kind in _NARROW:
        if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max:
            return column.astype(kind, copy=False)
    return column.astype(np.int64, copy=False)
