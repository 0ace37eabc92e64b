"""The overview, told."""

from datetime import datetime

from django.http import QueryDict
from django.utils.translation import gettext as _

from clm.lib.templatetags.numbers import change_text, number, percent, quantity_text, signed
from clm.lib.templatetags.times import plain_date

from ...customer_list import anybody
from ...days.identities import broken_of
from ...metrics import METRICS
from ...pages.asking import question
from ...pages.charts import lines_payload, sankey_payload
from ...pages.overview import KNOWN_NOTE, TAKES, answered, flows_sentence, overview_cells
from ...scope import COMPARISONS
from ...sorting import stage_model
from ...stages import Flow
from ...tiles import Tile as Figure
from ..blocks import Block, Chart, Definition, Page, Tile, table_of
from ..scopes import address_of, dates_in, money_left_out, reporting, scope_said, sources_said


def overview_told(query: QueryDict, *, now: datetime) -> Page:
    """What the overview says of a question."""
    dates = dates_in(query, now=now)
    asked = question(query, now=now, takes=TAKES)
    model = asked.scope.model or stage_model()
    scope = scope_said(asked, takes=TAKES, more=[(_("Stage model"), str(model.name))])
    address = address_of("overview", query, asked, takes=TAKES)
    title = _("Lifecycle overview")
    if not anybody():
        return Page(title, address, scope, (), warnings=(_("There are no customers yet."),))
    answer = answered(asked, model=model, now=now, known_at=dates.known_at)
    broken = [said for told in broken_of(versions=[model.version]).values() for said in told]
    broken += [said for tile in answer.tiles[:1] for said in tile.broken]
    sentence = flows_sentence(flows=answer.moved, period=asked.period)
    compared = str(COMPARISONS[asked.scope.comparison])
    warnings = (*broken, *money_left_out(), *((str(KNOWN_NOTE),) if dates.known_at is not None else ()))
    return Page(
        title,
        address,
        scope,
        (
            Block(_("Key figures"), tiles=tuple(tile_said(tile, compared) for tile in answer.tiles)),
            Block(
                _("Customers per stage"),
                table=table_of(
                    [_("Stage"), _("Customers"), _("Share"), _("Change"), _("Entered"), _("Left")],
                    [
                        [
                            row.stage.name,
                            number(row.customers),
                            percent(row.share),
                            signed(row.change),
                            number(row.entered),
                            number(row.left),
                        ]
                        for row in answer.stages
                    ],
                ),
                notes=(_("Change, entered and left: since the start of the period."),),
            ),
            flows_block(answer.moved, sentence),
            Block(
                answer.active.title,
                chart=Chart("lines", lines_payload(series=answer.active), answer.active.sentence),
                table=table_of(
                    [_("Day") if answer.active.daily else _("At the end of"), _("Active customers")],
                    [[plain_date(day), *(number(value) for value in values)] for day, values in answer.active.rows],
                    shown=7,
                ),
            ),
        ),
        definitions=tuple(
            Definition(tile.label, tile.definition, METRICS[tile.key].formula if tile.key in METRICS else "")
            for tile in answer.tiles
        ),
        sources=sources_said(asked),
        warnings=warnings,
        cells=tuple(overview_cells(answer, asked.scope, dates.known_at)),
    )


def tile_said(tile: Figure, compared: str) -> Tile:
    """A tile in words: its value, and how it changed against what it is compared with."""
    installation = reporting()
    notes = [tile.note, tile.moved.sentence if tile.moved else ""]
    change, change_is = tile.change_note, ""
    if tile.change == 0:
        change = _("unchanged")
    elif tile.change is not None:
        arrow = "▲" if tile.change > 0 else "▼"
        size = change_text(tile.change, tile.change_unit, installation)
        change = _("%(arrow)s %(size)s vs %(compared)s") % {"arrow": arrow, "size": size, "compared": compared}
        if tile.good:
            change_is = "good" if (tile.change > 0) == (tile.good == "up") else "bad"
    return Tile(
        label=str(tile.label),
        value=quantity_text(tile.value, tile.unit, installation),
        change=change,
        change_is=change_is,
        note=" ".join(filter(None, notes)),
    )


def flows_block(moved: tuple[Flow, ...] | list[Flow], sentence: str) -> Block:
    """Who moved from which stage to which."""
    if not moved:
        return Block(_("Moves between stages"), about=_("No customer changed stage in this period."))
    return Block(
        _("Moves between stages"),
        chart=Chart("flows", sankey_payload(flows=moved, description=sentence), sentence),
        table=table_of(
            [_("From"), _("To"), _("Customers")],
            [
                [flow.source.name if flow.source else _("New"), flow.target.name, number(flow.customers)]
                for flow in moved
            ],
            texts=2,
            shown=10,
        ),
        notes=(
            _(
                "From the stage at the start of the period to the stage at its end. Those who stayed where they were "
                "are left out."
            ),
        ),
    )
