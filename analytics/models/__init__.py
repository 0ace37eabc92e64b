"""Figures that are kept, files that were taken away, and reports that are sent. One module per family of tables."""

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
from .reports import Mailing, Recipient, Report, Sending
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
    "Mailing",
    "Member",
    "PathStep",
    "Recipient",
    "Report",
    "Revision",
    "SalesDay",
    "Score",
    "Scoring",
    "Seen",
    "Sending",
    "StageDay",
    "StageMove",
    "StageShift",
]
