"""Answers as files to keep: CSV and XLSX for spreadsheets, JSON for programs."""

from collections.abc import Sequence

from django.http import Http404, HttpResponse

from analytics.files import Cell, csv_text, json_text
from analytics.workbooks import workbook_bytes

WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
KINDS = {
    "csv": ("text/csv; charset=utf-8", csv_text),
    "xlsx": (WORKBOOK, workbook_bytes),
    "json": ("application/json", json_text),
}


def answered_file(*, kind: str, name: str, cells: Sequence[Cell]) -> HttpResponse:
    """A file of rows; 404 for a kind that there is not."""
    if kind not in KINDS:
        raise Http404
    content_type, written = KINDS[kind]
    return HttpResponse(
        written(cells),
        content_type=content_type,
        headers={"Content-Disposition": f'attachment; filename="{name}.{kind}"'},
    )
