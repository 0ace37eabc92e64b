"""Figures that are kept. One module per family of tables."""

from .kept import (
    Activity,
    Broken,
    Counting,
    Fall,
    Listed,
    Member,
    Revision,
    SalesDay,
    Seen,
    StageDay,
    StageMove,
    StageShift,
)
from .scores import Score

__all__ = [
    "Activity",
    "Broken",
    "Counting",
    "Fall",
    "Listed",
    "Member",
    "Revision",
    "SalesDay",
    "Score",
    "Seen",
    "StageDay",
    "StageMove",
    "StageShift",
]
