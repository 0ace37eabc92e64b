"""The page of acquisition, told: a row for each channel and month, in the words and units of the page."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clm.lib.templatetags.numbers import number, percent, quantity_text
from clm.lib.templatetags.times import plain_date

from ...acquisition import Acquisition, CohortRow, acquisition
from ...acquisition_asked import parsed_asked
from ...attributed import Credit
from ...attribution.declared import GOALS, MODELS
from ...costs import Ratio, Spent
from ...pages import acquisition as page
from ...pages.asking import Question
from ..blocks import Block, Chart, Column, Definition, Table, Tile, Told, bars
from ..scopes import reporting
from .in_frame import Answer


def acquisition_answered(query: QueryDict, asked: Question) -> Answer:
    """What the page of acquisition says to a question."""
    wanted = parsed_asked({name: query.get(name, "") for name in page.CHOSEN})
    window = wanted.attribution.window
    scope = (
        (_("What is credited"), str(GOALS[wanted.attribution.goal])),
        (_("Attribution model"), str(MODELS[wanted.attribution.model].name)),
        (_("Touches within"), ngettext("%(count)d day", "%(count)d days", window) % {"count": window}),
        (_("Spend"), str(page.LAG_NAMES[wanted.lag])),
    )
    if asked.kept.acquisition_known_at is None:
        being_counted = _("How customers were won is being counted for the first time.")
        return Answer((), tuple(page.acquisition_cells(query, asked)), scope, warnings=(being_counted,))
    found = acquisition(scope=asked.scope, asked=wanted)
    shown = page.shown_of(found)
    warnings = []
    if shown["made_up"]:
        warnings.append(_("Spend on this page is partly made up for the demonstration."))
    if shown["simulated"]:
        warnings.append(_("Touches are partly simulated (source %(name)s).") % {"name": shown["simulated"]})
    tiles = shown["tiles"]
    return Answer(
        (
            Block(
                _("Key figures"),
                tiles=tuple(
                    Tile(one.label, quantity_text(one.value, one.unit, found.installation), note=one.note)
                    for one in tiles
                ),
            ),
            _every_order(found) if found.orders is not None else _channels(found),
            *_models(found),
            Block(
                _("Payback"),
                about=shown["curve_said"],
                chart=Chart("lines", shown["curve_chart"], shown["curve_said"]) if shown["curve_chart"] else None,
                table=_heat(shown["heatmap"]),
                notes=(_column_said(),),
            ),
            _cohorts(found, shown["cohorts"]),
        ),
        tuple(page.cells_of(found)),
        scope,
        definitions=tuple(Definition(one.label, one.definition) for one in tiles),
        warnings=(*shown["broken_figures"], *warnings, *shown["hints"]),
    )


def _channels(found: Acquisition) -> Block:
    names = [_("Channel"), _("Credit"), _("Share"), _("Customers"), _("First orders"), _("Spend"), _("CAC, paid")]
    names += [_("CAC, blended"), _("CAC, marginal"), _("Brought by one"), _("LTV : CAC")]
    rows = [
        (
            Told(one.key, note=_("sparse") if one.is_sparse else ""),
            *_credit(found, one.credit),
            _spent(one.spent),
            *(_ratio(each) for each in (one.paid, one.blended, one.marginal, one.worth)),
            _ratio(one.ltv_to_cac, "ratio"),
        )
        for one in found.channels
    ]
    nothing = Told("", is_number=True)
    rows.append((Told(_("Unallocated")), *_credit(found, found.unallocated), *[nothing] * 6))
    whole = (_ratio(found.paid), _ratio(found.blended), _ratio(found.marginal))
    rows.append((Told(_("All")), *_credit(found, found.total), _spent(found.spent), *whole, nothing, nothing))
    ratios = [each for one in found.channels for each in (one.paid, one.blended, one.marginal, one.worth)]
    model = MODELS[found.asked.attribution.model]
    said = _("Credited customers by channel: %(channels)s.") % {
        "channels": ", ".join(f"{row[0].text} {row[1].text}" for row in rows[:-1])
    }
    drawn = [
        (row[0].text, float(one.credit.credited), row[1].text) for row, one in zip(rows, found.channels, strict=False)
    ]
    return Block(
        _("By channel"),
        about=f"{model.name}. {model.said}",
        chart=bars(drawn, said),
        table=_table(names, rows),
        notes=_why_not(ratios),
    )


def _every_order(found: Acquisition) -> Block:
    """Every order, credited to channels."""
    assert found.orders is not None
    orders = found.orders
    names = [_("Channel"), _("Credited orders"), _("Share"), _("Customers"), _("Revenue"), _("Spend")]
    names += [_("Cost per order, paid"), _("Cost per order, blended"), _("Revenue : spend")]

    def credit(one: Credit, customers: int) -> tuple[Told, ...]:
        share = float(one.credited / orders.number) if orders.number else None
        return (
            _quantity(one.credited, "number"),
            Told(percent(share), is_number=True),
            Told(number(customers), is_number=True),
            _quantity(one.revenue, "money"),
        )

    rows = [
        (
            Told(one.key, note=_("sparse") if one.is_sparse else ""),
            *credit(one.credit, one.credit.customers),
            _spent(one.spent),
            _ratio(one.paid),
            _ratio(one.blended),
            _ratio(one.returned, "ratio"),
        )
        for one in orders.channels
    ]
    nothing = Told("", is_number=True)
    rows.append((Told(_("Unallocated")), *credit(orders.unallocated, orders.unallocated.customers), *[nothing] * 4))
    whole = (_spent(found.spent), nothing, _ratio(orders.blended), _ratio(orders.returned, "ratio"))
    rows.append((Told(_("All")), *credit(orders.total, orders.customers), *whole))
    ratios = [each for one in orders.channels for each in (one.paid, one.blended, one.returned)]
    model = MODELS[found.asked.attribution.model]
    return Block(
        _("By channel"), about=f"{model.name}. {model.said}", table=_table(names, rows), notes=_why_not(ratios)
    )


def _models(found: Acquisition) -> tuple[Block, ...]:
    """What each model credits each channel with."""
    rows = [
        (Told(row["key"]), *(_quantity(cell["customers"], "number") for cell in row["cells"]))
        for row in page.comparison(found)
    ]
    credited = _("Credited orders") if found.orders is not None else _("Credited customers")
    names = [credited, *(str(model.name) for model in MODELS.values())]
    return (Block(_("What another model would say"), table=_table(names, rows)),) if rows else ()


def _column_said() -> str:
    return _(
        "Column k: what one customer of the month had brought by the end of the k-th month after the first order, as a "
        "share of the blended cost of winning one. The last number of a row may be of a month that is not over yet."
    )


def _heat(drawn: dict[str, Any]) -> Table:
    """What one customer had brought by the end of each month, as a share of what it cost to win."""
    columns = (Column(str(drawn["corner"]), is_number=False), *(Column(str(name)) for name in drawn["columns"]))
    width = len(drawn["columns"])
    rows = []
    for row in drawn["rows"]:
        cells = [Told(str(one["text"]), True, one["level"]) for one in row["cells"]]
        cells += [Told("", True)] * (width - len(cells))
        rows.append((Told(f"{row['name']} · {number(row['size'])}"), *cells))
    return Table(columns, tuple(rows))


def _cohorts(found: Acquisition, told: Sequence[dict[str, Any]]) -> Block:
    names = [_("From"), _("Customers"), _("Spend"), _("CAC, paid"), _("CAC, blended"), _("Brought so far by one")]
    names += [_("LTV so far : CAC"), _("CAC : LTV so far"), _("Paid back")]
    rows = []
    for month in told:
        one: CohortRow = month["row"]
        rows.append(
            (
                Told(plain_date(one.start), note="" if one.is_over else _("not over yet")),
                Told(number(one.customers), is_number=True),
                _spent(one.spent),
                *(_ratio(each) for each in (one.paid, one.blended, one.worth)),
                _ratio(one.ltv_to_cac, "ratio"),
                _ratio(one.cac_to_ltv, "ratio"),
                Told(month["payback"], is_number=True),
            )
        )
    ratios = [each for one in found.cohorts for each in (one.paid, one.blended, one.worth, one.cac_to_ltv)]
    about = _("Money brought is told %(basis)s.") % {
        "basis": _("in revenue, since no margin is set") if found.basis == "revenue" else _("in margin")
    }
    intervals = _("With a value stands its 95% interval, from drawing the customers of the month again 400 times.")
    return Block(
        _("By month of the first order"), about=about, table=_table(names, rows), notes=(intervals, *_why_not(ratios))
    )


def _table(names: Sequence[str], rows: Sequence[tuple[Told, ...]]) -> Table:
    return Table(tuple(Column(name, is_number=at > 0) for at, name in enumerate(names)), tuple(rows))


def _credit(found: Acquisition, credit: Credit) -> tuple[Told, ...]:
    """Credited customers, their share, whom it is shared among, and the money of their first orders."""
    share = float(credit.credited / found.customers) if found.customers else None
    return (
        _quantity(credit.credited, "number"),
        Told(percent(share), is_number=True),
        Told(number(credit.customers), is_number=True),
        _quantity(credit.revenue, "money"),
    )


def _quantity(value: Fraction | int | float, unit: str) -> Told:
    return Told(quantity_text(value, unit, reporting() if unit == "money" else None), is_number=True)


def _spent(spent: Spent) -> Told:
    return _quantity(spent.blended, "money") if spent.entries else Told("–", is_number=True)


def _ratio(ratio: Ratio, unit: str = "money") -> Told:
    """A quotient with its interval below it."""
    if ratio.number is None:
        return Told(_("n/a"), is_number=True)
    installation, interval = reporting(), ""
    if ratio.low is not None and ratio.high is not None:
        interval = " – ".join(quantity_text(end, unit, installation) for end in (ratio.low, ratio.high))
    return Told(quantity_text(ratio.number, unit, installation), is_number=True, note=interval)


def _why_not(ratios: Sequence[Ratio]) -> tuple[str, ...]:
    """Why some are n/a, each reason once."""
    reasons = dict.fromkeys(one.note for one in ratios if one.number is None and one.note)
    return (_("n/a, for one of these reasons: %(reasons)s") % {"reasons": " ".join(reasons)},) if reasons else ()
