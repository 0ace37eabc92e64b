"""A page of figures told in the frame that pages share: its scope, sources and warnings stand around what it answers. A
page without words of its own for mails is told from what its files hold: each section a table, a row for each item."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Answer:
    """What a page answers. cells: what its files hold; scope: what it was asked besides the period, in words."""

    blocks: tuple[Block, ...]
    cells: tuple[Cell, ...]
    scope: tuple[tuple[str, str], ...] = ()
    definitions: tuple[Definition, ...] = ()
    warnings: tuple[str, ...] = ()


def told_in_frame(
    *, name: str, title: Any, takes: Sequence[str], answered: Callable[[QueryDict, Question], Answer]
) -> Callable[..., Page]:
    """How the page `name` is told. takes: what its scope is read from; answered: what it says to a question."""

    def told(query: QueryDict, *, now: datetime) -> Page:
        dates_in(query, now=now)
        asked = question(query, now=now, takes=takes)
        scope, address = scope_said(asked, takes=takes), address_of(name, query, asked, takes=takes)
        if not anybody():
            return Page(str(title), address, scope, (), warnings=(_("There are no customers yet."),))
        found = answered(query, asked)
        return Page(
            str(title),
            address,
            (*scope, *found.scope),
            found.blocks,
            definitions=found.definitions,
            sources=sources_said(asked),
            warnings=(*found.warnings, *money_left_out()),
            cells=found.cells,
        )

    return told


def told_from_cells(
    *, name: str, title: Any, takes: Sequence[str], cells: Callable[[QueryDict, Question], Sequence[Cell]]
) -> Callable[..., Page]:
    """How the page `name` is told. takes: what its scope is read from; cells: what its files hold of a question."""

    def answered(query: QueryDict, asked: Question) -> Answer:
        found = tuple(cells(query, asked))
        sections = dict.fromkeys(cell.section for cell in found if cell.section not in _ABOUT)
        return Answer(
            tuple(
                Block(section[:1].upper() + section[1:], table=_table([one for one in found if one.section == section]))
                for section in sections
            ),
            found,
            definitions=tuple(
                Definition(cell.item, str(cell.value))
                for cell in found
                if cell.section == "definitions" and cell.measure == "definition"
            ),
        )

    return told_in_frame(name=name, title=title, takes=takes, answered=answered)


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
