"""How far figures are that are being counted from the beginning, customer by customer."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from customers.models import Customer

from ..models import Counting
from .declared import ACQUISITION, LISTED, PACKS, SALES, STAGES

# Those that are committed in parts with how far they came, in the order in which a fill takes them.
_IN_PARTS = (STAGES.name, SALES.name, LISTED.name, ACQUISITION.name, PACKS.name)


@dataclass(frozen=True, slots=True)
class Progress:
    """One statistic that is being counted. customers_done, customers: as of the last part that was committed; ready_at:
    when it will be done at the pace so far, None before the first part."""

    statistic: str
    started_at: datetime
    customers_done: int
    customers: int
    ready_at: datetime | None


def being_counted(marks: Sequence[Counting], *, now: datetime) -> tuple[Progress, ...]:
    """What of these marks is not counted yet. Of one that is counted for several versions, the version that
    is least far."""
    started: dict[str, list[Counting]] = defaultdict(list)
    for mark in marks:
        if mark.state == Counting.State.STARTED:
            started[mark.statistic].append(mark)
    if not started:
        return ()
    last = Customer.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    return tuple(_progress(name, started[name], last, now) for name in _IN_PARTS if name in started)


def _progress(name: str, marks: Sequence[Counting], last: int, now: datetime) -> Progress:
    done = min(max(min(mark.next_customer for mark in marks) - 1, 0), last)
    since = min(mark.started_at for mark in marks)
    return Progress(name, since, done, last, now + (now - since) * ((last - done) / done) if done else None)
