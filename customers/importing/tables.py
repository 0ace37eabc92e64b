"""Files of people as a header and rows of text, read once from the beginning in bounded memory: delimited text, or the
first sheet of a spreadsheet. Every cell says what it says in the file."""

import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from ..parsing import BadFile, table
from .mapping import RowMapping

# A spreadsheet that says it is larger than any is refused before it is unpacked.
MOST_COLUMNS = 2_000
MOST_UNPACKED = 4 << 30
_ZEROS = re.compile(r"0{2,30}")


@dataclass(frozen=True, slots=True)
class Sheet:
    """The header, and once the rows: (number of the line, cells). The header is line 1."""

    header: Sequence[str]
    rows: Iterator[tuple[int, list[str]]]


def opened(path: Path, *, mapping: RowMapping) -> Sheet:
    """A file under its mapping; BadFile for one that cannot be read or lacks a column."""
    return opened_as(
        path, form=mapping.format, encoding=mapping.encoding, delimiter=mapping.delimiter, needed=mapping.needed
    )


def opened_as(path: Path, *, form: str, encoding: str, delimiter: str, needed: Sequence[str] = ()) -> Sheet:
    """The same for a file of which no more is known than how it is written."""
    if form == "xlsx":
        return _spreadsheet(path, needed)
    found = table(path, encoding=encoding, delimiter=delimiter, needed=needed)
    return Sheet(found.header, ((row.line, row.cells) for row in found.rows))


def _spreadsheet(path: Path, needed: Sequence[str]) -> Sheet:
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(one.file_size for one in archive.infolist())
        if unpacked > MOST_UNPACKED:
            raise BadFile(path, "unpacked it is larger than 4 GB; save the sheet as CSV")
        book = openpyxl.load_workbook(path, read_only=True, data_only=True, keep_links=False)
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, OSError) as error:
        raise BadFile(path, f"cannot be read as an Excel file: {error}") from error
    sheet = book.worksheets[0] if book.worksheets else None
    if sheet is None:
        raise BadFile(path, "has no sheet")
    # What the file says of its size may be wrong.
    sheet.reset_dimensions()
    lines = _lines(path, sheet)
    first = next(lines, None)
    if first is None:
        raise BadFile(path, "the first sheet is empty; its first row must name the columns")
    header = [name.strip() for name in first[1]]
    while header and not header[-1]:
        header.pop()
    for name in needed:
        if header.count(name) != 1:
            found = ", ".join(f'"{other[:60]}"' for other in header[:40])
            raise BadFile(path, f'there is not one column "{name}"; the columns are {found}', line=first[0])
    return Sheet(header, _fitted(lines, len(header)))


def _lines(path: Path, sheet: Any) -> Iterator[tuple[int, list[str]]]:
    """Rows that hold anything, with their number in the sheet."""
    try:
        for number, row in enumerate(sheet.iter_rows(), start=1):
            if len(row) > MOST_COLUMNS:
                raise BadFile(path, f"has more than {MOST_COLUMNS:,} columns", line=number)
            cells = [_text(cell) for cell in row]
            if any(cells):
                yield number, cells
    except (zipfile.BadZipFile, KeyError, ValueError, OSError, SyntaxError) as error:
        raise BadFile(path, f"the sheet cannot be read to its end: {error}") from error


def _fitted(lines: Iterator[tuple[int, list[str]]], width: int) -> Iterator[tuple[int, list[str]]]:
    """A sheet keeps no cells that are empty at the end of a row, and some that are empty beyond the last column."""
    for number, cells in lines:
        while len(cells) > width and not cells[-1]:
            cells.pop()
        yield number, cells + [""] * (width - len(cells))


def _text(cell: Any) -> str:
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return _digits(value, cell.number_format)
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(sep=" ", timespec="auto")
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value.total_seconds()) if isinstance(value, timedelta) else str(value)


def _digits(value: float, form: str | None) -> str:
    """A number with the zeros before it that its format shows, and without a point where it has no parts."""
    plain = str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)
    return plain.zfill(len(form)) if form and _ZEROS.fullmatch(form) and plain.isdigit() else plain
