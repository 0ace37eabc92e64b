"""The first page: the key figures, where customers are, how they moved, and what the numbers rest on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import ngettext

from analytics.customer_list import anybody
from analytics.days.identities import broken_of
from analytics.files import Cell, definition_cells, scope_cells
from analytics.metrics import METRICS
from analytics.scope import Scope
from analytics.sorting import Sorting, active_customers, live_models, stage_model
from analytics.sources import SourceNote, source_notes
from analytics.stages import Flow, StageCount, day_ends, stage_board, stage_shifts, stage_trend
from analytics.tiles import Tile, tiles
from analytics.units import shown_number, shown_unit
from clm.lib.milliseconds import written
from clm.lib.periods import Period, day_start, local_day
from clm.lib.templatetags.numbers import number
from clm.lib.templatetags.times import plain_date
from customers.models import Installation

from .asking import FIGURES, Question, dates_of, page, question
from .charts import lines_payload, sankey_payload
from .exports import answered_file
from .news import news_of

TAKES = (*FIGURES, "known_at")
KNOWN_NOTE = _lazy(
    "Customers per stage, their moves and active customers over time are as known then. The key figures are added up "
    "from what is known today: what they were added up from before is not kept."
)
MILLISECOND = timedelta(milliseconds=1)
DAILY = 45  # periods up to so many days are drawn day by day


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a chart."""

    name: str
    values: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Series:
    """A line chart with its table: one value per label and line. daily: a label is a day, otherwise the end of a
    week."""

    title: str
    sentence: str
    labels: tuple[date, ...]
    lines: tuple[Line, ...]
    daily: bool = False

    @property
    def rows(self) -> list[tuple[date, tuple[int, ...]]]:
        """For the table: each label with its values, latest first."""
        values = zip(*(line.values for line in self.lines), strict=True)
        return list(reversed(list(zip(self.labels, values, strict=True))))


@dataclass(frozen=True, slots=True)
class Answer:
    """All that the overview shows of one question."""

    model: Sorting
    tiles: tuple[Tile, ...]
    stages: tuple[StageCount, ...]
    moved: tuple[Flow, ...]
    active: Series
    sources: tuple[SourceNote, ...]


def answered(asked: Question, *, model: Sorting, now: datetime, known_at: datetime | None) -> Answer:
    scope = asked.scope
    believed: dict[str, Any] = {
        "known_at": known_at,
        "kept": asked.kept,
        "among": scope.among_as_known(known_at),
    }
    stages = stage_board(model=model, period=asked.period, now=now, as_of=asked.stock_at, **believed)
    shifts = stage_shifts(model=model, period=asked.period, until_at=scope.until_at, **believed)
    return Answer(
        model=model,
        tiles=tiles(scope=scope),
        stages=stages,
        moved=tuple(flow for flow in shifts if flow.source != flow.target),
        active=active_series(scope=scope, known_at=known_at),
        sources=source_notes(kept=asked.kept),
    )


@page("overview.view", takes=TAKES)
def overview(request: HttpRequest, *, now: datetime) -> HttpResponse:
    asked = question(request.GET, now=now, takes=TAKES, errors_are_shown=True)
    model = asked.scope.model or stage_model()
    context = {
        **asked.context,
        **asked.choices,
        "now": now,
        "model": model.ref,
        "models": [one.ref for one in live_models()],
        "file_address": "overview_file",
        "known_note": KNOWN_NOTE,
    }
    if not anybody():
        return render(request, "pages/overview.html", {**context, "empty": True}, status=asked.status)
    answer = answered(asked, model=model, now=now, known_at=dates_of(request).known_at)
    sentence = flows_sentence(flows=answer.moved, period=asked.period)
    broken = broken_of(versions=[model.version])
    return render(
        request,
        "pages/overview.html",
        {
            **context,
            "tiles": answer.tiles,
            "stages": answer.stages,
            "moved": answer.moved,
            "flows_chart": sankey_payload(flows=answer.moved, description=sentence),
            "active": answer.active,
            "active_chart": lines_payload(series=answer.active),
            "sources": answer.sources,
            "broken_figures": [said for tile in answer.tiles[:1] for said in tile.broken],
            "broken_stages": broken.get(model.version or 0, ()),
            "news": news_of(),
        },
        status=asked.status,
    )


@page("overview.view", takes=TAKES)
def overview_file(request: HttpRequest, kind: str, *, now: datetime) -> HttpResponse:
    """What the overview shows, as a file."""
    asked = question(request.GET, now=now, takes=TAKES)
    if not anybody():
        raise Http404
    model = asked.scope.model or stage_model()
    known_at = dates_of(request).known_at
    answer = answered(asked, model=model, now=now, known_at=known_at)
    return answered_file(kind=kind, name="overview", cells=overview_cells(answer, asked.scope, known_at))


