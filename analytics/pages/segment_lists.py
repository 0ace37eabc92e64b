"""Static lists, and whom a segment includes or excludes by hand: made, filled from a file or from the list of
customers, and emptied again. Putting somebody on a list twice does what once does."""

from collections.abc import Sequence
from datetime import datetime

from django import forms
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from analytics.customer_figures import names_of
from analytics.segment_members import on_list
from analytics.sorting import Sorting, segment, segments
from clm.lib.questions import NotThereError, QuestionError
from customers.models import Customer
from lifecycle.advance import advance_customers
from lifecycle.install import publish_list
from lifecycle.list_members import add_members, members_on, remove_members
from lifecycle.list_upload import LONGEST_TEXT, WAYS, Line, Recognised, lines_of, recognised
from lifecycle.models import Segment
from lifecycle.naming import LONGEST_DESCRIPTION, LONGEST_NAME
from lifecycle.revise import add_segment

from .asking import page
from .definitions import Place
from .refusals import beside, status_of

# So many are brought up to date before the answer; more are left to the tick, a few seconds later.
AT_ONCE = 500
SHOWN = 50
LARGEST_FILE = 4_000_000
_WORDS = (
    gettext_lazy("Whatever fits"),
    gettext_lazy("E-mail address"),
    gettext_lazy("External id"),
    gettext_lazy("Customer number"),
)


