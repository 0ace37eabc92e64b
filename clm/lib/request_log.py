"""Gives every request an id that its log lines and its answer carry, and tells of it in one line when it is over."""

import logging
import re
import time
import uuid
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from structlog.contextvars import bound_contextvars

from .log_lines import route_of

log = logging.getLogger(__name__)

HEADER = "X-Request-ID"
# A proxy in front may have given one already; anything stranger is not repeated.
_GIVEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{7,63}")


class RequestLogMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get(HEADER, "")
        identity = given if _GIVEN.fullmatch(given) else uuid.uuid4().hex
        began = time.perf_counter()
        with bound_contextvars(request_id=identity):
            response = self.get_response(request)
            if settings.CLM_LOG_REQUESTS:
                fields = {
                    "method": request.method if request.method in _METHODS else "unknown",
                    "route": route_of(request),
                    "status": response.status_code,
                    "ms": round(1e3 * (time.perf_counter() - began), 1),
                }
                log.info("request", extra={"fields": fields})
        response.headers[HEADER] = identity
        return response


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