def overview_cells(answer: Answer, scope: Scope, known_at: datetime | None) -> list[Cell]:
    installation = Installation.current()

    def cell(section: str, item: str, measure: str, value: Any, unit: str = "count", note: str = "") -> Cell:
        shown = shown_number(value, unit, installation.minor_digits)
        named = "percentage points" if unit == "points" else shown_unit(unit, installation.currency)
        return Cell(section, item, measure, shown, named, note)

    told = {} if known_at is None else {"stages_known_at": written(known_at)}
    cells = scope_cells(scope=scope, model=answer.model.key, currency=installation.currency, **told)
    cells += definition_cells((tile.key, tile.definition, METRICS[tile.key].formula) for tile in answer.tiles)
    for tile in answer.tiles:
        moved = tile.moved.sentence if tile.moved else ""
        cells.append(
            cell("figures", tile.key, "value", tile.value, tile.unit, " ".join(filter(None, (tile.note, moved))))
        )
        cells.append(cell("figures", tile.key, "change", tile.change, tile.change_unit, tile.change_note))
        if tile.moved:
            cells.append(cell("figures", tile.key, "before what came later", tile.moved.was, tile.unit, moved))
    for row in answer.stages:
        for measure in ("customers", "change", "entered", "left"):
            cells.append(cell("stages", row.stage.key, measure, getattr(row, measure)))
        cells.append(cell("stages", row.stage.key, "share", row.share, "percent"))
    for flow in answer.moved:
        source = flow.source.key if flow.source else "new"
        cells.append(cell("moves", f"{source} > {flow.target.key}", "customers", flow.customers))
    for label, value in zip(answer.active.labels, answer.active.lines[0].values, strict=True):
        cells.append(cell("active customers", label.isoformat(), "customers", value))
    for one in answer.sources:
        cells.append(Cell("sources", one.key, "touchpoints", one.touchpoints, "touchpoints", one.note))
    return cells


def active_instants(*, scope: Scope) -> tuple[list[datetime], bool]:
    """The instants at which a chart over the period counts, and whether they are the ends of days: of every day of a
    short period, of every seventh of a longer one, the last one where the period or what is known of it ends."""
    zone, end = scope.period.zone, scope.end_at
    length = (local_day(end, zone) - scope.period.start).days + 1
    if length > DAILY:
        return day_ends(until=end, zone=zone, count=-(-length // 7)), False
    ends = [day_start(scope.period.start + timedelta(days=n), zone) - MILLISECOND for n in range(1, length)]
    return [*ends, end], True


def active_series(*, scope: Scope, known_at: datetime | None = None) -> Series:
    """Active customers over the period, day by day or week by week; known_at: as believed then."""
    zone = scope.period.zone
    instants, daily = active_instants(scope=scope)
    labels = tuple(local_day(instant, zone) for instant in instants)
    segment = active_customers()
    values: tuple[int, ...] = (0,) * len(instants)
    if segment is not None:
        inside = segment.stages[segment.stage_id("in")]
        among = scope.among_as_known(known_at)
        found = stage_trend(model=segment, instants=instants, known_at=known_at, kept=scope.kept, among=among)
        values = next(row.customers for row in found if row.stage == inside)
    told = {
        "start": plain_date(labels[0]),
        "day": plain_date(labels[-1]),
        "low": number(min(values)),
        "high": number(max(values)),
        "last": number(values[-1]),
    }
    if daily:
        title = _("Active customers per day")
        sentence = _(
            "Active customers, day by day from %(start)s until %(day)s: between %(low)s and %(high)s, at last %(last)s."
        )
    else:
        title = _("Active customers per week")
        sentence = _(
            "Active customers, week by week from %(start)s until %(day)s: between %(low)s and %(high)s, at last "
            "%(last)s."
        )
    return Series(title, sentence % told, labels, (Line(_("Active customers"), values),), daily)


def flows_sentence(*, flows: Sequence[Flow], period: Period) -> str:
    """The chart of moves for somebody who cannot see it: how many moved, and the five largest moves."""
    total = sum(flow.customers for flow in flows)
    largest = "; ".join(
        f"{flow.source.name if flow.source else _('New')} → {flow.target.name}: {number(flow.customers)}"
        for flow in flows[:5]
    )
    said = ngettext(
        "Since %(start)s, until %(end)s, %(total)s customer changed stage. Largest moves: %(largest)s.",
        "Since %(start)s, until %(end)s, %(total)s customers changed stage. Largest moves: %(largest)s.",
        total,
    )
    return said % {
        "start": plain_date(period.start),
        "end": plain_date(period.last_day),
        "total": number(total),
        "largest": largest or _("none"),
    }
