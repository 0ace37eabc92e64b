"""One customer: who it is, its whole life in stages and why, and everything that ever happened; now, or as it stood at
an earlier instant."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analytics import customer_record as record
from analytics.customer_figures import names_of
from analytics.left_out import left_out
from analytics.repairs import repair_notes
from analytics.scores import CustomerScore, score_of
from analytics.sorting import ModelRef, Sorting, live_models, one_of, segment
from analytics.spells import Band, Spell, bands
from analytics.stage_rules import rules_of
from analytics.timeline import Timeline, timeline
from clm.lib.access.table import can
from clm.lib.periods import asked_instant, local_day
from customers.importing.words import STAGES_ELSEWHERE
from customers.models import Customer, Installation
from lifecycle.models import Placement
from lifecycle.outlook import lives
from lifecycle.place import placements

from .asking import dates_of, page
from .band import Hand, Life, drawn_band
from .customer_forms import LogForm
from .dates import DATES, Dates
from .news import news_of
from .reasons import why_of

# Orders bring their lines along: fifty big ones would be half a megabyte of page.
ENTRIES = 25
# Rows of the table below the band, for each model; whoever wants all of them asks for them. So it is with notes.
STAYS = 20
NOTES = 3
KNOWN_NOTE = gettext_lazy(
    "Stages, traits, figures and the timeline are as known then. Reasons and what comes next are worked out from the "
    "facts, and facts are looked at as they are known today; the name is today's too."
)


@dataclass(frozen=True, slots=True)
class Stays:
    """The latest spells of a life in one model, oldest first, and how many came before them."""

    model: ModelRef
    spells: Sequence[Spell]
    before: int


@page("customers.view", takes=("model", "segment", "at", "role", "before", "stays", "notes", *DATES))
def customer(request: HttpRequest, customer_id: int, *, now: datetime) -> HttpResponse:
    query, dates = request.GET, dates_of(request)
    found, survivor = record.found_customer(customer_id, known_at=dates.known_at)
    if survivor is not None:
        messages.info(request, _("Customer %(id)d was merged into this one.") % {"id": customer_id})
        return redirect(f"{reverse('customer', args=[survivor])}?{query.urlencode()}".rstrip("?"))
    then: dict[str, Any] = {"as_of": dates.at, "known_at": dates.known_at}
    moment = dates.at or now
    profiles = record.profiles_of(customer=found.pk, known_at=dates.known_at)
    traits = record.traits(profiles=profiles, **then)
    models = live_models()
    chosen = one_of(models, query.get("model") or None)
    asked_segment = segment(query["segment"]) if query.get("segment") else None
    zone = Installation.current().time_zone
    at = asked_instant(query["at"], field="at", now=now, zone=zone) if query.get("at") else moment
    at = min(at, moment)
    lived = bands(customer=found.pk, models=models, **then)
    # Read once, for where it stands and for why.
    loaded = lives(customers=[found.pk])
    standings = record.standings(customer=found.pk, models=models, now=now, loaded=loaded, **then)
    member_of = record.memberships(customer=found.pk, **then)
    marks = record.purchase_marks(profiles=profiles, **then)
    placed = placements(customer=found.pk)
    sentences = {
        model.key: {rule.stage: rule.sentence for rule in rules.stages}
        for model, rules in zip(models, rules_of(sortings=models), strict=True)
    }
    most = max((len(band.spells) for band in lived), default=0) if query.get("stays") == "all" else STAYS
    stays = [Stays(band.model, band.spells[-most:], max(len(band.spells) - most, 0)) for band in lived]
    notes = repair_notes(
        customer=found.pk,
        models=models,
        known_at=dates.known_at,
        most=None if query.get("notes") == "all" else NOTES + 1,
    )
    return render(
        request,
        "pages/customer.html",
        {
            "now": now,
            "moment": moment,
            "known_note": KNOWN_NOTE,
            "news": news_of(customer=found.pk),
            "left_out": left_out(profiles=profiles, as_of=dates.at),
            "score": _score(found, dates, moment),
            "customer": record.customer_head(customer=found, profiles=profiles, memberships=member_of, **then),
            "accounts": record.accounts_of(profiles=profiles, at=moment),
            "contacts": record.contacts(
                email=found.email,
                phone=found.phone,
                identities=record.identities(profiles=profiles, known_at=dates.known_at),
                traits=traits,
            ),
            "erased_at": found.erased_at,
            "consents": record.consents(profiles=profiles, as_of=dates.at),
            "traits": traits,
            "elsewhere": [(STAGES_ELSEWHERE[one.key], one) for one in traits if one.key in STAGES_ELSEWHERE],
            "merged_from": record.merged_from(customer=found.pk, known_at=dates.known_at),
            "standings": [(row, sentences[row.model.key][row.stage] if row.stage else "") for row in standings],
            "memberships": member_of,
            "asked_segment": asked_segment.ref if asked_segment is not None else None,
            "chosen": chosen.ref,
            "placements": [(one, _standing_of(one, now)) for one in placed],
            "notes": notes[:NOTES] if query.get("notes") != "all" else notes,
            "more_notes": query.get("notes") != "all" and len(notes) > NOTES,
            "stays": stays,
            "stays_before": sum(one.before for one in stays),
            "band": drawn_band(
                lives=[
                    Life(one.model, one.spells, row.next, _hands(placed, model))
                    for one, row, model in zip(lived, standings, models, strict=True)
                ],
                life_start=_life_start(found, lived),
                now=moment,
                marks=marks,
                chosen=at,
                chosen_model=chosen.key if asked_segment is None else "-",
                is_past=dates.is_past,
            ),
            "why": why_of(
                customer=found.pk, sorting=asked_segment or chosen, at=at, as_of=_looked_from(dates), loaded=loaded
            ),
            "timeline": _timeline(query, profiles, dates, with_kinds=True),
            "role": query.get("role", ""),
            "log_form": LogForm() if can(request.user, "touchpoints.log") and found.erased_at is None else None,
        },
    )


@page("customers.view", takes=("role", "before", *DATES))
def customer_timeline(request: HttpRequest, customer_id: int, *, now: datetime) -> HttpResponse:
    """Older days of the timeline, put in place of the button that asked; as a page of its own without scripts."""
    dates = dates_of(request)
    found, _survivor = record.found_customer(customer_id, known_at=dates.known_at)
    profiles = record.profiles_of(customer=found.pk, known_at=dates.known_at)
    shown = _timeline(request.GET, profiles, dates, with_kinds=False)
    template = "parts/timeline_days.html" if request.headers.get("HX-Request") else "pages/customer_timeline.html"
    context: dict[str, Any] = {"now": now, "moment": dates.at or now, "customer": found, "timeline": shown}
    context["role"] = request.GET.get("role", "")
    if not request.headers.get("HX-Request"):
        context["known_as"] = names_of([found])[found.pk]
    return render(request, template, context)


def _score(found: Customer, dates: Dates, moment: datetime) -> CustomerScore | None:
    """What was expected at the day asked about, if a scoring of it or of the end of a month before it is kept. What was
    known then is not kept of scores."""
    if dates.known_at is not None:
        return None
    zone = Installation.current().time_zone
    return score_of(customer=found.pk, until=local_day(moment, zone) if dates.is_past else None)


def _looked_from(dates: Dates) -> datetime | None:
    """Reasons are told as one could see them coming at the instant asked about; not by what was known."""
    return None if dates.known is not None else dates.at


def _timeline(query: QueryDict, profiles: Sequence[int], dates: Dates, *, with_kinds: bool) -> Timeline:
    return timeline(
        profiles=profiles,
        before=query.get("before") or None,
        roles=[role for role in query.get("role", "").split(",") if role],
        zone=timezone.get_current_timezone_name(),
        with_kinds=with_kinds,
        with_changes=True,
        page_size=ENTRIES,
        as_of=dates.at,
        known_at=dates.known_at,
    )


def _hands(placed: Sequence[Placement], model: Sorting) -> tuple[Hand, ...]:
    """The placements that stand, as the band shows them."""
    return tuple(
        Hand(one.stage.key, one.from_at, one.until_at)
        for one in placed
        if one.subject_id == model.id and one.withdrawn_at is None
    )


def _standing_of(placed: Placement, now: datetime) -> str:
    """How a placement stands: withdrawn, over, ahead or acting."""
    if placed.withdrawn_at is not None:
        return "withdrawn"
    if placed.until_at is not None and placed.until_at <= now:
        return "over"
    return "ahead" if placed.from_at > now else "acting"


def _life_start(found: Customer, lived: Sequence[Band]) -> datetime:
    return min([found.created_at, *(band.spells[0].entered for band in lived if band.spells)])
