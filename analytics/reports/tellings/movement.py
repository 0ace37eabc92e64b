"""The page of movement, told."""

from datetime import datetime

from django.http import QueryDict
from django.utils.translation import gettext as _

from clm.lib.templatetags.numbers import number, percent
from clm.lib.templatetags.times import plain_date

from ...beginning import beginning
from ...customer_list import anybody
from ...days.identities import broken_of
from ...movement import Movement, movement
from ...pages.asking import question
from ...pages.movement import TAKES, growth_chart, movement_cells, said_hours, steps_sentence, stock_chart
from ...pages.overview import flows_sentence
from ...sorting import active_customers, stage_model
from ..blocks import Block, Chart, Column, Page, Table, Told, table_of
from ..scopes import address_of, dates_in, scope_said, sources_said
from .overview import flows_block


def movement_told(query: QueryDict, *, now: datetime) -> Page:
    """What the page of movement says of a question."""
    dates_in(query, now=now)
    asked = question(query, now=now, takes=TAKES)
    model = asked.scope.model or stage_model()
    scope = scope_said(asked, takes=TAKES, more=[(_("Stage model"), str(model.name))])
    address = address_of("movement", query, asked, takes=TAKES)
    if not anybody():
        return Page(_("Movement"), address, scope, (), warnings=(_("There are no customers yet."),))
    found = movement(model=model, scope=asked.scope, since=beginning(scope=asked.scope))
    active = active_customers()
    broken = broken_of(versions=[model.version, active.version if active else None])
    moved = [flow for flow in found.flows if flow.source != flow.target]
    stocks, growth = stock_chart(found), growth_chart(found)
    return Page(
        _("Movement"),
        address,
        scope,
        (
            Block(
                _("Customers per stage"),
                chart=Chart("lines", stocks, stocks["description"]),
                table=_stocks(found),
                notes=(
                    _(
                        "At the start + came − gone = at the end, in customers. One customer may enter and leave a "
                        "stage several times."
                    ),
                ),
            ),
            flows_block(moved, flows_sentence(flows=moved, period=asked.period)),
            Block(
                _("From where to where"),
                about=_(
                    "Customers by their stage at the start (rows) and at the end (columns), in percent of the row."
                ),
                table=_matrix(found),
            ),
            Block(
                _("How far customers get"),
                about=steps_sentence(found),
                table=_steps(found),
                notes=(
                    _(
                        "Of the customers who entered a stage in the period, those who by now have entered any later "
                        "stage. Conversion with its 95% Wilson interval; times by Kaplan-Meier, with the 95% interval "
                        "of the median."
                    ),
                ),
            ),
            Block(
                _("Time in a stage"),
                table=table_of(
                    [_("Stage"), _("Entered"), _("Left again"), _("Half left within")],
                    [
                        [one.stage.name, number(one.entered), number(one.left), said_hours(one.hours)]
                        for one in found.stays
                    ],
                ),
                notes=(_("By each customer's first stay that began in the period; the median by Kaplan-Meier."),),
            ),
            Block(
                _("Growth of active customers"),
                chart=Chart("lines", growth, growth["description"]),
                table=_growth(found),
                notes=(_("At the start + new + reactivated − lost = at the end."),),
            ),
        ),
        sources=sources_said(asked),
        warnings=tuple(said for told in broken.values() for said in told),
        cells=tuple(movement_cells(found)),
    )


def _stocks(found: Movement) -> Table:
    return table_of(
        [
            _("Stage"),
            _("At the start"),
            _("Came"),
            _("Gone"),
            _("At the end"),
            _("Times entered"),
            _("Times left"),
        ],
        [
            [
                one.stage.name,
                *(number(n) for n in (one.at_start, one.came, one.gone, one.at_end, one.entered, one.left)),
            ]
            for one in found.stocks
        ],
    )


def _matrix(found: Movement) -> Table:
    stages = found.matrix.stages
    rows = []
    for source, total, cells in found.matrix.rows:
        if not total:
            continue
        row = [Told(source.name if source else _("New"))]
        for target, count, share in cells:
            heat = min(7, 1 + int(share * 7)) if share and target != source else None
            row.append(Told(number(count) if count else "·", True, heat, percent(share) if count else ""))
        rows.append((*row, Told(number(total), is_number=True)))
    names = [_("At the start"), *(stage.name for stage in stages), _("All")]
    return Table(tuple(Column(name, is_number=at > 0) for at, name in enumerate(names)), tuple(rows))


def _steps(found: Movement) -> Table:
    rows = []
    for one in found.steps:
        if one.hours is None:
            rows.append([one.stage.name, number(one.entered), "", _("the last stage of the way"), ""])
            continue
        share = percent(one.conversion)
        if one.interval:
            share += f" ({percent(one.interval[0])} – {percent(one.interval[1])})"
        rows.append([one.stage.name, number(one.entered), number(one.reached), share, said_hours(one.hours)])
    return table_of([_("Stage"), _("Entered"), _("Went on"), _("Conversion"), _("Half went on within")], rows)


def _growth(found: Movement) -> Table:
    names = ("started", "first", "reactivated", "lost", "ended", "kept", "came_and_went")
    rows = []
    for one in reversed(found.growth):
        period = one.scope.period
        label = f"{plain_date(period.start)} – {plain_date(period.last_day)}"
        if not one.scope.is_over:
            label = _("%(days)s, not over yet") % {"days": label}
        rows.append([label, *(number(getattr(one.counts, name)) for name in names), percent(one.counts.crr)])
    return table_of(
        [
            _("Period"),
            _("At the start"),
            _("New"),
            _("Reactivated"),
            _("Lost"),
            _("At the end"),
            _("Kept"),
            _("Came and went"),
            _("Retention"),
        ],
        rows,
    )
