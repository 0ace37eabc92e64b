"""Delimited text files, read line by line in bounded memory, every cell exactly as it stands in the file.

Knows nothing of orders. What makes the whole file doubtful (its encoding, its header, its quotes, a cell of absurd
size) raises BadFile with file, line and column; a row that is too long or too short is handed on as such, because
only the reader knows what to set aside with it.

Python's csv and not pandas: pandas shifts the columns of a row that is longer than the header without a word, and
guesses at types unless every guess is forbidden."""

import codecs
import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

MAX_CELL = csv.field_size_limit()  # 131,072 characters unless somebody changed it
MAX_ROW = 1_048_576


class BadFile(Exception):  # noqa: N818 told to people
    """A file that cannot be read; the message names file, line and, where there is one, the column."""

    def __init__(self, path: Path, message: str, *, line: int | None = None, column: str | None = None) -> None:
        place = [path.name]
        if line is not None:
            place.append(f"line {line:,}")
        if column is not None:
            place.append(f'column "{column}"')
        super().__init__(f"{', '.join(place)}: {message}")
        self.line, self.column = line, column


@dataclass(frozen=True, slots=True)
class Row:
    """line: where the row begins in the file, the header being line 1. cells: its cells, as many as there are.
    text: the row as it stands in the file."""

    line: int
    cells: list[str]
    text: str


@dataclass(frozen=True, slots=True)
class Table:
    """The header of a file and, once, its rows. Rows without a single character are not rows."""

    header: Sequence[str]
    rows: Iterator[Row]


def table(path: Path, *, encoding: str, delimiter: str, needed: Iterable[str]) -> Table:
    """Open `path` and check that its header has each `needed` column exactly once; raises BadFile."""
    rows = _rows(path, encoding, delimiter)
    first = next(rows, None)
    if first is None:
        raise BadFile(path, "the file is empty; its first line must name the columns")
    header = [name.strip() for name in first.cells]
    for index, name in enumerate(header):
        if "\0" in name:
            raise BadFile(
                path, "a zero byte in the header; is this a text file?", line=first.line, column=str(index + 1)
            )
    for name in needed:
        if name not in header:
            found = ", ".join(f'"{other[:60]}"' for other in header[:40])
            raise BadFile(path, f'there is no column "{name}"; the columns are {found}', line=first.line)
        if header.count(name) > 1:
            raise BadFile(path, f'the column "{name}" stands there {header.count(name)} times', line=first.line)
    return Table(header, _with_columns_named(path, header, rows))


def _with_columns_named(path: Path, header: Sequence[str], rows: Iterator[Row]) -> Iterator[Row]:
    try:
        yield from rows
    except _TooLong as fault:
        column = header[fault.index] if fault.index < len(header) else f"number {fault.index + 1}"
        raise BadFile(path, fault.message, line=fault.line, column=column) from None


class _TooLong(BadFile):
    """A cell beyond MAX_CELL or a row beyond MAX_ROW. `index` is the cell's position; its name is told
    once the header is known."""

    def __init__(self, path: Path, *, line: int, text: str, delimiter: str) -> None:
        self.index, length = _longest_cell(text, delimiter)
        if length > MAX_CELL:
            message = f"a cell is longer than {MAX_CELL:,} characters; perhaps a quotation mark is never closed"
        else:
            message = f"the row is longer than {MAX_ROW:,} characters"
        super().__init__(path, message, line=line, column=f"number {self.index + 1}")
        self.message = message


def _rows(path: Path, encoding: str, delimiter: str) -> Iterator[Row]:
    # A byte order mark is no part of the first column's name.
    codec = "utf-8-sig" if codecs.lookup(encoding).name == "utf-8" else encoding
    pending: list[str] = []  # the physical lines of the row being read
    size = 0  # and their characters
    start = 1
    try:
        with path.open(encoding=codec, newline="") as file:

            def lines() -> Iterator[str]:
                nonlocal size
                while line := file.readline(MAX_ROW):
                    pending.append(line)
                    size += len(line)
                    if size >= MAX_ROW:
                        raise _TooLong(path, line=start, text="".join(pending), delimiter=delimiter)
                    yield line

            reader = csv.reader(lines(), delimiter=delimiter, strict=True)
            while True:
                start = reader.line_num + 1
                cells = next(reader, None)
                if cells is None:
                    return
                if cells:
                    yield Row(start, cells, pending[0] if len(pending) == 1 else "".join(pending))
                pending.clear()
                size = 0
    except UnicodeDecodeError as error:
        line = _line_of_undecodable(path, codec)
        bad = error.object[error.start : error.start + 1].hex()
        raise BadFile(path, f"the byte 0x{bad} is not {encoding}; which encoding is the file in?", line=line) from error
    except csv.Error as error:
        if "field limit" in str(error):
            raise _TooLong(path, line=start, text="".join(pending), delimiter=delimiter) from error
        raise BadFile(path, f"the quotation marks do not fit: {error}", line=start) from error
    except OSError as error:
        raise BadFile(path, f"cannot be read: {error.strerror or error}") from error


def _longest_cell(text: str, delimiter: str) -> tuple[int, int]:
    """Position and length of the longest cell in the raw text of a row."""
    lengths = [0]
    quoted = False
    for character in text:
        if character == '"':
            quoted = not quoted
        if character == delimiter and not quoted:
            lengths.append(0)
        else:
            lengths[-1] += 1
    return lengths.index(max(lengths)), max(lengths)


def _line_of_undecodable(path: Path, codec: str) -> int:
    """The line on which decoding stops; the text layer decodes in blocks and does not say where its block began."""
    decoder = codecs.getincrementaldecoder(codec)()
    line = 1
    with path.open("rb") as file:
        while block := file.read(1 << 16):
            try:
                line += decoder.decode(block).count("\n")
            except UnicodeDecodeError as error:
                good = error.object[: error.start].decode(codec, errors="ignore")
                return line + good.count("\n")
    return line + 1
