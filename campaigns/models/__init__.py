"""Campaigns, what was spent on them, and whom the outside is told of changes. One module per family of tables."""

from .outgoing import Attempt, Delivery, Endpoint, Reading, Resending
from .spending import Campaign, Spend

__all__ = ["Attempt", "Campaign", "Delivery", "Endpoint", "Reading", "Resending", "Spend"]
