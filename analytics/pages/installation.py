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

from clm.lib.locales import reader_locale
from customers.models import ExchangeRate, Installation, Touchpoint
from lifecycle.configuration import FIXED_BY_TOUCHPOINTS, ConfigurationError, configure

from .asking import page
from .forms import status
from .users import zones

MOST_NEWS_HOURS, MOST_LAPSE_DAYS = 8760, 3660


def currencies() -> list[tuple[str, str]]:
    """The currencies of the world as choices."""
    locale: Locale = reader_locale()
    return [(code, f"{code} – {locale.currencies.get(code, code)}") for code in sorted(list_currencies())]


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
        max_digits=5,
        decimal_places=2,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
        help_text=gettext_lazy("What remains of revenue. Empty: value figures are of revenue."),
    )
    news_hours = forms.IntegerField(
        label=gettext_lazy("Hours a change stays news"),
        min_value=0,
        max_value=MOST_NEWS_HOURS,
        help_text=gettext_lazy("Stage changes older than that are told to nobody as news."),
    )
    currency = forms.ChoiceField(label=gettext_lazy("Reporting currency"), choices=currencies)
    time_zone = forms.ChoiceField(
        label=gettext_lazy("Business time zone"), choices=zones, help_text=gettext_lazy("Whose calendar days count.")
    )
    lapse_days = forms.IntegerField(
        label=gettext_lazy("Days without activity until a customer lapses"),
        min_value=1,
        max_value=MOST_LAPSE_DAYS,
        help_text=gettext_lazy("Rules call it L."),
    )

    def __init__(self, *arguments: Any, is_fixed: bool, **options: Any) -> None:
        super().__init__(*arguments, **options)
        for name in FIXED_BY_TOUCHPOINTS:
            self.fields[name].disabled = is_fixed


@page("installation.edit")
def installation(request: HttpRequest, *, now: datetime) -> HttpResponse:
    found, is_fixed = Installation.current(), Touchpoint.objects.exists()
    known = {name: getattr(found, name) for name in InstallationForm.base_fields}
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
