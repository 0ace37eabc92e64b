"""Stages, segments and their history. One module per family of tables."""

from .definitions import ListMember, RoleTable, Segment, Stage, StageModel, Subject, SubRule, Version
from .history import Announcement, Due, HotCustomer, Parked, Placement, Standing, Transition
from .pulse import Pulse
from .replays import Replay, ReplayBucket

__all__ = [
    "Announcement",
    "Due",
    "HotCustomer",
    "ListMember",
    "Parked",
    "Placement",
    "Pulse",
    "Replay",
    "ReplayBucket",
    "RoleTable",
    "Segment",
    "Stage",
    "StageModel",
    "Standing",
    "SubRule",
    "Subject",
    "Transition",
    "Version",
]
