"""Exchange rates: what one unit of a currency is worth in the reporting currency, from a day on; bringing in a file of
them."""

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from analytics.row_pages import row_page
from clm.lib.periods import local_day
from clm.lib.questions import NotThereError, QuestionError
from clm.lib.templatetags.numbers import number
from customers.conversions import ask_to_convert
from customers.models import Conversion, ExchangeRate, Installation
from customers.rate_file import MOST_RATES, checked, enter_lines
from customers.rates import (
    comma_said,
    enter_rate,
    last_day,
    other_currency,
    possible_day,
    possible_rate,
    remove_rate,
)

from .asking import page
from .forms import Crumb, beside, by_rule, confirm, status
from .progress import Job
from .spend import UploadForm, day_field

MOST, MOST_JOBS = 200, 20
ORDER = ("currency", "-day", "pk")


class RatesUploadForm(UploadForm):
    """A file of rates, or its text."""

    inverse = forms.BooleanField(
        label=gettext_lazy("The file says how much of the other currency one unit of the reporting currency buys"),
        required=False,
        help_text=gettext_lazy("As central banks publish it; each rate is then turned round."),
    )


class RateField(forms.DecimalField):
    """A rate as it is written; one with a comma is told how."""

    def to_python(self, value: Any) -> Any:
        """The number; ValidationError for what is none."""
        if isinstance(value, str) and (said := comma_said(value)):
            raise forms.ValidationError(said)
        return super().to_python(value)


