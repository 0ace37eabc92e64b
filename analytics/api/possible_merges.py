"""/api/v1/possible-merges/: pairs of customers who may be one, and deciding about them."""

from typing import Any, ClassVar

from django.db.models import Q, QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from clm.lib.access.models import User
from clm.lib.questions import NotThereError
from customers.duplicates import done_percent, start_search
from customers.ingest import clock
from customers.keeping import folded_text
from customers.models import DuplicateSearch, PossibleMerge, Profile
from customers.review import accept, refuse
from lifecycle.advance import advance_customers

from ..review import OPEN, STATES, WHYS, narrowed, reason_of
from .acting import act
from .answering import Instant, problems
from .asking import Body, NoParameters, asked_id
from .lists import IdFilter, ListView, text_filter
from .merges import LONGEST_REASON, MergeShape


class PossibleMergeShape(serializers.Serializer[Any]):
    id = serializers.CharField()
    customers = serializers.SerializerMethodField(help_text="The two, as they are now; the same twice if merged.")
    state = serializers.SerializerMethodField(help_text=f"One of {', '.join(STATES)}.")
    kind = serializers.CharField(help_text="By what: the kind of an identity that both were told with, or alike.")
    value = serializers.CharField(help_text="That identity; empty for those who look alike.")
    why = serializers.SerializerMethodField(help_text="The same as a sentence.")
    score = serializers.IntegerField(help_text="How likely they are one, in percent.")
    evidence = serializers.DictField(
        child=serializers.IntegerField(), help_text="Of those who look alike: in how many percent of what."
    )
    source = serializers.CharField(source="source.key", default=None, allow_null=True)  # type: ignore[assignment]
    found_at = Instant()
    decided_at = Instant(allow_null=True)
    author = serializers.CharField(source="author.name", default="", help_text="Who decided; empty: a machine, nobody.")
    merge = serializers.CharField(source="merge_id", allow_null=True, help_text="The merge that made them one.")

    def get_customers(self, row: PossibleMerge) -> list[str]:
        """The two customers, the one created first before the other."""
        pair = sorted((row.profile.customer, row.other.customer), key=lambda one: (one.created_at, one.pk))
        return [str(one.pk) for one in pair]

    def get_state(self, row: PossibleMerge) -> str:
        """Whether it waits, and else what was decided."""
        return row.decision or OPEN

    def get_why(self, row: PossibleMerge) -> str:
        """Why the pair is there."""
        return reason_of(row)


class PossibleMergeFilters(filters.FilterSet):
    state = filters.ChoiceFilter(choices=list(STATES.items()), method="in_state", help_text="Default: any.")
    why = filters.ChoiceFilter(
        choices=[(key, label) for key, (label, _kind) in WHYS.items()], method="known_by", help_text="By what."
    )
    customer = IdFilter(method="of_customer", help_text="Either of the two.")
    score_from = filters.NumberFilter(field_name="score", lookup_expr="gte", min_value=0, max_value=100)
    source = text_filter(longest=60, field_name="source__key")

    def in_state(self, queryset: QuerySet[PossibleMerge], name: str, value: str) -> QuerySet[PossibleMerge]:
        """Those that wait, or were decided so."""
        return narrowed(queryset, state=value)

    def known_by(self, queryset: QuerySet[PossibleMerge], name: str, value: str) -> QuerySet[PossibleMerge]:
        """Those known by an e-mail address, a device and so on."""
        return narrowed(queryset, why=value)

    def of_customer(self, queryset: QuerySet[PossibleMerge], name: str, value: int) -> QuerySet[PossibleMerge]:
        """Pairs with a profile of this customer."""
        mine = Profile.objects.filter(customer=value).values("pk")
        return queryset.filter(Q(profile__in=mine) | Q(other__in=mine))

    class Meta:
        model = PossibleMerge
        fields: ClassVar[list[str]] = []


_ROWS = PossibleMerge.objects.select_related("profile__customer", "other__customer", "source", "author")


class PossibleMerges(ListView):
    permission_needed: ClassVar[str] = "customers.view"
    queryset = _ROWS
    serializer_class = PossibleMergeShape
    filterset_class = PossibleMergeFilters

    @extend_schema(
        operation_id="possible_merges_list",
        summary="Pairs of customers who may be one, last found first",
        responses={200: PossibleMergeShape(many=True), **problems(400)},
    )
    def get(self, request: Request) -> Response:
        return self.listed(request)


