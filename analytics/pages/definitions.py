"""What stage models and segments have in common: a name and a description, versions that can be read, compared and
brought back, and an end. Each has its own addresses and its own permission; what they do is the same."""

from dataclasses import dataclass
from datetime import datetime

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from analytics.segment_list import drafts_of
from analytics.sorting import Sorting, segment, stage_model
from analytics.used_in import retire, used_in
from analytics.version_list import compared, document_difference, others_of, version_page, version_text
from clm.lib.questions import ConflictError, NotThereError, QuestionError
from lifecycle.models import Version
from lifecycle.naming import LONGEST_DESCRIPTION, LONGEST_NAME, name_subject
from lifecycle.revise import roll_back

from .asking import page
from .drafts import REFUSALS, change_address, refused, to_change
from .refusals import beside, status_of


@dataclass(frozen=True, slots=True)
class Place:
    """Where the pages of one model or segment are. kind: `segment` or `model`, the beginning of their URL names."""

    kind: str
    sorting: Sorting

    def address(self, tail: str = "", *more: object) -> str:
        """The address of a page about it: `edit`, `versions` and so on; "" its own."""
        return reverse(f"{self.kind}_{tail}" if tail else self.kind, args=[self.sorting.key, *more])

    def context(self, here: str = "") -> dict[str, object]:
        """What the head of each of its pages shows; here: the page, named as for `address`."""
        return {
            "place": self,
            "kind": self.kind,
            "sorting": self.sorting,
            "segment" if self.kind == "segment" else "model": self.sorting,
            "here": f"{self.kind}_{here}" if here else self.kind,
            "own_url": self.address(),
            "change": change_address(drafts_of([self.sorting]).get(self.sorting.id)),
        }


def of_segment(key: str) -> Place:
    """The place of a segment; NotThereError when there is none of that key."""
    return Place("segment", segment(key))


def of_model(key: str) -> Place:
    """The place of a stage model."""
    return Place("model", stage_model(key))


