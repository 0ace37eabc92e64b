"""/api/v1/exchange-rates/missing/, .../file/ and /api/v1/conversions/: money that waits for an exchange rate, a file of
rates, and how far converting what waits has come."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from clm.lib.problems import BadInput
from customers.conversions import ask_to_convert
from customers.ingest import clock
from customers.models import Conversion
from customers.rate_file import LONGEST, checked, enter_lines

from ..left_out import waiting_days, waiting_touchpoints
from .acting import act
from .answering import Instant, page, page_of, problems
from .asking import Body, Paged
from .customers import author_of
from .drafting import author_id
from .lists import ListView
from .spend_file import MOST_FAULTS, faulty_lines, line_errors


class MissingShape(serializers.Serializer[Any]):
    currency = serializers.CharField(help_text="Empty: the messages said none that there is.")
    day = serializers.DateField(help_text="Of UTC, by which rates are looked up.")
    touchpoints = serializers.IntegerField()
    amount = serializers.DecimalField(max_digits=30, decimal_places=4, help_text="The sum as it was sent.")


class MissingAsked(Paged):
    currency = serializers.CharField(required=False, max_length=3, help_text='"-": those that are none.')


class MissingRates(APIView):
    permission_needed: ClassVar[str] = "metrics.view"

    @extend_schema(
        operation_id="exchange_rates_missing",
        summary="Money that waits for an exchange rate, by currency and day, the latest day first",
        description="It is stored as it was sent, and no figure counts it.",
        parameters=[MissingAsked],
        responses={200: page_of(MissingShape, "MissingRatePage"), **problems(400)},
    )
    def get(self, request: Request) -> Response:
        told = MissingAsked.of(request)
        found = waiting_days(
            currency=told.get("currency", ""), cursor_text=told.get("cursor"), page_size=told["page_size"]
        )
        return Response(page(request, MissingShape(found.rows, many=True).data, following=found.next_cursor))


class WaitingShape(serializers.Serializer[Any]):
    id = serializers.CharField(help_text="Of the touchpoint.")
    customer = serializers.CharField()
    known_as = serializers.CharField()
    type = serializers.CharField()
    role = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]
    at = Instant()
    currency = serializers.CharField()
    original_amount = serializers.DecimalField(max_digits=18, decimal_places=4)
    order_ref = serializers.CharField()


class WaitingAsked(MissingAsked):
    day = serializers.DateField(required=False, help_text="Of UTC.")


class WaitingTouchpoints(APIView):
    permission_needed: ClassVar[str] = "customers.view"

    @extend_schema(
        operation_id="exchange_rates_missing_touchpoints",
        summary="The touchpoints whose money waits for an exchange rate, the last to arrive first",
        parameters=[WaitingAsked],
        responses={200: page_of(WaitingShape, "WaitingTouchpointPage"), **problems(400)},
    )
    def get(self, request: Request) -> Response:
        told = WaitingAsked.of(request)
        found = waiting_touchpoints(
            currency=told.get("currency", ""),
            day=told.get("day"),
            cursor_text=told.get("cursor"),
            page_size=told["page_size"],
        )
        return Response(page(request, WaitingShape(found.rows, many=True).data, following=found.next_cursor))


class RateFile(Body):
    text = serializers.CharField(
        max_length=LONGEST,
        trim_whitespace=False,
        help_text="CSV: currency, day, rate; or day and a column for each currency.",
    )
    inverse = serializers.BooleanField(
        required=False,
        help_text="True: the file says how much of the other currency one unit of the reporting one buys.",
    )


class RateFileEntered(serializers.Serializer[Any]):
    new = serializers.IntegerField()
    changed = serializers.IntegerField(help_text="Rates that replaced another one of their day.")


class EnterRateFile(APIView):
    permission_needed: ClassVar[str] = "rates.edit"

    @act(
        operation_id="exchange_rates_enter_file",
        summary="Enter a file of exchange rates, all of it or nothing",
        description=(
            "With a faulty line nothing is entered (400), and every fault is told with its line, at most "
            f"{MOST_FAULTS} of them. Stored money that waits for one of the rates is then converted by the workers."
        ),
        request=RateFile,
        responses={200: RateFileEntered},
    )
    def post(self, request: Request) -> Response:
        told = RateFile.of_request(request)
        found = checked(text=told["text"], inverse=told.get("inverse", False))
        if found.count("faulty"):
            raise BadInput(faulty_lines(found.count("faulty")), errors=line_errors(found.lines))
        new, changed, currencies = enter_lines(
            text=told["text"], inverse=told.get("inverse", False), source=author_of(request)
        )
        ask_to_convert(currencies=currencies, author=author_id(request), now=clock())
        return Response(RateFileEntered({"new": new, "changed": changed}).data)


class RateConversionShape(serializers.Serializer[Any]):
    id = serializers.CharField()
    currency = serializers.CharField()
    total = serializers.IntegerField(help_text="How many touchpoints waited when it began.")
    looked_at = serializers.IntegerField()
    converted = serializers.IntegerField()
    asked_at = Instant()
    finished_at = Instant(allow_null=True)
    failed_at = Instant(allow_null=True)
    error = serializers.CharField()


class Conversions(ListView):
    permission_needed: ClassVar[str] = "metrics.view"
    queryset = Conversion.objects.all()
    serializer_class = RateConversionShape

    @extend_schema(
        operation_id="conversions_list",
        summary="Conversions of stored money that new rates made possible, newest first",
        responses={200: RateConversionShape(many=True), **problems(400)},
    )
    def get(self, request: Request) -> Response:
        return self.listed(request)
