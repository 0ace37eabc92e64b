"""/api/v1/value/: what customers are expected to be worth, how that was found, and what is said of one customer."""

from fractions import Fraction
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from clm.lib.questions import NotThereError
from customers.ingest import clock

from ..customer_record import found_customer
from ..scores import CustomerScore, counts, latest_scoring, margin_percent, scores_of, totals
from ..units import shown_number
from ..value import arithmetic
from .answering import Instant, page, page_of, problems
from .asking import Asking, NoParameters, asked_id

_MONTHS = (12, 24, 36)


class ExpectedShape(serializers.Serializer[Any]):
    """Money expected within some months, discounted."""

    months = serializers.IntegerField()
    money = serializers.FloatField(allow_null=True, help_text="Null: the data do not tell.")


class FittedParameterShape(serializers.Serializer[Any]):
    name = serializers.CharField()
    value = serializers.FloatField(help_text="Times in days; v of Gamma-Gamma in minor units.")
    error = serializers.FloatField(allow_null=True, help_text="Standard error.")


class HoldoutShape(serializers.Serializer[Any]):
    """Repeat orders in days that the model had not seen."""

    days = serializers.IntegerField()
    foretold = serializers.FloatField()
    came = serializers.IntegerField()
    error = serializers.FloatField(allow_null=True, help_text="As a share of what came.")


class FitShape(serializers.Serializer[Any]):
    key = serializers.CharField()
    name = serializers.CharField()
    verdict = serializers.CharField(help_text="fitted, not_enough_data, no_top, or dropout_not_identified.")
    customers = serializers.IntegerField()
    repeaters = serializers.IntegerField()
    parameters = FittedParameterShape(many=True)
    log_likelihood = serializers.FloatField(allow_null=True)
    holdout = HoldoutShape(allow_null=True)


class ScoreStepShape(serializers.Serializer[Any]):
    score = serializers.CharField(help_text="alive, risk (tenths of a probability), worth (tenths of all), or rfm.")
    step = serializers.IntegerField(help_text="0: not told. Of rfm three classes as one number.")
    count = serializers.IntegerField()
    customers = serializers.CharField(allow_null=True, help_text="The address of the customers behind it.")


class RiskShape(serializers.Serializer[Any]):
    """How good the risk of ordering nothing was on the last days: mean squared errors, lower is better."""

    days = serializers.IntegerField()
    refused = serializers.CharField(allow_blank=True, help_text="Why no risk is told: too_short, thin or no_model.")
    error = serializers.FloatField(allow_null=True)
    naive_error = serializers.FloatField(allow_null=True, help_text="Of a guess from how long others had been quiet.")
    base_error = serializers.FloatField(allow_null=True, help_text="Of saying the same of everybody.")
    uncorrected_error = serializers.FloatField(
        allow_null=True, help_text="Of the model alone, without the correction by how such forecasts came true before."
    )
    is_corrected = serializers.SerializerMethodField(help_text="Whether the risk is told with that correction.")

    def get_is_corrected(self, risk: dict[str, Any]) -> bool:
        return risk.get("told") is not None


class ValueShape(serializers.Serializer[Any]):
    as_of = serializers.DateField()
    computed_at = Instant()
    currency = serializers.CharField()
    basis = serializers.CharField(help_text="margin or revenue")
    customers = serializers.IntegerField()
    alive = serializers.FloatField(allow_null=True, help_text="How many are expected to be customers still.")
    expected = ExpectedShape(many=True)
    shown = serializers.CharField(help_text="The key of the fit that probabilities and orders are by.")
    fits = FitShape(many=True)
    risk = RiskShape()
    steps = ScoreStepShape(many=True)


class LastingShape(serializers.Serializer[Any]):
    months = serializers.IntegerField()
    probability = serializers.FloatField(help_text="That the contract still runs then.")


class ContractShape(serializers.Serializer[Any]):
    renewals = serializers.IntegerField(help_text="Whole months that it has run.")
    lasting = LastingShape(many=True)


