"""All customers' histories in memory, as of several days at once: what a fit, its proof on the past and its scores are
computed from. A million customers are some tens of megabytes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np

from customers.models import Customer

from ..days.calendar import number_of
from .population import Running, Types, added, bought
from .purchases import Buyers, Floats, Int64s, alike

CHUNK = 50_000


@dataclass(frozen=True, slots=True)
class Known:
    """What was known of each customer on one day: repeats (-1: had not bought yet) and the age at the last purchase."""

    repeats: Int64s
    last: Int64s


@dataclass(frozen=True, slots=True)
class Everybody:
    """Customers who have bought by the day number `until`, without those of contracts. first: the day of the first
    order; known: by day number; revenue, mean: minor units, as in `population.Bought`; repeat_days: by day number from
    `start`, repeat orders of those who had bought by `cut`; lost, open: contracts; with_contract: customers; running:
    those of them whose contract runs; paid, months: of all of these, as in `population.Bought`."""

    until: int
    start: int
    cut: int
    customer: Int64s
    first: Int64s
    known: dict[int, Known]
    revenue: Int64s
    mean: Floats
    repeat_days: Int64s
    lost: Int64s
    open: Int64s
    with_contract: int
    paid: int = 0
    months: float = 0.0
    running: Running = field(default_factory=Running.nobody)

    def buyers(self, day: int) -> tuple[Buyers, Int64s]:
        """The histories of those who had bought by a day, and their places."""
        known = self.known[day]
        places = np.flatnonzero(known.repeats >= 0)
        return alike(known.repeats[places], known.last[places], day - self.first[places]), places

    def part(self, first: int, end: int) -> "Everybody":
        """The customers [first, end) as known on the last day, for scoring; nothing of what only fits need."""
        inside = slice(*np.searchsorted(self.customer, (first, end)))
        known = self.known[self.until]
        return Everybody(
            until=self.until,
            start=self.until,
            cut=self.until,
            customer=self.customer[inside],
            first=self.first[inside],
            known={self.until: Known(known.repeats[inside], known.last[inside])},
            revenue=self.revenue[inside],
            mean=self.mean[inside],
            repeat_days=np.zeros(1, np.int64),
            lost=np.empty(0, np.int64),
            open=np.empty(0, np.int64),
            with_contract=0,
            running=self.running.of(slice(*np.searchsorted(self.running.customer, (first, end)))),
        )

    @property
    def silent_days(self) -> Int64s:
        """Days since each customer's last order."""
        return self.until - self.first - self.known[self.until].last


def everybody(
    *,
    until: date,
    start: int,
    cut: int,
    asked: Sequence[int],
    types: Types,
    zone: str,
    first: int = 0,
    end: int | None = None,
    tell: Callable[[str], None] = lambda _line: None,
) -> Everybody:
    """Read the customers [first, end) as known on the day numbers `asked`, of which `until` is the last."""
    last_day = number_of(until)
    beyond = end if end is not None else _last_customer() + 1
    parts: list[tuple[Int64s, Int64s, dict[int, Known], Int64s, Floats]] = []
    repeat_days = np.zeros(max(last_day - start, 0) + 1, np.int64)
    lost = open_ = np.empty(0, np.int64)
    with_contract, paid, months = 0, 0, 0.0
    running: list[Running] = []
    for begin in range(first, beyond, CHUNK):
        part = bought(
            first=begin, until=min(begin + CHUNK, beyond), types=types, zone=zone, asked=asked, day_of_number=until
        )
        latest = part.days[last_day]
        number = len(latest.customer)
        known = {}
        for day, then in part.days.items():
            place = np.searchsorted(latest.customer, then.customer)
            repeats, ages = np.full(number, -1, np.int64), np.zeros(number, np.int64)
            repeats[place], ages[place] = then.repeats, then.last
            known[day] = Known(repeats, ages)
        begun = latest.first[part.order_place]
        counts = (begun <= cut) & (part.order_day > begun) & (part.order_day >= start)
        repeat_days += np.bincount(part.order_day[counts] - start, minlength=len(repeat_days))[: len(repeat_days)]
        lost, open_ = added(lost, part.lost), added(open_, part.open)
        with_contract += part.with_contract
        paid, months = paid + part.paid, months + part.months
        running.append(part.running)
        parts.append((latest.customer, latest.first, known, part.revenue, part.mean))
        tell(f"orders of customers up to {min(begin + CHUNK, beyond) - 1} of {beyond - 1}")
    return Everybody(
        until=last_day,
        start=start,
        cut=cut,
        customer=_joined([one[0] for one in parts]),
        first=_joined([one[1] for one in parts]),
        known={
            day: Known(_joined([one[2][day].repeats for one in parts]), _joined([one[2][day].last for one in parts]))
            for day in asked
        },
        revenue=_joined([one[3] for one in parts]),
        mean=np.concatenate([one[4] for one in parts]) if parts else np.empty(0),
        repeat_days=repeat_days,
        lost=lost,
        open=open_,
        with_contract=with_contract,
        running=Running.joined(running),
        paid=paid,
        months=months,
    )


def _joined(columns: Sequence[Int64s]) -> Int64s:
    return np.concatenate(columns) if columns else np.empty(0, np.int64)


def _last_customer() -> int:
    return Customer.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
