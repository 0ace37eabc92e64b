"""How the API is asked: query parameters and bodies are declared, and whatever is not declared is refused by name."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _
from drf_spectacular.extensions import OpenApiSerializerExtension
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request

from clm.lib.periods import asked_instant, parse_moment
from clm.lib.problems import BadInput
from clm.lib.questions import NotThereError, QuestionError
from customers.models import Installation

from ..scope import asked_day
from ..sorting import Sorting, segment, stage_model
from ..stages import refuse_unknowable

LARGEST_ID = 2**63 - 1
MOST_NAMED = 40  # choices that a fault names


class _Told(serializers.Serializer[Any]):
    # What is declared, with faults that name the way out.
    default_error_messages: ClassVar[dict[str, Any]] = {
        "invalid": _("This must be an object: names, each with its value.")
    }

    def to_internal_value(self, data: Any) -> Any:
        try:
            return super().to_internal_value(data)
        except serializers.ValidationError as error:
            raise serializers.ValidationError(
                {name: self._plainly(str(name), detail) for name, detail in error.detail.items()}
                if isinstance(error.detail, dict)
                else error.detail
            ) from None

    def _plainly(self, name: str, detail: Any) -> Any:
        choices = getattr(self.fields.get(name), "choices", None)
        if not choices or not isinstance(detail, list):
            return detail
        named = [str(one) for one in choices][:MOST_NAMED]
        said = _("It is one of %(names)s.") % {
            "names": ", ".join([*named, *(["…"] if len(choices) > MOST_NAMED else [])])
        }
        return [said if getattr(one, "code", "") == "invalid_choice" else one for one in detail]


class Parameters(_Told):
    """Query parameters of one address. Unknown ones are refused, as are single ones that are given twice.

    `refused` names parameters that other addresses take, with the reason why this one does not."""

    refused: ClassVar[Mapping[str, str]] = {}

    @classmethod
    def of(cls, request: Request) -> dict[str, Any]:
        """The validated parameters of a request; those not given are absent unless they have a default."""
        declared = cls().fields
        given: dict[str, Any] = {}
        errors = []
        for name, values in request.query_params.lists():
            if name not in declared:
                known = ", ".join(declared) or "none"
                message = cls.refused.get(name, f"unknown parameter; this address takes {known}")
                errors.append({"field": name[:60], "message": message})
            elif isinstance(declared[name], serializers.ListField):
                given[name] = values
            elif len(values) > 1:
                errors.append({"field": name, "message": "is given twice"})
            else:
                given[name] = values[0]
        if errors:
            raise BadInput(f"{errors[0]['field']}: {errors[0]['message']}", errors=errors)
        # A plain dict, not the form-like original: an empty parameter is then empty, not absent.
        parameters = cls(data=given)
        parameters.is_valid(raise_exception=True)
        return dict(parameters.validated_data)


class NoParameters(Parameters):
    """An address that takes none."""


class Paged(Parameters):
    cursor = serializers.CharField(
        required=False, max_length=100, help_text="Where the page begins; taken from `next` or `previous`."
    )
    page_size = serializers.IntegerField(required=False, default=50, min_value=1, max_value=200)


class AsOf(Parameters):
    as_of = serializers.CharField(
        required=False,
        max_length=60,
        help_text=(
            "The instant asked about: ISO 8601 with an offset, or a date, which means the end of that day in the "
            "business time zone (today: now). Not in the future. Default: now."
        ),
    )


class KnownAt(AsOf):
    known_at = serializers.CharField(
        required=False,
        max_length=60,
        help_text="Answer as it was believed at this instant, or at the end of this day; not before as_of. Default: "
        "what is believed now.",
    )


class FromUntil(Parameters):
    """`from` is a word of Python, so both are declared by name."""

    def get_fields(self) -> dict[str, Any]:
        said = "a date (midnight in the business time zone) or an instant with its offset"
        return {
            "from": serializers.CharField(
                required=False, max_length=60, help_text=f"Start of the period, included: {said}."
            ),
            "until": serializers.CharField(
                required=False, max_length=60, help_text=f"End of the period, excluded: {said}."
            ),
            **super().get_fields(),
        }


class Body(_Told):
    """A JSON object; members that are not declared are refused by name."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            unknown = [key for key in data if key not in self.fields]
            if unknown:
                known = ", ".join(self.fields)
                raise serializers.ValidationError(
                    {str(key)[:60]: [f"unknown member; this body takes {known}"] for key in unknown}
                )
        return super().to_internal_value(data)

    @classmethod
    def of_request(cls, request: Request, *, partial: bool = False) -> dict[str, Any]:
        """The validated body of a request."""
        if not isinstance(request.data, Mapping):
            raise BadInput("the body is a JSON object")
        body = cls(data=request.data, partial=partial)
        body.is_valid(raise_exception=True)
        return dict(body.validated_data)


