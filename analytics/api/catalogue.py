"""/api/v1/sources/, /api/v1/channels/ and /api/v1/touchpoint-types/: what touchpoints come from, over and as."""

from dataclasses import asdict
from typing import Any, ClassVar

from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from clm.lib.questions import NotThereError
from customers.ingest import clock
from customers.models import Channel, Role, Source, TouchpointType
from customers.receiving.write_keys import create_source, revoke_keys, rotate_key

from ..days.kept import kept
from ..sources import source_notes
from .acting import act
from .answering import Instant, problems
from .asking import Body, NoParameters
from .lists import ListView, TruthFilter, text_filter


class SourceListed(serializers.Serializer[Any]):
    id = serializers.CharField()
    key = serializers.CharField()
    name = serializers.CharField()
    kind = serializers.CharField()
    time_zone = serializers.CharField(help_text="Of local times that carry no offset of their own.")
    currency = serializers.CharField()
    shift_days = serializers.IntegerField(help_text="By how many days demonstration data was moved; 0 for real data.")
    is_simulated = serializers.BooleanField()
    created_at = Instant()
    revoked_at = Instant(allow_null=True)


class SourceRead(SourceListed):
    touchpoints = serializers.IntegerField()
    first_at = Instant(allow_null=True)
    last_at = Instant(allow_null=True)
    imported_at = Instant(allow_null=True)
    lines_read = serializers.IntegerField(allow_null=True, help_text="Of all its finished imports.")
    lines_used = serializers.IntegerField(allow_null=True)
    lines_set_aside = serializers.IntegerField(allow_null=True)
    note = serializers.CharField()


class SourceMade(SourceListed):
    write_key = serializers.CharField(
        allow_null=True,
        help_text="What client libraries show; told this once and never kept, null when the request is answered again.",
    )


class SourceNew(Body):
    name = serializers.CharField(max_length=1000, help_text="What will send: a website, an app, a server.")


class SourceFilters(filters.FilterSet):
    key = text_filter(longest=60)
    kind = text_filter(longest=20)
    is_simulated = TruthFilter()

    class Meta:
        model = Source
        fields: ClassVar[list[str]] = []


class Sources(ListView):
    permission_needed: ClassVar[dict[str, str]] = {"GET": "overview.view", "POST": "sources.manage"}
    queryset = Source.objects.all()
    serializer_class = SourceListed
    filterset_class = SourceFilters

    @extend_schema(
        operation_id="sources_list",
        summary="Where touchpoints come from, newest first",
        responses={200: SourceListed(many=True), **problems(400)},
    )
    def get(self, request: Request) -> Response:
        return self.listed(request)

    @act(
        operation_id="sources_create",
        summary="Let a website, an app or a server send",
        request=SourceNew,
        responses={201: SourceMade},
        secret="write_key",  # noqa: S106 the name of a member
    )
    def post(self, request: Request) -> Response:
        source, secret = create_source(**SourceNew.of_request(request))
        made = {**SourceListed(source).data, "write_key": secret}
        where = {"Location": f"/api/v1/sources/{source.key}/"}
        return Response(made, status=status.HTTP_201_CREATED, headers=where)


class OneSource(APIView):
    permission_needed: ClassVar[str] = "overview.view"

    @extend_schema(
        operation_id="sources_read",
        summary="One source and what it has sent",
        responses={200: SourceRead, **problems(400, 404)},
    )
    def get(self, request: Request, key: str) -> Response:
        NoParameters.of(request)
        source = Source.objects.filter(key=key).first()
        if source is None:
            raise NotThereError(key)
        (note,) = (note for note in source_notes(kept=kept()) if note.key == key)
        return Response(SourceRead({**vars(source), **asdict(note)}).data)


class RotateSource(APIView):
    permission_needed: ClassVar[dict[str, str]] = {"POST": "sources.manage"}

    @act(
        operation_id="sources_rotate",
        summary="Give a source another write key",
        description="The former key goes on working for a day. A source that was closed is open again.",
        responses={200: SourceMade},
        refusals=(404,),
        secret="write_key",  # noqa: S106 the name of a member
    )
    def post(self, request: Request, key: str) -> Response:
        source = _source(key)
        secret = rotate_key(source=source, now=clock())
        source.refresh_from_db()
        return Response({**SourceListed(source).data, "write_key": secret})


class CloseSource(APIView):
    permission_needed: ClassVar[dict[str, str]] = {"POST": "sources.manage"}

    @act(
        operation_id="sources_close",
        summary="Revoke the write keys of a source",
        description="Within a second nothing more is taken from it. What it sent stays.",
        responses={200: SourceListed},
        refusals=(404,),
    )
    def post(self, request: Request, key: str) -> Response:
        return Response(SourceListed(revoke_keys(source=_source(key), now=clock())).data)


def _source(key: str) -> Source:
    found = Source.objects.filter(key=key).first()
    if found is None:
        raise NotThereError(key)
    return found


class ChannelShape(serializers.Serializer[Any]):
    id = serializers.CharField()
    key = serializers.CharField()


class ChannelFilters(filters.FilterSet):
    key = text_filter(longest=60)

    class Meta:
        model = Channel
        fields: ClassVar[list[str]] = []


class Channels(ListView):
    permission_needed: ClassVar[str] = "overview.view"
    queryset = Channel.objects.all()
    serializer_class = ChannelShape
    filterset_class = ChannelFilters
    oldest_first = True

    @extend_schema(
        operation_id="channels_list",
        summary="The ways touchpoints happen over",
        responses={200: ChannelShape(many=True), **problems(400)},
    )
    def get(self, request: Request) -> Response:
        return self.listed(request)


class TypeShape(serializers.Serializer[Any]):
    id = serializers.CharField()
    name = serializers.CharField()
    role = serializers.ChoiceField(choices=Role.choices, help_text="What it means for the lifecycle.")
    reads = serializers.DictField(
        child=serializers.CharField(), help_text="By what is read from a place of its own, the property that says it."
    )
    mapped_at = Instant(allow_null=True, help_text="When people mapped it last; null: never.")
    created_at = Instant()


class TypeFilters(filters.FilterSet):
    name = text_filter(longest=200)
    role = filters.ChoiceFilter(choices=Role.choices)

    class Meta:
        model = TouchpointType
        fields: ClassVar[list[str]] = []


class TouchpointTypes(ListView):
    permission_needed: ClassVar[str] = "overview.view"
    queryset = TouchpointType.objects.all()
    serializer_class = TypeShape
    filterset_class = TypeFilters
    oldest_first = True

    @extend_schema(
        operation_id="touchpoint_types_list",
        summary="The names that sources send, and the role each is mapped to",
        description="Versions keep the mapping they were built with, so changing one is a new version.",
        responses={200: TypeShape(many=True), **problems(400)},
    )
    def get(self, request: Request) -> Response:
        return self.listed(request)
