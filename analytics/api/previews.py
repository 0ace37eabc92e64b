"""/api/v1/segments/preview/, /api/v1/stage-models/{key}/preview/ and .../publish/: rules tried on a sample of customers
before they are drafted, and the newest draft of a model made live."""

from typing import ClassVar

from django.db import transaction
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from clm.lib.access.models import User
from clm.lib.questions import ConflictError
from customers.ingest import clock
from lifecycle.models import Subject, Version
from lifecycle.publications import ask_to_publish
from lifecycle.revise import document_of, revise

from ..changes import change, effect
from ..sorting import stage_model
from .acting import act
from .answering import problems
from .asking import Body, NoParameters
from .changes import ChangeRead, EffectShape, written_change
from .drafting import RuleGiven, body_of, rules_told
from .estimates import EstimateAsked, EstimateRule, EstimateShape


class StageTried(Body):
    key = serializers.CharField(max_length=60)
    rule = RuleGiven()


class StagesTried(Body):
    stages = StageTried(many=True, help_text="The stages that have a rule, lowest precedence first.")


class PreviewSegment(EstimateRule):
    @extend_schema(
        operation_id="segments_preview",
        summary="For how many customers a rule would hold now, estimated",
        description="The same as rules/estimate/: from a sample of customers, of everybody where there are few.",
        request=EstimateAsked,
        responses={200: EstimateShape, **problems(400)},
    )
    def post(self, request: Request) -> Response:
        return super().post(request)


class PreviewModel(APIView):
    permission_needed: ClassVar[str] = "stages.edit"

    @extend_schema(
        operation_id="stage_models_preview",
        summary="What other rules or another precedence of a model would do, estimated",
        description="From a sample of customers, of everybody where there are few. Nothing is stored.",
        request=StagesTried,
        responses={200: EffectShape, **problems(400, 404, 409)},
    )
    def post(self, request: Request, key: str) -> Response:
        NoParameters.of(request)
        model = Subject.objects.get(pk=stage_model(key).id)
        asked = body_of(request, StagesTried)
        stages = [{"key": stage["key"], "rule": stage["rule"]} for stage in asked["stages"]]
        # It is drafted as it would be, looked at, and never was.
        with transaction.atomic():
            with rules_told(at="$"):
                drafted = revise(documents={model.pk: {**document_of(model), "stages": stages}})
            told = effect(of=change(number=drafted.pk), now=clock())
            transaction.set_rollback(True)
        return Response(EffectShape(told).data)


class PublishModel(APIView):
    permission_needed: ClassVar[str] = "stages.edit"

    @act(
        operation_id="stage_models_publish",
        summary="Make the newest draft of a model live",
        description="Done by the workers; ask the change's address how far it is.",
        responses={202: ChangeRead},
        refusals=(404,),
    )
    def post(self, request: Request, key: str) -> Response:
        model = stage_model(key)
        newest = (
            Version.objects.filter(subject=model.id, state=Version.State.DRAFT)
            .exclude(revision=None)
            .order_by("-number")
            .first()
        )
        if newest is None or newest.revision_id is None:
            raise ConflictError(_("Nothing of this model is drafted."))
        author = request.user.pk if isinstance(request.user, User) else None
        ask_to_publish(revision=newest.revision_id, author=author, now=clock())
        return Response(written_change(change(number=newest.revision_id)), status=202)
