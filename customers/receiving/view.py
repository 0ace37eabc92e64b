"""`POST /v1/...` as Segment's clients send it. Answered before any middleware that pages need: no session, no cookie,
no redirect, ever; an answer of 200 comes after the commit, and needs no broker.

400 no JSON object · 401 no such key · 404, 405 no such address or method · 413 too large · 415 no such encoding ·
429 too busy, 503 database away: both with Retry-After."""

import base64
import binascii
import json
import logging
from collections.abc import Callable
from typing import Any, TypeVar

from django.db import InterfaceError, InternalError, OperationalError, ProgrammingError, connection
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from .bodies import NoObject, Stream, TooLarge, envelope_of, read_body
from .door import door_of
from .gate import Busy, place
from .receive import receive

log = logging.getLogger(__name__)
Found = TypeVar("Found")

PREFIX = "/v1/"
# What follows the prefix, and the type that messages have by it; None: they say it themselves.
KINDS: dict[str, str | None] = {
    "batch": None,
    "import": None,
    "b": None,
    **{name: name for name in ("track", "identify", "page", "screen", "group", "alias")},
    **{name[0]: name for name in ("track", "identify", "page", "screen", "group", "alias")},
}
# What the browser library counts about itself; nobody needs it, and an error would be tried again.
METRICS = frozenset({"m", "metrics"})
_CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "POST, OPTIONS",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Content-Encoding, X-Retry-Count, AnonymousId",
    "Access-Control-Max-Age": "86400",
}
BUSY_SECONDS, AWAY_SECONDS = 2, 10


class IngestionMiddleware:
    """Hands everything under /v1/ to `ingestion`, and nothing else."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith(PREFIX):
            return ingestion(request)
        return self.get_response(request)


def ingestion(request: HttpRequest, rest: str = "") -> HttpResponse:
    """Every address under /v1/, with and without a slash at its end."""
    name = request.path_info.removeprefix(PREFIX).rstrip("/")
    if name not in KINDS and name not in METRICS:
        return _said(404, "There is no such address.")
    if request.method == "OPTIONS":
        return _answer(204, b"")
    if request.method != "POST":
        return _said(405, "Send a POST.", Allow="POST, OPTIONS")
    if name in METRICS:
        return _said(200, None)
    try:
        return _posted(request, KINDS[name])
    except TooLarge as error:
        return _said(413, str(error))
    except NoObject as error:
        return _said(400, str(error))
    except Busy:
        return _said(429, "Too many batches at once.", **{"Retry-After": str(BUSY_SECONDS)})
    except (OperationalError, InterfaceError, InternalError, ProgrammingError) as error:
        # Locks that last, a database that restarts, a disk that is full, tables of another release: whatever it is, it
        # is not the client's.
        log.warning("a batch could not be stored now: %s", type(error.__cause__ or error).__name__)
        connection.close_if_unusable_or_obsolete()
        return _said(503, "The database cannot be reached.", **{"Retry-After": str(AWAY_SECONDS)})


def _posted(request: HttpRequest, kind: str | None) -> HttpResponse:
    received = timezone.now()
    encoding = request.headers.get("Content-Encoding", "").strip().lower()
    if encoding not in ("", "gzip", "x-gzip", "identity"):
        return _said(415, "Send plain JSON or gzip.")
    key = key_of(request.headers.get("Authorization", ""))
    if key and _once_more(lambda: door_of(key, now=received)) is None:  # before its body is read
        return _refused()
    envelope = envelope_of(read_body(_stream(request)))
    with place():
        shown = key or envelope.write_key
        door = _once_more(lambda: door_of(shown, now=received)) if shown else None
        if door is None:
            return _refused()
        _once_more(lambda: receive(door=door, envelope=envelope, kind=kind, received=received))
    return _said(200, None)


def _once_more(act: Callable[[], Found]) -> Found:
    """What `act` gives. A connection that was there and turns out to be gone, because the database was restarted since,
    is made anew, once: storing the same again changes nothing. So Django need not ask every connection at every request
    whether it still lives, which is a journey to the database and back for nothing."""
    had = connection.connection is not None
    connection.health_check_done = had  # type: ignore[attr-defined]  # the stubs do not know it
    try:
        return act()
    except (OperationalError, InterfaceError):
        if not had or (connection.connection is not None and connection.is_usable()):
            raise
        connection.close()
    return act()


def key_of(header: str) -> str:
    """The write key of an Authorization header: the user of Basic, or Bearer's token; "" for none."""
    scheme, _space, rest = header.strip().partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    if scheme.lower() != "basic":
        return ""
    try:
        text = base64.b64decode(rest.strip(), validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return ""
    return text.partition(":")[0]


def _stream(request: HttpRequest) -> Stream:
    """A body sent in chunks has no length, and Django reads none of it; the server marks where such a body ends."""
    environ: dict[str, Any] = request.META
    if environ.get("wsgi.input_terminated") and "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower():
        stream: Stream = environ["wsgi.input"]
        return stream
    return request


def _refused() -> HttpResponse:
    return _said(401, "This write key is unknown or revoked.", **{"WWW-Authenticate": 'Basic realm="write key"'})


def _said(status: int, message: str | None, **headers: str) -> HttpResponse:
    told: dict[str, Any] = {"success": True} if message is None else {"success": False, "message": message}
    return _answer(status, json.dumps(told).encode(), **headers)


def _answer(status: int, body: bytes, **headers: str) -> HttpResponse:
    common = {**_CORS, "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
    if status != 204:
        common["Content-Length"] = str(len(body))  # else it goes in chunks, which takes three writes and not two
    return HttpResponse(body, status=status, content_type="application/json", headers={**common, **headers})
