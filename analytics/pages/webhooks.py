"""Webhooks: which programs are told of changes, whether it arrives, and what to do when it does not. The secret of one
is shown on the answer to its form and nowhere else."""

from datetime import datetime
from typing import Any
from uuid import uuid4

from django import forms
from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analytics.row_pages import row_page
from campaigns.models import Attempt, Delivery, Endpoint, Resending
from campaigns.outgoing.events import TYPES, known_names
from campaigns.outgoing.keeping import (
    ask_resending,
    change_endpoint,
    create_endpoint,
    ping,
    possible_url,
    remove_endpoint,
    rotate_secret,
    switch_off,
    switch_on,
    try_again,
)
from clm.lib.periods import day_start, parse_moment
from clm.lib.questions import ConflictError, NotThereError, QuestionError
from customers.models import Installation

from .asking import page
from .forms import Crumb, beside, by_rule, confirm, made_once, status


class EndpointForm(forms.Form):
    """An address, and what it is told. `form_id` makes sending the form twice harmless."""

    url = forms.CharField(
        label=gettext_lazy("Address"),
        validators=[by_rule(possible_url)],
        help_text=gettext_lazy("Of the receiving program, beginning with https://. It must be reachable from outside."),
    )
    description = forms.CharField(
        label=gettext_lazy("What it is for"),
        required=False,
        max_length=200,
        help_text=gettext_lazy("Like “keeps the newsletter tool up to date”."),
    )
    events = forms.MultipleChoiceField(
        label=gettext_lazy("Tell of"),
        choices=list(TYPES.items()),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Choose at least one event.")},
    )
    model_keys = forms.MultipleChoiceField(
        label=gettext_lazy("Stages of these models only"), required=False, widget=forms.CheckboxSelectMultiple
    )
    segment_keys = forms.MultipleChoiceField(
        label=gettext_lazy("These segments only"), required=False, widget=forms.CheckboxSelectMultiple
    )
    takes_history = forms.BooleanField(
        label=gettext_lazy("Also what is no news: imports, and corrections of the past"), required=False
    )
    form_id = forms.UUIDField(widget=forms.HiddenInput, initial=uuid4)

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        for name, known in zip(("model_keys", "segment_keys"), known_names(), strict=True):
            field: Any = self.fields[name]
            field.choices = list(known.items())

    @property
    def told(self) -> dict[str, Any]:
        """What was told of the endpoint itself."""
        return {name: value for name, value in self.cleaned_data.items() if name != "form_id"}


class SinceForm(forms.Form):
    since = forms.CharField(
        label=gettext_lazy("Since"),
        help_text=gettext_lazy("A day, or an instant with its offset, such as 2026-03-29T10:00:00+01:00."),
    )


@page("webhooks.manage")
def webhooks(request: HttpRequest, *, now: datetime) -> HttpResponse:
    waiting = Count("deliveries", filter=Q(deliveries__state=Delivery.State.WAITING))
    found = Endpoint.objects.annotate(waiting=waiting).order_by("pk")
    return render(request, "pages/webhooks.html", {"now": now, "rows": found, "types": TYPES})


@page("webhooks.manage")
def webhook_new(request: HttpRequest, *, now: datetime) -> HttpResponse:
    form = EndpointForm(request.POST or None, initial={"events": list(TYPES)})
    back = _back()
    if request.method == "POST" and form.is_valid():
        secrets: list[str] = []

        def make() -> int:
            endpoint, secret = create_endpoint(told=form.told, now=now)
            secrets.append(secret)
            return int(endpoint.pk)

        try:
            number, is_new = made_once(request, form_id=form.cleaned_data["form_id"], make=make)
        except (QuestionError, ConflictError) as error:
            beside(form, error)
        else:
            if is_new:
                return _secret_shown(request, Endpoint.objects.get(pk=number), secrets[0], code=201)
            messages.warning(request, _("This webhook was made already, and its secret is shown only once."))
            return redirect("webhook", number)
    return render(
        request, "pages/webhook_form.html", {"form": form, "crumbs": [back], "back": back}, status=status(form)
    )


@page("webhooks.manage")
def webhook_edit(request: HttpRequest, webhook_id: int, *, now: datetime) -> HttpResponse:
    endpoint = _endpoint(webhook_id)
    names = ("url", "description", "events", "model_keys", "segment_keys", "takes_history")
    form = EndpointForm(request.POST or None, initial={name: getattr(endpoint, name) for name in names})
    if request.method == "POST" and form.is_valid():
        try:
            change_endpoint(endpoint=endpoint, changes=form.told)
        except QuestionError as error:
            beside(form, error)
        else:
            messages.success(request, _("Saved."))
            return redirect("webhook", endpoint.pk)
    back = _back(endpoint)
    context = {"form": form, "crumbs": [_back(), back], "back": back, "endpoint": endpoint}
    return render(request, "pages/webhook_form.html", context, status=status(form))


