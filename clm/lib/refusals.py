"""What is answered where no view answers: problem+json to machines, the error pages to people."""

from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from django.views import defaults

_MACHINES = ("/api/", "/v1/")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    return _problem(request, HTTPStatus.BAD_REQUEST) or defaults.bad_request(request, exception)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    return _problem(request, HTTPStatus.FORBIDDEN) or defaults.permission_denied(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    return _problem(request, HTTPStatus.NOT_FOUND) or defaults.page_not_found(request, exception)


def broken(request: HttpRequest) -> HttpResponseBase:
    return _problem(request, HTTPStatus.INTERNAL_SERVER_ERROR) or defaults.server_error(request)


def _problem(request: HttpRequest, status: HTTPStatus) -> JsonResponse | None:
    if not request.path.startswith(_MACHINES):
        return None
    body: dict[str, Any] = {"type": "about:blank", "status": int(status), "title": status.phrase}
    return JsonResponse(body, status=status, content_type="application/problem+json")
