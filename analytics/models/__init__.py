"""Figures that are kept. One module per family of tables."""

from .kept import Activity, Broken, Counting, Revision, SalesDay, Seen, StageDay, StageMove, StageShift
from .scores import Score

__all__ = [
    "Activity",
    "Broken",
    "Counting",
    "Revision",
    "SalesDay",
    "Score",
    "Seen",
    "StageDay",
    "StageMove",
    "StageShift",
]