class CustomerScoreShape(serializers.Serializer[Any]):
    as_of = serializers.DateField()
    model = serializers.CharField()
    alive = serializers.FloatField(allow_null=True, help_text="The probability of being a customer still.")
    risk = serializers.FloatField(allow_null=True, help_text="The probability of ordering nothing within risk_days.")
    risk_days = serializers.IntegerField()
    basis = serializers.CharField(help_text="margin or revenue")
    expected = ExpectedShape(many=True)
    recency_days = serializers.IntegerField(help_text="Days since the last order.")
    frequency = serializers.IntegerField(help_text="Days with an order.")
    monetary = serializers.FloatField(help_text="Net revenue of all orders.")
    rfm = serializers.IntegerField(help_text="The classes of the three as one number; 5 is best, 0: under contract.")
    contract = ContractShape(allow_null=True, help_text="Of the contract that runs; null without one.")


def _expected(money: tuple[Fraction | int | None, ...], digits: int) -> list[dict[str, Any]]:
    return [
        {"months": months, "money": None if one is None else shown_number(float(one), "money", digits)}
        for months, one in zip(_MONTHS, money, strict=True)
    ]


class Value(APIView):
    permission_needed: ClassVar[str] = "metrics.view"

    @extend_schema(
        operation_id="value_read",
        summary="What customers are expected to be worth, and how the models did on the past",
        description=(
            "As of the end of the last day that was scored. 404 while nothing was scored: without orders, or before "
            "the first time."
        ),
        responses={200: ValueShape, **problems(400, 404)},
    )
    def get(self, request: Request) -> Response:
        NoParameters.of(request)
        scoring, asking = latest_scoring(), Asking(now=clock())
        if scoring is None:
            raise NotThereError("nothing is scored yet")
        document, margin, whole = scoring.document, margin_percent(), totals(scoring=scoring)
        digits = asking.installation.minor_digits
        money = tuple(None if one is None else arithmetic.margin(one, margin) for one in whole.worth)
        answer = {
            "as_of": scoring.as_of,
            "computed_at": scoring.done_at,
            "currency": asking.installation.currency,
            "basis": "revenue" if margin is None else "margin",
            "customers": whole.customers,
            "alive": whole.alive,
            "expected": _expected(money, digits),
            "shown": document["shown"],
            "fits": document["fits"],
            "risk": {**dict.fromkeys(("error", "naive_error", "base_error", "uncorrected_error")), **document["risk"]},
            "steps": [
                {"score": kind, "step": step, "count": count, "customers": _address(kind, step)}
                for kind, of in counts(scoring=scoring).items()
                for step, count in sorted(of.items())
            ],
        }
        return Response(ValueShape(answer).data)


def _address(kind: str, step: int) -> str | None:
    return f"/api/v1/customers/?group=score:{kind}:{step}" if step else None


class CustomerScores(APIView):
    permission_needed: ClassVar[str] = "customers.view"

    @extend_schema(
        operation_id="customers_scores",
        summary="What the value models say of a customer: the latest, and at ends of months",
        description=(
            "Empty for customers who have ordered nothing, and for those whose contract has ended. Under contract it "
            "is what is paid and how likely it goes on, as it was for those who came as far."
        ),
        responses={200: page_of(CustomerScoreShape, "CustomerScorePage"), **problems(400, 404)},
    )
    def get(self, request: Request, customer: str) -> Response:
        NoParameters.of(request)
        found, _merged_into = found_customer(asked_id(customer))
        digits = Asking(now=clock()).installation.minor_digits
        return Response(page(request, [_written(one, digits) for one in scores_of(customer=found.pk)]))


def _written(one: CustomerScore, digits: int) -> dict[str, Any]:
    told = {
        "as_of": one.as_of,
        "model": one.model,
        "alive": one.alive,
        "risk": one.risk,
        "risk_days": one.risk_days,
        "basis": "margin" if one.is_margin else "revenue",
        "expected": _expected(one.worth, digits),
        "recency_days": one.silent_days,
        "frequency": one.orders,
        "monetary": shown_number(one.revenue, "money", digits),
        "rfm": one.rfm,
        "contract": None,
    }
    if one.renewals is not None:
        lasting = [{"months": months, "probability": share} for months, share in zip(_MONTHS, one.lasting, strict=True)]
        told["contract"] = {"renewals": one.renewals, "lasting": lasting}
    return dict(CustomerScoreShape(told).data)
