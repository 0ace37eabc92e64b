"""The examples of a stage model or a segment: what must come true, and whether it does now and under a draft."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from clm.lib.questions import QuestionError
from clm.lib.templatetags.times import plain_date
from customers.models import Installation
from lifecycle.examples import Tried, examples_of, tried
from lifecycle.models import Example, Version
from lifecycle.rules.instants import parse_instant

from .customer_figures import names_of
from .sorting import Sorting

# Day 1 of every made-up life; a day far from changes of clocks would do as well.
FIRST_DAY = date(2020, 1, 1)
LONGEST_LIFE = 3_660
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of a made-up history: type of touchpoint, day of the life (from 1), and amount as it was written."""

    type: str
    day: int
    amount: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of an example under one version. found: the name of the stage, "" for none; held: the names of the
    stages whose own rules hold then, highest precedence first."""

    holds: bool
    found: str
    at: datetime | None
    held: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ExampleRow:
    """One example. customer, known_as: of a made-up history None and ""; now: under what is live (of what never was,
    under its draft); drafted: under the newest draft, None without one."""

    id: int
    name: str
    customer: int | None
    known_as: str
    history: tuple[Happening, ...]
    expected: str
    day: int | None
    at: datetime | None
    author: str
    now: Outcome
    drafted: Outcome | None


def example_rows(*, sorting: Sorting) -> tuple[ExampleRow, ...]:
    """Every example of a model or segment, tried now."""
    examples = examples_of(subject=sorting.id)
    versions = Version.objects.filter(subject=sorting.id).select_related("subject", "role_table").order_by("-number")
    live = versions.filter(state=Version.State.LIVE).first()
    draft = versions.filter(state__in=(Version.State.DRAFT, Version.State.BUILDING)).first()
    current = live or draft
    if current is None:
        return ()
    later = draft if live is not None and draft is not None and draft.number > live.number else None
    names = names_of([example.customer for example in examples if example.customer is not None])
    zone = Installation.current().time_zone
    outcomes = [_outcome(sorting, one) for one in tried(examples=examples, version=current)]
    if later is not None:
        drafted: list[Outcome | None] = [_outcome(sorting, one) for one in tried(examples=examples, version=later)]
    else:
        drafted = [None] * len(examples)
    return tuple(
        ExampleRow(
            id=example.pk,
            name=example.name,
            customer=example.customer_id,
            known_as=names.get(example.customer_id or 0, ""),
            history=happenings(example.history, zone=zone),
            expected=example.stage.name if example.stage is not None else "",
            day=example.day,
            at=example.at,
            author=str(example.author) if example.author else "",
            now=now,
            drafted=then,
        )
        for example, now, then in zip(examples, outcomes, drafted, strict=True)
    )


def made_up_history(*, rows: Sequence[Happening], zone: str) -> dict[str, Any]:
    """The history in which these things happen, at noon of their days and in their order. Days are counted from the
    first thing that happens, so something happens on day 1."""
    if not rows:
        raise QuestionError("history", _("Say what happens: at least one touchpoint, on day 1."))
    if min(row.day for row in rows) != 1:
        raise QuestionError("history", _("The first touchpoint is on day 1: days are counted from it."))
    touchpoints = []
    for place, row in enumerate(rows):
        noon = datetime.combine(FIRST_DAY + timedelta(days=row.day - 1), time(12), ZoneInfo(zone))
        told: dict[str, Any] = {"occurred_at": (noon + place * MINUTE).isoformat(), "type": row.type}
        touchpoints.append(told | ({"amount": row.amount} if row.amount else {}))
    return {"touchpoints": touchpoints}


def happenings(history: Any, *, zone: str) -> tuple[Happening, ...]:
    """A made-up history in lines, whoever wrote it, in order of time; traits are left out."""
    touchpoints = (history or {}).get("touchpoints", [])
    told = sorted(((parse_instant(one["occurred_at"]) or 0, one) for one in touchpoints), key=lambda one: one[0])
    if not told:
        return ()
    days = [datetime.fromtimestamp(ms / 1000, ZoneInfo(zone)).date() for ms, _one in told]
    return tuple(
        Happening(
            one.get("type") or one.get("role") or _("anything"), (day - days[0]).days + 1, one.get("amount") or ""
        )
        for day, (_ms, one) in zip(days, told, strict=True)
    )


def said(row: ExampleRow) -> str:
    """An example in a sentence."""
    who = row.known_as or _("A made-up customer")
    when = (
        _("on day %(day)d") % {"day": row.day} if row.day is not None else _("on %(day)s") % {"day": plain_date(row.at)}
    )
    return _("%(who)s must be in %(stage)s %(when)s.") % {
        "who": who,
        "stage": row.expected or _("no stage"),
        "when": when,
    }


def _outcome(sorting: Sorting, one: Tried) -> Outcome:
    named = {stage.key: stage.name for stage in (sorting.stages | sorting.stages.others).values()}
    return Outcome(
        holds=one.holds,
        found="" if one.found is None else named.get(one.found, one.found),
        at=one.at,
        held=tuple(named.get(key, key) for key in one.held),
    )


def example_of(*, sorting: Sorting, number: int) -> Example | None:
    """The example of that number, if it is asked for by this model or segment."""
    return Example.objects.filter(pk=number, subject=sorting.id, retired_at=None).first() if number < 2**31 else None
