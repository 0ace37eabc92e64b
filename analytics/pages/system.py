"""How the installation is doing, for an admin: what waits, what is parked and why, imports, replays, and the scan that
everything rests on."""

from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from analytics.imports import import_account
from analytics.row_pages import row_page
from analytics.system import SystemState, system_state
from clm.lib.questions import NotThereError
from clm.lib.templatetags.numbers import number, percent
from clm.lib.templatetags.times import distance
from lifecycle.models import Parked
from lifecycle.parking import unpark

from ..days.declared import ACQUISITION, LISTED, PACKS, SALES, STAGES
from .asking import page
from .progress import Job


@dataclass(frozen=True, slots=True)
class Fact:
    """A figure about the machinery, with what it means and when to worry."""

    key: str
    title: str
    value: str
    text: str


@page("system.manage", takes=("cursor",))
def system(request: HttpRequest, *, now: datetime) -> HttpResponse:
    """cursor: where the page of customers put aside begins."""
    state = system_state()
    parked = row_page(Parked.objects.all(), order=("-parked_at", "pk"), cursor=request.GET.get("cursor") or None)
    context = {
        "now": now,
        "state": state,
        "parked": parked,
        "waiting": _waiting(state),
        "counting": _counting(state, now=now),
    }
    return render(request, "pages/system.html", context)


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


def _counting(state: SystemState, *, now: datetime) -> list[Job]:
    """Figures that are being counted from the beginning, as long jobs."""
    titles = {
        STAGES.name: _("Customers by stage, day by day"),
        SALES.name: _("Sales and activity, day by day"),
        LISTED.name: _("What lists of customers are sorted by"),
        ACQUISITION.name: _("How customers were won"),
        PACKS.name: _("Histories for periods of one's own"),
    }
    return [
        Job(
            id=one.statistic,
            title=titles[one.statistic],
            state="running",
            done=one.customers_done,
            total=one.customers if one.ready_at else 0,
            unit=_("customers"),
            note=_("Ready %(when)s at this pace") % {"when": distance(one.ready_at, now)} if one.ready_at else "",
            url="",
        )
        for one in state.counting
    ]


def _waiting(state: SystemState) -> list[Fact]:
    return [
        Fact(
            "changes",
            _("Changes to work in"),
            number(state.stale_rows),
            _(
                "What has happened and is not part of anybody's stage yet. It should return to 0 within seconds. If "
                "thousands stay for long, the machine is too small, or customers were put aside after an error."
            ),
        ),
        Fact(
            "moves",
            _("Moves due by time"),
            number(state.overdue),
            _(
                "Customers whose stage may have changed because time has passed, and who were not looked at since. "
                "They should be few."
            ),
        ),
        Fact(
            "news",
            _("News to hand on"),
            number(state.unsequenced),
            _("Stage changes that nobody was told of yet. It should return to 0 within seconds."),
        ),
        Fact(
            "quick",
            _("Touchpoints quick to read"),
            _("n/a") if state.all_visible is None else percent(state.all_visible),
            _(
                "The share of touchpoints that PostgreSQL reads the quick way. Below 80 % it takes many times longer "
                "to work out everybody's stages anew: its autovacuum does not keep up."
            ),
        ),
    ]
