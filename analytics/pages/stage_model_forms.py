"""What an admin does with stage models besides writing rules: new and copied models, the order of stages, their names,
and an end to them. Acts that change where customers are draft a change; names and the order on pages hold at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from analytics.sorting import Sorting, stage_models
from analytics.stage_rules import stage_rules
from clm.lib.questions import QuestionError
from lifecycle.models import StageModel, Subject
from lifecycle.naming import LONGEST_NAME, name_stage, name_subject
from lifecycle.revise import add_model, copy_model, document_of, order_stages, position_stages, retire_stage
from lifecycle.uses import uses

from .asking import page
from .definitions import of_model
from .drafts import REFUSALS, refused, to_change
from .refusals import beside, status_of

EMPTY = ""


class ModelForm(forms.Form):
    """A new model: a copy of one there is, or one with a single stage to go on from."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=LONGEST_NAME)
    key = forms.RegexField(
        r"^[a-z0-9][a-z0-9_-]{0,59}$",
        label=gettext_lazy("Key"),
        required=False,
        help_text=gettext_lazy("What rules and the API call it; made from the name if left empty. It never changes."),
        error_messages={"invalid": gettext_lazy("A key is of small letters, digits, - and _, at most 60.")},
    )
    start = forms.ChoiceField(label=gettext_lazy("Start from"), required=False)

    def __init__(self, data: object, *, models: Sequence[Sorting], initial: dict[str, str]) -> None:
        super().__init__(data, initial=initial)  # type: ignore[arg-type]
        start = self.fields["start"]
        assert isinstance(start, forms.ChoiceField)
        start.choices = [
            *((one.key, _("A copy of %(name)s") % {"name": one.name}) for one in models),
            (EMPTY, _("One stage: anybody with a touchpoint")),
        ]


