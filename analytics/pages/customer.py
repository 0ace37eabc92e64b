"""One customer: who it is, its whole life in stages and why, and everything that ever happened."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from analytics import customer_record as record
from analytics.customer_figures import names_of
from analytics.sorting import ModelRef, Sorting, StageRef, one_of, stage_models
from analytics.spells import Band, Spell, bands
from analytics.stage_rules import rules_of
from analytics.timeline import Timeline, timeline
from clm.lib.access.table import can
from clm.lib.periods import asked_instant
from customers.models import Customer, Installation
from lifecycle.models import Placement
from lifecycle.why import Reason, why

from .asking import page
from .band import Life, drawn_band
from .customer_forms import LogForm
from .news import news_of

# Orders bring their lines along: fifty big ones would be half a megabyte of page.
ENTRIES = 25
# Rows of the table below the band, for each model; whoever wants all of them asks for them.
STAYS = 20


@dataclass(frozen=True, slots=True)
class Stays:
    """The latest spells of a life in one model, oldest first, and how many came before them."""

    model: ModelRef
    spells: Sequence[Spell]
    before: int


@dataclass(frozen=True, slots=True)
class WhyStage:
    """One stage's rule at the instant asked about; deciding: the customer was in this stage because of it."""

    stage: StageRef
    held: bool
    sentence: str
    node: Reason
    deciding: bool


@dataclass(frozen=True, slots=True)
class Why:
    """Why the customer was in `stage` (None: in none yet) at `at`; stages highest precedence first."""

    model: ModelRef
    at: datetime
    stage: StageRef | None
    stages: tuple[WhyStage, ...]
    placement: Placement | None

    @property
    def is_decided(self) -> bool:
        """Whether the rule of a stage decided, not the lack of any, nor a person."""
        return any(one.deciding for one in self.stages)


@page("customers.view", takes=("model", "at", "role", "before", "stays"))
def customer(request: HttpRequest, customer_id: int, *, now: datetime) -> HttpResponse:
    found, survivor = record.found_customer(customer_id)
    if survivor is not None:
        messages.info(request, _("Customer %(id)d was merged into this one.") % {"id": customer_id})
        return redirect("customer", survivor)
    profiles = record.profiles_of(customer=found.pk)
    models = stage_models()
    chosen = one_of(models, request.GET.get("model") or None)
    zone = Installation.current().time_zone
    at = asked_instant(request.GET["at"], field="at", now=now, zone=zone) if request.GET.get("at") else now
    lived = bands(customer=found.pk, models=models)
    standings = record.standings(customer=found.pk, models=models, now=now)
    marks = record.purchase_marks(profiles=profiles)
    sentences = {
        model.key: {rule.stage: rule.sentence for rule in rules.stages}
        for model, rules in zip(models, rules_of(sortings=models), strict=True)
    }
    most = max((len(band.spells) for band in lived), default=0) if request.GET.get("stays") == "all" else STAYS
    stays = [Stays(band.model, band.spells[-most:], max(len(band.spells) - most, 0)) for band in lived]
    return render(
        request,
        "pages/customer.html",
        {
            "now": now,
            "news": news_of(customer=found.pk),
            "customer": record.customer_head(customer=found, profiles=profiles),
            "identities": record.identities(profiles=profiles),
            "consents": record.consents(profiles=profiles),
            "traits": record.traits(profiles=profiles),
            "merged_from": record.merged_from(customer=found.pk),
            "standings": [(row, sentences[row.model.key][row.stage] if row.stage else "") for row in standings],
            "stays": stays,
            "stays_before": sum(one.before for one in stays),
            "band": drawn_band(
                lives=[Life(one.model, one.spells, row.next) for one, row in zip(lived, standings, strict=True)],
                life_start=_life_start(found, lived),
                now=now,
                marks=marks,
                chosen=at,
                chosen_model=chosen.key,
            ),
            "why": why_of(customer=found.pk, model=chosen, lived=lived, at=at),
            "timeline": _timeline(request.GET, profiles, with_kinds=True),
            "role": request.GET.get("role", ""),
            "log_form": LogForm() if can(request.user, "touchpoints.log") else None,
        },
    )


@page("customers.view", takes=("role", "before"))
def customer_timeline(request: HttpRequest, customer_id: int, *, now: datetime) -> HttpResponse:
    """Older days of the timeline, put in place of the button that asked; as a page of its own without scripts."""
    found, _survivor = record.found_customer(customer_id)
    shown = _timeline(request.GET, record.profiles_of(customer=found.pk), with_kinds=False)
    template = "parts/timeline_days.html" if request.headers.get("HX-Request") else "pages/customer_timeline.html"
    context: dict[str, Any] = {"now": now, "customer": found, "timeline": shown, "role": request.GET.get("role", "")}
    if not request.headers.get("HX-Request"):
        context["known_as"] = names_of([found])[found.pk]
    return render(request, template, context)


def why_of(*, customer: int, model: Sorting, lived: Sequence[Band], at: datetime) -> Why | None:
    """The reasons in one model at an instant; None while the model is not live."""
    reasons = why(customer=customer, subject=model.id, at=at)
    if not reasons:
        return None
    (spells,) = [band.spells for band in lived if band.model == model.ref]
    stage = next((one.stage for one in spells if one.entered <= at and (one.left is None or at < one.left)), None)
    placement = (
        Placement.objects.filter(profile__customer=customer, subject=model.id, from_at__lte=at, withdrawn_at=None)
        .exclude(until_at__lte=at)
        .select_related("author")
        .order_by("-pk")
        .first()
    )
    return Why(
        model=model.ref,
        at=at,
        stage=stage,
        stages=tuple(
            WhyStage(
                stage=model.stages[one.stage],
                held=one.reason.held,
                sentence=one.reason.sentence,
                node=one.reason,
                deciding=placement is None and one.is_current,
            )
            for one in reasons
        ),
        placement=placement,
    )


def _timeline(query: QueryDict, profiles: Sequence[int], *, with_kinds: bool) -> Timeline:
    return timeline(
        profiles=profiles,
        before=query.get("before") or None,
        roles=[role for role in query.get("role", "").split(",") if role],
        zone=timezone.get_current_timezone_name(),
        with_kinds=with_kinds,
        page_size=ENTRIES,
    )


def _life_start(found: Customer, lived: Sequence[Band]) -> datetime:
    return min([found.created_at, *(band.spells[0].entered for band in lived if band.spells)])
