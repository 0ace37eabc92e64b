"""/api/v1/erasures/: customers who were erased, and letting in again who comes back."""

from typing import Any, ClassVar

from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from clm.lib.access.models import User
from clm.lib.questions import NotThereError
from customers.erased import readmit
from customers.ingest import clock
from customers.models import Customer, Erasure
from lifecycle.erase import erase

from .acting import act
from .answering import Instant, problems
from .asking import Body, NoParameters, asked_id
from .lists import IdFilter, ListView, TruthFilter

LONGEST_KIND, LONGEST_VALUE = 40, 512


class ErasureShape(serializers.Serializer[Any]):
    id = serializers.CharField()
    customer = serializers.CharField(source="customer_id", help_text="Its number; nothing says any more who it was.")
    at = Instant(help_text="From then on nobody finds the person.")
    author = serializers.CharField(source="author.name", default="", help_text="Empty: a machine or the command.")
    finished_at = Instant(
        allow_null=True, help_text="When all that others wrote was looked through: texts of touchpoints and the like."
    )
    counts = serializers.DictField(child=serializers.IntegerField(), help_text="Rows erased, by kind.")


class ErasureFilters(filters.FilterSet):
    customer = IdFilter()
    is_finished = TruthFilter(field_name="finished_at", lookup_expr="isnull", exclude=True)

    class Meta:
        model = Erasure
        fields: ClassVar[list[str]] = []


class Erasures(ListView):
    permission_needed: ClassVar[str] = "customers.erase"
    queryset = Erasure.objects.select_related("author")
    serializer_class = ErasureShape
    filterset_class = ErasureFilters

    @extend_schema(
        operation_id="erasures_list",
        summary="Erasures, last first",
        responses={200: ErasureShape(many=True), **problems(400)},
    )
    def get(self, request: Request) -> Response:
        return self.listed(request)


class OneErasure(APIView):
    permission_needed: ClassVar[str] = "customers.erase"

    @extend_schema(
        operation_id="erasures_read", summary="One erasure", responses={200: ErasureShape, **problems(400, 404)}
    )
    def get(self, request: Request, erasure: str) -> Response:
        NoParameters.of(request)
        found = Erasure.objects.select_related("author").filter(pk=asked_id(erasure)).first()
        if found is None:
            raise NotThereError(erasure)
        return Response(ErasureShape(found).data)


class EraseCustomer(APIView):
    permission_needed: ClassVar[dict[str, str]] = {"POST": "customers.erase"}

    @act(
        operation_id="customers_erase",
        summary="Erase a customer",
        description=(
            "For good. Everything that says who it was goes at once; texts of touchpoints, raw bodies and refused "
            "messages follow within moments (`finished_at` of the erasure). What happened stays with its type, time "
            "and amount under nobody's name. A keyed hash of each identifier is left: what names it again is not "
            "stored."
        ),
        responses={202: ErasureShape},
        refusals=(404,),
    )
    def post(self, request: Request, customer: str) -> Response:
        number = asked_id(customer)
        if not Customer.objects.filter(pk=number).exists():
            raise NotThereError(customer)
        author = request.user.pk if isinstance(request.user, User) else None
        done = erase(customer=number, now=clock(), author=author)
        where = {"Location": f"/api/v1/erasures/{done.pk}/"}
        return Response(ErasureShape(done).data, status=status.HTTP_202_ACCEPTED, headers=where)


class Readmitted(Body):
    kind = serializers.CharField(max_length=LONGEST_KIND, help_text="email, phone, user_id, anonymous_id and so on.")
    value = serializers.CharField(max_length=LONGEST_VALUE, help_text="The identifier, as its owner says it.")


class ReadmittedShape(serializers.Serializer[Any]):
    was_erased = serializers.BooleanField(help_text="False: nobody asked us to forget this one.")


class Readmit(APIView):
    permission_needed: ClassVar[dict[str, str]] = {"POST": "customers.erase"}

    @act(
        operation_id="erasures_readmit",
        summary="Let an identifier in again whose person has come back",
        description="What was erased does not return; what names the identifier from now on is stored again.",
        request=Readmitted,
        responses={200: ReadmittedShape},
    )
    def post(self, request: Request) -> Response:
        told = Readmitted.of_request(request)
        return Response(ReadmittedShape({"was_erased": readmit(kind=told["kind"], value=told["value"])}).data)
