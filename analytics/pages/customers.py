"""The list of customers: searched, narrowed, one page at a time."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from analytics import customer_list
from analytics.behind import has_period
from analytics.behind import said as said_group
from analytics.customer_list import Asked, Falls, Size
from analytics.listing_order import DEFAULT, KEYS, Order, parse_order
from analytics.sorting import Sorting, lapsed_stage, live_models, live_segments, segment, stage_model
from analytics.stages import stage_counts
from clm.lib.questions import Faults, QuestionError
from clm.lib.templatetags.numbers import number
from lifecycle.place import placed_by_hand

from .asking import SCOPE, Question, dates_of, page, question
from .dates import Dates
from .news import news_of

# Whom the list is narrowed to by what is known of them.
WHO = {"": None, "known": False, "anonymous": True}
# What the customers behind a figure have in common, as the end of "12 customers ...".
NARROWS = ("search", "model", "stage", "segment", "falling", "group", "who")
TAKES = (*SCOPE, "known_at", *NARROWS, "columns", "sort", "cursor")
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
    "stopped": _("who stopped being active within the period"),
    "active": _("active at the start of the period or from then on"),
    "spenders": _("who spent something in the period before that"),
    "spent_nothing": _("who spent something in the period before and nothing in that"),
    "spent_less": _("who spent less than in the period before that"),
    "spent_as_much": _("who spent as much as in the period before that"),
    "spent_more": _("who spent more than in the period before that"),
    "buyers": _("with an order"),
    "first_paying": _("with their first order ever"),
    "won_by_paid": _("with their first order ever, won through paid channels"),
    "customers": _("active at some time or with an order"),
}


@page("customers.view", takes=TAKES)
def customers(request: HttpRequest, *, now: datetime) -> HttpResponse:
    query, listing, wrong = answerable(request.GET, dates=dates_of(request), now=now)
    request.GET = query  # type: ignore[assignment]  # links and forms carry along what can be answered
    asked, model, falls = listing.asked, listing.model, listing.asked.falls
    found = customer_list.customers(
        asked=asked,
        models=[model],
        now=now,
        cursor=query.get("cursor") or None,
        counted=listing.is_narrowed,
        order=listing.order,
    )
    counts = stage_counts(model=model, now=now, as_of=asked.as_of, known_at=asked.known_at, kept=listing.picked.kept)
    everybody = customer_list.everybody()
    matching = found.size if listing.is_narrowed and found.size is not None else everybody
    there_were = _there_were(asked, matching=matching, now=now)
    if there_were is not None and asked.is_everybody:
        matching = there_were
    members = asked.scope.segment if asked.scope is not None else asked.segment
    picked, stage, lapsed, group = listing.picked, listing.stage, lapsed_stage(model), asked.group
    return render(
        request,
        "pages/customers.html",
        {
            "now": now,
            "moment": asked.at or now,
            "news": news_of(),
            "wrong": wrong,
            "search": asked.search,
            "model": model.ref,
            "models": [one.ref for one in live_models()],
            "stage": model.stages[stage] if stage is not None else None,
            "stages": counts.stages,
            "lapsed": model.stages[lapsed] if lapsed is not None else None,
            "falling": falls is not None,
            "falling_is_off": bool(query.get("falling")) and listing.dates.is_past,
            "falls_known_at": picked.kept.falls_known_at(model.version) if falls is not None else None,
            "group": group,
            "group_name": GROUPS.get(group) or said_group(group),
            "group_has_period": has_period(group),
            "period": picked.period,
            "last_day": picked.context["last_day"],
            "takes_as_of": not group,
            "present_note": GROUP_NOTE,
            "known_note": KNOWN_NOTE,
            "segment": members.ref if members is not None else None,
            "segments": [one.ref for one in live_segments()],
            "who": query.get("who", ""),
            "columns": listing.columns,
            "all_columns": [(key, label, key in listing.columns) for key, label in COLUMNS.items()],
            "order": found.order,
            "orders": order_choices(found.order),
            "headers": {key: header(key, found.order) for key in KEYS},
            "refused_order": found.refused,
            "narrowed": listing.is_narrowed,
            "start": found.start,
            "end": found.start + len(found.rows) - 1,
            "matching": matching,
            "matching_said": said(matching, about=not listing.is_narrowed),
            "everybody": everybody,
            "everybody_said": said(everybody if there_were is None else there_were, about=there_were is None),
            "rows": found.rows,
            "by_hand": placed_by_hand(
                model=model.id, at=asked.at or now, customers=[row.id for row in found.rows], known_at=asked.known_at
            ),
            "next_cursor": found.next_cursor,
            "previous_cursor": found.previous_cursor,
        },
        status=400 if wrong else 200,
    )


@dataclass(frozen=True, slots=True)
class Listing:
    """What an address of the list asks for."""

    picked: Question
    dates: Dates
    model: Sorting
    stage: int | None
    asked: Asked
    columns: tuple[str, ...]
    order: Order

    @property
    def is_narrowed(self) -> bool:
        return self.asked.is_narrowed or self.asked.anonymous is not None


def asked_listing(query: QueryDict, *, dates: Dates, now: datetime) -> Listing:
    """What a query asks for; QuestionError names every parameter that cannot be answered."""
    wrong = Faults()
    picked = wrong.read(lambda: question(query, now=now), None)
    model = stage_model(query.get("model") or None)
    stage = model.stage_id(query.get("stage", "")) if query.get("stage") else None
    columns = wrong.read(lambda: asked_columns(query.getlist("columns")), ())
    order = wrong.read(lambda: parse_order(query.get("sort") or DEFAULT.asked), DEFAULT)
    anonymous = wrong.read(lambda: _asked_who(query.get("who", "")), None)
    wrong.refuse()
    assert picked is not None
    lapsed, group = lapsed_stage(model), query.get("group", "")
    chosen = segment(query.get("segment", "")) if query.get("segment") else None
    is_falling = bool(query.get("falling")) and not dates.is_past
    asked = Asked(
        stages=((model, (stage,)),) if stage is not None else (),
        # A figure's customers are those who were in the segment when it was counted.
        segment=None if group else chosen,
        search=query.get("search", "")[:200],
        # What comes next is only known from now on: with a date in the past that filter is off, and the page says so.
        falls=Falls(model=model, stage=lapsed) if is_falling and lapsed is not None else None,
        group=group,
        scope=replace(picked.scope, segment=chosen) if group else None,
        # A group is about a period; its list shows the people as they are now.
        as_of=None if group else dates.at,
        known_at=None if group else dates.known_at,
        kept=picked.kept,
        anonymous=anonymous,
    )
    return Listing(picked=picked, dates=dates, model=model, stage=stage, asked=asked, columns=columns, order=order)


def answerable(query: QueryDict, *, dates: Dates, now: datetime) -> tuple[QueryDict, Listing, list[str]]:
    """The query without the parameters that cannot be answered, what it asks for, and what is wrong with the others:
    whoever mistypes a date keeps the page and everything else that was chosen."""
    wrong: list[str] = []
    while True:
        try:
            listing = asked_listing(query, dates=dates, now=now)
            customer_list.refuse_unanswerable(asked=listing.asked, cursor=query.get("cursor"), order=listing.order)
            return query, listing, list(dict.fromkeys(wrong))
        except QuestionError as error:
            faulty = [key for problem in error.errors for key in _together(problem.field) if key in query]
            if not faulty:
                raise
            wrong += [problem.message for problem in error.errors]
            query = query.copy()
            for key in faulty:
                query.pop(key, None)


def _together(field: str) -> tuple[str, ...]:
    """The parameters that stand or fall with one: the two ends of a period."""
    return ("from", "until") if field in ("from", "until") else (field,)


@dataclass(frozen=True, slots=True)
class Header:
    """The head of a column that the list can be sorted by: what its link asks for, and which way it is sorted now, as
    aria-sort says it ("" when by another)."""

    sort: str
    sorted: str


def header(key: str, order: Order) -> Header:
    """The head of one column; a link on the column that decides turns the order round."""
    descending = KEYS[key][1] if order.key != key else not order.descending
    now = "" if order.key != key else "descending" if order.descending else "ascending"
    return Header(Order(key, descending).asked, now)


def order_choices(order: Order) -> list[tuple[str, Any, bool]]:
    """(what a link asks for, label, whether it is so) of each order, the first way round; for telephones, where
    columns have no heads."""
    choices: list[tuple[Order, Any]] = [(Order(key, descending), label) for key, (label, descending) in KEYS.items()]
    if order not in [one for one, _label in choices]:
        choices.append((order, _now("%(label)s, turned round") % {"label": KEYS[order.key][0]}))
    return [(one.asked, label, one == order) for one, label in choices]


def _asked_who(who: str) -> bool | None:
    if who not in WHO:
        raise QuestionError("who", _now("A list shows known people or anonymous visitors."))
    return WHO[who]


def said(size: Size, *, about: bool) -> str:
    """How many, in words; `about`: a number that was not counted to its end is an estimate, not a lower bound."""
    if size.is_exact:
        return number(size.number)
    return (_now("about %s") if about else _now("more than %s")) % number(size.number)


def _there_were(asked: Asked, *, matching: Size, now: datetime) -> Size | None:
    """How many customers there were in all at the instant asked about, whatever else the list is narrowed to; None when
    it shows the present. No such number is kept, so they are counted, up to a bound."""
    if asked.at is None:
        return None
    if matching.is_exact and asked.is_everybody:
        return matching
    return customer_list.matching(asked=Asked(as_of=asked.as_of, known_at=asked.known_at), now=now)


def asked_columns(chosen: Sequence[str]) -> tuple[str, ...]:
    """The columns asked for, each once and in the order of the list; all of them when none is named."""
    unknown = [key for key in chosen if key not in COLUMNS]
    if unknown:
        raise QuestionError(
            "columns",
            _now("There is no column “%(column)s”. Choose from the columns of the list.") % {"column": unknown[0][:40]},
        )
    return tuple(key for key in COLUMNS if not chosen or key in chosen)
