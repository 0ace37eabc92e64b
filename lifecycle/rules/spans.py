"""The algebra of spans: sets of half-open spans of all customers of a chunk, laid end to end on one number line.

A key is owner * 2**bits + (milliseconds - base). A set of spans is a pair of sorted int64 arrays (starts, ends): the
spans are disjoint, do not touch, and each lies within one owner. `open_end` is 2**bits - 1: an end that never comes is
`key | open_end`, the last key of its owner. The line is so wide that two keys of one owner are less than half of
2**bits apart, keys of two owners more than every window, and a finite end never reaches the open one.

Every function here is a few linear passes over all customers at once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lifecycle.rules.durations import DAY

Keys = npt.NDArray[np.int64]
Spans = tuple[Keys, Keys]

# No local day is longer, not even one that a change of the date line repeats.
_LONGEST_DAY = 4 * DAY
NOWHERE: Spans = (np.empty(0, np.int64), np.empty(0, np.int64))


def merged(starts: Keys, ends: Keys) -> Spans:
    """The union of spans whose starts and ends both rise."""
    if len(starts) < 2:
        return starts, ends
    cuts = (starts[1:] > ends[:-1]).nonzero()[0]
    return _after(starts, cuts), _before(ends, cuts)


def _after(keys: Keys, cuts: npt.NDArray[np.intp]) -> Keys:
    """The first key and the one after each cut."""
    out = np.empty(len(cuts) + 1, np.int64)
    out[0] = keys[0]
    keys[1:].take(cuts, out=out[1:])
    return out


def _before(keys: Keys, cuts: npt.NDArray[np.intp]) -> Keys:
    """The key before each cut and the last one."""
    out = np.empty(len(cuts) + 1, np.int64)
    keys.take(cuts, out=out[:-1])
    out[-1] = keys[-1]
    return out


# --- counting ----------------------------------------------------------------------------------------------------
def often(keys: Keys, gaps: Keys, count: int, window: int) -> Spans:
    """At least `count` of the keys within the window. `gaps` are the differences of neighbours."""
    if len(keys) < count:
        return NOWHERE
    if count == 1:
        cuts = (gaps > window).nonzero()[0]
        return _after(keys, cuts), _before(keys, cuts) + window
    lead = keys[count - 1 :]
    tail = keys[: len(lead)]
    # The latest `count` keys lie together from the last of them until the first of them leaves the window.
    together = ((gaps if count == 2 else lead - tail) < window).nonzero()[0]
    return merged(lead[together], tail[together] + window)


def ever(keys: Keys, heads: npt.NDArray[np.intp], count: int, open_end: int) -> Spans:
    """From the `count`-th key of each owner on. `heads` are the positions of each owner's first key."""
    if count == 1:
        starts = keys.take(heads)
    else:
        reached = heads + min(count - 1, len(keys))
        following = np.append(heads[1:], len(keys))
        starts = keys.take(reached[reached < following])
    return starts, starts | open_end


def deep(starts: Keys, ends: Keys, depth: int) -> Spans:
    """Where at least `depth` of the given spans overlap. Starts and ends are sorted each for itself; spans of the
    same owner may overlap, the number of spans of each owner must be the same in both, as it is when they pair up."""
    if len(starts) < depth:
        return NOWHERE
    lead = starts[depth - 1 :]
    tail = ends[: len(lead)]
    # After the i-th start `depth` spans are open just when fewer than i - depth + 1 have ended.
    open_ = (lead < tail).nonzero()[0]
    return merged(lead[open_], tail[open_])


def on_days(
    keys: Keys, days: npt.NDArray[np.integer], rising: bool, count: int, window: int | None, open_end: int
) -> Spans:
    """Keys on at least `count` different local days within the window (None: ever).

    `days` tells each key's day; `rising` that within an owner days never go back."""
    if len(keys) < count:
        return NOWHERE
    new_day = _owners_differ(keys, open_end)
    sort = not rising and bool(((days[1:] < days[:-1]) & ~new_day).any())
    if sort:
        # A clock set back across midnight: bring the keys of one day together again.
        order = np.lexsort((keys, days, keys >> open_end.bit_length()))
        keys, days = keys[order], days[order]
        new_day = _owners_differ(keys, open_end)
    new_day |= days[1:] != days[:-1]
    if window is None:
        starts = _after(keys, new_day.nonzero()[0])
        if sort:
            starts.sort(kind="stable")
        return deep(starts, starts | open_end, count)
    if window < _LONGEST_DAY:
        new_day |= keys[1:] - keys[:-1] > window
    cuts = new_day.nonzero()[0]
    starts, ends = _after(keys, cuts), _before(keys, cuts) + window
    if sort:
        starts.sort(kind="stable")
        ends.sort(kind="stable")
    return deep(starts, ends, count)


