"""/api/v1/customers/{id}/...: what happened with one customer, the stages it went through, and why."""

from collections.abc import Mapping
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from clm.lib.milliseconds import written
from clm.lib.questions import NotThereError, QuestionError
from customers.ingest import clock
from customers.models import Role
from lifecycle.models import ListMember, Placement
from lifecycle.why import Decided, StageReason, why

from ..customer_record import found_customer, profiles_of
from ..repairs import repair_notes
from ..sorting import Sorting, stage_model, stage_models
from ..spells import spells
from ..timeline import timeline
from .answering import Amount, Instant, page, page_of, problems
from .asking import Asking, AsOf, KnownAt, Paged, Parameters, asked_id, asked_then, model_asked, segment_asked


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


class TimelineAsked(Paged, KnownAt):
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
        asking = Asking(now=clock())
        as_of, known_at = asked_then(asked, asking)
        found, _merged_into = found_customer(asked_id(customer), known_at=known_at)
        history = timeline(
            profiles=profiles_of(customer=found.pk, known_at=known_at),
            before=asked.get("cursor"),
            roles=asked.get("role", []),
            types=asked.get("type", []),
            page_size=asked["page_size"],
            as_of=as_of,
            known_at=known_at,
        )
        entries = TouchpointShape(history.entries, many=True, context=asking.context).data
        return Response(page(request, entries, following=history.older, currency=asking.installation.currency))


class SpellShape(serializers.Serializer[Any]):
    stage = serializers.CharField(source="stage.key")
    name = serializers.CharField(source="stage.name")
    entered = Instant()
    left = Instant(allow_null=True, help_text="Null: until now, or until `as_of`.")


class ModelAsked(Parameters):
    model = serializers.CharField(required=False, max_length=60, help_text="Default: the default stage model.")


class SpellsAsked(ModelAsked, KnownAt):
    pass


class Spells(APIView):
    permission_needed = "customers.view"

    @extend_schema(
        operation_id="customers_spells",
        summary="The stages a customer went through",
        description="Until `as_of`, as they were believed at `known_at`.",
        parameters=[SpellsAsked],
        responses={200: page_of(SpellShape, "SpellPage", model=serializers.CharField()), **problems(400, 404)},
    )
    def get(self, request: Request, customer: str) -> Response:
        asked = SpellsAsked.of(request)
        as_of, known_at = asked_then(asked, Asking(now=clock()))
        found, _merged_into = found_customer(asked_id(customer), known_at=known_at)
        model = model_asked(asked["model"], field="model") if "model" in asked else stage_model()
        stays = SpellShape(spells(customer=found.pk, model=model, as_of=as_of, known_at=known_at), many=True).data
        return Response(page(request, stays, model=model.key))


class RepairedShape(serializers.Serializer[Any]):
    """A stretch of time about which something else is believed than before."""

    model = serializers.CharField(source="model.key")
    until = Instant(source="until_at", allow_null=True, help_text="Null: up to `at`.")
    was = serializers.CharField(source="before.key", allow_null=True, default=None, help_text="Null: in no stage.")
    stage = serializers.CharField(source="stage.key", allow_null=True, default=None, help_text="Null: in no stage.")

    def get_fields(self) -> dict[str, Any]:
        return {**super().get_fields(), "from": Instant(source="from_at")}


class RepairShape(serializers.Serializer[Any]):
    at = Instant(help_text="When we learnt it. What was believed before: `known_at` a millisecond earlier.")
    cause = serializers.CharField(
        source="cause.label", allow_null=True, default=None, help_text="What it was; null: something was taken back."
    )
    version = serializers.IntegerField(allow_null=True, help_text="Of the rules, if it was that a version went live.")
    changes = RepairedShape(many=True)


class RepairsAsked(Parameters):
    known_at = serializers.CharField(
        required=False, max_length=60, help_text="What had been learnt by this instant. Default: until now."
    )


class Repairs(APIView):
    permission_needed = "customers.view"

    @extend_schema(
        operation_id="customers_repairs",
        summary="What we learnt later, and how it changed the customer's history",
        description="Latest first: late, merged, undone and placed facts, and versions of the rules that went live.",
        parameters=[RepairsAsked],
        responses={200: page_of(RepairShape, "RepairPage"), **problems(400, 404)},
    )
    def get(self, request: Request, customer: str) -> Response:
        asked = RepairsAsked.of(request)
        known_at = Asking(now=clock()).past(asked, "known_at")
        found, _merged_into = found_customer(asked_id(customer), known_at=known_at)
        notes = repair_notes(customer=found.pk, models=stage_models(), known_at=known_at)
        return Response(page(request, RepairShape(notes, many=True).data))


class EvidenceShape(serializers.Serializer[Any]):
    id = serializers.CharField()
    occurred_at = Instant(source="at")
    type = serializers.CharField()