class StageNameForm(forms.Form):
    """What a stage is called."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=LONGEST_NAME)


@dataclass(frozen=True, slots=True)
class Item:
    """One line of a list that is put in order."""

    key: str
    name: str
    detail: str


# --- models ---------------------------------------------------------------------------------------------------
@page("stages.edit")
def model_new(request: HttpRequest, *, now: datetime) -> HttpResponse:
    return _new(request, initial={"start": EMPTY})


@page("stages.edit")
def model_copy(request: HttpRequest, key: str, *, now: datetime) -> HttpResponse:
    chosen = of_model(key).sorting
    named = _("%(name)s, copied") % {"name": chosen.name[: LONGEST_NAME - 20]}
    return _new(request, initial={"start": chosen.key, "name": named})


def _new(request: HttpRequest, *, initial: dict[str, str]) -> HttpResponse:
    every = stage_models()
    form = ModelForm(request.POST or None, models=every, initial=initial)
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data
        key = told["key"] or free_model_key(told["name"])
        source = next((one for one in every if one.key == told["start"]), None)
        try:
            if source is not None:
                revision = copy_model(model=source.id, key=key, name=told["name"], author=request.user.pk)
            else:
                known = {"key": "known", "name": _("Known"), "rule": {"did": {}}}
                leave = {"key": "gone_quiet", "name": _("Gone quiet")}
                revision = add_model(key=key, name=told["name"], stages=[known], leave=leave, author=request.user.pk)
        except REFUSALS as error:
            beside(form, error)
        else:
            return to_change(request, revision)
    return render(request, "pages/model_form.html", {"form": form}, status=status_of(form))


def free_model_key(name: str) -> str:
    """A key made from a name that no model has yet."""
    stem = slugify(name)[:50].strip("-_") or "model"
    taken = set(StageModel.objects.filter(key__startswith=stem).values_list("key", flat=True)) | {"new", "lists"}
    return next(key for n in range(1, len(taken) + 2) if (key := stem if n == 1 else f"{stem}-{n}") not in taken)


@require_POST
@page("stages.edit")
def model_default(request: HttpRequest, key: str, *, now: datetime) -> HttpResponse:
    """Make it the model that pages show first."""
    place = of_model(key)
    try:
        name_subject(subject=place.sorting.id, changes={"is_default": True})
    except REFUSALS as error:
        return refused(request, error, back=place.address())
    messages.success(request, _("Pages show “%(name)s” first from now on.") % {"name": place.sorting.name})
    return redirect(place.address())


# --- the order of stages --------------------------------------------------------------------------------------
@page("stages.edit", takes=("which",))
def model_order(request: HttpRequest, key: str, *, now: datetime) -> HttpResponse:
    """The precedence, which decides, and the order on pages, which does not: two lists, each with its own button."""
    place = of_model(key)
    document = document_of(Subject.objects.get(pk=place.sorting.id))
    named = {stage.key: stage.name for stage in (place.sorting.stages | place.sorting.stages.others).values()}
    precedence = [stage["key"] for stage in reversed(document["stages"])]  # pages show the highest first
    position = [stage.key for stage in place.sorting.stages.values() if not stage.is_exit]
    refusal = ""
    if request.method == "POST":
        which = request.POST.get("which", "")
        told = request.POST.getlist("stage")
        told = _moved(told, request.POST.get("move", ""))
        try:
            if "move" in request.POST:  # without scripts: one step at a time, nothing is stored before the button is
                _refuse_strangers(told, precedence if which == "precedence" else position)
            elif which == "precedence":
                revision = order_stages(model=place.sorting.id, stages=list(reversed(told)), author=request.user.pk)
                return to_change(request, revision)
            else:
                position_stages(model=place.sorting.id, stages=told)
                messages.success(request, _("Pages show the stages in this order from now on."))
                return redirect(place.address("order"))
        except REFUSALS as error:
            refusal = getattr(error, "message", "") or str(error)
        else:
            precedence, position = (told, position) if which == "precedence" else (precedence, told)
    sentences = {rule.stage.key: rule.sentence for rule in stage_rules(sorting=place.sorting).stages}
    return render(
        request,
        "pages/model_order.html",
        {
            **place.context("order"),
            "now": now,
            "refusal": refusal,
            "precedence": [Item(key, named.get(key, key), sentences.get(key, "")) for key in precedence],
            "position": [Item(key, named.get(key, key), "") for key in position],
        },
        status=422 if refusal else 200,
    )


def _moved(keys: Sequence[str], move: str) -> list[str]:
    """The keys with one of them moved by a place: `up:key` or `down:key`."""
    keys, (way, _colon, key) = list(keys), move.partition(":")
    if key not in keys:
        return keys
    at = keys.index(key)
    to = at + (1 if way == "down" else -1)
    if 0 <= to < len(keys):
        keys[at], keys[to] = keys[to], keys[at]
    return keys


def _refuse_strangers(told: Sequence[str], known: Sequence[str]) -> None:
    if sorted(told) != sorted(known):
        raise QuestionError("stage", _("Each stage of the model stands in the order once."))


# --- one stage ------------------------------------------------------------------------------------------------
@page("stages.edit")
def stage_edit(request: HttpRequest, key: str, stage: str, *, now: datetime) -> HttpResponse:
    place = of_model(key)
    number = place.sorting.stage_id(stage)
    known = place.sorting.stages[number]
    form = StageNameForm(request.POST or None, initial={"name": known.name})
    if request.method == "POST" and form.is_valid():
        try:
            name_stage(stage=number, name=form.cleaned_data["name"])
        except REFUSALS as error:
            beside(form, error)
        else:
            messages.success(request, _("Saved."))
            return redirect(f"{place.address()}#{stage}")
    context = {**place.context(), "form": form, "stage": known}
    return render(request, "pages/stage_form.html", context, status=status_of(form))


@page("stages.edit")
def stage_retire(request: HttpRequest, key: str, stage: str, *, now: datetime) -> HttpResponse:
    """Says what leaving a stage out means, and drafts it."""
    place = of_model(key)
    known = place.sorting.stages[place.sorting.stage_id(stage)]
    refusal = ""
    if request.method == "POST":
        try:
            revision = retire_stage(model=place.sorting.id, stage=stage, author=request.user.pk)
        except REFUSALS as error:
            refusal = getattr(error, "message", "") or str(error)
        else:
            return to_change(request, revision)
    context = {
        **place.context(),
        "stage": known,
        "uses": uses(subject=place.sorting.id),
        "refusal": refusal,
    }
    return render(request, "pages/stage_retire.html", context, status=409 if refusal else 200)
