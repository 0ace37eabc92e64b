"""/api/v1/changes/: what is drafted and what went live; what a change would do; publishing it or dropping it."""

from typing import Any, ClassVar

from django.core.exceptions import PermissionDenied
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from clm.lib.access.models import User
from clm.lib.access.table import can
from clm.lib.questions import QuestionError
from customers.ingest import clock
from customers.models import Role
from lifecycle.models import Preview
from lifecycle.previews import start_preview
from lifecycle.publications import ask_to_publish, publication_progress
from lifecycle.revise import discard

from ..changes import PAGE, STATES, Change, change, change_rows, effect, needed_for
from .acting import act
from .answering import Instant, page, page_of, problems
from .asking import NoParameters, Parameters
from .estimates import STATES as COUNT_STATES
from .estimates import FillingShape, asked_number, state_of
from .stages import StageShape


class ChangeListed(serializers.Serializer[Any]):
    id = serializers.CharField()
    state = serializers.ChoiceField(
        choices=STATES,
        help_text="running: going live; failed: refused when it should have; replaced: a newer one went live.",
    )
    names = serializers.ListField(child=serializers.CharField(), help_text="What it changes.")
    more = serializers.IntegerField(help_text="How many others get a version because they depend on it.")
    note = serializers.CharField()
    author = serializers.CharField()
    created_at = Instant()
    published_at = Instant(allow_null=True)


class RuleDiffShape(serializers.Serializer[Any]):
    name = serializers.CharField()
    before = serializers.CharField(help_text="The rule in English; empty where there was none.")
    after = serializers.CharField()
    rank_before = serializers.IntegerField(help_text="Its place in the precedence, 1 counts first; 0: none.")
    rank_after = serializers.IntegerField()


class VersionDiffShape(serializers.Serializer[Any]):
    kind = serializers.CharField()
    key = serializers.CharField()
    name = serializers.CharField()
    number = serializers.IntegerField()
    before_number = serializers.IntegerField(allow_null=True)
    is_dependent = serializers.BooleanField(help_text="Its own rules stay; what they name changes.")
    rules = RuleDiffShape(many=True)


class AmountsAheadShape(serializers.Serializer[Any]):
    looked_at = serializers.IntegerField(help_text="How many touchpoints, those that arrived last, were read anew.")
    turned = serializers.IntegerField(help_text="How many of them would have the other sign.")
    fresh = serializers.IntegerField(help_text="How many would have an amount for the first time.")
    other = serializers.IntegerField(help_text="How many would have another amount.")
    before = serializers.IntegerField(help_text="The sum of their amounts, minor units of the reporting currency.")
    after = serializers.IntegerField()


class MappingDiffShape(serializers.Serializer[Any]):
    type = serializers.CharField(help_text="The id of the touchpoint type.")
    name = serializers.CharField()
    role = serializers.ChoiceField(choices=Role.choices)
    role_before = serializers.ChoiceField(choices=Role.choices)
    reads = serializers.DictField(
        child=serializers.CharField(), help_text="By what is read from a place of its own, the property that says it."
    )
    reads_before = serializers.DictField(child=serializers.CharField())
    touchpoints = serializers.IntegerField(help_text="How many of the name are stored.")
    amounts = AmountsAheadShape(
        allow_null=True, help_text="What would become of stored amounts; null where they are read as before."
    )


class PublicationShape(serializers.Serializer[Any]):
    asked_at = Instant()
    finished_at = Instant(allow_null=True)
    refused_at = Instant(allow_null=True)
    refusal = serializers.CharField()
    buckets = serializers.IntegerField(help_text="Into how many parts the customers are cut; 0: not begun.")
    done = serializers.IntegerField()


class ChangeRead(ChangeListed):
    versions = VersionDiffShape(many=True)
    sub_rules = RuleDiffShape(many=True)
    mapping = MappingDiffShape(many=True, help_text="What it says of names that sources send.")
    obstacles = serializers.ListField(child=serializers.CharField(), help_text="Why it could not go live now.")
    publication = PublicationShape(allow_null=True)


class ShareShape(serializers.Serializer[Any]):
    customers = serializers.IntegerField()
    low = serializers.IntegerField(help_text="Lower end of a 95 % interval; the number itself where it is exact.")
    high = serializers.IntegerField()


class ExampleCustomerShape(serializers.Serializer[Any]):
    id = serializers.CharField()
    name = serializers.CharField()


class ChangeMoveShape(serializers.Serializer[Any]):
    to = StageShape(source="target", allow_null=True)
    customers = serializers.IntegerField()
    examples = ExampleCustomerShape(many=True)

    def get_fields(self) -> dict[str, Any]:
        return {
            "from": StageShape(source="source", allow_null=True, help_text="Null: in none."),
            **super().get_fields(),
        }


class SubjectDiffShape(serializers.Serializer[Any]):
    kind = serializers.CharField()
    key = serializers.CharField()
    name = serializers.CharField()
    is_new = serializers.BooleanField()
    moved = ShareShape(help_text="Who stands elsewhere.")
    changed = ShareShape(help_text="Whose history reads differently.")
    moves = ChangeMoveShape(many=True)


class RetentionDiffShape(serializers.Serializer[Any]):
    since = Instant()
    crr_before = serializers.FloatField(allow_null=True)
    crr_after = serializers.FloatField(allow_null=True)
    churn_before = serializers.FloatField(allow_null=True)
    churn_after = serializers.FloatField(allow_null=True)


