"""What kept figures should be, computed the slow and plain way: customer by customer, window by window, comparing
instants, from everything that is believed now."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta

from django.db.models import Sum

from analytics.days.declared import LENGTHS
from analytics.models import Activity, SalesDay, StageDay, StageMove, StageShift
from analytics.sales import types_of
from analytics.sorting import active_customers
from clm.lib.periods import day_start, local_day
from customers.models import OrderLine, Profile, Role, Touchpoint
from lifecycle.models import Subject, Transition

DAY = timedelta(days=1)
History = list[tuple[datetime, int]]


def days_between(first: date, last: date) -> list[date]:
    return [first + DAY * number for number in range((last - first).days + 1)]


class Reference:
    """Everything believed now, as Python lists."""

    def __init__(self, *, zone: str, today: date) -> None:
        self.zone, self.today = zone, today
        self.histories: dict[int, dict[int, History]] = defaultdict(lambda: defaultdict(list))
        live = Subject.objects.exclude(live_version=None).values_list("live_version", flat=True)
        for row in Transition.objects.filter(superseded_at=None, version__in=live).order_by("entered_at"):
            self.histories[row.version_id][row.customer_id].append((row.entered_at, row.stage_id))
        # By customer: when, role, amount of all lines and of products only.
        self.sold: dict[int, list[tuple[datetime, str, tuple[int, int]]]] = defaultdict(list)
        owner = dict(Profile.objects.values_list("pk", "customer"))
        roles = {number: role for role in (Role.PURCHASE, Role.REFUND) for number in types_of(role)}
        for touchpoint in Touchpoint.objects.filter(type__in=list(roles)).order_by("occurred_at"):
            other = (
                OrderLine.objects.filter(touchpoint=touchpoint, is_product=False).aggregate(all=Sum("amount"))["all"]
                or 0
            )
            amount = touchpoint.amount or 0
            sale = (touchpoint.occurred_at, str(roles[touchpoint.type_id]), (amount, amount - other))
            self.sold[owner[touchpoint.profile_id]].append(sale)

    def start(self, day: date) -> datetime:
        return day_start(day, self.zone)

    def inside(self, at: datetime, first: date, until: date) -> bool:
        return self.start(first) <= at < self.start(until)

    def stage_at(self, history: History, border: date) -> int:
        """The stage just before a day begins, 0 for none."""
        before = [stage for at, stage in history if at < self.start(border)]
        return before[-1] if before else 0

    def stage_days(self, version: int, day: date) -> dict[int, tuple[int, int, int]]:
        """By stage: customers at the day's end, entered, left; those of zeros left out."""
        found: dict[int, list[int]] = defaultdict(lambda: [0, 0, 0])
        for history in self.histories[version].values():
            found[self.stage_at(history, day + DAY)][0] += 1
            before = 0
            for at, stage in history:
                if self.inside(at, day, day + DAY):
                    found[stage][1] += 1
                    found[before][2] += 1
                before = stage
        found.pop(0, None)
        return {stage: (one[0], one[1], one[2]) for stage, one in found.items() if any(one)}

    def moves(self, version: int) -> Counter[tuple[date, int, int]]:
        found: Counter[tuple[date, int, int]] = Counter()
        for history in self.histories[version].values():
            before = 0
            for at, stage in history:
                found[local_day(at, self.zone), before, stage] += 1
                before = stage
        return found

    def shifts(self, version: int, length: int, until: date) -> Counter[tuple[int, int]]:
        found: Counter[tuple[int, int]] = Counter()
        for history in self.histories[version].values():
            found[self.stage_at(history, until - DAY * length), self.stage_at(history, until)] += 1
        found.pop((0, 0), None)
        return found

    def sales(self, day: date, lines: int) -> tuple[int, ...]:
        """orders, unpriced, bought, refunded, buyers, first_paying."""
        orders = unpriced = bought = refunded = buyers = first_paying = 0
        for sold in self.sold.values():
            ordered = [sale for sale in sold if sale[1] == Role.PURCHASE and sale[2][lines] > 0]
            for sale in sold:
                if not self.inside(sale[0], day, day + DAY):
                    continue
                if sale[1] == Role.REFUND:
                    refunded += sale[2][lines]
                    continue
                bought += sale[2][lines]
                orders += sale in ordered
                unpriced += sale not in ordered
            buyers += any(self.inside(sale[0], day, day + DAY) for sale in ordered)
            first_paying += bool(ordered) and self.inside(ordered[0][0], day, day + DAY)
        return orders, unpriced, bought, refunded, buyers, first_paying

    def activity(self, length: int, lines: int, until: date) -> tuple[int, int, int]:
        """active, buyers, customers of the window."""
        segment = active_customers()
        histories = self.histories[segment.version] if segment and segment.version else {}
        inside = segment.stage_id("in") if segment else 0
        first, start, end = until - DAY * length, self.start(until - DAY * length), self.start(until)
        active, buyers = set(), set()
        for customer, history in histories.items():
            ends: list[datetime | None] = [*(at for at, _stage in history[1:]), None]
            for (at, stage), left in zip(history, ends, strict=True):
                if stage == inside and at < end and (left is None or left >= start):
                    active.add(customer)
        for customer, sold in self.sold.items():
            for at, role, amounts in sold:
                if role == Role.PURCHASE and amounts[lines] > 0 and self.inside(at, first, until):
                    buyers.add(customer)
        return len(active), len(buyers), len(active | buyers)

    def borders(self) -> list[date]:
        """Days at which windows of any length may change, their neighbours, and some others."""
        instants = [at for of in self.histories.values() for history in of.values() for at, _stage in history]
        instants += [sale[0] for sold in self.sold.values() for sale in sold]
        days = {local_day(at, self.zone) for at in instants}
        near = {day + DAY * (length + step) for day in days for length in (0, *LENGTHS) for step in (-1, 0, 1, 2)}
        return sorted({*near, self.today + DAY, *(self.today - DAY * 41 * back for back in range(20))})


