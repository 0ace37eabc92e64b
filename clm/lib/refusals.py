"""What is answered where no view answers: problem+json to machines, the error pages to people.

Addresses end with a slash. Who leaves it out and only reads is led on; who sends something is told, because a client
that is led on asks again without what it had sent. Ingestion is never led anywhere: Segment's clients would repeat a
batch as a GET and take it for delivered."""

import sys
from http import HTTPStatus
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponsePermanentRedirect, JsonResponse
from django.http.response import HttpResponseBase
from django.template import loader
from django.urls import is_valid_path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views import defaults

from .database_away import is_away

_MACHINES = ("/api/", "/v1/")
_INGESTION = "/v1"
_RETRY_SECONDS = 5
# Where nothing more is known of what went wrong.
_SAID = {
    HTTPStatus.BAD_REQUEST: gettext_lazy("This request cannot be understood."),
    HTTPStatus.FORBIDDEN: gettext_lazy("This is not allowed to whoever asks."),
    HTTPStatus.NOT_FOUND: gettext_lazy("There is nothing at %(path)s"),
    HTTPStatus.INTERNAL_SERVER_ERROR: gettext_lazy("Something broke here, and it is written down for whoever runs it."),
}


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    return _problem(request, HTTPStatus.BAD_REQUEST) or defaults.bad_request(request, exception)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    return _problem(request, HTTPStatus.FORBIDDEN) or defaults.permission_denied(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    said = ""
    if _lacks_its_slash(request):
        if request.method in ("GET", "HEAD"):
            return HttpResponsePermanentRedirect(request.get_full_path(force_append_slash=True))
        said = _("Addresses end with a slash; nothing was done. Send it again to %(path)s") % {
            "path": f"{request.path}/"
        }
        exception = Http404(said)
    return _problem(request, HTTPStatus.NOT_FOUND, said) or defaults.page_not_found(request, exception)


def broken(request: HttpRequest) -> HttpResponseBase:
    """A fault of ours, or a database that is away: Django calls this while it handles the exception."""
    if is_away(sys.exc_info()[1]):
        return _away(request)
    return _problem(request, HTTPStatus.INTERNAL_SERVER_ERROR) or defaults.server_error(request)


def _away(request: HttpRequest) -> HttpResponseBase:
    said = _("The database does not answer. Nothing is lost that was confirmed; please try again in a moment.")
    answer: HttpResponseBase = _problem(request, HTTPStatus.SERVICE_UNAVAILABLE, said) or HttpResponse(
        loader.get_template("503.html").render(), status=HTTPStatus.SERVICE_UNAVAILABLE
    )
    answer.headers["Retry-After"] = str(_RETRY_SECONDS)
    return answer


def _lacks_its_slash(request: HttpRequest) -> bool:
    """Whether the address would lead somewhere with a slash at its end. Never for ingestion."""
    path = request.path_info
    if path.endswith("/") or path == _INGESTION or path.startswith(f"{_INGESTION}/"):
        return False
    return bool(is_valid_path(f"{path}/", getattr(request, "urlconf", None)))


def _problem(request: HttpRequest, status: HTTPStatus, detail: str = "") -> JsonResponse | None:
    if not request.path.startswith(_MACHINES):
        return None
    body: dict[str, Any] = {"type": "about:blank", "status": int(status), "title": status.phrase}
    body["detail"] = detail or _SAID[status] % {"path": request.path[:200]}
    return JsonResponse(body, status=status, content_type="application/problem+json")
