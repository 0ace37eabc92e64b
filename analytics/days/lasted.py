"""How long customers stayed in stages and how far they got, counted from packed histories: the questions of
`stage_stays.sql` and `stage_ways.sql`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from clm.lib.milliseconds import to_ms

from .lives import NEVER, Bools, Int64s, Lives, firsts
from .packs import Packs

HOUR = 3_600_000
Asked = Mapping[str, Any]
Rows = list[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Lasted:
    """How long something took: of each customer and stage one row. is_over: it came to an end after so many hours; else
    it was seen for so many."""

    stage: Int64s
    hours: Int64s
    is_over: Bools
    customer: Int64s

    def counts(self) -> dict[int, tuple[Int64s, Int64s, Int64s]]:
        """By stage: hours, rising, and how many came to an end then and how many were seen no longer."""
        if not len(self.stage):
            return {}
        numbers = np.cumsum(np.bincount(self.stage) > 0)
        most = int(self.hours.max()) + 1
        cell = ((numbers[self.stage] - 1) * most + self.hours) * 2 + self.is_over
        counts = np.bincount(cell, minlength=int(numbers[-1]) * most * 2).reshape(-1, most, 2)
        found = {}
        for stage, (open_, ended) in zip(_there(self.stage), counts.transpose(0, 2, 1), strict=True):
            told = np.flatnonzero(ended + open_)
            found[stage] = (told, ended[told], open_[told])
        return found

    def listed(self, stage: int, is_over: bool | None) -> list[int]:
        """The customers of a stage, in order: of whom it came to an end, of whom not, or all."""
        told = self.stage == stage
        if is_over is not None:
            told &= self.is_over == is_over
        found: list[int] = np.sort(self.customer[told]).tolist()
        return found

    def rows(self, listed: int | None) -> Rows:
        """Rows of stage, hours, whether it is over, customers, and who they are of the stage that is listed."""
        rows: Rows = []
        for stage, (hours, *counts) in self.counts().items():
            for is_over, count in zip((True, False), counts, strict=True):
                for hour, customers in zip(hours.tolist(), count.tolist(), strict=True):
                    names = None
                    if stage == listed:
                        of = (self.stage == stage) & (self.hours == hour) & (self.is_over == is_over)
                        names = self.customer[of].tolist()
                    if customers:
                        rows.append((stage, hour, is_over, customers, names))
        return rows


def _there(stage: Int64s) -> list[int]:
    """Which stages there are, in order."""
    found: list[int] = np.flatnonzero(np.bincount(stage)).tolist()
    return found


def lives_asked(packs: Packs, asked: Asked) -> Lives | None:
    """The histories that a question is about; None where they are not packed."""
    if not packs.has(asked["version"], asked["segment"]):
        return None
    return packs.lives(asked["version"], members_asked(packs, asked))


def members_asked(packs: Packs, asked: Asked) -> Int64s | None:
    """Whom a question is about, None for everybody."""
    return packs.members(segment=asked["segment"], segment_in=asked["segment_in"], as_of=asked["as_of"])


def stays_of(packs: Packs, asked: Asked) -> Lasted | None:
    """The stays that `stage_stays` counts; None where they are not packed."""
    lives = lives_asked(packs, asked)
    if lives is None:
        return None
    now = to_ms(asked["as_of"])
    # Nobody asks for what lies before the period.
    rows = np.flatnonzero((lives.at >= to_ms(asked["start_at"])) & (lives.at < _end(asked)))
    begun = rows[_firsts_of_kinds(lives.customer[rows], lives.stage[rows])]
    left = lives.left[begun]
    is_left = left <= now
    hours = (np.where(is_left, left, now) - lives.at[begun]) // HOUR
    return Lasted(lives.stage[begun], hours, is_left, lives.customer[begun])


def ways_of(packs: Packs, asked: Asked) -> Lasted | None:
    """The ways that `stage_ways` counts; None where they are not packed."""
    lives = lives_asked(packs, asked)
    if lives is None:
        return None
    now, steps = to_ms(asked["as_of"]), list(asked["steps"])
    places = np.zeros(max([*steps, int(lives.stage.max(initial=0))], default=0) + 1, np.int64)
    places[steps] = np.arange(1, len(steps) + 1)  # 0: no step of the way
    rows = np.flatnonzero((lives.at >= to_ms(asked["start_at"])) & (lives.at <= now))
    place = places[lives.stage[rows]]
    rows, place = rows[place > 0], place[place > 0]
    at, customer = lives.at[rows], lives.customer[rows]
    inside = np.flatnonzero(at < _end(asked))
    begun = inside[_firsts_of_kinds(customer[inside], place[inside])]
    reached, begun_at, numbers = np.full(len(begun), NEVER), place[begun], _numbers(len(place))
    for step in range(1, len(steps)):
        mine = np.flatnonzero(begun_at == step)
        if not len(mine):
            continue
        # From each row on the next one of a later step, from the last row back.
        later = np.where(place > step, numbers, numbers.dtype.type(len(place)))
        found = np.minimum.accumulate(later[::-1])[::-1][begun[mine]]
        there = found < len(place)
        found = np.minimum(found, len(place) - 1)
        there &= customer[found] == customer[begun[mine]]
        reached[mine] = np.where(there, at[found], NEVER)
    is_reached = reached != NEVER
    hours = (np.where(is_reached, reached, now) - at[begun]) // HOUR
    return Lasted(lives.stage[rows[begun]], hours, is_reached, customer[begun])


def _end(asked: Asked) -> int:
    """The first instant that is no more in the period, or not known."""
    return min(to_ms(asked["until_at"]), to_ms(asked["as_of"]) + 1)


def _numbers(count: int) -> npt.NDArray[np.signedinteger]:
    """0, 1, 2, ... in as few bytes as hold `count` too."""
    return np.arange(count, dtype=np.int32 if count < 1 << 31 else np.int64)


def _firsts_of_kinds(customer: Int64s, kind: Int64s) -> Int64s:
    """Of rows in order, the places of the first of each customer and kind, in order."""
    if not len(kind):
        return np.empty(0, np.int64)
    numbers = np.cumsum(np.bincount(kind) > 0)
    # Each customer and kind has a place of its own; written from behind, what stays there is the first.
    cell = (np.cumsum(firsts(customer)) - 1) * int(numbers[-1]) + numbers[kind] - 1
    rows = _numbers(len(cell))
    first = np.empty(int(cell.max()) + 1, rows.dtype)
    first[cell[::-1]] = rows[::-1]
    return np.flatnonzero(first[cell] == rows)
