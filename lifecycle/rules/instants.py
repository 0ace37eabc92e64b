"""Instants written as text: ISO 8601 with an offset, or a bare date, which is its midnight UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_WRITTEN = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"([Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]{1,12})?)?([Zz]|[+-][0-9]{2}(:?[0-9]{2})?))?"
)


def parse_instant(text: str) -> int | None:
    """Whole milliseconds since 1970 (UTC), truncated; None when the text is no instant of the language."""
    match = _WRITTEN.fullmatch(text)
    if match is None:
        return None
    if match[1] is None:
        text += "T00:00:00Z"
    try:
        instant = datetime.fromisoformat(text.upper())
    except ValueError:
        return None
    return (instant - _EPOCH) // _MILLISECOND


def say_instant(ms: int) -> str:
    """The instant as text in UTC, with no more precision than it needs."""
    instant = _EPOCH + timedelta(milliseconds=ms)
    if ms % 86_400_000 == 0:
        return instant.strftime("%Y-%m-%d")
    return instant.isoformat(timespec="milliseconds" if ms % 1000 else "seconds").replace("+00:00", "Z")
