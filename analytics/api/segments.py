"""/api/v1/segments/: the segments, what they mean, and who is in them."""

from collections.abc import Sequence
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from customers.ingest import clock
from lifecycle.naming import name_subject

from ..segment_sizes import segment_sizes
from ..sorting import Sorting, segment, segments
from ..stage_rules import rules_of
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
    customers = serializers.IntegerField(help_text="In it now, or a few seconds ago.")
    version = VersionShape(allow_null=True)


def written_segments(found: Sequence[Sorting]) -> list[dict[str, Any]]:
    """Segments with their rules and how many are in them; as many queries for many as for one."""
    sizes = segment_sizes(segments=found)
    written = []
    for one, rules in zip(found, rules_of(sortings=found), strict=True):
        inside = next((rule for rule in rules.stages if rule.stage.key == "in"), None)
        written.append(
            {
                "key": one.key,
                "name": one.name,
                "description": one.description,
                "kind": one.kind,
                "sentence": inside.sentence if inside else "",
                "rule": inside.document if inside else None,
                "customers": sizes[one.id],
                "version": rules.version,
            }
        )
    return written


def written_segment(found: Sorting) -> Any:
    """One segment with its rule and how many are in it."""
    return SegmentShape(written_segments([found])[0]).data


class Segments(APIView):
    permission_needed: ClassVar[str] = "segments.view"

    @extend_schema(
        operation_id="segments_list",
        summary="All segments",
        responses={200: page_of(SegmentShape, "SegmentPage"), **problems()},
    )
    def get(self, request: Request) -> Response:
        NoParameters.of(request)
        return Response(page(request, SegmentShape(written_segments(segments()), many=True).data))


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
        return Response(written_segment(segment(key)))

    @act(
        operation_id="segments_name",
        summary="Give a segment another name or description",
        request=SegmentTold,
        responses={200: SegmentShape},
        refusals=(404,),
    )
    def patch(self, request: Request, key: str) -> Response:
        name_subject(subject=segment(key).id, changes=SegmentTold.of_request(request))
        return Response(written_segment(segment(key)))


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
