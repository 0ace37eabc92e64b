"""Campaigns: what they are, what they were to cost and what was spent on them."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analytics import sorting, spend_table
from analytics.row_pages import row_page
from analytics.spend_table import MADE_UP, Asked, SummedRow, Total
from analytics.templatetags.spend import plain_amount
from campaigns.keeping import (
    change_campaign,
    channel_key,
    create_campaign,
    delete_campaign,
    possible_budget,
    possible_key,
    possible_name,
)
from campaigns.models import Campaign, Spend
from clm.lib.periods import local_day
from clm.lib.questions import ConflictError, NotThereError, QuestionError
from customers.models import Channel, Installation

from .asking import page
from .forms import Crumb, beside, by_rule, confirm, leading_to, status
from .spend import day_field

# Those that begin last come first, and before them those of which nobody said when.
ORDER = ("-begins", "name", "pk")
STATES = {
    "running": gettext_lazy("Running"),
    "ahead": gettext_lazy("Ahead"),
    "over": gettext_lazy("Over"),
    "undated": gettext_lazy("Without dates"),
}


class CampaignForm(forms.Form):
    """A campaign; the rules are those of `campaigns.keeping`."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        validators=[by_rule(possible_name)],
        error_messages={"required": gettext_lazy("A campaign needs a name.")},
    )
    channel = forms.CharField(
        label=gettext_lazy("Channel"),
        required=False,
        validators=[by_rule(channel_key)],
        widget=forms.TextInput(attrs={"list": "channels", "autocomplete": "off", "spellcheck": "false"}),
        help_text=gettext_lazy("One word, such as search or social; a new one may be typed."),
    )
    audience = forms.ChoiceField(
        label=gettext_lazy("Audience"), required=False, help_text=gettext_lazy("The segment it is meant for.")
    )
    starts_on = day_field(gettext_lazy("First day"), required=False)
    ends_on = day_field(gettext_lazy("Last day"), required=False, help_text=gettext_lazy("Included."))
    budget = forms.DecimalField(
        label=gettext_lazy("Budget"),
        required=False,
        validators=[by_rule(possible_budget)],
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
        error_messages={"invalid": gettext_lazy("Write an amount like 1234.50, without thousands separators.")},
    )

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        audience: Any = self.fields["audience"]
        audience.choices = [("", _("Nobody in particular")), *((one.key, one.name) for one in sorting.segments())]
        reporting = Installation.current().currency
        self.fields["budget"].help_text = _("In %(currency)s.") % {"currency": reporting}

    def clean(self) -> dict[str, Any]:
        """A campaign ends after it begins."""
        told = super().clean() or self.cleaned_data
        if told.get("starts_on") and told.get("ends_on") and told["ends_on"] < told["starts_on"]:
            self.add_error("ends_on", _("A campaign ends on or after the day it starts."))
        return told

    def told(self) -> dict[str, Any]:
        """What was typed, as the acts take it."""
        return {
            key: (value or None) if key in ("channel", "audience") else value
            for key, value in self.cleaned_data.items()
        }


class NewCampaignForm(CampaignForm):
    """A new campaign has a key as well, which never changes because visits carry it."""

    key = forms.CharField(
        label=gettext_lazy("Key"),
        required=False,
        validators=[by_rule(possible_key)],
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text=gettext_lazy("What your links say as utm_campaign. Left empty, it is made of the name; it stays."),
    )
    field_order = ("name", "key")

    def told(self) -> dict[str, Any]:
        """What was typed; a key that was not is made of the name."""
        told = super().told()
        return {**told, "key": told["key"] or slugify(told["name"])[:100]}


@dataclass(frozen=True, slots=True)
class CampaignRow:
    """A campaign with what was spent on it. state: one of STATES; left: of the budget, None without one."""

    campaign: Campaign
    state: str
    total: Total | None
    is_made_up: bool

    @property
    def left(self) -> int | None:
        """What is left of the budget in minor units, below zero when more was spent."""
        budget = self.campaign.budget
        return None if budget is None else budget - (self.total.amount if self.total else 0)


@page("campaigns.view", takes=("search", "state", "channel", "cursor"))
def campaigns(request: HttpRequest, *, now: datetime) -> HttpResponse:
    today = local_day(now, Installation.current().time_zone)
    state, channel, search = (request.GET.get(key, "") for key in ("state", "channel", "search"))
    if state and state not in STATES:
        raise QuestionError("state", _("A campaign is running, ahead, over or without dates."))
    found = Campaign.objects.select_related("channel", "audience")
    for word in search.replace("\x00", "").split()[:10]:
        found = found.filter(Q(name__icontains=word) | Q(key__icontains=word))
    if channel:
        found = found.filter(channel__key=channel)
    if state:
        found = _in_state(found, state, today)
    sums = {row.key: row for row in spend_table.summed(asked=Asked(), by="campaign")}
    begins = Coalesce("starts_on", Value(date.max))
    shown = row_page(found.annotate(begins=begins), order=ORDER, cursor=request.GET.get("cursor") or None)
    rows = [_row(one, today, sums.get(one.key)) for one in shown.rows]
    return render(
        request,
        "pages/campaigns.html",
        {
            "now": now,
            "rows": rows,
            "page": shown,
            "matching": None if shown.is_whole else found.count(),
            "states": [(key, label, key == state) for key, label in STATES.items()],
            "state": state,
            "channel": channel,
            "channels": list(
                Campaign.objects.exclude(channel=None)
                .order_by("channel__key")
                .values_list("channel__key", flat=True)
                .distinct()
            ),
            "search": search,
            "any": bool(rows) or Campaign.objects.exists(),
        },
    )


