"""The named rules that models and segments share."""

from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from analytics import sub_rule_list
from analytics.version_list import written

from .asking import page


@page("stages.view")
def sub_rules(request: HttpRequest, *, now: datetime) -> HttpResponse:
    rows = sub_rule_list.sub_rules()
    context = {"now": now, "rows": [(row, written(row.document)) for row in rows], "names": [row.name for row in rows]}
    return render(request, "pages/sub_rules.html", context)
