"""/api/v1/acquisition/: what it cost to win customers, by channel and by month of the first order, and what attribution
models credit channels with."""

from dataclasses import replace
from fractions import Fraction
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from clm.lib.periods import PRESETS, days
from clm.lib.questions import NotThereError
from customers.ingest import clock

from ..acquisition import Acquisition, ChannelRow, CohortRow, acquisition
from ..acquisition_asked import LAGS, parsed_asked
from ..attributed import Credit, group_name
from ..attribution.declared import DEFAULT_MODEL, GOALS, LONGEST_WINDOW, MODELS, WINDOWS
from ..behind import cohort_group
from ..cohorts import Asked as CohortAsked
from ..costs import Ratio, Spent
from ..days.kept import kept
from ..every_order import Orders, OrdersRow
from ..scope import COMPARISONS, parse_scope
from ..units import shown_number
from .answering import Instant, problems
from .asking import Asking, FromUntil
from .metrics import SourceShape, list_address
from .movement import CountedShape
from .stages import PeriodShape


class RatioShape(serializers.Serializer[Any]):
    """A quotient: money per customer, or a plain ratio."""

    value = serializers.FloatField(allow_null=True, help_text="Null: n/a; `note` says why.")
    note = serializers.CharField(allow_blank=True)
    low = serializers.FloatField(allow_null=True, help_text="Of the 95 % interval, by drawing customers again.")
    high = serializers.FloatField(allow_null=True)


class CreditShape(serializers.Serializer[Any]):
    """What is credited: customers in fractions, and money. All credits and what is unallocated sum to the whole."""

    customers = serializers.FloatField(help_text="Customers, in millionths exact.")
    revenue = serializers.FloatField(help_text="Of first orders, refunds that name them taken off.")
    value = serializers.FloatField(help_text="Of all orders so far, of the same customers.")
    behind = CountedShape(help_text="How many customers have any credit with it.")


class SpentShape(serializers.Serializer[Any]):
    """Null within a segment: spend is not recorded per customer."""

    blended = serializers.FloatField(allow_null=True)
    paid = serializers.FloatField(allow_null=True, help_text="Variable spend on media alone.")


class AttributedChannelShape(serializers.Serializer[Any]):
    channel = serializers.CharField()
    credit = CreditShape()
    touched = serializers.IntegerField(help_text="Customers with the channel in their path.")
    spend = SpentShape()
    cac_paid = RatioShape()
    cac_blended = RatioShape()
    cac_marginal = RatioShape(help_text="Of what more was spent than in the period compared with, per customer more.")
    worth = RatioShape(help_text="What a credited customer brought so far.")
    ltv_to_cac = RatioShape(help_text="That by cac_blended.")
    is_sparse = serializers.BooleanField(help_text="Markov only: fewer than 30 customers have it in their path.")
    by_model = serializers.DictField(child=serializers.FloatField(), help_text="Credited customers by each model.")


class AcquiredCohortShape(serializers.Serializer[Any]):
    """Those who first ordered in a month. payback: the first month, 0 being that of the first order, in which what one
    customer had brought reached cac_blended; null: not yet, or no cost is told."""

    month = serializers.DateField()
    is_over = serializers.BooleanField()
    customers = CountedShape()
    spend = SpentShape()
    cac_paid = RatioShape()
    cac_blended = RatioShape()
    worth = RatioShape()
    ltv_to_cac = RatioShape()
    cac_to_ltv = RatioShape()
    curve = serializers.ListField(
        child=serializers.FloatField(), help_text="What one customer had brought by the end of each month."
    )
    curve_complete = serializers.ListField(child=serializers.BooleanField(), help_text="Whether each month is over.")
    payback = serializers.IntegerField(allow_null=True)


