"""/api/v1/segments/...: a segment made, its rule drafted anew, and its lists filled from what other systems know."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from clm.lib.questions import QuestionError
from customers.ingest import clock
from lifecycle.advance import advance_customers
from lifecycle.install import publish_list
from lifecycle.list_members import add_members
from lifecycle.list_upload import WAYS, Line, Refused, recognised
from lifecycle.revise import add_segment, edit_segment

from ..segment_members import on_list
from ..sorting import segment
from .acting import act
from .answering import Instant, page, page_of, problems
from .asking import Body, Paged
from .drafting import DraftedShape, Noted, RuleGiven, RuleTold, author_id, body_of, drafted, rules_told
from .rules import DocumentParser

MOST_VALUES = 5_000
AT_ONCE = 500


class SegmentNew(Noted):
    key = serializers.CharField(max_length=60)
    name = serializers.CharField(max_length=1000)
    description = serializers.CharField(required=False, allow_blank=True, max_length=10_000)
    rule = RuleGiven(required=False, allow_null=True, help_text="A rule document; null or absent: a static list.")


def new_segment(request: Request) -> Response:
    """A segment drafted, or a static list made, which is live at once."""
    asked = body_of(request, SegmentNew)
    with rules_told():
        revision = add_segment(
            key=asked["key"],
            name=asked["name"],
            rule=asked.get("rule"),
            description=asked.get("description", ""),
            note=asked.get("note", ""),
            author=author_id(request),
        )
    if asked.get("rule") is None:
        publish_list(revision=revision.pk, now=clock())
    return drafted(revision)


class SegmentRule(APIView):
    permission_needed: ClassVar[str] = "segments.edit"
    parser_classes = (DocumentParser,)

    @act(
        operation_id="segments_draft_rule",
        summary="Draft another rule for a segment",
        description="Nothing changes for anybody until the change is published.",
        request=RuleTold,
        responses={201: DraftedShape},
        refusals=(404,),
    )
    def put(self, request: Request, key: str) -> Response:
        found, asked = segment(key), body_of(request, RuleTold)
        with rules_told():
            return drafted(
                edit_segment(
                    segment=found.id, rule=asked["rule"], note=asked.get("note", ""), author=author_id(request)
                )
            )


class SegmentHandShape(serializers.Serializer[Any]):
    customer = serializers.CharField()
    known_as = serializers.CharField()
    email = serializers.CharField()
    added_at = Instant()
    author = serializers.CharField()


class HandsAsked(Paged):
    excluded = serializers.BooleanField(
        required=False, help_text="True: whom the segment excludes, instead of whom it includes."
    )


class SegmentHands(APIView):
    permission_needed: ClassVar[str] = "segments.view"

    @extend_schema(
        operation_id="segments_list_members",
        summary="Whom people put on the list of a segment, last added first",
        description="All there is to a static list; of other segments, whom they include or exclude by hand.",
        parameters=[HandsAsked],
        responses={200: page_of(SegmentHandShape, "SegmentHandPage"), **problems(400, 404)},
    )
    def get(self, request: Request, key: str) -> Response:
        asked = HandsAsked.of(request)
        found = on_list(
            segment=segment(key),
            excluded=asked.get("excluded", False),
            cursor=asked.get("cursor"),
            page_size=asked["page_size"],
        )
        rows = SegmentHandShape(found.rows, many=True).data
        return Response(page(request, rows, following=found.next_cursor, previous=found.previous_cursor))


class UploadTold(Body):
    by = serializers.ChoiceField(
        choices=list(WAYS), required=False, help_text="What the values are. Default: whatever fits."
    )
    values = serializers.ListField(
        child=serializers.CharField(max_length=500, allow_blank=True), max_length=MOST_VALUES
    )
    excluded = serializers.BooleanField(required=False, help_text="True: onto the list of the excluded.")
    only_look = serializers.BooleanField(required=False, help_text="True: say whom they name, and add nobody.")


class RefusedShape(serializers.Serializer[Any]):
    number = serializers.IntegerField(help_text="Which of the values, from 1.")
    value = serializers.CharField(source="text")
    reason = serializers.CharField()
    customers = serializers.ListField(child=serializers.CharField(), help_text="Whom it could mean, if several.")


class UploadAnswer(serializers.Serializer[Any]):
    added = serializers.IntegerField()
    customers = serializers.ListField(child=serializers.CharField(), help_text="Whom the values name, each once.")
    repeated = serializers.IntegerField(help_text="Values that name somebody an earlier one names.")
    not_found = RefusedShape(many=True)
    several = RefusedShape(many=True)
    unreadable = RefusedShape(many=True)


class SegmentUpload(APIView):
    permission_needed: ClassVar[str] = "segments.edit"

    @act(
        operation_id="segments_upload",
        summary="Put customers on the list of a segment, named as other systems know them",
        description="By e-mail address, external id or customer number; every value that names nobody is told.",
        request=UploadTold,
        responses={200: UploadAnswer},
        refusals=(404,),
        advances=True,
    )
    def post(self, request: Request, key: str) -> Response:
        found, asked, now = segment(key), UploadTold.of_request(request), clock()
        excluded = asked.get("excluded", False)
        if excluded and found.kind == "list":
            raise QuestionError("excluded", "a static list excludes nobody: take members off it")
        lines = [Line(number, text) for number, text in enumerate(asked["values"], start=1)]
        named = recognised(lines=lines, by=asked.get("by", "any"))
        added = 0
        if not asked.get("only_look", False):
            author = author_id(request)
            added = add_members(segment=found.id, customers=named.customers, now=now, excluded=excluded, author=author)
            advance_customers(customers=sorted(named.customers)[:AT_ONCE])
        record = {
            "added": added,
            "customers": named.customers,
            "repeated": named.repeated,
            **{part: _refused(getattr(named, part)) for part in ("not_found", "several", "unreadable")},
        }
        return Response(UploadAnswer(record).data)


def _refused(lines: tuple[Refused, ...]) -> list[dict[str, Any]]:
    return [{"number": one.number, "text": one.text, "reason": one.reason, "customers": one.customers} for one in lines]
