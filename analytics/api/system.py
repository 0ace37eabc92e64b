"""/api/v1/installation/ and /api/v1/system/: what the installation counts in, and how it is doing."""

from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from clm.lib.questions import NotThereError, QuestionError
from customers.ingest import clock
from customers.models import Installation
from lifecycle.configuration import ConfigurationError, configure
from lifecycle.models import HotCustomer, Parked, Replay
from lifecycle.parking import unpark
from lifecycle.replay import progress

from ..models import Counting
from ..system import system_state
from .acting import act
from .answering import Instant, problems
from .asking import Body, NoParameters, asked_id
from .lists import ListView, TruthFilter

_TIME = _("Write a time like 09:00; 24:00 is the end of the day.")


# --- what it counts in ----------------------------------------------------------------------------------------
class InstallationShape(serializers.Serializer[Any]):
    name = serializers.CharField()
    currency = serializers.CharField(help_text="The reporting currency.")
    minor_digits = serializers.IntegerField()
    time_zone = serializers.CharField(help_text="Whose calendar days count.")
    lapse_days = serializers.IntegerField(help_text="What L means in rules.")
    news_hours = serializers.IntegerField(help_text="After so many hours a change is no longer news.")
    margin_percent = serializers.DecimalField(max_digits=5, decimal_places=2, allow_null=True)
    support_days = serializers.CharField(help_text="On which days support works: ISO numbers, Monday is 1.")
    support_opens = serializers.CharField(help_text="In the business time zone, like 09:00.")
    support_closes = serializers.CharField(help_text="Like 17:00; 24:00 is the end of the day.")


class InstallationTold(Body):
    name = serializers.CharField(required=False, max_length=100)
    news_hours = serializers.IntegerField(required=False, min_value=0, max_value=8760)
    margin_percent = serializers.DecimalField(
        required=False, allow_null=True, max_digits=5, decimal_places=2, min_value=0, max_value=100
    )
    support_days = serializers.RegexField(
        r"^(?=.)1?2?3?4?5?6?7?$",
        required=False,
        help_text="ISO numbers in their order, Monday is 1: 12345.",
        error_messages={"invalid": _("Write the days as numbers in their order, Monday is 1: 12345.")},
    )
    support_opens = serializers.RegexField(
        r"^([01][0-9]|2[0-3]):[0-5][0-9]$", required=False, error_messages={"invalid": _TIME}
    )
    support_closes = serializers.RegexField(
        r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$", required=False, error_messages={"invalid": _TIME}
    )


class OneInstallation(APIView):
    permission_needed: ClassVar[dict[str, str]] = {"GET": "overview.view", "PATCH": "installation.edit"}

    @extend_schema(
        operation_id="installation_read",
        summary="What this installation counts in",
        responses={200: InstallationShape, **problems(400)},
    )
    def get(self, request: Request) -> Response:
        NoParameters.of(request)
        return Response(InstallationShape(Installation.current()).data)

    @act(
        operation_id="installation_change",
        summary="Change the name, the news window, the margin or the hours of support",
        description=(
            "Currency, time zone and L decide what is stored; they are chosen before anything is, by "
            "`manage.py configure`."
        ),
        request=InstallationTold,
        responses={200: InstallationShape},
    )
    def patch(self, request: Request) -> Response:
        told = InstallationTold.of_request(request)
        try:
            changed = configure(changes=told, now=clock())
        except ConfigurationError as error:
            raise QuestionError(next(iter(told), ""), str(error)) from None
        return Response(InstallationShape(changed).data)


# --- how it is doing ------------------------------------------------------------------------------------------
class FaultShape(serializers.Serializer[Any]):
    trouble = serializers.CharField(help_text="The class of the error, and where it was raised.")
    error = serializers.CharField()
    customers = serializers.IntegerField()
    tries = serializers.IntegerField()
    first_at = Instant()
    last_at = Instant()
    retry_at = Instant()


class CountingShape(serializers.Serializer[Any]):
    statistic = serializers.CharField()
    version = serializers.IntegerField()
    state = serializers.ChoiceField(choices=Counting.State.choices)
    known_at = Instant()
    last_day = serializers.DateField()
    done_at = Instant(allow_null=True)


class ProgressShape(serializers.Serializer[Any]):
    statistic = serializers.CharField()
    started_at = Instant()
    customers_done = serializers.IntegerField()
    customers = serializers.IntegerField()
    ready_at = Instant(allow_null=True, help_text="At the pace so far; null before the first part is counted.")


class BrokenShape(serializers.Serializer[Any]):
    identity = serializers.CharField()
    version = serializers.IntegerField()
    day = serializers.DateField()
    said = serializers.CharField()
    found_at = Instant()


class SilentWebhookShape(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="pk")
    url = serializers.CharField()
    disabled_at = Instant()
    disabled_because = serializers.CharField()


