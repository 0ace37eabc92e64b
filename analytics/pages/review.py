"""The review queue: pairs of customers who may be one, looked at side by side and decided by a person."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analytics.pairs import pair
from analytics.review import STATES, WHYS, PossiblePair, latest_search, next_open, possible_pair, queue
from analytics.sorting import live_models
from clm.lib.access.models import User
from clm.lib.questions import ConflictError, QuestionError
from customers.duplicates import start_search
from customers.keeping import folded_text
from customers.models import Customer, Source
from customers.review import accept, refuse
from lifecycle.advance import advance_customers

from .asking import page
from .forms import Crumb, beside, status
from .merges import LONGEST_REASON

MOST_SOURCES = 20
FILTERS = ("state", "why", "source")


class DecideForm(forms.Form):
    """What somebody decides about a pair, and why."""

    decision = forms.ChoiceField(choices=[("merge", ""), ("refuse", "")], widget=forms.HiddenInput)
    reason = forms.CharField(
        label=gettext_lazy("Why they are one person"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("For whoever wonders later. Without a word of yours, why the pair is here is kept."),
    )


@page("customers.merge", takes=(*FILTERS, "cursor"))
def review(request: HttpRequest, *, now: datetime) -> HttpResponse:
    """The queue, narrowed by its address."""
    asked = {name: request.GET.get(name, "") for name in (*FILTERS, "cursor")}
    found = queue(asked=asked)
    chosen = _chosen(request)
    context = {
        "now": now,
        "queue": found,
        "search": latest_search(),
        "state": asked["state"] or "open",
        "states": [(key, label) for key, label in STATES.items()],
        "why": asked["why"],
        "whys": [(key, label) for key, (label, _kind) in WHYS.items()],
        "source": asked["source"],
        "sources": Source.objects.exclude(write_key_hash="").order_by("name")[:MOST_SOURCES],
        "carried_filters": f"?{urlencode(chosen)}" if chosen else "",
        "is_narrowed": any(asked[name] for name in ("why", "source")),
    }
    return render(request, "pages/review.html", context)


@page("customers.merge")
def review_search(request: HttpRequest, *, now: datetime) -> HttpResponse:
    """Look for duplicates; asked without scripts or again and again by the page, how far that is."""
    if request.method == "POST":
        start_search(now=now, author=request.user.pk if isinstance(request.user, User) else None)
        messages.info(request, _("Everybody is looked through for duplicates; it goes on by itself."))
        return redirect("review")
    return render(request, "parts/duplicate_search.html", {"now": now, "search": latest_search()})


@page("customers.merge", takes=FILTERS)
def review_pair(request: HttpRequest, pair_id: int, *, now: datetime) -> HttpResponse:
    """One pair side by side; deciding leads to the next one."""
    found = possible_pair(number=pair_id)
    form = DecideForm(request.POST or None)
    if form.is_bound and form.is_valid():
        try:
            _decide(request, found, form, now=now)
        except (QuestionError, ConflictError) as error:
            beside(form, error)
        else:
            chosen = _chosen(request)
            following = next_open(after=found, why=chosen.get("why", ""), source=chosen.get("source", ""))
            where = reverse("review") if following is None else reverse("review_pair", args=[following])
            return redirect(f"{where}?{urlencode(chosen)}".rstrip("?"))
    chosen = _chosen(request)
    context: dict[str, Any] = {
        "now": now,
        "form": form,
        "possible": found,
        "carried_filters": f"?{urlencode(chosen)}" if chosen else "",
        "crumbs": [Crumb(f"{reverse('review')}?{urlencode(chosen)}".rstrip("?"), _("Possible duplicates"))],
    }
    if found.left.id != found.right.id and found.merge is None:
        both = Customer.objects.in_bulk([found.left.id, found.right.id])
        context["pair"] = pair(customers=(both[found.left.id], both[found.right.id]), models=live_models())
    return render(request, "pages/review_pair.html", context, status=status(form))


def _decide(request: HttpRequest, found: PossiblePair, form: DecideForm, *, now: datetime) -> None:
    author = request.user.pk if isinstance(request.user, User) else None
    if form.cleaned_data["decision"] == "refuse":
        refuse(possible=found.id, now=now, author=author)
        messages.success(request, _("They stay two; nobody is asked about them again."))
        return
    typed = folded_text(form.cleaned_data["reason"], field="reason", longest=LONGEST_REASON, lines=True)
    done = accept(possible=found.id, now=now, author=author, reason=typed or found.why)
    advance_customers(customers=[done.survivor_id])
    messages.success(request, _("They are one customer now."))


def _chosen(request: HttpRequest) -> dict[str, str]:
    """The filters of the address, to go along to the next page."""
    return {name: request.GET[name] for name in FILTERS if request.GET.get(name)}
