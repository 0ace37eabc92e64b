"""Many windows of time at once: the borders of all of them cut time into pieces, and what a customer did is a number
whose bits are pieces. So each row of a history is looked at once, however many windows are asked about, and each window
looks at one number per customer. Pure functions of columns; instants are milliseconds since 1970."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from .lives import Bools, Int64s

Window = tuple[int, int]  # [start, until)
MOST = 30  # windows: their borders are bits of one number


@dataclass(frozen=True, slots=True)
class Cut:
    """Windows and their borders, rising. Piece k lies before border k and after the one before it, which belongs to
    it."""

    borders: Int64s
    windows: tuple[Window, ...]

    @classmethod
    def of(cls, windows: Sequence[Window]) -> "Cut":
        """At most MOST windows."""
        assert len(windows) <= MOST
        return cls(np.unique(np.array(windows, np.int64)), tuple(windows))

    def piece(self, at: Int64s) -> Int64s:
        """In which piece instants lie."""
        return np.searchsorted(self.borders, at, side="right")

    def pieces(self, window: Window) -> int:
        """The pieces of a window, as bits; none of one that ends before it starts."""
        start, until = map(self.place, window)
        return max(0, (2 << until) - (2 << start))

    def place(self, at: int) -> int:
        """The number of the border at an instant."""
        return int(np.searchsorted(self.borders, at))

    def crossing(self, at: int) -> np.int64:
        """The border at an instant, as a bit."""
        return np.int64(1 << self.place(at))


def in_batches(windows: Sequence[Window]) -> Iterator[tuple[int, Cut]]:
    """All windows, MOST at a time, with the number of the first."""
    for first in range(0, len(windows), MOST):
        yield first, Cut.of(windows[first : first + MOST])


@dataclass(frozen=True, slots=True)
class Spans:
    """What spans of time customers were in, of each customer one row, in order. pieces: those that a span touches;
    crossed: the borders at which one was going on and had begun before."""

    customer: Int64s
    pieces: Int64s
    crossed: Int64s


def spans(cut: Cut, *, customer: Int64s, start: Int64s, end: Int64s) -> Spans:
    """Of rows in order of customer. A span that ends at a border still touches what begins there: who left at an
    instant was there one millisecond before."""
    if not len(cut.borders):
        return Spans(*(np.empty(0, np.int64) for _column in range(3)))
    near = np.flatnonzero((start < cut.borders[-1]) & (end >= cut.borders[0]))
    customer = customer[near]
    first, last = cut.piece(start[near]), cut.piece(end[near])
    one = np.int64(1)
    crossed = (one << last) - (one << first)
    pieces = crossed | (one << last)
    rows = _begins(customer)
    return Spans(customer[rows], _either(pieces, rows), _either(crossed, rows))


def touched(cut: Cut, *, customer: Int64s, at: Int64s) -> tuple[Int64s, Int64s]:
    """Of rows in order of customer: each customer with an instant in some window, and in which pieces theirs lie."""
    if not len(cut.borders):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    near = np.flatnonzero((at >= cut.borders[0]) & (at < cut.borders[-1]))
    customer, bits = customer[near], np.int64(1) << cut.piece(at[near])
    rows = _begins(customer)
    return customer[rows], _either(bits, rows)


def _either(bits: Int64s, rows: Int64s) -> Int64s:
    return np.bitwise_or.reduceat(bits, rows) if len(rows) else bits


def _begins(customer: Int64s) -> Int64s:
    begins: Bools = np.ones(len(customer), np.bool_)
    begins[1:] = customer[1:] != customer[:-1]
    return np.flatnonzero(begins)