@page("webhooks.manage", takes=("state", "cursor"))
def webhook(request: HttpRequest, webhook_id: int, *, now: datetime) -> HttpResponse:
    """One webhook: how it is doing, what it was told last and what became of it; and its acts that need no asking."""
    endpoint = _endpoint(webhook_id)
    form = SinceForm(request.POST if request.POST.get("act") == "resend" else None)
    if request.method == "POST":
        try:
            if _done(request, endpoint, form, now):
                return redirect("webhook", endpoint.pk)
        except ConflictError as error:
            messages.error(request, str(error))
            return redirect("webhook", endpoint.pk)
        except QuestionError as error:
            if error.field != "since":
                raise
            form.add_error("since", error.message)
    state = request.GET.get("state", "")
    if state and state not in Delivery.State.values:
        raise QuestionError("state", _("Deliveries are waiting, delivered or given up."))
    found = Delivery.objects.filter(endpoint=endpoint, **({"state": state} if state else {})).prefetch_related("tries")
    shown = row_page(found, order=("-pk",), cursor=request.GET.get("cursor") or None)
    context = {
        "now": now,
        "endpoint": endpoint,
        "crumbs": [_back()],
        "rows": shown.rows,
        "next_cursor": shown.next_cursor,
        "previous_cursor": shown.previous_cursor,
        "state": state,
        "states": Delivery.State.choices,
        "narrowed": _narrowed(endpoint),
        "told_of": [TYPES[one] for one in endpoint.events if one in TYPES],
        "resending": Resending.objects.filter(endpoint=endpoint).order_by("-pk").first(),
        "last": Attempt.objects.filter(delivery__endpoint=endpoint).order_by("-pk").first(),
        "form": form,
    }
    return render(request, "pages/webhook.html", context, status=status(form))


@page("webhooks.manage")
def webhook_secret(request: HttpRequest, webhook_id: int, *, now: datetime) -> HttpResponse:
    endpoint, back = _endpoint(webhook_id), _back(_endpoint(webhook_id))
    if request.method == "POST":
        endpoint, secret = rotate_secret(endpoint=endpoint, now=now)
        return _secret_shown(request, endpoint, secret, code=200)
    return confirm(
        request,
        title=_("Make a new secret?"),
        consequences=[
            _("For 24 hours everything is signed with both secrets, so that the receiver can change over."),
            _("After that the former secret is worth nothing."),
        ],
        button=_("Make a new secret"),
        back=back.url,
        crumbs=[_back(), back],
        is_harmless=True,
    )


@page("webhooks.manage")
def webhook_remove(request: HttpRequest, webhook_id: int, *, now: datetime) -> HttpResponse:
    endpoint, back = _endpoint(webhook_id), _back(_endpoint(webhook_id))
    if request.method == "POST":
        remove_endpoint(endpoint=endpoint)
        messages.success(request, _("The webhook is removed."))
        return redirect("webhooks")
    return confirm(
        request,
        title=_("Remove this webhook?"),
        consequences=[
            _("It is told nothing more, and what still waits is dropped."),
            _("What it was told is forgotten, too. To keep that, switch it off instead."),
        ],
        button=_("Remove"),
        back=back.url,
        crumbs=[_back(), back],
    )


def _narrowed(endpoint: Endpoint) -> dict[str, list[str]]:
    """The names of the models and segments that it is narrowed to."""
    if not endpoint.model_keys and not endpoint.segment_keys:
        return {}
    models, segments = known_names()
    return {
        "models": [models.get(key, key) for key in endpoint.model_keys],
        "segments": [segments.get(key, key) for key in endpoint.segment_keys],
    }


def _done(request: HttpRequest, endpoint: Endpoint, form: SinceForm, now: datetime) -> bool:
    """Do what a button of the page asks for; whether it was done."""
    who = str(getattr(request.user, "email", ""))
    match request.POST.get("act"):
        case "ping":
            ping(endpoint=endpoint, now=now)
            messages.success(request, _("A test event is on its way; it appears below."))
        case "off":
            switch_off(endpoint=endpoint, by=who, now=now)
            messages.success(request, _("The webhook is switched off."))
        case "on":
            switch_on(endpoint=endpoint)
            messages.success(request, _("It is told what happens from now on."))
        case "again":
            number = request.POST.get("delivery", "")
            found = Delivery.objects.filter(endpoint=endpoint, pk=int(number) if number.isdigit() else 0).first()
            if found is None:
                raise NotThereError("there is no such delivery")
            try_again(delivery=found, now=now)
            messages.success(request, _("It is delivered once more."))
        case "resend":
            if not form.is_valid():
                return False
            zone = Installation.current().time_zone
            moment: Any = parse_moment(form.cleaned_data["since"].strip(), field="since", zone=zone)
            since = moment if isinstance(moment, datetime) else day_start(moment, zone)
            ask_resending(endpoint=endpoint, since=since, by=who, now=now)
            messages.success(request, _("Everything since then is told once more, after what still waits."))
        case _:
            raise QuestionError("act", _("There is no such act."))
    return True


def _secret_shown(request: HttpRequest, endpoint: Endpoint, secret: str, *, code: int) -> HttpResponse:
    back = _back(endpoint)
    context = {"endpoint": endpoint, "secret": secret, "crumbs": [_back(), back], "back": back}
    answer = render(request, "pages/webhook_secret.html", context, status=code)
    answer["Cache-Control"] = "no-store"
    return answer


def _back(endpoint: Endpoint | None = None) -> Crumb:
    if endpoint is None:
        return Crumb(reverse("webhooks"), _("Webhooks"))
    return Crumb(reverse("webhook", args=[endpoint.pk]), str(endpoint))


def _endpoint(number: int) -> Endpoint:
    found = Endpoint.objects.filter(pk=number).first()
    if found is None:
        raise NotThereError("there is no such webhook")
    return found
