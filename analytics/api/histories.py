"""/api/v1/customers/{id}/...: what happened with one customer, the stages it went through, and why."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from clm.lib.milliseconds import written
from customers.ingest import clock
from customers.models import Role
from lifecycle.why import why

from ..customer_record import found_customer, profiles_of
from ..sorting import stage_model
from ..spells import spells
from ..timeline import timeline
from .answering import Amount, Instant, page, page_of, problems
from .asking import Asking, Paged, Parameters, asked_id, model_asked


class LineShape(serializers.Serializer[Any]):
    product = serializers.CharField()
    name = serializers.CharField()
    quantity = serializers.DecimalField(max_digits=14, decimal_places=3)
    amount = Amount()


class TouchpointShape(serializers.Serializer[Any]):
    id = serializers.CharField()
    occurred_at = Instant(source="at")
    received_at = Instant()
    type = serializers.CharField()
    role = serializers.ChoiceField(choices=Role.choices)
    channel = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]
    title = serializers.CharField()
    text = serializers.CharField()
    author = serializers.CharField()
    amount = Amount(allow_null=True, help_text="In the reporting currency; refunds are negative.")
    original = serializers.CharField(help_text="The amount as it was sent, with its currency.")
    order_ref = serializers.CharField()
    lines = LineShape(many=True)
    properties = serializers.DictField(child=serializers.CharField(), source="told")
    flags = serializers.ListField(
        child=serializers.CharField(), help_text="How its time or amount was mended on arrival."
    )


class TimelineAsked(Paged):
    role = serializers.ListField(
        child=serializers.CharField(max_length=40), required=False, help_text="Only touchpoints of these roles."
    )
    type = serializers.ListField(
        child=serializers.CharField(max_length=200), required=False, help_text="Only touchpoints of these types."
    )


class Timeline(APIView):
    permission_needed = "customers.view"

    @extend_schema(
        operation_id="customers_timeline",
        summary="Everything that ever happened with a customer, latest first",
        parameters=[TimelineAsked],
        responses={
            200: page_of(TouchpointShape, "TimelinePage", currency=serializers.CharField()),
            **problems(400, 404),
        },
    )
    def get(self, request: Request, customer: str) -> Response:
        asked = TimelineAsked.of(request)
        found, _merged_into = found_customer(asked_id(customer))
        asking = Asking(now=clock())
        history = timeline(
            profiles=profiles_of(customer=found.pk),
            before=asked.get("cursor"),
            roles=asked.get("role", []),
            types=asked.get("type", []),
            page_size=asked["page_size"],
        )
        entries = TouchpointShape(history.entries, many=True, context=asking.context).data
        return Response(page(request, entries, following=history.older, currency=asking.installation.currency))


class SpellShape(serializers.Serializer[Any]):
    stage = serializers.CharField(source="stage.key")
    name = serializers.CharField(source="stage.name")
    entered = Instant()
    left = Instant(allow_null=True, help_text="Null: until now.")


class ModelAsked(Parameters):
    model = serializers.CharField(required=False, max_length=60, help_text="Default: the default stage model.")


class Spells(APIView):
    permission_needed = "customers.view"

    @extend_schema(
        operation_id="customers_spells",
        summary="The stages a customer went through",
        parameters=[ModelAsked],
        responses={200: page_of(SpellShape, "SpellPage", model=serializers.CharField()), **problems(400, 404)},
    )
    def get(self, request: Request, customer: str) -> Response:
        asked = ModelAsked.of(request)
        found, _merged_into = found_customer(asked_id(customer))
        model = model_asked(asked["model"], field="model") if "model" in asked else stage_model()
        stays = SpellShape(spells(customer=found.pk, model=model), many=True).data
        return Response(page(request, stays, model=model.key))


class ReasonShape(serializers.Serializer[Any]):
    """One node of a rule at one instant."""

    name = serializers.CharField(help_text="Of a sub-rule; else empty.")
    sentence = serializers.CharField()
    held = serializers.BooleanField()
    since = Instant(allow_null=True, help_text="Since when it has been so; null: from the beginning.")
    until = Instant(allow_null=True, help_text="Until when it stays so if nothing else happens; null: for ever.")

    def get_fields(self) -> dict[str, Any]:
        return {**super().get_fields(), "parts": ReasonShape(many=True)}


class StageReasonShape(serializers.Serializer[Any]):
    stage = serializers.CharField()
    name = serializers.CharField()
    is_current = serializers.BooleanField()
    reason = ReasonShape()


class WhyAsked(ModelAsked):
    at = serializers.CharField(required=False, max_length=60, help_text="The instant asked about. Default: now.")


class Why(APIView):
    permission_needed: ClassVar[str] = "customers.view"

    @extend_schema(
        operation_id="customers_why",
        summary="Why a customer is in a stage",
        description="Every stage of the model, highest precedence first, with its rule evaluated node by node.",
        parameters=[WhyAsked],
        responses={
            200: page_of(StageReasonShape, "WhyPage", model=serializers.CharField(), at=Instant()),
            **problems(400, 404),
        },
    )
    def get(self, request: Request, customer: str) -> Response:
        asked = WhyAsked.of(request)
        found, _merged_into = found_customer(asked_id(customer))
        asking = Asking(now=clock())
        at = asking.instant(asked, "at") or asking.now
        model = model_asked(asked["model"], field="model") if "model" in asked else stage_model()
        reasons = [
            {
                "stage": model.stages[one.stage].key,
                "name": model.stages[one.stage].name,
                "is_current": one.is_current,
                "reason": ReasonShape(one.reason).data,
            }
            for one in why(customer=found.pk, subject=model.id, at=at)
        ]
        return Response(page(request, reasons, model=model.key, at=written(at)))
