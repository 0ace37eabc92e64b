"""Campaigns, what was spent on them, experiments, and whom the outside is told of changes. One module per family of
tables."""

from .experiments import Assignment, Experiment, Variant
from .outgoing import Attempt, Delivery, Endpoint, Reading, Resending
from .spending import Campaign, Spend

__all__ = [
    "Assignment",
    "Attempt",
    "Campaign",
    "Delivery",
    "Endpoint",
    "Experiment",
    "Reading",
    "Resending",
    "Spend",
    "Variant",
]
