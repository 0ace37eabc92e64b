"""The list of customers: searched, narrowed, one page at a time."""

from collections.abc import Sequence
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from analytics import customer_list
from analytics.customer_list import Asked, Falls, Size
from analytics.sorting import lapsed_stage, segment, segments, stage_model, stage_models
from analytics.stages import stage_counts
from clm.lib.questions import QuestionError
from clm.lib.templatetags.numbers import number
from lifecycle.place import placed_by_hand

from .asking import SCOPE, dates_of, page, question
from .news import news_of

# What the customers behind a figure have in common, as the end of "12 customers ...".
TAKES = (*SCOPE, "known_at", "search", "model", "stage", "segment", "falling", "group", "columns", "cursor")
# The columns of the list beside the customer, in their order; all are shown unless some are chosen.
COLUMNS = {
    "stage": _("Stage"),
    "since": _("Since"),
    "last_seen": _("Last seen"),
    "orders": _("Orders"),
    "revenue": _("Revenue"),
    "next": _("Next change"),
}
KNOWN_NOTE = _(
    "Stages, segments and who was a customer are as known then. Last seen, orders and revenue count what is known "
    "today: what they were added up from before is not kept."
)
GROUP_NOTE = _("These are the customers behind a figure; they are shown as they are now.")
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


@page("customers.view", takes=TAKES)
def customers(request: HttpRequest, *, now: datetime) -> HttpResponse:
    query = request.GET
    picked, dates = question(query, now=now), dates_of(request)
    model = stage_model(query.get("model") or None)
    stage = model.stage_id(query["stage"]) if query.get("stage") else None
    chosen_segment = segment(query["segment"]) if query.get("segment") else None
    columns = asked_columns(query.getlist("columns"))
    lapsed = lapsed_stage(model)
    # What comes next is only known from now on: with a date in the past that filter is off, and the page says so.
    falling = bool(query.get("falling")) and lapsed is not None and not dates.is_past
    falls = Falls(model=model, stage=lapsed) if falling and lapsed is not None else None
    group = query.get("group", "")
    asked = Asked(
        stages=((model, (stage,)),) if stage is not None else (),
        segment=chosen_segment,
        search=query.get("search", "")[:200],
        falls=falls,
        group=group,
        scope=picked.scope if group else None,
        # A group is about a period; its list shows the people as they are now.
        as_of=None if group else dates.at,
        known_at=None if group else dates.known_at,
        kept=picked.kept,
    )
    narrowed = bool(asked.stages or asked.segment or asked.search or falls or group or asked.as_of)
    found = customer_list.customers(
        asked=asked, models=[model], now=now, cursor=query.get("cursor") or None, counted=narrowed
    )
    counts = stage_counts(model=model, now=now, as_of=asked.as_of, known_at=asked.known_at, kept=picked.kept)
    everybody = customer_list.everybody()
    matching = found.size or everybody
    return render(
        request,
        "pages/customers.html",
        {
            "now": now,
            "news": news_of(),
            "search": asked.search,
            "model": model.ref,
            "models": [one.ref for one in stage_models()],
            "stage": model.stages[stage] if stage is not None else None,
            "stages": counts.stages,
            "lapsed": model.stages[lapsed] if lapsed is not None else None,
            "falling": falling,
            "falling_is_off": bool(query.get("falling")) and dates.is_past,
            "falls_known_at": picked.kept.falls_known_at(model.version) if falls is not None else None,
            "group": group,
            "group_name": GROUPS.get(group, ""),
            "period": picked.period,
            "last_day": picked.context["last_day"],
            "takes_as_of": not group,
            "present_note": GROUP_NOTE,
            "known_note": KNOWN_NOTE,
            "segment": chosen_segment.ref if chosen_segment is not None else None,
            "segments": [one.ref for one in segments()],
            "columns": columns,
            "all_columns": [(key, label, key in columns) for key, label in COLUMNS.items()],
            "narrowed": narrowed,
            "start": found.start,
            "end": found.start + len(found.rows) - 1,
            "matching": matching,
            "matching_said": said(matching, about=not narrowed),
            "everybody": everybody,
            "everybody_said": said(everybody, about=True),
            "rows": found.rows,
            "by_hand": placed_by_hand(
                model=model.id, at=asked.at or now, customers=[row.id for row in found.rows], known_at=asked.known_at
            ),
            "next_cursor": found.next_cursor,
            "previous_cursor": found.previous_cursor,
        },
    )


def said(size: Size, *, about: bool) -> str:
    """How many, in words; `about`: a number that was not counted to its end is an estimate, not a lower bound."""
    if size.is_exact:
        return number(size.number)
    return (_now("about %s") if about else _now("more than %s")) % number(size.number)


def asked_columns(chosen: Sequence[str]) -> tuple[str, ...]:
    """The columns asked for, each once and in the order of the list; all of them when none is named."""
    unknown = [key for key in chosen if key not in COLUMNS]
    if unknown:
        raise QuestionError("columns", f'there is no column "{unknown[0][:40]}"; the columns are {", ".join(COLUMNS)}')
    return tuple(key for key in COLUMNS if not chosen or key in chosen)
