"""The stage models: each stage with its rule in a sentence, and who is in it."""

import json
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from analytics.days.kept import kept
from analytics.silent_roles import silent_roles
from analytics.sorting import StageRef, stage_model, stage_models
from analytics.stage_rules import stage_rules
from analytics.stages import stage_counts
from lifecycle.place import placed_by_hand

from .asking import dates_of, page
from .dates import DATES


@dataclass(frozen=True, slots=True)
class StageRow:
    """One stage. precedence: 0 for the exit stage; silent_roles: roles its rule waits for in vain so far; document: its
    rule as indented JSON; by_hand: how many of its customers were put there by hand."""

    stage: StageRef
    precedence: int
    sentence: str
    customers: int
    share: float | None
    silent_roles: tuple[str, ...]
    document: str
    by_hand: int = 0


@dataclass(frozen=True, slots=True)
class NamedRow:
    """A sub-rule that stages name; document: its rule as indented JSON."""

    name: str
    sentence: str
    document: str


@page("stages.view", takes=DATES)
def models(request: HttpRequest, *, now: datetime) -> HttpResponse:
    return redirect(reverse("model", args=[stage_model().key]) + dates_of(request).query)


@page("stages.view", takes=DATES)
def model(request: HttpRequest, key: str, *, now: datetime) -> HttpResponse:
    chosen = stage_model(key)
    rules = stage_rules(sorting=chosen)
    counted = kept()
    dates = dates_of(request)
    counts = stage_counts(model=chosen, now=now, as_of=dates.at, known_at=dates.known_at, kept=counted)
    silent = silent_roles(model=chosen, kept=counted)
    hands = placed_by_hand(model=chosen.id, at=dates.at or now, known_at=dates.known_at)
    placed = Counter(chosen.stages[stage] for stage in hands.values() if stage in chosen.stages)
    rows = [
        StageRow(
            stage=rule.stage,
            precedence=rule.precedence,
            sentence=rule.sentence,
            customers=count.customers,
            share=count.share,
            silent_roles=silent.get(rule.stage.key, ()),
            document="" if rule.document is None else _written(rule.document),
            by_hand=placed[rule.stage],
        )
        for rule, count in zip(rules.stages, counts.stages, strict=True)
    ]
    return render(
        request,
        "pages/stage_model.html",
        {
            "now": now,
            "model": chosen.ref,
            "models": [one.ref for one in stage_models()],
            "version": rules.version,
            "stages": rows,
            "names": [one.name for one in rules.named],
            "named": [NamedRow(one.name, one.sentence, _written(one.document)) for one in rules.named],
            "customers": counts.customers,
        },
    )


def _written(document: Any) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False)