def check(reference: Reference) -> None:
    """All kept figures are what the reference says."""
    borders = reference.borders()
    for version in Subject.objects.exclude(live_version=None).values_list("live_version", flat=True):
        kept: dict[date, dict[int, tuple[int, int, int]]] = defaultdict(dict)
        for row in StageDay.objects.filter(version=version):
            if row.customers or row.entered or row.left:
                kept[row.day][row.stage_id] = (row.customers, row.entered, row.left)
        for day in sorted({*borders, *kept}):
            if day <= reference.today:
                assert kept.get(day, {}) == reference.stage_days(version, day), (version, day)
            else:
                assert day not in kept
        moves = {
            (row.day, row.from_stage, row.to_stage): row.moves
            for row in StageMove.objects.filter(version=version)
            if row.moves
        }
        assert moves == reference.moves(version)
        for length in LENGTHS:
            changes = list(StageShift.objects.filter(version=version, length=length).order_by("until"))
            for until in borders:
                found: Counter[tuple[int, int]] = Counter()
                for one in changes:
                    if one.until <= until:
                        found[one.from_stage, one.to_stage] += one.change
                assert +found == reference.shifts(version, length, until), (version, length, until)
                assert min(found.values(), default=0) >= 0
    _check_sales(reference, borders)


def _check_sales(reference: Reference, borders: Iterable[date]) -> None:
    for lines in (0, 1):
        kept = {row.day: row for row in SalesDay.objects.filter(products_only=bool(lines))}
        for day in borders:
            row = kept.get(day)
            found = (
                (row.orders, row.unpriced, row.bought, row.refunded, row.buyers, row.first_paying) if row else (0,) * 6
            )
            assert found == reference.sales(day, lines), (lines, day)
        for length in LENGTHS:
            changes = list(Activity.objects.filter(length=length, products_only=bool(lines)))
            for until in borders:
                before = [one for one in changes if one.until <= until]
                sums = tuple(sum(getattr(one, name) for one in before) for name in ("active", "buyers", "customers"))
                assert sums == reference.activity(length, lines, until), (length, lines, until)
