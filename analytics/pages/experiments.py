"""Experiments: the list, a form that plans one and changes the plan, what one found, and the acts that take it through
its course."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from analytics.experiments.comparing import NO_SPREAD, NOBODY, ONE, ZERO_CONTROL, Estimate
from analytics.experiments.counting import BEFORE_DAYS, instant_shown
from analytics.experiments.ending import Outcome, Since, end, outcome
from analytics.experiments.results import (
    Compared,
    MetricResult,
    Results,
    VariantResult,
    group_name,
    metric_label,
)
from analytics.files import Cell
from campaigns.experiments import (
    assignable,
    change_experiment,
    create_experiment,
    delete_experiment,
    start_experiment,
    stop_experiment,
)
from campaigns.models import Experiment
from clm.lib.milliseconds import written
from clm.lib.questions import ConflictError, NotThereError, QuestionError
from clm.lib.templatetags.numbers import MINUS, money_text, number, percent
from customers.models import Installation

from .asking import page
from .experiment_form import DraftForm, ExperimentForm
from .exports import answered_file
from .forms import Crumb, confirm, leading_to, status
from .news import news_of

STATES = {
    "draft": gettext_lazy("draft"),
    "assigning": gettext_lazy("assigning"),
    "running": gettext_lazy("running"),
    "stopped": gettext_lazy("stopped"),
    "ended": gettext_lazy("ended"),
}
REASONS = {
    NOBODY: gettext_lazy("n/a: nobody to count yet"),
    ONE: gettext_lazy("n/a: it takes two customers"),
    NO_SPREAD: gettext_lazy("n/a: everybody did the same"),
    ZERO_CONTROL: gettext_lazy("n/a: the control is not clearly above zero"),
    "peeking": gettext_lazy("no interval holds at every look"),
}
VERDICTS = {
    "none": gettext_lazy("Nobody is assigned yet."),
    "nobody": gettext_lazy("Nobody was assigned."),
    "assigning": gettext_lazy("Customers are being assigned; look again in a moment."),
    "blocked": gettext_lazy(
        "No verdict: customers were not shared out as the weights say (sample-ratio mismatch). Something lost or added "
        "customers of one variant, so no difference can be believed. Find out what before looking further."
    ),
    "early": gettext_lazy(
        "No verdict yet: a fixed horizon is judged once, when the planned number of customers is counted. What stands "
        "below may still turn."
    ),
    "unreached": gettext_lazy(
        "No verdict: it was ended before the planned number of customers was counted, so the verdict was not reached."
    ),
    "told": gettext_lazy("The verdicts below hold at 5 % false alarms over everything that was asked (Holm)."),
}
JUDGED = {
    "higher": gettext_lazy("higher than the control"),
    "lower": gettext_lazy("lower than the control"),
    "open": gettext_lazy("no difference can be told"),
    "": gettext_lazy("none yet"),
}


@page("experiments.view")
def experiments(request: HttpRequest, *, now: datetime) -> HttpResponse:
    found = Experiment.objects.select_related("audience").prefetch_related("variants").order_by("-pk")[:200]
    rows = [(one, STATES[one.state], [metric_label(each) for each in one.metrics]) for one in found]
    return render(request, "pages/experiments.html", {"now": now, "rows": rows, "news": news_of()})


@page("experiments.edit")
def experiment_new(request: HttpRequest, *, now: datetime) -> HttpResponse:
    initial = {"variants": "control 50\ntreatment 50", "mode": Experiment.Mode.FIXED, "conversion_days": 30}
    form = ExperimentForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        told = form.told()
        try:
            made = create_experiment(**told)
        except QuestionError as error:
            form.refuse(error)
        except ConflictError as error:
            url = reverse("experiment", args=[told["key"]])
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
    reporting = Installation.current()
    today = {} if found.since is None or found.today is None else _differing(found, found.today, reporting)
    return render(
        request,
        "pages/experiment.html",
        {
            "now": now,
            "news": news_of(),
            "one": one,
            "state": STATES[one.state],
            "found": found.told,
            "told_at": found.told_at,
            "verdict": VERDICTS[_verdict(found.told)],
            "today": found.today if found.since is not None else None,
            "today_verdict": VERDICTS[_verdict(found.today)] if found.since is not None and found.today else "",
            "since": _since(found.since) if found.since is not None else (),
            "assigned": _assigned(found),
            "weights": sum(variant.weight for variant, _count in found.told.assigned),
            "conflicting_url": _list(found.told, group_name(one, "conflicting"), found.told.conflicting)
            if found.today is None or found.today.conflicting == found.told.conflicting
            else "",
            "metrics": [
                {
                    # Lists count anew: where that says what was told, they are the customers behind it.
                    "told": _metric(
                        found.told,
                        metric,
                        reporting,
                        opens=metric.place not in today,
                        is_gone=metric.place in found.gone,
                    ),
                    "today": today.get(metric.place),
                }
                for metric in found.told.metrics
            ],
            "before_days": BEFORE_DAYS,
            "crumbs": _above(),
        },
    )


@page("experiments.view")
def experiment_file(request: HttpRequest, key: str, kind: str, *, now: datetime) -> HttpResponse:
    """What the page of an experiment shows, as a file."""
    one = found_experiment(key)
    found = outcome(experiment=one, as_of=instant_shown(one, now=now))
    cells = _cells(found.told)
    if found.told_at is not None:
        cells.insert(1, Cell("scope", "kept_at", "", written(found.told_at)))
    if found.since is not None and found.today is not None:
        anew = _cells(found.today)
        cells += [replace(cell, section=f"counted anew: {cell.section}") for cell in anew if cell.section != "scope"]
        cells += [Cell("became known later", name, "", value) for name, value in asdict(found.since).items()]
    return answered_file(kind=kind, name=one.key, cells=cells)


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
        done=gettext_lazy("It has ended."),
        act=lambda one, now: end(experiment=one, now=now),
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


def _verdict(found: Results) -> str:
    """Which sentence of VERDICTS says where it stands."""
    state = found.experiment.state
    if state == "assigning":
        return state
    return "nobody" if found.verdict == "none" and state != "draft" else found.verdict


def _above() -> list[Crumb]:
    return [Crumb(reverse("experiments"), _("Experiments"))]


def _assigned(found: Outcome) -> list[dict[str, Any]]:
    """Customers by variant as told, and as counted anew where that says otherwise."""
    one, today = found.told.experiment, dict(found.today.assigned) if found.today else {}
    rows = []
    for variant, count in found.told.assigned:
        anew = today[variant] if today.get(variant, count) != count else None
        url = _list(found.told, group_name(one, "assigned", variant), count if anew is None else anew)
        rows.append({"variant": variant, "count": count, "today": anew, "url": url})
    return rows


def _since(since: Since) -> list[str]:
    """What became known after the end, a sentence each."""
    told = [
        (
            since.late,
            ngettext(
                "%(number)s touchpoint that happened before the end became known after it.",
                "%(number)s touchpoints that happened before the end became known after it.",
                since.late,
            ),
        ),
        (
            since.converted,
            ngettext(
                "%(number)s amount got an exchange rate after the end.",
                "%(number)s amounts got an exchange rate after the end.",
                since.converted,
            ),
        ),
        (
            since.moved,
            ngettext(
                "%(number)s customer was merged or taken apart after the end.",
                "%(number)s customers were merged or taken apart after the end.",
                since.moved,
            ),
        ),
        (
            since.erased,
            ngettext(
                "%(number)s customer was erased after the end.",
                "%(number)s customers were erased after the end.",
                since.erased,
            ),
        ),
    ]
    sentences = [text % {"number": number(count)} for count, text in told if count]
    if since.goals:
        sentences.append(_("What was to be reached is defined otherwise now."))
    if since.types:
        sentences.append(_("Which touchpoints are orders and refunds is defined otherwise now."))
    return sentences or [_("It was still being worked out what some touchpoints meant when it ended.")]


def _list(found: Results, group: str, count: int) -> str:
    return f"{reverse('customers')}?group={group}&as_of={written(found.as_of)}" if count else ""


# --- as people read it -------------------------------------------------------------------------------------------
def _differing(found: Outcome, today: Results, reporting: Installation) -> dict[int, dict[str, Any]]:
    """By their places, the metrics of which a recount says otherwise, as it does."""
    return {
        anew.place: _metric(today, anew, reporting, opens=True, is_gone=False)
        for told, anew in zip(found.told.metrics, today.metrics, strict=True)
        if told != anew and told.place not in found.gone
    }


def _metric(
    found: Results, metric: MetricResult, reporting: Installation, *, opens: bool, is_gone: bool
) -> dict[str, Any]:
    """opens: whether lists count what is told; is_gone: whether nobody can be found any more who reached it."""

    def told(value: float) -> str:
        if metric.unit == "percent":
            return percent(value)
        return money_text(value, reporting)

    def opened(which: str, one: VariantResult, count: int) -> str:
        group = group_name(found.experiment, which, one.variant, metric.place)
        return _list(found, group, count) if opens and not is_gone else ""

    def shown(one: VariantResult) -> dict[str, Any]:
        return {
            "variant": one.variant,
            "counted": one.counted,
            "counted_url": opened("counted", one, one.counted),
            "converted": one.converted,
            "converted_url": opened("converted", one, one.converted),
            "mean": _n_a(one.mean) if one.mean.value is None else told(one.mean.value),
            "between": _between(one.mean, told),
        }

    def compared(one: Compared) -> dict[str, Any]:
        difference, lift = one.comparison.difference, one.comparison.lift
        explained = None
        if one.explained is not None and one.explained.difference.value is not None:
            explained = {
                "difference": _signed(one.explained.difference.value, told),
                "between": _between(one.explained.difference, told),
                "removed": percent(one.removed),
            }
        return {
            "variant": one.variant,
            "difference": _n_a(difference) if difference.value is None else _signed(difference.value, told),
            "between": _between(difference, told),
            "lift": _n_a(lift) if lift.value is None else _signed(lift.value, percent),
            "lift_between": _between(lift, percent),
            "p": _chance(one.p),
            "explained": explained,
            "verdict": JUDGED[one.verdict],
            "is_told": one.verdict in ("higher", "lower"),
        }

    return {
        "metric": metric,
        "title": metric.label[:1].upper() + metric.label[1:],
        "variants": [shown(one) for one in metric.variants],
        "compared": [compared(one) for one in metric.compared],
        "waiting": metric.waiting,
        "is_money": metric.unit == "money",
        "is_gone": is_gone,
    }


def _chance(p: float | None) -> str:
    if p is None:
        return _("n/a")
    return f"{p:.4f}" if p >= 0.0001 else _("below 0.0001")


def _n_a(one: Estimate) -> str:
    return str(REASONS.get(one.reason, _("n/a")))


def _between(one: Estimate, told: Callable[[float], str]) -> str:
    if one.low is None or one.high is None:
        return _n_a(one) if one.reason and one.value is not None else ""
    return _("%(low)s to %(high)s") % {"low": _minus(one.low, told), "high": _minus(one.high, told)}


def _minus(value: float, told: Callable[[float], str]) -> str:
    return f"{MINUS}{told(-value)}" if value < 0 else told(value)


def _signed(value: float, told: Callable[[float], str]) -> str:
    return _minus(value, told) if value <= 0 else f"+{told(value)}"


# --- files -------------------------------------------------------------------------------------------------------
def _cells(found: Results) -> list[Cell]:
    one, reporting = found.experiment, Installation.current()
    scope: dict[str, Any] = {
        "experiment": one.key,
        "as_of": written(found.as_of),
        "mode": one.mode,
        "planned": one.planned,
    }
    cells = [Cell("scope", name, "", value) for name, value in scope.items()]
    cells.append(Cell("verdict", one.key, "", found.verdict))
    for variant, count in found.assigned:
        cells.append(Cell("assigned", variant.key, f"weight {variant.weight}", count, "customers"))
    cells.append(Cell("assigned", "two variants after merges", "", found.conflicting, "customers"))
    cells.append(Cell("sample ratio", "p", "", found.ratio.p, "", "" if found.ratio.p is not None else "n/a"))
    for metric in found.metrics:
        unit = reporting.currency if metric.unit == "money" else metric.unit
        factor = 10**-reporting.minor_digits if metric.unit == "money" else 100

        def add(
            item: str, name: str, value: Estimate, factor: float = factor, unit: str = unit, label: str = metric.label
        ) -> None:
            for part in ("value", "low", "high"):
                given = getattr(value, part)
                shown = None if given is None else round(given * factor, 9)
                note = "" if shown is not None else value.reason or "n/a"
                cells.append(Cell(label, item, f"{name} {part}", shown, unit, note))

        for each in metric.variants:
            cells.append(Cell(metric.label, each.variant.key, "counted", each.counted, "customers"))
            cells.append(Cell(metric.label, each.variant.key, "did it", each.converted, "customers"))
            add(each.variant.key, "mean", each.mean)
        for pair in metric.compared:
            add(pair.variant.key, "difference", pair.comparison.difference)
            add(pair.variant.key, "lift", pair.comparison.lift, 100, "percent")
            if pair.explained is not None:
                add(pair.variant.key, "difference with CUPED", pair.explained.difference)
            cells.append(Cell(metric.label, pair.variant.key, "p (Holm)", pair.p, "", pair.verdict or "no verdict yet"))
    return cells
