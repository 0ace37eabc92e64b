"""Errors of the API as problem+json (RFC 9457): what is wrong, where, and the way out."""

import re
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import set_rollback

from .questions import ConflictError, NotThereError, QuestionError

# What the framework says in words of its own.
_PLAINLY = {
    "not_a_list": _("This must be a list."),
    "not_a_dict": _("This must be an object: names, each with its value."),
    "null_characters_not_allowed": _("This holds a character that no text has (U+0000). Write it anew."),
    "max_string_length": _("This number has too many digits."),
}
# The same of numbers that are too small or too large; the framework tells the limit in its sentence only.
_LIMITS = {"min_value": _("This must be at least %(limit)s."), "max_value": _("This must be at most %(limit)s.")}
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


class BadInput(exceptions.APIException):
    """Input that cannot be used. `errors` is a list of {"field": name or JSON path, "message": sentence}, in which
    "customer" is the id of whoever has what was asked for."""

    status_code = 400
    default_code = "bad_input"

    def __init__(self, message: str, *, field: str | None = None, errors: list[dict[str, str]] | None = None) -> None:
        super().__init__(message)
        self.errors = errors if errors is not None else ([{"field": field, "message": message}] if field else [])


class Conflict(exceptions.APIException):
    """What is asked contradicts what is stored or is going on."""

    status_code = 409
    default_detail = "Conflict"
    default_code = "conflict"


class OtherRequest(exceptions.APIException):
    """An idempotency key that came with another request before."""

    status_code = 422
    default_detail = "Idempotency key used for another request"
    default_code = "other_request"


def _told(problem: QuestionError) -> dict[str, str]:
    """One problem as a problem document writes it."""
    told = {"field": problem.field, "message": problem.message}
    return told if problem.customer is None else {**told, "customer": str(problem.customer)}


def _flat(detail: Any, path: str = "") -> list[dict[str, str]]:
    if isinstance(detail, dict):
        return [e for key, value in detail.items() for e in _flat(value, _below(path, key))]
    if isinstance(detail, list):
        return [
            e
            for i, value in enumerate(detail)
            for e in _flat(value, path if isinstance(value, str) else f"{path}[{i}]")
        ]
    return [{"field": path, "message": _plainly(detail)}]


def _plainly(detail: Any) -> str:
    """What is wrong, in this program's words where the framework has only its own."""
    code = getattr(detail, "code", "")
    limits = _NUMBER.findall(detail) if code in _LIMITS else []
    if limits:
        return str(_LIMITS[code] % {"limit": limits[-1]})
    return str(_PLAINLY.get(code, detail))


def _below(path: str, key: Any) -> str:
    if key == api_settings.NON_FIELD_ERRORS_KEY and path:  # of the whole of what stands there
        return path
    if isinstance(key, int):  # a place in a list
        return f"{path}[{key}]"
    return f"{path}.{key}" if path else str(key)


def problem_response(error: Exception, context: dict[str, Any]) -> HttpResponseBase | None:
    """DRF's exception handler. Unknown exceptions return None and become a 500 without a word of the inside."""
    if isinstance(error, Http404 | NotThereError):
        error = exceptions.NotFound()
    elif isinstance(error, QuestionError):
        error = BadInput(error.message, errors=[_told(one) for one in error.errors if one.field])
    elif isinstance(error, ConflictError):
        error = Conflict(str(error))
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    if not isinstance(error, exceptions.APIException):
        return None
    # Of the type about:blank a title is the status in words; what happened this time is the detail.
    title = HTTPStatus(error.status_code).phrase
    body: dict[str, Any] = {"type": "about:blank", "status": error.status_code, "title": title}
    if isinstance(error, BadInput):
        body |= {"detail": str(error.detail)} | ({"errors": error.errors} if error.errors else {})
    elif isinstance(error, exceptions.ValidationError):
        errors = _flat(error.detail)
        detail = f"{errors[0]['field']}: {errors[0]['message']}" if errors else ""
        body |= {"detail": detail, "errors": errors}
    else:
        body["detail"] = str(error.detail)
    headers = {}
    if getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = error.auth_header  # type: ignore[attr-defined]
    if getattr(error, "wait", None):
        headers["Retry-After"] = f"{error.wait:.0f}"  # type: ignore[attr-defined]
    set_rollback()
    return Response(body, status=error.status_code, headers=headers, content_type="application/problem+json")
