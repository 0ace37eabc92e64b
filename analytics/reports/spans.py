"""What a report is about each time it is due: the period of its addresses as they stand, or one that goes along with
time, such as the last full month. Counted from the instant it was due, so one that is sent late is about the same."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from clm.lib.periods import local_day

from .views import View

ASKED = "asked"
# What takes the place of a period of one's own, and of the dates that go with it.
_REPLACED = ("period", "from", "until", "as_of", "known_at")


def _month_before(day: date) -> tuple[date, date]:
    first = day.replace(day=1)
    return (first - timedelta(days=1)).replace(day=1), first


def _quarter_before(day: date) -> tuple[date, date]:
    first = day.replace(month=3 * ((day.month - 1) // 3) + 1, day=1)
    last = first - timedelta(days=1)
    return last.replace(month=last.month - 2, day=1), first


def _week_before(day: date) -> tuple[date, date]:
    monday = day - timedelta(days=day.weekday())
    return monday - timedelta(days=7), monday


Days = Callable[[date], tuple[date, date]]
# By name: what people read, and the days [first, until) seen from a day.
SPANS: dict[str, tuple[Any, Days | None]] = {
    ASKED: (_("The period of the page as it was saved"), None),
    "last_day": (_("The day before"), lambda day: (day - timedelta(days=1), day)),
    "last_week": (_("The last full week, Monday to Sunday"), _week_before),
    "last_month": (_("The last full month"), _month_before),
    "last_quarter": (_("The last full quarter"), _quarter_before),
    "last_year": (_("The last full year"), lambda day: (date(day.year - 1, 1, 1), date(day.year, 1, 1))),
    "this_month": (_("The month so far"), lambda day: (day.replace(day=1), day + timedelta(days=1))),
}


def question_at(*, view: View, question: str, span: str, due_at: datetime, zone: str) -> str:
    """The query to ask a page at an instant: that of its address, with the days of the span in the place of its own."""
    days = SPANS[span][1]
    if days is None:
        return question
    query = QueryDict(question, mutable=True)
    for name in _REPLACED:
        query.pop(name, None)
    if view.has_period:
        first, until = days(local_day(due_at, zone))
        query["from"], query["until"] = first.isoformat(), until.isoformat()
    return query.urlencode()