class SystemShape(serializers.Serializer[Any]):
    now = Instant()
    database = serializers.CharField()
    customers = serializers.IntegerField()
    touchpoints = serializers.IntegerField()
    database_bytes = serializers.IntegerField()
    stale_rows = serializers.IntegerField(help_text="Changes that wait to be looked at.")
    overdue = serializers.IntegerField(help_text="Customers whose due date has passed.")
    unsequenced = serializers.IntegerField(help_text="Announcements without a place in their order yet.")
    all_visible = serializers.FloatField(
        allow_null=True,
        help_text="The share, 0 to 1, of the touchpoint table that a replay reads from its index alone.",
    )
    parked = serializers.IntegerField(help_text="Customers that could not be brought up to date.")
    hot = serializers.IntegerField(help_text="Customers with so many touchpoints that each waits for its minute.")
    faults = FaultShape(
        many=True, help_text="What the program raises for many customers at once; nobody is parked for it."
    )
    counted = CountingShape(many=True, help_text="How far the figures that are kept per day are counted.")
    counting = ProgressShape(
        many=True, help_text="What of them is being counted from the beginning, and how far it is."
    )
    broken = BrokenShape(
        many=True, help_text="Identities between kept figures that do not hold: mistakes of the program."
    )
    silent_webhooks = SilentWebhookShape(many=True, help_text="Webhooks that are switched off and told nothing.")


class System(APIView):
    permission_needed: ClassVar[str] = "system.manage"

    @extend_schema(
        operation_id="system_read",
        summary="How the installation is doing",
        responses={200: SystemShape, **problems(400)},
    )
    def get(self, request: Request) -> Response:
        NoParameters.of(request)
        state = system_state()
        counted = {"parked": Parked.objects.count(), "hot": HotCustomer.objects.count()}
        fields: Any = SystemShape().fields
        shown = {name: getattr(state, name) for name in fields if name not in counted}
        return Response(SystemShape(shown | counted).data)


class ParkedShape(serializers.Serializer[Any]):
    customer = serializers.CharField(source="pk")
    error = serializers.CharField()
    attempts = serializers.IntegerField()
    parked_at = Instant()


class ParkedCustomers(ListView):
    permission_needed: ClassVar[str] = "system.manage"
    queryset = Parked.objects.all()
    serializer_class = ParkedShape

    @extend_schema(
        operation_id="parked_list",
        summary="Customers that could not be brought up to date, and why",
        responses={200: ParkedShape(many=True), **problems(400)},
    )
    def get(self, request: Request) -> Response:
        return self.listed(request)


class RetryParked(APIView):
    permission_needed: ClassVar[dict[str, str]] = {"POST": "system.manage"}

    @act(
        operation_id="parked_retry",
        summary="Try a parked customer again",
        responses={204: None},
        refusals=(404,),
    )
    def post(self, request: Request, customer: str) -> Response:
        number = asked_id(customer)
        if not Parked.objects.filter(pk=number).exists():
            raise NotThereError(customer)
        unpark(customer=number)
        return Response(status=204)


class HotShape(serializers.Serializer[Any]):
    customer = serializers.CharField(source="pk")
    touchpoints = serializers.IntegerField()
    not_before = Instant(help_text="Its next turn.")


class HotCustomers(ListView):
    permission_needed: ClassVar[str] = "system.manage"
    queryset = HotCustomer.objects.all()
    serializer_class = HotShape

    @extend_schema(
        operation_id="hot_customers_list",
        summary="Customers with so many touchpoints that each is brought up to date once a minute",
        responses={200: HotShape(many=True), **problems(400)},
    )
    def get(self, request: Request) -> Response:
        return self.listed(request)


class ReplayShape(serializers.Serializer[Any]):
    id = serializers.CharField()
    cause = serializers.CharField(source="get_cause_display")
    started_at = Instant()
    finished_at = Instant(allow_null=True)


class ReplayFilters(filters.FilterSet):
    is_finished = TruthFilter(field_name="finished_at", lookup_expr="isnull", exclude=True)

    class Meta:
        model = Replay
        fields: ClassVar[list[str]] = []


class Replays(ListView):
    permission_needed: ClassVar[str] = "system.manage"
    queryset = Replay.objects.all()
    serializer_class = ReplayShape
    filterset_class = ReplayFilters

    @extend_schema(
        operation_id="replays_list",
        summary="Passes over all customers, last first",
        responses={200: ReplayShape(many=True), **problems(400)},
    )
    def get(self, request: Request) -> Response:
        return self.listed(request)


class ReplayRead(ReplayShape):
    buckets = serializers.IntegerField()
    buckets_done = serializers.IntegerField()
    customers = serializers.IntegerField()
    touchpoints = serializers.IntegerField()
    rows_changed = serializers.IntegerField()


class OneReplay(APIView):
    permission_needed: ClassVar[str] = "system.manage"

    @extend_schema(
        operation_id="replays_read",
        summary="One replay and how far it is",
        responses={200: ReplayRead, **problems(400, 404)},
    )
    def get(self, request: Request, replay: str) -> Response:
        NoParameters.of(request)
        found = Replay.objects.filter(pk=asked_id(replay)).first()
        if found is None:
            raise NotThereError(replay)
        far = progress(replay=found)
        return Response(
            {
                **ReplayShape(found).data,
                "buckets": far.buckets,
                "buckets_done": far.done,
                "customers": far.customers,
                "touchpoints": far.touchpoints,
                "rows_changed": far.rows_changed,
            }
        )