class RateForm(forms.Form):
    """A rate from a day on; the rules are those of `customers.rates`."""

    currency = forms.CharField(
        label=gettext_lazy("Currency"),
        validators=[by_rule(lambda text: other_currency(text.strip().upper()))],
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "maxlength": "3"}),
        help_text=gettext_lazy("Three letters, such as EUR."),
        error_messages={"required": gettext_lazy("Say which currency.")},
    )
    day = day_field(
        gettext_lazy("From day"),
        help_text=gettext_lazy("It holds until the next day with a rate."),
        validators=[by_rule(lambda day: possible_day(day, last=last_day()))],
    )
    rate = RateField(
        label=gettext_lazy("One unit is worth"),
        validators=[by_rule(possible_rate)],
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
        error_messages={
            "required": gettext_lazy("Say what one unit is worth."),
            "invalid": gettext_lazy("Write a rate like 0.8571."),
        },
    )

    def __init__(self, *arguments: Any, reporting: str, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.fields["rate"].help_text = _("In %(currency)s, the reporting currency.") % {"currency": reporting}
        self.fields["day"].error_messages["required"] = _("Say from which day on.")


@page("rates.edit", takes=("currency", "day", "cursor"))
def rates(request: HttpRequest, *, now: datetime) -> HttpResponse:
    installation = Installation.current()
    chosen = request.GET.get("currency", "")
    day = request.GET.get("day", "")[:10] or local_day(now, installation.time_zone)
    initial = {"day": day, "currency": chosen[:3]}
    form = RateForm(request.POST or None, reporting=installation.currency, initial=initial)
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data
        currency = told["currency"].strip().upper()
        try:
            rate, is_new = enter_rate(currency=currency, day=told["day"], rate=told["rate"], source=str(request.user))
        except QuestionError as error:
            beside(form, error)
        else:
            said = _("The rate is entered.") if is_new else _("The rate of that day is replaced.")
            messages.success(request, said)
            ask_to_convert(currencies=[currency], author=request.user.pk, now=now)
            return redirect(f"{reverse('rates')}?currency={rate.currency}")
    found = ExchangeRate.objects.filter(**({"currency": chosen} if chosen else {}))
    shown = row_page(found, order=ORDER, cursor=request.GET.get("cursor") or None)
    context = {
        "now": now,
        "form": form,
        "rows": shown.rows,
        "page": shown,
        "matching": None if shown.is_whole else found.count(),
        "currencies": list(ExchangeRate.objects.order_by("currency").values_list("currency", flat=True).distinct()),
        "chosen": chosen,
        "installation": installation,
        "jobs": jobs(),
    }
    return render(request, "pages/rates.html", context, status=status(form))


@page("rates.edit")
def rates_upload(request: HttpRequest, *, now: datetime) -> HttpResponse:
    """Look at a file first; then, when no line is faulty, enter all of it."""
    form, found = RatesUploadForm(request.POST or None, request.FILES or None), None
    if request.method == "POST" and form.is_valid():
        try:
            told = {"text": form.said(), "inverse": form.cleaned_data["inverse"]}
            form = RatesUploadForm(told)
            form.is_valid()
            found = checked(**told)
            if request.POST.get("enter") and not found.count("faulty"):
                new, changed, currencies = enter_lines(**told, source=str(request.user))
                ask_to_convert(currencies=currencies, author=request.user.pk, now=now)
                messages.success(request, _entered(new, changed))
                return redirect("rates")
        except QuestionError as error:
            beside(form, error)
    lines = sorted(found.lines, key=lambda line: line.does != "faulty")[:MOST] if found else []
    context = {
        "now": now,
        "form": form,
        "checked": found,
        "counts": {does: found.count(does) for does in ("new", "changes", "same", "faulty")} if found else {},
        "shown": lines,
        "more": len(found.lines) - len(lines) if found else 0,
        "most_rates": MOST_RATES,
        "crumbs": [Crumb(reverse("rates"), _("Exchange rates"))],
        "installation": Installation.current(),
        "example": "currency,day,rate\nUSD,2026-01-01,0.8512\nGBP,2026-01-01,1.1467\n",
        "wide_example": "day,USD,GBP\n2026-01-01,0.8512,1.1467\n2026-01-02,0.8530,1.1471\n",
    }
    wrong = form.is_bound and bool(form.errors)
    return render(request, "pages/rates_upload.html", context, status=422 if wrong else 200)


@page("rates.edit")
def rates_job(request: HttpRequest, conversion_id: int, *, now: datetime) -> HttpResponse:
    """How far a conversion is."""
    found = Conversion.objects.filter(pk=conversion_id).first()
    if found is None:
        raise NotThereError(f"there is no conversion {conversion_id}")
    return render(request, "parts/progress.html", {"job": job_of(found)})


def jobs() -> list[Job]:
    """The conversions that are under way, and those that failed."""
    return [job_of(one) for one in Conversion.objects.filter(finished_at=None).order_by("-pk")[:MOST_JOBS]]


def job_of(found: Conversion) -> Job:
    note = _("You may leave this page; it goes on by itself.")
    if found.failed_at is not None:
        note = _("It failed (%(error)s). Entering a rate of this currency begins it anew.") % {"error": found.error}
    elif found.finished_at is not None:
        note = ngettext("%(number)s has an amount now.", "%(number)s have an amount now.", found.converted)
        note %= {"number": number(found.converted)}
    return Job(
        id=f"conversion-{found.pk}",
        title=_("Converting what is stored in %(currency)s") % {"currency": found.currency},
        state="failed" if found.failed_at else "done" if found.finished_at else "running",
        done=min(found.looked_at, found.total),
        total=found.total,
        unit=_("touchpoints"),
        note=note,
        url=reverse("rates_job", args=[found.pk]),
    )


def _entered(new: int, changed: int) -> str:
    if not new and not changed:
        return _("Everything in it was known already; nothing changed.")
    said = ngettext("%(count)s rate is new", "%(count)s rates are new", new) % {"count": number(new)}
    also = ngettext("%(count)s was replaced", "%(count)s were replaced", changed) % {"count": number(changed)}
    return f"{said}, {also}."


@page("rates.edit")
def rate_delete(request: HttpRequest, rate_id: int, *, now: datetime) -> HttpResponse:
    found = ExchangeRate.objects.filter(pk=rate_id).first()
    if found is None:
        raise NotThereError(f"there is no rate {rate_id}")
    if request.method == "POST":
        remove_rate(rate=found)
        messages.success(request, _("The rate is removed."))
        return redirect("rates")
    before = ExchangeRate.objects.filter(currency=found.currency, day__lt=found.day).order_by("-day").first()
    following = (
        _("From then on the rate of %(day)s counts: %(rate)s.")
        % {"day": f"{before.day:%-d %b %Y}", "rate": f"{before.rate.normalize():f}"}
        if before
        else _("Amounts in %(currency)s on days before the next rate can no longer be entered or brought in.")
        % {"currency": found.currency}
    )
    return confirm(
        request,
        title=_("Remove the rate of %(currency)s from %(day)s?")
        % {"currency": found.currency, "day": f"{found.day:%-d %b %Y}"},
        consequences=[following, _("What is stored keeps the rate it was converted by.")],
        button=_("Remove"),
        back=reverse("rates"),
        crumbs=[Crumb(reverse("rates"), _("Exchange rates"))],
    )
