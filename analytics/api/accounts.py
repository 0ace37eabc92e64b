"""/api/v1/accounts/: the organisations that customers belong to."""

from typing import Any, ClassVar

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from clm.lib.questions import NotThereError
from customers.models import Account, Affiliation

from ..account_list import MOST_TEXT, called_so
from .answering import Instant, problems
from .asking import NoParameters, asked_id
from .lists import ListView, MomentFilter, text_filter


class AccountShape(serializers.Serializer[Any]):
    id = serializers.CharField()
    key = serializers.CharField()
    name = serializers.CharField()
    properties = serializers.DictField(child=serializers.JSONField(allow_null=True))
    created_at = Instant()


class AccountFilters(filters.FilterSet):
    search = text_filter(
        longest=MOST_TEXT,
        method="of_words",
        help_text="Words, each of which stands in the name, the key or an address that was told (website, domain, "
        "e-mail); with accents or without.",
    )
    key = text_filter(longest=512)
    created_from = MomentFilter(field_name="created_at", lookup_expr="gte")
    created_until = MomentFilter(field_name="created_at", lookup_expr="lt")

    class Meta:
        model = Account
        fields: ClassVar[list[str]] = []

    def of_words(self, found: QuerySet[Any], _name: str, search: str) -> QuerySet[Any]:
        return called_so(found, search)


class Accounts(ListView):
    permission_needed: ClassVar[str] = "customers.view"
    queryset = Account.objects.all()
    serializer_class = AccountShape
    filterset_class = AccountFilters

    @extend_schema(
        operation_id="accounts_list",
        summary="Organisations, newest first",
        responses={200: AccountShape(many=True), **problems(400)},
    )
    def get(self, request: Request) -> Response:
        return self.listed(request)


class OneAccount(APIView):
    permission_needed: ClassVar[str] = "customers.view"

    @extend_schema(
        operation_id="accounts_read", summary="One organisation", responses={200: AccountShape, **problems(400, 404)}
    )
    def get(self, request: Request, account: str) -> Response:
        NoParameters.of(request)
        return Response(AccountShape(_account(account)).data)


class MemberShape(serializers.Serializer[Any]):
    id = serializers.CharField()
    customer = serializers.CharField(source="profile.customer_id")
    name = serializers.CharField(source="profile.customer.known_as")
    profile = serializers.CharField(source="profile_id")
    until = Instant(source="until_at", allow_null=True, help_text="Null: until now.")

    def get_fields(self) -> dict[str, Any]:
        return {**super().get_fields(), "from": Instant(source="from_at")}


class AccountMembers(ListView):
    permission_needed: ClassVar[str] = "customers.view"
    queryset = Affiliation.objects.select_related("profile__customer")
    serializer_class = MemberShape

    def get_queryset(self) -> QuerySet[Any]:
        """The affiliations of the account in the address."""
        return super().get_queryset().filter(account=_account(self.kwargs["account"]))

    @extend_schema(
        operation_id="accounts_members",
        summary="Who belongs and belonged to an organisation",
        responses={200: MemberShape(many=True), **problems(400, 404)},
    )
    def get(self, request: Request, account: str) -> Response:
        return self.listed(request)


def _account(text: str) -> Account:
    found = Account.objects.filter(pk=asked_id(text)).first()
    if found is None:
        raise NotThereError(text)
    return found
