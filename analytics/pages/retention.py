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
from analytics.behind import cohort_group
from analytics.cohorts import BEGINNINGS, MODES, UNITS, Asked, Cell, Cohort, Pooled, Table, cohort_table
from analytics.customer_list import anybody
from analytics.files import Cell as Row
from analytics.files import scope_cells
from analytics.units import shown_number
from clm.lib.periods import days
from clm.lib.questions import QuestionError
from clm.lib.templatetags.numbers import number, percent, quantity_text
from clm.lib.templatetags.times import plain_date
from customers.models import Installation

from .asking import Question, page, question
from .exports import answered_file
from .news import news_of

SHOWS = {"percent": gettext_lazy("Percent"), "count": gettext_lazy("Customers"), "revenue": gettext_lazy("Revenue")}
SCOPED = ("as_of", "segment", "lines")
TAKES = (*SCOPED, "by", "unit", "mode", "show")


@page("metrics.view", takes=TAKES)
def cohorts(request: HttpRequest, *, now: datetime) -> HttpResponse:
    asked = question(request.GET, now=now, takes=SCOPED, errors_are_shown=True)
    wanted, show, asked = wanted_cohorts(request.GET, asked)
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
    table = cohort_table(scope=asked.scope, asked=wanted)
    return render(
        request,
        "pages/retention.html",
        {
            **context,
            "heatmap": heatmap(table, show),
            "heading": _("Cohorts by %(beginning)s") % {"beginning": BEGINNINGS[wanted.by][0]},
            "caption": _("How many of each cohort came back"),
            "said": said_of(table),
            "early": early(table, beginning(scope=asked.scope)),
            "file_address": "retention_file",
        },
        status=asked.status,
    )


@page("metrics.view", takes=TAKES)
def retention_file(request: HttpRequest, kind: str, *, now: datetime) -> HttpResponse:
    """What the page of retention shows, as a file; with customers and money alike."""
    asked = question(request.GET, now=now, takes=SCOPED)
    wanted, _show, checked = wanted_cohorts(request.GET, asked)
    if checked.errors:
        raise QuestionError(*next(iter(checked.errors.items())))
    if not anybody():
        raise Http404
    table = cohort_table(scope=asked.scope, asked=wanted)
    return answered_file(kind=kind, name="retention", cells=cohort_cells(table))


def wanted_cohorts(query: QueryDict, asked: Question) -> tuple[Asked, str, Question]:
    """What cohorts are wanted; a parameter that cannot be used is told, and the first choice stands in its place."""
    given = {name: query.get(name) or "" for name in ("by", "unit", "mode", "show")}
    for name, choices in (("by", BEGINNINGS), ("unit", UNITS), ("mode", MODES), ("show", SHOWS)):
        if given[name] and given[name] not in choices:
            asked = asked.wrong(name, given[name], _("Choose one of %(known)s.") % {"known": ", ".join(choices)})
            given[name] = ""
        given[name] = given[name] or next(iter(choices))
    return Asked(given["by"], given["unit"], given["mode"]), given["show"], asked


def _choices(wanted: Asked, show: str) -> list[tuple[str, Any, list[tuple[str, Any, bool]]]]:
    """What stands above the table: parameter, label, and its choices with whether each is on."""
    return [
        ("by", _("Cohorts by"), [(key, label, key == wanted.by) for key, (label, _roles) in BEGINNINGS.items()]),
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
            "name": plain_date(one.start),
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


def _url(table: Table, one: Cohort, k: int | None) -> str:
    of = replace(table.scope, period=days(start=one.start, until=one.until, zone=table.scope.period.zone))
    return f"{reverse('customers')}?group={cohort_group(table.asked, one.start, k)}&{of.query()}"


def said_of(table: Table) -> str:
    """The table in a sentence."""
    unit = UNITS[table.asked.unit][0]
    told = [
        _("%(share)s after %(k)s × %(unit)s") % {"share": percent(one.share), "k": one.k, "unit": unit}
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
    return rows
