"""Workbooks of exactly what a page shows: a sheet of what was asked and what the figures mean, and one per part of the
page. Numbers are numbers, days are dates, and no text can become a formula."""

import io
import math
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Any

import xlsxwriter

from clm.lib.formulas import harmless

from .files import Cell

LONGEST_CELL = 32_767
# From so many measures on (every day of a year) a part has a row for each of them instead of a column.
MOST_COLUMNS = 40
_ABOUT = ("scope", "definitions")
_UNPRINTABLE = re.compile(r"[\[\]:*?/\\]")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# A workbook says when it was made; the same numbers are to make the same bytes.
_MADE = datetime(2000, 1, 1, tzinfo=UTC).replace(tzinfo=None)


def workbook_bytes(cells: Sequence[Cell]) -> bytes:
    """The rows of a page as a workbook."""
    return book_of([("", cells)])


def book_of(pages: Iterable[tuple[str, Sequence[Cell]]]) -> bytes:
    """The rows of several pages as one workbook: (name that goes before its sheets or "", rows)."""
    out = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = xlsxwriter.Workbook(out, options)
    book.set_properties({"created": _MADE})
    writer = _Sheets(book)
    for name, cells in pages:
        writer.about(name, cells)
        for section in dict.fromkeys(cell.section for cell in cells if cell.section not in _ABOUT):
            writer.part(name, section, [cell for cell in cells if cell.section == section])
    book.close()
    return out.getvalue()


class _Sheets:
    def __init__(self, book: Any) -> None:
        self._book = book
        self._bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
        self._wrapped = book.add_format({"text_wrap": True, "valign": "top"})
        self._whole = book.add_format({"num_format": "#,##0"})
        self._part = book.add_format({"num_format": "#,##0.00"})
        self._day = book.add_format({"num_format": "yyyy-mm-dd"})
        self._names: set[str] = set()

    def about(self, page: str, cells: Sequence[Cell]) -> None:
        """What was asked, and what the figures mean."""
        sheet = self._sheet(page, "about")
        sheet.set_column(0, 0, 28)
        sheet.set_column(1, 1, 100)
        row = 0
        for cell in cells:
            if cell.section in _ABOUT:
                name = f"{cell.item}: {cell.measure}" if cell.measure else cell.item
                self._text(sheet, row, 0, name, self._bold)
                self._text(sheet, row, 1, cell.note if cell.value is None else str(cell.value), self._wrapped)
                row += 1

    def part(self, page: str, section: str, cells: Sequence[Cell]) -> None:
        """One part: a row per item and a column per measure, or the other way round where there are many measures."""
        items = list(dict.fromkeys(cell.item for cell in cells))
        measures = list(dict.fromkeys(cell.measure for cell in cells))
        is_turned = len(measures) > MOST_COLUMNS and len(items) < len(measures)
        place = {((c.measure, c.item) if is_turned else (c.item, c.measure)): c for c in cells}
        rows, columns = (measures, items) if is_turned else (items, measures)
        sheet = self._sheet(page, section)
        sheet.freeze_panes(1, 1)
        sheet.set_column(0, 0, 28)
        days = all(_DAY.fullmatch(row) for row in rows)
        for at, row in enumerate(rows, start=1):
            if days:
                sheet.write_datetime(at, 0, datetime.combine(date.fromisoformat(row), datetime.min.time()), self._day)
            else:
                self._text(sheet, at, 0, row, self._bold)
        beside = 1
        for column in columns:
            found = [(at, place[row, column]) for at, row in enumerate(rows, start=1) if (row, column) in place]
            units = {cell.unit for _at, cell in found}
            unit = units.pop() if len(units) == 1 else None
            name = column or "value"
            self._text(sheet, 0, beside, f"{name} ({unit})" if unit else name, self._bold)
            sheet.set_column(beside, beside, 16)
            for at, cell in found:
                self._value(sheet, at, beside, cell)
            beside += 1
            if unit is None and units:
                beside = self._beside(sheet, beside, f"{name}: unit", [(at, cell.unit) for at, cell in found])
            if any(cell.note for _at, cell in found):
                beside = self._beside(sheet, beside, f"{name}: note", [(at, cell.note) for at, cell in found])

    def _beside(self, sheet: Any, column: int, name: str, texts: list[tuple[int, str]]) -> int:
        self._text(sheet, 0, column, name, self._bold)
        sheet.set_column(column, column, 24)
        for at, text in texts:
            self._text(sheet, at, column, text)
        return column + 1

    def _value(self, sheet: Any, row: int, column: int, cell: Cell) -> None:
        value = cell.value
        if value is None:
            sheet.write_string(row, column, "n/a")
        elif isinstance(value, str):
            if _DAY.fullmatch(value):
                sheet.write_datetime(
                    row, column, datetime.combine(date.fromisoformat(value), datetime.min.time()), self._day
                )
            else:
                self._text(sheet, row, column, value)
        elif not math.isfinite(value):
            sheet.write_string(row, column, "n/a")
        else:
            sheet.write_number(row, column, value, self._whole if float(value).is_integer() else self._part)

    def _text(self, sheet: Any, row: int, column: int, text: str, shape: Any = None) -> None:
        text = harmless(text)
        if len(text) > LONGEST_CELL:
            text = text[: LONGEST_CELL - 1] + "…"
        sheet.write_string(row, column, text, shape)

    def _sheet(self, page: str, section: str) -> Any:
        """A new sheet. Names are at most 31 characters long, and no two are the same whatever their case."""
        wanted = _UNPRINTABLE.sub(" ", f"{page} {section}" if page else section).strip("' ") or "sheet"
        name, number = wanted[:31], 1
        while name.lower() in self._names or name.lower() == "history":
            number += 1
            name = f"{wanted[: 30 - len(str(number))]} {number}"
        self._names.add(name.lower())
        return self._book.add_worksheet(name)