class EffectShape(serializers.Serializer[Any]):
    as_of = Instant(source="at")
    is_exact = serializers.BooleanField()
    customers = serializers.IntegerField(help_text="How many there are.")
    sampled = serializers.IntegerField(help_text="How many of them were looked at.")
    subjects = SubjectDiffShape(many=True)
    retention = RetentionDiffShape(allow_null=True, help_text="Null: the change leaves it alone.")
    campaigns = serializers.ListField(child=serializers.CharField(), help_text="Whose audience changes.")
    touched = serializers.IntegerField(allow_null=True, help_text="Customers of whom something new is known since.")
    filling = FillingShape(
        many=True,
        help_text="Properties of which not all values are kept yet; here the touchpoints themselves were read.",
    )
    note = serializers.CharField(allow_blank=True, help_text="The same in a sentence.")


class ChangeCountingShape(serializers.Serializer[Any]):
    state = serializers.ChoiceField(choices=COUNT_STATES)
    buckets = serializers.IntegerField()
    done = serializers.IntegerField()
    error = serializers.CharField()
    note = serializers.CharField(allow_blank=True, help_text="What has to be filled in first, if anything has.")


class PreviewShape(serializers.Serializer[Any]):
    counting = ChangeCountingShape(allow_null=True, help_text="The exact count; null: nobody has asked for it.")
    effect = EffectShape(allow_null=True, help_text="Null: it went live without having been counted or estimated.")


class ChangesAsked(Parameters):
    cursor = serializers.CharField(required=False, max_length=20, help_text="Where the page begins; from `next`.")


class Changes(APIView):
    permission_needed: ClassVar[str] = "stages.view"

    @extend_schema(
        operation_id="changes_list",
        summary="Changes of rules, drafted and live, newest first",
        parameters=[ChangesAsked],
        responses={200: page_of(ChangeListed, "ChangePage"), **problems(400)},
    )
    def get(self, request: Request) -> Response:
        cursor = ChangesAsked.of(request).get("cursor")
        rows = change_rows(before=None if cursor is None else _cursor(cursor))
        following = str(rows[-1].id) if len(rows) == PAGE else None
        return Response(page(request, ChangeListed(rows, many=True).data, following=following))


class OneChange(APIView):
    permission_needed: ClassVar[dict[str, str]] = {"GET": "stages.view", "DELETE": "segments.edit"}

    @extend_schema(
        operation_id="changes_read",
        summary="One change: its rules before and after",
        responses={200: ChangeRead, **problems(404)},
    )
    def get(self, request: Request, change: str) -> Response:
        NoParameters.of(request)
        return Response(written_change(_found(change)))

    @act(
        operation_id="changes_discard",
        summary="Drop a change that is not live",
        description="Changes of stage models, of shared rules and of what names mean are dropped by admins.",
        responses={204: None},
        refusals=(403, 404),
    )
    def delete(self, request: Request, change: str) -> Response:
        number = asked_number(change)
        _refuse_others(request, number)
        discard(revision=number)
        return Response(status=204)


class ChangePreview(APIView):
    permission_needed: ClassVar[dict[str, str]] = {"GET": "stages.view", "POST": "segments.edit"}

    @extend_schema(
        operation_id="changes_preview_read",
        summary="What a change does to customers",
        description="Estimated from a sample until it has been counted for everybody.",
        responses={200: PreviewShape, **problems(404)},
    )
    def get(self, request: Request, change: str) -> Response:
        NoParameters.of(request)
        found = _found(change)
        told = effect(of=found, now=clock())
        return Response(PreviewShape({"counting": _counting(found.preview), "effect": told}).data)

    @act(
        operation_id="changes_preview_start",
        summary="Count exactly what a change does",
        description="Counted by the workers. What was counted is kept and not counted again.",
        responses={202: ChangeCountingShape},
        refusals=(404,),
    )
    def post(self, request: Request, change: str) -> Response:
        number = asked_number(change)
        needed_for(number=number)
        preview = start_preview(revision=number, author=_author(request), now=clock())
        return Response(ChangeCountingShape(_counting(preview)).data, status=202)


class ChangePublish(APIView):
    permission_needed: ClassVar[str] = "segments.edit"

    @act(
        operation_id="changes_publish",
        summary="Make a change live",
        description=(
            "Done by the workers; ask the change's own address how far it is. A change that breaks an example is "
            "refused. Changes of models, of shared rules and of what names mean are published by admins. Nothing is "
            "announced as news."
        ),
        responses={202: ChangeRead},
        refusals=(403, 404),
    )
    def post(self, request: Request, change: str) -> Response:
        number = asked_number(change)
        _refuse_others(request, number)
        ask_to_publish(revision=number, author=_author(request), now=clock())
        return Response(written_change(_found(change)), status=202)


def written_change(found: Change) -> Any:
    """One change, as the API tells it."""
    publication = found.publication
    if publication is not None:
        far = publication_progress()
        publication = {
            "asked_at": publication.asked_at,
            "finished_at": publication.finished_at,
            "refused_at": publication.refused_at,
            "refusal": publication.refusal,
            "buckets": far.buckets,
            "done": far.done,
        }  # type: ignore[assignment]
    row = found.row
    listed = {str(name): getattr(row, str(name)) for name in ChangeListed().fields}
    rest: dict[str, Any] = {name: getattr(found, name) for name in ("versions", "sub_rules", "mapping", "obstacles")}
    return ChangeRead({**listed, **rest, "publication": publication}).data


def _cursor(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise QuestionError("cursor", "this is no cursor; take it from next")
    return int(text)


def _found(text: str) -> Change:
    return change(number=asked_number(text))


def _counting(preview: Preview | None) -> dict[str, Any] | None:
    return None if preview is None else state_of(preview)


def _refuse_others(request: Request, number: int) -> None:
    if not can(request.user, needed_for(number=number)):
        raise PermissionDenied("This change is one of models, shared rules or what names mean, which admins decide on.")


def _author(request: Request) -> int | None:
    return request.user.pk if isinstance(request.user, User) else None
