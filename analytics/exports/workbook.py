"""XLSX: a workbook for spreadsheets, row by row to the disk, so millions of rows take no more memory than some. A sheet
holds a million rows; more go on in the next one. Numbers are numbers and instants dates in UTC; ids stay texts."""

from datetime import UTC
from pathlib import Path
from typing import Any

import xlsxwriter

from clm.lib.formulas import harmless

from .tables import Kind, Table

ROWS_A_SHEET = 1_048_575  # and one of names
LONGEST_CELL = 32_767


class Workbook:
    """A workbook that is being written at `path`; `close` makes it whole."""

    def __init__(self, path: Path, table: Table) -> None:
        options = {"constant_memory": True, "tmpdir": str(path.parent), "strings_to_formulas": False}
        self._book = xlsxwriter.Workbook(str(path), options)
        self._book.use_zip64()
        self._bold = self._book.add_format({"bold": True})
        self._at = self._book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss.000"})
        places = f".{'0' * table.minor_digits}" if table.minor_digits else ""
        self._money = self._book.add_format({"num_format": f"0{places}"})
        self._table, self._unit = table, 10**table.minor_digits
        self._sheet: Any = None
        self._row = 0

    def write(self) -> None:
        """Write all rows of the table."""
        self._next_sheet()
        for rows in self._table.portions:
            for row in rows:
                if self._row > ROWS_A_SHEET:
                    self._next_sheet()
                for place, (column, value) in enumerate(zip(self._table.columns, row, strict=True)):
                    if value is not None and value != "":
                        self._cell(place, column.kind, value)
                self._row += 1

    def close(self) -> None:
        """Put the parts together."""
        self._book.close()

    def _next_sheet(self) -> None:
        self._sheet, self._row = self._book.add_worksheet(), 1
        self._sheet.freeze_panes(1, 0)
        for place, column in enumerate(self._table.columns):
            zone = " (UTC)" if column.kind is Kind.INSTANT else ""
            self._sheet.write_string(0, place, f"{column.name}{zone}", self._bold)

    def _cell(self, place: int, kind: Kind, value: Any) -> None:
        if kind is Kind.MONEY:
            self._sheet.write_number(self._row, place, value / self._unit, self._money)
        elif kind in (Kind.WHOLE, Kind.DECIMAL):
            self._sheet.write_number(self._row, place, value)
        elif kind is Kind.INSTANT:
            self._sheet.write_datetime(self._row, place, value.astimezone(UTC).replace(tzinfo=None), self._at)
        else:
            text = harmless(str(value))
            if len(text) > LONGEST_CELL:
                text = text[: LONGEST_CELL - 1] + "…"
            self._sheet.write_string(self._row, place, text)
