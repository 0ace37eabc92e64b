"""Recency, frequency, monetary value: five classes each, by thresholds.

A class is told by thresholds on the value itself, never by rank with ties broken: customers with the same value are
always in the same class, and a class can be asked for again. Where many share a value, classes that would be told apart
by nothing become one, and that is said."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .purchases import Int64s

CLASSES = 5


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Classes of one value. upper: the highest value of each class but the last, ascending; numbers: what the classes
    are called, lowest values first, of 1 to 5: fewer than five classes leave numbers out. shared: the share of
    customers with the most common value, most_common, where that took classes away; None otherwise."""

    upper: tuple[int, ...]
    numbers: tuple[int, ...]
    shared: float | None
    most_common: int | None

    def classes(self, values: Int64s) -> Int64s:
        """The number of the class of each value."""
        return np.array(self.numbers, np.int64)[np.searchsorted(np.array(self.upper, np.int64), values, side="left")]

    def bounds(self, number: int) -> tuple[int | None, int | None]:
        """The values of a class: above the first, up to and including the second; None: no bound on that side."""
        place = self.numbers.index(number)
        low = self.upper[place - 1] if place else None
        return low, self.upper[place] if place < len(self.upper) else None


def thresholds(values: Int64s, *, descending: bool = False) -> Thresholds | None:
    """Thresholds that part the values into fifths as evenly as ties allow; None without values. descending: the lowest
    values are the best class (days since the last order)."""
    if not len(values):
        return None
    ordered = np.sort(values)
    count = len(ordered)
    cuts = [int(ordered[-(-count * part // CLASSES) - 1]) for part in range(1, CLASSES)]
    # A class ends at the highest value of its fifth; cuts that coincide, or that have nothing above them, tell nothing.
    upper = [one for one in dict.fromkeys(cuts) if one < int(ordered[-1])]
    ends = np.searchsorted(ordered, upper, side="right").tolist()
    numbers = _numbers(ends, count)
    if descending:
        numbers = tuple(CLASSES + 1 - one for one in numbers)
    found, often = np.unique(ordered, return_counts=True)
    most = int(often.argmax())
    shared = float(often[most]) / count
    return Thresholds(
        tuple(upper),
        numbers,
        shared if shared > 1 / CLASSES and len(upper) < CLASSES - 1 else None,
        int(found[most]) if shared > 1 / CLASSES and len(upper) < CLASSES - 1 else None,
    )


def _numbers(ends: Sequence[int], count: int) -> tuple[int, ...]:
    """Each class is called after the fifth in which its middle customer stands, so that merged classes lie where their
    customers do; ascending and never twice the same."""
    numbers: list[int] = []
    for start, end in zip([0, *ends], [*ends, count], strict=True):
        middle = (start + end) / 2
        number = min(CLASSES, int(middle * CLASSES / count) + 1)
        numbers.append(max(number, numbers[-1] + 1 if numbers else 1))
    # Moved up past the last one: counted down from the end again.
    for place in range(len(numbers) - 1, -1, -1):
        highest = CLASSES - (len(numbers) - 1 - place)
        numbers[place] = min(numbers[place], highest)
    return tuple(numbers)
