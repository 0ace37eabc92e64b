"""All figures with what they mean and what they are made of."""

from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from analytics.metrics import metric_groups

from .asking import SCOPE, page, question
from .news import news_of


@page("metrics.view", takes=(*SCOPE, "basis"))
def metrics(request: HttpRequest, *, now: datetime) -> HttpResponse:
    asked = question(request.GET, now=now)
    basis = request.GET.get("basis") or "blended"
    groups = metric_groups(scope=asked.scope, basis=basis)
    return render(
        request,
        "pages/metrics.html",
        {**asked.context, "now": now, "groups": groups, "basis": basis, "news": news_of()},
    )
