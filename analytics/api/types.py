"""/api/v1/catalogue/ and /api/v1/touchpoint-types/...: what was sent under which name, what it means, and drafting what
it is to mean."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from clm.lib.questions import QuestionError
from customers.mapped_types import LONGEST_PLACE, READS
from customers.models import Role
from lifecycle.mapping import MOST, remap

from ..type_catalogue import MAPPED, SORTS, Asked, type_detail, type_page
from .acting import act
from .answering import Instant, page, page_of, problems
from .asking import Body, NoParameters, Paged, asked_id
from .drafting import DraftedShape, Noted, author_id, drafted


class CatalogueRow(serializers.Serializer[Any]):
    id = serializers.CharField()
    name = serializers.CharField()
    role = serializers.ChoiceField(choices=Role.choices)
    mapped = serializers.ChoiceField(
        choices=list(MAPPED), help_text="waiting: nobody has said yet what it means; it counts as other."
    )
    mapped_at = Instant(allow_null=True)
    reads = serializers.DictField(child=serializers.CharField())
    touchpoints = serializers.IntegerField(help_text="As of the last count, seconds ago.")
    sources = serializers.IntegerField()
    first_at = Instant(allow_null=True)
    last_at = Instant(allow_null=True)


class SentByShape(serializers.Serializer[Any]):
    key = serializers.CharField()
    name = serializers.CharField()
    touchpoints = serializers.IntegerField()
    first_at = Instant()
    last_at = Instant()


class PropertyShape(serializers.Serializer[Any]):
    key = serializers.CharField()
    kinds = serializers.ListField(child=serializers.CharField())
    share = serializers.FloatField(help_text="Of the touchpoints looked at, 0 to 1.")
    values = serializers.ListField(child=serializers.CharField(), help_text="A few of them, cut.")


class TypeUseShape(serializers.Serializer[Any]):
    kind = serializers.CharField()
    key = serializers.CharField()
    name = serializers.CharField()
    by_name = serializers.BooleanField(help_text="False: its rules count it by its role alone.")
    is_draft = serializers.BooleanField()


class MappedBeforeShape(serializers.Serializer[Any]):
    change = serializers.CharField()
    role = serializers.ChoiceField(choices=Role.choices)
    role_before = serializers.ChoiceField(choices=Role.choices)
    author = serializers.CharField()
    at = Instant()
    is_live = serializers.BooleanField()


class TypeRead(CatalogueRow):
    sent_by = SentByShape(many=True)
    properties = PropertyShape(many=True)
    looked_at = serializers.IntegerField(help_text="Of how many touchpoints, the last to arrive, the properties are.")
    uses = TypeUseShape(many=True)
    changes = MappedBeforeShape(many=True, help_text="What mapped it before, newest first.")


class CatalogueAsked(Paged):
    search = serializers.CharField(required=False, max_length=200, help_text="A part of the name.")
    role = serializers.ChoiceField(choices=Role.choices, required=False)
    mapped = serializers.ChoiceField(choices=list(MAPPED), required=False)
    source = serializers.CharField(required=False, max_length=60, help_text="The key of a source that sent it.")  # type: ignore[assignment]
    unseen = serializers.BooleanField(required=False, help_text="True: standard names that nobody has sent, too.")
    sort = serializers.ChoiceField(choices=list(SORTS), required=False, help_text="Default: recent.")


class CatalogueList(APIView):
    permission_needed: ClassVar[str] = "overview.view"

    @extend_schema(
        operation_id="catalogue_list",
        summary="Every name that was sent, with what was sent of it and what it means",
        parameters=[CatalogueAsked],
        responses={200: page_of(CatalogueRow, "CataloguePage"), **problems(400)},
    )
    def get(self, request: Request) -> Response:
        told = CatalogueAsked.of(request)
        cursor, size = told.pop("cursor", None), told.pop("page_size")
        found = type_page(asked=Asked(**told), cursor_text=cursor, page_size=size)
        rows = CatalogueRow(found.rows, many=True).data
        return Response(page(request, rows, following=found.next_cursor, previous=found.previous_cursor))


class OneType(APIView):
    permission_needed: ClassVar[str] = "overview.view"

    @extend_schema(
        operation_id="catalogue_read",
        summary="One name: who sends it, what its touchpoints say, which rules count it",
        responses={200: TypeRead, **problems(400, 404)},
    )
    def get(self, request: Request, type: str) -> Response:
        NoParameters.of(request)
        found = type_detail(number=asked_id(type))
        row = {str(name): getattr(found.row, str(name)) for name in CatalogueRow().fields}
        told = {
            "sent_by": found.sources,
            "properties": found.samples,
            "looked_at": found.looked_at,
            "uses": found.uses,
            "changes": found.changes,
        }
        return Response(TypeRead({**row, **told}).data)


class ReadsGiven(Body):
    """What is read from a place of its own; empty or absent: where everybody says it."""

    def get_fields(self) -> dict[str, Any]:
        return {
            name: serializers.CharField(required=False, allow_blank=True, max_length=LONGEST_PLACE) for name in READS
        }


class MappingGiven(Body):
    name = serializers.CharField(max_length=200, trim_whitespace=False)
    role = serializers.ChoiceField(choices=Role.choices)
    reads = ReadsGiven(required=False)


class MappingsTold(Noted):
    mappings = MappingGiven(many=True, allow_empty=False, max_length=MOST)  # type: ignore[call-arg]


class DraftMapping(APIView):
    permission_needed: ClassVar[str] = "catalogue.edit"

    @act(
        operation_id="catalogue_draft",
        summary="Draft what names are to mean",
        description=(
            "A change like any other: look at it, count it, publish it or drop it under changes. The role counts for "
            "what is stored, too, and stored amounts are read anew once it is live; the places of campaigns and "
            "tickets count for what arrives from the publication on."
        ),
        request=MappingsTold,
        responses={201: DraftedShape},
    )
    def post(self, request: Request) -> Response:
        told = MappingsTold.of_request(request)
        names = [one["name"] for one in told["mappings"]]
        if len(set(names)) < len(names):
            raise QuestionError("mappings", "a name is given twice")
        mappings = {one["name"]: {"role": one["role"], "reads": one.get("reads", {})} for one in told["mappings"]}
        return drafted(remap(mappings=mappings, note=told.get("note", ""), author=author_id(request)))
