"""The stage models: all of them, and each with its stages, their rules in sentences, and who is in them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from analytics.days.kept import kept
from analytics.segment_list import drafts_of
from analytics.silent_roles import silent_roles
from analytics.sorting import StageRef, stage_models
from analytics.stage_rules import NamedRule, rules_of, stage_rules
from analytics.stages import stage_counts
from analytics.used_in import used_in
from analytics.version_list import written
from lifecycle.place import placed_by_hand

from .asking import dates_of, page
from .dates import DATES
from .definitions import of_model
from .drafts import change_address


@dataclass(frozen=True, slots=True)
class StageRow:
    """One stage. rank: its place in the precedence, 1 counts first, 0 for the exit stage; silent_roles: roles its rule
    waits for in vain so far; document: its rule as indented JSON; by_hand: how many of its customers were put there by
    hand."""

    stage: StageRef
    rank: int
    sentence: str
    customers: int
    share: float | None
    silent_roles: tuple[str, ...]
    document: str
    by_hand: int = 0


@dataclass(frozen=True, slots=True)
class NamedRow:
    """A sub-rule that rules name; document: its rule as indented JSON."""

    name: str
    sentence: str
    document: str


@page("stages.view")
def models(request: HttpRequest, *, now: datetime) -> HttpResponse:
    found = stage_models()
    drafted = drafts_of(found)
    rows = [
        (one, rules.version, change_address(drafted.get(one.id)))
        for one, rules in zip(found, rules_of(sortings=found), strict=True)
    ]
    return render(request, "pages/stage_models.html", {"now": now, "rows": rows})


@page("stages.view", takes=DATES)
def model(request: HttpRequest, key: str, *, now: datetime) -> HttpResponse:
    place = of_model(key)
    chosen = place.sorting
    rules = stage_rules(sorting=chosen)
    counted = kept()
    dates = dates_of(request)
    counts = stage_counts(model=chosen, now=now, as_of=dates.at, known_at=dates.known_at, kept=counted)
    silent = silent_roles(model=chosen, kept=counted)
    hands = placed_by_hand(model=chosen.id, at=dates.at or now, known_at=dates.known_at)
    placed = Counter(chosen.stages[stage] for stage in hands.values() if stage in chosen.stages)
    by_stage = {count.stage.key: count for count in counts.stages}
    rows = [
        StageRow(
            stage=rule.stage,
            rank=rule.rank,
            sentence=rule.sentence,
            customers=by_stage[rule.stage.key].customers,
            share=by_stage[rule.stage.key].share,
            silent_roles=silent.get(rule.stage.key, ()),
            document="" if rule.document is None else written(rule.document),
            by_hand=placed[rule.stage],
        )
        for rule in rules.stages
    ]
    return render(
        request,
        "pages/stage_model.html",
        {
            **place.context(),
            "now": now,
            "models": [one.ref for one in stage_models()],
            "version": rules.version,
            "stages": rows,
            "names": [one.name for one in rules.named],
            "named": named_rows(rules.named),
            "customers": counts.customers,
            "uses": used_in(subject=chosen.id),
        },
    )


def named_rows(named: Sequence[NamedRule]) -> list[NamedRow]:
    """Named rules as pages show them."""
    return [NamedRow(one.name, one.sentence, written(one.document)) for one in named]
