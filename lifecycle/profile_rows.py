"""Rows about profiles that are too few, or too odd, for columns: values of traits, lists, placements."""

from typing import Any

import numpy as np
import numpy.typing as npt

from clm.lib import sql

from .ids import Ids


def profile_rows(
    name: str, /, *, profiles: Ids, owner: npt.NDArray[np.int64], **parameters: Any
) -> list[tuple[Any, ...]]:
    """The rows of a statement about the profiles, with whose each is (owner[i]: of the profile at place i) instead of
    its first column, the profile. Rows of profiles that only lie between them are left out."""
    found: list[tuple[Any, ...]] = []
    for part in profiles.parts:
        rows = sql.rows(name, **part.named("profiles"), **parameters)
        places = profiles.places(np.fromiter((row[0] for row in rows), np.int64, len(rows)))
        whose = np.where(places < 0, -1, owner.take(places, mode="clip")) if len(owner) else np.full(len(rows), -1)
        found += [(one, *row[1:]) for one, row in zip(whose.tolist(), rows, strict=True) if one >= 0]
    return found