@extend_schema_field({"type": "string", "pattern": "^[0-9]{1,9}([.][0-9]{1,4})?$", "example": "12.50"})
class AmountGiven(serializers.DecimalField):
    """A decimal text, not below zero, with at most four places."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_digits=18, decimal_places=4, min_value=0, **options)


class BodyDescribed(OpenApiSerializerExtension):
    """Bodies in the API's own description: closed, and texts that may not be empty say so."""

    target_class = Body
    match_subclasses = True

    def map_serializer(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        described: dict[str, Any] = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)
        described["additionalProperties"] = False
        for name, field in self.target.fields.items():
            text, schema = field, described["properties"][name]
            if isinstance(field, serializers.ListField):
                text, schema = field.child, schema["items"]
            if type(text) is serializers.CharField and not text.allow_blank:
                schema["minLength"] = 1
        return described


class Asking:
    """What every answer needs to know: the installation, its zone, and the edge's clock, read once."""

    def __init__(self, *, now: datetime) -> None:
        self.now = now
        self.installation = Installation.current()
        self.zone = self.installation.time_zone

    @property
    def context(self) -> dict[str, Any]:
        """What serializers need to write amounts."""
        return {"minor_digits": self.installation.minor_digits, "currency": self.installation.currency}

    def past(self, asked: Mapping[str, Any], field: str) -> datetime | None:
        """The instant that `as_of` or `known_at` means, None when it was not given; a day is meant up to its end."""
        text = asked.get(field)
        if text is None:
            return None
        if not text:
            parse_moment(text, field=field, zone=self.zone)
        return asked_day(text, field=field, now=self.now, zone=self.zone)[0]

    def instant(self, asked: Mapping[str, Any], field: str) -> datetime | None:
        """The instant in parameter `field`, a bare date being its first, None when it was not given."""
        text = asked.get(field)
        return asked_instant(text, field=field, now=self.now, zone=self.zone) if text is not None else None


def asked_then(asked: Mapping[str, Any], asking: Asking) -> tuple[datetime | None, datetime | None]:
    """`as_of` and `known_at` of an address that takes both; as_of is known_at where only that is given."""
    as_of, known_at = asking.past(asked, "as_of"), asking.past(asked, "known_at")
    if as_of is not None:
        refuse_unknowable(as_of=as_of, known_at=known_at)
    return as_of or known_at, known_at


def model_asked(key: str, *, field: str) -> Sorting:
    """The stage model that a parameter names; unlike one in the address, an unknown one is a 400."""
    try:
        return stage_model(key)
    except NotThereError as error:
        raise QuestionError(field, str(error)) from None


def segment_asked(key: str, *, field: str = "segment") -> Sorting:
    """The segment that a parameter names."""
    try:
        return segment(key)
    except NotThereError as error:
        raise QuestionError(field, str(error)) from None


def stage_asked(text: str, *, field: str) -> tuple[Sorting, int]:
    """A model and the id of one of its stages, from `model:stage`."""
    model_key, colon, stage_key = text.partition(":")
    if not colon:
        raise QuestionError(field, f"{field} is written model:stage, for example seven:retention")
    model = model_asked(model_key, field=field)
    try:
        return model, model.stage_id(stage_key)
    except NotThereError as error:
        raise QuestionError(field, str(error)) from None


def asked_id(text: str) -> int:
    """An id in the address; whatever cannot be one is simply not there."""
    if not text.isascii() or not text.isdigit() or len(text) > 19 or int(text) > LARGEST_ID:
        raise NotThereError(text[:30])
    return int(text)