class ListForm(forms.Form):
    """A new static list."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=LONGEST_NAME)
    key = forms.RegexField(
        r"^[a-z0-9][a-z0-9_-]{0,59}$",
        label=gettext_lazy("Key"),
        required=False,
        help_text=gettext_lazy("What rules and the API call it; made from the name if left empty. It never changes."),
        error_messages={"invalid": gettext_lazy("A key is of small letters, digits, - and _, at most 60.")},
    )
    description = forms.CharField(
        label=gettext_lazy("Description"),
        required=False,
        max_length=LONGEST_DESCRIPTION,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("What it is for, for those who find it later."),
    )


class UploadForm(forms.Form):
    """Customers named in a file or a text."""

    file = forms.FileField(required=False)
    text = forms.CharField(
        label=gettext_lazy("Or paste them, one a line"),
        required=False,
        max_length=LONGEST_TEXT,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false"}),
    )
    by = forms.ChoiceField(
        label=gettext_lazy("The lines name customers by"), choices=list(zip(WAYS, _WORDS, strict=True)), required=False
    )
    column = forms.CharField(
        label=gettext_lazy("Column"),
        required=False,
        max_length=200,
        help_text=gettext_lazy("Only for a file of several columns whose first line does not call it email or id."),
    )
    excluded = forms.BooleanField(required=False, widget=forms.HiddenInput)


class OneForm(forms.Form):
    """One customer, named as an upload would name it."""

    who = forms.CharField(
        label=gettext_lazy("Customer"),
        max_length=254,
        help_text=gettext_lazy("The number, the e-mail address or the external id."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )


class ChosenForm(forms.Form):
    """Where chosen customers are put."""

    segment = forms.CharField(label=gettext_lazy("List or segment"), max_length=60)
    side = forms.ChoiceField(
        label=gettext_lazy("In a segment with a rule"),
        required=False,
        choices=[
            ("included", gettext_lazy("include them, whatever the rule says")),
            ("excluded", gettext_lazy("exclude them, whatever the rule says")),
        ],
        initial="included",
        widget=forms.RadioSelect,
    )


# --- a new list -----------------------------------------------------------------------------------------------
@page("segments.edit")
def list_new(request: HttpRequest, *, now: datetime) -> HttpResponse:
    form = ListForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data
        key = told["key"] or free_key(told["name"])
        try:
            revision = add_segment(
                key=key, name=told["name"], rule=None, description=told["description"], author=_author(request)
            )
        except QuestionError as error:
            beside(form, error)
        else:
            publish_list(revision=revision.pk, now=now)
            messages.success(request, _("The list is there. Now say who is on it."))
            return redirect("segment_list", key)
    return render(request, "pages/list_form.html", {"form": form}, status=status_of(form))


def free_key(name: str) -> str:
    """A key made from a name that no segment has yet."""
    stem = slugify(name)[:50].strip("-_") or "list"
    taken = set(Segment.objects.filter(key__startswith=stem).values_list("key", flat=True)) | {"new", "lists"}
    return next(key for n in range(1, len(taken) + 2) if (key := stem if n == 1 else f"{stem}-{n}") not in taken)


# --- who is on it ---------------------------------------------------------------------------------------------
@page("segments.view", takes=("list", "cursor"))
def segment_list(request: HttpRequest, key: str, *, now: datetime) -> HttpResponse:
    return _hands(request, segment(key), OneForm(), now=now)


@require_POST
@page("segments.edit", takes=("list", "cursor"))
def segment_list_add(request: HttpRequest, key: str, *, now: datetime) -> HttpResponse:
    """Put one customer on the list that is shown."""
    chosen, form = segment(key), OneForm(request.POST)
    excluded = _side(request, chosen)
    if form.is_valid():
        try:
            found = _one(form.cleaned_data["who"])
        except QuestionError as error:
            beside(form, error)
        else:
            _added(request, chosen, [found], excluded=excluded, now=now)
            return redirect(_address(chosen, excluded=excluded))
    return _hands(request, chosen, form, now=now)


@require_POST
@page("segments.edit", takes=("list", "cursor"))
def segment_list_remove(request: HttpRequest, key: str, *, now: datetime) -> HttpResponse:
    """Take the customers that were ticked off the list that is shown."""
    chosen = segment(key)
    excluded = _side(request, chosen)
    wanted = _numbers(request.POST.getlist("customer"))
    if not wanted:
        messages.warning(request, _("Nobody was ticked."))
        return redirect(_address(chosen, excluded=excluded))
    removed = remove_members(segment=chosen.id, customers=wanted, now=now, excluded=excluded)
    advance_customers(customers=sorted(wanted)[:AT_ONCE])
    said = ngettext("%(n)d customer was taken off.", "%(n)d customers were taken off.", removed) % {"n": removed}
    messages.success(request, said)
    return redirect(_address(chosen, excluded=excluded))


def _hands(request: HttpRequest, chosen: Sorting, form: OneForm, *, now: datetime) -> HttpResponse:
    excluded = _side(request, chosen)
    found = on_list(segment=chosen, excluded=excluded, cursor=request.GET.get("cursor") or None)
    return render(
        request,
        "pages/segment_list.html",
        {
            **Place("segment", chosen).context("list"),
            "now": now,
            "form": form,
            "shows": "excluded" if excluded else "included",
            "included": members_on(segment=chosen.id),
            "excluded": members_on(segment=chosen.id, excluded=True),
            "rows": found.rows,
            "next_cursor": found.next_cursor,
            "previous_cursor": found.previous_cursor,
        },
        status=status_of(form),
    )


def _side(request: HttpRequest, chosen: Sorting) -> bool:
    """Whether the list of the excluded is meant; a static list has none."""
    said = request.POST.get("list") or request.GET.get("list") or "included"
    if said not in ("included", "excluded"):
        raise QuestionError("list", "list is included or excluded")
    return said == "excluded" and chosen.kind != "list"


# --- from a file ----------------------------------------------------------------------------------------------
@page("segments.edit", takes=("list",))
def segment_upload(request: HttpRequest, key: str, *, now: datetime) -> HttpResponse:
    """First what each line means, then, once somebody has looked, the additions: both read the same text."""
    chosen = segment(key)
    excluded = _side(request, chosen)
    sent = request.POST.copy() if request.method == "POST" else None
    form = UploadForm(sent, request.FILES or None, initial={"by": "any", "excluded": excluded})
    found: Recognised | None = None
    text = ""
    if sent is not None and form.is_valid():
        told = form.cleaned_data
        try:
            text = _text(told["file"]) or told["text"]
            lines, said = lines_of(text=text, column=told["column"])
            way = told["by"] or "any"
            found = recognised(lines=lines, by=said if way == "any" and said else way)
        except QuestionError as error:
            beside(form, error)
        else:
            if "add" in request.POST:
                _added(request, chosen, found.customers, excluded=excluded, now=now)
                return redirect(_address(chosen, excluded=excluded))
    if text and sent is not None:
        # What was in a file stands in the form from now on: a file field forgets, and the answer adds what was shown.
        sent["text"] = text
    customers = [] if found is None else _people(found.customers[:SHOWN])
    return render(
        request,
        "pages/segment_upload.html",
        {
            **Place("segment", chosen).context("list"),
            "now": now,
            "form": form,
            "text": text,
            "excluded": excluded,
            "shows": "excluded" if excluded else "included",
            "found": found,
            "people": customers,
            "more": 0 if found is None else max(len(found.customers) - SHOWN, 0),
            "refused": [] if found is None else found.refused[: 4 * SHOWN],
            "refused_more": 0 if found is None else max(len(found.refused) - 4 * SHOWN, 0),
        },
        status=status_of(form),
    )


def _text(file: UploadedFile | None) -> str:
    """What a file says; spreadsheets on Windows write UTF-8 with a mark, or Windows-1252."""
    if file is None:
        return ""
    if (file.size or 0) > LARGEST_FILE:
        raise QuestionError("file", _("A file has at most 4 MB; take it apart."))
    body = file.read()
    if b"\0" in body:
        raise QuestionError("file", _("This is not a text file. Save the sheet as CSV first."))
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return body.decode("cp1252", errors="replace")


# --- from the list of customers -------------------------------------------------------------------------------
@require_POST
@page("segments.edit")
def lists_add(request: HttpRequest, *, now: datetime) -> HttpResponse:
    """Put customers that were ticked in a list on the list of a segment: asks which, then does it."""
    chosen = _people(_numbers(request.POST.getlist("customer")))
    form = ChosenForm(request.POST if "segment" in request.POST else None)
    if not chosen:
        messages.warning(request, _("Tick the customers that you want to put on a list first."))
        return redirect("customers")
    if form.is_bound and form.is_valid():
        told = form.cleaned_data
        try:
            target = segment(told["segment"].strip())
        except NotThereError:
            form.add_error("segment", _("There is no such list or segment."))
        else:
            excluded = told["side"] == "excluded" and target.kind != "list"
            _added(request, target, [number for number, _name in chosen], excluded=excluded, now=now)
            return redirect(_address(target, excluded=excluded))
    every = sorted(segments(), key=lambda one: (one.kind != "list", one.name.casefold()))
    context = {"form": form, "people": chosen, "segments": every, "now": now}
    return render(request, "pages/lists_add.html", context, status=status_of(form))


# --- inside ---------------------------------------------------------------------------------------------------
def _added(request: HttpRequest, chosen: Sorting, customers: Sequence[int], *, excluded: bool, now: datetime) -> None:
    added = add_members(segment=chosen.id, customers=customers, now=now, excluded=excluded, author=_author(request))
    advance_customers(customers=sorted(customers)[:AT_ONCE])
    before = len(set(customers)) - added
    said = ngettext("%(n)d customer was added.", "%(n)d customers were added.", added) % {"n": added}
    if before:
        said += " " + ngettext("%(n)d was on it already.", "%(n)d were on it already.", before) % {"n": before}
    messages.success(request, said)


def _one(text: str) -> int:
    found = recognised(lines=[Line(1, text.strip())], by="any")
    for refused in found.refused:
        several = ", ".join(str(number) for number in refused.customers)
        raise QuestionError("who", f"{refused.reason} {several}".strip())
    return found.customers[0]


def _numbers(texts: Sequence[str]) -> list[int]:
    """The customers of those ids who are there."""
    asked = [int(text) for text in texts[:10_000] if text.isascii() and text.isdigit() and len(text) <= 18]
    return list(Customer.objects.filter(pk__in=asked, merged_into=None).values_list("pk", flat=True))


def _people(numbers: Sequence[int]) -> list[tuple[int, str]]:
    found = Customer.objects.filter(pk__in=list(numbers)).order_by("pk")
    names = names_of(list(found))
    return sorted(names.items())


def _address(chosen: Sorting, *, excluded: bool) -> str:
    return reverse("segment_list", args=[chosen.key]) + ("?list=excluded" if excluded else "")


def _author(request: HttpRequest) -> int | None:
    return request.user.pk
