"""/api/v1/experiments/: experiments, their course, how many customers one needs, and what one found."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campaigns.experiments import (
    KINDS,
    change_experiment,
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

from ..experiments.ahead import instant_shown
from ..experiments.comparing import Estimate
from ..experiments.ending import Outcome, outcome
from ..experiments.planning import customers_for_means, customers_for_rates
from ..experiments.results import MetricResult, Results, VariantResult, group_name
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
    state = serializers.CharField(
        help_text="draft, assigning, running, stopped, ending (what it found is being counted) or ended."
    )
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
        help_text="Of peek-safe ones: the difference that would matter, a share (0.0001 to 1) or, of revenue, whole "
        "units of the currency (0.01 to 1,000,000).",
    )


class ExperimentNew(Body):
    key = serializers.CharField(max_length=60)
    name = serializers.CharField(max_length=1000)
    hypothesis = serializers.CharField(required=False, allow_blank=True, max_length=2000, default="")
    audience = serializers.CharField(required=False, allow_null=True, max_length=60, default=None)
    variants = ExperimentVariantTold(many=True, help_text="Two to ten, the control first.")
    metrics = ExperimentMetricTold(many=True, help_text="One to ten.")
    planned = serializers.IntegerField(min_value=2, max_value=10**9)
    mode = serializers.ChoiceField(choices=Experiment.Mode.choices, required=False, default=Experiment.Mode.FIXED)


class ExperimentChange(Body):
    """What is left out stays as it is."""

    name = serializers.CharField(required=False, max_length=1000)
    hypothesis = serializers.CharField(required=False, allow_blank=True, max_length=2000)
    audience = serializers.CharField(required=False, allow_null=True, max_length=60)
    variants = ExperimentVariantTold(required=False, many=True, help_text="All of them, the control first.")
    metrics = ExperimentMetricTold(required=False, many=True, help_text="All of them.")
    planned = serializers.IntegerField(required=False, min_value=2, max_value=10**9)
    mode = serializers.ChoiceField(required=False, choices=Experiment.Mode.choices)


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


class ExperimentCountedShape(serializers.Serializer[Any]):
    experiment = serializers.CharField()
    as_of = Instant()
    verdict = serializers.CharField(
        help_text="none (nobody assigned), blocked (the sample ratio), early (fixed horizon not reached yet), "
        "unreached (ended before it was reached), counting (it has ended, and what it found is being counted: nothing "
        "is told yet) or told."
    )
    assigned = VariantCountShape(many=True)
    conflicting = CountedShape(help_text="In two variants after merges; they count nowhere.")
    sample_ratio = SampleRatioShape()
    metrics = ExperimentMetricFoundShape(many=True)


class LearntSinceShape(serializers.Serializer[Any]):
    late = serializers.IntegerField(help_text="Touchpoints from before the end that arrived after it.")
    converted = serializers.IntegerField(help_text="Amounts that got an exchange rate after the end.")
    moved = serializers.IntegerField(help_text="Customers merged or taken apart after the end.")
    erased = serializers.IntegerField(help_text="Customers erased after the end.")
    goals = serializers.BooleanField(help_text="Whether what is to be reached is defined otherwise now.")
    types = serializers.BooleanField(help_text="Whether other touchpoints are orders or refunds now.")


class ExperimentCountingShape(serializers.Serializer[Any]):
    done = serializers.IntegerField(help_text="Metrics that are counted.")
    of = serializers.IntegerField(help_text="All of its metrics.")


class ExperimentFoundShape(ExperimentCountedShape):
    """Of one that has ended: what it told then, and beside it what the same counts say today. A number that a recount
    tells otherwise has no list of customers; that of the recount has."""

    told_at = Instant(allow_null=True, help_text="When what is told here was kept: its end. Null: counted as of as_of.")
    counting = ExperimentCountingShape(
        allow_null=True, help_text="How far the count is of what it found; null but for one whose end is being counted."
    )
    today = ExperimentCountedShape(allow_null=True, help_text="Counted anew; null where nothing was kept.")
    recounted_at = Instant(allow_null=True, help_text="As of when what today says is known.")
    agrees = serializers.BooleanField(help_text="Whether it was counted anew and says the same.")
    since = LearntSinceShape(allow_null=True, help_text="Why the two differ; null where they do not.")


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
    permission_needed: ClassVar[dict[str, str]] = {
        "GET": "experiments.view",
        "PATCH": "experiments.edit",
        "DELETE": "experiments.edit",
    }

    @extend_schema(
        operation_id="experiments_read",
        summary="One experiment",
        responses={200: ExperimentShape, **problems(400, 404)},
    )
    def get(self, request: Request, key: str) -> Response:
        NoParameters.of(request)
        return Response(ExperimentShape(_experiment(key)).data)

    @act(
        operation_id="experiments_change",
        summary="Have the draft of an experiment ask something else",
        description="What is left out stays as it is. One that was started is refused (409).",
        request=ExperimentChange,
        responses={200: ExperimentShape},
        refusals=(404,),
    )
    def patch(self, request: Request, key: str) -> Response:
        told = ExperimentChange.of_request(request)
        if "variants" in told:
            told["variants"] = [(one["key"], one["weight"]) for one in told["variants"]]
        found = _experiment(key)
        return Response(ExperimentShape(change_experiment(experiment=found, **{**_asked(found), **told})).data)

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
        summary="End an experiment: nothing later counts; workers count what it found, which is kept",
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
        as_of = asking.past(AsOf.of(request), "as_of") or instant_shown(one, now=asking.now)
        found = outcome(experiment=one, as_of=as_of)
        return Response(ExperimentFoundShape(_outcome(found, asking.installation)).data)


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


def _asked(found: Experiment) -> dict[str, Any]:
    """What an experiment asks, as the act takes it."""
    return {
        "name": found.name,
        "hypothesis": found.hypothesis,
        "audience": found.audience.key if found.audience is not None else None,
        "variants": [(one.key, one.weight) for one in found.variants.all()],
        "metrics": found.metrics,
        "planned": found.planned,
        "mode": found.mode,
    }


def _outcome(found: Outcome, installation: Installation) -> dict[str, Any]:
    told = _written(found.told, installation, anew=found.today or found.told, gone=found.gone)
    today = found.today and _written(found.today, installation, anew=found.today, gone=found.gone)
    return {
        **told,
        "told_at": found.told_at,
        "counting": found.counting,
        "today": today,
        "recounted_at": found.recounted_at,
        "agrees": found.agrees,
        "since": found.since,
    }


def _counted(found: Results, number: int, group: str, anew: int | None) -> dict[str, Any]:
    """A number and the list of its customers. Lists count anew, so there is one only where a recount says the same;
    anew: what it says, None where nothing can be counted anew."""
    where = list_address(f"group={group}&as_of={written(found.as_of)}") if number and number == anew else None
    return {"number": number, "customers": where}


def _estimate(one: Estimate, factor: float) -> dict[str, Any]:
    told = {name: getattr(one, name) for name in ("value", "low", "high")}
    numbers = {name: None if value is None else round(value * factor, 9) for name, value in told.items()}
    return {**numbers, "reason": one.reason}


def _written(found: Results, installation: Installation, *, anew: Results, gone: frozenset[int]) -> dict[str, Any]:
    """anew: what a recount says; gone: places of metrics that cannot be counted anew."""
    one, is_told = found.experiment, found.verdict != "counting"
    assigned = zip(found.assigned if is_told else (), anew.assigned if is_told else (), strict=True)
    return {
        "experiment": one.key,
        "as_of": found.as_of,
        "verdict": found.verdict,
        "assigned": [
            {"variant": variant.key, "customers": _counted(found, count, group_name(one, "assigned", variant), other)}
            for (variant, count), (_variant, other) in assigned
        ],
        "conflicting": _counted(found, found.conflicting, group_name(one, "conflicting"), anew.conflicting),
        "sample_ratio": found.ratio,
        "metrics": [
            _metric(found, metric, installation, anew=other, is_gone=metric.place in gone)
            for metric, other in zip(found.metrics, anew.metrics, strict=True)
            if is_told
        ],
    }


def _metric(
    found: Results, metric: MetricResult, installation: Installation, *, anew: MetricResult, is_gone: bool
) -> dict[str, Any]:
    is_money = metric.unit == "money"
    factor = 10**-installation.minor_digits if is_money else 100

    def counted(which: str, each: VariantResult, other: VariantResult) -> dict[str, Any]:
        group = group_name(found.experiment, which, each.variant, metric.place)
        return _counted(found, getattr(each, which), group, None if is_gone else getattr(other, which))

    return {
        "metric": metric.document,
        "label": metric.label,
        "unit": installation.currency if is_money else metric.unit,
        "variants": [
            {
                "variant": each.variant.key,
                "counted": counted("counted", each, other),
                "converted": counted("converted", each, other),
                "mean": _estimate(each.mean, factor),
            }
            for each, other in zip(metric.variants, anew.variants, strict=True)
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
