"""What a page of figures says, as somebody who cannot open the page is told it: titled blocks of figures, pictures and
tables, every number as text in the words of the page. How that looks in a mail is decided elsewhere."""

from dataclasses import dataclass
from typing import Any

from ..files import Cell


@dataclass(frozen=True, slots=True)
class Told:
    """One number or text of a table. is_number: stands on the right; heat: 0 to 7, how strongly it is coloured, None:
    not; note: said below it."""

    text: str
    is_number: bool = False
    heat: int | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table."""

    name: str
    is_number: bool = True


@dataclass(frozen=True, slots=True)
class Table:
    """Rows below their names. shown: how many of them a mail shows (the first ones), None: all; files hold all."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Told, ...], ...]
    shown: int | None = None


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture of numbers. kind: `lines` or `flows`, whose payload is what the page's own chart is drawn from (see
    static/js/lines.js and static/js/sankey.js), or `bars`, whose payload holds `bars` with name, value and the text
    beside it, the first on top; description: the picture in a sentence."""

    kind: str
    payload: dict[str, Any]
    description: str


@dataclass(frozen=True, slots=True)
class Tile:
    """A figure with how it changed. change_is: good, bad, or "" for neither."""

    label: str
    value: str
    change: str = ""
    change_is: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Definition:
    """What a figure means, and of which counts it is made: (what, number)."""

    name: str
    definition: str
    formula: str = ""
    counts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Block:
    """One part of a page. about: said between its title and its numbers; notes: said below them."""

    title: str
    about: str = ""
    tiles: tuple[Tile, ...] = ()
    chart: Chart | None = None
    table: Table | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """What one page says. address: path and query that show the same again; scope: what it was asked, in words
    (name, answer); warnings: what makes its numbers doubtful; cells: the same for files."""

    title: str
    address: str
    scope: tuple[tuple[str, str], ...]
    blocks: tuple[Block, ...]
    definitions: tuple[Definition, ...] = ()
    sources: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    cells: tuple[Cell, ...] = ()


def bars(rows: list[tuple[str, float, str]], description: str) -> Chart | None:
    """A bar for each (name, value, text); None where there is nothing to compare."""
    if not any(value > 0 for _name, value, _text in rows):
        return None
    drawn = [{"name": name, "value": value, "text": text} for name, value, text in rows]
    return Chart("bars", {"bars": drawn}, description)


def table_of(names: list[str], rows: list[list[str]], *, texts: int = 1, shown: int | None = None) -> Table:
    """A table whose first `texts` columns are texts and whose others are numbers."""
    return Table(
        tuple(Column(name, is_number=at >= texts) for at, name in enumerate(names)),
        tuple(tuple(Told(text, is_number=at >= texts) for at, text in enumerate(row)) for row in rows),
        shown,
    )
