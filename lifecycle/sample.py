"""A sample of all customers, drawn by a hash of their id: the same customers whoever asks, so that two rules are held
against the same people, and nobody who comes later changes who is drawn."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from clm.lib import sql
from customers.named_properties import fillings

from .ids import Ids
from .load import Loaded, load
from .rules.evaluate import NO_LIFE, Program

Int64s = npt.NDArray[np.int64]

# A share of one half of 4,000 is known to 1.6 points either way; ten times as many would take ten times as long.
SIZE = 4_000
# Ids hashed at a time: 8 MB.
_STEP = 1 << 20


@dataclass(frozen=True, slots=True)
class Sample:
    """The facts of the customers drawn. `alive` are the owners among them who have a life; customers: how many there
    are in all; is_everybody: nobody is left out."""

    loaded: Loaded
    alive: Int64s
    customers: int
    is_everybody: bool

    @property
    def size(self) -> int:
        return len(self.alive)


def sampled(*, program: Program | None, size: int = SIZE) -> Sample:
    """Draw about `size` customers, or take all if there are no more, and load what the program looks at. Customers with
    very many touchpoints and parked ones are never drawn."""
    ((first, last, count, merged),) = sql.rows("lifecycle/customers_spread")
    is_everybody = count <= size
    if is_everybody:
        chosen = np.array([one for (one,) in sql.rows("lifecycle/bucket_customers", first=first, last=last)], np.int64)
    else:
        chosen = drawn(first=first, last=last, share=size / count)
    apart = np.array([customer for (customer,) in sql.rows("lifecycle/set_apart")], np.int64)
    together = np.setdiff1d(chosen, apart, assume_unique=True)
    is_everybody = is_everybody and len(together) == len(chosen)
    loaded = load(customers=Ids.of(together), program=program, unkept=unkept(program))
    alive = np.flatnonzero(loaded.facts.life != NO_LIFE)
    return Sample(loaded, alive, len(alive) if is_everybody else count - merged, is_everybody)


def drawn(*, first: int, last: int, share: float) -> Int64s:
    """The ids from `first` to `last` whose hash lies in the lowest `share` (below 1) of all hashes, in order."""
    bound = np.uint64(int(share * 2.0**64))
    found = [
        part[_hashed(part) < bound]
        for start in range(first, last + 1, _STEP)
        for part in (np.arange(start, min(start + _STEP, last + 1), dtype=np.int64),)
    ]
    return np.concatenate([np.empty(0, np.int64), *found])


def unkept(program: Program | None) -> frozenset[str]:
    """The properties that the program looks at and of which no values are kept yet."""
    if program is None or not program.property_keys:
        return frozenset()
    return frozenset(one.key for one in fillings(keys=program.property_keys))


def _hashed(ids: Int64s) -> npt.NDArray[np.uint64]:
    """SplitMix64's finish: neighbouring ids lie anywhere."""
    mixed = ids.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
