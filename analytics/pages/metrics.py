"""All figures with what they mean and what they are made of."""

from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from analytics.figures import FigureGroup
from analytics.files import Cell, definition_cells, scope_cells
from analytics.metrics import BASES, BASIS_NAMES, metric_groups
from analytics.scope import Scope
from analytics.units import shown_number, shown_unit
from clm.lib.questions import QuestionError
from customers.models import Installation

from .asking import FIGURES, page, question
from .exports import answered_file
from .news import news_of

_NO_BASIS = _("Costs are on all spend or on paid media; choose one of %(known)s.")
_KNOWN = {"known": ", ".join(BASES)}
# The stage model decides no figure here, so it is none of the parameters.
TAKES = (*(name for name in FIGURES if name not in ("model", "compare")), "basis")


@page("metrics.view", takes=TAKES)
def metrics(request: HttpRequest, *, now: datetime) -> HttpResponse:
    asked = question(request.GET, now=now, takes=TAKES, errors_are_shown=True)
    basis = request.GET.get("basis") or BASES[0]
    if basis not in BASES:
        asked = asked.wrong("basis", basis, str(_NO_BASIS % _KNOWN))
        basis = BASES[0]
    groups = metric_groups(scope=asked.scope, basis=basis)
    return render(
        request,
        "pages/metrics.html",
        {
            **asked.context,
            "segments": asked.choices["segments"],
            "now": now,
            "groups": groups,
            "bases": [(key, name, key == basis) for key, name in BASIS_NAMES.items()],
            "broken_figures": [said for group in groups[:1] for figure in group.metrics[:1] for said in figure.broken],
            "file_address": "metrics_file",
            "news": news_of(),
        },
        status=asked.status,
    )


@page("metrics.view", takes=TAKES)
def metrics_file(request: HttpRequest, kind: str, *, now: datetime) -> HttpResponse:
    """What the page of metrics shows, as a file."""
    asked = question(request.GET, now=now, takes=TAKES)
    basis = request.GET.get("basis") or BASES[0]
    if basis not in BASES:
        raise QuestionError("basis", str(_NO_BASIS % _KNOWN))
    groups = metric_groups(scope=asked.scope, basis=basis)
    return answered_file(kind=kind, name="metrics", cells=metric_cells(groups, asked.scope, basis))


def metric_cells(groups: tuple[FigureGroup, ...], scope: Scope, basis: str) -> list[Cell]:
    installation = Installation.current()
    digits, currency = installation.minor_digits, installation.currency
    cells = scope_cells(scope=scope, basis=basis, currency=currency)
    cells += definition_cells((one.key, one.definition, one.formula) for group in groups for one in group.metrics)
    for group in groups:
        for figure in group.metrics:
            moved = figure.moved.sentence if figure.moved else ""
            note = " ".join(filter(None, (figure.note, moved)))
            for measure, value in (("value", figure.value), ("low", figure.low), ("high", figure.high)):
                if measure == "value" or value is not None:
                    shown = shown_number(value, figure.unit, digits)
                    told = note if measure == "value" else ""
                    cells.append(Cell(group.title, figure.key, measure, shown, shown_unit(figure.unit, currency), told))
            if figure.moved:
                was = shown_number(figure.moved.was, figure.unit, digits)
                unit = shown_unit(figure.unit, currency)
                cells.append(Cell(group.title, figure.key, "before what came later", was, unit, figure.moved.sentence))
            for count in figure.counts:
                shown, unit = shown_number(count.value, count.unit, digits), shown_unit(count.unit, currency)
                cells.append(Cell(group.title, figure.key, count.key, shown, unit, count.label))
    return cells
