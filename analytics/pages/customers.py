"""The list of customers: searched, narrowed, one page at a time."""

from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from analytics import customer_list
from analytics.customer_list import Asked, Falls
from analytics.sorting import Sorting, stage_model, stage_models
from analytics.stages import stage_counts
from clm.lib.questions import NotThereError

from .asking import page, question

# The stage of customers who bought once and were not seen for long, by its key in the models that come installed.
LAPSED = ("lapsed", "win_back")
# What the customers behind a figure have in common, as the end of "12 customers ...".
GROUPS = {
    "started": _("active at the start of the period"),
    "ended": _("active at the end of the period"),
    "kept": _("active at the start and at the end"),
    "lost": _("active at the start and no longer at the end"),
    "first": _("active for the first time"),
    "reactivated": _("active again after a pause"),
    "came_and_went": _("who came and went within the period"),
    "buyers": _("with an order"),
    "first_paying": _("with their first order ever"),
    "customers": _("active at some time or with an order"),
}


@page("customers.view")
def customers(request: HttpRequest, *, now: datetime) -> HttpResponse:
    query = request.GET
    picked = question(query, now=now)
    model = stage_model(query.get("model") or None)
    stage = model.stage_id(query["stage"]) if query.get("stage") else None
    lapsed = lapsed_stage(model)
    falls = Falls(model=model, stage=lapsed) if query.get("falling") and lapsed is not None else None
    group = query.get("group", "")
    asked = Asked(
        stages=((model, (stage,)),) if stage is not None else (),
        search=query.get("search", "")[:200],
        falls=falls,
        group=group,
        scope=picked.scope if group else None,
        # A group is about a period; its list shows the people as they are now.
        as_of=None if group else picked.instant,
    )
    found = customer_list.customers(asked=asked, models=[model], now=now, cursor=query.get("cursor") or None)
    narrowed = bool(asked.stages or asked.search or falls or group or asked.as_of)
    everybody = customer_list.everybody()
    return render(
        request,
        "pages/customers.html",
        {
            "now": now,
            "search": asked.search,
            "model": model.ref,
            "models": [one.ref for one in stage_models()],
            "stage": model.stages[stage] if stage is not None else None,
            "stages": stage_counts(model=model, now=now, as_of=asked.as_of).stages,
            "lapsed": model.stages[lapsed] if lapsed is not None else None,
            "falling": falls is not None,
            "group": group,
            "group_name": GROUPS.get(group, ""),
            "period": picked.period,
            "last_day": picked.context["last_day"],
            "as_of": picked.as_of if asked.as_of else None,
            "matching": customer_list.matching(asked=asked, now=now) if narrowed else everybody,
            "everybody": everybody,
            "rows": found.rows,
            "next_cursor": found.next_cursor,
            "previous_cursor": found.previous_cursor,
        },
    )


def lapsed_stage(model: Sorting) -> int | None:
    """The id of the model's stage of lapsed customers, None in a model without one."""
    for key in LAPSED:
        try:
            return model.stage_id(key)
        except NotThereError:
            continue
    return None
