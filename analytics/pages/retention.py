"""Cohort tables: who came back, by when they began."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analytics.beginning import Beginning, beginning
from analytics.behind import cohort_group, stays_group
from analytics.cohorts import (
    BEGINNINGS,
    ENTRY,
    MODES,
    UNITS,
    Asked,
    Cell,
    Cohort,
    Pooled,
    Table,
    cohort_table,
    units_said,
)
from analytics.customer_list import anybody
from analytics.files import Cell as Row
from analytics.files import scope_cells
from analytics.lapsing import LEAST_AT_RISK, MARKS, Curve, Stays, Window, stays, suggested_window
from analytics.revenue_kept import RevenueKept, revenue_kept
from analytics.scope import Scope
from analytics.sorting import Sorting, live_segments, segment
from analytics.survival import Length, Step
from analytics.units import shown_number
from clm.lib.periods import PRESETS, days, preset
from clm.lib.questions import NotThereError, QuestionError
from clm.lib.templatetags.numbers import number, percent, quantity_text
from clm.lib.templatetags.times import plain_date, plain_month
from customers.models import Installation

from .asking import Question, page, question
from .exports import answered_file
from .lengths import in_days, said_length
from .news import news_of

SHOWS = {"percent": gettext_lazy("Percent"), "count": gettext_lazy("Customers"), "revenue": gettext_lazy("Revenue")}
SCOPED = ("as_of", "segment", "lines")
TAKES = (*SCOPED, "by", "unit", "mode", "show", "versus")
POINTS = 60  # of a curve


@page("metrics.view", takes=TAKES)
def cohorts(request: HttpRequest, *, now: datetime) -> HttpResponse:
    asked = question(request.GET, now=now, takes=SCOPED, errors_are_shown=True, counts_history=True)
    wanted, show, asked = wanted_cohorts(request.GET, asked)
    versus, asked = _versus(request, asked)
    context = {
        **asked.context,
        "segments": asked.choices["segments"],
        "now": now,
        "wanted": wanted,
        "show": show,
        "choices": _choices(wanted, show),
        "news": news_of(),
    }
    if not anybody():
        return render(request, "pages/retention.html", {**context, "empty": True}, status=asked.status)
    table, since = cohort_table(scope=asked.scope, asked=wanted), beginning(scope=asked.scope)
    return render(
        request,
        "pages/retention.html",
        {
            **context,
            "heatmap": heatmap(table, show),
            "heading": _("Cohorts by %(beginning)s") % {"beginning": wanted.beginning},
            "caption": _("How many of each cohort came back"),
            "said": said_of(table),
            "early": early(table, since),
            "file_address": "retention_file",
            **_money_kept(asked.scope, since),
            **_how_long(asked.scope, versus),
            "begins": _begins(),
        },
        status=asked.status,
    )


@page("metrics.view", takes=TAKES)
def retention_file(request: HttpRequest, kind: str, *, now: datetime) -> HttpResponse:
    """What the page of retention shows, as a file; with customers and money alike."""
    asked = question(request.GET, now=now, takes=SCOPED, counts_history=True)
    wanted, _show, checked = wanted_cohorts(request.GET, asked)
    versus, checked = _versus(request, checked)
    if checked.errors:
        raise QuestionError(*next(iter(checked.errors.items())))
    if not anybody():
        raise Http404
    table = cohort_table(scope=asked.scope, asked=wanted)
    return answered_file(kind=kind, name="retention", cells=[*cohort_cells(table), *_more_rows(asked.scope, versus)])


def wanted_cohorts(query: QueryDict, asked: Question) -> tuple[Asked, str, Question]:
    """What cohorts are wanted; a parameter that cannot be used is told, and the first choice stands in its place."""
    given = {name: query.get(name) or "" for name in ("by", "unit", "mode", "show")}
    begins = [*BEGINNINGS, *(f"{ENTRY}{one.key}" for one in live_segments())]
    for name, choices in (("by", begins), ("unit", UNITS), ("mode", MODES), ("show", SHOWS)):
        if given[name] and given[name] not in choices:
            asked = asked.wrong(name, given[name], _("Choose one of %(known)s.") % {"known": ", ".join(choices)})
            given[name] = ""
        given[name] = given[name] or next(iter(choices))
    return Asked(given["by"], given["unit"], given["mode"]), given["show"], asked


def _versus(request: HttpRequest, asked: Question) -> tuple[Sorting | None, Question]:
    """The segment whose stays are compared with everybody else's; one that there is not is told."""
    key = request.GET.get("versus") or ""
    try:
        return (segment(key) if key else None), asked
    except NotThereError as error:
        return None, asked.wrong("versus", key, str(error))


