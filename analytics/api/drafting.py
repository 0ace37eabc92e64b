"""What every address that drafts a change shares: how rules are given, what a draft is answered with, and how a rule
that cannot be is told."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from clm.lib.access.models import User
from clm.lib.problems import BadInput
from lifecycle.models import Revision
from lifecycle.rules.document import RuleError

from .asking import Body

# Where an act on one rule of a model says what is wrong: from the model's document on.
_OF_STAGE = re.compile(r"\$\.stages\[\d+\]\.rule")
LONGEST_NOTE = 2000


@extend_schema_field({"type": "object", "additionalProperties": {}, "example": {"did": {"role": "purchase"}}})
class RuleGiven(serializers.Field[Any, Any, Any, Any]):
    """A rule document, handed on as it was parsed: what it may hold is the rule language's to say."""

    def to_internal_value(self, data: Any) -> Any:
        return data

    def to_representation(self, value: Any) -> Any:
        return value


class Noted(Body):
    note = serializers.CharField(
        required=False, allow_blank=True, max_length=LONGEST_NOTE, help_text="Why, for those who read the versions."
    )


class RuleTold(Noted):
    rule = RuleGiven()


class DraftedVersion(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(source="subject.kind", choices=["model", "segment", "list"])
    key = serializers.CharField(source="subject.key")
    number = serializers.IntegerField()


class DraftedShape(serializers.Serializer[Any]):
    change = serializers.CharField(help_text="The id of the change: look at it, publish it or drop it under changes.")
    is_live = serializers.BooleanField(help_text="True: it went live at once, because nobody is affected.")
    versions = DraftedVersion(many=True, help_text="What is drafted, dependents included.")
    sub_rules = serializers.ListField(child=serializers.CharField(), help_text="The shared rules it changes, by name.")
    mapping = serializers.ListField(
        child=serializers.CharField(), help_text="The names of touchpoints whose meaning it changes."
    )


def drafted(revision: Revision, *, status: int = 201) -> Response:
    """The answer to an act that drafted a revision."""
    revision.refresh_from_db()
    versions = revision.versions.select_related("subject").order_by("pk")
    record = {
        "change": revision.pk,
        "is_live": revision.published_at is not None,
        "versions": versions,
        "sub_rules": sorted(revision.sub_rules),
        "mapping": sorted(revision.mapping),
    }
    return Response(DraftedShape(record).data, status=status)


@contextmanager
def rules_told(*, at: str = "$.rule") -> Iterator[None]:
    """A rule that cannot be is a 400 that names its place in the body. at: where the body holds what an act was given;
    "$" for a whole document."""
    try:
        yield
    except RuleError as error:
        raise told(error, at=at) from None


def told(error: RuleError, *, at: str) -> BadInput:
    """A rule's error as the API tells it."""
    path = _OF_STAGE.sub("$", error.path, count=1) if at == "$.rule" else error.path
    place = at + path.removeprefix("$")
    return BadInput(f"{place}: {error.message}", errors=[{"field": place, "message": error.message}])


def body_of(request: Request, kind: type[Body]) -> dict[str, Any]:
    """The validated body of a request that holds rules; what is no document is told with its place."""
    with rules_told(at="$"):
        return kind.of_request(request)


def author_id(request: Request) -> int | None:
    """The person who asks, None for a key."""
    return request.user.pk if isinstance(request.user, User) else None
