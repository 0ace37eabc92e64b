"""/api/v1/segments/: the segments, what they mean, and who is in them."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from customers.ingest import clock
from lifecycle.naming import name_subject

from ..sorting import Sorting, segment, segments
from ..stage_rules import stage_rules
from ..stages import stage_counts
from .acting import act
from .answering import page, page_of, problems
from .asking import Asking, Body, KnownAt, NoParameters, Paged
from .customers import CustomerListed, customers_page
from .stages import TrendAsked, TrendShape, VersionShape, written_trend


class SegmentShape(serializers.Serializer[Any]):
    key = serializers.CharField()
    name = serializers.CharField()
    description = serializers.CharField()
    kind = serializers.ChoiceField(choices=["segment", "list"])
    sentence = serializers.CharField(help_text="What its rule says; empty for a static list.")
    rule = serializers.JSONField(allow_null=True)
    customers = serializers.IntegerField(help_text="In it now.")
    version = VersionShape(allow_null=True)


def written_segment(found: Sorting, asking: Asking) -> dict[str, Any]:
    """A segment with its rule and how many are in it."""
    rules = stage_rules(sorting=found)
    counts = stage_counts(model=found, now=asking.now)
    inside = next((one for one in rules.stages if one.stage.key == "in"), None)
    return {
        "key": found.key,
        "name": found.name,
        "description": found.description,
        "kind": found.kind,
        "sentence": inside.sentence if inside else "",
        "rule": inside.document if inside else None,
        "customers": sum(one.customers for one in counts.stages if one.stage.key == "in"),
        "version": rules.version,
    }


class Segments(APIView):
    permission_needed: ClassVar[str] = "segments.view"

    @extend_schema(
        operation_id="segments_list",
        summary="All segments",
        responses={200: page_of(SegmentShape, "SegmentPage"), **problems()},
    )
    def get(self, request: Request) -> Response:
        NoParameters.of(request)
        asking = Asking(now=clock())
        found = [written_segment(one, asking) for one in segments()]
        return Response(page(request, SegmentShape(found, many=True).data))


class SegmentTold(Body):
    name = serializers.CharField(required=False, max_length=1000)
    description = serializers.CharField(required=False, allow_blank=True, max_length=10_000)


class OneSegment(APIView):
    permission_needed: ClassVar[dict[str, str]] = {"GET": "segments.view", "PATCH": "segments.edit"}

    @extend_schema(
        operation_id="segments_read",
        summary="One segment",
        responses={200: SegmentShape, **problems(404)},
    )
    def get(self, request: Request, key: str) -> Response:
        NoParameters.of(request)
        return Response(SegmentShape(written_segment(segment(key), Asking(now=clock()))).data)

    @act(
        operation_id="segments_name",
        summary="Give a segment another name or description",
        request=SegmentTold,
        responses={200: SegmentShape},
        refusals=(404,),
    )
    def patch(self, request: Request, key: str) -> Response:
        name_subject(subject=segment(key).id, changes=SegmentTold.of_request(request))
        return Response(SegmentShape(written_segment(segment(key), Asking(now=clock()))).data)


class SegmentTrend(APIView):
    permission_needed: ClassVar[str] = "segments.view"

    @extend_schema(
        operation_id="segments_trend",
        summary="How many are in a segment, week by week",
        parameters=[TrendAsked],
        responses={200: TrendShape, **problems(400, 404)},
    )
    def get(self, request: Request, key: str) -> Response:
        return Response(written_trend(request, segment(key)))


class MembersAsked(Paged, KnownAt):
    pass


class SegmentMembers(APIView):
    permission_needed: ClassVar[str] = "segments.view"

    @extend_schema(
        operation_id="segments_members",
        summary="Who is in a segment, now or at any instant",
        parameters=[MembersAsked],
        responses={
            200: page_of(CustomerListed, "SegmentMemberPage", currency=serializers.CharField()),
            **problems(400, 404),
        },
    )
    def get(self, request: Request, key: str) -> Response:
        asked = MembersAsked.of(request)
        return customers_page(request, asked | {"segment": segment(key).key}, Asking(now=clock()))
