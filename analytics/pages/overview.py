"""The first page: the key figures, where customers are, how they moved, and what the numbers rest on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from analytics.customer_list import anybody
from analytics.days.kept import Kept
from analytics.sorting import active_customers, stage_model, stage_models
from analytics.sources import source_notes
from analytics.stages import Flow, day_ends, stage_board, stage_shifts, stage_trend
from analytics.tiles import tiles
from clm.lib.periods import Period, local_day
from clm.lib.templatetags.numbers import number
from clm.lib.templatetags.times import plain_date

from .asking import SCOPE, page, question
from .charts import lines_payload, sankey_payload
from .news import news_of

WEEKS = 53


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a chart."""

    name: str
    values: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Series:
    """A line chart with its table: one value per label and line."""

    title: str
    sentence: str
    labels: tuple[date, ...]
    lines: tuple[Line, ...]

    @property
    def rows(self) -> list[tuple[date, tuple[int, ...]]]:
        """For the table: each label with its values, latest first."""
        values = zip(*(line.values for line in self.lines), strict=True)
        return list(reversed(list(zip(self.labels, values, strict=True))))


@page("overview.view", takes=(*SCOPE, "model"))
def overview(request: HttpRequest, *, now: datetime) -> HttpResponse:
    asked = question(request.GET, now=now)
    model = stage_model(request.GET.get("model") or None)
    context = {**asked.context, "now": now, "model": model.ref, "models": [one.ref for one in stage_models()]}
    if not anybody():
        return render(request, "pages/overview.html", {**context, "empty": True})
    stages = stage_board(model=model, period=asked.period, now=now, as_of=asked.instant, kept=asked.kept)
    shifts = stage_shifts(model=model, period=asked.period, kept=asked.kept)
    moved = [flow for flow in shifts if flow.source != flow.target]
    active = active_series(at=asked.at, zone=asked.period.zone, kept=asked.kept)
    return render(
        request,
        "pages/overview.html",
        {
            **context,
            "tiles": tiles(scope=asked.scope),
            "stages": stages,
            "moved": moved,
            "flows_chart": sankey_payload(flows=moved, description=flows_sentence(flows=moved, period=asked.period)),
            "active": active,
            "active_chart": lines_payload(series=active),
            "sources": source_notes(kept=asked.kept),
            "news": news_of(),
        },
    )


def active_series(*, at: datetime, zone: str, kept: Kept | None = None) -> Series:
    """Active customers at the last 53 week ends."""
    instants = day_ends(until=at, zone=zone, count=WEEKS)
    labels = tuple(local_day(instant, zone) for instant in instants)
    segment = active_customers()
    values: tuple[int, ...] = (0,) * WEEKS
    if segment is not None:
        inside = segment.stages[segment.stage_id("in")]
        values = next(
            row.customers for row in stage_trend(model=segment, instants=instants, kept=kept) if row.stage == inside
        )
    sentence = _("Active customers, week by week until %(day)s: between %(low)s and %(high)s, at last %(last)s.") % {
        "day": plain_date(labels[-1]),
        "low": number(min(values)),
        "high": number(max(values)),
        "last": number(values[-1]),
    }
    return Series(_("Active customers per week"), sentence, labels, (Line(_("Active customers"), values),))


def flows_sentence(*, flows: Sequence[Flow], period: Period) -> str:
    """The chart of moves for somebody who cannot see it: how many moved, and the five largest moves."""
    total = sum(flow.customers for flow in flows)
    largest = "; ".join(
        f"{flow.source.name if flow.source else _('New')} → {flow.target.name}: {number(flow.customers)}"
        for flow in flows[:5]
    )
    return _("Since %(start)s, %(total)s customers changed stage. Largest moves: %(largest)s.") % {
        "start": plain_date(period.start),
        "total": number(total),
        "largest": largest or _("none"),
    }