def _begins() -> list[tuple[str, str]]:
    """All that cohorts may begin with."""
    entries = [
        (f"{ENTRY}{one.key}", _("first entry into %(segment)s") % {"segment": one.name}) for one in live_segments()
    ]
    return [*((key, str(label)) for key, (label, _roles) in BEGINNINGS.items()), *entries]


def _choices(wanted: Asked, show: str) -> list[tuple[str, Any, list[tuple[str, Any, bool]]]]:
    """What stands above the table: parameter, label, and its choices with whether each is on."""
    begins = [(key, label, key == wanted.by) for key, (label, _roles) in BEGINNINGS.items()]
    if wanted.entered is not None:
        begins.append((wanted.by, wanted.beginning, True))
    return [
        ("by", _("Cohorts by"), begins),
        ("unit", _("Each a"), [(key, label, key == wanted.unit) for key, (label, _count) in UNITS.items()]),
        ("mode", _("Who ordered"), [(key, label, key == wanted.mode) for key, label in MODES.items()]),
        ("show", _("Shown as"), [(key, label, key == show) for key, label in SHOWS.items()]),
    ]


def heatmap(table: Table, show: str) -> dict[str, Any]:
    installation = Installation.current()
    most = max((cell.revenue for one in table.cohorts for cell in one.cells[1:]), default=0)

    def text(customers: int, revenue: int, size: int) -> str:
        if not size:
            return "–"
        if show == "revenue":
            return quantity_text(revenue, "money", installation)
        return number(customers) if show == "count" else percent(customers / size)

    def level(customers: int, revenue: int, size: int) -> int | None:
        if not size:
            return None
        if show == "revenue":
            return min(7, max(0, int(7 * revenue / most))) if most > 0 else 0
        return min(7, int(8 * customers / size))

    def cell(one: Cohort, k: int, cell: Cell) -> dict[str, Any]:
        return {
            "text": text(cell.customers, cell.revenue, one.size),
            "level": level(cell.customers, cell.revenue, one.size),
            "incomplete": not cell.is_complete,
            "url": _url(table, one, k) if cell.customers and show != "revenue" else "",
        }

    def pooled(one: Pooled) -> dict[str, Any]:
        told = text(one.customers, one.revenue, one.size)
        if show == "revenue" and one.size:
            told = quantity_text(one.revenue / one.size, "money", installation)
        elif show == "count":
            told = _("%(part)s of %(all)s") % {"part": number(one.customers), "all": number(one.size)}
        return {"text": told if one.size else _("n/a"), "level": None, "incomplete": False, "url": ""}

    rows = [
        {
            "name": plain_month(one.start) if table.asked.unit == "month" else plain_date(one.start),
            "size": one.size,
            "url": _url(table, one, None) if one.size else "",
            "cells": [cell(one, k, each) for k, each in enumerate(one.cells)],
        }
        for one in reversed(table.cohorts)
    ]
    label = _("Per customer") if show == "revenue" else _("Pooled")
    # The youngest pooled cohort that counts at k = 0; every later cell says its own.
    size = table.pooled[0].size if table.pooled else 0
    rows.append({"name": label, "size": size, "url": "", "cells": [pooled(one) for one in table.pooled]})
    return {"corner": _("From"), "columns": [str(one.k) for one in table.pooled], "rows": rows}


# --- money and time --------------------------------------------------------------------------------------------
def money_kept(scope: Scope, since: Beginning | None) -> list[RevenueKept]:
    """Revenue retention of each period that pages offer. since: where records begin."""
    zone = scope.period.zone
    asked = [replace(scope, period=preset(key=key, now=scope.as_of, zone=zone)) for key in PRESETS]
    return [revenue_kept(scope=one, since=since) for one in asked]


def _money_kept(scope: Scope, since: Beginning | None) -> dict[str, Any]:
    names = ("spenders", "spent_nothing", "spent_less", "spent_as_much", "spent_more")
    return {
        "money_kept": [
            {
                "kept": one,
                "period": one.scope.period,
                "groups": [
                    (getattr(one, name), f"group={name}&{one.scope.query()}" if getattr(one, name) else "")
                    for name in names
                ],
            }
            for one in money_kept(scope, since)
        ]
    }


