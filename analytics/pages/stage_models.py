"""The stage models: each stage with its rule in a sentence, and who is in it."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from analytics.days.kept import kept
from analytics.silent_roles import silent_roles
from analytics.sorting import StageRef, stage_model, stage_models
from analytics.stage_rules import stage_rules
from analytics.stages import stage_counts

from .asking import page


@dataclass(frozen=True, slots=True)
class StageRow:
    """One stage. precedence: 0 for the exit stage; silent_roles: roles its rule waits for in vain so far; document: its
    rule as indented JSON."""

    stage: StageRef
    precedence: int
    sentence: str
    customers: int
    share: float | None
    silent_roles: tuple[str, ...]
    document: str


@dataclass(frozen=True, slots=True)
class NamedRow:
    """A sub-rule that stages name; document: its rule as indented JSON."""

    name: str
    sentence: str
    document: str


@page("stages.view")
def models(request: HttpRequest, *, now: datetime) -> HttpResponse:
    return redirect("model", stage_model().key)


@page("stages.view")
def model(request: HttpRequest, key: str, *, now: datetime) -> HttpResponse:
    chosen = stage_model(key)
    rules = stage_rules(sorting=chosen)
    counted = kept()
    counts = stage_counts(model=chosen, now=now, kept=counted)
    silent = silent_roles(model=chosen, kept=counted)
    rows = [
        StageRow(
            stage=rule.stage,
            precedence=rule.precedence,
            sentence=rule.sentence,
            customers=count.customers,
            share=count.share,
            silent_roles=silent.get(rule.stage.key, ()),
            document="" if rule.document is None else _written(rule.document),
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
