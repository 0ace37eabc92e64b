"""How customers move: stocks and flows, the transition matrix, the way through the stages, and growth."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analytics.beginning import beginning
from analytics.behind import group_name, path_group
from analytics.customer_list import anybody
from analytics.days.identities import broken_of
from analytics.days.remembered import remembered_now
from analytics.files import Cell, scope_cells
from analytics.movement import Growth, Movement, Stay, Step, Stock, movement
from analytics.paths import KINDS, Paths, paths
from analytics.scope import Scope
from analytics.sorting import Sorting, StageRef, active_customers, live_models, stage_model
from analytics.survival import Length
from analytics.templatetags.stages import stage_key
from clm.lib.questions import QuestionError
from clm.lib.templatetags.numbers import number, percent
from clm.lib.templatetags.times import plain_date

from .asking import FIGURES, Question, page, question
from .charts import sankey_payload
from .exports import answered_file
from .lengths import in_hours_or_days, said_length
from .news import news_of
from .overview import flows_sentence

FIGURES_TAKEN = tuple(name for name in FIGURES if name not in ("compare", "lines", "currency"))
TAKES = (*FIGURES_TAKEN, "paths")
GROWTH = (
    ("first", gettext_lazy("New")),
    ("reactivated", gettext_lazy("Reactivated")),
    ("lost", gettext_lazy("Lost")),
)


@page("overview.view", takes=TAKES)
def moves(request: HttpRequest, *, now: datetime) -> HttpResponse:
    asked = question(request.GET, now=now, takes=FIGURES_TAKEN, errors_are_shown=True)
    kind, asked = _kind_of_path(request, asked)
    model = asked.scope.model or stage_model()
    context = {
        **asked.context,
        "segments": asked.choices["segments"],
        "no_lines": True,
        "now": now,
        "model": model.ref,
        "models": [one.ref for one in live_models()],
        "file_address": "movement_file",
        "news": news_of(),
    }
    if not anybody():
        return render(request, "pages/movement.html", {**context, "empty": True}, status=asked.status)
    lengths = _lengths(asked)
    found = movement(model=model, scope=asked.scope, since=beginning(scope=asked.scope), lengths=lengths)
    ways = paths(model=model, scope=lengths, kind=kind)
    active = active_customers()
    broken = broken_of(versions=[model.version, active.version if active else None])
    moved = [flow for flow in found.flows if flow.source != flow.target]
    return render(
        request,
        "pages/movement.html",
        {
            **context,
            "stocks": [_stock_row(found, one) for one in found.stocks],
            "stock_chart": stock_chart(found),
            "stock_days": _stock_days(found),
            "moved": moved,
            "flows_chart": sankey_payload(flows=moved, description=flows_sentence(flows=moved, period=asked.period)),
            "matrix": _matrix_rows(found),
            "stages": found.matrix.stages,
            "steps": [_step_row(found, one) for one in found.steps],
            "steps_said": steps_sentence(found),
            "stays": [_stay_row(found, one) for one in found.stays],
            "ways": _path_rows(model, ways),
            "ways_told": ways,
            "way_kinds": [(key, label, key == kind) for key, label in KINDS.items()],
            "growth": [_growth_row(one) for one in reversed(found.growth)],
            "growth_chart": growth_chart(found),
            "broken_figures": [said for told in broken.values() for said in told],
        },
        status=asked.status,
    )


@page("overview.view", takes=TAKES)
def movement_file(request: HttpRequest, kind: str, *, now: datetime) -> HttpResponse:
    """What the page of movement shows, as a file."""
    asked = question(request.GET, now=now, takes=FIGURES_TAKEN)
    told = _kind_of_path(request, asked)
    if told[1].errors:
        raise QuestionError(*next(iter(told[1].errors.items())))
    if not anybody():
        raise Http404
    model = asked.scope.model or stage_model()
    lengths = _lengths(asked)
    found = movement(model=model, scope=asked.scope, since=beginning(scope=asked.scope), lengths=lengths)
    ways = paths(model=model, scope=lengths, kind=told[0])
    return answered_file(kind=kind, name="movement", cells=[*movement_cells(found), *_path_cells(ways)])


def _lengths(asked: Question) -> Scope:
    """The scope of what looks at history: it means the same now for some minutes, so that it need not look again."""
    scope = asked.scope
    if asked.as_of is not None or asked.kept.known_at is None:
        return scope
    return replace(scope, as_of=remembered_now(now=scope.as_of, zone=scope.period.zone))


def _kind_of_path(request: HttpRequest, asked: Question) -> tuple[str, Question]:
    """By what the ways to the first purchase are told; what cannot be used is told."""
    given = request.GET.get("paths") or next(iter(KINDS))
    if given in KINDS:
        return given, asked
    said = _("Choose one of %(known)s.") % {"known": ", ".join(KINDS)}
    return next(iter(KINDS)), asked.wrong("paths", given, said)


def _query(found: Movement, kind: str, *stages: StageRef | None) -> str:
    return f"model={found.model.key}&group={group_name(kind, found.model, *stages)}&{found.scope.query()}"


def _length_query(found: Movement, kind: str, stage: StageRef) -> str:
    return f"model={found.model.key}&group={group_name(kind, found.model, stage)}&{found.lengths.query()}"


# --- stocks ----------------------------------------------------------------------------------------------------
def _stock_row(found: Movement, one: Stock) -> dict[str, Any]:
    counts = [
        (count, _query(found, kind, one.stage), sign)
        for kind, count, sign in (
            ("at_start", one.at_start, ""),
            ("came", one.came, "+"),
            ("gone", one.gone, "−"),
            ("at_end", one.at_end, ""),
        )
    ]
    return {"stage": one.stage, "counts": counts, "entered": one.entered, "left": one.left}


def stock_chart(found: Movement) -> dict[str, Any]:
    return {
        "description": _stock_sentence(found),
        "labels": [label.isoformat() for label in found.labels],
        "lines": [
            {"name": line.stage.name, "values": list(line.customers), "stage": stage_key(line.stage)}
            for line in found.trend
        ],
    }


def _stock_sentence(found: Movement) -> str:
    largest = max(found.stocks, key=lambda one: one.at_end, default=None)
    grown = max(found.stocks, key=lambda one: one.at_end - one.at_start, default=None)
    shrunk = min(found.stocks, key=lambda one: one.at_end - one.at_start, default=None)
    told = _("Customers per stage from %(start)s until %(end)s.") % _days(found.scope)
    if largest is None or grown is None or shrunk is None:
        return told
    more = [_("Most are in %(stage)s (%(n)s).") % {"stage": largest.stage.name, "n": number(largest.at_end)}]
    if grown.at_end > grown.at_start:
        more.append(
            _("%(stage)s grew most, by %(n)s.")
            % {"stage": grown.stage.name, "n": number(grown.at_end - grown.at_start)}
        )
    if shrunk.at_end < shrunk.at_start:
        more.append(
            _("%(stage)s shrank most, by %(n)s.")
            % {"stage": shrunk.stage.name, "n": number(shrunk.at_start - shrunk.at_end)}
        )
    return " ".join([told, *more])


def _days(scope: Scope) -> dict[str, str]:
    return {"start": plain_date(scope.period.start), "end": plain_date(scope.end_at)}


def _stock_days(found: Movement) -> list[tuple[Any, list[int]]]:
    """Each day with its customers per stage, latest first."""
    columns = [line.customers for line in found.trend]
    return [(label, [column[at] for column in columns]) for at, label in reversed(list(enumerate(found.labels)))]


def _matrix_rows(found: Movement) -> list[dict[str, Any]]:
    rows = []
    for source, total, cells in found.matrix.rows:
        if not total:
            continue
        rows.append(
            {
                "source": source,
                "total": total,
                "cells": [
                    {
                        "customers": count,
                        "share": share,
                        "level": 0 if not share else min(7, 1 + int(share * 7)),
                        "stayed": target == source,
                        "query": _query(found, "moved", source, target) if count else "",
                    }
                    for target, count, share in cells
                ],
            }
        )
    return rows


# --- how far and how long --------------------------------------------------------------------------------------
def _step_row(found: Movement, one: Step) -> dict[str, Any]:
    most = max((step.entered for step in found.steps), default=0)
    return {
        "stage": one.stage,
        "entered": one.entered,
        "entered_query": _length_query(found, "entered", one.stage) if one.entered else "",
        "reached": one.reached,
        "reached_query": _length_query(found, "reached", one.stage) if one.reached else "",
        "is_last": one.hours is None,
        "conversion": one.conversion,
        "interval": one.interval,
        "wait": said_hours(one.hours) if one.hours is not None else "",
        "most": most,
    }


def _stay_row(found: Movement, one: Stay) -> dict[str, Any]:
    return {
        "stage": one.stage,
        "entered": one.entered,
        "entered_query": _length_query(found, "entered", one.stage) if one.entered else "",
        "left": one.left,
        "left_query": _length_query(found, "left", one.stage) if one.left else "",
        "wait": said_hours(one.hours),
    }


def said_hours(hours: Length) -> str:
    """A median with its interval: `12 d (8 d to 20 d)`."""
    return said_length(hours, unit=in_hours_or_days, ends=in_hours_or_days, nobody=_("nobody entered"))


def steps_sentence(found: Movement) -> str:
    told = "; ".join(
        _("of %(n)s who entered %(stage)s, %(share)s went on")
        % {"n": number(one.entered), "stage": one.stage.name, "share": percent(one.conversion)}
        for one in found.steps
        if one.hours is not None and one.entered
    )
    return _("From %(start)s until %(end)s: ") % _days(found.scope) + (told or _("nobody entered a stage")) + "."


# --- journeys to the first purchase ----------------------------------------------------------------------------
def _path_rows(model: Sorting, found: Paths) -> list[dict[str, Any]]:
    most = max((row.customers for row in found.rows), default=0)
    stages = {stage.key: stage for stage in model.stages.every.values()} if found.kind == "stages" else {}
    return [
        {
            "steps": [(name, stages.get(key)) for key, name in zip(row.way[: len(row.names)], row.names, strict=True)],
            "goes_on": row.goes_on,
            "customers": row.customers,
            "query": f"group={quote(path_group(model, found.kind, row.way))}&{found.scope.query()}",
            "share": row.share,
            "most": most,
            "hours": in_hours_or_days(row.hours),
        }
        for row in found.rows
    ]


def _path_cells(found: Paths) -> list[Cell]:
    cells = [Cell("paths", found.kind, "paid first", found.customers, "customers")]
    cells.append(Cell("paths", found.kind, "told of", found.told_of, "customers"))
    for row in found.rows:
        way = " > ".join((*row.way[: len(row.names)], *(["..."] if row.goes_on else []))) or "nothing before"
        cells.append(Cell("paths", way, "customers", row.customers, "customers"))
        cells.append(Cell("paths", way, "share", round(float(row.share) * 100, 9), "percent"))
        cells.append(Cell("paths", way, "median", row.hours, "hours"))
    return cells


# --- growth ----------------------------------------------------------------------------------------------------
def _growth_row(one: Growth) -> dict[str, Any]:
    counts, query = one.counts, one.scope.query()
    names = ("started", "first", "reactivated", "lost", "ended", "kept", "came_and_went")
    return {
        "period": one.scope.period,
        "is_over": one.scope.is_over,
        "cells": [
            (name, getattr(counts, name), f"group={name}&{query}" if getattr(counts, name) else "") for name in names
        ],
        "crr": counts.crr,
    }


def growth_chart(found: Movement) -> dict[str, Any]:
    last = found.growth[-1].counts
    told = _(
        "Active customers, period by period. In the last one %(first)s were new, %(back)s came back and %(lost)s were "
        "lost; %(ended)s are active at its end."
    ) % {
        "first": number(last.first),
        "back": number(last.reactivated),
        "lost": number(last.lost),
        "ended": number(last.ended),
    }
    return {
        "description": told,
        "labels": [(one.scope.period.until - timedelta(days=1)).isoformat() for one in found.growth],
        "lines": [
            {"name": str(label), "values": [getattr(one.counts, name) for one in found.growth]}
            for name, label in GROWTH
        ],
    }


# --- files -----------------------------------------------------------------------------------------------------
def movement_cells(found: Movement) -> list[Cell]:
    cells = scope_cells(scope=found.scope, model=found.model.key)

    def add(section: str, item: str, measure: str, value: Any, unit: str = "customers", note: str = "") -> None:
        cells.append(Cell(section, item, measure, value, unit, note))

    for one in found.stocks:
        for name in ("at_start", "came", "gone", "at_end"):
            add("stages", one.stage.key, name, getattr(one, name))
        add("stages", one.stage.key, "entered", one.entered, "times")
        add("stages", one.stage.key, "left", one.left, "times")
    for line in found.trend:
        for label, value in zip(found.labels, line.customers, strict=True):
            add("stages per day", line.stage.key, label.isoformat(), value)
    for source, total, shares in found.matrix.rows:
        for target, count, _share in shares:
            if total:
                add("moved", f"{source.key if source else 'none'} > {target.key}", "customers", count)
    for step in found.steps:
        add("way", step.stage.key, "entered", step.entered)
        if step.hours is not None:
            add("way", step.stage.key, "went on", step.reached)
            _add_length(cells, "way", step.stage.key, step.hours)
    for stay in found.stays:
        add("time in stage", stay.stage.key, "entered", stay.entered)
        add("time in stage", stay.stage.key, "left", stay.left)
        _add_length(cells, "time in stage", stay.stage.key, stay.hours)
    for one_period in found.growth:
        for name in ("started", "first", "reactivated", "lost", "ended", "kept", "came_and_went"):
            add("growth", " to ".join(one_period.scope.period.asked()), name, getattr(one_period.counts, name))
    return cells


def _add_length(cells: list[Cell], section: str, item: str, hours: Length) -> None:
    note = "" if hours.median is not None else "less than half so far"
    cells.append(Cell(section, item, "median", hours.median, "hours", note))
    if hours.median is not None:
        cells.append(Cell(section, item, "low", hours.low, "hours"))
        cells.append(Cell(section, item, "high", hours.high, "hours"))
