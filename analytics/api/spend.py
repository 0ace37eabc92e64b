"""/api/v1/spend/ and /api/v1/exchange-rates/: what marketing cost, and what other currencies are worth."""

from typing import Any, ClassVar

from django.utils.translation import gettext_lazy
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campaigns.models import Spend
from campaigns.spending import change_spend, delete_spend, enter_spend
from clm.lib.questions import NotThereError
from customers.conversions import ask_to_convert
from customers.ingest import clock
from customers.models import ExchangeRate
from customers.rates import enter_rate, remove_rate

from .acting import act
from .answering import Amount, problems
from .asking import AmountGiven, Asking, Body, NoParameters, asked_id
from .customers import author_of
from .drafting import author_id
from .lists import DayFilter, ListView, TruthFilter, text_filter


# --- spend ----------------------------------------------------------------------------------------------------
class SpendShape(serializers.Serializer[Any]):
    id = serializers.CharField()
    channel = serializers.CharField(source="channel.key")
    campaign = serializers.CharField(source="campaign.key", allow_null=True, default=None)
    day = serializers.DateField()
    amount = serializers.DecimalField(
        source="original_amount", max_digits=18, decimal_places=4, help_text="As it was entered, in `currency`."
    )
    currency = serializers.CharField()
    reported = Amount(source="amount", help_text="In the reporting currency, at the rate of the day.")
    is_paid_media = serializers.BooleanField(help_text="False for salaries and tools, which only blended CAC counts.")


class SpendNew(Body):
    channel = serializers.CharField(max_length=60)
    day = serializers.DateField(help_text="Of the business time zone; not in the future.")
    amount = AmountGiven()
    currency = serializers.CharField(required=False, max_length=3, help_text="Default: the reporting currency.")
    campaign = serializers.CharField(required=False, allow_null=True, max_length=100, help_text="The key of one.")
    is_paid_media = serializers.BooleanField(required=False, help_text="Default: true.")


class SpendTold(Body):
    channel = serializers.CharField(required=False, max_length=60)
    day = serializers.DateField(required=False)
    amount = AmountGiven(required=False)
    currency = serializers.CharField(required=False, max_length=3)
    campaign = serializers.CharField(required=False, allow_null=True, max_length=100)
    is_paid_media = serializers.BooleanField(required=False)


class SpendFilters(filters.FilterSet):
    channel = text_filter(longest=60, field_name="channel__key")
    campaign = text_filter(longest=100, field_name="campaign__key")
    day_from = DayFilter(field_name="day", lookup_expr="gte", help_text="Included.")
    day_until = DayFilter(field_name="day", lookup_expr="lt", help_text="Excluded.")
    currency = text_filter(longest=3)
    is_paid_media = TruthFilter()

    class Meta:
        model = Spend
        fields: ClassVar[list[str]] = []


class AllSpend(ListView):
    permission_needed: ClassVar[dict[str, str]] = {"GET": "campaigns.view", "POST": "spend.edit"}
    queryset = Spend.objects.select_related("channel", "campaign")
    serializer_class = SpendShape
    filterset_class = SpendFilters

    @extend_schema(
        operation_id="spend_list",
        summary="What was spent, last entered first",
        responses={200: SpendShape(many=True), **problems(400)},
    )
    def get(self, request: Request) -> Response:
        return self.listed(request)

    @act(
        operation_id="spend_create",
        summary="Enter what was spent on one day",
        request=SpendNew,
        responses={201: SpendShape},
    )
    def post(self, request: Request) -> Response:
        asking = Asking(now=clock())
        spend = enter_spend(**SpendNew.of_request(request), now=asking.now)
        where = {"Location": f"/api/v1/spend/{spend.pk}/"}
        shown = SpendShape(_spend(str(spend.pk)), context=asking.context).data
        return Response(shown, status=status.HTTP_201_CREATED, headers=where)


