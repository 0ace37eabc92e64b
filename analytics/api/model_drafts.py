"""/api/v1/stage-models/...: models made and copied, stages added, ordered, written anew and retired; and the rules that
models share. What changes where customers are is drafted; the order on pages holds at once."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from clm.lib.questions import NotThereError
from lifecycle.models import SubRule
from lifecycle.revise import (
    MOST_STAGES,
    add_model,
    add_stage,
    copy_model,
    edit_stage,
    edit_sub_rule,
    order_stages,
    position_stages,
    retire_stage,
)

from ..sorting import stage_model
from ..sub_rule_list import sub_rules
from .acting import act
from .answering import Instant, problems
from .asking import Body, NoParameters, asked_id
from .definitions import UseShape
from .drafting import DraftedShape, Noted, RuleGiven, RuleTold, author_id, body_of, drafted, rules_told
from .rules import DocumentParser
from .stages import ModelDetailShape, StageModels, written_model_whole


class StageNew(Body):
    key = serializers.CharField(max_length=60)
    name = serializers.CharField(max_length=1000)
    rule = RuleGiven()


class ExitNew(Body):
    key = serializers.CharField(max_length=60)
    name = serializers.CharField(max_length=1000)


class ModelNew(Noted):
    key = serializers.CharField(max_length=60)
    name = serializers.CharField(max_length=1000)
    stages = serializers.ListField(
        child=StageNew(), min_length=1, max_length=MOST_STAGES, help_text="Lowest precedence first."
    )
    exit = ExitNew(help_text="The stage of whoever was in another one and is in none any more.")


class CopyTold(Body):
    key = serializers.CharField(max_length=60)
    name = serializers.CharField(max_length=1000)


class StageAdded(RuleTold):
    key = serializers.CharField(max_length=60)
    name = serializers.CharField(max_length=1000)
    above = serializers.CharField(
        required=False, allow_null=True, max_length=60, help_text="The stage just below it. Default: it is lowest."
    )


class OrderTold(Noted):
    stages = serializers.ListField(
        child=serializers.CharField(max_length=60),
        max_length=MOST_STAGES,
        help_text="The keys of all stages but the exit stage, lowest precedence first.",
    )


class PositionsTold(Body):
    stages = serializers.ListField(
        child=serializers.CharField(max_length=60),
        max_length=MOST_STAGES,
        help_text="Keys of stages in their order on pages; those that are not named come after them.",
    )


def new_model(request: Request) -> Response:
    """A new stage model, drafted."""
    asked = body_of(request, ModelNew)
    with rules_told(at="$"):
        return drafted(
            add_model(
                key=asked["key"],
                name=asked["name"],
                stages=asked["stages"],
                leave=asked["exit"],
                note=asked.get("note", ""),
                author=author_id(request),
            )
        )


class AllModels(StageModels):
    permission_needed: ClassVar[dict[str, str]] = {"GET": "stages.view", "POST": "stages.edit"}  # type: ignore[assignment]
    parser_classes = (DocumentParser,)

    @act(
        operation_id="stage_models_create",
        summary="Draft a new stage model",
        request=ModelNew,
        responses={201: DraftedShape},
    )
    def post(self, request: Request) -> Response:
        return new_model(request)


class CopyModel(APIView):
    permission_needed: ClassVar[str] = "stages.edit"

    @act(
        operation_id="stage_models_copy",
        summary="Draft a new stage model with the stages and rules of another one",
        request=CopyTold,
        responses={201: DraftedShape},
        refusals=(404,),
    )
    def post(self, request: Request, key: str) -> Response:
        found, asked = stage_model(key), CopyTold.of_request(request)
        with rules_told(at="$"):
            return drafted(copy_model(model=found.id, **asked, author=author_id(request)))


class ModelStages(APIView):
    permission_needed: ClassVar[str] = "stages.edit"
    parser_classes = (DocumentParser,)

    @act(
        operation_id="stage_models_add_stage",
        summary="Draft a model with one more stage",
        description="A retired stage of that key comes back.",
        request=StageAdded,
        responses={201: DraftedShape},
        refusals=(404,),
    )
    def post(self, request: Request, key: str) -> Response:
        found, asked = stage_model(key), body_of(request, StageAdded)
        with rules_told():
            return drafted(add_stage(model=found.id, **asked, author=author_id(request)))


class StageRuleDraft(APIView):
    permission_needed: ClassVar[str] = "stages.edit"
    parser_classes = (DocumentParser,)

    @act(
        operation_id="stage_models_draft_rule",
        summary="Draft another rule for a stage",
        description="Nothing changes for anybody until the change is published.",
        request=RuleTold,
        responses={201: DraftedShape},
        refusals=(404,),
    )
    def put(self, request: Request, key: str, stage: str) -> Response:
        found, asked = stage_model(key), body_of(request, RuleTold)
        with rules_told():
            return drafted(edit_stage(model=found.id, stage=stage, **asked, author=author_id(request)))


class RetireStage(APIView):
    permission_needed: ClassVar[str] = "stages.edit"

    @act(
        operation_id="stage_models_retire_stage",
        summary="Draft a model without one of its stages",
        description="The stage's history under earlier versions stays.",
        request=Noted,
        responses={201: DraftedShape},
        refusals=(404,),
    )
    def post(self, request: Request, key: str, stage: str) -> Response:
        found, asked = stage_model(key), Noted.of_request(request)
        with rules_told(at="$"):
            return drafted(retire_stage(model=found.id, stage=stage, **asked, author=author_id(request)))


class ModelPrecedence(APIView):
    permission_needed: ClassVar[str] = "stages.edit"

    @act(
        operation_id="stage_models_order",
        summary="Draft another precedence of the stages of a model",
        request=OrderTold,
        responses={201: DraftedShape},
        refusals=(404,),
    )
    def put(self, request: Request, key: str) -> Response:
        found, asked = stage_model(key), OrderTold.of_request(request)
        with rules_told(at="$"):
            return drafted(order_stages(model=found.id, **asked, author=author_id(request)))


class ModelPositions(APIView):
    permission_needed: ClassVar[str] = "stages.edit"

    @act(
        operation_id="stage_models_position",
        summary="Show the stages of a model in another order",
        description="It decides nothing and holds at once. The exit stage is shown last.",
        request=PositionsTold,
        responses={200: ModelDetailShape},
        refusals=(404,),
    )
    def put(self, request: Request, key: str) -> Response:
        position_stages(model=stage_model(key).id, **PositionsTold.of_request(request))
        return Response(written_model_whole(stage_model(key)))


# --- the rules that models and segments share -------------------------------------------------------------------
class SubRuleNew(RuleTold):
    name = serializers.CharField(max_length=100)


class SubRuleRead(serializers.Serializer[Any]):
    id = serializers.CharField()
    name = serializers.CharField()
    sentence = serializers.CharField(help_text="Empty if it is no rule any more; then `error` says why.")
    error = serializers.CharField()
    rule = serializers.JSONField(source="document")
    changed_at = Instant()
    used_in = UseShape(many=True, source="uses")


def new_sub_rule(request: Request) -> Response:
    """A shared rule with its first text, or another one, drafted."""
    asked = body_of(request, SubRuleNew)
    with rules_told():
        return drafted(edit_sub_rule(**asked, author=author_id(request)))


def _sub_rule(text: str) -> SubRule:
    found = SubRule.objects.filter(pk=asked_id(text)).first()
    if found is None:
        raise NotThereError(text)
    return found


class OneSubRule(APIView):
    permission_needed: ClassVar[str] = "stages.view"

    @extend_schema(
        operation_id="sub_rules_read",
        summary="One shared rule, what it says and what uses it",
        responses={200: SubRuleRead, **problems(404)},
    )
    def get(self, request: Request, sub_rule: str) -> Response:
        NoParameters.of(request)
        (found,) = sub_rules(name=_sub_rule(sub_rule).name)
        return Response(SubRuleRead(found).data)


class SubRuleRule(APIView):
    permission_needed: ClassVar[str] = "stages.edit"
    parser_classes = (DocumentParser,)

    @act(
        operation_id="sub_rules_draft_rule",
        summary="Draft another text of a shared rule, for all that name it",
        request=RuleTold,
        responses={201: DraftedShape},
        refusals=(404,),
    )
    def put(self, request: Request, sub_rule: str) -> Response:
        found, asked = _sub_rule(sub_rule), body_of(request, RuleTold)
        with rules_told():
            return drafted(edit_sub_rule(name=found.name, **asked, author=author_id(request)))
