"""A file that is sent while it is made, for those who would rather wait than come back."""

from collections.abc import Iterator

from ..models import Export
from .formats import pieces
from .jobs import Watched
from .questions import table_of
from .snapshot import snapshot


def sent(export: Export) -> Iterator[bytes]:
    """The file of an export that is sent at once, piece by piece, all of it as of one instant. What was sent is written
    down, also when the other side hangs up before the end."""
    watched: Watched | None = None
    size = 0
    is_whole = False
    try:
        with snapshot() as now:
            table = table_of(subject=export.subject, dialect=export.dialect, question=export.question, now=now)
            watched = Watched(table, lambda _rows: None)
            for piece in pieces(table=watched.table, format=export.format, byte_order_mark=export.byte_order_mark):
                yield piece
                size += len(piece)
            is_whole = True
    finally:
        Export.objects.filter(pk=export.pk).update(
            rows=watched.rows if watched else 0, size=size, error="" if is_whole else "it was not sent to its end"
        )
