"""Lists that are read straight from their table: filtered by a declared FilterSet, paged by the key of the rows, never
counted. What is not declared is refused by name, as everywhere in the API."""

from datetime import date, datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema_field
from rest_framework.generics import GenericAPIView
from rest_framework.mixins import ListModelMixin
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response

from clm.lib.cursors import cursor, parse_cursor
from clm.lib.periods import day_start, parse_moment
from clm.lib.problems import BadInput
from clm.lib.questions import QuestionError
from customers.models import Installation

from .answering import page
from .asking import LARGEST_ID, Paged


# --- kinds of filters -----------------------------------------------------------------------------------------
class _IdField(forms.CharField):
    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if text and (not text.isascii() or not text.isdigit() or len(text) > 19 or int(text) > LARGEST_ID):
            raise ValidationError("This is no id.")
        return int(text) if text else None


@extend_schema_field({"type": "string", "pattern": "^[0-9]{1,19}$"})
class IdFilter(filters.CharFilter):
    """An id, as the API writes it."""

    field_class = _IdField


def text_filter(*, longest: int, **options: Any) -> filters.CharFilter:
    """A text that a column must equal (or as `lookup_expr` says)."""
    described: dict[str, Any] = {"type": "string", "minLength": 1, "maxLength": longest}
    return extend_schema_field(described)(filters.CharFilter(max_length=longest, **options))


class _MomentField(forms.CharField):
    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return None
        zone = Installation.current().time_zone
        try:
            moment: Any = parse_moment(text, field="it", zone=zone)
        except QuestionError as error:
            raise ValidationError(error.message) from None
        return moment if isinstance(moment, datetime) else day_start(moment, zone)


@extend_schema_field({"type": "string", "maxLength": 60})
class MomentFilter(filters.CharFilter):
    """An instant with its offset, or a date, which is its first instant in the business time zone."""

    field_class = _MomentField


class _DayField(forms.CharField):
    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return None
        try:
            return date.fromisoformat(text) if len(text) == 10 else _no_day()
        except ValueError:
            raise ValidationError("This is no day; write it like 2025-01-31.") from None


def _no_day() -> date:
    raise ValueError


@extend_schema_field({"type": "string", "format": "date"})
class DayFilter(filters.CharFilter):
    """A calendar day."""

    field_class = _DayField


@extend_schema_field({"type": "boolean"})
class TruthFilter(filters.ChoiceFilter):
    """true or false; anything else is refused."""

    def __init__(self, **options: Any) -> None:
        super().__init__(choices=[("true", "true"), ("false", "false")], **options)

    def filter(self, qs: Any, value: Any) -> Any:
        return super().filter(qs, {"true": True, "false": False}.get(value, value))


# --- filtering and paging -------------------------------------------------------------------------------------
class Filters(filters.DjangoFilterBackend):
    """The filters that a view's FilterSet declares; whatever else is asked is refused."""

    def filter_queryset(self, request: Request, queryset: Any, view: Any) -> Any:
        declared = getattr(view, "filterset_class", None)
        known = [*(declared.base_filters if declared else ()), *Paged().fields]
        errors = []
        for name, values in request.query_params.lists():
            if name not in known:
                message = f"unknown parameter; this address takes {', '.join(known)}"
                errors.append({"field": name[:60], "message": message})
            elif len(values) > 1:
                errors.append({"field": name, "message": "is given twice"})
            elif not values[0]:
                errors.append({"field": name, "message": "is empty"})
        if errors:
            raise BadInput(f"{errors[0]['field']}: {errors[0]['message']}", errors=errors)
        return super().filter_queryset(request, queryset, view)


class Keyset(BasePagination):
    """Pages by the primary key, newest first, or oldest first where the view says so. A page costs one query of its own
    size however long the list is."""

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        given = {name: request.query_params[name] for name in ("cursor", "page_size") if name in request.query_params}
        asked = Paged(data=given)
        asked.is_valid(raise_exception=True)
        size = asked.validated_data["page_size"]
        rising = bool(getattr(view, "oldest_first", False))
        backwards, found = False, queryset
        if "cursor" in asked.validated_data:
            kind, (border,) = parse_cursor(asked.validated_data["cursor"], kinds="np", count=1)
            backwards = kind == "p"
            found = found.filter(pk__gt=border) if rising != backwards else found.filter(pk__lt=border)
        rows = list(found.order_by("pk" if rising != backwards else "-pk")[: size + 1])
        more, rows = len(rows) > size, rows[:size]
        if backwards:
            rows.reverse()
        has_next, has_previous = (True, more) if backwards else (more, "cursor" in asked.validated_data)
        self.request = request
        self.following = cursor("n", rows[-1].pk) if rows and has_next else None
        self.previous = cursor("p", rows[0].pk) if rows and has_previous else None
        return rows

    def get_paginated_response(self, data: Any) -> Response:
        return Response(page(self.request, data, following=self.following, previous=self.previous))

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """What a page looks like, for the API's own description."""
        address = {"type": "string", "format": "uri", "nullable": True}
        return {
            "type": "object",
            "required": ["results", "next", "previous"],
            "properties": {"results": schema, "next": address, "previous": address},
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """How a page is asked for, for the API's own description."""
        fields = Paged().fields
        return [
            {
                "name": "cursor",
                "in": "query",
                "required": False,
                "description": str(fields["cursor"].help_text),
                "schema": {"type": "string", "maxLength": 100},
            },
            {
                "name": "page_size",
                "in": "query",
                "required": False,
                "schema": {"type": "integer", "minimum": 1, "maximum": 200, "default": 50},
            },
        ]


# A docstring here would become the description of every list in the API's own documents.
class ListView(ListModelMixin, GenericAPIView[Any]):  # `queryset`, `serializer_class` and perhaps `filterset_class`
    filter_backends = (Filters,)
    pagination_class = Keyset
    oldest_first = False

    def listed(self, request: Request) -> Response:
        """The page that is asked for."""
        self.installation = Installation.current()
        return self.list(request)

    def get_serializer_context(self) -> dict[str, Any]:
        """What serializers need to write amounts; nothing while the API describes itself."""
        context = dict(super().get_serializer_context())
        installation = getattr(self, "installation", None)
        if installation is not None:
            context |= {"minor_digits": installation.minor_digits, "currency": installation.currency}
        return context
