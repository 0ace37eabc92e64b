"""What the history of some customers adds to figures per day: pure functions of columns, one row per change.

Customers are laid end to end on one line (owner * _SPAN + day), so every step is a few linear NumPy operations over all
of them. A history that is no longer believed is taken off with sign -1: kept figures are sums of these rows.

Days are numbers (`calendar`). A window of `length` days is named by the day `until` that follows it: [until - length,
until). Somebody is in a stage at a border x (the first instant of day x) who entered it before x and had not left."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .lives import Int64s, distinct

_SPAN = 1 << 20  # days from 1970 on, the longest window included
FOREVER = _SPAN - 1
NOBODY = np.empty(0, np.int64)


@dataclass(frozen=True, slots=True)
class Entries:
    """Who entered which stage on which day, in order of owner and instant. stage: a code from 1, 0 means none."""

    owner: Int64s
    day: Int64s
    stage: Int64s

    def before(self) -> Int64s:
        """The stage that each entry left, 0 for a first one."""
        left = np.zeros(len(self.stage), np.int64)
        left[1:] = np.where(self.owner[1:] == self.owner[:-1], self.stage[:-1], 0)
        return left

    def last(self) -> tuple[Int64s, Int64s]:
        """Every owner with the stage it entered last."""
        last = np.append(self.owner[1:] != self.owner[:-1], True)[: len(self.owner)]
        return self.owner[last], self.stage[last]

    def at_day_ends(self) -> "Entries":
        """The last entry of each customer and day, without those that end where the day before did."""
        if not len(self.owner):
            return self
        line = self.owner * _SPAN + self.day
        last = np.append(line[1:] != line[:-1], True)
        ends = Entries(self.owner[last], self.day[last], self.stage[last])
        changed = ends.before() != ends.stage
        return Entries(ends.owner[changed], ends.day[changed], ends.stage[changed])

    def at(self, owner: Int64s, border: Int64s) -> Int64s:
        """The stage of some owners at some borders, 0 before their first entry."""
        if not len(self.owner):
            return np.zeros(len(owner), np.int64)
        place = np.searchsorted(self.owner * _SPAN + self.day, owner * _SPAN + border, side="left") - 1
        found = (place >= 0) & (self.owner[place] == owner)
        return np.where(found, self.stage[place], 0)


@dataclass(frozen=True, slots=True)
class Moves:
    """On `day`, `source` was left for `target`; of a window: on the day `until`. amount: +1 or -1."""

    day: Int64s
    source: Int64s
    target: Int64s
    amount: Int64s


def moves(entries: Entries) -> Moves:
    """Every entry with the stage it left."""
    return Moves(entries.day, entries.before(), entries.stage, np.ones(len(entries.day), np.int64))


def shifts(ends: Entries, length: int) -> Moves:
    """How the pair (stage at the start, stage at the end) of the windows of `length` days changes from one `until` to
    the next. `ends`: entries at day ends.

    A new stage on day d is felt at the end of the window until d + 1, and at the start of that until d + 1 + length. If
    both happen to one customer at one `until`, the end moves first, while the start is where it was; then the start."""
    left = ends.before()
    start = ends.at(ends.owner, ends.day - length)
    end = ends.at(ends.owner, ends.day + 1 + length)
    one = np.ones(len(ends.day), np.int64)
    return Moves(
        day=np.concatenate((ends.day + 1, ends.day + 1, ends.day + 1 + length, ends.day + 1 + length)),
        source=np.concatenate((start, start, left, ends.stage)),
        target=np.concatenate((left, ends.stage, end, end)),
        amount=np.concatenate((-one, one, -one, one)),
    )


@dataclass(frozen=True, slots=True)
class Spans:
    """Half-open spans (start, end] of days per owner; end FOREVER: not yet ended."""

    owner: Int64s
    start: Int64s
    end: Int64s


def spells_in(entries: Entries, stage: int) -> Spans:
    """The days on which customers entered `stage` and left it again, the same day included."""
    ends = np.full(len(entries.day), FOREVER)
    if len(ends):
        same = entries.owner[1:] == entries.owner[:-1]
        ends[:-1] = np.where(same, entries.day[1:], FOREVER)
    inside = entries.stage == stage
    return Spans(entries.owner[inside], entries.day[inside], ends[inside])


def touching(spans: Spans, length: int) -> Spans:
    """The windows (by `until`) of `length` days that a span touches: what began on day s and ended on day e is seen by
    those until s + 1 to e + length."""
    end = np.where(spans.end == FOREVER, FOREVER, spans.end + length)
    return Spans(spans.owner, spans.start, end)


def members(spans: Spans) -> tuple[Int64s, Int64s]:
    """How many customers are in at least one of their spans, as changes: (day, +1 or -1)."""
    if not len(spans.owner):
        return NOBODY, NOBODY
    start, end = spans.owner * _SPAN + spans.start, spans.owner * _SPAN + spans.end
    order = np.argsort(start, kind="stable")
    start, end = start[order], end[order]
    reach = np.maximum.accumulate(end)
    begins = np.append(True, start[1:] > reach[:-1])
    closes = reach[np.append(np.flatnonzero(begins)[1:] - 1, len(reach) - 1)]
    opens = start[begins] % _SPAN
    closes = closes % _SPAN
    ended = closes != FOREVER
    opened = np.ones(len(opens), np.int64)
    return np.concatenate((opens + 1, closes[ended] + 1)), np.concatenate((opened, -opened[ended]))


def both(first: Spans, second: Spans) -> Spans:
    """All spans of two kinds."""
    return Spans(
        np.concatenate((first.owner, second.owner)),
        np.concatenate((first.start, second.start)),
        np.concatenate((first.end, second.end)),
    )


@dataclass(frozen=True, slots=True)
class Sales:
    """Purchases and refunds in any order. amount in minor units, 0 when none was given."""

    owner: Int64s
    day: Int64s
    amount: Int64s
    is_purchase: npt.NDArray[np.bool_]

    @property
    def is_order(self) -> npt.NDArray[np.bool_]:
        return self.is_purchase & (self.amount > 0)

    def order_days(self) -> tuple[Int64s, Int64s]:
        """(owner, day) of every day with an order, once each and in order."""
        line = distinct(self.owner[self.is_order] * _SPAN + self.day[self.is_order])
        return line // _SPAN, line % _SPAN

    def order_spans(self) -> Spans:
        """The days with an order, as spans that begin and end on them."""
        owner, day = self.order_days()
        return Spans(owner, day, day)


def first_days(owner: Int64s, day: Int64s) -> Int64s:
    """Of (owner, day) in order, the first day of each owner."""
    return day[np.append(True, owner[1:] != owner[:-1])] if len(owner) else NOBODY
