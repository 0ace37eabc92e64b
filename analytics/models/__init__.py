"""Figures that are kept, and files that were taken away. One module per family of tables."""

from .exports import Export
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
from .scores import Score, Scoring

__all__ = [
    "Activity",
    "Broken",
    "Counting",
    "Export",
    "Fall",
    "Listed",
    "Member",
    "Revision",
    "SalesDay",
    "Score",
    "Scoring",
    "Seen",
    "StageDay",
    "StageMove",
    "StageShift",
]
