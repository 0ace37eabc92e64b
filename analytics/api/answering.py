"""How the API answers: ids as strings, instants in UTC with milliseconds and Z, amounts as decimal strings of the
reporting currency, lists as pages with the addresses of their neighbours."""

from datetime import datetime
from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema_field, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request

from clm.lib.milliseconds import written
from clm.lib.money_text import amount_text


class Instant(serializers.DateTimeField):
    """2026-03-29T01:00:00.000Z"""

    def to_representation(self, value: Any) -> Any:
        return written(value) if isinstance(value, datetime) else value


@extend_schema_field({"type": "string", "format": "decimal", "example": "12.50"})
class Amount(serializers.Field[Any, Any, Any, Any]):
    """Minor units as a decimal string of the reporting currency; null stays null."""

    def to_representation(self, value: Any) -> str:
        return amount_text(value, self.context["minor_digits"])

    def to_internal_value(self, data: Any) -> Any:
        raise NotImplementedError("amounts are written, not read, through this field")


class ProblemError(serializers.Serializer[Any]):
    field = serializers.CharField(help_text="The parameter, the member, or the JSON path of a rule.")
    message = serializers.CharField()
    customer = serializers.CharField(required=False, help_text="The id of whoever has what was asked for.")


class Problem(serializers.Serializer[Any]):
    """RFC 9457."""

    type = serializers.CharField(default="about:blank")
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField(required=False)
    errors = ProblemError(many=True, required=False)  # type: ignore[assignment]


_PROBLEMS = {
    400: "The question cannot be answered as asked; `errors` says what to mend.",
    401: "No key, or one that is unknown or revoked.",
    403: "The key's role may not do this.",
    404: "There is no such thing.",
    409: "It contradicts what is stored, or a request with this idempotency key is still being answered.",
    415: "The body is not JSON.",
    422: "This idempotency key came with another request before.",
}


def problems(*codes: int) -> dict[Any, OpenApiResponse]:
    """What an address may answer besides its success, for the API's own description."""
    return {
        (code, "application/problem+json"): OpenApiResponse(Problem, description=_PROBLEMS[code])
        for code in (401, 403, *codes)
    }


def page_of(kind: Any, name: str, **more: Any) -> Any:
    """The description of a page whose results are `kind`."""
    return inline_serializer(
        name,
        {
            "results": kind(many=True),
            "next": serializers.URLField(allow_null=True),
            "previous": serializers.URLField(allow_null=True),
            **more,
        },
    )


def page(
    request: Request, results: Any, *, following: str | None = None, previous: str | None = None, **more: Any
) -> dict[str, Any]:
    """A page: its results and the addresses of the next and the previous one."""
    return {
        **more,
        "results": results,
        "next": _address(request, following),
        "previous": _address(request, previous),
    }


def _address(request: Request, cursor: str | None) -> str | None:
    if cursor is None:
        return None
    asked = request.query_params.copy()
    asked["cursor"] = cursor
    return request.build_absolute_uri(f"{request.path}?{asked.urlencode()}")
