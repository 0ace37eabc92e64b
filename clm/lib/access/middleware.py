"""Deny by default: a view is reached only through the permission it declares; times are shown in the viewer's zone."""

import zoneinfo
from collections.abc import Callable
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone

from .table import can

# Pages that must work for somebody who is not logged in, by URL name.
PUBLIC = frozenset(
    {
        "account_login",
        "account_logout",
        "account_signup",  # always answers "closed", see the adapter
        "account_inactive",
        "account_reset_password",
        "account_reset_password_done",
        "account_reset_password_from_key",
        "account_reset_password_from_key_done",
        "account_reauthenticate",
        "healthz",
        "readyz",
        "ingestion",  # lets in by write key
        "report_leave",  # its address holds a signature
    }
)
# Pages that anybody who is logged in may use, whatever the role.
OWN = frozenset({"account_change_password", "account_set_password"})


class DenyByDefaultMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        name = request.resolver_match.view_name if request.resolver_match else None
        if name in PUBLIC:
            return None
        api_view = getattr(view, "cls", None)
        if api_view is not None and hasattr(api_view, "get_authenticators"):
            return None  # DRF authenticates by key too; its own DeclaredPermission refuses what declares nothing
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        if name in OWN:
            return None
        needed = getattr(view, "permission_needed", None)
        if needed is None:
            # A page that a library brings along and this program does not offer: no role opens it.
            raise Http404
        if not can(request.user, needed):
            raise PermissionDenied
        return None


class ViewerZoneMiddleware:
    """Show times in the zone of whoever looks."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        zone = getattr(request.user, "time_zone", None)
        if not zone:
            return self.get_response(request)
        try:
            chosen = zoneinfo.ZoneInfo(zone)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError):
            chosen = zoneinfo.ZoneInfo("UTC")
        with timezone.override(chosen):
            return self.get_response(request)
