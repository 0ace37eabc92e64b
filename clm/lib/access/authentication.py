"""How machines prove who they are, and how the API asks the permission table."""

from typing import Any

import pghistory
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from .authors import author_of
from .last_seen import note_use
from .models import ApiKey, hashed
from .table import can


class KeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer <key>`; keys are made on the pages, by the API and by `manage.py create_key`."""

    def authenticate(self, request: Request) -> tuple[ApiKey, None] | None:
        scheme, _space, secret = get_authorization_header(request).decode("latin-1").partition(" ")
        if scheme.lower() != "bearer":
            return None
        with_owner = Q(owner=None) | Q(owner__is_active=True)
        key = ApiKey.objects.filter(with_owner, secret_hash=hashed(secret.strip()), revoked_at=None).first()
        if key is None:
            raise AuthenticationFailed(_("This key is unknown or revoked."))
        note_use(key, now=timezone.now())
        pghistory.context(**author_of(key))
        return key, None

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'


class KeyScheme(OpenApiAuthenticationExtension):
    target_class = "clm.lib.access.authentication.KeyAuthentication"
    name = "key"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "A key, made under API keys or by `manage.py create_key`.",
        }


class DeclaredPermission(BasePermission):
    """The view's `permission_needed`: one permission, or one per method. A view that declares none is refused."""

    def has_permission(self, request: Request, view: Any) -> bool:
        needed = getattr(view, "permission_needed", None)
        if isinstance(needed, dict):
            needed = needed.get("GET" if request.method in ("HEAD", "OPTIONS") else request.method)
        elif needed is None and type(view).__module__.startswith("drf_spectacular"):
            needed = "overview.view"  # the API's own documents, for anybody who may log in
        if needed is None and not hasattr(view, (request.method or "").lower()):
            return bool(request.user.is_authenticated)  # there is no such method, which the view will say
        return needed is not None and can(request.user, needed)
