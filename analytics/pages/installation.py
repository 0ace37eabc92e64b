"""The installation's settings: what it is called, what it counts in, and what a change would do to the numbers."""

from datetime import datetime
from typing import Any

from babel import Locale
from babel.numbers import list_currencies
from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clm.lib.business_hours import is_clock
from clm.lib.locales import reader_locale
from customers.models import ExchangeRate, Installation, Touchpoint
from lifecycle.configuration import FIXED_BY_TOUCHPOINTS, ConfigurationError, configure

from .asking import page
from .forms import LIMITS, status
from .users import zones

WEEKDAYS = {
    1: gettext_lazy("Monday"),
    2: gettext_lazy("Tuesday"),
    3: gettext_lazy("Wednesday"),
    4: gettext_lazy("Thursday"),
    5: gettext_lazy("Friday"),
    6: gettext_lazy("Saturday"),
    7: gettext_lazy("Sunday"),
}
MOST_NEWS_HOURS, MOST_LAPSE_DAYS = 8760, 3660


def currencies() -> list[tuple[str, str]]:
    """The currencies of the world as choices."""
    locale: Locale = reader_locale()
    return [(code, f"{code} – {locale.currencies.get(code, code)}") for code in sorted(list_currencies())]


def _clock(text: str) -> None:
    if not is_clock(text):
        raise forms.ValidationError(_("Write a time of the day like 09:00."))


def _clock_below_24(text: str) -> None:
    _clock(text)
    if text == "24:00":
        raise forms.ValidationError(_("Write the beginning of the day as 00:00."))


class InstallationForm(forms.Form):
    """Everything that `configure` takes; what stored touchpoints have fixed is shown and cannot be typed."""

    name = forms.CharField(
        label=gettext_lazy("Organisation"),
        max_length=100,
        help_text=gettext_lazy("Invitations by mail say it."),
        error_messages={"required": gettext_lazy("Say how your organisation is called.")},
    )
    margin_percent = forms.DecimalField(
        label=gettext_lazy("Gross margin, percent"),
        required=False,
        min_value=0,
        max_value=100,
        error_messages=LIMITS,
        max_digits=5,
        decimal_places=2,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
        help_text=gettext_lazy("What remains of revenue. Empty: value figures are of revenue."),
    )
    news_hours = forms.IntegerField(
        label=gettext_lazy("Hours a change stays news"),
        min_value=0,
        max_value=MOST_NEWS_HOURS,
        error_messages=LIMITS,
        help_text=gettext_lazy("Stage changes older than that are told to nobody as news."),
    )
    support_days = forms.MultipleChoiceField(
        label=gettext_lazy("Days on which support works"),
        choices=[(str(number), name) for number, name in WEEKDAYS.items()],
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("For waiting times in business hours."),
        error_messages={"required": gettext_lazy("Choose at least one day.")},
    )
    support_opens = forms.CharField(
        label=gettext_lazy("Support begins at"),
        validators=[_clock_below_24],
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off", "maxlength": "5"}),
        help_text=gettext_lazy("In the business time zone, like 09:00."),
    )
    support_closes = forms.CharField(
        label=gettext_lazy("Support ends at"),
        validators=[_clock],
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off", "maxlength": "5"}),
        help_text=gettext_lazy("Like 17:00; 24:00 is the end of the day."),
    )
    currency = forms.ChoiceField(label=gettext_lazy("Reporting currency"), choices=currencies)
    time_zone = forms.ChoiceField(
        label=gettext_lazy("Business time zone"), choices=zones, help_text=gettext_lazy("Whose calendar days count.")
    )
    lapse_days = forms.IntegerField(
        label=gettext_lazy("Days without activity until a customer lapses"),
        min_value=1,
        max_value=MOST_LAPSE_DAYS,
        error_messages=LIMITS,
        help_text=gettext_lazy("Rules call it L."),
    )

    def __init__(self, *arguments: Any, is_fixed: bool, **options: Any) -> None:
        super().__init__(*arguments, **options)
        for name in FIXED_BY_TOUCHPOINTS:
            self.fields[name].disabled = is_fixed

    def clean_support_days(self) -> str:
        """As they are kept: digits in their order."""
        return "".join(sorted(self.cleaned_data["support_days"]))

    def clean(self) -> dict[str, Any]:
        """Support begins before it ends."""
        told = super().clean() or self.cleaned_data
        if told.get("support_opens", "") >= told.get("support_closes", "~"):
            self.add_error("support_closes", _("Support ends after it begins."))
        return told


@page("installation.edit")
def installation(request: HttpRequest, *, now: datetime) -> HttpResponse:
    found, is_fixed = Installation.current(), Touchpoint.objects.exists()
    known = {name: getattr(found, name) for name in InstallationForm.base_fields}
    known["support_days"] = list(found.support_days)
    form = InstallationForm(request.POST or None, initial=known, is_fixed=is_fixed)
    if request.method == "POST" and form.is_valid():
        try:
            configure(changes={name: form.cleaned_data[name] for name in form.changed_data}, now=now)
        except ConfigurationError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("Saved.") if form.changed_data else _("Nothing was different."))
            return redirect("installation")
    context = {
        "now": now,
        "form": form,
        "is_fixed": is_fixed,
        "has_rates": ExchangeRate.objects.exists(),
        "open_fields": [form[name] for name in form.fields if name not in FIXED_BY_TOUCHPOINTS],
        "fixed_fields": [form[name] for name in FIXED_BY_TOUCHPOINTS],
    }
    return render(request, "pages/installation.html", context, status=status(form))