class NameForm(forms.Form):
    """What a model or a segment is called."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=LONGEST_NAME)
    description = forms.CharField(
        label=gettext_lazy("Description"),
        required=False,
        max_length=LONGEST_DESCRIPTION,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("What it is for, for those who find it later."),
    )


# --- a name ---------------------------------------------------------------------------------------------------
@page("segments.edit")
def segment_edit(request: HttpRequest, key: str, *, now: datetime) -> HttpResponse:
    return _edit(request, of_segment(key))


@page("stages.edit")
def model_edit(request: HttpRequest, key: str, *, now: datetime) -> HttpResponse:
    return _edit(request, of_model(key))


def _edit(request: HttpRequest, place: Place) -> HttpResponse:
    known = {"name": place.sorting.name, "description": place.sorting.description}
    form = NameForm(request.POST or None, initial=known)
    if request.method == "POST" and form.is_valid():
        try:
            name_subject(subject=place.sorting.id, changes=form.cleaned_data)
        except QuestionError as error:
            beside(form, error)
        else:
            messages.success(request, _("Saved."))
            return redirect(place.address())
    context = {**place.context("edit"), "form": form}
    return render(request, "pages/definition_edit.html", context, status=status_of(form))


# --- versions -------------------------------------------------------------------------------------------------
@page("segments.view", takes=("cursor",))
def segment_versions(request: HttpRequest, key: str, *, now: datetime) -> HttpResponse:
    return _versions(request, of_segment(key), now=now)


@page("stages.view", takes=("cursor",))
def model_versions(request: HttpRequest, key: str, *, now: datetime) -> HttpResponse:
    return _versions(request, of_model(key), now=now)


def _versions(request: HttpRequest, place: Place, *, now: datetime) -> HttpResponse:
    found = version_page(sorting=place.sorting, cursor=request.GET.get("cursor") or None)
    rows = [
        (row, place.address("version", row.number), change_address(row.change) if row.state == "draft" else "")
        for row in found.rows
    ]
    context = {**place.context("versions"), "now": now, "rows": rows, "page": found}
    return render(request, "pages/definition_versions.html", context)


@page("segments.view", takes=("against",))
def segment_version(request: HttpRequest, key: str, number: int, *, now: datetime) -> HttpResponse:
    return _version(request, of_segment(key), number, now=now)


@page("stages.view", takes=("against",))
def model_version(request: HttpRequest, key: str, number: int, *, now: datetime) -> HttpResponse:
    return _version(request, of_model(key), number, now=now)


def _version(request: HttpRequest, place: Place, number: int, *, now: datetime) -> HttpResponse:
    shown = version_text(sorting=place.sorting, number=number)
    against = request.GET.get("against", "")
    try:
        asked = int(against) if against.isascii() and against.isdigit() and len(against) < 10 else None
        others, chosen = others_of(sorting=place.sorting, number=number, against=asked)
    except NotThereError:
        asked = None
    if against and asked is None:
        raise QuestionError("against", "there is no other version of that number")
    other = version_text(sorting=place.sorting, number=chosen) if chosen is not None else None
    left, right = (other, shown) if other is None or other.row.number < number else (shown, other)
    comparison = None
    if left is not None and right is not None:
        comparison = {
            "left": _("Version %(number)d") % {"number": left.row.number},
            "right": _("Version %(number)d") % {"number": right.row.number},
            "rows": compared(left=left, right=right),
        }
    return render(
        request,
        "pages/definition_version.html",
        {
            **place.context("versions"),
            "now": now,
            "shown": shown,
            "versions_url": place.address("versions"),
            "roll_back_url": place.address("roll_back", number),
            "others": [(row.number, row.state, row.number == chosen) for row in others],
            "comparison": comparison,
            "difference": document_difference(left=left, right=right) if left and right else "",
        },
    )


@require_POST
@page("segments.edit")
def segment_roll_back(request: HttpRequest, key: str, number: int, *, now: datetime) -> HttpResponse:
    """Draft an earlier version anew."""
    return _roll_back(request, of_segment(key), number)


@require_POST
@page("stages.edit")
def model_roll_back(request: HttpRequest, key: str, number: int, *, now: datetime) -> HttpResponse:
    """Draft an earlier version anew."""
    return _roll_back(request, of_model(key), number)


def _roll_back(request: HttpRequest, place: Place, number: int) -> HttpResponse:
    version = Version.objects.filter(subject=place.sorting.id, number=number).first() if number < 2**31 else None
    if version is None:
        raise NotThereError(f"{place.sorting.key} has no version {number}")
    back = place.address("version", number)
    try:
        revision = roll_back(version=version.pk, author=request.user.pk)
    except REFUSALS as error:
        return refused(request, error, back=back)
    return to_change(request, revision)


# --- an end ---------------------------------------------------------------------------------------------------
@page("segments.edit")
def segment_retire(request: HttpRequest, key: str, *, now: datetime) -> HttpResponse:
    return _retire(request, of_segment(key), now=now)


@page("stages.edit")
def model_retire(request: HttpRequest, key: str, *, now: datetime) -> HttpResponse:
    return _retire(request, of_model(key), now=now)


def _retire(request: HttpRequest, place: Place, *, now: datetime) -> HttpResponse:
    """Says what uses it, and takes it out of use when nothing does."""
    refusal = ""
    if request.method == "POST":
        try:
            retire(subject=place.sorting.id, now=now)
        except ConflictError as error:
            refusal = str(error)
        else:
            messages.success(request, _("“%(name)s” is out of use. Its history stays.") % {"name": place.sorting.name})
            return redirect(f"{place.kind}s")
    context = {
        **place.context("retire"),
        "now": now,
        "uses": used_in(subject=place.sorting.id),
        "refusal": refusal,
    }
    return render(request, "pages/definition_retire.html", context, status=409 if refusal else 200)
