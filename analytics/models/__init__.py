"""Figures that are kept, files that were taken away, and reports that are sent. One module per family of tables."""

from .acquisition import Acquired, CohortDraw, CohortMonth, CreditDay, OrderPath, PathStep
from .experiments import ExperimentCount
from .exports import Export
from .kept import (
    CONVERTED,
    Activity,
    BegunPack,
    Broken,
    Counting,
    Fall,
    Listed,
    Member,
    Revision,
    SalesDay,
    Seen,
    SoldPack,
    StageDay,
    StageMove,
    StagePack,
    StageShift,
)
from .reports import Mailing, Recipient, Report, Sending
from .scores import Score, Scoring

__all__ = [
    "CONVERTED",
    "Acquired",
    "Activity",
    "BegunPack",
    "Broken",
    "CohortDraw",
    "CohortMonth",
    "Counting",
    "CreditDay",
    "ExperimentCount",
    "Export",
    "Fall",
    "Listed",
    "Mailing",
    "Member",
    "OrderPath",
    "PathStep",
    "Recipient",
    "Report",
    "Revision",
    "SalesDay",
    "Score",
    "Scoring",
    "Seen",
    "Sending",
    "SoldPack",
    "StageDay",
    "StageMove",
    "StagePack",
    "StageShift",
]
