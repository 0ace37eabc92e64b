"""The page of value, told."""

from datetime import datetime
from typing import Any

from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _

from clm.lib.templatetags.numbers import number, percent, quantity_text
from clm.lib.templatetags.times import plain_date

from ... import scores
from ...pages.value import Step, shown
from ...pages.value_cells import value_cells
from ..blocks import Block, Chart, Column, Page, Table, Tile, Told, table_of
from ..scopes import money_left_out, reporting, sources_said


def value_told(query: QueryDict, *, now: datetime) -> Page:
    """What the page of value says: it is asked nothing, and answers for the day that was scored last."""
    scoring = scores.latest_scoring()
    address = reverse("value")
    if scoring is None:
        return Page(_("Value"), address, (), (), warnings=(_("Nothing was computed yet."),))
    told = shown(scoring)
    installation, totals = reporting(), told["totals"]
    basis = _("revenue basis") if told["margin"] is None else _("margin basis")
    model = told["shown"]["name"]
    tiles = [
        Tile(_("Customers who have ordered"), number(totals.customers)),
        Tile(_("Expected to be customers still"), number(totals.alive)),
        *(
            Tile(_("Within %(months)s months") % {"months": months}, quantity_text(money, "money", installation))
            for months, money in told["worth"]
        ),
    ]
    about = told["why_not"] or _(
        "Each customer's probability of being a customer still, and the orders expected of him, by %(model)s; what an "
        "order is worth by Gamma-Gamma. Money to come is discounted by 10 %% a year."
    ) % {"model": model}
    blocks = [
        Block(_("What customers are expected to bring"), about=about, tiles=tuple(tiles)),
        Block(_("Recency, frequency and monetary value"), table=_heat(told["heatmap"])),
    ]
    for title, corner, steps in (
        (_("Customers still, by probability"), _("Probability"), told["alive"]),
        (
            _("Tenths of customers by what is expected of them within 12 months"),
            _("Expected within 12 months"),
            told["worth_steps"],
        ),
        (
            _("Risk of ordering nothing within %(days)s days") % {"days": told["risk"]["days"]},
            _("Risk"),
            told["risk"].get("steps", []),
        ),
    ):
        if steps:
            blocks.append(Block(title, table=_steps(corner, steps)))
    blocks.append(_foretold(told["risk"]))
    if told["tracking"]:
        tracking = told["tracking"]
        blocks.append(
            Block(
                tracking.title,
                chart=Chart("lines", told["tracking_chart"], tracking.sentence or str(tracking.title)),
                notes=(tracking.sentence,) if tracking.sentence else (),
            )
        )
    return Page(
        _("Value"),
        address,
        (
            (_("As of"), _("the end of %(day)s") % {"day": plain_date(scoring.as_of)}),
            (_("Time zone"), installation.time_zone),
            (_("Money on"), basis),
            (_("Model"), model),
        ),
        tuple(blocks),
        sources=sources_said(),
        warnings=money_left_out(),
        cells=tuple(value_cells(scoring, told)),
    )


def _heat(drawn: dict[str, Any]) -> Table:
    columns = (Column(drawn["corner"], is_number=False), *(Column(str(name)) for name in drawn["columns"]))
    rows = []
    for row in drawn["rows"]:
        cells = [Told(one["text"], True, one["level"]) for one in row["cells"]]
        rows.append((Told(f"{row['name']} · {number(row['size'])}"), *cells))
    return Table(columns, tuple(rows))


def _steps(corner: str, steps: list[Step]) -> Table:
    return table_of([corner, _("Customers")], [[str(step.label), number(step.customers)] for step in steps])


def _foretold(risk: dict[str, Any]) -> Block:
    title = _("What was foretold and what came")
    if risk["refused"]:
        return Block(title, about=str(risk["refused"]))
    rows = [
        [
            band["label"],
            number(band["customers"]),
            percent(band["foretold"]),
            percent(band["came"]),
            f"{percent(band['low'])} – {percent(band['high'])}",
        ]
        for band in risk["bands"]
    ]
    names = [_("Foretold risk"), _("Customers"), _("On average"), _("Ordered nothing"), _("95% interval")]
    return Block(title, about=str(risk["said"]), table=table_of(names, rows))
