"""/api/v1/rules/estimate/, /api/v1/rules/words/ and /api/v1/rule-counts/: a rule tried on the customers there are."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from clm.lib.access.models import User
from clm.lib.problems import BadInput
from clm.lib.questions import NotThereError
from customers.ingest import clock
from lifecycle.models import Preview
from lifecycle.previews import filled_in_first, preview_progress, start_rule_count
from lifecycle.rules.document import RuleError

from ..estimates import RuleEstimate, filled_in_first_said, rule_count, rule_estimate
from ..words import KINDS, LOOKED_AT, words
from .acting import act
from .answering import Instant, problems
from .asking import Body, NoParameters, Parameters, asked_id
from .rules import DocumentParser

STATES = ["running", "done", "failed"]


class FillingShape(serializers.Serializer[Any]):
    """A property that no rule named before: its values are filled in once, for all touchpoints there are."""

    property = serializers.CharField(source="key")
    has_begun = serializers.BooleanField(help_text="Whether it is under way; a count or a change begins it.")
    parts = serializers.IntegerField(help_text="Into how many parts the touchpoints are cut.")
    done = serializers.IntegerField(help_text="How many of those are filled in.")


class EstimateShape(serializers.Serializer[Any]):
    sentence = serializers.CharField()
    as_of = Instant(source="at")
    customers = serializers.IntegerField(source="share.customers", help_text="For how many the rule holds.")
    low = serializers.IntegerField(source="share.low", help_text="Lower end of a 95 % interval (Wilson).")
    high = serializers.IntegerField(source="share.high")
    sampled = serializers.IntegerField(help_text="How many customers were looked at.")
    holding = serializers.IntegerField(help_text="For how many of those it holds.")
    everybody = serializers.IntegerField(help_text="How many customers there are.")
    is_exact = serializers.BooleanField(help_text="True: everybody was looked at.")
    filling = FillingShape(
        many=True,
        help_text="Properties of which not all values are kept yet; here the touchpoints themselves were read.",
    )
    note = serializers.CharField(allow_blank=True, help_text="The same in a sentence.")


class RuleGiven(Body):
    rule = serializers.JSONField(help_text="A rule document.")


class Owner(Body):
    """Whose rule it will be: then it may not come back to itself."""

    kind = serializers.ChoiceField(choices=["segment", "model", "rule"])
    key = serializers.CharField(max_length=100)


class EstimateAsked(RuleGiven):
    of = Owner(required=False, allow_null=True, help_text="Whose rule it is: it may not come back to itself.")


class CountShape(serializers.Serializer[Any]):
    id = serializers.CharField()
    state = serializers.ChoiceField(choices=STATES)
    buckets = serializers.IntegerField(help_text="Into how many parts the customers are cut.")
    done = serializers.IntegerField(help_text="How many of those are counted.")
    error = serializers.CharField(allow_blank=True)
    note = serializers.CharField(allow_blank=True, help_text="What has to be filled in first, if anything has.")
    result = EstimateShape(allow_null=True)


class WordsAsked(Parameters):
    what = serializers.ChoiceField(choices=KINDS, help_text="What is looked for.")
    key = serializers.CharField(
        required=False, default="", allow_blank=True, max_length=200, help_text="Of values: the property or trait."
    )
    search = serializers.CharField(required=False, default="", allow_blank=True, max_length=200)


class WordShape(serializers.Serializer[Any]):
    value = serializers.JSONField(help_text="A key, or a value as a rule is written with it.")
    kind = serializers.CharField(help_text="string, number, boolean, array or object.")
    seen = serializers.IntegerField(help_text="How often among the rows looked at.")


class WordsShape(serializers.Serializer[Any]):
    results = WordShape(many=True)
    looked_at = serializers.IntegerField(help_text="How many of the latest touchpoints or steps, at the most.")


class EstimateRule(APIView):
    permission_needed: ClassVar[str] = "rules.evaluate"
    parser_classes = (DocumentParser,)

    @extend_schema(
        operation_id="rules_estimate",
        summary="Say a rule in English, and estimate for how many customers it holds now",
        description=(
            "From a sample of customers, drawn by a hash of their id; of everybody where there are few. Nothing is "
            "stored. What is wrong is told with its JSON path, from $.rule on."
        ),
        request=EstimateAsked,
        responses={200: EstimateShape, **problems(400)},
    )
    def post(self, request: Request) -> Response:
        NoParameters.of(request)
        try:
            rule, of = _asked(request.data)
            found = rule_estimate(rule=rule, now=clock(), path="$.rule", of=of)
        except RuleError as error:
            raise refused(error) from None
        return Response(EstimateShape(found).data)


class RuleWords(APIView):
    permission_needed: ClassVar[str] = "customers.view"

    @extend_schema(
        operation_id="rules_words",
        summary="Properties, traits and their values, as they were sent lately",
        parameters=[WordsAsked],
        responses={200: WordsShape, **problems(400)},
    )
    def get(self, request: Request) -> Response:
        asked = WordsAsked.of(request)
        return Response(WordsShape({"results": words(**asked), "looked_at": LOOKED_AT}).data)


class RuleCounts(APIView):
    permission_needed: ClassVar[str] = "rules.evaluate"
    parser_classes = (DocumentParser,)

    @act(
        operation_id="rule_counts_start",
        summary="Count exactly for how many customers a rule holds",
        description="Counted by the workers, one part of the customers after the other; ask its address how far it is.",
        request=RuleGiven,
        responses={201: CountShape},
    )
    def post(self, request: Request) -> Response:
        author = request.user.pk if isinstance(request.user, User) else None
        try:
            rule, _of = _asked(request.data)
            started = start_rule_count(rule=rule, path="$.rule", author=author, now=clock())
        except RuleError as error:
            raise refused(error) from None
        return Response(written_count(started), status=201)


class OneRuleCount(APIView):
    permission_needed: ClassVar[str] = "rules.evaluate"

    @extend_schema(
        operation_id="rule_counts_read",
        summary="How far an exact count is, and what it found",
        responses={200: CountShape, **problems(404)},
    )
    def get(self, request: Request, count: str) -> Response:
        NoParameters.of(request)
        found = Preview.objects.filter(pk=asked_number(count), revision=None).first()
        if found is None:
            raise NotThereError(count)
        return Response(written_count(found))


def written_count(preview: Preview) -> Any:
    """An exact count of a rule: how far it is, and what it found."""
    return CountShape({"id": str(preview.pk), **state_of(preview), "result": _result(preview)}).data


def state_of(preview: Preview) -> dict[str, Any]:
    """How far an exact count is."""
    state = "failed" if preview.failed_at else "done" if preview.finished_at else "running"
    far = preview_progress(preview=preview)
    note = filled_in_first_said(filled_in_first(preview=preview))
    return {"state": state, "buckets": far.buckets, "done": far.done, "error": preview.error, "note": note}


def refused(error: RuleError) -> BadInput:
    """A rule that is none, as a problem that names the place."""
    return BadInput(f"{error.path}: {error.message}", errors=[{"field": error.path, "message": error.message}])


def asked_number(text: str) -> int:
    """A small number in the address; whatever cannot be one is simply not there."""
    number = asked_id(text)
    if number > 2**31 - 1:
        raise NotThereError(text)
    return number


def _result(preview: Preview) -> RuleEstimate | None:
    try:
        return rule_count(preview=preview)
    except RuleError:  # what it names has gone since
        return None


def _asked(body: object) -> tuple[object, tuple[str, str] | None]:
    if not isinstance(body, dict):
        raise RuleError("$", "the body is an object with a rule")
    for key in body:
        if key not in ("rule", "of"):
            raise RuleError(f"$.{key[:40]}", "unknown member; this body takes rule and of")
    if "rule" not in body:
        raise RuleError("$.rule", "the rule is missing")
    of = body.get("of")
    if of is None:
        return body["rule"], None
    if not isinstance(of, dict) or of.keys() != {"kind", "key"}:
        raise RuleError("$.of", "whose rule it is: a kind and a key")
    if of["kind"] not in ("segment", "model", "rule") or not isinstance(of["key"], str):
        raise RuleError("$.of.kind", "the kind is segment, model or rule, the key a text")
    return body["rule"], (of["kind"], of["key"])
