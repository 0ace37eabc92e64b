"""What people decided about customers by hand: whom they listed by name, and whom they placed in a stage."""

from collections import defaultdict

import numpy as np
import numpy.typing as npt

from .ids import Ids
from .profile_rows import profile_rows
from .rules.evaluate import Facts, Listing, Placing

Int64s = npt.NDArray[np.int64]
_Span = tuple[int, int, int]


def lay_hands(*, facts: Facts, profiles: Ids, owner: Int64s) -> None:
    """Add to `facts` who was included in segments, excluded from them, and placed in stages. owner[i] is whose the
    profile at place i of `profiles` is."""
    listed: dict[tuple[int, int], list[_Span]] = defaultdict(list)
    for one, segment, is_excluded, added, removed in profile_rows(
        "lifecycle/list_members", profiles=profiles, owner=owner
    ):
        listed[is_excluded, segment].append((one, added, removed))
    for (is_excluded, segment), rows in listed.items():
        (facts.excluded if is_excluded else facts.included)[segment] = Listing(*_columns(rows))
    placed: dict[int, list[_Span]] = defaultdict(list)
    stages: dict[int, list[str]] = defaultdict(list)
    # In the order in which they were recorded, from wherever they were read.
    found = sorted(profile_rows("lifecycle/placements", profiles=profiles, owner=owner), key=lambda row: row[1])
    for one, _number, model, stage, start, end in found:
        placed[model].append((one, start, end))
        stages[model].append(stage)
    for model, rows in placed.items():
        facts.placed[model] = Placing(*_columns(rows), stages[model])


def _columns(rows: list[_Span]) -> tuple[Int64s, Int64s, Int64s]:
    owners, starts, ends = np.array(rows, np.int64).reshape(-1, 3).T
    return owners, starts, ends
