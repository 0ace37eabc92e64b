"""/api/v1/merges/: customers found to be one person, and the way back."""

from typing import Any, ClassVar

from django.db.models import Q, QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from clm.lib.access.models import User
from clm.lib.questions import ConflictError, NotThereError, QuestionError
from customers.ingest import clock
from customers.keeping import folded_text
from customers.merge import MergeError, merge, unmerge
from customers.models import Customer, Merge
from lifecycle.advance import advance_customers

from .acting import act
from .answering import Instant, problems
from .asking import Body, NoParameters, asked_id
from .lists import IdFilter, ListView, TruthFilter

LONGEST_REASON = 2000


class MergeShape(serializers.Serializer[Any]):
    id = serializers.CharField()
    survivor = serializers.CharField(source="survivor_id", help_text="The customer created first; it has everything.")
    absorbed = serializers.CharField(source="absorbed_id", help_text="Its address leads to the survivor.")
    at = Instant()
    author = serializers.CharField(source="author.name", default="", help_text="Empty: a machine.")
    reason = serializers.CharField()
    undone_at = Instant(allow_null=True)


class MergeNew(Body):
    customers = serializers.ListField(child=serializers.CharField(max_length=30), min_length=2, max_length=2)
    reason = serializers.CharField(required=False, allow_blank=True, max_length=LONGEST_REASON)


class MergeFilters(filters.FilterSet):
    customer = IdFilter(method="of_customer", help_text="Either of the two.")
    is_undone = TruthFilter(field_name="undone_at", lookup_expr="isnull", exclude=True)

    def of_customer(self, queryset: QuerySet[Merge], name: str, value: int) -> QuerySet[Merge]:
        """Merges that the customer survived or was absorbed by."""
        return queryset.filter(Q(survivor=value) | Q(absorbed=value))

    class Meta:
        model = Merge
        fields: ClassVar[list[str]] = []


class Merges(ListView):
    permission_needed: ClassVar[dict[str, str]] = {"GET": "customers.view", "POST": "customers.merge"}
    queryset = Merge.objects.select_related("author")
    serializer_class = MergeShape
    filterset_class = MergeFilters

    @extend_schema(
        operation_id="merges_list",
        summary="Merges, last first",
        responses={200: MergeShape(many=True), **problems(400)},
    )
    def get(self, request: Request) -> Response:
        return self.listed(request)

    @act(
        operation_id="merges_create",
        summary="Make one customer of two",
        description="Nothing is lost: undoing the merge gives both their own back, also what arrived in between.",
        request=MergeNew,
        responses={201: MergeShape},
        advances=True,
    )
    def post(self, request: Request) -> Response:
        told = MergeNew.of_request(request)
        first, second = (_customer(text) for text in told["customers"])
        if first == second:
            raise QuestionError("customers", "these are one customer already; name two different ones")
        reason = folded_text(told.get("reason", ""), field="reason", longest=LONGEST_REASON, lines=True)
        author = request.user.pk if isinstance(request.user, User) else None
        try:
            done = merge(customers=(first, second), now=clock(), author=author, reason=reason)
        except MergeError as error:
            raise ConflictError(str(error)) from None
        advance_customers(customers=[done.survivor_id])
        where = {"Location": f"/api/v1/merges/{done.pk}/"}
        return Response(MergeShape(done).data, status=status.HTTP_201_CREATED, headers=where)


class OneMerge(APIView):
    permission_needed: ClassVar[str] = "customers.view"

    @extend_schema(operation_id="merges_read", summary="One merge", responses={200: MergeShape, **problems(400, 404)})
    def get(self, request: Request, merge: str) -> Response:
        NoParameters.of(request)
        return Response(MergeShape(_merge(merge)).data)


class UndoMerge(APIView):
    permission_needed: ClassVar[dict[str, str]] = {"POST": "customers.merge"}

    @act(
        operation_id="merges_undo",
        summary="Undo a merge",
        responses={200: MergeShape},
        refusals=(404,),
        advances=True,
    )
    def post(self, request: Request, merge: str) -> Response:
        found = _merge(merge)
        try:
            done = unmerge(merge=found.pk, now=clock())
        except MergeError as error:
            raise ConflictError(str(error)) from None
        advance_customers(customers=[done.survivor_id, done.absorbed_id])
        return Response(MergeShape(_merge(merge)).data)


def _customer(text: str) -> int:
    try:
        number = asked_id(text)
    except NotThereError:
        number = 0
    if not Customer.objects.filter(pk=number).exists():
        raise QuestionError("customers", f"there is no customer {text[:30]}")
    return number


def _merge(text: str) -> Merge:
    found = Merge.objects.select_related("author").filter(pk=asked_id(text)).first()
    if found is None:
        raise NotThereError(text)
    return found
