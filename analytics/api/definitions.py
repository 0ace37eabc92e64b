"""What stage models and segments have in common, under /api/v1/stage-models/{key}/ and /api/v1/segments/{key}/: what
uses them, their end, and the way back to an earlier version."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from clm.lib.questions import NotThereError
from customers.ingest import clock
from lifecycle.models import Version
from lifecycle.revise import roll_back
from lifecycle.uses import Use

from ..sorting import Sorting, segment, stage_model
from ..used_in import retire, used_in
from .acting import act
from .answering import page, page_of, problems
from .asking import NoParameters
from .drafting import DraftedShape, author_id, drafted, rules_told


class UseShape(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=["model", "segment", "list", "campaign", "experiment"])
    key = serializers.CharField()
    name = serializers.CharField()
    is_direct = serializers.BooleanField(help_text="False: only what it names does.")
    is_draft = serializers.BooleanField(help_text="True: it would, once its change is published.")


def written_uses(uses: tuple[Use, ...]) -> Any:
    """What uses something, as the API tells it."""
    return UseShape(uses, many=True).data


def rolled_back(request: Request, found: Sorting, number: int) -> Response:
    """Draft an earlier version of a model or segment anew."""
    version = Version.objects.filter(subject=found.id, number=number).first() if number < 2**31 else None
    if version is None:
        raise NotThereError(f"{found.key} has no version {number}")
    with rules_told(at="$"):
        return drafted(roll_back(version=version.pk, author=author_id(request)))


class SegmentUses(APIView):
    permission_needed: ClassVar[str] = "segments.view"

    @extend_schema(
        operation_id="segments_used_in",
        summary="What uses a segment: models, segments, campaigns and experiments",
        responses={200: page_of(UseShape, "SegmentUses"), **problems(404)},
    )
    def get(self, request: Request, key: str) -> Response:
        NoParameters.of(request)
        return Response(page(request, written_uses(used_in(subject=segment(key).id))))


class ModelUses(APIView):
    permission_needed: ClassVar[str] = "stages.view"

    @extend_schema(
        operation_id="stage_models_used_in",
        summary="What uses a stage model: segments and campaigns",
        responses={200: page_of(UseShape, "ModelUses"), **problems(404)},
    )
    def get(self, request: Request, key: str) -> Response:
        NoParameters.of(request)
        return Response(page(request, written_uses(used_in(subject=stage_model(key).id))))


class RetireSegment(APIView):
    permission_needed: ClassVar[str] = "segments.edit"

    @act(
        operation_id="segments_retire",
        summary="Take a segment out of use",
        description="Refused while something uses it, which is named. Its history and its key stay.",
        responses={204: None},
        refusals=(404,),
    )
    def post(self, request: Request, key: str) -> Response:
        retire(subject=segment(key).id, now=clock())
        return Response(status=204)


class RetireModel(APIView):
    permission_needed: ClassVar[str] = "stages.edit"

    @act(
        operation_id="stage_models_retire",
        summary="Take a stage model out of use",
        description="Refused while something uses it, which is named, and for the model that pages show first.",
        responses={204: None},
        refusals=(404,),
    )
    def post(self, request: Request, key: str) -> Response:
        retire(subject=stage_model(key).id, now=clock())
        return Response(status=204)


class RollBackSegment(APIView):
    permission_needed: ClassVar[str] = "segments.edit"

    @act(
        operation_id="segments_roll_back",
        summary="Draft an earlier version of a segment anew",
        responses={201: DraftedShape},
        refusals=(404,),
    )
    def post(self, request: Request, key: str, number: int) -> Response:
        return rolled_back(request, segment(key), number)


class RollBackModel(APIView):
    permission_needed: ClassVar[str] = "stages.edit"

    @act(
        operation_id="stage_models_roll_back",
        summary="Draft an earlier version of a stage model anew",
        responses={201: DraftedShape},
        refusals=(404,),
    )
    def post(self, request: Request, key: str, number: int) -> Response:
        return rolled_back(request, stage_model(key), number)
