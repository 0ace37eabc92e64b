"""What a page was asked, in words, and the address that asks the same again: with the days of its period written out,
so that whoever opens a mail a month later sees the page of then."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clm.lib.milliseconds import written
from clm.lib.periods import zone_of
from clm.lib.questions import QuestionError
from clm.lib.templatetags.numbers import number, quantity_text
from clm.lib.templatetags.times import plain_date
from customers.models import Installation

from ..left_out import left_out
from ..pages.asking import Question
from ..pages.dates import Dates, asked_dates
from ..scope import COMPARISONS
from ..sources import SourceNote, source_notes

Scope = tuple[tuple[str, str], ...]
# What a period is asked by; an address says its days instead.
_PERIOD = ("period", "from", "until", "as_of")


def dates_in(query: QueryDict, *, now: Any) -> Dates:
    """The dates in a question; QuestionError for one that cannot be answered."""
    dates = asked_dates(query, now=now)
    for name, message in dates.errors.items():
        raise QuestionError(name, message)
    return dates


def scope_said(asked: Question, *, takes: Sequence[str], more: Sequence[tuple[str, str]] = ()) -> Scope:
    """The scope as the head of the page says it."""
    scope, period = asked.scope, asked.period
    said: list[tuple[str, str]] = []
    if "period" in takes:
        days = f"{plain_date(period.start)} – {plain_date(period.last_day)}"
        said.append((_("Period"), days if scope.is_over else _("%(days)s, not over yet") % {"days": days}))
    local = asked.at.astimezone(zone_of(period.zone))
    if asked.is_day_end:
        said.append((_("As of"), _("the end of %(day)s") % {"day": plain_date(asked.as_of)}))
    else:
        said.append((_("As of"), f"{plain_date(local.date())}, {local:%H:%M}"))
    said.append((_("Time zone"), period.zone))
    said.append((_("Among"), str(scope.segment.name) if scope.segment else _("all customers")))
    if "compare" in takes:
        said.append((_("Compared with"), str(COMPARISONS[scope.comparison])))
    if "lines" in takes:
        said.append((_("Order lines"), _("products only") if scope.products_only else _("all lines")))
    return (*said, *more)


def address_of(name: str, query: QueryDict, asked: Question, *, takes: Sequence[str]) -> str:
    """The address of the page `name` that asks the same again; of one that is never asked about an instant of the
    past (no `as_of` in `takes`) it leads to the present."""
    kept = [(key, value) for key, values in query.lists() if key not in _PERIOD for value in values if value]
    if "period" in takes:
        start, until = asked.period.asked()
        kept += [("from", start), ("until", until)]
    if "as_of" in takes:
        kept.append(("as_of", written(asked.at)))
    return f"{reverse(name)}?{urlencode(kept)}"


def money_left_out() -> tuple[str, ...]:
    """A warning where some money is counted by no figure."""
    found = left_out()
    if not found:
        return ()
    said = _("Touchpoints whose money has no exchange rate, and which no sum counts: %(number)s.")
    if found.is_more:
        said = _("Touchpoints whose money has no exchange rate, and which no sum counts: more than %(number)s.")
    return (said % {"number": number(found.touchpoints)},)


def sources_said(asked: Question | None = None) -> tuple[str, ...]:
    """What the numbers rest on, a sentence for each source."""
    return tuple(_source(one) for one in source_notes(kept=asked.kept if asked else None))


def _source(one: SourceNote) -> str:
    if one.spend_days:
        told = _("%(name)s: %(days)s of spend, %(first)s – %(last)s") % {
            "name": one.name,
            "days": quantity_text(one.spend_days, "days", None),
            "first": plain_date(one.first_spend),
            "last": plain_date(one.last_spend),
        }
    elif one.touchpoints:
        many = ngettext(
            "%(name)s: %(touchpoints)s touchpoint, %(first)s – %(last)s",
            "%(name)s: %(touchpoints)s touchpoints, %(first)s – %(last)s",
            one.touchpoints,
        )
        told = many % {
            "name": one.name,
            "touchpoints": number(one.touchpoints),
            "first": plain_date(one.first_at),
            "last": plain_date(one.last_at),
        }
    else:
        told = _("%(name)s: nothing yet") % {"name": one.name}
    if one.lines_set_aside:
        aside = ngettext(", %(n)s line set aside", ", %(n)s lines set aside", one.lines_set_aside)
        told += aside % {"n": number(one.lines_set_aside)}
    return f"{told}. {one.note}" if one.note else f"{told}."


def reporting() -> Installation:
    """In which currency amounts are told."""
    return Installation.current()
