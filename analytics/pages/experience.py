"""What customers say when they are asked: scores with intervals, by stage and over months, and what they wrote."""

from datetime import datetime
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from analytics.customer_list import anybody
from analytics.feedback import (
    ASKED,
    KINDS,
    LEAST,
    Feedback,
    Kind,
    Response,
    Score,
    Survey,
    comments,
    feedback,
    group_name,
    in_units,
    month_label,
)
from analytics.files import Cell, scope_cells
from analytics.scope import Scope
from analytics.sorting import live_models
from clm.lib.questions import QuestionError
from clm.lib.templatetags.numbers import MINUS, percent, quantity_text
from clm.lib.templatetags.times import plain_date

from .asking import FIGURES, Question, page, question
from .exports import answered_file
from .news import news_of

TAKES = tuple(name for name in FIGURES if name not in ("compare", "lines", "currency"))


@page("metrics.view", takes=TAKES)
def experience(request: HttpRequest, *, now: datetime) -> HttpResponse:
    asked = question(request.GET, now=now, takes=TAKES, errors_are_shown=True)
    context = {**_context(asked, now), "file_address": "experience_file"}
    if not anybody():
        return render(request, "pages/experience.html", {**context, "empty": True}, status=asked.status)
    found = feedback(scope=asked.scope)
    return render(
        request,
        "pages/experience.html",
        {
            **context,
            "model": found.model.ref,
            "models": [one.ref for one in live_models()],
            "surveys": [survey_shown(found, one) for one in found.surveys],
            "anything": any(one.score.answers or one.response.asked for one in found.surveys)
            or any(month.score.answers for one in found.surveys for month in one.months),
            "least": LEAST,
        },
        status=asked.status,
    )


@page("metrics.view", takes=TAKES)
def experience_file(request: HttpRequest, kind: str, *, now: datetime) -> HttpResponse:
    """What the page of experience shows, as a file."""
    asked = question(request.GET, now=now, takes=TAKES)
    if not anybody():
        raise Http404
    return answered_file(kind=kind, name="experience", cells=experience_cells(feedback(scope=asked.scope)))


@page("customers.view", takes=(*TAKES, "kind", "which", "cursor"))
def experience_answers(request: HttpRequest, *, now: datetime) -> HttpResponse:
    """What customers wrote, page by page."""
    asked = question(request.GET, now=now, takes=TAKES)
    key = request.GET.get("kind") or next(iter(KINDS))
    if key not in KINDS:
        raise QuestionError("kind", _("Surveys are of one of these kinds: %(known)s.") % {"known": ", ".join(KINDS)})
    kind, which = KINDS[key], request.GET.get("which") or "answers"
    found = comments(scope=asked.scope, kind=key, which=which, cursor=request.GET.get("cursor") or None)
    groups = [("answers", _("all"))] + [(name, label) for name, (label, _scores) in kind.groups.items()]
    return render(
        request,
        "pages/experience_answers.html",
        {
            **_context(asked, now),
            "kinds": [(one.key, one.name, one.key == key) for one in KINDS.values()],
            "groups": [(name, label, name == which) for name, label in groups],
            "kind": kind,
            "which": which,
            "comments": found.comments,
            "next_cursor": found.next_cursor,
            "is_first": not request.GET.get("cursor"),
        },
        status=asked.status,
    )


def _context(asked: Question, now: datetime) -> dict[str, Any]:
    return {
        **asked.context,
        "segments": asked.choices["segments"],
        "no_lines": True,
        "now": now,
        "news": news_of(),
    }


def shown(kind: Kind, value: float | None) -> str:
    """A score as people read it: points with their sign, percent, or the mean answer."""
    if value is None:
        return _("n/a")
    if kind.unit == "points":
        points = round(100 * value)
        return f"{'+' if points > 0 else MINUS if points < 0 else ''}{abs(points)}"
    return percent(value) if kind.unit == "percent" else quantity_text(value, "ratio", None)


def _score(kind: Kind, score: Score) -> dict[str, Any]:
    between = ""
    if score.low is not None:
        between = _("%(low)s to %(high)s") % {"low": shown(kind, score.low), "high": shown(kind, score.high)}
    return {"value": shown(kind, score.value), "between": between, "note": score.note, "answers": score.answers}


def _list(scope: Scope, group: str, count: int) -> str:
    return f"{reverse('customers')}?group={group}&{scope.query()}" if count else ""


def _became(response: Response) -> tuple[tuple[str, int], ...]:
    """Those a survey was put to, by what became of it: a key of ASKED and how many."""
    return (
        ("asked", response.asked),
        ("answered", response.answered),
        ("silent", response.asked - response.answered),
    )


