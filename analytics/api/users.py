"""/api/v1/me/, /api/v1/users/ and /api/v1/keys/: who may come in, and what each may do."""

from typing import Any, ClassVar

from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from clm.lib.access.keeping import change_key, change_user, create_user, issue_key, revoke_key
from clm.lib.access.models import ApiKey, Role, User
from clm.lib.access.table import TABLE, can
from clm.lib.questions import NotThereError
from customers.ingest import clock

from .acting import act
from .answering import Instant, problems
from .asking import Body, NoParameters, asked_id
from .lists import ListView, TruthFilter, text_filter


# --- whoever asks ---------------------------------------------------------------------------------------------
class MeShape(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=["user", "key"])
    id = serializers.CharField()
    name = serializers.CharField()
    role = serializers.ChoiceField(choices=Role.choices)
    may = serializers.ListField(child=serializers.CharField(), help_text="The permissions of this role.")


class Me(APIView):
    permission_needed: ClassVar[str] = "overview.view"

    @extend_schema(
        operation_id="me_read",
        summary="Whose key or login this is, and what it may do",
        responses={200: MeShape, **problems(400)},
    )
    def get(self, request: Request) -> Response:
        NoParameters.of(request)
        who: Any = request.user
        record = {
            "kind": "user" if isinstance(who, User) else "key",
            "id": who.pk,
            "name": who.name or getattr(who, "email", ""),
            "role": who.role,
            "may": [permission for permission in TABLE if can(who, permission)],
        }
        return Response(MeShape(record).data)


# --- users ----------------------------------------------------------------------------------------------------
class UserShape(serializers.Serializer[Any]):
    id = serializers.CharField()
    email = serializers.CharField()
    name = serializers.CharField()
    role = serializers.ChoiceField(choices=Role.choices)
    time_zone = serializers.CharField()
    is_active = serializers.BooleanField(help_text="False: cannot log in.")
    created_at = Instant()
    last_login = Instant(allow_null=True)
    last_seen_at = Instant(allow_null=True, help_text="On a page, to some minutes.")


class UserTold(Body):
    email = serializers.CharField(required=False, max_length=254)
    name = serializers.CharField(required=False, allow_blank=True, max_length=1000)
    role = serializers.ChoiceField(choices=Role.choices, required=False)
    time_zone = serializers.CharField(required=False, max_length=64, help_text="Such as Europe/London.")
    is_active = serializers.BooleanField(required=False)
    password = serializers.CharField(
        required=False, max_length=200, trim_whitespace=False, help_text="Ends that user's sessions."
    )


class UserNew(Body):
    email = serializers.CharField(max_length=254)
    role = serializers.ChoiceField(choices=Role.choices)
    name = serializers.CharField(required=False, allow_blank=True, max_length=1000)
    time_zone = serializers.CharField(required=False, max_length=64, help_text="Default: UTC.")
    password = serializers.CharField(
        required=False,
        max_length=200,
        trim_whitespace=False,
        help_text='Without one, nobody can log in until one is set by the page "forgot your password".',
    )


class UserFilters(filters.FilterSet):
    role = filters.ChoiceFilter(choices=Role.choices)
    is_active = TruthFilter()
    email = text_filter(longest=254, lookup_expr="iexact")

    class Meta:
        model = User
        fields: ClassVar[list[str]] = []


class Users(ListView):
    permission_needed: ClassVar[dict[str, str]] = {"GET": "users.manage", "POST": "users.manage"}
    queryset = User.objects.all()
    serializer_class = UserShape
    filterset_class = UserFilters

    @extend_schema(
        operation_id="users_list",
        summary="The people who may log in, newest first",
        responses={200: UserShape(many=True), **problems(400)},
    )
    def get(self, request: Request) -> Response:
        return self.listed(request)

    @act(
        operation_id="users_create",
        summary="Let somebody log in",
        request=UserNew,
        responses={201: UserShape},
    )
    def post(self, request: Request) -> Response:
        user = create_user(**UserNew.of_request(request))
        where = {"Location": f"/api/v1/users/{user.pk}/"}
        return Response(UserShape(user).data, status=status.HTTP_201_CREATED, headers=where)


