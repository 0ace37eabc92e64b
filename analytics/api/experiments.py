"""/api/v1/experiments/: experiments, their course, how many customers one needs, and what one found."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campaigns.experiments import (
    KINDS,
    create_experiment,
    delete_experiment,
    end_experiment,
    start_experiment,
    stop_experiment,
)
from campaigns.models import Experiment
from clm.lib.milliseconds import written
from clm.lib.questions import NotThereError, QuestionError
from customers.ingest import clock
from customers.models import Installation

from ..experiments.comparing import Estimate
from ..experiments.planning import customers_for_means, customers_for_rates
from ..experiments.results import MetricResult, Results, group_name, instant_shown, results
from .acting import act
from .answering import Instant, problems
from .asking import Asking, AsOf, Body, NoParameters, Parameters
from .lists import ListView
from .metrics import list_address
from .movement import CountedShape


class ExperimentVariantShape(serializers.Serializer[Any]):
    key = serializers.CharField()
    weight = serializers.IntegerField()


class ExperimentMetricShape(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=list(KINDS))
    days = serializers.IntegerField()
    segment = serializers.CharField(required=False)
    model = serializers.CharField(required=False)
    stage = serializers.CharField(required=False)
    tau = serializers.FloatField(required=False)


class ExperimentShape(serializers.Serializer[Any]):
    id = serializers.CharField()
    key = serializers.CharField()
    name = serializers.CharField()
    hypothesis = serializers.CharField(allow_blank=True)
    state = serializers.CharField(help_text="draft, assigning, running, stopped or ended.")
    audience = serializers.CharField(
        source="audience.key", allow_null=True, default=None, help_text="The key of a segment; null: everybody."
    )
    mode = serializers.ChoiceField(choices=Experiment.Mode.choices)
    planned = serializers.IntegerField(help_text="Customers in all variants together.")
    salt = serializers.CharField(help_text="What makes its assignment its own.")
    variants = ExperimentVariantShape(many=True, help_text="The control first.")
    metrics = ExperimentMetricShape(many=True)
    created_at = Instant()
    started_at = Instant(allow_null=True)
    assigned_at = Instant(allow_null=True, help_text="When everybody was assigned.")
    stopped_at = Instant(allow_null=True)
    ended_at = Instant(allow_null=True)


class ExperimentVariantTold(Body):
    key = serializers.CharField(max_length=60)
    weight = serializers.IntegerField(min_value=1, max_value=10_000, required=False, default=1)


class ExperimentMetricTold(Body):
    kind = serializers.ChoiceField(choices=list(KINDS))
    days = serializers.IntegerField(min_value=1, max_value=365)
    segment = serializers.CharField(required=False, max_length=60, help_text="Of reached: the segment entered.")
    model = serializers.CharField(required=False, max_length=60, help_text="Of reached: the model of the stage.")
    stage = serializers.CharField(required=False, max_length=60)
    tau = serializers.FloatField(
        required=False,
        help_text="Of peek-safe ones: the difference that would matter, a share or whole units of the currency.",
    )


class ExperimentNew(Body):
    key = serializers.CharField(max_length=60)
    name = serializers.CharField(max_length=1000)
    hypothesis = serializers.CharField(required=False, allow_blank=True, max_length=2000, default="")
    audience = serializers.CharField(required=False, allow_null=True, max_length=60, default=None)
    variants = ExperimentVariantTold(many=True, help_text="Two to ten, the control first.")
    metrics = ExperimentMetricTold(many=True, help_text="One to ten.")
    planned = serializers.IntegerField(min_value=2, max_value=10**9)
    mode = serializers.ChoiceField(choices=Experiment.Mode.values, required=False, default=Experiment.Mode.FIXED)


class MeasuredEffectShape(serializers.Serializer[Any]):
    value = serializers.FloatField(allow_null=True)
    low = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)
    reason = serializers.CharField(
        allow_blank=True, help_text="Why something is null: nobody, one, no_spread, zero_control or peeking."
    )


class VariantCountShape(serializers.Serializer[Any]):
    variant = serializers.CharField()
    customers = CountedShape()


class VariantFoundShape(serializers.Serializer[Any]):
    variant = serializers.CharField()
    counted = CountedShape(help_text="Customers whose days are over.")
    converted = CountedShape(help_text="Of them, those who did it; of revenue, with money above zero.")
    mean = MeasuredEffectShape()


class ComparedShape(serializers.Serializer[Any]):
    variant = serializers.CharField()
    difference = MeasuredEffectShape(help_text="Variant minus control.")
    lift = MeasuredEffectShape(help_text="Relative, percent, by the delta method on the ratio.")
    explained = MeasuredEffectShape(allow_null=True, help_text="The difference with CUPED; null where it cannot be.")
    p = serializers.FloatField(allow_null=True, help_text="Adjusted by Holm over everything that was asked.")
    verdict = serializers.CharField(allow_blank=True, help_text="higher, lower, open; empty: none is given.")


class ExperimentMetricFoundShape(serializers.Serializer[Any]):
    metric = ExperimentMetricShape()
    label = serializers.CharField()  # type: ignore[assignment]
    unit = serializers.CharField(help_text="percent (0 to 100), or the reporting currency, in whole units.")
    variants = VariantFoundShape(many=True)
    compared = ComparedShape(many=True)
    waiting = serializers.IntegerField(help_text="Customers left out so far: their days are not over.")


class SampleRatioShape(serializers.Serializer[Any]):
    chi_square = serializers.FloatField(allow_null=True)
    p = serializers.FloatField(allow_null=True)
    blocks = serializers.BooleanField()


class ExperimentFoundShape(serializers.Serializer[Any]):
    experiment = serializers.CharField()
    as_of = Instant()
    verdict = serializers.CharField(
        help_text="none (nobody assigned), blocked (the sample ratio), early (fixed horizon not reached) or told."
    )
    assigned = VariantCountShape(many=True)
    conflicting = CountedShape(help_text="In two variants after merges; they count nowhere.")
    sample_ratio = SampleRatioShape()
    metrics = ExperimentMetricFoundShape(many=True)


class ExperimentPlanShape(serializers.Serializer[Any]):
    customers_per_variant = serializers.IntegerField()


class Experiments(ListView):
    permission_needed: ClassVar[dict[str, str]] = {"GET": "experiments.view", "POST": "experiments.edit"}
    queryset = Experiment.objects.select_related("audience").prefetch_related("variants")
    serializer_class = ExperimentShape

    @extend_schema(
        operation_id="experiments_list",
        summary="Experiments, newest first",
        responses={200: ExperimentShape(many=True), **problems(400)},
    )
    def get(self, request: Request) -> Response:
        return self.listed(request)

    @act(
        operation_id="experiments_create",
        summary="Make the draft of an experiment",
        request=ExperimentNew,
        responses={201: ExperimentShape},
    )
    def post(self, request: Request) -> Response:
        told = ExperimentNew.of_request(request)
        variants = [(one["key"], one["weight"]) for one in told.pop("variants")]
        made = create_experiment(variants=variants, **told)
        where = {"Location": f"/api/v1/experiments/{made.key}/"}
        return Response(ExperimentShape(made).data, status=status.HTTP_201_CREATED, headers=where)


class OneExperiment(APIView):
    permission_needed: ClassVar[dict[str, str]] = {"GET": "experiments.view", "DELETE": "experiments.edit"}

    @extend_schema(
        operation_id="experiments_read",
        summary="One experiment",
        responses={200: ExperimentShape, **problems(400, 404)},
    )
    def get(self, request: Request, key: str) -> Response:
        NoParameters.of(request)
        return Response(ExperimentShape(_experiment(key)).data)

    @act(
        operation_id="experiments_delete",
        summary="Remove the draft of an experiment",
        responses={204: None},
        refusals=(404,),
    )
    def delete(self, request: Request, key: str) -> Response:
        delete_experiment(experiment=_experiment(key))
        return Response(status=status.HTTP_204_NO_CONTENT)


class StartExperiment(APIView):
    permission_needed: ClassVar[str] = "experiments.edit"

    @act(
        operation_id="experiments_start",
        summary="Start an experiment: workers assign whom its audience holds",
        responses={200: ExperimentShape},
        refusals=(404,),
    )
    def post(self, request: Request, key: str) -> Response:
        return Response(ExperimentShape(start_experiment(experiment=_experiment(key), now=clock())).data)


class StopExperiment(APIView):
    permission_needed: ClassVar[str] = "experiments.edit"

    @act(
        operation_id="experiments_stop",
        summary="Stop assigning; what the assigned do goes on counting",
        responses={200: ExperimentShape},
        refusals=(404,),
    )
    def post(self, request: Request, key: str) -> Response:
        return Response(ExperimentShape(stop_experiment(experiment=_experiment(key), now=clock())).data)


class EndExperiment(APIView):
    permission_needed: ClassVar[str] = "experiments.edit"

    @act(
        operation_id="experiments_end",
        summary="End an experiment: nothing later counts",
        responses={200: ExperimentShape},
        refusals=(404,),
    )
    def post(self, request: Request, key: str) -> Response:
        return Response(ExperimentShape(end_experiment(experiment=_experiment(key), now=clock())).data)


class ExperimentResults(APIView):
    permission_needed: ClassVar[str] = "experiments.view"

    @extend_schema(
        operation_id="experiments_results",
        summary="What an experiment found",
        parameters=[AsOf],
        responses={200: ExperimentFoundShape, **problems(400, 404)},
    )
    def get(self, request: Request, key: str) -> Response:
        asking = Asking(now=clock())
        one = _experiment(key)
        as_of = asking.instant(AsOf.of(request), "as_of") or instant_shown(one, now=asking.now)
        found = results(experiment=one, as_of=as_of)
        return Response(ExperimentFoundShape(_written(found, asking.installation)).data)


class PlanAsked(Parameters):
    baseline = serializers.FloatField(required=False, help_text="The share today, 0 to 1; goes with lift.")
    lift = serializers.FloatField(required=False, help_text="The relative lift to find: 0.1 is 10 %.")
    deviation = serializers.FloatField(required=False, help_text="Of revenue per customer; goes with difference.")
    difference = serializers.FloatField(required=False, help_text="Of revenue per customer, to find.")
    power = serializers.FloatField(
        required=False, default=0.8, min_value=0.5, max_value=0.99, help_text="How surely it is to be found."
    )


class ExperimentPlan(APIView):
    permission_needed: ClassVar[str] = "experiments.view"

    @extend_schema(
        operation_id="experiments_plan",
        summary="How many customers an experiment needs",
        description="At 5 % false alarms, two-sided: of a share (baseline, lift) or of money (deviation, difference).",
        parameters=[PlanAsked],
        responses={200: ExperimentPlanShape, **problems(400)},
    )
    def get(self, request: Request) -> Response:
        asked = PlanAsked.of(request)
        given = {name for name in ("baseline", "lift", "deviation", "difference") if name in asked}
        try:
            if given == {"baseline", "lift"}:
                each = customers_for_rates(baseline=asked["baseline"], lift=asked["lift"], power=asked["power"])
            elif given == {"deviation", "difference"}:
                each = customers_for_means(
                    deviation=asked["deviation"], difference=asked["difference"], power=asked["power"]
                )
            else:
                raise QuestionError("baseline", "Say baseline and lift, or deviation and difference.")
        except (ValueError, OverflowError) as error:
            if isinstance(error, QuestionError):
                raise
            raise QuestionError(min(given), str(error)) from None
        return Response(ExperimentPlanShape({"customers_per_variant": each}).data)


def _experiment(key: str) -> Experiment:
    found = Experiment.objects.select_related("audience").filter(key=key).first()
    if found is None:
        raise NotThereError(key)
    return found


def _counted(found: Results, number: int, group: str) -> dict[str, Any]:
    where = list_address(f"group={group}&as_of={written(found.as_of)}") if number else None
    return {"number": number, "customers": where}


def _estimate(one: Estimate, factor: float) -> dict[str, Any]:
    told = {name: getattr(one, name) for name in ("value", "low", "high")}
    numbers = {name: None if value is None else round(value * factor, 9) for name, value in told.items()}
    return {**numbers, "reason": one.reason}


def _written(found: Results, installation: Installation) -> dict[str, Any]:
    one = found.experiment
    return {
        "experiment": one.key,
        "as_of": found.as_of,
        "verdict": found.verdict,
        "assigned": [
            {"variant": variant.key, "customers": _counted(found, count, group_name(one, "assigned", variant))}
            for variant, count in found.assigned
        ],
        "conflicting": _counted(found, found.conflicting, group_name(one, "conflicting")),
        "sample_ratio": found.ratio,
        "metrics": [_metric(found, metric, installation) for metric in found.metrics],
    }


def _metric(found: Results, metric: MetricResult, installation: Installation) -> dict[str, Any]:
    is_money, one = metric.unit == "money", found.experiment
    factor = 10**-installation.minor_digits if is_money else 100
    return {
        "metric": metric.document,
        "label": metric.label,
        "unit": installation.currency if is_money else metric.unit,
        "variants": [
            {
                "variant": each.variant.key,
                "counted": _counted(found, each.counted, group_name(one, "counted", each.variant, metric.place)),
                "converted": _counted(found, each.converted, group_name(one, "converted", each.variant, metric.place)),
                "mean": _estimate(each.mean, factor),
            }
            for each in metric.variants
        ],
        "compared": [
            {
                "variant": each.variant.key,
                "difference": _estimate(each.comparison.difference, factor),
                "lift": _estimate(each.comparison.lift, 100),
                "explained": None if each.explained is None else _estimate(each.explained.difference, factor),
                "p": each.p,
                "verdict": each.verdict,
            }
            for each in metric.compared
        ],
        "waiting": metric.waiting,
    }