class AllCohortsShape(serializers.Serializer[Any]):
    """The cohorts together that begin after records do: in the month in which records begin, customers look new who are
    not."""

    first = serializers.DateField(allow_null=True, help_text="The first month counted; null: there is none.")
    begin = serializers.DateField(
        allow_null=True, help_text="The day on which records begin, where months were left out for it."
    )
    customers = serializers.IntegerField()
    spend = SpentShape()
    cac_blended = RatioShape()
    worth = RatioShape()
    ltv_to_cac = RatioShape()
    cac_to_ltv = RatioShape()
    curve = serializers.ListField(child=serializers.FloatField())
    payback = serializers.IntegerField(allow_null=True)


class OrderCreditShape(serializers.Serializer[Any]):
    """What is credited of every order: orders in fractions, and their revenue."""

    orders = serializers.FloatField(help_text="Orders, in millionths exact.")
    revenue = serializers.FloatField(help_text="Of these orders, refunds that name them taken off.")
    behind = CountedShape(help_text="How many customers have an order with any credit.")


class OrdersChannelShape(serializers.Serializer[Any]):
    channel = serializers.CharField()
    credit = OrderCreditShape()
    touched = serializers.IntegerField(help_text="Orders with the channel in their path.")
    spend = SpentShape()
    cost_per_order_paid = RatioShape()
    cost_per_order_blended = RatioShape()
    revenue_per_spend = RatioShape()
    is_sparse = serializers.BooleanField(help_text="Markov only: fewer than 30 orders have it in their path.")
    by_model = serializers.DictField(child=serializers.FloatField(), help_text="Credited orders by each model.")


class EveryOrderShape(serializers.Serializer[Any]):
    """Every order of the period, credited to the channels of its path. Credits and what is unallocated sum to the
    revenue to the cent."""

    orders = serializers.IntegerField()
    customers = CountedShape(help_text="Who ordered.")
    revenue = serializers.FloatField()
    unallocated = OrderCreditShape(help_text="Of orders without a touch within the window.")
    cost_per_order_blended = RatioShape()
    revenue_per_spend = RatioShape()
    channels = OrdersChannelShape(many=True)


class PaidHintShape(serializers.Serializer[Any]):
    """What to know before believing the paid cost."""

    about = serializers.ChoiceField(
        choices=["unpaid_channels", "nobody_won"],
        help_text="unpaid_channels: media is booked where nobody pays for a click; nobody_won: it won nobody.",
    )
    channels = serializers.ListField(child=serializers.CharField())


class AcquisitionShape(serializers.Serializer[Any]):
    period = PeriodShape()
    as_of = Instant()
    currency = serializers.CharField()
    basis = serializers.CharField(help_text="What values are in: margin or revenue.")
    segment = serializers.CharField(allow_null=True)
    goal = serializers.CharField()
    attribution = serializers.CharField()
    window = serializers.IntegerField()
    lag = serializers.IntegerField()
    customers = CountedShape(help_text="Who ordered for the first time in the period.")
    credit = CreditShape(help_text="Of all of them.")
    unallocated = CreditShape(help_text="Of those without a touch within the window.")
    spend = SpentShape()
    cac_paid = RatioShape()
    paid_channels = serializers.ListField(
        child=serializers.CharField(), help_text="What counts as paid: channels with media spend in the period."
    )
    paid_hints = PaidHintShape(many=True)
    cac_blended = RatioShape()
    cac_marginal = RatioShape()
    every_order = EveryOrderShape(allow_null=True, help_text="Null unless goal is every.")
    channels = AttributedChannelShape(many=True)
    cohorts = AcquiredCohortShape(many=True)
    pooled = AllCohortsShape()
    made_up_spend = serializers.BooleanField(help_text="Whether some of the spend is the demonstration's.")
    sources = SourceShape(many=True)


