"""What a line of the log says, and what it never says: who somebody is.

A log outlives the erasure of a person, so names, addresses and what was typed must not get into it. Query strings and
bodies are never logged; a path is logged as the route that answered it; of an exception the frames, the class and a
message without anything quoted in it are kept, because databases and parsers quote the very value they choke on."""

import json
import logging
import re
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.urls import Resolver404, resolve
from structlog.contextvars import get_contextvars

OUR_ROOMS = ("clm", "customers", "lifecycle", "campaigns", "analytics")

_ADDRESS = re.compile(r"[^\s<>\"'(),;:]+@[^\s<>\"'(),;:]+")
_QUERY = re.compile(r"\?\S+")
_QUOTED = re.compile(r"""'[^'\n]*'|"[^"\n]*"|`[^`\n]*`|\([^()\n]*\)=\([^\n]*\)""")


def masked(text: str, *, quotes: bool = True) -> str:
    """The text without e-mail addresses and query strings and, if `quotes`, without anything in quotation marks."""
    if quotes:
        text = _QUOTED.sub("'…'", text)
    return _QUERY.sub("?…", _ADDRESS.sub("…@…", text))


def without_values(error: BaseException) -> str:
    """A traceback as Python prints it, save that messages are masked and PostgreSQL's DETAIL, which repeats the row,
    is left out. What PostgreSQL names besides (SQLSTATE, table, constraint) is kept."""
    return "\n".join(line.rstrip("\n") for line in _chain(error, seen=set()))


def _chain(error: BaseException, *, seen: set[int]) -> Iterator[str]:
    seen.add(id(error))
    earlier = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if earlier is not None and id(earlier) not in seen:
        yield from _chain(earlier, seen=seen)
        yield f"\n{'The above caused' if error.__cause__ else 'While handling the above'}:\n"
    yield "Traceback (most recent call last):"
    yield from traceback.format_list(traceback.extract_tb(error.__traceback__))
    message = masked(str(error).partition("\nDETAIL:")[0].partition("\nLINE ")[0].strip())
    diagnostics = getattr(error, "diag", None)
    told = [getattr(diagnostics, name, None) for name in ("sqlstate", "table_name", "constraint_name")]
    named = f" [{' '.join(one for one in told if one)}]" if any(told) else ""
    yield f"{type(error).__module__}.{type(error).__qualname__}: {message}{named}"


class RouteForPath(logging.Filter):
    """Puts the route where Django's own lines about a request name the path, which may hold anything."""

    def filter(self, record: logging.LogRecord) -> bool:
        request = getattr(record, "request", None)
        if request is not None and hasattr(request, "method"):
            head = record.getMessage().partition(":")[0]
            record.msg, record.args = f"{head}: {request.method} {route_of(request)}", ()
        return True


def route_of(request: Any) -> str:
    """The pattern of the address that a request matches, such as /customers/<int:customer>/; a path that matches none
    is not repeated."""
    if request.path_info.startswith(f"/{settings.STATIC_URL.strip('/')}/"):
        return "a static file"
    try:
        return f"/{(getattr(request, 'resolver_match', None) or resolve(request.path_info)).route}"
    except Resolver404:
        return "an unknown path"


class _Line(logging.Formatter):
    def event(self, record: logging.LogRecord) -> dict[str, Any]:
        """What happened, in the order in which it is read."""
        ours = record.name.partition(".")[0] in OUR_ROOMS
        told: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": masked(record.getMessage(), quotes=not ours),
            **get_contextvars(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info and record.exc_info[1] is not None:
            told["exception"] = without_values(record.exc_info[1])
        return told


class JsonLine(_Line):
    """One line of JSON per event."""

    def format(self, record: logging.LogRecord) -> str:
        return json.dumps(self.event(record), ensure_ascii=False, default=lambda value: type(value).__name__)


class PlainLine(_Line):
    """The same for people."""

    def format(self, record: logging.LogRecord) -> str:
        told = self.event(record)
        head = f"{told.pop('at')} {told.pop('level').upper():7} {told.pop('logger')}: {told.pop('event')}"
        exception = told.pop("exception", "")
        rest = "".join(f" {key}={value}" for key, value in told.items())
        return f"{head}{rest}" + (f"\n{exception}" if exception else "")