def _owners_differ(keys: Keys, open_end: int) -> npt.NDArray[np.bool_]:
    """Per pair of neighbours: whether they belong to different owners."""
    return (keys[1:] ^ keys[:-1]) > open_end


# --- sums --------------------------------------------------------------------------------------------------------
def spent(keys: Keys, amounts: npt.NDArray[np.int64], threshold: int, window: int | None, open_end: int) -> Spans:
    """The amounts of the keys within the window sum to at least the threshold, which is above zero."""
    if len(keys) == 0:
        return NOWHERE
    if window is None:
        # Each owner's sum is taken back at his open end, so the next one starts from zero.
        heads = np.append(0, _owners_differ(keys, open_end).nonzero()[0] + 1)
        ends = keys.take(heads) | open_end
        borders = np.concatenate([keys, ends])
        deltas = np.concatenate([amounts, -np.add.reduceat(amounts, heads)])
    else:
        borders = np.concatenate([keys, keys + window])
        deltas = np.concatenate([amounts, -amounts])
    at, (sums,) = _summed(borders, (deltas,))
    return _where(at, sums >= threshold)


def grew(keys: Keys, amounts: npt.NDArray[np.int64], by: int, window: int) -> Spans:
    """The amounts within the window are at least by / 10,000 times those of the window before, which are above zero."""
    if len(keys) == 0:
        return NOWHERE
    nothing = np.zeros_like(amounts)
    at, (now, before) = _summed(
        np.concatenate([keys, keys + window, keys + 2 * window]),
        (np.concatenate([amounts, -amounts, nothing]), np.concatenate([nothing, amounts, -amounts])),
    )
    if max(int(np.abs(now).max()) * 10_000, int(np.abs(before).max()) * by) < 2**63:
        enough = now * 10_000 >= before * by
    else:
        enough = (now.astype(object) * 10_000 >= before.astype(object) * by).astype(bool)
    return _where(at, (before > 0) & enough)


def _summed(borders: Keys, deltas: tuple[npt.NDArray[np.int64], ...]) -> tuple[Keys, tuple[npt.NDArray[np.int64], ...]]:
    """The distinct borders, and for each series its sum from each border on."""
    order = np.argsort(borders, kind="stable")
    borders = borders.take(order)
    last = (np.append(borders[1:] != borders[:-1], True)).nonzero()[0]
    return borders.take(last), tuple(np.cumsum(delta.take(order)).take(last) for delta in deltas)


def _where(at: Keys, holds: npt.NDArray[np.bool_]) -> Spans:
    """The spans on which a condition holds that is given from border to border and false at every owner's last."""
    before = np.concatenate([[False], holds[:-1]])
    return at[holds & ~before], at[before & ~holds]


# --- sequences and shifts ----------------------------------------------------------------------------------------
def since(starts: Keys, stops: Keys, open_end: int) -> Spans:
    """Some start has happened, and no stop at or after the latest one."""
    if len(starts) == 0:
        return NOWHERE
    packed = np.concatenate([starts << 1, (stops << 1) | 1])
    packed.sort(kind="stable")
    # Of one instant the stop sorts last and decides.
    return changing(packed >> 1, (packed & 1) == 0, open_end)


def changing(keys: Keys, holds: npt.NDArray[np.bool_], open_end: int) -> Spans:
    """What holds, or does not, from each key on until its owner's next one. Of equal keys the last counts."""
    last = np.append(keys[1:] != keys[:-1], True)
    keys, holds = keys[last], holds[last]
    new_owner = np.concatenate([[True], _owners_differ(keys, open_end)])
    change = new_owner | np.concatenate([[True], holds[1:] != holds[:-1]])
    keys, holds, new_owner = keys[change], holds[change], new_owner[change]
    following = np.append(np.where(new_owner[1:], keys[:-1] | open_end, keys[1:]), keys[-1] | open_end)
    return keys[holds], following[holds]


def held(spans: Spans, duration: int) -> Spans:
    """The spans without their first `duration`."""
    starts, ends = spans
    starts = starts + duration
    long = starts < ends
    return starts[long], ends[long]


def lately(spans: Spans, window: int, open_end: int) -> Spans:
    """The spans, each lengthened by the window."""
    starts, ends = spans
    return merged(starts, np.minimum(ends + window, ends | open_end))


def not_before(spans: Spans, floor: Keys, bits: int) -> Spans:
    """The spans cut off before their owner's floor; `floor` holds one key per owner."""
    starts, ends = spans
    starts = np.maximum(starts, floor.take(starts >> bits))
    left = starts < ends
    return starts[left], ends[left]
