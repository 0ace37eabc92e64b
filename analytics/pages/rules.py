"""The pages on which a rule is written: of a segment, a stage, or a named rule. What is written is drafted as a change,
whose own page shows what it does before it goes live."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analytics.estimates import RuleEstimate, rule_estimate
from analytics.sorting import segment, stage_model
from analytics.words import KINDS, words
from clm.lib.questions import ConflictError, QuestionError
from lifecycle.models import Revision, Subject, SubRule
from lifecycle.previews import start_preview
from lifecycle.revise import add_segment, add_stage, document_of, edit_segment, edit_stage, edit_sub_rule
from lifecycle.rules.document import RuleError, load_document
from lifecycle.uses import Use, uses, uses_of_sub_rule

from .asking import page
from .rule_texts import offered, rule_texts

_STAGE = re.compile(r"^\$\.stages\[[0-9]+\]\.rule")
STARTING = {"all": [{"did": {"role": "purchase"}, "within": "90d"}]}


class RuleForm(forms.Form):
    """The rule as JSON, and why it is changed."""

    rule = forms.CharField(
        label=gettext_lazy("The rule as JSON"),
        strip=False,
        widget=forms.Textarea(attrs={"rows": 12, "spellcheck": "false", "autocomplete": "off"}),
    )
    note = forms.CharField(
        label=gettext_lazy("Why it is changed"),
        required=False,
        max_length=500,
        help_text=gettext_lazy("Kept with the version, for whoever asks later."),
    )


class NewSegmentForm(RuleForm):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=100)
    key = forms.CharField(
        label=gettext_lazy("Key"),
        required=False,
        max_length=60,
        help_text=gettext_lazy("What the API and other rules call it. Made of the name if left empty."),
    )
    description = forms.CharField(label=gettext_lazy("Description"), required=False, max_length=2000)


class NewStageForm(RuleForm):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=100)
    key = forms.CharField(
        label=gettext_lazy("Key"),
        required=False,
        max_length=60,
        help_text=gettext_lazy("What the API and other rules call it. Made of the name if left empty."),
    )
    above = forms.ChoiceField(
        label=gettext_lazy("Wins over"),
        required=False,
        help_text=gettext_lazy("Of the stages whose rules hold, the highest counts. It stands just above this one."),
    )


class NewSubRuleForm(RuleForm):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=100, help_text=gettext_lazy("Rules name it by this."))


@dataclass(frozen=True, slots=True)
class Writing:
    """What a page of this kind is about. of: whose rule, as the parser takes it; drafts: makes a change of the form's
    values; back: the address that leads back; used: what depends on it."""

    title: str
    back: str
    back_text: str
    of: tuple[str, str] | None
    drafts: Callable[[dict[str, Any], Any, int], Revision]
    used: tuple[Use, ...] = ()
    hint: str = ""


@page("segments.edit")
def segment_new(request: HttpRequest, *, now: datetime) -> HttpResponse:
    def drafts(told: dict[str, Any], rule: Any, author: int) -> Revision:
        return add_segment(
            key=told["key"] or made_key(told["name"]),
            name=told["name"],
            description=told["description"],
            rule=rule,
            note=told["note"],
            author=author,
        )

    about = Writing(_("New segment"), "segments", _("Segments"), None, drafts)
    return _written(request, about, NewSegmentForm(request.POST or None, initial={"rule": _text(STARTING)}), now)


@page("segments.edit")
def segment_rule(request: HttpRequest, key: str, *, now: datetime) -> HttpResponse:
    found = segment(key)
    if found.kind == Subject.Kind.LIST:
        raise Http404("a static list has no rule")
    rule = document_of(Subject.objects.get(pk=found.id))["rule"]

    def drafts(told: dict[str, Any], rule: Any, author: int) -> Revision:
        return edit_segment(segment=found.id, rule=rule, note=told["note"], author=author)

    title = _("The rule of “%(name)s”") % {"name": found.name}
    about = Writing(title, "segments", _("Segments"), ("segment", key), drafts, uses(subject=found.id))
    return _written(request, about, RuleForm(request.POST or None, initial={"rule": _text(rule)}), now)


@page("stages.edit")
def stage_rule(request: HttpRequest, key: str, stage: str, *, now: datetime) -> HttpResponse:
    found = stage_model(key)
    rules = {one["key"]: one["rule"] for one in document_of(Subject.objects.get(pk=found.id))["stages"]}
    if stage not in rules:
        raise Http404("there is no such stage with a rule")
    name = found.stages[found.stage_id(stage)].name

    def drafts(told: dict[str, Any], rule: Any, author: int) -> Revision:
        return edit_stage(model=found.id, stage=stage, rule=rule, note=told["note"], author=author)

    title = _("The rule of “%(stage)s” in “%(model)s”") % {"stage": name, "model": found.name}
    hint = _("A customer is in the highest stage whose rule holds, so fewer may be in it than meet its rule.")
    about = Writing(title, "models", _("Stage models"), ("model", key), drafts, uses(subject=found.id), hint)
    return _written(request, about, RuleForm(request.POST or None, initial={"rule": _text(rules[stage])}), now)


@page("stages.edit")
def stage_new(request: HttpRequest, key: str, *, now: datetime) -> HttpResponse:
    found = stage_model(key)
    form = NewStageForm(request.POST or None, initial={"rule": _text(STARTING)})
    names = {stage.key: stage.name for stage in found.stages.values()}
    listed = [one["key"] for one in document_of(Subject.objects.get(pk=found.id))["stages"]]
    above = form.fields["above"]
    assert isinstance(above, forms.ChoiceField)
    above.choices = [*((one, names.get(one, one)) for one in reversed(listed)), ("", _("none: it is the lowest"))]

    def drafts(told: dict[str, Any], rule: Any, author: int) -> Revision:
        return add_stage(
            model=found.id,
            key=told["key"] or made_key(told["name"]),
            name=told["name"],
            rule=rule,
            above=told["above"] or None,
            note=told["note"],
            author=author,
        )

    title = _("New stage in “%(model)s”") % {"model": found.name}
    about = Writing(title, "models", _("Stage models"), ("model", key), drafts, uses(subject=found.id))
    return _written(request, about, form, now)


@page("stages.edit")
def sub_rule(request: HttpRequest, name: str, *, now: datetime) -> HttpResponse:
    found = SubRule.objects.filter(name=name).first() if "\x00" not in name else None
    if found is None:
        raise Http404("there is no such named rule")

    def drafts(told: dict[str, Any], rule: Any, author: int) -> Revision:
        return edit_sub_rule(name=name, rule=rule, note=told["note"], author=author)

    title = _("The named rule “%(name)s”") % {"name": name}
    about = Writing(title, "sub_rules", _("Named rules"), ("rule", name), drafts, uses_of_sub_rule(name=name))
    return _written(request, about, RuleForm(request.POST or None, initial={"rule": _text(found.document)}), now)


@page("stages.edit")
def sub_rule_new(request: HttpRequest, *, now: datetime) -> HttpResponse:
    def drafts(told: dict[str, Any], rule: Any, author: int) -> Revision:
        if SubRule.objects.filter(name=told["name"]).exists():
            raise QuestionError("name", _("There is a named rule of this name; edit that one."))
        return edit_sub_rule(name=told["name"], rule=rule, note=told["note"], author=author)

    about = Writing(_("New named rule"), "sub_rules", _("Named rules"), None, drafts)
    return _written(request, about, NewSubRuleForm(request.POST or None, initial={"rule": _text(STARTING)}), now)


@page("customers.view", takes=("what", "key", "search"))
def rule_words(request: HttpRequest, *, now: datetime) -> HttpResponse:
    """What a field of the builder offers: keys or values as they were sent lately."""
    what, key, search = (request.GET.get(name, "")[:200].replace("\x00", "") for name in ("what", "key", "search"))
    if what not in KINDS:
        raise QuestionError("what", f"there are {', '.join(KINDS)}")
    found = words(what=what, key=key, search=search)
    said = [{"value": str(one.value), "label": _said(one.value), "detail": f"{one.seen:,}"} for one in found]
    return JsonResponse(said, safe=False)


def made_key(name: str) -> str:
    """A key made of a name: small letters, digits and -."""
    return slugify(name)[:60].strip("-_") or "segment"


# --- the one page ---------------------------------------------------------------------------------------------------
def _written(request: HttpRequest, about: Writing, form: RuleForm, now: datetime) -> HttpResponse:
    checked: RuleEstimate | None = None
    if request.method == "POST" and form.is_valid():
        try:
            rule = load_document(form.cleaned_data["rule"])
            if request.POST.get("act") == "check":
                checked = rule_estimate(rule=rule, now=now, of=about.of)
            else:
                assert request.user.pk is not None
                drafted = about.drafts(form.cleaned_data, rule, request.user.pk)
                start_preview(revision=drafted.pk, author=request.user.pk, now=now)
                return redirect("change", drafted.pk)
        except RuleError as error:
            # Of a model the path begins with its document; what people see here is the one rule.
            path = _STAGE.sub("$", error.path)
            form.add_error("rule", f"{path}: {error.message}")
        except QuestionError as error:
            form.add_error(error.field if error.field in form.fields else None, error.message)
        except ConflictError as error:
            form.add_error(None, str(error))
    context = {
        "form": form,
        "about": about,
        "checked": checked,
        "words": offered(of=about.of),
        "texts": rule_texts(),
        "used": list(about.used),
    }
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "pages/rule.html", context, status=status)


def _text(rule: Any) -> str:
    return json.dumps(rule, indent=2, ensure_ascii=False)


def _said(value: str | float | bool) -> str:
    return json.dumps(value) if isinstance(value, bool) else str(value)
