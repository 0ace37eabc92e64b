"""Files of exactly what a page shows: one row per number, in the units of the API, as CSV or JSON; `workbooks` makes
sheets of the same rows."""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from clm.lib.formulas import harmless
from clm.lib.milliseconds import written

from .scope import Scope


@dataclass(frozen=True, slots=True)
class Cell:
    """One number of a page. section: the part of the page; item: what it is about (a figure, a stage, a day); measure:
    which number of it; value: None is n/a, and note says why."""

    section: str
    item: str
    measure: str
    value: float | int | str | None
    unit: str = ""
    note: str = ""


def scope_cells(*, scope: Scope, **more: str) -> list[Cell]:
    """What a page was asked, as its first rows."""
    start, until = scope.period.asked()
    told = {
        "from": start,
        "until": until,
        "as_of": written(scope.as_of),
        "zone": scope.period.zone,
        "segment": scope.segment.key if scope.segment else "",
        "compare": scope.comparison,
        "lines": "products" if scope.products_only else "all",
        **more,
    }
    return [Cell("scope", name, "", value) for name, value in told.items()]


def definition_cells(defined: Iterable[tuple[str, str, str]]) -> list[Cell]:
    """What the figures of a page mean: rows of (key, definition, formula or "")."""
    cells = []
    for key, definition, formula in defined:
        cells.append(Cell("definitions", key, "definition", definition))
        if formula:
            cells.append(Cell("definitions", key, "formula", formula))
    return cells


def csv_text(cells: Iterable[Cell]) -> str:
    """Rows under a heading, in UTF-8 with the mark that spreadsheets look for."""
    out = io.StringIO()
    out.write("\ufeff")
    writer = csv.writer(out, lineterminator="\r\n")
    names = [field.name for field in fields(Cell)]
    writer.writerow(names)
    for cell in cells:
        writer.writerow([_safe(getattr(cell, name)) for name in names])
    return out.getvalue()


def json_text(cells: Sequence[Cell]) -> str:
    """The same rows as a JSON document."""
    scope = {cell.item: cell.value for cell in cells if cell.section == "scope"}
    rows = [asdict(cell) for cell in cells if cell.section != "scope"]
    return json.dumps({"scope": scope, "rows": rows}, ensure_ascii=False, indent=1)


def _safe(value: Any) -> Any:
    if value is None:
        return ""
    return harmless(value) if isinstance(value, str) else value
