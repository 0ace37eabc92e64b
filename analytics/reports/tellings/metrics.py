"""The page of metrics, told."""

from datetime import datetime

from django.http import QueryDict
from django.utils.translation import gettext as _

from clm.lib.questions import QuestionError
from clm.lib.templatetags.numbers import percent, quantity_text

from ...figures import Figure
from ...metrics import BASES, BASIS_NAMES, metric_groups
from ...pages.asking import question
from ...pages.metrics import TAKES, metric_cells
from ..blocks import Block, Column, Definition, Page, Table, Told
from ..scopes import address_of, dates_in, money_left_out, reporting, scope_said, sources_said


def metrics_told(query: QueryDict, *, now: datetime) -> Page:
    """What the page of metrics says of a question."""
    dates_in(query, now=now)
    asked = question(query, now=now, takes=TAKES)
    basis = query.get("basis") or BASES[0]
    if basis not in BASES:
        said = _("Costs are on all spend or on paid media; choose one of %(known)s.") % {"known": ", ".join(BASES)}
        raise QuestionError("basis", said)
    groups = metric_groups(scope=asked.scope, basis=basis)
    installation = reporting()
    figures = [figure for group in groups for figure in group.metrics]
    return Page(
        _("Metrics"),
        address_of("metrics", query, asked, takes=TAKES),
        scope_said(asked, takes=TAKES, more=[(_("Costs on"), str(BASIS_NAMES[basis]))]),
        tuple(
            Block(
                str(group.title),
                table=Table(
                    (Column(_("Figure"), is_number=False), Column(_("Value")), Column(_("95% interval"))),
                    tuple(
                        (
                            Told(str(figure.name), note=_note(figure)),
                            Told(quantity_text(figure.value, figure.unit, installation), is_number=True),
                            Told(_interval(figure), is_number=True),
                        )
                        for figure in group.metrics
                    ),
                ),
            )
            for group in groups
        ),
        definitions=tuple(
            Definition(
                str(figure.name),
                str(figure.definition),
                figure.formula,
                tuple((one.label, quantity_text(one.value, one.unit, installation)) for one in figure.counts),
            )
            for figure in figures
        ),
        sources=sources_said(asked),
        warnings=(*(said for figure in figures[:1] for said in figure.broken), *money_left_out()),
        cells=tuple(metric_cells(groups, asked.scope, basis)),
    )


def _interval(figure: Figure) -> str:
    if figure.low is None or figure.high is None:
        return ""
    return f"{percent(figure.low)} – {percent(figure.high)}"


def _note(figure: Figure) -> str:
    basis = ""
    if figure.value_basis:
        basis = _("revenue basis") if figure.value_basis == "revenue" else _("margin basis")
    said = " ".join(filter(None, (figure.note, figure.moved.sentence if figure.moved else "")))
    return " · ".join(filter(None, (basis, said)))
