"""/api/v1/stage-models/{key}/examples/ and /api/v1/segments/{key}/examples/: what must come true under all versions."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from clm.lib.questions import NotThereError
from customers.ingest import clock
from lifecycle.examples import LONGEST_LIFE_DAYS, add_example, retire_example

from ..example_list import ExampleRow, example_of, example_rows, said
from ..sorting import Sorting, segment, stage_model
from .acting import act
from .answering import Instant, page, page_of, problems
from .asking import Asking, Body, NoParameters, asked_id
from .drafting import author_id, body_of, rules_told
from .rules import DocumentParser, TouchpointGiven, TraitGiven


class OutcomeShape(serializers.Serializer[Any]):
    holds = serializers.BooleanField()
    found = serializers.CharField(help_text="The stage it is in then; empty: none.")
    at = Instant(allow_null=True, help_text="The instant meant; null: there is no life in which that day comes.")
    held = serializers.ListField(
        child=serializers.CharField(), help_text="The stages whose own rules hold then, highest precedence first."
    )


class HappeningShape(serializers.Serializer[Any]):
    type = serializers.CharField()
    day = serializers.IntegerField(help_text="Of the life, from 1.")
    amount = serializers.CharField()


class ExampleShape(serializers.Serializer[Any]):
    id = serializers.CharField()
    name = serializers.CharField()
    sentence = serializers.CharField()
    customer = serializers.CharField(allow_null=True, help_text="Null: of a made-up history.")
    history = HappeningShape(many=True)
    expected = serializers.CharField(help_text="The name of the stage; empty: none.")
    day = serializers.IntegerField(allow_null=True)
    at = Instant(allow_null=True)
    author = serializers.CharField()
    now = OutcomeShape(help_text="Under what is live.")
    drafted = OutcomeShape(allow_null=True, help_text="Under the newest draft; null without one.")


class HistoryGiven(Body):
    touchpoints = TouchpointGiven(many=True, required=False)
    traits = TraitGiven(many=True, required=False)

    def to_internal_value(self, data: Any) -> Any:
        return data  # said with its place by whoever makes a history of it


class ExampleTold(Body):
    """Of a customer or of a made-up history; at an instant or on a day of the life."""

    name = serializers.CharField(max_length=1000)
    stage = serializers.CharField(
        allow_null=True, max_length=60, help_text='The key; null: no stage. Of a segment "in" or "out".'
    )
    customer = serializers.CharField(required=False, allow_null=True, max_length=30)
    history = HistoryGiven(required=False, allow_null=True)
    day = serializers.IntegerField(required=False, allow_null=True, min_value=1, max_value=LONGEST_LIFE_DAYS)
    at = serializers.CharField(required=False, allow_null=True, max_length=60)


def written_example(row: ExampleRow) -> Any:
    """An example with what becomes of it."""
    fields: Any = ExampleShape().fields
    record = {name: getattr(row, name) for name in fields if name != "sentence"}
    return ExampleShape(record | {"sentence": said(row)}).data


def listed(request: Request, found: Sorting) -> Response:
    """The examples of a model or segment, tried now."""
    NoParameters.of(request)
    return Response(page(request, [written_example(row) for row in example_rows(sorting=found)]))


def added(request: Request, found: Sorting) -> Response:
    """One more example."""
    asked, asking = body_of(request, ExampleTold), Asking(now=clock())
    at = asking.instant(asked, "at") if asked.get("at") is not None else None
    customer = None if asked.get("customer") is None else _number(asked["customer"])
    with rules_told(at="$.history"):
        made = add_example(
            subject=found.id,
            name=asked["name"],
            stage=asked["stage"],
            customer=customer,
            history=asked.get("history"),
            at=at,
            day=asked.get("day"),
            author=author_id(request),
        )
    row = next(row for row in example_rows(sorting=found) if row.id == made.pk)
    return Response(written_example(row), status=201)


def removed(found: Sorting, example: str) -> Response:
    """Ask no more for an example."""
    number = asked_id(example)
    if example_of(sorting=found, number=number) is None:
        raise NotThereError(example)
    retire_example(example=number, now=clock())
    return Response(status=204)


def _number(text: str) -> int:
    """A customer's id; whatever cannot be one is nobody's."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else 0


class ModelExamples(APIView):
    permission_needed: ClassVar[dict[str, str]] = {"GET": "stages.view", "POST": "stages.edit"}
    parser_classes = (DocumentParser,)

    @extend_schema(
        operation_id="stage_models_examples",
        summary="What must come true of a stage model, tried now",
        responses={200: page_of(ExampleShape, "ModelExamplePage"), **problems(404)},
    )
    def get(self, request: Request, key: str) -> Response:
        return listed(request, stage_model(key))

    @act(
        operation_id="stage_models_add_example",
        summary="Guard the rules of a stage model with an example",
        request=ExampleTold,
        responses={201: ExampleShape},
        refusals=(404,),
    )
    def post(self, request: Request, key: str) -> Response:
        return added(request, stage_model(key))


class OneModelExample(APIView):
    permission_needed: ClassVar[dict[str, str]] = {"DELETE": "stages.edit"}

    @act(
        operation_id="stage_models_remove_example",
        summary="Ask no more for an example",
        responses={204: None},
        refusals=(404,),
    )
    def delete(self, request: Request, key: str, example: str) -> Response:
        return removed(stage_model(key), example)


class SegmentExamples(APIView):
    permission_needed: ClassVar[dict[str, str]] = {"GET": "segments.view", "POST": "segments.edit"}
    parser_classes = (DocumentParser,)

    @extend_schema(
        operation_id="segments_examples",
        summary="What must come true of a segment, tried now",
        responses={200: page_of(ExampleShape, "SegmentExamplePage"), **problems(404)},
    )
    def get(self, request: Request, key: str) -> Response:
        return listed(request, segment(key))

    @act(
        operation_id="segments_add_example",
        summary="Guard the rule of a segment with an example",
        request=ExampleTold,
        responses={201: ExampleShape},
        refusals=(404,),
    )
    def post(self, request: Request, key: str) -> Response:
        return added(request, segment(key))


class OneSegmentExample(APIView):
    permission_needed: ClassVar[dict[str, str]] = {"DELETE": "segments.edit"}

    @act(
        operation_id="segments_remove_example",
        summary="Ask no more for an example",
        responses={204: None},
        refusals=(404,),
    )
    def delete(self, request: Request, key: str, example: str) -> Response:
        return removed(segment(key), example)