class AcquisitionAsked(FromUntil):
    refused: ClassVar[dict[str, str]] = {
        "as_of": "costs of acquisition are told as of now",
    }

    period = serializers.CharField(
        required=False, max_length=20, help_text=f"Instead of from and until: {', '.join(PRESETS)}, today included."
    )
    compare = serializers.ChoiceField(
        choices=list(COMPARISONS), required=False, help_text="What marginal costs compare with."
    )
    attribution = serializers.ChoiceField(choices=list(MODELS), required=False, default=DEFAULT_MODEL)
    goal = serializers.ChoiceField(
        choices=list(GOALS),
        required=False,
        default=next(iter(GOALS)),
        help_text="first: what is credited are first orders; every: every order, in `every_order`.",
    )
    window = serializers.IntegerField(
        required=False,
        default=WINDOWS[0],
        min_value=1,
        max_value=LONGEST_WINDOW,
        help_text="Days before an order in which a touch counts.",
    )
    segment = serializers.CharField(
        required=False,
        max_length=60,
        help_text="Only customers who are in this segment now. What rests on spend is then null: it is not recorded "
        "per customer.",
    )
    lag = serializers.ChoiceField(
        choices=list(LAGS), required=False, default=LAGS[0], help_text="Months that spend lies before its customers."
    )


class AcquisitionCosts(APIView):
    permission_needed: ClassVar[str] = "metrics.view"

    @extend_schema(
        operation_id="acquisition_read",
        summary="What it cost to win customers, by channel and by month of the first order",
        description=(
            "Attribution gives credit; it does not say that a channel caused the orders. Credits of channels and what "
            "is unallocated sum to the whole exactly. The period is of whole days. 404 while it is not counted yet."
        ),
        parameters=[AcquisitionAsked],
        responses={200: AcquisitionShape, **problems(400, 404)},
    )
    def get(self, request: Request) -> Response:
        given = AcquisitionAsked.of(request)
        asking, counted = Asking(now=clock()), kept()
        asked = parsed_asked({name: str(given[name]) for name in ("attribution", "window", "lag", "goal")})
        parsed = parse_scope(
            {name: given[name] for name in ("period", "from", "until", "compare", "segment") if name in given},
            now=asking.now,
            counted=counted,
        )
        parsed.refuse()
        if counted.acquisition_known_at is None:
            raise NotThereError("how customers were won is not counted yet")
        found = acquisition(scope=parsed.scope, asked=asked)
        return Response(AcquisitionShape(_written(found, asking)).data)


