"""How the API changes something: every such method is declared an `act`, which documents and honours the header
`Idempotency-Key`. A request without the header is simply done; one with it is done once, however often it is sent."""

import hashlib
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import exceptions
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from clm.lib.access.kept_answers import LONGEST_KEY, Answer, answered_once, fingerprint, whose
from clm.lib.problems import BadInput, problem_response
from clm.lib.questions import NotThereError
from clm.lib.refusals import broken
from customers import locks
from customers.ingest import clock

from .answering import problems
from .asking import NoParameters

HEADER = "Idempotency-Key"
MULTIPART = "multipart/form-data"
KEY_PARAMETER = OpenApiParameter(
    HEADER,
    {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY, "pattern": "^[!-~]+$"},
    OpenApiParameter.HEADER,
    description=(
        "A word of your own that names this request, such as a UUID. Sent again within 24 hours, the same request is "
        "answered as the first time and changes nothing; another request under the same key is refused."
    ),
)
# What is refused before anything was tried is not kept: the mended request may carry the same key.
_UNTRIED = (
    BadInput,
    exceptions.ValidationError,
    exceptions.ParseError,
    exceptions.NotFound,
    exceptions.PermissionDenied,
    exceptions.NotAuthenticated,
    exceptions.AuthenticationFailed,
    exceptions.UnsupportedMediaType,
    exceptions.MethodNotAllowed,
    NotThereError,
    Http404,
)

Method = TypeVar("Method", bound=Callable[..., Any])


def act(
    *,
    operation_id: str,
    summary: str,
    responses: dict[Any, Any],
    request: Any = None,
    description: str = "",
    refusals: tuple[int, ...] = (),
    advances: bool = False,
    secret: str | None = None,
) -> Callable[[Method], Method]:
    """Declare a method that changes something. refusals: what it may answer besides 400, 401, 403, 409, 415 and 422;
    advances: it also brings customers up to date, so the locks of ingest and advance are taken in their order;
    secret: a member of the answer that is told once, and null when the answer is told again."""

    def mark(method: Any) -> Any:
        @wraps(method)
        def acted(view: Any, request: Request, **places: Any) -> Any:
            NoParameters.of(request)
            key = request.headers.get(HEADER)
            if key is None:
                return method(view, request, **places)
            return _once(view, request, _checked(key), lambda: method(view, request, **places), advances, secret)

        acted.is_act = True  # type: ignore[attr-defined]
        described = extend_schema(
            operation_id=operation_id,
            summary=summary,
            description=description or None,
            request=request,
            parameters=[KEY_PARAMETER],
            responses={**responses, **problems(*sorted({400, 409, 415, 422, *refusals}))},
        )
        return described(acted)

    return mark


def _checked(key: str) -> str:
    if not 1 <= len(key) <= LONGEST_KEY or not key.isascii() or not key.isprintable() or " " in key:
        raise BadInput(f"An idempotency key is 1 to {LONGEST_KEY} visible ASCII characters.", field=HEADER)
    return key


def _once(
    view: Any, request: Request, key: str, method: Callable[[], Response], advances: bool, secret: str | None
) -> Any:
    answered: list[Response] = []

    def made() -> Answer:
        if advances:
            locks.share(locks.PROPERTY_KEYS)
            locks.share(locks.VERSIONS)
        response = method()
        answered.append(response)
        return _written(response, secret)

    def refused(error: Exception) -> Answer | None:
        if isinstance(error, _UNTRIED):
            return None
        response = problem_response(error, view.get_exception_handler_context())
        if isinstance(response, Response):
            return _written(response)
        crash = broken(request._request)
        return Answer(crash.status_code, crash.content, crash["Content-Type"])  # type: ignore[attr-defined]

    answer, is_kept = answered_once(
        whose=whose(request.user),  # type: ignore[arg-type]
        key=key,
        fingerprint=fingerprint(*_said(request)),
        now=clock(),
        act=made,
        refused=refused,
    )
    if not is_kept:
        return answered[0]
    told = HttpResponse(answer.body, status=answer.status, content_type=answer.content_type or None)
    if answer.location:
        told["Location"] = answer.location
    told["Idempotent-Replayed"] = "true"
    return told


def _said(request: Request) -> tuple[str | bytes, ...]:
    """What makes a request this one, its body byte by byte; of a form with a file its members, whose file may be larger
    than what fits in memory, and whose boundary is another each time."""
    http = request._request
    head = http.method or "", http.get_full_path()
    if http.content_type != MULTIPART:
        return *head, http.headers.get("Content-Type", ""), http.body
    form: Any = request.data
    fields = [part for name, values in sorted(form.lists()) for part in (name, *map(_of_member, values))]
    return *head, MULTIPART, *fields


def _of_member(value: Any) -> str:
    if not isinstance(value, UploadedFile):
        return str(value)
    digest = hashlib.sha256()
    for chunk in value.chunks():
        digest.update(chunk)
    return f"{value.name}\0{digest.hexdigest()}"


def _written(response: Response, secret: str | None = None) -> Answer:
    data = response.data
    if secret is not None and response.status_code < 400:
        data = {**data, secret: None}
    return Answer(
        status=response.status_code,
        body=b"" if data is None else JSONRenderer().render(data),
        content_type=response.content_type or ("" if data is None else "application/json"),
        location=response.headers.get("Location", ""),
    )
