"""Figures that moved: what a figure of finished days was before something late came in, and what came.

Kept figures write down what they were (`Revision`). Sums over days are taken back from that; a rate is made again from
what was believed then of those few customers whose history has changed since."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any

from django.db.models import Max, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clm.lib.columns import Columns
from clm.lib.milliseconds import EPOCH, to_ms
from clm.lib.periods import day_start, local_day
from clm.lib.templatetags.numbers import number, quantity_text
from clm.lib.templatetags.times import plain_date
from customers.models import Cause, Role

from .days.declared import SALES, STAGES
from .days.histories import changed, histories_then_and_now
from .days.remembered import remembered, remembered_rows
from .figures import Moved
from .measured import Measured, plain
from .models import CONVERTED, Revision
from .models.kept import CAUSES
from .sales import types_of
from .sorting import Sorting, active_customers

DAY = timedelta(days=1)
SHOWN_DAYS = 7  # for how long a page says that a figure has moved
MOST = 5_000  # customers whose histories a page compares


@dataclass(frozen=True, slots=True)
class _Arrived:
    touchpoints: int
    first: date | None
    last: date | None


@dataclass(frozen=True, slots=True)
class _Row:
    """What a Revision says."""

    statistic: str
    day: date
    cell: int
    cause: int
    was: dict[str, int]
    became: dict[str, int]


class Revised:
    """How the figures of one scope moved last. Empty unless all customers are asked about and something is written
    down of the last days: then it costs one query."""

    def __init__(self, *, measured: Measured) -> None:
        self.measured = measured
        scope = measured.scope
        known_at = scope.kept.known_at if scope.kept is not None else None
        self.active: Sorting | None = None
        self.rows: list[_Row] = []
        if known_at is None or scope.segment is not None or scope.as_of < known_at - timedelta(days=1):
            return
        self.known_at: datetime = known_at
        self.today = local_day(known_at, scope.period.zone)
        self.active = active_customers()
        found = Revision.objects.filter(
            statistic__in=(SALES.name, STAGES.name),
            version__in=(0, (self.active.version if self.active else None) or 0),
            day__gte=scope.period.start - DAY,
            day__lt=scope.period.until,
            revised_on__gt=self.today - timedelta(days=SHOWN_DAYS),
        )
        # Of what was revised on several days, the last one is told.
        self.on, rows = remembered(
            "revised",
            of=scope.generation,
            count=lambda: self._last(found),
            start=scope.period.start,
            until=scope.period.until,
            today=self.today,
            active=self.active.version if self.active else None,
        )
        self.rows = [_Row(*row) for row in rows]

    def _last(self, found: QuerySet[Revision]) -> tuple[date, list[tuple[Any, ...]]]:
        """The last day on which some of them were made, and these; today and none while there are none."""
        on = found.aggregate(on=Max("revised_on"))["on"]
        if on is None:
            return self.today, []
        return on, list(found.filter(revised_on=on).order_by("day", "pk").values_list(*_Row.__slots__))

    def of(self, key: str, unit: str) -> Moved | None:
        """What the figure of that name was, None if it did not move or nothing is known of it."""
        made = {
            "revenue": self._sales,
            "aov": self._sales,
            "active_customers": self._active,
            "crr": self._rates,
            "churn": self._rates,
        }.get(key)
        if not self.rows or made is None:
            return None
        was, rows = made(key)
        now = self._now(key)
        if was is None or not rows or plain(was, unit) == plain(now, unit):
            return None
        return self._told(plain(was, unit), plain(now, unit), unit, rows, is_sale=key in ("revenue", "aov"))

    def _now(self, key: str) -> Fraction | int | None:
        measured = self.measured
        return {
            "revenue": measured.sales.revenue,
            "aov": measured.aov,
            "active_customers": measured.retention.ended,
            "crr": measured.retention.crr,
            "churn": measured.retention.churn,
        }[key]

    def _sales(self, key: str) -> tuple[Fraction | int | None, Sequence[_Row]]:
        scope, sold = self.measured.scope, self.measured.sales
        cell = int(scope.products_only)
        rows = [
            row
            for row in self.rows
            if row.statistic == SALES.name and row.cell == cell and row.day >= scope.period.start
        ]
        more = {
            name: sum(row.became[name] - row.was[name] for row in rows) for name in ("orders", "bought", "refunded")
        }
        orders, revenue = sold.orders - more["orders"], sold.revenue - more["bought"] - more["refunded"]
        if orders <= 0:
            return None, rows  # there was nothing yet: a first import moves no figure
        return (revenue if key == "revenue" else Fraction(revenue, orders)), rows

    def _stocks(self) -> list[_Row]:
        if self.active is None:
            return []
        inside = self.active.stage_id("in")
        return [row for row in self.rows if row.statistic == STAGES.name and row.cell == inside]

    def _active(self, key: str) -> tuple[Fraction | int | None, Sequence[_Row]]:
        rows = self._stocks()
        # Stocks are carried on, so what moved the last finished day moved the end of the period.
        last = min(self.measured.scope.period.last_day, self.on - DAY)
        more = sum(row.became["customers"] - row.was["customers"] for row in rows if row.day == last)
        was = self.measured.retention.ended - more
        return (was if was > 0 else None), rows

    def _rates(self, key: str) -> tuple[Fraction | int | None, Sequence[_Row]]:
        rows = self._stocks()
        if not rows or self.active is None or self.active.version is None:
            return None, rows
        scope = self.measured.scope
        moved = remembered(
            "moved_rates",
            of=scope.generation,
            count=self._moved,
            version=self.active.version,
            since=self._since(STAGES.name, self.active.version),
            start=scope.period.start_at,
            until=scope.until_at,
        )
        if moved is None:
            return None, rows
        started, stayed = moved
        kept = self.measured.retention
        was = kept.started - started
        if was <= 0:
            return None, rows
        crr = Fraction(kept.kept - stayed, was)
        return (crr if key == "crr" else 1 - crr), rows

    def _moved(self) -> tuple[int, int] | None:
        """By how many customers S and kept differ; None where nobody's history changed, or of too many to look at."""
        assert self.active is not None and self.active.version is not None
        version, since = self.active.version, self._since(STAGES.name, self.active.version)
        found = changed(versions=[version], since=since, known_at=self.known_at)
        customers = sorted(set(found.customer.tolist()))
        if not customers or len(customers) > MOST:
            return None
        then, now = histories_then_and_now(customers=customers, version=version, since=since, known_at=self.known_at)
        return self._difference(then, now, day_start(self.on, self.measured.scope.period.zone))

    def _difference(self, then: Columns, now: Columns, over: datetime) -> tuple[int, int]:
        """By how many customers S and kept differ between what was believed and what is. What happened on days that
        were not `over` then is no revision: it is taken as it is believed now."""
        assert self.active is not None
        scope, inside, border = self.measured.scope, self.active.stage_id("in"), to_ms(over)
        believed, became = _by_customer(then), _by_customer(now)
        start, end = to_ms(scope.period.start_at), to_ms(scope.until_at)
        started = stayed = 0
        for customer in believed.keys() | became.keys():
            is_now = became.get(customer, [])
            was = [one for one in believed.get(customer, []) if one[0] < border]
            was += [one for one in is_now if one[0] >= border]
            for history, sign in ((is_now, 1), (was, -1)):
                at_start = _stage_before(history, start) == inside
                started += sign * at_start
                stayed += sign * (at_start and _stage_before(history, end) == inside)
        return started, stayed

    def _since(self, statistic: str, version: int) -> datetime:
        """Since when something is new to that day: its beginning, or when figures were counted for the first time."""
        scope = self.measured.scope
        begins = day_start(self.on, scope.period.zone)
        mark = scope.kept.marks.get((statistic, version)) if scope.kept is not None else None
        return max(begins, mark.done_at) if mark is not None and mark.done_at is not None else begins

    def _arrived(self, *, is_sale: bool) -> _Arrived:
        """The touchpoints that came on the day of revising about days that were over."""
        scope = self.measured.scope
        border = day_start(self.on, scope.period.zone)
        looks_back = 0 if is_sale or self.measured.beginning is None else self.measured.beginning.lapse_days
        first = scope.period.start - timedelta(days=looks_back)
        until = min(scope.until_at, border)
        last = local_day(until, scope.period.zone)
        are_days = scope.period.is_whole_days and until == day_start(last, scope.period.zone)
        rows = remembered_rows(
            "analytics/late_touchpoints",
            of=scope.generation,
            types=types_of(Role.PURCHASE, *((Role.REFUND,) if is_sale else (Role.SUBSCRIBE, Role.CANCEL))),
            since=self._since(SALES.name, 0),
            # The end of that day, so that the question stays the same: what moves a finished day is told anew.
            known_at=day_start(self.on + DAY, scope.period.zone),
            # Of all days, so that every period asks the same.
            first=EPOCH if are_days else scope.period.start_at - timedelta(days=looks_back),
            until=border if are_days else until,
            zone=scope.period.zone,
        )
        found = [(day, count) for day, count in rows if not are_days or first <= day < last]
        days = [day for day, _count in found]
        return _Arrived(sum(count for _day, count in found), min(days, default=None), max(days, default=None))

    def _told(
        self, was: int | float | None, now: int | float | None, unit: str, rows: Sequence[_Row], *, is_sale: bool
    ) -> Moved:
        assert was is not None
        came = self._arrived(is_sale=is_sale)
        cause = min(row.cause for row in rows)
        until = self.on - DAY
        what = str(dict(CAUSES)[cause])
        if came.touchpoints and cause in (Cause.LIVE, Cause.LATE, Cause.IMPORT):
            what = ngettext("%(n)s late touchpoint of %(days)s", "%(n)s late touchpoints of %(days)s", came.touchpoints)
            what %= {"n": number(came.touchpoints), "days": _days(came)}
        text = quantity_text(was, unit, self.measured.installation)
        if text == quantity_text(now, unit, self.measured.installation):
            sentence = ""  # a reader sees the same number twice
        elif self.measured.scope.period.until > self.on:
            sentence = _("%(was)s without what came later: %(what)s") % {"was": text, "what": what}
        elif self.on == self.today:
            sentence = _("was %(was)s until yesterday: %(what)s") % {"was": text, "what": what}
        else:
            sentence = _("was %(was)s until %(day)s: %(what)s") % {
                "was": text,
                "day": plain_date(until),
                "what": what,
            }
        return Moved(
            was,
            until,
            "conversion" if cause == CONVERTED else Cause(cause).name.lower(),
            came.touchpoints,
            came.first,
            came.last,
            sentence,
        )


def _days(came: _Arrived) -> str:
    if came.first == came.last:
        return plain_date(came.first)
    return f"{plain_date(came.first)} – {plain_date(came.last)}"


def _by_customer(history: Columns) -> dict[int, list[tuple[int, int]]]:
    found: dict[int, list[tuple[int, int]]] = defaultdict(list)
    rows = zip(history["customer"].tolist(), history["at"].tolist(), history["stage"].tolist(), strict=True)
    for customer, at, stage in rows:
        found[customer].append((at, stage))
    for one in found.values():
        one.sort()
    return found


def _stage_before(history: Sequence[tuple[int, int]], border: int) -> int:
    """The stage one millisecond before a border, 0 for none."""
    place = bisect_left(history, (border, 0))
    return history[place - 1][1] if place else 0