def _how_long(scope: Scope, versus: Sorting | None) -> dict[str, Any]:
    found, window = stays(scope=scope, versus=versus), suggested_window(scope=scope)
    return {
        "versus": versus,
        "curves": [_curve(found, one) for one in found.curves],
        "curve_marks": MARKS,
        "curves_chart": _curves_chart(found),
        "log_rank": found.log_rank,
        "log_rank_p": _said_p(found.log_rank.p) if found.log_rank is not None else "",
        "window": window,
        "window_said": _window_said(window),
    }


def _side(found: Stays, side: str) -> str:
    if found.versus is None:
        return _("All customers")
    name = found.versus.name
    return name if side == "in" else _("Not in %(segment)s") % {"segment": name}


def _curve(found: Stays, one: Curve) -> dict[str, Any]:
    def query(which: str, number: int) -> str:
        return f"group={stays_group(found.versus, one.side, which)}&{found.scope.query()}" if number else ""

    return {
        "name": _side(found, one.side),
        "number": one.number,
        "began_query": query("began", one.number),
        "ended": one.ended,
        "ended_query": query("ended", one.ended),
        "median": _said_days(one.median),
        "shares": [one.share(days) for days in MARKS],
    }


def _said_days(middle: Length) -> str:
    return said_length(middle, unit=in_days, ends=number, nobody=_("nobody began"))


def _said_p(p: float) -> str:
    return _("below 0.001") if p < 0.001 else f"{p:.3f}"


