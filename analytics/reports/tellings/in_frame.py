"""A page of figures told in the frame that pages share: scope, sources and warnings stand around what it answers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _

from ...customer_list import anybody
from ...files import Cell
from ...pages.asking import Question, question
from ..blocks import Block, Definition, Page
from ..scopes import address_of, dates_in, money_left_out, scope_said, sources_said


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