class OnePossibleMerge(APIView):
    permission_needed: ClassVar[str] = "customers.view"

    @extend_schema(
        operation_id="possible_merges_read",
        summary="One pair",
        responses={200: PossibleMergeShape, **problems(400, 404)},
    )
    def get(self, request: Request, possible_merge: str) -> Response:
        NoParameters.of(request)
        return Response(PossibleMergeShape(_possible(possible_merge)).data)


class Accepted(Body):
    reason = serializers.CharField(required=False, allow_blank=True, max_length=LONGEST_REASON)


class AcceptPossibleMerge(APIView):
    permission_needed: ClassVar[dict[str, str]] = {"POST": "customers.merge"}

    @act(
        operation_id="possible_merges_merge",
        summary="They are one: merge them",
        description="As any merge it can be undone. Every open pair of the two is decided with it.",
        request=Accepted,
        responses={201: MergeShape},
        refusals=(404,),
        advances=True,
    )
    def post(self, request: Request, possible_merge: str) -> Response:
        found = _possible(possible_merge)
        told = Accepted.of_request(request)
        reason = folded_text(told.get("reason", ""), field="reason", longest=LONGEST_REASON, lines=True)
        done = accept(possible=found.pk, now=clock(), author=_author(request), reason=reason or reason_of(found))
        advance_customers(customers=[done.survivor_id])
        where = {"Location": f"/api/v1/merges/{done.pk}/"}
        return Response(MergeShape(done).data, status=status.HTTP_201_CREATED, headers=where)


class RefusePossibleMerge(APIView):
    permission_needed: ClassVar[dict[str, str]] = {"POST": "customers.merge"}

    @act(
        operation_id="possible_merges_refuse",
        summary="They are two: nobody is asked about them again",
        responses={200: PossibleMergeShape},
        refusals=(404,),
    )
    def post(self, request: Request, possible_merge: str) -> Response:
        found = _possible(possible_merge)
        refuse(possible=found.pk, now=clock(), author=_author(request))
        return Response(PossibleMergeShape(_possible(possible_merge)).data)


def _author(request: Request) -> int | None:
    return request.user.pk if isinstance(request.user, User) else None


def _possible(text: str) -> PossibleMerge:
    found = _ROWS.filter(pk=asked_id(text)).first()
    if found is None:
        raise NotThereError(text)
    return found


# --- looking for them -------------------------------------------------------------------------------------------
class DuplicateSearchShape(serializers.Serializer[Any]):
    id = serializers.CharField()
    asked_at = Instant()
    author = serializers.CharField(source="author.name", default="", help_text="Empty: a machine or the command.")
    finished_at = Instant(allow_null=True)
    percent = serializers.SerializerMethodField(help_text="How far it is.")
    counts = serializers.DictField(
        child=serializers.IntegerField(), help_text="customers looked through, pairs compared, pairs new to the queue."
    )

    def get_percent(self, row: DuplicateSearch) -> int:
        """Of all there is to do."""
        return done_percent(row)


class DuplicateSearches(ListView):
    permission_needed: ClassVar[dict[str, str]] = {"GET": "customers.view", "POST": "customers.merge"}
    queryset = DuplicateSearch.objects.select_related("author")
    serializer_class = DuplicateSearchShape

    @extend_schema(
        operation_id="duplicate_searches_list",
        summary="Searches for duplicates, last first",
        responses={200: DuplicateSearchShape(many=True), **problems(400)},
    )
    def get(self, request: Request) -> Response:
        return self.listed(request)

    @act(
        operation_id="duplicate_searches_create",
        summary="Look through everybody for duplicates",
        description="Pairs come into the review queue; nobody is merged. While a search runs, it is what is answered.",
        responses={202: DuplicateSearchShape},
    )
    def post(self, request: Request) -> Response:
        found = start_search(now=clock(), author=_author(request))
        where = {"Location": f"/api/v1/duplicate-searches/{found.pk}/"}
        return Response(DuplicateSearchShape(found).data, status=status.HTTP_202_ACCEPTED, headers=where)


class OneDuplicateSearch(APIView):
    permission_needed: ClassVar[str] = "customers.view"

    @extend_schema(
        operation_id="duplicate_searches_read",
        summary="How far one search for duplicates is",
        responses={200: DuplicateSearchShape, **problems(400, 404)},
    )
    def get(self, request: Request, duplicate_search: str) -> Response:
        NoParameters.of(request)
        found = DuplicateSearch.objects.select_related("author").filter(pk=asked_id(duplicate_search)).first()
        if found is None:
            raise NotThereError(duplicate_search)
        return Response(DuplicateSearchShape(found).data)
