"""Taking lists and timelines away as files: sent at once, or made while one does something else."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, QueryDict, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analytics.exports.asked import in_words
from analytics.exports.formats import CONTENT_TYPES
from analytics.exports.jobs import downloaded, folder, noted, of, refuse_unmakeable, stop
from analytics.exports.links import opens, token
from analytics.exports.sending import sent
from analytics.models import Export
from analytics.row_pages import row_page
from clm.lib.access.models import Role, User
from clm.lib.questions import ConflictError, NotThereError, QuestionError

from .asking import dates_of, page, refuse_unknown
from .customers import TAKES
from .forms import Crumb, beside, confirm, status

# What a file is asked for beside what the list is.
ASKED = ("what", "format", "bom", "customer", "role")
_FILE_ONLY = frozenset({"what", "format", "bom", "cursor", "columns", "before"})
SENT_AT_ONCE = tuple(CONTENT_TYPES)
WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PARQUET = "application/vnd.apache.parquet"
_MADE_FIRST = {Export.Format.XLSX: WORKBOOK, Export.Format.PARQUET: PARQUET}


class ExportForm(forms.Form):
    """What the file is to hold, and how it is written."""

    what = forms.ChoiceField(label=gettext_lazy("What"), choices=Export.Subject.choices, widget=forms.RadioSelect)
    format = forms.ChoiceField(
        label=gettext_lazy("Format"),
        choices=[
            (Export.Format.CSV, gettext_lazy("CSV, for spreadsheets and everything else")),
            (
                Export.Format.XLSX,
                gettext_lazy(
                    "XLSX, for spreadsheets: dates and amounts ready to count with; a sheet holds a million rows, more"
                    " go on in the next"
                ),
            ),
            (Export.Format.JSONL, gettext_lazy("JSONL, for programs")),
            (Export.Format.PARQUET, gettext_lazy("Parquet, for data science and warehouses: columns with types")),
        ],
        widget=forms.RadioSelect,
    )


@page("customers.export", takes=(*TAKES, *ASKED))
def export_new(request: HttpRequest, *, now: datetime) -> HttpResponse:
    """Ask for a file of what a list or a timeline shows; the query is that list's."""
    question = question_of(request.GET)
    customer = request.GET.get("customer", "")
    usual = Export.Subject.TOUCHPOINTS if customer else Export.Subject.CUSTOMERS
    initial = {"what": usual, "format": Export.Format.CSV}
    form = ExportForm(request.POST or None, initial=initial)
    if customer:
        del form.fields["what"]
    if request.method == "POST" and form.is_valid():
        told = {**initial, **form.cleaned_data}
        what = {"subject": told["what"], "dialect": Export.Dialect.PAGE, "question": question}
        try:
            refuse_unmakeable(**what, now=now)
            noted(who=_person(request), **what, format=told["format"], byte_order_mark=True, now=now)
        except (QuestionError, ConflictError) as error:
            beside(form, error)
        else:
            messages.success(request, _("The file is being made. You may leave this page; it is kept here."))
            return redirect("exports")
    back = _back(question, customer)
    asked = [one for one in in_words([question]).get(question, ()) if one.key != "customer"]
    context = {"form": form, "crumbs": [back], "back": back, "asked": asked, "question": question}
    return render(request, "pages/export_new.html", context, status=status(form))


@page("customers.export", takes=(*TAKES, *ASKED))
def customers_export(request: HttpRequest, *, now: datetime) -> StreamingHttpResponse:
    """The list as its address asks for it, sent while it is made: `what` customers or touchpoints, `format` csv or
    jsonl. `bom=0` leaves out the byte order mark that Excel needs."""
    refuse_unknown(request)
    for name, message in dates_of(request).errors.items():
        raise QuestionError(name, message)  # before it is written down that a file was sent
    query = request.GET
    subject = query.get("what") or (Export.Subject.TOUCHPOINTS if query.get("customer") else Export.Subject.CUSTOMERS)
    return streamed(
        who=_person(request),
        subject=subject,
        format=query.get("format") or Export.Format.CSV,
        dialect=Export.Dialect.PAGE,
        question=question_of(query),
        byte_order_mark=query.get("bom") != "0",
        now=now,
    )


