"""The rows of an import that could not be used, as a file to mend and import again: the columns of the file, and behind
them the line, the column at fault and why. Made when it is asked for, from the rows that are kept."""

import re
from collections.abc import Iterator

from ..models import Import, Installation
from .mapping import RowMapping
from .rows import RowReader
from .staging import portions
from .tally import as_line

# What a spreadsheet takes for a formula, whoever wrote it; a telephone number or a plain number is none.
_FORMULA = re.compile(r"[=+@\-\t\r\n\uff1d\uff0b\uff20\uff0d]")
_HARMLESS = re.compile(r"[+-][0-9 ()./,-]*")
COLUMNS = ("import_line", "import_column", "import_error")


def error_file(*, record: Import) -> Iterator[bytes]:
    """CSV in UTF-8 with a byte order mark, a portion at a time."""
    header = record.progress.get("header") or []
    reader = RowReader(
        mapping=RowMapping.from_document(record.mapping),
        header=header,
        now=record.finished_at or record.created_at,
        reporting=Installation.current().currency,
    )
    yield ("\ufeff" + as_line([*header, *COLUMNS]) + "\r\n").encode()
    for some in portions(record=record):
        lines = []
        for number, cells in some:
            read = reader.read(number, cells)
            if read.fault is not None:
                width = len(header)
                fitted = [*cells[:width], *[""] * (width - len(cells))]
                said = [str(number), read.fault.column, read.fault.message]
                lines.append(as_line([*map(_safe, fitted), *map(_safe, said)]) + "\r\n")
        if lines:
            yield "".join(lines).encode("utf-8", "replace")


def _safe(text: str) -> str:
    return f"'{text}" if _FORMULA.match(text) and not _HARMLESS.fullmatch(text) else text
