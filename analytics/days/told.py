"""What customers answered and who was asked, counted from their touchpoints: the questions of `feedback_answers.sql`
and `feedback_asked.sql`. Pure functions of columns; instants are milliseconds since 1970."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from clm.lib.columns import Columns

from .lives import Bools, Int64s, Lives, among

KINDS = ("nps", "csat", "ces")
COLUMNS = {"customer": "q", "at": "t", **dict.fromkeys((*KINDS, "asked"), "h")}
_NONE = -2  # in the place of an answer; -1: one that does not lie on the scale
Int16s = npt.NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Told:
    """Touchpoints in order of time. answers: by kind the score, -1 off the scale, -2 for none; asked: the number of the
    kind in KINDS, from 1, 0 for none. What happened in [start, until) is in it."""

    start: int
    until: int
    customer: Int64s
    at: Int64s
    answers: Mapping[str, Int16s]
    asked: Int16s

    @classmethod
    def of(cls, start: int, until: int, rows: Columns) -> "Told":
        """From the columns COLUMNS, in order of time."""
        return cls(start, until, rows["customer"], rows["at"], {kind: rows[kind] for kind in KINDS}, rows["asked"])

    def between(self, start: int, until: int) -> "Told":
        """What happened in [start, until)."""
        first, last = np.searchsorted(self.at, (start, max(start, until)))
        return self._taken(start, until, slice(int(first), int(last)))

    def among(self, members: Int64s | None) -> "Told":
        """What some customers told, None: all."""
        return self if members is None else self._taken(self.start, self.until, among(self.customer, members))

    def _taken(self, start: int, until: int, rows: slice | Bools) -> "Told":
        answers = {kind: answer[rows] for kind, answer in self.answers.items()}
        return Told(start, until, self.customer[rows], self.at[rows], answers, self.asked[rows])


@dataclass(frozen=True, slots=True)
class Last:
    """The last answers of customers to one kind in one period; of each customer one."""

    customer: Int64s
    at: Int64s
    score: Int64s


def last_answers(told: Told, kind: str, windows: Sequence[tuple[int, int]]) -> list[Last]:
    """The last answers in each window [start, until)."""
    rows = np.flatnonzero(told.answers[kind] >= 0)
    # In order of customer, and of each in order of time.
    rows = rows[np.argsort(told.customer[rows], kind="stable")]
    customer, at = told.customer[rows], told.at[rows]
    score = told.answers[kind][rows].astype(np.int64)
    found = []
    for start, until in windows:
        here = np.flatnonzero((at >= start) & (at < until))
        theirs = customer[here]
        is_last = np.ones(len(here), np.bool_)
        is_last[:-1] = theirs[1:] != theirs[:-1]
        kept = here[is_last]
        found.append(Last(customer[kept], at[kept], score[kept]))
    return found


def off_scale(told: Told, kind: str) -> int:
    """How many answers lie off the scale."""
    return int(np.count_nonzero(told.answers[kind] == -1))


def stages_then(lives: Lives, customer: Int64s, at: Int64s) -> Int64s:
    """The stage of each customer (in order) at an instant of its own, 0 for none."""
    stage = np.zeros(len(customer), np.int64)
    if not len(customer) or not len(lives.at):
        return stage
    place = np.searchsorted(lives.ids, customer)
    place[place == len(lives.ids)] = 0
    there = lives.ids[place] == customer
    low = lives.starts[place]
    high = np.append(lives.starts[1:], len(lives.at))[place]
    began = there & (lives.at[low] <= at)
    # Halve each customer's rows until one is left: the last that was entered by then.
    while np.any(high - low > 1):
        middle = (low + high) // 2
        by_then = lives.at[np.minimum(middle, len(lives.at) - 1)] <= at
        by_then &= high - low > 1
        high = np.where(by_then | (high - low <= 1), high, middle)
        low = np.where(by_then, middle, low)
    stage[began] = lives.stage[low[began]]
    return stage


def responses(asking: Told, answering: Told, kind: str) -> tuple[Int64s, Bools]:
    """Who was asked in the time of `asking`, in order, and who answered in it after being asked first."""
    asked = np.flatnonzero(asking.asked == KINDS.index(kind) + 1)
    order = asked[np.argsort(asking.customer[asked], kind="stable")]
    theirs = asking.customer[order]
    is_first = np.ones(len(order), np.bool_)
    is_first[1:] = theirs[1:] != theirs[:-1]
    who, since = theirs[is_first], asking.at[order][is_first]
    (last,) = last_answers(answering, kind, [(asking.start, asking.until)])
    place = np.searchsorted(last.customer, who)
    place[place == len(last.customer)] = 0
    if not len(last.customer):
        return who, np.zeros(len(who), np.bool_)
    return who, (last.customer[place] == who) & (last.at[place] >= since)