class OneUser(APIView):
    permission_needed: ClassVar[dict[str, str]] = {"GET": "users.manage", "PATCH": "users.manage"}

    @extend_schema(operation_id="users_read", summary="One user", responses={200: UserShape, **problems(400, 404)})
    def get(self, request: Request, user: str) -> Response:
        NoParameters.of(request)
        return Response(UserShape(_user(user)).data)

    @act(
        operation_id="users_change",
        summary="Change a user's role, name or password, or shut somebody out",
        description="The last admin who can log in can be neither demoted nor deactivated.",
        request=UserTold,
        responses={200: UserShape},
        refusals=(404,),
    )
    def patch(self, request: Request, user: str) -> Response:
        found = _user(user)
        return Response(UserShape(change_user(user=found, changes=UserTold.of_request(request))).data)


def _user(text: str) -> User:
    found = User.objects.filter(pk=asked_id(text)).first()
    if found is None:
        raise NotThereError(text)
    return found


# --- keys -----------------------------------------------------------------------------------------------------
class KeyShape(serializers.Serializer[Any]):
    id = serializers.CharField()
    name = serializers.CharField()
    role = serializers.ChoiceField(choices=Role.choices)
    prefix = serializers.CharField(help_text="The first characters, to recognise a key by.")
    owner = serializers.CharField(
        source="owner_id", allow_null=True, help_text="The user whose own it is; null: the installation's."
    )
    created_at = Instant()
    last_used_at = Instant(allow_null=True, help_text="To the minute.")
    revoked_at = Instant(allow_null=True)


class KeyMade(KeyShape):
    secret = serializers.CharField(
        allow_null=True,
        help_text="The key itself, told this once and never kept; null when the request is answered again.",
    )


class KeyNew(Body):
    name = serializers.CharField(max_length=1000, help_text="What it is for.")
    role = serializers.ChoiceField(choices=Role.choices)


class KeyTold(Body):
    name = serializers.CharField(required=False, max_length=1000)
    role = serializers.ChoiceField(choices=Role.choices, required=False)


class KeyFilters(filters.FilterSet):
    role = filters.ChoiceFilter(choices=Role.choices)
    is_revoked = TruthFilter(field_name="revoked_at", lookup_expr="isnull", exclude=True)

    class Meta:
        model = ApiKey
        fields: ClassVar[list[str]] = []


class Keys(ListView):
    permission_needed: ClassVar[dict[str, str]] = {"GET": "users.manage", "POST": "users.manage"}
    queryset = ApiKey.objects.all()
    serializer_class = KeyShape
    filterset_class = KeyFilters

    @extend_schema(
        operation_id="keys_list",
        summary="The keys of machines, newest first",
        responses={200: KeyShape(many=True), **problems(400)},
    )
    def get(self, request: Request) -> Response:
        return self.listed(request)

    @act(
        operation_id="keys_create",
        summary="Make a key",
        request=KeyNew,
        responses={201: KeyMade},
        secret="secret",  # noqa: S106 the name of a member
    )
    def post(self, request: Request) -> Response:
        key, secret = issue_key(**KeyNew.of_request(request))
        where = {"Location": f"/api/v1/keys/{key.pk}/"}
        made = {**KeyShape(key).data, "secret": secret}
        return Response(made, status=status.HTTP_201_CREATED, headers=where)


class OneKey(APIView):
    permission_needed: ClassVar[dict[str, str]] = {"GET": "users.manage", "PATCH": "users.manage"}

    @extend_schema(operation_id="keys_read", summary="One key", responses={200: KeyShape, **problems(400, 404)})
    def get(self, request: Request, key: str) -> Response:
        NoParameters.of(request)
        return Response(KeyShape(_key(key)).data)

    @act(
        operation_id="keys_change",
        summary="Give a key another name or role",
        request=KeyTold,
        responses={200: KeyShape},
        refusals=(404,),
    )
    def patch(self, request: Request, key: str) -> Response:
        found = _key(key)
        return Response(KeyShape(change_key(key=found, changes=KeyTold.of_request(request))).data)


class RevokeKey(APIView):
    permission_needed: ClassVar[dict[str, str]] = {"POST": "users.manage"}

    @act(
        operation_id="keys_revoke",
        summary="Revoke a key",
        description="From then on it opens nothing. A revoked key stays revoked.",
        responses={200: KeyShape},
        refusals=(404,),
    )
    def post(self, request: Request, key: str) -> Response:
        return Response(KeyShape(revoke_key(key=_key(key), now=clock())).data)


def _key(text: str) -> ApiKey:
    found = ApiKey.objects.filter(pk=asked_id(text)).first()
    if found is None:
        raise NotThereError(text)
    return found