class ReasonShape(serializers.Serializer[Any]):
    """One node of a rule at one instant."""

    name = serializers.CharField(help_text="Of a sub-rule; else empty.")
    title = serializers.CharField(help_text="What it asks, in few words.")
    sentence = serializers.CharField()
    held = serializers.BooleanField()
    since = Instant(allow_null=True, help_text="Since when it has been so; null: from the beginning.")
    until = Instant(allow_null=True, help_text="Until when it stays so if nothing else happens; null: for ever.")
    told = serializers.CharField(help_text="What it saw, in words: `2 of 3 purchases in the last 90 days`.")
    seen = serializers.CharField(help_text="The value it saw; empty where nothing is compared.")
    needed = serializers.CharField(help_text="The value it needs; empty where nothing is compared.")
    last_at = Instant(allow_null=True, help_text="When the latest of what it looks at happened.")
    touchpoints = EvidenceShape(many=True, help_text="The latest touchpoints behind it.")

    def get_fields(self) -> dict[str, Any]:
        return {**super().get_fields(), "parts": ReasonShape(many=True)}


class StageReasonShape(serializers.Serializer[Any]):
    stage = serializers.CharField()
    name = serializers.CharField()
    is_current = serializers.BooleanField(help_text="The stage of highest precedence whose rule holds.")
    reason = ReasonShape()


class HandShape(serializers.Serializer[Any]):
    """What a person decided over the rules: a placement, or a row of a segment's list."""

    author = serializers.CharField(source="author.name", default="")
    reason = serializers.CharField(default="", help_text="Of a placement; else empty.")
    until = Instant(allow_null=True)

    def get_fields(self) -> dict[str, Any]:
        return {**super().get_fields(), "from": Instant(source="begun")}


class TurningShape(serializers.Serializer[Any]):
    title = serializers.CharField()
    held = serializers.BooleanField(help_text="Whether it holds until then.")


class ComingShape(serializers.Serializer[Any]):
    """What time alone does next, if nothing else happens, and which conditions change then."""

    stage = serializers.CharField()
    name = serializers.CharField()
    at = Instant()
    because = TurningShape(many=True)


class WhyAsked(ModelAsked, AsOf):
    refused: ClassVar[Mapping[str, str]] = {
        "known_at": "reasons are worked out from the facts as they are known today; what was believed is in the spells"
    }

    segment = serializers.CharField(required=False, max_length=60, help_text="Ask about a segment instead of a model.")
    at = serializers.CharField(
        required=False, max_length=60, help_text="The instant asked about. Default: `as_of`, else now."
    )


class Why(APIView):
    permission_needed: ClassVar[str] = "customers.view"

    @extend_schema(
        operation_id="customers_why",
        summary="Why a customer is in a stage, or in a segment",
        description=(
            "Every stage of the model, highest precedence first, with its rule evaluated node by node: whether it "
            "held, what it saw against what it needs, and the touchpoints behind it. The customer is in the first "
            "stage whose rule holds, unless somebody decided otherwise by hand. With `as_of` it is told as if nothing "
            "had happened after that instant."
        ),
        parameters=[WhyAsked],
        responses={
            200: page_of(
                StageReasonShape,
                "WhyPage",
                model=serializers.CharField(help_text="The key of the model or of the segment."),
                at=Instant(),
                stage=serializers.CharField(allow_null=True, help_text="Where the customer stands; null: nowhere yet."),
                since=Instant(allow_null=True),
                decided=serializers.ChoiceField(choices=[(one.value, one.value) for one in Decided]),
                hand=HandShape(allow_null=True),
                next=ComingShape(allow_null=True),
            ),
            **problems(400, 404),
        },
    )
    def get(self, request: Request, customer: str) -> Response:
        asked = WhyAsked.of(request)
        found, _merged_into = found_customer(asked_id(customer))
        asking = Asking(now=clock())
        as_of = asking.past(asked, "as_of")
        at = asking.instant(asked, "at") or as_of or asking.now
        if as_of is not None and at > as_of:
            raise QuestionError("at", "at lies after as_of; nothing had happened there yet")
        if "segment" in asked and "model" in asked:
            raise QuestionError("segment", "ask about a model or about a segment")
        if "segment" in asked:
            sorting = segment_asked(asked["segment"])
        else:
            sorting = model_asked(asked["model"], field="model") if "model" in asked else stage_model()
        told = why(customer=found.pk, subject=sorting.id, at=at, as_of=as_of)
        if told is None:
            raise NotThereError(f"{sorting.key} is not live")
        coming = None
        if told.next is not None:
            entered = sorting.stages[told.next.stage]
            coming = {"stage": entered.key, "name": entered.name, "at": told.next.at, "because": told.turning}
        return Response(
            page(
                request,
                [_written_reason(one, sorting) for one in told.reasons],
                model=sorting.key,
                at=written(at),
                stage=None if told.stage is None else sorting.stages[told.stage].key,
                since=None if told.since is None else written(told.since),
                decided=told.decided.value,
                hand=None if told.hand is None else HandShape(_hand(told.hand)).data,
                next=None if coming is None else ComingShape(coming).data,
            )
        )


def _written_reason(one: StageReason, sorting: Sorting) -> dict[str, Any]:
    return {
        "stage": sorting.stages[one.stage].key,
        "name": sorting.stages[one.stage].name,
        "is_current": one.is_current,
        "reason": ReasonShape(one.reason).data,
    }


def _hand(hand: Placement | ListMember) -> dict[str, Any]:
    if isinstance(hand, Placement):
        return {"author": hand.author, "reason": hand.reason, "begun": hand.from_at, "until": hand.until_at}
    return {"author": hand.author, "reason": "", "begun": hand.added_at, "until": hand.removed_at}