def _written(found: Acquisition, asking: Asking) -> dict[str, Any]:
    digits = asking.installation.minor_digits

    def money(amount: Fraction | int) -> float | int | None:
        return shown_number(float(amount), "money", digits)

    def ratio(one: Ratio, unit: str = "money") -> dict[str, Any]:
        told = {
            name: None if number is None else shown_number(float(number), unit, digits)
            for name, number in (("value", one.number), ("low", one.low), ("high", one.high))
        }
        return {**told, "note": one.note}

    def spend(one: Spent) -> dict[str, Any]:
        if found.without_spend:
            return {"blended": None, "paid": None}
        return {"blended": money(one.blended), "paid": money(one.paid)}

    def behind(number: int, group: str, query: str = found.scope.query()) -> dict[str, Any]:
        return {"number": number, "customers": list_address(f"group={group}&{query}") if number else None}

    def credit(one: Credit, group: str) -> dict[str, Any]:
        return {
            "customers": float(one.credited),
            "revenue": money(one.revenue),
            "value": money(one.value),
            "behind": behind(one.customers, group),
        }

    def channel(one: ChannelRow) -> dict[str, Any]:
        return {
            "channel": one.key,
            "credit": credit(one.credit, group_name(first, one.key)),
            "touched": one.touched,
            "spend": spend(one.spent),
            "cac_paid": ratio(one.paid),
            "cac_blended": ratio(one.blended),
            "cac_marginal": ratio(one.marginal),
            "worth": ratio(one.worth),
            "ltv_to_cac": ratio(one.ltv_to_cac, "ratio"),
            "is_sparse": one.is_sparse,
            "by_model": {key: float(customers) for key, customers in (one.by_model or {}).items()},
        }

    def cohort(one: CohortRow) -> dict[str, Any]:
        period = days(start=one.start, until=one.until, zone=found.scope.period.zone)
        start, until = period.asked()
        query = f"from={start}&until={until}"
        if found.scope.segment is not None:
            query = replace(found.scope, period=period).query()
        group = cohort_group(CohortAsked(), one.start, None)
        return {
            "month": one.start,
            "is_over": one.is_over,
            "customers": behind(one.customers, group, query),
            "spend": spend(one.spent),
            "cac_paid": ratio(one.paid),
            "cac_blended": ratio(one.blended),
            "worth": ratio(one.worth),
            "ltv_to_cac": ratio(one.ltv_to_cac, "ratio"),
            "cac_to_ltv": ratio(one.cac_to_ltv, "ratio"),
            "curve": [money(reached) for reached, _is_over in one.curve],
            "curve_complete": [is_over for _reached, is_over in one.curve],
            "payback": one.payback,
        }

    def order_credit(one: Credit, key: str) -> dict[str, Any]:
        return {
            "orders": float(one.credited),
            "revenue": money(one.revenue),
            "behind": behind(one.customers, group_name(found.asked.attribution, key)),
        }

    def orders_row(one: OrdersRow) -> dict[str, Any]:
        return {
            "channel": one.key,
            "credit": order_credit(one.credit, one.key),
            "touched": one.touched,
            "spend": spend(one.spent),
            "cost_per_order_paid": ratio(one.paid),
            "cost_per_order_blended": ratio(one.blended),
            "revenue_per_spend": ratio(one.returned, "ratio"),
            "is_sparse": one.is_sparse,
            "by_model": {key: float(orders) for key, orders in (one.by_model or {}).items()},
        }

    def every(one: Orders) -> dict[str, Any]:
        return {
            "orders": one.number,
            "customers": behind(one.customers, "buyers"),
            "revenue": money(one.total.revenue),
            "unallocated": order_credit(one.unallocated, ""),
            "cost_per_order_blended": ratio(one.blended),
            "revenue_per_spend": ratio(one.returned, "ratio"),
            "channels": [orders_row(row) for row in one.channels],
        }

    hints = (("unpaid_channels", found.unpaid_with_media), ("nobody_won", found.media_without_customers))
    first = replace(found.asked.attribution, goal="first")
    pooled = found.pooled
    return {
        "period": found.scope.period,
        "as_of": found.scope.as_of,
        "currency": asking.installation.currency,
        "basis": found.basis,
        "segment": found.scope.segment.key if found.scope.segment else None,
        "goal": found.asked.attribution.goal,
        "attribution": found.asked.attribution.model,
        "window": found.asked.attribution.window,
        "lag": found.asked.lag,
        "customers": behind(found.customers, "first_paying"),
        "credit": credit(found.total, "first_paying"),
        "unallocated": credit(found.unallocated, group_name(first, "")),
        "spend": spend(found.spent),
        "cac_paid": ratio(found.paid),
        "paid_channels": list(found.paid_channels),
        "paid_hints": [{"about": about, "channels": [row.key for row in rows]} for about, rows in hints if rows],
        "cac_blended": ratio(found.blended),
        "cac_marginal": ratio(found.marginal),
        "every_order": None if found.orders is None else every(found.orders),
        "channels": [channel(one) for one in found.channels],
        "cohorts": [cohort(one) for one in found.cohorts],
        "pooled": {
            "first": pooled.first,
            "begin": pooled.begin,
            "customers": pooled.customers,
            "spend": spend(pooled.spent),
            "cac_blended": ratio(pooled.blended),
            "worth": ratio(pooled.worth),
            "ltv_to_cac": ratio(pooled.ltv_to_cac, "ratio"),
            "cac_to_ltv": ratio(pooled.cac_to_ltv, "ratio"),
            "curve": [money(reached) for reached in pooled.curve],
            "payback": pooled.payback,
        },
        "made_up_spend": bool(found.spent.made_up or pooled.spent.made_up),
        "sources": found.sources,
    }
