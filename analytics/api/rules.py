"""/api/v1/rules/evaluate/: a rule tried on a history that need not exist."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from clm.lib.milliseconds import from_ms, written
from clm.lib.problems import BadInput
from customers.models import Role
from lifecycle.rules.document import RuleError, load_document
from lifecycle.trial import MOST_TOUCHPOINTS, trial

from .answering import problems
from .asking import NoParameters

LONGEST_BODY = 5_000_000


class DocumentParser(BaseParser):
    """JSON as rules are read: numbers are decimals, names do not repeat, and there is an end."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        return load_document(stream.read(LONGEST_BODY + 1), longest=LONGEST_BODY)


class TouchpointGiven(serializers.Serializer[Any]):
    occurred_at = serializers.CharField(help_text="ISO 8601 with an offset; a future instant is kept.")
    type = serializers.CharField(required=False, allow_null=True)
    role = serializers.ChoiceField(
        choices=Role.choices, required=False, allow_null=True, help_text="Wins over the role the type is mapped to."
    )
    channel = serializers.CharField(required=False, allow_null=True)
    amount = serializers.CharField(
        required=False, allow_null=True, help_text='A decimal text in the reporting currency, such as "100.00".'
    )
    properties = serializers.DictField(child=serializers.JSONField(), required=False, allow_null=True)


class TraitGiven(serializers.Serializer[Any]):
    key = serializers.CharField()
    value = serializers.JSONField(allow_null=True)
    set_at = serializers.CharField()


class TrialGiven(serializers.Serializer[Any]):
    rule = serializers.JSONField(help_text="A rule document.")
    touchpoints = TouchpointGiven(many=True, required=False, help_text=f"At most {MOST_TOUCHPOINTS:,}.")
    traits = TraitGiven(many=True, required=False)
    timezone = serializers.CharField(required=False, help_text="Whose calendar days count. Default: the business's.")


class TrialShape(serializers.Serializer[Any]):
    sentence = serializers.CharField()
    spans = serializers.ListField(
        child=serializers.ListField(child=serializers.CharField(allow_null=True), min_length=2, max_length=2),
        help_text="[from, until) in UTC with milliseconds; until null: for ever, if nothing else happens.",
    )


class EvaluateRule(APIView):
    permission_needed: ClassVar[str] = "rules.evaluate"
    parser_classes = (DocumentParser,)

    @extend_schema(
        operation_id="rules_evaluate",
        summary="Try a rule on a made-up history",
        description="Nothing is stored. What is wrong is told with its JSON path.",
        request=TrialGiven,
        responses={200: TrialShape, **problems(400)},
    )
    def post(self, request: Request) -> Response:
        NoParameters.of(request)
        try:
            found = trial(body=request.data)
        except RuleError as error:
            raise BadInput(f"{error.path}: {error.message}", errors=[_said(error)]) from None
        spans = [[_written(start), None if end is None else _written(end)] for start, end in found.spans]
        return Response({"sentence": found.sentence, "spans": spans})


def _said(error: RuleError) -> dict[str, str]:
    return {"field": error.path, "message": error.message}


def _written(ms: int) -> str:
    return written(from_ms(ms))
