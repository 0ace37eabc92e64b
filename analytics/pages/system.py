"""How the installation is doing, for an admin: what waits, what is parked and why, imports, replays, and the scan that
everything rests on."""

from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from analytics.imports import import_account
from analytics.system import system_state
from clm.lib.questions import NotThereError
from lifecycle.models import Parked
from lifecycle.parking import unpark

from .asking import page


@page("system.manage")
def system(request: HttpRequest, *, now: datetime) -> HttpResponse:
    return render(request, "pages/system.html", {"now": now, "state": system_state()})


@page("system.manage")
def system_import(request: HttpRequest, import_id: int, *, now: datetime) -> HttpResponse:
    """What became of the lines of one imported file."""
    account = import_account(import_id)
    if account is None:
        raise NotThereError("there is no import of this number")
    return render(request, "pages/import.html", {"now": now, "account": account})


@require_POST
@page("system.manage")
def system_retry(request: HttpRequest, customer_id: int, *, now: datetime) -> HttpResponse:
    """Try a parked customer again."""
    if not Parked.objects.filter(pk=customer_id).exists():
        raise NotThereError("this customer is not parked")
    unpark(customer=customer_id)
    messages.success(request, _("The customer will be tried again within a second."))
    return redirect("system")
