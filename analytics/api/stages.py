"""/api/v1/stage-models/: the models, what their stages mean, how many customers are in each and how they move."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from clm.lib.periods import asked_period
from customers.ingest import clock
from lifecycle.naming import name_stage, name_subject

from ..silent_roles import silent_roles
from ..sorting import Sorting, stage_model, stage_models
from ..stage_rules import stage_rules
from ..stages import refuse_unknowable, stage_counts, stage_flows, stage_trend, week_ends
from .acting import act
from .answering import Instant, page, page_of, problems
from .asking import Asking, Body, FromUntil, KnownAt, NoParameters


class StageShape(serializers.Serializer[Any]):
    key = serializers.CharField()
    name = serializers.CharField()
    position = serializers.IntegerField(help_text="The order on pages, from 1.")
    is_exit = serializers.BooleanField()


class ModelShape(serializers.Serializer[Any]):
    key = serializers.CharField()
    name = serializers.CharField()
    description = serializers.CharField()
    is_default = serializers.BooleanField()
    is_live = serializers.BooleanField()
    stages = StageShape(many=True)


class StageRuleShape(StageShape):
    precedence = serializers.IntegerField(
        help_text="Of the stages whose rules hold, the one of the highest number counts; 0: the exit stage."
    )
    sentence = serializers.CharField()
    rule = serializers.JSONField(allow_null=True, help_text="The rule document; null for the exit stage.")
    silent_roles = serializers.ListField(
        child=serializers.CharField(),
        help_text="Not empty: nobody can be here so far, because no source has sent touchpoints of these roles.",
    )


class VersionShape(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    published_at = Instant(allow_null=True)
    published_by = serializers.CharField()
    lapse_days = serializers.IntegerField(help_text="What L means in its rules.")
    time_zone = serializers.CharField(help_text="Whose calendar days its rules count.")
    tzdata = serializers.CharField()
    note = serializers.CharField()


class SubRuleShape(serializers.Serializer[Any]):
    name = serializers.CharField()
    sentence = serializers.CharField()
    rule = serializers.JSONField(source="document")


class ModelDetailShape(ModelShape):
    version = VersionShape(allow_null=True)
    stages = StageRuleShape(many=True)
    sub_rules = SubRuleShape(many=True, help_text="The named rules that the stages' rules mention.")


class ModelTold(Body):
    name = serializers.CharField(required=False, max_length=1000)
    description = serializers.CharField(required=False, allow_blank=True, max_length=10_000)
    is_default = serializers.BooleanField(required=False, help_text="True: pages show this model first.")


class StageTold(Body):
    name = serializers.CharField(max_length=1000)


class StageCountShape(StageShape):
    customers = serializers.IntegerField()
    share = serializers.FloatField(allow_null=True, help_text="Of all customers in some stage, 0 to 1.")


class CountsShape(serializers.Serializer[Any]):
    model = serializers.CharField()
    as_of = Instant()
    known_at = Instant(allow_null=True)
    customers = serializers.IntegerField(help_text="In some stage.")
    without_stage = serializers.IntegerField(allow_null=True, help_text="Known only of now.")
    stages = StageCountShape(many=True)


class TrafficShape(StageShape):
    entered = serializers.IntegerField()
    left = serializers.IntegerField()


class MoveShape(serializers.Serializer[Any]):
    to = serializers.CharField(source="target.key")
    moves = serializers.IntegerField()
    customers = serializers.IntegerField(help_text="Who moved so, some more than once.")

    def get_fields(self) -> dict[str, Any]:
        source = serializers.CharField(source="source.key", allow_null=True, help_text="Null: from no stage.")
        return {"from": source, **super().get_fields()}


class PeriodShape(serializers.Serializer[Any]):
    """The period answered: its days in the business time zone, and its instants."""

    until = serializers.DateField()
    from_at = Instant(source="start_at")
    until_at = Instant()
    zone = serializers.CharField()

    def get_fields(self) -> dict[str, Any]:
        return {"from": serializers.DateField(source="start"), **super().get_fields()}


class FlowsShape(serializers.Serializer[Any]):
    model = serializers.CharField()
    period = PeriodShape()
    stages = TrafficShape(many=True)
    moves = MoveShape(many=True, help_text="Most frequent first.")


def flat_stage(stage: Any, **more: Any) -> dict[str, Any]:
    """A stage and what is told of it, side by side."""
    named = {"key": stage.key, "name": stage.name, "position": stage.position, "is_exit": stage.is_exit}
    return named | more


def written_model(model: Sorting) -> dict[str, Any]:
    """A model or a segment with its stages."""
    return {
        "key": model.key,
        "name": model.name,
        "description": model.description,
        "is_default": model.is_default,
        "is_live": model.version is not None,
        "stages": list(model.stages.values()),
    }


class StageModels(APIView):
    permission_needed: ClassVar[str] = "stages.view"

    @extend_schema(
        operation_id="stage_models_list",
        summary="All stage models, the default first",
        responses={200: page_of(ModelShape, "StageModelPage"), **problems()},
    )
    def get(self, request: Request) -> Response:
        NoParameters.of(request)
        models = [written_model(model) for model in stage_models()]
        return Response(page(request, ModelShape(models, many=True).data))


def written_model_whole(model: Sorting) -> Any:
    """A model with the rules of its live version."""
    rules = stage_rules(sorting=model)
    silent = silent_roles(model=model)
    stages = [
        flat_stage(
            one.stage,
            precedence=one.precedence,
            sentence=one.sentence,
            rule=one.document,
            silent_roles=silent.get(one.stage.key, ()),
        )
        for one in rules.stages
    ]
    record = written_model(model) | {"version": rules.version, "stages": stages, "sub_rules": rules.named}
    return ModelDetailShape(record).data


class OneStageModel(APIView):
    permission_needed: ClassVar[dict[str, str]] = {"GET": "stages.view", "PATCH": "stages.edit"}

    @extend_schema(
        operation_id="stage_models_read",
        summary="One stage model and what its stages mean",
        responses={200: ModelDetailShape, **problems(404)},
    )
    def get(self, request: Request, key: str) -> Response:
        NoParameters.of(request)
        return Response(written_model_whole(stage_model(key)))

    @act(
        operation_id="stage_models_name",
        summary="Give a stage model another name, or make it the one that pages show first",
        request=ModelTold,
        responses={200: ModelDetailShape},
        refusals=(404,),
    )
    def patch(self, request: Request, key: str) -> Response:
        name_subject(subject=stage_model(key).id, changes=ModelTold.of_request(request))
        return Response(written_model_whole(stage_model(key)))


class OneStage(APIView):
    permission_needed: ClassVar[dict[str, str]] = {"PATCH": "stages.edit"}

    @act(
        operation_id="stage_models_name_stage",
        summary="Give a stage another name",
        request=StageTold,
        responses={200: ModelDetailShape},
        refusals=(404,),
    )
    def patch(self, request: Request, key: str, stage: str) -> Response:
        name_stage(stage=stage_model(key).stage_id(stage), **StageTold.of_request(request))
        return Response(written_model_whole(stage_model(key)))


class CountsAsked(KnownAt):
    pass


class StageCountsNow(APIView):
    permission_needed: ClassVar[str] = "stages.view"

    @extend_schema(
        operation_id="stage_models_counts",
        summary="Customers per stage, now or at any instant",
        parameters=[CountsAsked],
        responses={200: CountsShape, **problems(400, 404)},
    )
    def get(self, request: Request, key: str) -> Response:
        asked = CountsAsked.of(request)
        asking = Asking(now=clock())
        counts = stage_counts(
            model=stage_model(key),
            now=asking.now,
            as_of=asking.past(asked, "as_of"),
            known_at=asking.past(asked, "known_at"),
        )
        record = {
            "model": counts.model.key,
            "as_of": counts.as_of,
            "known_at": counts.known_at,
            "customers": counts.customers,
            "without_stage": counts.without_stage,
            "stages": [flat_stage(one.stage, customers=one.customers, share=one.share) for one in counts.stages],
        }
        return Response(CountsShape(record).data)


class FlowsAsked(FromUntil):
    pass


class StageFlows(APIView):
    permission_needed: ClassVar[str] = "stages.view"

    @extend_schema(
        operation_id="stage_models_flows",
        summary="How customers moved between stages in a period",
        description="Spells that began in the period, per stage and per pair of stages, and spells that ended in it.",
        parameters=[FlowsAsked],
        responses={200: FlowsShape, **problems(400, 404)},
    )
    def get(self, request: Request, key: str) -> Response:
        asked = FlowsAsked.of(request)
        asking = Asking(now=clock())
        period = asked_period(start=asked.get("from"), until=asked.get("until"), now=asking.now, zone=asking.zone)
        flows = stage_flows(model=stage_model(key), period=period)
        record = {
            "model": flows.model.key,
            "period": flows.period,
            "stages": [flat_stage(one.stage, entered=one.entered, left=one.left) for one in flows.stages],
            "moves": flows.moves,
        }
        return Response(FlowsShape(record).data)


class StageTrendShape(StageShape):
    customers = serializers.ListField(child=serializers.IntegerField(), help_text="At each of `instants`.")


class TrendShape(serializers.Serializer[Any]):
    key = serializers.CharField(help_text="Of the stage model or the segment.")
    instants = serializers.ListField(child=Instant(), help_text="A week apart; the last one is `as_of`.")
    stages = StageTrendShape(many=True)


class TrendAsked(KnownAt):
    weeks = serializers.IntegerField(required=False, default=12, min_value=1, max_value=260)


def written_trend(request: Request, found: Sorting) -> Any:
    """Customers per stage, week by week."""
    asked = TrendAsked.of(request)
    asking = Asking(now=clock())
    until, known_at = asking.past(asked, "as_of"), asking.past(asked, "known_at")
    if until is not None:
        refuse_unknowable(as_of=until, known_at=known_at)
    instants = week_ends(until=until or known_at or asking.now, count=asked["weeks"])
    trend = stage_trend(model=found, instants=instants, known_at=known_at)
    stages = [flat_stage(one.stage, customers=one.customers) for one in trend]
    return TrendShape({"key": found.key, "instants": instants, "stages": stages}).data


class StageTrend(APIView):
    permission_needed: ClassVar[str] = "stages.view"

    @extend_schema(
        operation_id="stage_models_trend",
        summary="Customers per stage, week by week",
        parameters=[TrendAsked],
        responses={200: TrendShape, **problems(400, 404)},
    )
    def get(self, request: Request, key: str) -> Response:
        return Response(written_trend(request, stage_model(key)))
