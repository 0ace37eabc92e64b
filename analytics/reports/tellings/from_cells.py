"""A page told from what its files hold: for pages of figures that say nothing more to those who cannot open them. Each
section is a table, a row for each item."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _

from clm.lib.templatetags.numbers import quantity_text

from ...customer_list import anybody
from ...files import Cell
from ...pages.asking import Question, question
from ..blocks import Block, Column, Definition, Page, Table, Told
from ..scopes import address_of, dates_in, money_left_out, scope_said, sources_said

MOST_COLUMNS, SHOWN = 10, 20
_ABOUT = ("scope", "definitions")


def told_from_cells(
    *, name: str, title: Any, takes: Sequence[str], cells: Callable[[QueryDict, Question], Sequence[Cell]]
) -> Callable[..., Page]:
    """How the page `name` is told. takes: what its scope is read from; cells: what its files hold of a question."""

    def told(query: QueryDict, *, now: datetime) -> Page:
        dates_in(query, now=now)
        asked = question(query, now=now, takes=takes)
        scope, address = scope_said(asked, takes=takes), address_of(name, query, asked, takes=takes)
        if not anybody():
            return Page(str(title), address, scope, (), warnings=(_("There are no customers yet."),))
        found = tuple(cells(query, asked))
        sections = dict.fromkeys(cell.section for cell in found if cell.section not in _ABOUT)
        return Page(
            str(title),
            address,
            scope,
            tuple(
                Block(section[:1].upper() + section[1:], table=_table([one for one in found if one.section == section]))
                for section in sections
            ),
            definitions=tuple(
                Definition(cell.item, str(cell.value))
                for cell in found
                if cell.section == "definitions" and cell.measure == "definition"
            ),
            sources=sources_said(asked),
            warnings=money_left_out(),
            cells=found,
        )

    return told


def _table(cells: Sequence[Cell]) -> Table:
    measures = list(dict.fromkeys(cell.measure for cell in cells))
    place = {(cell.item, cell.measure): cell for cell in cells}
    if len(measures) > MOST_COLUMNS or len(place) < len(cells):
        columns: tuple[Column, ...] = (Column("", is_number=False), Column("", is_number=False), Column(_("Value")))
        rows = [(Told(cell.item), Told(cell.measure), _said(cell)) for cell in cells]
        return Table(columns, tuple(rows), SHOWN)
    columns = (Column("", is_number=False), *(Column(one or _("Value")) for one in measures))
    rows_of = [
        (Told(item), *(_said(place.get((item, measure))) for measure in measures))
        for item in dict.fromkeys(cell.item for cell in cells)
    ]
    return Table(columns, tuple(rows_of), SHOWN)


def _said(cell: Cell | None) -> Told:
    if cell is None:
        return Told("", is_number=True)
    if cell.value is None:
        return Told(_("n/a"), is_number=True, note=cell.note)
    if isinstance(cell.value, str):
        return Told(cell.value, note=cell.note)
    if cell.unit == "percent":
        text = quantity_text(cell.value / 100, "percent", None)
    else:
        text = quantity_text(cell.value, "number", None)
        text = f"{text} {cell.unit}" if len(cell.unit) == 3 and cell.unit.isupper() else text
    return Told(text, is_number=True, note=cell.note)
