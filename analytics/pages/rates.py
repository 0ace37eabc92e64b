"""Exchange rates: what one unit of a currency is worth in the reporting currency, from a day on."""

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clm.lib.periods import local_day
from clm.lib.questions import NotThereError, QuestionError
from customers.models import ExchangeRate, Installation
from customers.rates import enter_rate, other_currency, possible_rate, remove_rate

from .asking import page
from .forms import Crumb, beside, by_rule, confirm, status
from .spend import day_field

MOST = 200


class RateForm(forms.Form):
    """A rate from a day on; the rules are those of `customers.rates`."""

    currency = forms.CharField(
        label=gettext_lazy("Currency"),
        validators=[by_rule(lambda text: other_currency(text.strip().upper()))],
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "maxlength": "3"}),
        help_text=gettext_lazy("Three letters, such as EUR."),
        error_messages={"required": gettext_lazy("Say which currency.")},
    )
    day = day_field(gettext_lazy("From day"), help_text=gettext_lazy("It holds until the next day with a rate."))
    rate = forms.DecimalField(
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


@page("rates.edit", takes=("currency",))
def rates(request: HttpRequest, *, now: datetime) -> HttpResponse:
    installation = Installation.current()
    chosen = request.GET.get("currency", "")
    initial = {"day": local_day(now, installation.time_zone), "currency": chosen[:3]}
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
            return redirect(f"{reverse('rates')}?currency={rate.currency}")
    found = ExchangeRate.objects.filter(**({"currency": chosen} if chosen else {})).order_by("currency", "-day")
    rows = list(found[: MOST + 1])
    context = {
        "now": now,
        "form": form,
        "rows": rows[:MOST],
        "most": MOST if len(rows) > MOST else None,
        "currencies": list(ExchangeRate.objects.order_by("currency").values_list("currency", flat=True).distinct()),
        "chosen": chosen,
        "installation": installation,
    }
    return render(request, "pages/rates.html", context, status=status(form))


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
