"""Examples that guard the rules of a model or a segment: listed with whether they hold, added, and taken away."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from analytics.example_list import LONGEST_LIFE, Happening, example_of, example_rows, made_up_history, said
from analytics.sorting import Sorting
from clm.lib.periods import day_start
from clm.lib.questions import NotThereError, QuestionError
from customers.models import Installation, TouchpointType
from customers.standard_types import STANDARD_TYPES
from lifecycle.examples import LONGEST_NAME, add_example, retire_example
from lifecycle.list_upload import Line, recognised
from lifecycle.rules.document import RuleError

from .asking import page
from .definitions import Place, of_model, of_segment
from .forms import LIMITS
from .refusals import beside, status_of

ROWS, MOST_ROWS = 5, 50
NONE = "-"
_PATH = re.compile(r"\$\.touchpoints\[(\d+)\](?:\.(\w+))?")


class ExampleForm(forms.Form):
    """What must come true. The lines of a made-up history stand beside it, as lists of `type`, `day` and `amount`."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=LONGEST_NAME,
        help_text=gettext_lazy("What it guards, such as: trial users are in onboarding on day 3."),
    )
    stage = forms.ChoiceField(label=gettext_lazy("Must be in"))
    who = forms.ChoiceField(
        label=gettext_lazy("Who"),
        choices=[
            ("made_up", gettext_lazy("A made-up history")),
            ("customer", gettext_lazy("A customer there is")),
        ],
        initial="made_up",
        widget=forms.RadioSelect,
    )
    customer = forms.CharField(
        label=gettext_lazy("Customer"),
        required=False,
        max_length=254,
        help_text=gettext_lazy("The number, the e-mail address or the external id; not for a made-up history."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    day = forms.IntegerField(
        label=gettext_lazy("On day"),
        required=False,
        min_value=1,
        max_value=LONGEST_LIFE,
        error_messages=LIMITS,
        help_text=gettext_lazy("Of the life, the first day being day 1; its end is meant."),
    )
    at = forms.DateField(
        label=gettext_lazy("Or on the date"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text=gettext_lazy("Its beginning is meant; for a customer there is."),
    )

    def __init__(self, data: Any, *, sorting: Sorting) -> None:
        super().__init__(data)
        stage = self.fields["stage"]
        assert isinstance(stage, forms.ChoiceField)
        stages = [(one.key, one.name) for one in sorting.stages.values()]
        stage.choices = stages if sorting.kind != "model" else [*stages, (NONE, _("no stage yet"))]

    def clean(self) -> dict[str, Any]:
        told = dict(super().clean() or {})
        if told.get("who") == "customer" and not told.get("customer"):
            self.add_error("customer", _("Which customer?"))
        if not self.errors.get("day") and not self.errors.get("at") and (not told.get("day")) == (not told.get("at")):
            self.add_error("day", _("Give a day of the life, or a date."))
        return told


# --- the list -------------------------------------------------------------------------------------------------
@page("segments.view")
def segment_examples(request: HttpRequest, key: str, *, now: datetime) -> HttpResponse:
    return _listed(request, of_segment(key), now=now)


@page("stages.view")
def model_examples(request: HttpRequest, key: str, *, now: datetime) -> HttpResponse:
    return _listed(request, of_model(key), now=now)


def _listed(request: HttpRequest, place: Place, *, now: datetime) -> HttpResponse:
    rows = [(row, said(row), place.address("example_retire", row.id)) for row in example_rows(sorting=place.sorting)]
    context = {
        **place.context("examples"),
        "now": now,
        "rows": rows,
        "new_url": place.address("example_new"),
        "broken": sum(not row.now.holds for row, _said, _url in rows),
    }
    return render(request, "pages/examples.html", context)


# --- a new one ------------------------------------------------------------------------------------------------
@page("segments.edit")
def segment_example_new(request: HttpRequest, key: str, *, now: datetime) -> HttpResponse:
    return _new(request, of_segment(key))


@page("stages.edit")
def model_example_new(request: HttpRequest, key: str, *, now: datetime) -> HttpResponse:
    return _new(request, of_model(key))


def _new(request: HttpRequest, place: Place) -> HttpResponse:
    adds_rows = "more" in request.POST
    form = ExampleForm(request.POST or None, sorting=place.sorting)
    lines, wrong = _lines(request), dict[int, str]()
    if request.method == "POST" and not adds_rows:
        made_up = request.POST.get("who", "made_up") == "made_up"
        wrong = _wrong(lines) if made_up else {}
        if form.is_valid() and not wrong:
            try:
                _add(place, form.cleaned_data, lines, author=request.user.pk)
            except RuleError as error:
                wrong = _beside_line(form, error, lines)
            except QuestionError as error:
                beside(form, error)
            else:
                messages.success(request, _("The example is kept. Changes that break it will be refused."))
                return redirect(place.address("examples"))
    if adds_rows:
        form.errors.clear()  # nothing was sent to be kept
    shown = [*lines, *[("", "", "")] * (ROWS if adds_rows or not lines else 1)][:MOST_ROWS]
    status = 422 if wrong else (200 if adds_rows else status_of(form))
    context = {
        **place.context("examples"),
        "form": form,
        "lines": [(number, *line, wrong.get(number, "")) for number, line in enumerate(shown, start=1)],
        "wrong": wrong,
        "types": sorted({*STANDARD_TYPES, *TouchpointType.objects.values_list("name", flat=True)[:500]}),
        "examples_url": place.address("examples"),
    }
    return render(request, "pages/example_form.html", context, status=status)


def _lines(request: HttpRequest) -> list[tuple[str, str, str]]:
    """The lines that hold anything, as they were typed."""
    columns = [request.POST.getlist(name)[:MOST_ROWS] for name in ("type", "day_of", "amount")]
    rows = [(kind.strip(), day.strip(), amount.strip()) for kind, day, amount in zip(*columns, strict=False)]
    return [row for row in rows if any(row)]


def _wrong(lines: Sequence[tuple[str, str, str]]) -> dict[int, str]:
    """By the number of a line what is wrong with it."""
    found = {}
    for number, (kind, day, _amount) in enumerate(lines, start=1):
        if not kind:
            found[number] = _("Which type of touchpoint?")
        elif not day.isascii() or not day.isdigit() or not 1 <= int(day[:9]) <= LONGEST_LIFE:
            found[number] = _("A day is a whole number from 1.")
    return found


def _beside_line(form: ExampleForm, error: RuleError, lines: Sequence[object]) -> dict[int, str]:
    found = _PATH.match(error.path)
    if found is None or int(found[1]) >= len(lines):
        form.add_error(None, error.message)
        return {}
    return {int(found[1]) + 1: error.message}


def _add(place: Place, told: dict[str, Any], lines: Sequence[tuple[str, str, str]], *, author: int | None) -> None:
    zone = Installation.current().time_zone
    of: dict[str, Any]
    if told["who"] == "customer":
        found = recognised(lines=[Line(1, told["customer"].strip())], by="any")
        for refused in found.refused:
            raise QuestionError("customer", refused.reason)
        of = {"customer": found.customers[0]}
    else:
        rows = [Happening(kind, int(day), amount) for kind, day, amount in lines]
        of = {"history": made_up_history(rows=rows, zone=zone)}
    add_example(
        subject=place.sorting.id,
        name=told["name"],
        stage=None if told["stage"] == NONE else told["stage"],
        day=told["day"],
        at=day_start(told["at"], zone) if told["at"] else None,
        author=author,
        **of,
    )


# --- no more --------------------------------------------------------------------------------------------------
@require_POST
@page("segments.edit")
def segment_example_retire(request: HttpRequest, key: str, example: int, *, now: datetime) -> HttpResponse:
    """Ask no more for it."""
    return _retire(request, of_segment(key), example, now=now)


@require_POST
@page("stages.edit")
def model_example_retire(request: HttpRequest, key: str, example: int, *, now: datetime) -> HttpResponse:
    """Ask no more for it."""
    return _retire(request, of_model(key), example, now=now)


def _retire(request: HttpRequest, place: Place, example: int, *, now: datetime) -> HttpResponse:
    if example_of(sorting=place.sorting, number=example) is None:
        raise NotThereError("there is no such example")
    retire_example(example=example, now=now)
    messages.success(request, _("The example guards nothing any more."))
    return redirect(place.address("examples"))
