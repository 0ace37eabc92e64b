"""The forms that plan an experiment and change its draft, as marketers say it."""

from typing import Any

from django import forms
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analytics import sorting
from analytics.experiments.planning import customers_for_rates
from analytics.experiments.results import metric_label
from campaigns.experiments import MOST_PLANNED, TAU_OF_MONEY, TAU_OF_SHARES
from campaigns.models import Experiment
from clm.lib.questions import QuestionError

from .forms import LIMITS

_WHOLE = {"inputmode": "numeric", "autocomplete": "off"}
_DECIMAL = {"inputmode": "decimal", "autocomplete": "off"}
MEASURING = ("conversion_days", "revenue_days", "goal", "goal_days", "mode", "tau", "tau_money")


def _days(*, label: Any, help_text: Any = "") -> forms.IntegerField:
    """Within how many days something counts."""
    return forms.IntegerField(
        label=label,
        required=False,
        min_value=1,
        max_value=365,
        error_messages=LIMITS,
        widget=forms.TextInput(attrs=_WHOLE),
        help_text=help_text,
    )


class ExperimentForm(forms.Form):
    """A draft, as marketers say it; the rules are those of `campaigns.experiments`."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=200,
        error_messages={"required": gettext_lazy("An experiment needs a name.")},
    )
    key = forms.SlugField(
        label=gettext_lazy("Key"),
        required=False,
        max_length=60,
        help_text=gettext_lazy("Left empty, it is made of the name; it stays."),
    )
    hypothesis = forms.CharField(
        label=gettext_lazy("What you expect, and why"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    audience = forms.ChoiceField(
        label=gettext_lazy("Who takes part"),
        required=False,
        help_text=gettext_lazy("Whoever it holds when the experiment starts."),
    )
    variants = forms.CharField(
        label=gettext_lazy("Variants"),
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
        help_text=gettext_lazy("One a line with its weight, the control first: control 50"),
        error_messages={"required": gettext_lazy("Name at least two variants, the control first.")},
    )
    conversion_days = _days(
        label=gettext_lazy("Ordered within days"),
        help_text=gettext_lazy("The share of customers with an order. Empty: not asked."),
    )
    revenue_days = _days(
        label=gettext_lazy("Net revenue within days"),
        help_text=gettext_lazy("Per customer, those who buy nothing included. Empty: not asked."),
    )
    goal = forms.ChoiceField(label=gettext_lazy("Reached"), required=False)
    goal_days = _days(label=gettext_lazy("Reached within days"))
    mode = forms.ChoiceField(
        label=gettext_lazy("When it is judged"), choices=Experiment.Mode.choices, widget=forms.RadioSelect
    )
    tau = forms.FloatField(
        label=gettext_lazy("Difference of shares that would matter, in points"),
        required=False,
        min_value=TAU_OF_SHARES[0] * 100,
        max_value=TAU_OF_SHARES[1] * 100,
        error_messages=LIMITS,
        widget=forms.TextInput(attrs=_DECIMAL),
        help_text=gettext_lazy("Peek-safe only (tau): 1 is from 10 % to 11 %."),
    )
    tau_money = forms.FloatField(
        label=gettext_lazy("Difference of revenue per customer that would matter"),
        required=False,
        min_value=TAU_OF_MONEY[0],
        max_value=TAU_OF_MONEY[1],
        error_messages=LIMITS,
        widget=forms.TextInput(attrs=_DECIMAL),
        help_text=gettext_lazy("Peek-safe only (tau), in the reporting currency."),
    )
    planned = forms.IntegerField(
        label=gettext_lazy("Customers planned, in all variants together"),
        required=False,
        min_value=2,
        max_value=MOST_PLANNED,
        error_messages=LIMITS,
        widget=forms.TextInput(attrs=_WHOLE),
        help_text=gettext_lazy("Left empty, it is worked out from the next two."),
    )
    baseline = forms.FloatField(
        label=gettext_lazy("Share that orders today, percent"), required=False, widget=forms.TextInput(attrs=_DECIMAL)
    )
    lift = forms.FloatField(
        label=gettext_lazy("Smallest relative lift worth finding, percent"),
        required=False,
        widget=forms.TextInput(attrs=_DECIMAL),
        help_text=gettext_lazy("Found in four of five experiments in which it is there."),
    )

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        segments = sorting.live_segments()
        audience: Any = self.fields["audience"]
        audience.choices = [("", _("Everybody")), *((one.key, one.name) for one in segments)]
        goal: Any = self.fields["goal"]
        stages = [
            (f"{model.key}:{stage.key}", f"{model.name}: {stage.name}")
            for model in sorting.live_models()
            for stage in model.stages.values()
        ]
        goal.choices = [
            ("", _("Not asked")),
            (_("Stages"), stages),
            (_("Segments"), [(f":{one.key}", one.name) for one in segments]),
        ]

    def clean_variants(self) -> list[tuple[str, int]]:
        """Lines as keys and weights."""
        found = []
        for line in self.cleaned_data["variants"].splitlines():
            words = line.replace(":", " ").split()
            if not words:
                continue
            if len(words) > 2 or (len(words) == 2 and not (words[1].isascii() and words[1].isdigit())):
                raise forms.ValidationError(_("Write each line like: control 50"))
            found.append((words[0].lower(), int(words[1][:6]) if len(words) == 2 else 1))
        return found

    def clean(self) -> dict[str, Any]:
        """The planned number, given or worked out."""
        told = super().clean() or self.cleaned_data
        if told.get("goal") and not told.get("goal_days") and "goal_days" not in self.errors:
            self.add_error("goal_days", _("Say within how many days."))
        if told.get("mode") == Experiment.Mode.PEEK_SAFE:
            stated = {
                "tau": told.get("conversion_days") or told.get("goal"),
                "tau_money": told.get("revenue_days"),
            }
            for name, is_asked in stated.items():
                if is_asked and told.get(name) is None and name not in self.errors:
                    self.add_error(name, _("A peek-safe experiment states which difference would matter."))
        if not told.get("planned") and "planned" not in self.errors:
            baseline, lift = told.get("baseline"), told.get("lift")
            if baseline is None or lift is None:
                self.add_error("planned", _("Say how many, or fill in the next two."))
                return told
            try:
                each = customers_for_rates(baseline=baseline / 100, lift=lift / 100)
            except ValueError:
                self.add_error("baseline", _("The share, and the share after the lift, lie between 0 and 100 %."))
            else:
                told["planned"] = each * max(2, len(told.get("variants") or ()))
        return told

    def refuse(self, error: QuestionError) -> None:
        """Say each fault beside its field."""
        for one in error.errors:
            name = "conversion_days" if one.field == "metrics" else one.field
            self.add_error(name if name in self.fields else None, one.message)

    def told(self) -> dict[str, Any]:
        """What was typed, as the act takes it."""
        typed = self.cleaned_data
        return {
            "key": typed["key"] or slugify(typed["name"])[:60],
            "name": typed["name"],
            "hypothesis": typed["hypothesis"],
            "audience": typed["audience"] or None,
            "variants": typed["variants"],
            "metrics": self._metrics(),
            "mode": typed["mode"],
            "planned": typed["planned"],
        }

    def _metrics(self) -> list[dict[str, Any]]:
        typed = self.cleaned_data
        peeks = typed["mode"] == Experiment.Mode.PEEK_SAFE
        share = {"tau": (typed["tau"] or 0) / 100} if peeks else {}
        money = {"tau": typed["tau_money"]} if peeks else {}
        metrics: list[dict[str, Any]] = []
        if typed["conversion_days"]:
            metrics.append({"kind": "conversion", "days": typed["conversion_days"], **share})
        if typed["revenue_days"]:
            metrics.append({"kind": "revenue", "days": typed["revenue_days"], **money})
        if typed["goal"]:
            model, _colon, stage = typed["goal"].partition(":")
            goal = {"model": model, "stage": stage} if model else {"segment": stage}
            metrics.append({"kind": "reached", "days": typed["goal_days"], **goal, **share})
        return metrics


class DraftForm(ExperimentForm):
    """The same over a draft, whose key stays. A draft may ask what this form has no fields for (two horizons of one
    kind, say): then what it measures stays as it is, and the form says so."""

    def __init__(self, *arguments: Any, draft: Experiment, **options: Any) -> None:
        self.draft = draft
        measured = _as_fields(draft)
        super().__init__(*arguments, initial={**_as_typed(draft), **(measured or {})}, **options)
        del self.fields["key"]
        self.left_alone: list[str] = []
        if measured is None:
            self.left_alone = [metric_label(one) for one in draft.metrics]
            for name in MEASURING:
                del self.fields[name]

    def told(self) -> dict[str, Any]:
        typed = self.cleaned_data
        measured = {"metrics": self.draft.metrics, "mode": self.draft.mode}
        if not self.left_alone:
            measured = {"metrics": self._metrics(), "mode": typed["mode"]}
        asked = {name: typed[name] for name in ("name", "hypothesis", "variants", "planned")}
        return {**asked, "audience": typed["audience"] or None, **measured}


def _as_typed(draft: Experiment) -> dict[str, Any]:
    """What a draft asks, but for what it measures, as somebody would type it."""
    return {
        "name": draft.name,
        "hypothesis": draft.hypothesis,
        "audience": draft.audience.key if draft.audience is not None else "",
        "variants": "\n".join(f"{one.key} {one.weight}" for one in draft.variants.all()),
        "planned": draft.planned,
    }


def _as_fields(draft: Experiment) -> dict[str, Any] | None:
    """What a draft measures as somebody would type it; None where the form has no fields for it: two metrics of one
    kind, or shares with two taus."""
    kinds = [one["kind"] for one in draft.metrics]
    shares = {one.get("tau") for one in draft.metrics if one["kind"] != "revenue"}
    if len(set(kinds)) < len(kinds) or len(shares) > 1:
        return None
    typed: dict[str, Any] = {"mode": draft.mode}
    for one in draft.metrics:
        if one["kind"] == "reached":
            typed["goal"] = f":{one['segment']}" if "segment" in one else f"{one['model']}:{one['stage']}"
            typed["goal_days"] = one["days"]
        else:
            typed[f"{one['kind']}_days"] = one["days"]
        if "tau" in one:
            # As percent: 0.07 becomes 7.0 and not 7.000000000000001.
            typed |= {"tau_money": one["tau"]} if one["kind"] == "revenue" else {"tau": round(one["tau"] * 100, 9)}
    return typed
