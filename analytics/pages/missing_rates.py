"""The money that no figure counts: which currencies and days wait for an exchange rate, and the touchpoints."""

from datetime import date, datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from analytics.left_out import waiting_currencies, waiting_days, waiting_touchpoints
from clm.lib.access.table import can
from clm.lib.questions import QuestionError
from customers.models import Installation

from .asking import page
from .forms import Crumb
from .rates import jobs


@page("metrics.view", takes=("currency", "cursor"))
def rates_missing(request: HttpRequest, *, now: datetime) -> HttpResponse:
    currency = request.GET.get("currency", "")[:3]
    found = waiting_days(currency=currency, cursor_text=request.GET.get("cursor") or None)
    currencies = waiting_currencies()
    context = {
        "now": now,
        "currencies": currencies,
        "waits_for_rates": any(one.currency for one in currencies),
        "currency": currency,
        "rows": found.rows,
        "next_cursor": found.next_cursor,
        "crumbs": [Crumb(reverse("rates"), _("Exchange rates"))] if can(request.user, "rates.edit") else [],
        "installation": Installation.current(),
        "jobs": jobs(),
    }
    return render(request, "pages/rates_missing.html", context)


@page("customers.view", takes=("currency", "day", "cursor"))
def rates_missing_touchpoints(request: HttpRequest, *, now: datetime) -> HttpResponse:
    currency, day = request.GET.get("currency", "")[:3], _day(request.GET.get("day", ""))
    found = waiting_touchpoints(currency=currency, day=day, cursor_text=request.GET.get("cursor") or None)
    context = {
        "now": now,
        "currency": currency,
        "day": day,
        "rows": found.rows,
        "next_cursor": found.next_cursor,
        "crumbs": [Crumb(reverse("rates_missing"), _("Money without a rate"))],
    }
    return render(request, "pages/rates_missing_touchpoints.html", context)


def _day(text: str) -> date | None:
    if not text:
        return None
    try:
        if len(text) == 10:
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise QuestionError("day", _("Write a day like 2026-01-31."))
