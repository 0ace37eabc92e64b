"""Figures that are kept, and files that were taken away. One module per family of tables."""

from .acquisition import Acquired, CohortDraw, CohortMonth, CreditDay, PathStep
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
    "Acquired",
    "Activity",
    "Broken",
    "CohortDraw",
    "CohortMonth",
    "Counting",
    "CreditDay",
    "Export",
    "Fall",
    "Listed",
    "Member",
    "PathStep",
    "Revision",
    "SalesDay",
    "Score",
    "Scoring",
    "Seen",
    "StageDay",
    "StageMove",
    "StageShift",
]
