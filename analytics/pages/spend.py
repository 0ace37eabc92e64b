"""What was spent on marketing: the table, entering and correcting a day, and bringing in a file after a look at it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from analytics import spend_table
from analytics.spend_table import BY, MADE_UP, NO_CAMPAIGN, Asked
from analytics.templatetags.spend import plain_amount
from campaigns.keeping import channel_key
from campaigns.models import Campaign, Spend
from campaigns.spend_file import COLUMNS, LONGEST, MOST_LINES, Checked, Line, checked, enter_lines
from campaigns.spending import change_spend, delete_spend, enter_spend, possible_amount, possible_day
from clm.lib.periods import local_day
from clm.lib.questions import ConflictError, NotThereError, QuestionError
from clm.lib.templatetags.numbers import sent_text
from customers.models import Channel, Installation
from customers.rates import known_currency

from .asking import page
from .exports import answered_file
from .forms import Crumb, beside, by_rule, confirm, leading_to, status
from .spend_cells import spend_cells

MOST_SHOWN = 200
KINDS = {"paid": True, "other": False}


def day_field(label: Any, **options: Any) -> forms.DateField:
    """A field for a calendar day."""
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    said = {"invalid": gettext_lazy("Write a day like 2026-01-31.")}
    return forms.DateField(label=label, widget=widget, error_messages=said, **options)


class FilterForm(forms.Form):
    """What the table is narrowed to; everything may be left out."""

    by = forms.ChoiceField(
        required=False,
        choices=[(key, key) for key in BY],
        widget=forms.HiddenInput,
        error_messages={"invalid_choice": gettext_lazy("The table is by entry, month, channel or campaign.")},
    )
    channel = forms.ChoiceField(label=gettext_lazy("Channel"), required=False)
    campaign = forms.ChoiceField(label=gettext_lazy("Campaign"), required=False)
    kind = forms.ChoiceField(
        label=gettext_lazy("Kind"),
        required=False,
        choices=[
            ("", gettext_lazy("Everything")),
            ("paid", gettext_lazy("Paid media")),
            ("other", gettext_lazy("Salaries and tools")),
        ],
    )
    until = day_field(gettext_lazy("Until, that day not included"), required=False)

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.fields["from"] = day_field(gettext_lazy("From"), required=False)
        self.order_fields(["by", "channel", "campaign", "kind", "from", "until"])
        channel: Any = self.fields["channel"]
        channel.choices = [("", _("All channels")), *((key, key) for key in spend_table.channels_used())]
        campaign: Any = self.fields["campaign"]
        campaign.choices = [
            ("", _("All campaigns")),
            *((one.key, one.name) for one in spend_table.campaigns_known()),
            (NO_CAMPAIGN, _("No campaign")),
        ]

    def clean(self) -> dict[str, Any]:
        """A period ends after it begins."""
        told = super().clean() or self.cleaned_data
        if told.get("from") and told.get("until") and told["until"] <= told["from"]:
            self.add_error("until", _("This day lies after the first one."))
        return told

    def asked(self) -> Asked:
        """The spend that is meant; only after `is_valid`."""
        told = self.cleaned_data
        return Asked(
            channel=told["channel"],
            campaign=told["campaign"],
            start=told["from"],
            until=told["until"],
            is_paid_media=KINDS.get(told["kind"]),
        )


class SpendForm(forms.Form):
    """What was spent on one day; the rules are those of `campaigns.spending`."""

    day = day_field(gettext_lazy("Day"))
    channel = forms.CharField(
        label=gettext_lazy("Channel"),
        validators=[by_rule(channel_key)],
        widget=forms.TextInput(attrs={"list": "channels", "autocomplete": "off", "spellcheck": "false"}),
        help_text=gettext_lazy("One word, such as search or social; a new one may be typed."),
        error_messages={"required": gettext_lazy("Say on which channel.")},
    )
    campaign = forms.ChoiceField(label=gettext_lazy("Campaign"), required=False)
    amount = forms.DecimalField(
        label=gettext_lazy("Amount"),
        validators=[by_rule(possible_amount)],
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
        error_messages={
            "required": gettext_lazy("Say how much."),
            "invalid": gettext_lazy("Write an amount like 1234.50, without thousands separators."),
        },
    )
    currency = forms.CharField(
        label=gettext_lazy("Currency"),
        validators=[by_rule(lambda text: known_currency(text.strip().upper()))],
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "maxlength": "3"}),
        help_text=gettext_lazy("Three letters. Another one than the reporting currency needs an exchange rate."),
    )
    is_paid_media = forms.BooleanField(
        label=gettext_lazy("Paid media"),
        required=False,
        help_text=gettext_lazy("Off for salaries and tools, which only blended acquisition cost counts."),
    )

    def __init__(self, *arguments: Any, today: date, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.fields["day"].error_messages["required"] = _("Say on which day.")
        self.fields["day"].validators.append(by_rule(lambda day: possible_day(day, today=today)))
        campaign: Any = self.fields["campaign"]
        campaign.choices = [("", _("No campaign")), *((one.key, one.name) for one in spend_table.campaigns_known())]

    def told(self) -> dict[str, Any]:
        """What was typed, as the acts take it."""
        told = dict(self.cleaned_data)
        return {**told, "campaign": told["campaign"] or None, "currency": told["currency"].strip().upper()}


class UploadForm(forms.Form):
    """A file, or its text; a file counts before what stands in the field."""

    file = forms.FileField(required=False)
    text = forms.CharField(
        label=gettext_lazy("Lines"),
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 10, "spellcheck": "false", "autocomplete": "off", "wrap": "off"}),
        help_text=gettext_lazy("Paste them here, or mend here what the check found."),
    )

    def said(self) -> str:
        """The text to look at; QuestionError for a file that is none."""
        told = self.cleaned_data["file"]
        if not told:
            return str(self.cleaned_data["text"] or "")
        if told.size > 4 * LONGEST:
            raise QuestionError("text", _("This file is too big; at most a million characters."))
        raw = told.read()
        try:
            return str(raw.decode("utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"))
        except UnicodeDecodeError:
            raise QuestionError(
                "text", _("This is no text in UTF-8. Save it as “CSV UTF-8”; a spreadsheet file itself is not read.")
            ) from None


@dataclass(frozen=True, slots=True)
class ShownLine:
    """A line of the check: its cells in the order of COLUMNS, each with its fault or ""; is_new_channel: nothing was
    ever stored of its channel."""

    line: Line
    cells: tuple[tuple[str, str, str], ...]
    is_new_channel: bool


@page("campaigns.view", takes=("by", "channel", "campaign", "kind", "from", "until", "cursor"))
def spend(request: HttpRequest, *, now: datetime) -> HttpResponse:
    form = FilterForm(request.GET)
    context: dict[str, Any] = {"now": now, "form": form, "any": Spend.objects.exists(), "made_up": MADE_UP}
    if not form.is_valid():
        return render(request, "pages/spend.html", {**context, "by": "entry"}, status=400)
    asked, by = form.asked(), form.cleaned_data["by"] or "entry"
    context["file_address"] = "spend_file"
    context |= {"by": by, "total": spend_table.total(asked=asked), "narrowed": asked != Asked()}
    if by == "entry":
        context["entries"] = spend_table.entries(asked=asked, page=request.GET.get("cursor") or None)
    else:
        context["rows"] = spend_table.summed(asked=asked, by=by)
    return render(request, "pages/spend.html", context)


@page("campaigns.view", takes=("by", "channel", "campaign", "kind", "from", "until", "cursor"))
def spend_file(request: HttpRequest, kind: str, *, now: datetime) -> HttpResponse:
    """What the page of spend shows, as a file: all its entries, not only those of one page."""
    asked, by = asked_spend(request.GET)
    return answered_file(kind=kind, name="spend", cells=spend_cells(asked, by))


def asked_spend(query: QueryDict) -> tuple[Asked, str]:
    """Which spend an address asks for, and one row for each of what; QuestionError for what it cannot."""
    form = FilterForm(query)
    if not form.is_valid():
        field, said = next(iter(form.errors.items()))
        raise QuestionError(field, str(said[0]))
    return form.asked(), form.cleaned_data["by"] or "entry"


@page("spend.edit", takes=("channel", "campaign"))
def spend_new(request: HttpRequest, *, now: datetime) -> HttpResponse:
    installation = Installation.current()
    initial = {
        "day": _today(now),
        "currency": installation.currency,
        "is_paid_media": True,
        "channel": request.GET.get("channel", "")[:60],
        "campaign": request.GET.get("campaign", ""),
    }
    form = SpendForm(request.POST or None, initial=initial, today=_today(now))
    if request.method == "POST" and form.is_valid():
        try:
            made = enter_spend(**form.told(), now=now)
        except QuestionError as error:
            beside(form, error)
        except ConflictError as error:
            form.add_error(None, _leading_to_same(error, form))
        else:
            messages.success(request, _("It is entered, and figures count it from now on."))
            return redirect(f"{reverse('spend')}?channel={made.channel.key}")
    return _form(request, form)


@page("spend.edit")
def spend_edit(request: HttpRequest, spend_id: int, *, now: datetime) -> HttpResponse:
    found = _spend(spend_id)
    initial = {
        "day": found.day,
        "channel": found.channel.key,
        "campaign": found.campaign.key if found.campaign else "",
        "amount": plain_amount(found.original_amount),
        "currency": found.currency,
        "is_paid_media": found.is_paid_media,
    }
    form = SpendForm(request.POST or None, initial=initial, today=_today(now))
    if request.method == "POST" and form.is_valid():
        told = form.told()
        try:
            change_spend(spend=found, changes={key: told[key] for key in form.changed_data}, now=now)
        except QuestionError as error:
            beside(form, error)
        except ConflictError as error:
            form.add_error(None, _leading_to_same(error, form, other_than=found.pk))
        else:
            said = _("Saved, and figures count it from now on.") if form.changed_data else _("Nothing was different.")
            messages.success(request, said)
            return redirect(f"{reverse('spend')}?channel={told['channel'].strip().lower()}")
    return _form(request, form, found)


@page("spend.edit")
def spend_delete(request: HttpRequest, spend_id: int, *, now: datetime) -> HttpResponse:
    found = _spend(spend_id)
    if request.method == "POST":
        delete_spend(spend=found)
        messages.success(request, _("The entry is taken back."))
        return redirect("spend")
    back = reverse("spend_edit", args=[found.pk])
    amount = sent_text(found.original_amount, found.currency)
    return confirm(
        request,
        title=_("Take back what was spent on %(channel)s on %(day)s?")
        % {"channel": found.channel.key, "day": f"{found.day:%-d %b %Y}"},
        consequences=[
            _("%(amount)s less are counted in every figure of cost that touches this day.") % {"amount": amount},
            _("It can be entered again."),
        ],
        button=_("Take it back"),
        back=back,
        crumbs=[*_above(), Crumb(back, _("Correct an entry"))],
    )


@page("spend.edit")
def spend_upload(request: HttpRequest, *, now: datetime) -> HttpResponse:
    """Look at a file first; then, when no line is faulty, enter all of it."""
    form, found = UploadForm(request.POST or None, request.FILES or None), None
    if request.method == "POST" and form.is_valid():
        try:
            text = form.said()
            form = UploadForm({"text": text})
            form.is_valid()
            found = checked(text=text, now=now)
            if request.POST.get("enter") and not found.count("faulty"):
                new, changed = enter_lines(text=text, now=now)
                messages.success(request, _entered(new, changed))
                return redirect("spend")
        except QuestionError as error:
            beside(form, error)
    context = {
        "now": now,
        "form": form,
        "checked": found,
        "shown": _shown(found) if found else (),
        "new_channels": list(found.new_channels.items()) if found else [],
        "columns": COLUMNS,
        "most_lines": MOST_LINES,
        "crumbs": _above(),
        "example": _example(now),
    }
    wrong = form.is_bound and bool(form.errors)
    return render(request, "pages/spend_upload.html", context, status=422 if wrong else 200)


def _form(request: HttpRequest, form: SpendForm, found: Spend | None = None) -> HttpResponse:
    context = {
        "form": form,
        "found": found,
        "channels": Channel.objects.order_by("key").values_list("key", flat=True)[:200],
        "crumbs": _above(),
        "is_made_up": found is not None and found.campaign is not None and found.campaign.key in MADE_UP,
    }
    return render(request, "pages/spend_form.html", context, status=status(form))


def _leading_to_same(error: ConflictError, form: SpendForm, *, other_than: int | None = None) -> str:
    """The conflict, with a link to the entry it is about."""
    told = form.told()
    same = Spend.objects.filter(
        channel__key=told["channel"].strip().lower(),
        campaign__key=told["campaign"],
        day=told["day"],
        currency=told["currency"],
        is_paid_media=told["is_paid_media"],
    )
    if other_than is not None:
        same = same.exclude(pk=other_than)
    number = same.values_list("pk", flat=True).first()
    if number is None:
        return str(error)
    return leading_to(str(error), url=reverse("spend_edit", args=[number]), link=_("Open that entry"))


def _shown(found: Checked) -> Sequence[ShownLine]:
    """The lines to look at: the faulty ones first, and then the others, as many as a page holds."""
    ordered = sorted(found.lines, key=lambda line: line.does != "faulty")[:MOST_SHOWN]
    return [
        ShownLine(
            line,
            tuple((name, line.cells.get(name, ""), line.faults.get(name, "")) for name in COLUMNS),
            line.entry is not None and line.entry.channel in found.new_channels,
        )
        for line in ordered
    ]


def _entered(new: int, changed: int) -> str:
    if not new and not changed:
        return _("Everything in it was known already; nothing changed.")
    said = ngettext("%(count)d entry is new", "%(count)d entries are new", new) % {"count": new}
    also = ngettext("%(count)d was corrected", "%(count)d were corrected", changed) % {"count": changed}
    return f"{said}, {also}."


def _example(now: datetime) -> str:
    """A small file that could be entered as it stands."""
    installation = Installation.current()
    day = _today(now).replace(day=1)
    campaign = Campaign.objects.exclude(key__in=MADE_UP).order_by("key").values_list("key", flat=True).first() or ""
    return (
        f"{','.join(COLUMNS)}\n{day},search,120.50,{campaign},{installation.currency},yes\n"
        f"{day},team,3000,,{installation.currency},no\n"
    )


def _today(now: datetime) -> date:
    return local_day(now, Installation.current().time_zone)


def _spend(number: int) -> Spend:
    found = Spend.objects.select_related("channel", "campaign").filter(pk=number).first()
    if found is None:
        raise NotThereError(f"there is no entry {number}")
    return found


def _above() -> list[Crumb]:
    return [Crumb(reverse("spend"), _("Spend"))]
