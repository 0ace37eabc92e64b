"""Pages of a list whose order its columns decide: each begins after the row at which the one before it ended, so that
the last page costs what the first one does, and rows that come or go meanwhile move nobody to another page."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db.models import Model, Q, QuerySet
from django.utils.translation import gettext as _

from clm.lib.cursors import cursor as written_cursor
from clm.lib.cursors import parse_cursor
from clm.lib.questions import QuestionError

PAGE = 50
Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True, slots=True)
class RowPage(Generic[Row]):
    """A page with the cursors of its neighbours, None where there are none."""

    rows: list[Row]
    next_cursor: str | None
    previous_cursor: str | None

    @property
    def is_whole(self) -> bool:
        """Whether there is no other page."""
        return self.next_cursor is None and self.previous_cursor is None


def row_page(
    found: QuerySet[Row], *, order: Sequence[str], cursor: str | None = None, page_size: int = PAGE
) -> RowPage[Row]:
    """A page of `found`. order: its columns, none of which is ever NULL, `-` before those that descend; together they
    tell any two rows apart. QuestionError names the field `cursor` when no page begins there."""
    backwards = False
    if cursor is not None:
        kind, (number,) = parse_cursor(cursor, kinds="np", count=1)
        backwards = kind == "p"
        names = [column.lstrip("-") for column in order]
        # Where its number alone decides, a row need not be there any more for a page to begin after it.
        border = (number,) if names == ["pk"] else found.filter(pk=number).values_list(*names).first()
        if border is None:
            said = _("The row where this page begins is gone. Begin at the first page.")
            raise QuestionError("cursor", said)
        found = found.filter(_beyond(order, border, backwards))
    turned = [_turned(column) for column in order] if backwards else order
    rows = list(found.order_by(*turned)[: page_size + 1])
    more, rows = len(rows) > page_size, rows[:page_size]
    if backwards:
        rows.reverse()
    has_next, has_previous = (True, more) if backwards else (more, cursor is not None)
    return RowPage(
        rows=rows,
        next_cursor=written_cursor("n", rows[-1].pk) if rows and has_next else None,
        previous_cursor=written_cursor("p", rows[0].pk) if rows and has_previous else None,
    )


def _beyond(order: Sequence[str], border: Sequence[Any], backwards: bool) -> Q:
    """Rows that come after the border (backwards: before it): equal to it in some columns and beyond it in the next."""
    beyond, equal = Q(), Q()
    for column, value in zip(order, border, strict=True):
        name, falls = column.lstrip("-"), column.startswith("-") != backwards
        beyond |= equal & Q(**{f"{name}__{'lt' if falls else 'gt'}": value})
        equal &= Q(**{name: value})
    return beyond


def _turned(column: str) -> str:
    return column[1:] if column.startswith("-") else f"-{column}"
