"""The page of retention, told."""

from datetime import datetime

from django.http import QueryDict
from django.utils.translation import gettext as _

from clm.lib.questions import QuestionError
from clm.lib.templatetags.numbers import number

from ...beginning import beginning
from ...cohorts import BEGINNINGS, MODES, UNITS, cohort_table
from ...customer_list import anybody
from ...pages.asking import question
from ...pages.retention import SCOPED, SHOWS, cohort_cells, early, heatmap, said_of, wanted_cohorts
from ..blocks import Block, Column, Page, Table, Told
from ..scopes import address_of, dates_in, money_left_out, scope_said, sources_said


def retention_told(query: QueryDict, *, now: datetime) -> Page:
    """What the page of retention says of a question."""
    dates_in(query, now=now)
    asked = question(query, now=now, takes=SCOPED)
    wanted, show, checked = wanted_cohorts(query, asked)
    if checked.errors:
        raise QuestionError(*next(iter(checked.errors.items())))
    more = [
        (_("Cohorts by"), str(BEGINNINGS[wanted.by][0])),
        (_("Each a"), str(UNITS[wanted.unit][0])),
        (_("Who ordered"), str(MODES[wanted.mode])),
        (_("Shown as"), str(SHOWS[show])),
    ]
    scope = scope_said(asked, takes=SCOPED, more=more)
    address = address_of("retention", query, asked, takes=SCOPED)
    if not anybody():
        return Page(_("Retention"), address, scope, (), warnings=(_("There are no customers yet."),))
    table = cohort_table(scope=asked.scope, asked=wanted)
    since = early(table, beginning(scope=asked.scope))
    drawn = heatmap(table, show)
    rows = []
    for row in drawn["rows"]:
        cells = [
            Told(f"{cell['text']} *" if cell["incomplete"] else cell["text"], is_number=True, heat=cell["level"])
            for cell in row["cells"]
        ]
        missing = len(drawn["columns"]) - len(cells)
        rows.append((Told(f"{row['name']} · {number(row['size'])}"), *cells, *[Told("", is_number=True)] * missing))
    return Page(
        _("Retention"),
        address,
        scope,
        (
            Block(
                _("Cohorts by %(beginning)s") % {"beginning": BEGINNINGS[wanted.by][0]},
                about=f"{said_of(table)} {since}".strip(),
                table=Table(
                    (Column(drawn["corner"], is_number=False), *(Column(name) for name in drawn["columns"])),
                    tuple(rows),
                ),
                notes=(
                    _(
                        "Beside each cohort stands how many customers it has. Column k: those with an order k units "
                        "after their own. * is not over yet and part of no pooled rate; a pooled rate is the sum of "
                        "those who came back over the sum of those who could."
                    ),
                ),
            ),
        ),
        sources=sources_said(asked),
        warnings=money_left_out(),
        cells=tuple(cohort_cells(table)),
    )
