"""/api/v1/sources/, /api/v1/channels/ and /api/v1/touchpoint-types/: what touchpoints come from, over and as."""

from dataclasses import asdict
from typing import Any, ClassVar

from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from clm.lib.questions import NotThereError
from customers.models import Channel, Role, Source, TouchpointType

from ..days.kept import kept
from ..sources import source_notes
from .answering import Instant, problems
from .asking import NoParameters
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


class SourceFilters(filters.FilterSet):
    key = text_filter(longest=60)
    kind = text_filter(longest=20)
    is_simulated = TruthFilter()

    class Meta:
        model = Source
        fields: ClassVar[list[str]] = []


class Sources(ListView):
    permission_needed: ClassVar[str] = "overview.view"
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