@page("campaigns.view")
def campaign(request: HttpRequest, key: str, *, now: datetime) -> HttpResponse:
    found = _campaign(key)
    asked = Asked(campaign=found.key)
    months = spend_table.summed(asked=asked, by="month")
    total = spend_table.total(asked=asked)
    summed = SummedRow(found.key, found.name, None, total) if total.entries else None
    row = _row(found, local_day(now, Installation.current().time_zone), summed)
    context = {"now": now, "row": row, "campaign": found, "months": months, "crumbs": _above()}
    return render(request, "pages/campaign.html", context)


@page("campaigns.edit")
def campaign_new(request: HttpRequest, *, now: datetime) -> HttpResponse:
    form = NewCampaignForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        told = form.told()
        try:
            made = create_campaign(**told)
        except QuestionError as error:
            beside(form, error)
        except ConflictError as error:
            url = reverse("campaign", args=[told["key"]])
            form.add_error("key", leading_to(str(error), url=url, link=_("Open it")))
        else:
            messages.success(request, _("The campaign is made. Its key is “%(key)s”.") % {"key": made.key})
            return redirect("campaign", made.key)
    return _form(request, form)


@page("campaigns.edit")
def campaign_edit(request: HttpRequest, key: str, *, now: datetime) -> HttpResponse:
    found = _campaign(key)
    minor = Installation.current().minor_digits
    known = {
        "name": found.name,
        "channel": found.channel.key if found.channel else "",
        "audience": found.audience.key if found.audience else "",
        "starts_on": found.starts_on,
        "ends_on": found.ends_on,
        "budget": None if found.budget is None else plain_amount(Decimal(found.budget).scaleb(-minor)),
    }
    form = CampaignForm(request.POST or None, initial=known)
    if request.method == "POST" and form.is_valid():
        told = form.told()
        try:
            change_campaign(campaign=found, changes={name: told[name] for name in form.changed_data})
        except (QuestionError, ConflictError) as error:
            beside(form, error)
        else:
            messages.success(request, _("Saved.") if form.changed_data else _("Nothing was different."))
            return redirect("campaign", found.key)
    return _form(request, form, found)


@page("campaigns.edit")
def campaign_delete(request: HttpRequest, key: str, *, now: datetime) -> HttpResponse:
    found, error = _campaign(key), ""
    back = reverse("campaign", args=[found.key])
    if request.method == "POST":
        try:
            delete_campaign(campaign=found)
        except ConflictError as refused:
            error = str(refused)
        else:
            messages.success(request, _("The campaign is removed."))
            return redirect("campaigns")
    elif Spend.objects.filter(campaign=found).exists():
        error = _("Spend was entered for this campaign; take that back or give it to another one first.")
    return confirm(
        request,
        title=_("Remove %(name)s?") % {"name": found.name},
        consequences=[
            _("The campaign is gone from lists and forms. Nothing that customers did is touched."),
            _("Links that carry the key “%(key)s” go on working.") % {"key": found.key},
        ],
        button=_("Remove"),
        back=back,
        crumbs=[*_above(), Crumb(back, found.name)],
        error=error,
    )


def _form(request: HttpRequest, form: CampaignForm, found: Campaign | None = None) -> HttpResponse:
    back = _above() if found is None else [*_above(), Crumb(reverse("campaign", args=[found.key]), found.name)]
    channels = Channel.objects.order_by("key").values_list("key", flat=True)[:200]
    context = {"form": form, "found": found, "channels": channels, "crumbs": back, "back": back[-1].url}
    return render(request, "pages/campaign_form.html", context, status=status(form))


def _row(campaign: Campaign, today: date, summed: SummedRow | None) -> CampaignRow:
    starts, ends = campaign.starts_on, campaign.ends_on
    if starts is None and ends is None:
        state = "undated"
    elif starts is not None and starts > today:
        state = "ahead"
    else:
        state = "over" if ends is not None and ends < today else "running"
    return CampaignRow(campaign, state, summed.total if summed else None, campaign.key in MADE_UP)


def _in_state(found: QuerySet[Campaign], state: str, today: date) -> QuerySet[Campaign]:
    if state == "undated":
        return found.filter(starts_on=None, ends_on=None)
    if state == "ahead":
        return found.filter(starts_on__gt=today)
    if state == "over":
        return found.filter(ends_on__lt=today)
    begun = found.filter(Q(starts_on__lte=today) | Q(starts_on=None, ends_on__isnull=False))
    return begun.exclude(ends_on__lt=today)


def _campaign(key: str) -> Campaign:
    found = Campaign.objects.select_related("channel", "audience").filter(key=key).first()
    if found is None:
        raise NotThereError(f"there is no campaign {key}")
    return found


def _above() -> list[Crumb]:
    return [Crumb(reverse("campaigns"), _("Campaigns"))]
