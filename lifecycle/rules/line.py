"""The number line on which customers are laid, and the facts on it: cut to lives, to the horizon, to chunks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from lifecycle.rules.by_hand import within_life
from lifecycle.rules.facts import (
    FOREVER,
    HORIZON,
    NO_LIFE,
    Facts,
    Int64s,
    Listing,
    Placing,
    PropertyColumn,
    TraitColumn,
)


@dataclass(slots=True)
class Line:
    """The number line: what a key means. Borders beyond `limit` after `base` cannot be; `open_end` is 2**bits - 1."""

    base: int
    bits: int
    limit: int
    open_end: int


def line_of(facts: Facts, *, reach: int) -> Line:
    """The line on which everything lies that `facts` and windows of `reach` in all can bring about."""
    hands: list[Listing | Placing] = [*facts.included.values(), *facts.excluded.values(), *facts.placed.values()]
    columns = [facts.ms, facts.life[facts.life != NO_LIFE], *(column.ms for column in facts.traits.values())]
    columns += [column[column != FOREVER] for one in hands for column in (one.starts, one.ends)]
    ends = [int(column.min()) for column in columns if len(column)]
    ends += [int(column.max()) for column in columns if len(column)]
    base = min(ends, default=0)
    length = max(ends, default=0) - base
    limit = length + reach
    # One more than needed on both sides: the open end is the last place, and no sum may touch it.
    bits = (max(limit, 2 * length) + 2).bit_length()
    return Line(base, bits, limit, (1 << bits) - 1)


def within_lives(facts: Facts) -> Facts:
    """Without what cannot change any answer before the horizon: facts past it, or of owners without a life."""
    life = facts.life
    if len(life) and life.max() > HORIZON:
        life = np.where(life > HORIZON, NO_LIFE, life)
        facts = _kept(replace(facts, life=life), (life.take(facts.owner) != NO_LIFE) & (facts.ms <= HORIZON))
    elif len(facts.ms) and facts.ms.max() > HORIZON:
        facts = _kept(facts, facts.ms <= HORIZON)
    if not (facts.traits or facts.included or facts.excluded or facts.placed):
        return facts
    return replace(
        facts,
        traits={
            key: _trait_rows(one, ((life.take(one.owner) != NO_LIFE) & (one.ms <= HORIZON)).nonzero()[0])
            for key, one in facts.traits.items()
        },
        included={key: _listed_within(one, life) for key, one in facts.included.items()},
        excluded={key: _listed_within(one, life) for key, one in facts.excluded.items()},
        placed={key: _placed_within(one, life) for key, one in facts.placed.items()},
    )


def until(facts: Facts, at: int) -> Facts:
    """As if nothing had happened, been told or been decided after `at` (ms): what people could see coming then."""
    facts = _kept(facts, facts.ms <= at)

    def listed(listing: Listing) -> Listing:
        kept = _listing_rows(listing, (listing.starts <= at).nonzero()[0])
        return Listing(kept.owner, kept.starts, np.where(kept.ends > at, FOREVER, kept.ends))

    return replace(
        facts,
        traits={key: _trait_rows(one, (one.ms <= at).nonzero()[0]) for key, one in facts.traits.items()},
        included={key: listed(one) for key, one in facts.included.items()},
        excluded={key: listed(one) for key, one in facts.excluded.items()},
        placed={key: _placing_rows(one, (one.starts <= at).nonzero()[0]) for key, one in facts.placed.items()},
    )


def part(facts: Facts, first: int, last: int, begin: int, end: int) -> Facts:
    """Owners first..last-1 and their touchpoints begin..end-1."""
    properties = {}
    for key, column in facts.properties.items():
        low, high = np.searchsorted(column.positions, [begin, end])
        properties[key] = PropertyColumn(column.positions[low:high] - begin, column.values[low:high])
    rows = slice(begin, end)

    def of(owner: npt.NDArray[Any]) -> npt.NDArray[np.intp]:
        return ((owner >= first) & (owner < last)).nonzero()[0]

    return Facts(
        facts.life[first:last],
        facts.owner[rows],
        facts.ms[rows],
        facts.type[rows],
        facts.channel[rows],
        facts.amount[rows],
        properties,
        {key: _trait_rows(one, of(one.owner)) for key, one in facts.traits.items()},
        {key: _listing_rows(one, of(one.owner)) for key, one in facts.included.items()},
        {key: _listing_rows(one, of(one.owner)) for key, one in facts.excluded.items()},
        {key: _placing_rows(one, of(one.owner)) for key, one in facts.placed.items()},
    )


def _kept(facts: Facts, keep: npt.NDArray[np.bool_]) -> Facts:
    """Some of the touchpoints."""
    rows = keep.nonzero()[0]
    place = np.cumsum(keep) - 1
    properties = {}
    for key, column in facts.properties.items():
        kept = keep[column.positions]
        values = [value for value, stays in zip(column.values, kept, strict=True) if stays]
        properties[key] = PropertyColumn(place[column.positions[kept]], values)
    return replace(
        facts,
        owner=facts.owner[rows],
        ms=facts.ms[rows],
        type=facts.type[rows],
        channel=facts.channel[rows],
        amount=facts.amount[rows],
        properties=properties,
    )


def _trait_rows(column: TraitColumn, rows: npt.NDArray[np.intp]) -> TraitColumn:
    if len(rows) == len(column.owner):
        return column
    return TraitColumn(column.owner[rows], column.ms[rows], [column.values[row] for row in rows.tolist()])


def _listing_rows(listing: Listing, rows: npt.NDArray[np.intp]) -> Listing:
    return Listing(listing.owner[rows], listing.starts[rows], listing.ends[rows])


def _placing_rows(placing: Placing, rows: npt.NDArray[np.intp]) -> Placing:
    stages = [placing.stages[row] for row in rows.tolist()]
    return Placing(placing.owner[rows], placing.starts[rows], placing.ends[rows], stages)


def _listed_within(listing: Listing, life: Int64s) -> Listing:
    rows, starts, ends = within_life(listing.starts, listing.ends, life.take(listing.owner))
    return Listing(listing.owner[rows], starts, ends)


def _placed_within(placing: Placing, life: Int64s) -> Placing:
    rows, starts, ends = within_life(placing.starts, placing.ends, life.take(placing.owner))
    return Placing(placing.owner[rows], starts, ends, [placing.stages[row] for row in rows.tolist()])