def survey_shown(found: Feedback, one: Survey) -> dict[str, Any]:
    """One survey as the page, and the mail that tells of it, show it."""
    kind, scope, most = one.kind, found.scope, max(one.counts.values(), default=0)
    response = one.response

    def groups() -> list[tuple[Any, int, str]]:
        return [
            (label, one.of_group(name), _list(scope, group_name(kind.key, name), one.of_group(name)))
            for name, (label, _scores) in kind.groups.items()
        ]

    def row(score: int) -> dict[str, Any]:
        count = one.counts.get(score, 0)
        url = _list(scope, group_name(kind.key, str(score)), count)
        return {"label": str(score), "customers": count, "url": url, "part": count / most if most else 0}

    return {
        "kind": kind,
        "score": _score(kind, one.score),
        "answers_url": _list(scope, group_name(kind.key, "answers"), one.score.answers),
        "groups": groups(),
        "steps": [row(score) for score in reversed(kind.scores)],
        "off_scale": one.off_scale,
        "response": response,
        "asked": [
            (ASKED[name], count, _list(scope, group_name(kind.key, name), count)) for name, count in _became(response)
        ],
        "stages": [
            {
                "stage": each.stage,
                "url": _list(scope, group_name(kind.key, "answers", found.model, each.stage), each.score.answers),
                **_score(kind, each.score),
            }
            for each in one.stages
        ],
        "months": [
            {
                "month": month_label(each),
                "is_over": each.scope.is_over,
                "url": _list(each.scope, group_name(kind.key, "answers"), each.score.answers),
                **_score(kind, each.score),
            }
            for each in reversed(one.months)
        ],
        "chart": _chart(one) if any(each.score.value is not None for each in one.months) else None,
    }


def _chart(one: Survey) -> dict[str, Any]:
    kind = one.kind
    told = [each for each in one.months if each.score.value is not None]
    factor, low, high = {"points": (100, -100, 100), "percent": (100, 0, 100)}.get(kind.unit, (1, *kind.scale))
    first, last = told[0], told[-1]
    said = _("%(name)s month by month: %(first)s in the month of %(from)s, %(last)s in that of %(until)s.") % {
        "name": kind.name,
        "first": shown(kind, first.score.value),
        "from": plain_date(month_label(first)),
        "last": shown(kind, last.score.value),
        "until": plain_date(month_label(last)),
    }
    return {
        "description": said,
        "labels": [month_label(each).isoformat() for each in one.months],
        "low": low,
        "high": high,
        "dots": True,
        "lines": [
            {
                "name": str(kind.name),
                "values": [
                    None if each.score.value is None else round(factor * each.score.value, 2) for each in one.months
                ],
            }
        ],
    }


# --- files -------------------------------------------------------------------------------------------------------
def experience_cells(found: Feedback) -> list[Cell]:
    """In the words of the page; numbers in the units of the API."""
    cells = scope_cells(scope=found.scope, model=found.model.key)

    def add_score(section: str, item: str, kind: Kind, score: Score) -> None:
        cells.append(Cell(section, item, _("answers"), score.answers, "customers"))
        measures = {"value": str(kind.name), "low": _("95% interval from"), "high": _("95% interval to")}
        for name, measure in measures.items():
            cells.append(Cell(section, item, measure, in_units(kind, getattr(score, name)), kind.unit, score.note))

    for one in found.surveys:
        kind, name, response = one.kind, str(one.kind.name), one.response
        add_score(_("score"), name, kind, one.score)
        for group, (label, _scores) in kind.groups.items():
            cells.append(Cell(_("score"), name, str(label), one.of_group(group), "customers"))
        for score, count in sorted(one.counts.items()):
            answered = _("answered %(score)s") % {"score": score}
            cells.append(Cell(_("customers by their answer"), name, answered, count, "customers"))
        off = _("off the scale of %(low)s to %(high)s") % {"low": kind.scale[0], "high": kind.scale[1]}
        cells.append(Cell(_("customers by their answer"), name, off, one.off_scale, "answers"))
        for became, count in _became(response):
            cells.append(Cell(_("response"), name, str(ASKED[became]), count, "customers"))
        rate = None if response.rate is None else round(float(response.rate) * 100, 9)
        cells.append(Cell(_("response"), name, _("response rate"), rate, "percent", response.note))
        for measure, end in zip((_("95% interval from"), _("95% interval to")), response.interval or (), strict=False):
            cells.append(Cell(_("response"), name, measure, round(end * 100, 9), "percent"))
        for stage in one.stages:
            item = f"{name}, {stage.stage.name if stage.stage else _('no stage')}"
            add_score(_("stage when they answered"), item, kind, stage.score)
        for month in one.months:
            add_score(_("month by month"), f"{name}, {month_label(month)}", kind, month.score)
    return cells
