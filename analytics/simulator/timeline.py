"""Touchpoints of many people as columns while they are being made up."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from .kinds import Kind

Int64s = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Random = np.random.Generator

DAY = 86_400_000
HOUR = 3_600_000
MINUTE = 60_000
NEVER = np.int64(2**60)


@dataclass(frozen=True, slots=True)
class Span:
    """The simulated time, [start, until) in ms since 1970; minor: minor units in a whole one."""

    start: int
    until: int
    minor: int = 100


@dataclass(slots=True)
class Timeline:
    """A growing list of touchpoints: what `add` is told, in parallel lists of arrays."""

    person: list[Int64s] = field(default_factory=list)
    ms: list[Int64s] = field(default_factory=list)
    kind: list[Int64s] = field(default_factory=list)
    channel: list[Int64s] = field(default_factory=list)
    value: list[Int64s] = field(default_factory=list)
    amount: list[Int64s] = field(default_factory=list)
    ref: list[Int64s] = field(default_factory=list)
    device: list[Int64s] = field(default_factory=list)

    def add(
        self,
        kind: Kind,
        person: Int64s,
        ms: npt.NDArray[Any],
        *,
        channel: int | Int64s,
        value: int | Int64s = 0,
        amount: int | Int64s = 0,
        ref: int | Int64s = -1,
        device: int = 0,
    ) -> None:
        """Touchpoints of one kind. value: which of the things its properties can say; amount: minor units (kinds that
        carry none: 0); ref: the order or ticket it speaks of, counted per person; device 1: the second one."""
        count = len(person)
        self.person.append(person.astype(np.int64))
        self.ms.append(ms.astype(np.int64))
        self.kind.append(np.full(count, kind, np.int64))
        for column, told in (
            (self.channel, channel),
            (self.value, value),
            (self.amount, amount),
            (self.ref, ref),
            (self.device, device),
        ):
            column.append(np.broadcast_to(np.asarray(told, np.int64), count))

    def columns(self) -> dict[str, Int64s]:
        """Everything added, one array per column."""
        return {
            name: np.concatenate(getattr(self, name))
            for name in ("person", "ms", "kind", "channel", "value", "amount", "ref", "device")
        }


def days(count: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Days as milliseconds."""
    return count * DAY


def chosen(random: Random, people: Int64s, share: float) -> Int64s:
    """Those of `people` that a coin of that share falls to."""
    return people[random.random(len(people)) < share]


def picked(random: Random, shares: Sequence[float], count: int) -> Int64s:
    """Positions drawn with the given shares."""
    return random.choice(len(shares), count, p=np.asarray(shares) / sum(shares)).astype(np.int64)


def repeated(random: Random, people: Int64s, mean: npt.NDArray[np.float64] | float) -> Int64s:
    """Each position in `people` a Poisson number of times."""
    counts = random.poisson(mean, len(people))
    return np.repeat(np.arange(len(people), dtype=np.int64), counts)


def ordinals(groups: Int64s) -> Int64s:
    """0, 1, 2, ... within each run of equal values."""
    if not len(groups):
        return groups.astype(np.int64)
    heads = np.flatnonzero(np.concatenate([[True], groups[1:] != groups[:-1]]))
    counts = np.diff(np.append(heads, len(groups)))
    return np.arange(len(groups), dtype=np.int64) - np.repeat(heads, counts)
