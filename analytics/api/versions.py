"""/api/v1/stage-models/{key}/versions/, /api/v1/segments/{key}/versions/ and /api/v1/sub-rules/: the documents that
decide, or once decided, where customers are."""

from dataclasses import replace
from typing import Any, ClassVar

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from clm.lib.questions import NotThereError
from lifecycle.models import SubRule, Version

from ..sorting import Sorting, segment, stage_model
from ..stage_rules import stage_rules
from .acting import act
from .answering import Instant, problems
from .asking import NoParameters
from .drafting import DraftedShape
from .lists import ListView, text_filter
from .model_drafts import SubRuleNew, new_sub_rule
from .rules import DocumentParser
from .stages import SubRuleShape


class VersionListed(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    state = serializers.ChoiceField(choices=Version.State.choices)
    created_at = Instant()
    published_at = Instant(allow_null=True)
    retired_at = Instant(allow_null=True)
    author = serializers.CharField(source="author.name", default="")
    note = serializers.CharField()
    lapse_days = serializers.IntegerField(help_text="What L means in its rules.")
    time_zone = serializers.CharField(help_text="Whose calendar days its rules count.")
    tzdata = serializers.CharField()
    minor_digits = serializers.IntegerField()
    engine = serializers.IntegerField()


class VersionStageShape(serializers.Serializer[Any]):
    key = serializers.CharField()
    name = serializers.CharField()
    precedence = serializers.IntegerField()
    sentence = serializers.CharField()
    rule = serializers.JSONField(allow_null=True)


class VersionRead(VersionListed):
    stages = VersionStageShape(many=True)
    sub_rules = SubRuleShape(many=True, help_text="The named rules it mentions, as it was built with them.")
    roles = serializers.DictField(child=serializers.CharField(), help_text="The role of every type of touchpoint.")


class VersionFilters(filters.FilterSet):
    state = filters.ChoiceFilter(choices=Version.State.choices)

    class Meta:
        model = Version
        fields: ClassVar[list[str]] = []


# A docstring here would become the description of the lists below in the API's own documents.
class VersionsOf(ListView):  # the versions of one stage model or segment
    queryset = Version.objects.select_related("author")
    serializer_class = VersionListed
    filterset_class = VersionFilters

    def sorting(self, key: str) -> Sorting:
        """What these are versions of."""
        raise NotImplementedError

    def get_queryset(self) -> QuerySet[Any]:
        """The versions of the model or segment in the address."""
        return super().get_queryset().filter(subject=self.sorting(self.kwargs["key"]).id)


class ModelVersions(VersionsOf):
    permission_needed: ClassVar[str] = "stages.view"

    def sorting(self, key: str) -> Sorting:
        return stage_model(key)

    @extend_schema(
        operation_id="stage_models_versions",
        summary="The versions of a stage model, last first",
        responses={200: VersionListed(many=True), **problems(400, 404)},
    )
    def get(self, request: Request, key: str) -> Response:
        return self.listed(request)


class SegmentVersions(VersionsOf):
    permission_needed: ClassVar[str] = "segments.view"

    def sorting(self, key: str) -> Sorting:
        return segment(key)

    @extend_schema(
        operation_id="segments_versions",
        summary="The versions of a segment, last first",
        responses={200: VersionListed(many=True), **problems(400, 404)},
    )
    def get(self, request: Request, key: str) -> Response:
        return self.listed(request)


def written_version(found: Sorting, number: int) -> dict[str, Any]:
    """A version with its rules in sentences; NotThereError when there is none of that number."""
    version = None
    if number < 2**31:
        chosen = Version.objects.filter(subject=found.id, number=number)
        version = chosen.select_related("author", "role_table").first()
    if version is None:
        raise NotThereError(f"{found.key} has no version {number}")
    rules = stage_rules(sorting=replace(found, version=version.pk))
    stages = [
        {
            "key": one.stage.key,
            "name": one.stage.name,
            "precedence": one.precedence,
            "sentence": one.sentence,
            "rule": one.document,
        }
        for one in rules.stages
    ]
    fields: Any = VersionListed().fields
    record = {name: getattr(version, name) for name in fields}
    more = {"stages": stages, "sub_rules": rules.named, "roles": version.role_table.roles}
    return dict(VersionRead({**record, **more}).data)


class ModelVersion(APIView):
    permission_needed: ClassVar[str] = "stages.view"

    @extend_schema(
        operation_id="stage_models_version",
        summary="One version of a stage model, with its rules",
        responses={200: VersionRead, **problems(400, 404)},
    )
    def get(self, request: Request, key: str, number: int) -> Response:
        NoParameters.of(request)
        return Response(written_version(stage_model(key), number))


class SegmentVersion(APIView):
    permission_needed: ClassVar[str] = "segments.view"

    @extend_schema(
        operation_id="segments_version",
        summary="One version of a segment, with its rule",
        responses={200: VersionRead, **problems(400, 404)},
    )
    def get(self, request: Request, key: str, number: int) -> Response:
        NoParameters.of(request)
        return Response(written_version(segment(key), number))


class SubRuleListed(serializers.Serializer[Any]):
    id = serializers.CharField()
    name = serializers.CharField()
    rule = serializers.JSONField(source="document")
    changed_at = Instant()


class SubRuleFilters(filters.FilterSet):
    name = text_filter(longest=100)

    class Meta:
        model = SubRule
        fields: ClassVar[list[str]] = []


class SubRules(ListView):
    permission_needed: ClassVar[dict[str, str]] = {"GET": "stages.view", "POST": "stages.edit"}
    parser_classes = (DocumentParser,)
    queryset = SubRule.objects.all()
    serializer_class = SubRuleListed
    filterset_class = SubRuleFilters
    oldest_first = True

    @extend_schema(
        operation_id="sub_rules_list",
        summary="The named rules that models and segments share",
        responses={200: SubRuleListed(many=True), **problems(400)},
    )
    def get(self, request: Request) -> Response:
        return self.listed(request)

    @act(
        operation_id="sub_rules_create",
        summary="Draft a shared rule",
        description="Under a name there is already, another text of it.",
        request=SubRuleNew,
        responses={201: DraftedShape},
    )
    def post(self, request: Request) -> Response:
        return new_sub_rule(request)
