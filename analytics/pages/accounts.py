"""The pages of organisations: all of them in a list, and each with its people and what they did."""

from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from analytics import account_list
from analytics.account_list import SORTS, account_page, account_timeline, members, stages_of_account
from analytics.sorting import stage_model, stage_models

from .asking import page
from .forms import Crumb


@page("customers.view", takes=("search", "sort", "cursor"))
def accounts(request: HttpRequest, *, now: datetime) -> HttpResponse:
    search, sort = request.GET.get("search", "")[:200], request.GET.get("sort") or "newest"
    found = account_page(search=search, sort=sort, now=now, cursor_text=request.GET.get("cursor") or None)
    context = {
        "now": now,
        "rows": found.rows,
        "search": search,
        "sort": sort,
        "sorts": list(SORTS.items()),
        "next_cursor": found.next_cursor,
        "previous_cursor": found.previous_cursor,
    }
    return render(request, "pages/accounts.html", context)


@page("customers.view", takes=("model", "people", "before"))
def account(request: HttpRequest, account_id: int, *, now: datetime) -> HttpResponse:
    """people: where the page of its people begins; before: where that of what they did does."""
    row, properties = account_list.account(number=account_id, now=now)
    model = stage_model(request.GET.get("model") or None)
    rows, following = members(account=account_id, model=model, now=now, cursor_text=request.GET.get("people") or None)
    context = {
        "now": now,
        "account": row,
        "properties": sorted((key, value) for key, value in properties.items() if value not in (None, "")),
        "crumbs": [Crumb(reverse("accounts"), _("Accounts"))],
        "model": model.ref,
        "models": [one.ref for one in stage_models()],
        "shares": stages_of_account(account=account_id, model=model, now=now),
        "members": rows,
        "more_people": following,
        "timeline": account_timeline(
            account=account_id,
            now=now,
            zone=timezone.get_current_timezone_name(),
            before=request.GET.get("before") or None,
        ),
    }
    return render(request, "pages/account_one.html", context)