def _curves_chart(found: Stays) -> dict[str, Any]:
    last = max((one.seen for one in found.curves if one.number), default=0)
    step = max(1, -(-last // POINTS))
    days = list(range(0, last + 1, step))

    def value(one: Curve, at: int) -> float | None:
        there = one.share(at) if one.number else None
        return None if there is None else round(100 * there.share, 1)

    told = "; ".join(
        _("of %(who)s half stay for %(median)s") % {"who": _side(found, one.side), "median": _said_days(one.median)}
        for one in found.curves
    )
    return {
        "description": _("How many percent are still active, by days since they became active: %(told)s.")
        % {"told": told},
        "steps": True,
        "high": 100,
        "labels": [number(at) for at in days],
        "lines": [{"name": _side(found, one.side), "values": [value(one, at) for at in days]} for one in found.curves],
    }


def _window_said(window: Window) -> str:
    if window.days is None:
        return _(
            "There are too few orders to say after how long somebody is lost: no gap was waited out by %(least)s."
        ) % {"least": number(LEAST_AT_RISK)}
    return _(
        "%(again)s of all orders are followed by another within %(until)s days, and 80%% of these within %(days)s: "
        "whoever has not ordered for so long is unlikely to. Kaplan-Meier over %(gaps)s gaps between days with an "
        "order and %(open)s that are still open."
    ) % {
        "until": number(window.until),
        "again": percent(window.again),
        "days": number(window.days),
        "gaps": number(window.gaps),
        "open": number(window.open),
    }


def _more_rows(scope: Scope, versus: Sorting | None) -> list[Row]:
    installation, rows = Installation.current(), list[Row]()
    for kept in money_kept(scope, beginning(scope=scope)):
        item = " to ".join(kept.scope.period.asked())
        for name, rate in (("gross", kept.gross), ("net", kept.net)):
            note = "" if rate is not None else "nobody had spent anything"
            if kept.begin is not None and kept.before:
                note = f"records begin on {kept.begin.isoformat()}"
            told = None if rate is None else shown_number(float(rate), "percent", 0)
            rows.append(Row("revenue retention", item, name, told, "percent", note))
        for name in ("spenders", "spent_nothing", "spent_less", "spent_as_much", "spent_more"):
            rows.append(Row("revenue retention", item, name, getattr(kept, name), "customers"))
        for name in ("before", "now", "held", "lost", "shrunk", "grown"):
            money = shown_number(getattr(kept, name), "money", installation.minor_digits)
            rows.append(Row("revenue retention", item, name, money, installation.currency))
    found = stays(scope=scope, versus=versus)
    for one in found.curves:
        rows.append(Row("stays", one.side, "began", one.number, "customers"))
        rows.append(Row("stays", one.side, "ended", one.ended, "customers"))
        rows.append(Row("stays", one.side, "median", one.median.median, "days"))
        for name, end in (("median low", one.median.low), ("median high", one.median.high)):
            rows.append(Row("stays", one.side, name, end, "days"))
        for step in one.steps:
            rows.append(
                Row("still active", one.side, str(step.time), shown_number(step.share, "percent", 0), "percent")
            )
        for mark in MARKS:
            rows += _still_active(one.side, mark, one.share(mark))
    if found.log_rank is not None:
        rows.append(Row("stays", "log-rank", "statistic", round(found.log_rank.statistic, 4), ""))
        rows.append(Row("stays", "log-rank", "p", float(f"{found.log_rank.p:.4g}"), ""))
    window = suggested_window(scope=scope)
    rows.append(Row("suggested window", "", "days", window.days, "days"))
    if window.days is not None:
        again = shown_number(window.again, "percent", 0)
        rows.append(Row("suggested window", "", "followed by another", again, "percent"))
        rows.append(Row("suggested window", "", "until", window.until, "days"))
        rows.append(Row("suggested window", "", "gaps", window.gaps, "gaps"))
        rows.append(Row("suggested window", "", "open", window.open, "gaps"))
    return rows


def _still_active(side: str, mark: int, step: Step | None) -> list[Row]:
    """The share still active after so many days, with its interval; n/a where nobody was seen for so long."""
    section = "still active after"
    if step is None:
        return [Row(section, side, str(mark), None, "percent", "nobody was seen for so long")]
    ends = (("", step.share), (" low", step.low), (" high", step.high))
    return [Row(section, side, f"{mark}{name}", shown_number(share, "percent", 0), "percent") for name, share in ends]


def _url(table: Table, one: Cohort, k: int | None) -> str:
    of = replace(table.scope, period=days(start=one.start, until=one.until, zone=table.scope.period.zone))
    return f"{reverse('customers')}?group={cohort_group(table.asked, one.start, k)}&{of.query()}"


def said_of(table: Table) -> str:
    """The table in a sentence."""
    told = [
        _("%(share)s after %(later)s") % {"share": percent(one.share), "later": units_said(one.k, table.asked.unit)}
        for one in table.pooled
        if one.k in (1, 3, 6, 12) and one.size
    ]
    if not told:
        return _("No cohort is old enough yet to say who comes back.")
    return _("Of all cohorts that are old enough, %(told)s.") % {"told": ", ".join(told)}


def early(table: Table, since: Beginning | None) -> str:
    """Whoever bought before records begin looks new in the first cohorts."""
    if since is None or not table.cohorts or since.first < table.cohorts[0].start:
        return ""
    return _(
        "Records begin on %(first)s: the first cohorts hold customers who may have begun earlier than is recorded."
    ) % {"first": plain_date(since.first)}


def cohort_cells(table: Table) -> list[Row]:
    installation = Installation.current()
    asked = table.asked
    rows = scope_cells(scope=table.scope, by=asked.by, unit=asked.unit, mode=asked.mode)
    for one in table.cohorts:
        start = one.start.isoformat()
        note = "" if one.is_over else "not over yet"
        rows.append(Row("cohorts", start, "size", one.size, "customers", note))
        for k, cell in enumerate(one.cells):
            note = "" if cell.is_complete else "not over yet"
            money = shown_number(cell.revenue, "money", installation.minor_digits)
            rows.append(Row("customers", start, str(k), cell.customers, "customers", note))
            rows.append(Row("revenue", start, str(k), money, installation.currency, note))
    for each in table.pooled:
        share = shown_number(float(each.share), "percent", 0) if each.share is not None else None
        note = "" if share is not None else "no cohort is old enough"
        rows.append(Row("pooled", "", str(each.k), share, "percent", note))
        # Cohorts too young for a later unit are in no rate of it, so each says how many customers it rests on.
        rows.append(Row("pooled size", "", str(each.k), each.size, "customers", note))
        rows.append(Row("pooled customers", "", str(each.k), each.customers, "customers", note))
        money = shown_number(each.revenue / each.size, "money", installation.minor_digits) if each.size else None
        rows.append(Row("pooled revenue per customer", "", str(each.k), money, installation.currency, note))
    return rows
