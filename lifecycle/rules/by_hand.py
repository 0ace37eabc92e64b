"""What people decided, laid over what rules say: who was included in a segment or excluded from it by name, and who was
placed in a stage by hand.

Excludes win over includes, and includes win over the rule, whichever was recorded first. Of overlapping placements the
later recorded counts; what rules say goes on where none lies."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lifecycle.rules.facts import FOREVER, HORIZON, Int64s, Listing, Placing
from lifecycle.rules.spans import NOWHERE, Keys, Spans, merged
from lifecycle.rules.sweep import Sweep

Numbers = npt.NDArray[np.int16]

# Leaves: the rule, the includes, the excludes.
LISTED = Sweep([("all", ("any", 0, 1), ("not", 2))])


def keyed(given: Listing | Placing, *, base: int, bits: int, first_owner: int) -> tuple[Keys, Keys]:
    """Starts and ends as keys of the line, row by row."""
    line = (given.owner - first_owner) << bits
    open_end = (1 << bits) - 1
    ends = np.where(given.ends == FOREVER, open_end, given.ends - base)
    return line + (given.starts - base), line + ends


def spans_listed(listing: Listing | None, *, base: int, bits: int, first_owner: int) -> Spans:
    """The listed spans joined to maximal ones."""
    if listing is None or len(listing.owner) == 0:
        return NOWHERE
    starts, ends = keyed(listing, base=base, bits=bits, first_owner=first_owner)
    order = np.argsort(starts, kind="stable")
    return merged(starts[order], np.maximum.accumulate(ends[order]))


def painted(starts: Keys, ends: Keys, chosen: Numbers) -> tuple[Keys, Keys, Numbers]:
    """Spans given in the order in which they were recorded, as disjoint ones in order of time."""
    borders = np.unique(np.concatenate([starts, ends]))
    colour = np.full(len(borders), -1, np.int16)
    first, last = np.searchsorted(borders, starts), np.searchsorted(borders, ends)
    for begin, end, stage in zip(first.tolist(), last.tolist(), chosen.tolist(), strict=True):
        colour[begin:end] = stage
    some = (colour >= 0).nonzero()[0]
    return borders[some], borders[some + 1], colour[some]


def overruled(
    at: Keys, stage: Numbers, placing: tuple[Keys, Keys, Numbers], *, nothing: int, open_end: int
) -> tuple[Keys, Numbers]:
    """Borders and stages of a model with placements laid over them. `nothing` is the stage of whom no rule holds any
    more; each owner's borders end with it."""
    starts, ends, chosen = placing

    def under(keys: Keys) -> Numbers:
        place = np.searchsorted(at, keys, side="right") - 1
        found = np.full(len(keys), nothing, np.int16)
        found[place >= 0] = stage[place[place >= 0]]
        return found

    place = np.searchsorted(starts, at, side="right") - 1
    covered = (place >= 0) & (at < ends[place])
    left = ends[np.append(ends[:-1] != starts[1:], True)]
    borders = np.concatenate([at[~covered], starts, left])
    stages = np.concatenate([stage[~covered], chosen, under(left)])
    order = np.argsort(borders, kind="stable")
    borders, stages = borders[order], stages[order]
    change = np.ones(len(borders), bool)
    change[1:] = ((borders[1:] ^ borders[:-1]) > open_end) | (stages[1:] != stages[:-1])
    return borders[change], stages[change]


def within_life(starts: Int64s, ends: Int64s, life: Int64s) -> tuple[npt.NDArray[np.intp], Int64s, Int64s]:
    """Which spans have anything inside their owner's life and before the horizon, and what: their starts and ends."""
    starts = np.maximum(starts, life)
    ends = np.where(ends > HORIZON, FOREVER, ends)
    rows = ((starts < ends) & (starts <= HORIZON)).nonzero()[0]
    return rows, starts[rows], ends[rows]
