"""Experiments: the list, a form that plans one and changes the plan, what one found, and the acts that take it through
its course."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from analytics.experiments.ahead import instant_shown
from analytics.experiments.counting import BEFORE_DAYS
from analytics.experiments.ending import Outcome, outcome
from analytics.experiments.results import metric_label
from analytics.row_pages import row_page
from campaigns.experiments import (
    assignable,
    change_experiment,
    create_experiment,
    delete_experiment,
    end_experiment,
    start_experiment,
    stop_experiment,
)
from campaigns.models import Experiment
from clm.lib.questions import ConflictError, NotThereError, QuestionError
from clm.lib.templatetags.numbers import number

from .asking import page
from .experiment_form import DraftForm, ExperimentForm
from .experiment_told import cells_of, told
from .exports import answered_file
from .forms import Crumb, confirm, leading_to, status
from .news import news_of
from .progress import Job

STATES = {
    "draft": gettext_lazy("draft"),
    "assigning": gettext_lazy("assigning"),
    "running": gettext_lazy("running"),
    "stopped": gettext_lazy("stopped"),
    "ending": gettext_lazy("ending"),
    "ended": gettext_lazy("ended"),
}


@page("experiments.view", takes=("cursor",))
def experiments(request: HttpRequest, *, now: datetime) -> HttpResponse:
    every = Experiment.objects.select_related("audience").prefetch_related("variants")
    found = row_page(every, order=("-pk",), cursor=request.GET.get("cursor") or None)
    context = {
        "now": now,
        "rows": [(one, STATES[one.state], [metric_label(each) for each in one.metrics]) for one in found.rows],
        "next_cursor": found.next_cursor,
        "previous_cursor": found.previous_cursor,
        "news": news_of(),
    }
    return render(request, "pages/experiments.html", context)


@page("experiments.edit")
def experiment_new(request: HttpRequest, *, now: datetime) -> HttpResponse:
    initial = {"variants": "control 50\ntreatment 50", "mode": Experiment.Mode.FIXED, "conversion_days": 30}
    form = ExperimentForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        asked = form.told()
        try:
            made = create_experiment(**asked)
        except QuestionError as error:
            form.refuse(error)
        except ConflictError as error:
            url = reverse("experiment", args=[asked["key"]])
            form.add_error("key", leading_to(str(error), url=url, link=_("Open it")))
        else:
            messages.success(request, _("The draft is made. Nobody takes part before it is started."))
            return redirect("experiment", made.key)
    return _form(request, form, now=now, title=_("New experiment"), button=_("Make the draft"), crumbs=_above())


@page("experiments.edit")
def experiment_edit(request: HttpRequest, key: str, *, now: datetime) -> HttpResponse:
    """The same form over a draft; once it was started it says why nothing can be changed."""
    one = found_experiment(key)
    crumbs = [*_above(), Crumb(reverse("experiment", args=[one.key]), one.name)]
    form = DraftForm(request.POST or None, draft=one)
    refusal = "" if one.started_at is None else _("It has been started, so what it asks stays as it is.")
    if request.method == "POST" and form.is_valid():
        try:
            change_experiment(experiment=one, **form.told())
        except QuestionError as error:
            form.refuse(error)
        except ConflictError as error:
            refusal = str(error)
        else:
            messages.success(request, _("The draft is changed."))
            return redirect("experiment", one.key)
    title = _("Change the draft %(name)s") % {"name": one.name}
    return _form(request, form, now=now, title=title, button=_("Keep it"), crumbs=crumbs, refusal=refusal)


def _form(
    request: HttpRequest,
    form: ExperimentForm,
    *,
    now: datetime,
    title: str,
    button: str,
    crumbs: Sequence[Crumb],
    refusal: str = "",
) -> HttpResponse:
    context = {
        "now": now,
        "form": form,
        "title": title,
        "button": button,
        "crumbs": crumbs,
        "back": crumbs[-1].url,
        "refusal": refusal,
    }
    code = 409 if refusal and request.method == "POST" else status(form)
    return render(request, "pages/experiment_form.html", context, status=code)


@page("experiments.view")
def experiment(request: HttpRequest, key: str, *, now: datetime) -> HttpResponse:
    one = found_experiment(key)
    found = outcome(experiment=one, as_of=instant_shown(one, now=now))
    return render(
        request,
        "pages/experiment.html",
        {
            "now": now,
            "news": news_of(),
            "one": one,
            "state": STATES[one.state],
            **told(found),
            "job": _counting(found),
            "before_days": BEFORE_DAYS,
            "crumbs": _above(),
        },
    )


@page("experiments.view")
def experiment_counting(request: HttpRequest, key: str, *, now: datetime) -> HttpResponse:
    """How far the count is of what an experiment found; the whole page anew when there is nothing left to wait for."""
    one = found_experiment(key)
    if one.state == "ending" and one.ended_at is not None:
        job = _counting(outcome(experiment=one, as_of=one.ended_at))
        return render(request, "parts/progress.html", {"job": job})
    response = HttpResponse()
    response["HX-Refresh"] = "true"
    return response


def _counting(found: Outcome) -> Job | None:
    if found.counting is None:
        return None
    one = found.told.experiment
    return Job(
        id="counting",
        title=_("Counting what it has found"),
        state="running",
        done=found.counting.done,
        total=found.counting.of,
        unit=ngettext("metric", "metrics", found.counting.of),
        note=_("You may leave this page; it goes on by itself."),
        url=reverse("experiment_counting", args=[one.key]),
    )


@page("experiments.view")
def experiment_file(request: HttpRequest, key: str, kind: str, *, now: datetime) -> HttpResponse:
    """What the page of an experiment shows, as a file."""
    one = found_experiment(key)
    found = outcome(experiment=one, as_of=instant_shown(one, now=now))
    return answered_file(kind=kind, name=one.key, cells=cells_of(found))


@page("experiments.edit")
def experiment_start(request: HttpRequest, key: str, *, now: datetime) -> HttpResponse:
    one = found_experiment(key)
    who = one.audience.name if one.audience else _("everybody")
    is_draft = one.started_at is None
    return _act(
        request,
        one,
        title=_("Start %(name)s?") % {"name": one.name},
        consequences=[
            *(_sizes(one, assignable(experiment=one)) if is_draft else ()),
            _("Whoever is in it now (%(who)s) is given a variant by the hash, for good.") % {"who": who},
            _("Variants, weights and metrics stay as they are from then on."),
        ],
        button=_("Start"),
        done=_("It is started. Customers are being assigned."),
        act=lambda: start_experiment(experiment=one, now=now),
        is_harmless=True,
        refusal="" if is_draft else _("This experiment has been started already."),
    )


def _sizes(one: Experiment, count: int) -> list[str]:
    """How many will be assigned beside how many are planned, and that these are too few where they are."""
    told = {"number": number(count), "planned": number(one.planned)}
    sentences = [
        ngettext(
            "%(number)s customer will be assigned; you planned %(planned)s.",
            "%(number)s customers will be assigned; you planned %(planned)s.",
            count,
        )
        % told
    ]
    if count < one.planned:
        sentences.append(
            _("These are fewer than planned: the planned number cannot be reached, so no verdict may ever be given.")
            if one.mode == Experiment.Mode.FIXED
            else _("These are fewer than planned: a difference of the size that matters may not be found.")
        )
    return sentences


@dataclass(frozen=True, slots=True)
class Step:
    """An act that only asks whether it is meant. title: with the experiment's name as %(name)s; act: given the
    experiment and the clock; leads_to: the page afterwards, "" for the experiment's."""

    title: Any
    consequences: tuple[Any, ...]
    button: Any
    done: Any
    act: Callable[[Experiment, datetime], object]
    leads_to: str = ""


