"""A set of ids as statements ask for it and as arrays number it. Ids given out one after the other lie together, so
that a whole stretch of an index is read by one range; only what is scattered is asked for by a list."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from clm.lib.columns import Columns, fetch_columns

Int64s = npt.NDArray[np.int64]

# Ids further apart do not lie together, and fewer are not worth a statement of their own.
_GAP = 32
_FEWEST = 512


@dataclass(frozen=True, eq=False)
class Ids:
    """Distinct ids in order; an id's place is its position among them. `crowded`: most of the ids from the first to the
    last belong to the set, so statements read them all and the others are left out afterwards."""

    values: Int64s
    crowded: bool

    @classmethod
    def of(cls, ids: Iterable[int]) -> Ids:
        given = ids if isinstance(ids, np.ndarray) else np.fromiter(ids, np.int64)
        rising = bool((given[1:] > given[:-1]).all())
        values = given if rising else np.unique(given)
        span = int(values[-1] - values[0]) + 1 if len(values) else 0
        return cls(values, len(values) >= _FEWEST and 2 * len(values) >= span)

    def __len__(self) -> int:
        return len(self.values)

    def places(self, ids: Int64s) -> Int64s:
        """The place of each of the given ids; -1 for those that do not belong to the set."""
        if len(self.values) == 0:
            return np.full(len(ids), -1)
        if self.crowded:
            first, last = self.values[0], self.values[-1]
            table = np.full(int(last - first) + 1, -1)
            table[self.values - first] = np.arange(len(self.values))
            outside = (ids < first) | (ids > last)
            places = table.take(ids - first, mode="clip")
        else:
            places = np.searchsorted(self.values, ids)
            outside = self.values.take(places, mode="clip") != ids
        if outside.any():
            places[outside] = -1
        return places

    @cached_property
    def parts(self) -> tuple[Ids, ...]:
        """The stretches of ids that lie together, and all others; each to be asked for by a statement of its own."""
        if self.crowded or len(self.values) < _FEWEST:
            return (self,)
        borders = np.flatnonzero(np.diff(self.values) > _GAP) + 1
        starts, ends = np.append(0, borders), np.append(borders, len(self.values))
        long = ends - starts >= _FEWEST
        stretches = [
            Ids.of(self.values[start:end])
            for start, end in zip(starts[long].tolist(), ends[long].tolist(), strict=True)
        ]
        together = [stretch for stretch in stretches if stretch.crowded]
        scattered = np.ones(len(self.values), bool)
        for stretch in together:
            scattered[np.searchsorted(self.values, stretch.values[0]) :][: len(stretch)] = False
        rest = Ids(self.values[scattered], False)
        return (*together, rest) if len(rest) else tuple(together)

    def named(self, what: str) -> dict[str, Any]:
        """The parameters by which a statement asks for the set: `first` and `last`, whether it is `crowded`, and if
        not the list of them, called `what`."""
        return {
            "first": int(self.values[0]) if len(self.values) else 0,
            "last": int(self.values[-1]) if len(self.values) else -1,
            "crowded": self.crowded,
            what: [] if self.crowded else self.values.tolist(),
        }

    def fetch(self, name: str, columns: dict[str, str], /, **parameters: Any) -> Columns:
        """The columns of a statement about customers of these ids, `owner` (the customer's place) instead of its first
        column, the customer. Rows of customers that do not belong to the set are left out."""
        found = fetch_columns(name, {"customer": "q", **columns}, **self.named("customers"), **parameters)
        found["owner"] = self.places(found.pop("customer"))
        if len(found["owner"]) and found["owner"].min() < 0:
            mine = found["owner"] >= 0
            found = {column: values[mine] for column, values in found.items()}
        return found
