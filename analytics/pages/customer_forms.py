"""Creating and editing a customer, and logging a call or a note: forms, and the views that act on them."""

import uuid
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analytics import customer_record as record
from analytics.customer_figures import names_of
from clm.lib.questions import QuestionError
from customers.keeping import create_customer, edit_customer, external_id_of, log_touchpoint, past
from customers.models import Customer
from lifecycle.advance import advance_customers

from .asking import page
from .forms import beside, status


class CustomerForm(forms.Form):
    """What people know of a customer by name. The rules for each value are those of `customers.keeping`."""

    name = forms.CharField(label=gettext_lazy("Name"), required=False)
    email = forms.CharField(
        label=gettext_lazy("E-mail"), required=False, widget=forms.EmailInput(attrs={"autocomplete": "off"})
    )
    phone = forms.CharField(
        label=gettext_lazy("Phone"),
        required=False,
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "off"}),
        help_text=gettext_lazy("With the country's prefix, like +44 20 7946 0018."),
    )
    external_id = forms.CharField(
        label=gettext_lazy("External id"),
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text=gettext_lazy("The number that your shop or your books know this customer by."),
    )


class NewCustomerForm(CustomerForm):
    """A new customer may also bring a first note."""

    note = forms.CharField(label=gettext_lazy("Note"), required=False, widget=forms.Textarea(attrs={"rows": 3}))


class LogForm(forms.Form):
    """A call or a note. `message_id` makes sending the form twice harmless."""

    kind = forms.ChoiceField(
        label=gettext_lazy("Kind"),
        choices=[("call", gettext_lazy("Call")), ("note", gettext_lazy("Note"))],
        widget=forms.RadioSelect,
        initial="call",
    )
    direction = forms.ChoiceField(
        label=gettext_lazy("Who called"),
        required=False,
        choices=[("", "–"), ("in", gettext_lazy("The customer called us")), ("out", gettext_lazy("We called"))],
    )
    text = forms.CharField(label=gettext_lazy("What was said"), widget=forms.Textarea(attrs={"rows": 5}))
    occurred_at = forms.DateTimeField(
        label=gettext_lazy("When"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text=gettext_lazy("Empty means now."),
    )
    message_id = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)

    def __init__(self, *told: Any, now: datetime | None = None, **options: Any) -> None:
        super().__init__(*told, **options)
        self.now = now

    def clean_occurred_at(self) -> datetime | None:
        """When it happened, so that what is wrong with it is said together with the rest."""
        at: datetime | None = self.cleaned_data["occurred_at"]
        if at is not None and self.now is not None:
            try:
                past(at, now=self.now)
            except QuestionError as error:
                raise ValidationError(error.message) from None
        return at


@page("customers.edit")
def customer_new(request: HttpRequest, *, now: datetime) -> HttpResponse:
    form = NewCustomerForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            created = create_customer(**form.cleaned_data, author=str(request.user), now=now)
        except QuestionError as error:
            beside(form, error)
        else:
            advance_customers(customers=[created])
            messages.success(request, _("The customer was created."))
            return redirect("customer", created)
    return render(request, "pages/customer_form.html", {"form": form}, status=status(form))


@page("customers.edit")
def customer_edit(request: HttpRequest, customer_id: int, *, now: datetime) -> HttpResponse:
    found, survivor = record.found_customer(customer_id)
    if survivor is not None:
        return redirect("customer_edit", survivor)
    known = {key: getattr(found, key) for key in ("name", "email", "phone")}
    known["external_id"] = external_id_of(customer=found.pk)
    form = CustomerForm(request.POST or None, initial=known)
    if request.method == "POST" and form.is_valid():
        changes = {key: form.cleaned_data[key] for key in form.changed_data}
        try:
            changed = edit_customer(customer=found.pk, changes=changes, now=now)
        except QuestionError as error:
            beside(form, error)
        else:
            advance_customers(customers=[found.pk])
            messages.success(request, _("Saved.") if changed else _("Nothing was different, so nothing was saved."))
            return redirect("customer", found.pk)
    context: dict[str, Any] = {"form": form, "customer": found, "known_as": names_of([found])[found.pk]}
    return render(request, "pages/customer_form.html", context, status=status(form))


@page("touchpoints.log")
def customer_log(request: HttpRequest, customer_id: int, *, now: datetime) -> HttpResponse:
    found, survivor = record.found_customer(customer_id)
    if survivor is not None:
        return redirect("customer_log", survivor)
    form = LogForm(request.POST or None, now=now)
    if request.method == "POST" and form.is_valid() and _logged(form, found, author=str(request.user), now=now):
        advance_customers(customers=[found.pk])
        messages.success(request, _("It is on the timeline."))
        return redirect("customer", found.pk)
    context = {"form": form, "customer": found, "known_as": names_of([found])[found.pk]}
    return render(request, "pages/touchpoint_form.html", context, status=status(form))


def _logged(form: LogForm, customer: Customer, *, author: str, now: datetime) -> bool:
    told = form.cleaned_data
    try:
        log_touchpoint(
            customer=customer.pk,
            kind=told["kind"],
            text=told["text"],
            author=author,
            now=now,
            occurred_at=told["occurred_at"],
            direction=told["direction"] if told["kind"] == "call" else "",
            message_id=str(told["message_id"]),
        )
    except QuestionError as error:
        beside(form, error)
        return False
    return True
