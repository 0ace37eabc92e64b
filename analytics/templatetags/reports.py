"""What pages and mails of reports need: the way from a page to a report of it, and tables as plain text."""

from typing import Any
from urllib.parse import urlencode

from django import template
from django.urls import reverse

from analytics.reports.blocks import Table
from analytics.reports.views import VIEWS

register = template.Library()


@register.simple_tag(takes_context=True)
def report_address(context: dict[str, Any]) -> str:
    """Where the page that is shown can be saved as a report, "" for pages that cannot."""
    request = context.get("request")
    match = getattr(request, "resolver_match", None)
    if request is None or match is None or match.url_name not in VIEWS:
        return ""
    view = VIEWS[match.url_name]
    asked = [(key, value) for key in request.GET if key in view.takes for value in request.GET.getlist(key) if value]
    if view.named is not None:
        asked = [(view.takes[0], match.kwargs["key"])]
    return f"{reverse('report_new')}?{urlencode({'page': view.key, 'question': urlencode(asked)})}"


@register.simple_tag
def plain_table(table: Table) -> str:
    """A table in columns of plain text; what is said below a number stands behind it."""

    def said(cell: Any) -> str:
        return f"{cell.text} ({cell.note})" if cell.note else cell.text

    rows = [[column.name for column in table.columns], *([said(cell) for cell in row] for row in table.rows)]
    widths = [max(len(row[at]) for row in rows) for at in range(len(table.columns))]
    lines = []
    for row in rows:
        cells = [
            text.rjust(width) if column.is_number else text.ljust(width)
            for text, width, column in zip(row, widths, table.columns, strict=True)
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)