class OneSpend(APIView):
    permission_needed: ClassVar[dict[str, str]] = {
        "GET": "campaigns.view",
        "PATCH": "spend.edit",
        "DELETE": "spend.edit",
    }

    @extend_schema(
        operation_id="spend_read", summary="One entry of spend", responses={200: SpendShape, **problems(400, 404)}
    )
    def get(self, request: Request, spend: str) -> Response:
        NoParameters.of(request)
        return Response(SpendShape(_spend(spend), context=Asking(now=clock()).context).data)

    @act(
        operation_id="spend_change",
        summary="Correct an entry of spend",
        request=SpendTold,
        responses={200: SpendShape},
        refusals=(404,),
    )
    def patch(self, request: Request, spend: str) -> Response:
        asking, found = Asking(now=clock()), _spend(spend)
        change_spend(spend=found, changes=SpendTold.of_request(request), now=asking.now)
        return Response(SpendShape(_spend(spend), context=asking.context).data)

    @act(
        operation_id="spend_delete",
        summary="Take an entry of spend back",
        responses={204: None},
        refusals=(404,),
    )
    def delete(self, request: Request, spend: str) -> Response:
        delete_spend(spend=_spend(spend))
        return Response(status=status.HTTP_204_NO_CONTENT)


def _spend(text: str) -> Spend:
    found = Spend.objects.select_related("channel", "campaign").filter(pk=asked_id(text)).first()
    if found is None:
        raise NotThereError(text)
    return found


# --- exchange rates -------------------------------------------------------------------------------------------
class RateShape(serializers.Serializer[Any]):
    id = serializers.CharField()
    currency = serializers.CharField()
    day = serializers.DateField(help_text="It holds from this day on, until the next day with a rate.")
    rate = serializers.DecimalField(
        max_digits=20, decimal_places=10, help_text="What one unit is worth in the reporting currency."
    )
    source = serializers.CharField()  # type: ignore[assignment]


class RateNew(Body):
    currency = serializers.CharField(max_length=3)
    day = serializers.DateField(help_text="At most a year ahead.")
    rate = serializers.DecimalField(
        max_digits=20,
        decimal_places=10,
        error_messages={"invalid": gettext_lazy("Write a rate with a point before its decimal places, like 0.8571.")},
    )


class RateFilters(filters.FilterSet):
    currency = text_filter(longest=3)
    day_from = DayFilter(field_name="day", lookup_expr="gte", help_text="Included.")
    day_until = DayFilter(field_name="day", lookup_expr="lt", help_text="Excluded.")

    class Meta:
        model = ExchangeRate
        fields: ClassVar[list[str]] = []


class Rates(ListView):
    permission_needed: ClassVar[dict[str, str]] = {"GET": "campaigns.view", "POST": "rates.edit"}
    queryset = ExchangeRate.objects.all()
    serializer_class = RateShape
    filterset_class = RateFilters

    @extend_schema(
        operation_id="exchange_rates_list",
        summary="Exchange rates, last entered first",
        responses={200: RateShape(many=True), **problems(400)},
    )
    def get(self, request: Request) -> Response:
        return self.listed(request)

    @act(
        operation_id="exchange_rates_create",
        summary="Enter an exchange rate",
        description=(
            "One entered for the same currency and day is replaced, which is answered with 200. It counts for what "
            "arrives from now on, and for stored money that waits for a rate; what is converted stays so."
        ),
        request=RateNew,
        responses={201: RateShape, 200: RateShape},
    )
    def post(self, request: Request) -> Response:
        rate, is_new = enter_rate(**RateNew.of_request(request), source=author_of(request))
        rate.refresh_from_db()
        ask_to_convert(currencies=[rate.currency], author=author_id(request), now=clock())
        where = {"Location": f"/api/v1/exchange-rates/{rate.pk}/"}
        code = status.HTTP_201_CREATED if is_new else status.HTTP_200_OK
        return Response(RateShape(rate).data, status=code, headers=where)


class OneRate(APIView):
    permission_needed: ClassVar[dict[str, str]] = {"GET": "campaigns.view", "DELETE": "rates.edit"}

    @extend_schema(
        operation_id="exchange_rates_read",
        summary="One exchange rate",
        responses={200: RateShape, **problems(400, 404)},
    )
    def get(self, request: Request, rate: str) -> Response:
        NoParameters.of(request)
        return Response(RateShape(_rate(rate)).data)

    @act(
        operation_id="exchange_rates_delete",
        summary="Forget an exchange rate",
        responses={204: None},
        refusals=(404,),
    )
    def delete(self, request: Request, rate: str) -> Response:
        remove_rate(rate=_rate(rate))
        return Response(status=status.HTTP_204_NO_CONTENT)


def _rate(text: str) -> ExchangeRate:
    found = ExchangeRate.objects.filter(pk=asked_id(text)).first()
    if found is None:
        raise NotThereError(text)
    return found
