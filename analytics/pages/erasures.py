"""Erasing a customer, what became of it, and letting in again who comes back."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analytics import customer_record as record
from analytics.customer_figures import names_of
from analytics.forgetting import forget_the_erased
from analytics.row_pages import row_page
from clm.lib.access.models import User
from clm.lib.questions import ConflictError, QuestionError
from customers.erase import work_on_erasures
from customers.erased import readmit
from customers.models import ErasedIdentifier, Erasure
from lifecycle.advance import advance_customers
from lifecycle.erase import erase

from .asking import page
from .forms import Crumb, beside, status

# Whoever erased somebody sees the end of it, if it comes this soon.
PATIENCE_SECONDS = 2.0
KINDS = [
    ("email", gettext_lazy("E-mail address")),
    ("phone", gettext_lazy("Telephone number")),
    ("user_id", gettext_lazy("User id")),
    ("anonymous_id", gettext_lazy("Anonymous id")),
    ("external_id", gettext_lazy("External id")),
]


class EraseForm(forms.Form):
    """The number of the customer, typed again by whoever means it."""

    number = forms.CharField(
        label=gettext_lazy("Type the number of this customer"),
        max_length=30,
        widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "numeric"}),
        error_messages={"required": gettext_lazy("Type the number, so that nobody is erased by accident.")},
    )

    def __init__(self, *args: Any, customer: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.customer = customer

    def clean_number(self) -> str:
        """The number, with or without its sign."""
        typed: str = self.cleaned_data["number"].strip().removeprefix("#")
        if typed != str(self.customer):
            raise forms.ValidationError(_("This is another number; this customer is #%d.") % self.customer)
        return typed


class ReadmitForm(forms.Form):
    """An identifier whose person has come back."""

    kind = forms.ChoiceField(label=gettext_lazy("What it is"), choices=KINDS)
    value = forms.CharField(
        label=gettext_lazy("The identifier"),
        max_length=512,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": gettext_lazy("Say which identifier it is.")},
    )


@page("customers.erase", takes=("cursor",))
def erasures(request: HttpRequest, *, now: Any) -> HttpResponse:
    """Who was erased, by number alone; and the form that lets somebody in again."""
    form = ReadmitForm(request.POST or None)
    if form.is_bound and form.is_valid():
        try:
            was_erased = readmit(**form.cleaned_data)
        except QuestionError as error:
            beside(form, error)
        else:
            if was_erased:
                messages.success(request, _("It is let in again: what names it from now on is stored."))
            else:
                messages.info(request, _("Nobody asked us to forget this one; nothing had to be done."))
            return redirect("erasures")
    every = Erasure.objects.select_related("author")
    found = row_page(every, order=("-pk",), cursor=request.GET.get("cursor") or None)
    context = {
        "now": now,
        "form": form,
        "rows": found.rows,
        "next_cursor": found.next_cursor,
        "previous_cursor": found.previous_cursor,
        "met": ErasedIdentifier.objects.filter(met__gt=0).count(),
    }
    return render(request, "pages/erasures.html", context, status=status(form))


@page("customers.erase")
def customer_erase(request: HttpRequest, customer_id: int, *, now: Any) -> HttpResponse:
    found, survivor = record.found_customer(customer_id)
    if survivor is not None:
        return redirect("customer_erase", survivor)
    known_as = names_of([found])[found.pk]
    form = EraseForm(request.POST or None, customer=found.pk)
    if form.is_bound and form.is_valid():
        try:
            erase(customer=found.pk, now=now, author=request.user.pk if isinstance(request.user, User) else None)
        except ConflictError as error:
            form.add_error(None, str(error))
        else:
            work_on_erasures(seconds=PATIENCE_SECONDS)
            forget_the_erased()
            advance_customers(customers=[found.pk])
            messages.success(request, _("Customer #%d is erased.") % found.pk)
            return redirect("customer", found.pk)
    profiles = record.profiles_of(customer=found.pk)
    context = {
        "now": now,
        "form": form,
        "customer": found,
        "known_as": known_as,
        "head": record.customer_head(customer=found, profiles=profiles, memberships=()),
        "identities": record.identities(profiles=profiles),
        "merged_from": record.merged_from(customer=found.pk),
        "crumbs": [Crumb(reverse("customers"), _("Customers")), Crumb(reverse("customer", args=[found.pk]), known_as)],
    }
    return render(request, "pages/erase.html", context, status=status(form))
