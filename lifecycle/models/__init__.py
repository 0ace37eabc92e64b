"""Stages, segments and their history. One module per family of tables."""

from .definitions import Example, ListMember, Revision, RoleTable, Segment, Stage, StageModel, Subject, SubRule, Version
from .history import Announcement, Due, Fault, HotCustomer, Parked, Placement, Standing, Transition
from .previews import Preview, PreviewBucket, Publication
from .publishing import Move, Touched
from .pulse import Pulse
from .replays import Replay, ReplayBucket

__all__ = [
    "Announcement",
    "Due",
    "Example",
    "Fault",
    "HotCustomer",
    "ListMember",
    "Move",
    "Parked",
    "Placement",
    "Preview",
    "PreviewBucket",
    "Publication",
    "Pulse",
    "Replay",
    "ReplayBucket",
    "Revision",
    "RoleTable",
    "Segment",
    "Stage",
    "StageModel",
    "Standing",
    "SubRule",
    "Subject",
    "Touched",
    "Transition",
    "Version",
]
