"""Files that tests ask for, and what stands in them."""

import csv
import io
import json
from typing import Any

from analytics.exports.jobs import folder, noted
from analytics.models import Export
from clm.lib.access.models import ApiKey, User
from customers.ingest import clock


def ask(who: User | ApiKey, question: str = "", subject: str = "customers", format: str = "csv") -> Export:
    return noted(
        who=who,
        subject=subject,
        format=format,
        dialect=Export.Dialect.PAGE,
        question=question,
        byte_order_mark=False,
        now=clock(),
    )


def rows_of(export: Export) -> list[dict[str, Any]]:
    export.refresh_from_db()
    text = (folder() / export.file).read_text()
    if export.format == "jsonl":
        return [json.loads(line) for line in text.splitlines()]
    return list(csv.DictReader(io.StringIO(text, newline="")))
