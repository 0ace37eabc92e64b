"""Merging two customers who are one person, after a look at both; and the way back."""

from datetime import datetime

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analytics import customer_record as record
from analytics.customer_figures import names_of
from analytics.pairs import called_by, look_alikes, merge_page, pair
from analytics.search import MOST_TEXT, found_customers
from analytics.sorting import live_models
from clm.lib.access.models import User
from clm.lib.questions import NotThereError, QuestionError
from customers.keeping import folded_text
from customers.merge import MergeError, merge, unmerge
from customers.models import Customer, Merge, MergedProfile
from lifecycle.advance import advance_customers

from .asking import page
from .forms import Crumb, beside, confirm, status

MOST_FOUND = 20
LONGEST_REASON = 2000


class MergeForm(forms.Form):
    """Why the two are one."""

    reason = forms.CharField(
        label=gettext_lazy("Why they are one person"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("For whoever wonders later."),
    )


@page("customers.merge", takes=("search", "cursor"))
def merge_start(request: HttpRequest, *, now: datetime) -> HttpResponse:
    """Find the first of the two; and what was merged lately."""
    text = request.GET.get("search", "").strip()[:MOST_TEXT]
    context = {
        "now": now,
        "search": text,
        "found": found_customers(text=text, most=MOST_FOUND) if text else [],
        "merges": merge_page(cursor=request.GET.get("cursor") or None),
    }
    return render(request, "pages/merges.html", context)


@page("customers.merge", takes=("with", "search", "cursor"))
def customer_merge(request: HttpRequest, customer_id: int, *, now: datetime) -> HttpResponse:
    found, survivor = record.found_customer(customer_id)
    if survivor is not None:
        return redirect(f"{reverse('customer_merge', args=[survivor])}?{request.GET.urlencode()}")
    asked = request.GET.get("with", "").strip()
    try:
        other = _other(found, asked) if asked else None
    except QuestionError as error:
        return _choose(request, found, now=now, fault=error.message)
    if other is None:
        return _choose(request, found, now=now)
    form = MergeForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid() and (kept := _merged(request, form, found, other, now)) is not None:
        return redirect("customer_merge", kept)
    both = pair(customers=(found, other), models=live_models())
    context = {"now": now, "form": form, "customer": found, "pair": both, "crumbs": _above(found)}
    return render(request, "pages/merge.html", context, status=status(form))


@page("customers.merge")
def merge_undo(request: HttpRequest, merge_id: int, *, now: datetime) -> HttpResponse:
    """Give both of a merge their own back."""
    done = Merge.objects.select_related("survivor", "absorbed").filter(pk=merge_id).first()
    if done is None:
        raise NotThereError(f"there is no merge {merge_id}")
    survivor, _gone = record.found_customer(done.survivor_id)
    back, error = reverse("customer_merge", args=[survivor.pk]), ""
    if request.method == "POST":
        try:
            unmerge(merge=done.pk, now=now)
        except MergeError as refused:
            error = str(refused)
        else:
            advance_customers(customers=[survivor.pk, done.survivor_id, done.absorbed_id])
            messages.success(request, _("They are two customers again; this is the one that was merged."))
            return redirect("customer", done.absorbed_id)
    elif done.undone_at is not None:
        messages.info(request, _("This merge was undone already."))
        return redirect(back)
    one, two = _apart(done)
    return confirm(
        request,
        title=_("Undo the merge of %(two)s into %(one)s?") % {"one": one, "two": two},
        consequences=[
            _("%(two)s is a customer again, with everything that was theirs and what arrived for them since.")
            % {"two": two},
            _("Stages and segments of both are computed anew, for their whole lives."),
            _("They can be merged again."),
        ],
        button=_("Undo the merge"),
        back=back,
        crumbs=_above(survivor),
        error=error,
    )


def _choose(request: HttpRequest, found: Customer, *, now: datetime, fault: str = "") -> HttpResponse:
    """The customer's page of merging before the other one is named: who it could be, and who was merged before."""
    text = request.GET.get("search", "").strip()[:MOST_TEXT]
    context = {
        "now": now,
        "customer": found,
        "known_as": names_of([found])[found.pk],
        "search": text,
        "fault": fault,
        "asked": request.GET.get("with", ""),
        "found": look_alikes(customer=found, text=text),
        "merged": merge_page(customer=found.pk, cursor=request.GET.get("cursor") or None),
        "crumbs": _above(found),
    }
    return render(request, "pages/merge_choose.html", context, status=422 if fault else 200)


def _merged(request: HttpRequest, form: MergeForm, found: Customer, other: Customer, now: datetime) -> int | None:
    """Merge the two; the id of who survives, or None with the form saying why not."""
    author = request.user.pk if isinstance(request.user, User) else None
    try:
        reason = folded_text(form.cleaned_data["reason"], field="reason", longest=LONGEST_REASON, lines=True)
        done = merge(customers=(found.pk, other.pk), now=now, author=author, reason=reason)
    except QuestionError as error:
        beside(form, error)
        return None
    except MergeError as error:
        form.add_error(None, str(error))
        return None
    advance_customers(customers=[done.survivor_id])
    messages.success(request, _("They are one customer now."))
    return int(done.survivor_id)


def _apart(done: Merge) -> tuple[str, str]:
    """The survivor and the absorbed one as an undone merge leaves them: the number, and the name that each has by its
    own profiles. Merged, both are called the same."""
    gone = list(MergedProfile.objects.filter(merge=done).values_list("profile", flat=True))
    kept = set(record.profiles_of(customer=done.survivor_id)) - set(gone)
    one, two = called_by(profiles=sorted(kept)), called_by(profiles=gone)
    return f"#{done.survivor_id} {one}".strip(), f"#{done.absorbed_id} {two}".strip()


def _other(found: Customer, text: str) -> Customer:
    """The other customer, by the number that somebody typed or a link carries."""
    said = text.removeprefix("#")
    if not said.isascii() or not said.isdigit() or len(said) > 18:
        raise QuestionError("with", _("A customer's number is made of digits; search to find it."))
    try:
        other, _survivor = record.found_customer(int(said))
    except NotThereError:
        raise QuestionError("with", _("There is no customer %(number)s.") % {"number": said}) from None
    if other.pk == found.pk:
        raise QuestionError("with", _("These are one customer already; choose another one."))
    return other


def _above(found: Customer) -> list[Crumb]:
    known_as = names_of([found])[found.pk]
    return [Crumb(reverse("customers"), _("Customers")), Crumb(reverse("customer", args=[found.pk]), known_as)]
