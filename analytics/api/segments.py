"""/api/v1/segments/: the segments, what they mean, and who is in them."""

from collections.abc import Sequence
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from clm.lib.access.models import User
from clm.lib.questions import QuestionError
from customers.ingest import clock
from customers.merge import surviving
from customers.models import Customer
from lifecycle.advance import advance_customers
from lifecycle.list_members import add_members, remove_members
from lifecycle.naming import name_subject

from ..segment_sizes import segment_sizes
from ..sorting import Sorting, segment, segments
from ..stage_rules import rules_of
from .acting import act
from .answering import page, page_of, problems
from .asking import LARGEST_ID, Asking, Body, KnownAt, NoParameters, Paged, Parameters
from .customers import CustomerListed, customers_page
from .drafting import DraftedShape
from .rules import DocumentParser
from .segment_drafts import SegmentNew, new_segment
from .stages import TrendAsked, TrendShape, VersionShape, written_trend

MOST_NAMED = 1000


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


class SegmentsAsked(Parameters):
    search = serializers.CharField(
        required=False, max_length=200, help_text="Words that are each in the name, the key or the description."
    )
    kind = serializers.ChoiceField(choices=["segment", "list"], required=False)


class Segments(APIView):
    permission_needed: ClassVar[dict[str, str]] = {"GET": "segments.view", "POST": "segments.edit"}
    parser_classes = (DocumentParser,)

    @extend_schema(
        operation_id="segments_list",
        summary="All segments",
        parameters=[SegmentsAsked],
        responses={200: page_of(SegmentShape, "SegmentPage"), **problems(400)},
    )
    def get(self, request: Request) -> Response:
        asked = SegmentsAsked.of(request)
        words = asked.get("search", "").casefold().split()
        found = [
            one
            for one in segments()
            if asked.get("kind") in (None, one.kind)
            and all(word in f"{one.name} {one.key} {one.description}".casefold() for word in words)
        ]
        return Response(page(request, SegmentShape(written_segments(found), many=True).data))

    @act(
        operation_id="segments_create",
        summary="Draft a new segment, or make a static list",
        description="A segment with a rule is a change to be published; a static list is live at once.",
        request=SegmentNew,
        responses={201: DraftedShape},
    )
    def post(self, request: Request) -> Response:
        return new_segment(request)


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


class ListTold(Body):
    add = serializers.ListField(
        child=serializers.CharField(max_length=30), required=False, max_length=MOST_NAMED, help_text="Ids of customers."
    )
    remove = serializers.ListField(child=serializers.CharField(max_length=30), required=False, max_length=MOST_NAMED)
    excluded = serializers.BooleanField(
        required=False, help_text="True: the list of those whom a segment excludes whatever its rule says."
    )


class ListChanged(serializers.Serializer[Any]):
    added = serializers.IntegerField(help_text="How many were not on the list.")
    removed = serializers.IntegerField(help_text="How many were on it.")


class SegmentMembers(APIView):
    permission_needed: ClassVar[dict[str, str]] = {"GET": "segments.view", "POST": "segments.edit"}

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

    @act(
        operation_id="segments_change_list",
        summary="Put customers on the list of a segment, or take them off",
        description=(
            "All there is to a static list; of other segments, whom they include or exclude whatever their rule says."
        ),
        request=ListTold,
        responses={200: ListChanged},
        refusals=(404,),
        advances=True,
    )
    def post(self, request: Request, key: str) -> Response:
        found, told, now = segment(key), ListTold.of_request(request), clock()
        added, removed = (_known(told.get(field, []), field) for field in ("add", "remove"))
        if both := set(added) & set(removed):
            raise QuestionError("remove", f"customer {min(both)} is to be added and removed at once")
        excluded = told.get("excluded", False)
        author = request.user.pk if isinstance(request.user, User) else None
        changed = {
            "removed": remove_members(segment=found.id, customers=removed, now=now, excluded=excluded),
            "added": add_members(segment=found.id, customers=added, now=now, excluded=excluded, author=author),
        }
        advance_customers(customers=sorted({*added, *removed}))
        return Response(ListChanged(changed).data)


def _known(texts: Sequence[str], field: str) -> list[int]:
    """The customers of those ids, merged ones by their survivor; QuestionError names the first that is none."""
    numbers = {text: int(text) if text.isascii() and text.isdigit() else -1 for text in texts}
    asked = [number for number in numbers.values() if 0 <= number <= LARGEST_ID]
    kept = {one.pk: one for one in Customer.objects.filter(pk__in=asked)}
    for text, number in numbers.items():
        if number not in kept:
            raise QuestionError(field, f"there is no customer {text[:30]}")
    return sorted({surviving(one).pk for one in kept.values()})
