"""What a figure is asked about: a period, what is known of it, and among whom."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from clm.lib.milliseconds import written
from clm.lib.periods import Period

from .days.kept import Kept
from .sorting import Sorting

LINES = ("all", "products")  # what the parameter `lines` may be; the first is the default


@dataclass(frozen=True, slots=True)
class Scope:
    """The question behind a figure.

    as_of: only what happened until then counts, so an unfinished period ends there. segment: only customers who are in
    it at as_of, None: all. products_only: order lines that are not products (postage, fees) are left out of amounts.
    kept: the figures per day to read where they answer the question, None: count from history."""

    period: Period
    as_of: datetime
    segment: Sorting | None = None
    products_only: bool = False
    kept: Kept | None = field(default=None, compare=False)

    @property
    def until_at(self) -> datetime:
        """Where counting ends: with the period, or just after `as_of` if that is earlier."""
        return min(self.period.until_at, self.as_of + timedelta(milliseconds=1))

    def filters(self) -> dict[str, Any]:
        """What the SQL files ask about the segment and the lines."""
        inside = None if self.segment is None else self.segment.stage_id("in")
        version = None if self.segment is None else (self.segment.version or 0)
        return {"segment": version, "segment_in": inside, "as_of": self.as_of, "products_only": self.products_only}

    def query(self) -> str:
        """The same question as parameters of an address."""
        start, until = self.period.asked()
        asked = f"from={start}&until={until}&as_of={written(self.as_of)}"
        if self.segment is not None:
            asked += f"&segment={self.segment.key}"
        return f"{asked}&lines=products" if self.products_only else asked