@page("customers.export", takes=("cursor",))
def exports(request: HttpRequest, *, now: datetime) -> HttpResponse:
    """The files somebody asked for; admins see those of everybody, as an account of what has left the house."""
    person = _person(request)
    found = Export.objects.all() if person.role == Role.ADMIN else Export.objects.filter(of(person))
    page_shown = row_page(found, order=("-pk",), cursor=request.GET.get("cursor") or None)
    rows = page_shown.rows
    said = in_words([row.question for row in rows])
    shown = [
        {
            "export": row,
            "link": _link(row, person),
            "is_mine": row.user_id == person.pk,
            "asked": said.get(row.question, ()),
        }
        for row in rows
    ]
    context = {
        "now": now,
        "rows": shown,
        "next_cursor": page_shown.next_cursor,
        "previous_cursor": page_shown.previous_cursor,
        # What is being made is new, and so on the first page.
        "moves": page_shown.previous_cursor is None and any(row.is_open for row in rows),
        "sees_all": person.role == Role.ADMIN,
    }
    template = "parts/export_rows.html" if request.headers.get("HX-Request") else "pages/exports.html"
    return render(request, template, context)


@page("customers.export")
def export_file(request: HttpRequest, export_id: int, secret: str, *, now: datetime) -> HttpResponse:
    """The file itself, for whoever asked for it, until its time is over."""
    refuse_unknown(request)
    found = Export.objects.filter(of(_person(request)), pk=export_id).first()
    if found is None or not opens(found, secret, now=now):
        raise NotThereError("this file is not there, or not there any more")
    return as_attachment(found, now=now)


@page("customers.export")
def export_stop(request: HttpRequest, export_id: int, *, now: datetime) -> HttpResponse:
    found = Export.objects.filter(of(_person(request)), pk=export_id).first()
    if found is None:
        raise NotThereError("there is no such file")
    back = Crumb(reverse("exports"), _("Exports"))
    error = ""
    if request.method == "POST":
        try:
            stop(export=found, now=now)
        except ConflictError as refused:
            error = str(refused)
        else:
            messages.success(request, _("The file is gone."))
            return redirect("exports")
    return confirm(
        request,
        title=_("Remove this file?"),
        consequences=[
            _("It is not made any further, or is removed if it is made; its link leads nowhere."),
            _("That it was asked for stays in the list."),
        ],
        button=_("Remove"),
        back=back.url,
        crumbs=[back],
        error=error,
    )


# --- shared with the API --------------------------------------------------------------------------------------
def streamed(
    *, who: Any, subject: str, format: str, dialect: str, question: str, byte_order_mark: bool, now: datetime
) -> StreamingHttpResponse:
    """A file that is sent while it is made. What cannot be answered is refused before anything is sent."""
    if subject not in Export.Subject.values:
        raise QuestionError("what", _("A file holds customers or touchpoints."))
    if format not in SENT_AT_ONCE:
        raise QuestionError("format", _("What is sent at once is CSV or JSONL; other formats are made first."))
    refuse_unmakeable(subject=subject, dialect=dialect, question=question, now=now)
    export = noted(
        who=who,
        subject=subject,
        format=format,
        dialect=dialect,
        question=question,
        byte_order_mark=byte_order_mark,
        now=now,
        state=Export.State.STREAMED,
    )
    answer = StreamingHttpResponse(sent(export), content_type=CONTENT_TYPES[format])
    answer["Content-Disposition"] = f'attachment; filename="{name_of(export)}"'
    answer["Cache-Control"] = "no-store"
    return answer


def as_attachment(export: Export, *, now: datetime) -> HttpResponse:
    """A finished file."""
    try:
        file = (folder() / export.file).open("rb")
    except FileNotFoundError:
        raise Http404(_("This file is not there any more.")) from None
    downloaded(export=export, now=now)
    answer = FileResponse(
        file,
        as_attachment=True,
        filename=name_of(export),
        content_type=CONTENT_TYPES.get(export.format) or _MADE_FIRST[Export.Format(export.format)],
    )
    answer["Cache-Control"] = "no-store"
    return answer  # type: ignore[return-value]  # a response all the same


def name_of(export: Export) -> str:
    """What a file is called: what is in it, and as of when."""
    return f"{export.subject}-{export.as_of or export.asked_at:%Y-%m-%dT%H%M%SZ}.{export.format}"


def question_of(query: QueryDict) -> str:
    """The query of a list without what only says how a file is written, or which page is shown."""
    return urlencode(
        [(key, value) for key, values in query.lists() if key not in _FILE_ONLY for value in values if value]
    )


def _back(question: str, customer: str) -> Crumb:
    if customer.isdigit():
        return Crumb(reverse("customer", args=[int(customer)]), _("Customer"))
    return Crumb(f"{reverse('customers')}{'?' if question else ''}{question}", _("Customers"))


def _link(export: Export, person: User) -> str:
    if export.state != Export.State.READY or export.user_id != person.pk:
        return ""
    return reverse("export_file", args=[export.pk, token(export)])


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # pages know people only
    return request.user
