"""The search of every page: customers first, then accounts and the places of the program. A page of its own without
scripts; with them the same answer is put into the dialog that Ctrl+K opens."""

from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from analytics import sorting
from analytics.account_list import found_accounts
from analytics.customer_stages import stages_of
from analytics.search import MOST_TEXT, FoundCustomer, found_customers
from analytics.sorting import StageRef

from . import places
from .asking import page
from .places import Place

MOST_CUSTOMERS = 8
MOST_ACCOUNTS = 5
MOST_PLACES = 6


@dataclass(frozen=True, slots=True)
class Group:
    """Results of one kind under one heading."""

    key: str
    title: str
    customers: tuple[tuple[FoundCustomer, StageRef | None], ...] = ()
    places: tuple[Place, ...] = ()

    def __len__(self) -> int:
        return len(self.customers) + len(self.places)


@page("customers.view", takes=("search",))
def search(request: HttpRequest, *, now: datetime) -> HttpResponse:
    text = request.GET.get("search", "").strip()[:MOST_TEXT]
    groups = [group for group in _groups(request, text) if len(group)]
    count = sum(len(group) for group in groups)
    said = ngettext("%(count)d result", "%(count)d results", count) % {"count": count} if text else ""
    template = "parts/palette_results.html" if request.headers.get("HX-Request") else "pages/search.html"
    return render(request, template, {"now": now, "search": text, "groups": groups, "said": said})


def _groups(request: HttpRequest, text: str) -> list[Group]:
    who = request.user
    pages = Group("pages", _("Go to"), places=tuple(places.matching(places.pages(who), text, most=MOST_PLACES + 1)))
    acts = Group("acts", _("Do"), places=tuple(places.matching(places.acts(who), text, most=MOST_PLACES)))
    if not text:
        return [pages, acts]
    models = sorting.stage_models()
    elsewhere = [
        ("stages", _("Stages"), places.stages(models)),
        ("segments", _("Segments"), places.segments(sorting.live_segments())),
        ("metrics", _("Metrics"), places.figures()),
    ]
    return [
        Group("customers", _("Customers"), customers=_customers(text, models[:1])),
        Group("accounts", _("Accounts"), places=places.accounts(found_accounts(text=text, most=MOST_ACCOUNTS))),
        pages,
        *(
            Group(key, title, places=tuple(places.matching(found, text, most=MOST_PLACES)))
            for key, title, found in elsewhere
        ),
        acts,
    ]


def _customers(text: str, models: list[sorting.Sorting]) -> tuple[tuple[FoundCustomer, StageRef | None], ...]:
    found = found_customers(text=text, most=MOST_CUSTOMERS)
    placed = stages_of(customers=[one.id for one in found], models=models) if found else {}
    return tuple((one, placed[one.id][0].stage if placed[one.id] else None) for one in found)