STEPS: Mapping[str, Step] = {
    "stop": Step(
        title=gettext_lazy("Stop assigning in %(name)s?"),
        consequences=(
            gettext_lazy("Nobody is given a variant any more; this cannot be taken back."),
            gettext_lazy("What those who have one do goes on counting until the experiment is ended."),
        ),
        button=gettext_lazy("Stop assigning"),
        done=gettext_lazy("Nobody is assigned any more."),
        act=lambda one, now: stop_experiment(experiment=one, now=now),
    ),
    "end": Step(
        title=gettext_lazy("End %(name)s?"),
        consequences=(
            gettext_lazy("Nothing that happens from now on counts; this cannot be taken back."),
            gettext_lazy("Customers whose days are not over by then are left out."),
            gettext_lazy("What it has found is kept as it is then; what becomes known later is told beside it."),
        ),
        button=gettext_lazy("End"),
        done=gettext_lazy("It has ended. What it has found is being counted."),
        act=lambda one, now: end_experiment(experiment=one, now=now),
    ),
    "remove": Step(
        title=gettext_lazy("Remove the draft %(name)s?"),
        consequences=(gettext_lazy("The draft is gone. Nobody has taken part in it."),),
        button=gettext_lazy("Remove"),
        done=gettext_lazy("The draft is removed."),
        act=lambda one, _now: delete_experiment(experiment=one),
        leads_to="experiments",
    ),
}


@page("experiments.edit")
def experiment_step(request: HttpRequest, key: str, *, step: str, now: datetime) -> HttpResponse:
    """One of STEPS."""
    one, asked = found_experiment(key), STEPS[step]
    return _act(
        request,
        one,
        title=asked.title % {"name": one.name},
        consequences=[str(each) for each in asked.consequences],
        button=asked.button,
        done=asked.done,
        act=lambda: asked.act(one, now),
        leads_to=asked.leads_to,
    )


def _act(
    request: HttpRequest,
    one: Experiment,
    *,
    title: str,
    consequences: list[str],
    button: str,
    done: str,
    act: Callable[[], object],
    is_harmless: bool = False,
    leads_to: str = "",
    refusal: str = "",
) -> HttpResponse:
    """Ask first, then act; a refusal is said on the page that asked. refusal: known before, so nothing is offered."""
    error, back = "", reverse("experiment", args=[one.key])
    if request.method == "POST":
        try:
            act()
        except ConflictError as refused:
            error = str(refused)
        else:
            messages.success(request, done)
            return redirect(leads_to or back)
    return confirm(
        request,
        title=title,
        consequences=consequences,
        button=button,
        back=back,
        crumbs=[*_above(), Crumb(back, one.name)],
        is_harmless=is_harmless,
        error=error,
        refusal=refusal,
    )


def found_experiment(key: str) -> Experiment:
    """The experiment of that key; NotThereError when there is none."""
    found = Experiment.objects.select_related("audience").filter(key=key).first()
    if found is None:
        raise NotThereError(f"there is no experiment {key[:60]}")
    return found


def _above() -> list[Crumb]:
    return [Crumb(reverse("experiments"), _("Experiments"))]
