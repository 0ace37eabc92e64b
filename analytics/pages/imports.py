"""Bringing in files of people: choosing a file, saying what its columns mean, trying, running, and looking at what
became of it. Requests only write down what is asked; workers do it (`customers.importing.work`)."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from analytics.imports import Preview, import_account, import_of, imports_page, lines_set_aside, people_of, preview_of
from clm.lib.questions import ConflictError, NotThereError, QuestionError
from customers.demonstration import demonstration_sources, said_beside
from customers.importing.asking import WISHES, ask, change_mapping, discard, undoable
from customers.importing.begin import keep_upload
from customers.importing.errors import error_file
from customers.importing.guess import looks_like_order_lines
from customers.importing.mapping import RECOGNISING
from customers.importing.presets import mistaken
from customers.importing.words import CONFLICT_WORDS
from customers.ingest import clock
from customers.models import Import, Role, TouchpointType
from customers.parsing import BadFile

from .asking import page
from .forms import Crumb, beside, confirm
from .import_forms import (
    COMMON_FORMATS,
    TYPES,
    FileForm,
    WrittenForm,
    column_rows,
    columns_said,
    said_of_columns,
    written_as,
)
from .progress import Job

State = Import.State
WORKING = (State.CHECKING, State.WAITING, State.RUNNING, State.UNDOING)
UNREADABLE = {"faulty_order", "wrong_width", "bad_text", "bad_number", "bad_time"}  # of lines of orders
SAMPLE = (
    "customer_id,email,first_name,last_name,company,customer_since,newsletter\r\n"
    "1001,ada@example.org,Ada,Byron,Analytical Engines,2025-03-04,yes\r\n"
    "1002,grace@example.org,Grace,Hopper,,2025-04-05,no\r\n"
)


@page("imports.run", takes=("cursor",))
def imports(request: HttpRequest, *, now: datetime) -> HttpResponse:
    found = imports_page(page=request.GET.get("cursor") or None)
    return render(request, "pages/imports.html", {"now": now, "page": found})


@page("imports.run")
def import_new(request: HttpRequest, *, now: datetime) -> HttpResponse:
    form = FileForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            record = keep_upload(
                blocks=file.chunks(1 << 20),
                file_name=file.name,
                preset=form.cleaned_data["preset"],
                now=now,
                author=request.user,
            )
        except BadFile as error:
            form.add_error("file", str(error))
        except QuestionError as error:
            beside(form, error)
        else:
            return redirect("import", record.pk)
    context = {"form": form, "crumbs": _above(), "steps": _steps("file"), "sample": SAMPLE}
    return render(request, "pages/import_new.html", context, status=422 if form.is_bound and form.errors else 200)


@page("imports.run")
def import_sample(request: HttpRequest, *, now: datetime) -> HttpResponse:
    """A small file that can be brought in as it stands."""
    response = HttpResponse("\ufeff" + SAMPLE, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="customers.csv"'
    return response


@page("imports.run")
def import_one(request: HttpRequest, import_id: int, *, now: datetime) -> HttpResponse:
    record = import_of(import_id)
    if request.method == "POST":
        return _columns(request, record)
    return _shown(request, record, now=now)


def _columns(request: HttpRequest, record: Import) -> HttpResponse:
    """Say anew what the columns mean, and then perhaps try it or run it."""
    form = WrittenForm(request.POST)
    header: Sequence[str] = ()
    try:
        if not form.is_valid():
            return _shown(request, record, form=form)
        header = preview_of(record).header
        document = {
            **record.mapping,
            **form.said(),
            "columns": columns_said(header=header, told=request.POST.dict(), document=record.mapping),
        }
        changed = change_mapping(record=record.pk, document=document)
        wish = request.POST.get("then", "")
        if wish in ("check", "start"):
            ask(record=changed.pk, wish=wish)
    except QuestionError as error:
        form.add_error(error.field if error.field in form.fields else None, said_of_columns(error, header))
        return _shown(request, record, form=form)
    except (BadFile, ConflictError) as error:
        messages.error(request, str(error))
    return redirect("import", record.pk)


def _shown(
    request: HttpRequest, record: Import, *, now: datetime | None = None, form: WrittenForm | None = None
) -> HttpResponse:
    context: dict[str, Any] = {
        "now": now or record.created_at,
        "record": record,
        "crumbs": _above(),
        "job": _job(record),
        "checked": _checked(record),
        "steps": _steps(_step(record)),
        "may": _may(record),
        "may_undo": undoable(record, now=clock()),
        "beside": said_beside(demonstration_sources(beside=record.source.key)),
    }
    if record.state == State.DRAFT:
        preview = preview_of(record)
        context |= {"preview": preview, "types": TYPES, "formats": COMMON_FORMATS} | _form(record, preview, form)
        if preview.header:
            context["mistaken"] = mistaken(preset=record.preset, header=preview.header, file_name=record.file_name)
    elif record.state not in WORKING:
        context |= {"account": import_account(record.pk), "people": people_of(record), "mending": _mending(record)}
    wrong = form is not None and bool(form.errors)
    return render(request, "pages/import_one.html", context, status=422 if wrong else 200)


def _form(record: Import, preview: Preview, form: WrittenForm | None) -> dict[str, Any]:
    if record.kind != Import.Kind.ROWS:
        return {}
    rows = column_rows(header=preview.header, rows=preview.cells, document=record.mapping)
    return {
        "form": form or WrittenForm(initial=written_as(record.mapping)),
        "columns": rows,
        "tells_purchases": _tells_purchases(record.mapping),
        "seems_orders": not record.preset and looks_like_order_lines(preview.header),
        "names_somebody": any(
            use.get("as") in RECOGNISING for uses in record.mapping.get("columns", {}).values() for use in _listed(uses)
        ),
    }


def _tells_purchases(document: dict[str, Any]) -> bool:
    """Whether rows of the file count as orders, which another system may have told of already."""
    told = {one["type"] for one in document.get("touchpoints", []) if one.get("amount") and not one.get("is_refund")}
    return bool(told) and TouchpointType.objects.filter(role=Role.PURCHASE, name__in=told).exists()


@require_POST
@page("imports.run")
def import_ask(request: HttpRequest, import_id: int, wish: str, *, now: datetime) -> HttpResponse:
    """Try it, run it, pause it, go on, stop it."""
    record = import_of(import_id)
    if wish not in WISHES or wish == "undo":
        raise NotThereError(wish)
    try:
        ask(record=record.pk, wish=wish)
    except ConflictError as error:
        messages.error(request, str(error))
    return redirect("import", record.pk)


@page("imports.run")
def import_discard(request: HttpRequest, import_id: int, *, now: datetime) -> HttpResponse:
    """Throw a draft away, after a word."""
    record = import_of(import_id)
    error = ""
    if request.method == "POST":
        try:
            discard(record=record.pk)
            messages.success(request, _("The file is thrown away; nothing of it was stored."))
            return redirect("imports")
        except ConflictError as refused:
            error = str(refused)
    return confirm(
        request,
        title=_("Throw %(file)s away?") % {"file": record.file_name},
        consequences=[_("The file and what was said of its columns are deleted."), _("Nothing of it was stored.")],
        button=_("Throw it away"),
        back=reverse("import", args=[record.pk]),
        crumbs=_above(),
        error=error,
    )


@page("imports.run")
def import_undo(request: HttpRequest, import_id: int, *, now: datetime) -> HttpResponse:
    """Take all of it back, after a word."""
    record = import_of(import_id)
    error = ""
    if request.method == "POST":
        try:
            ask(record=record.pk, wish="undo")
            return redirect("import", record.pk)
        except ConflictError as refused:
            error = str(refused)
    return confirm(
        request,
        title=_("Take %(file)s back?") % {"file": record.file_name},
        consequences=[
            _("The touchpoints, traits, ids, consents and companies that it brought are deleted."),
            _("People whom it made one are two again, and companies say again what they said before."),
            _("Customers whom it made, and of whom nothing else is known, are customers no more."),
            _("What came from elsewhere stays, and counts as if this import had never been."),
            _("The file can be brought in again."),
        ],
        button=_("Take it back"),
        back=reverse("import", args=[record.pk]),
        crumbs=_above(),
        error=error,
    )


@page("imports.run")
def import_progress(request: HttpRequest, import_id: int, *, now: datetime) -> HttpResponse:
    """How far it is; when it is done, the page is told to look again."""
    record = import_of(import_id)
    job = _job(record)
    if job is not None and record.state in WORKING:
        return render(request, "parts/progress.html", {"job": job})
    response = HttpResponse()
    response["HX-Refresh"] = "true"
    return response


@page("imports.run")
def import_errors(request: HttpRequest, import_id: int, *, now: datetime) -> HttpResponse | StreamingHttpResponse:
    """The rows that could not be used, to be mended and brought in again."""
    record = import_of(import_id)
    if record.kind != Import.Kind.ROWS or not record.rows.exists():
        raise NotThereError("the rows of this import are not kept any more")
    parts: Iterator[bytes] = error_file(record=record)
    response = StreamingHttpResponse(parts, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="import-{record.pk}-errors.csv"'
    return response


def _checked(record: Import) -> dict[str, Any] | None:
    """What a dry run counted, with words for its conflicts and its examples in the order of the file."""
    if record.checked is None:
        return None
    conflicts = [
        (CONFLICT_WORDS[key](kept["rows"]), kept["rows"], kept["examples"])
        for key, kept in record.checked["conflicts"].items()
    ]
    at = datetime.fromisoformat(record.checked["at"])
    found = {**record.checked, "at": at, "conflicts": conflicts, "touchpoints": record.checked["touchpoints"].items()}
    shown = [(does, _example(one)) for does, some in record.checked["examples"].items() for one in some]
    found["shown"] = sorted(shown, key=lambda each: each[1]["line"])
    found["set_aside"] = lines_set_aside(record.checked["set_aside"])
    days = ("first", "last")
    found["waiting"] = [
        {**one, **{day: date.fromisoformat(one[day]) for day in days}} for one in record.checked.get("waiting", ())
    ]
    for name in ("orders", "customers"):
        if name in found:
            found[f"{name}_known"] = found[name] - found[f"{name}_new"]
    return found


def _example(one: dict[str, Any]) -> dict[str, Any]:
    """An example of a dry run, its touchpoints with their instants."""
    told = [(name, datetime.fromisoformat(at)) for name, at in one.get("touchpoints", ())]
    return {**one, "touchpoints": told}


def _mending(record: Import) -> str:
    """How lines that were set aside are mended: in the "file" of errors, in the "lines" of the file itself, or "" for
    nothing to be mended, as of orders that were called off."""
    if record.kind == Import.Kind.ROWS:
        return "file" if record.set_aside and record.rows.exists() else ""
    is_taken_back = record.state == State.UNDONE
    return "" if is_taken_back or UNREADABLE.isdisjoint(record.set_aside) else "lines"


def _job(record: Import) -> Job | None:
    """The work on an import, if there is any."""
    title = {
        State.CHECKING: _("Trying the file"),
        State.WAITING: _("Waiting for a worker"),
        State.RUNNING: _("Bringing the file in"),
        State.PAUSED: _("Paused"),
        State.UNDOING: _("Taking it back"),
    }.get(State(record.state))
    if title is None:
        return None
    progress = record.progress
    total = progress.get("rows", 0) if progress.get("phase") != "reading" else 0
    done = progress.get("checked", 0) if record.state == State.CHECKING else record.lines_read
    if record.state == State.UNDOING:
        done, total = progress.get("undone", 0), progress.get("undo", 0)
    return Job(
        id="import",
        title=title,
        state="paused" if record.state == State.PAUSED else "running",
        done=done,
        total=total,
        unit=_("rows") if record.state != State.UNDOING else _("parts"),
        note=_("You may leave this page; it goes on by itself."),
        url=reverse("import_progress", args=[record.pk]),
    )


def _may(record: Import) -> set[str]:
    """What can be asked of it now."""
    return {wish for wish, (states, _state) in WISHES.items() if record.state in states}


def _step(record: Import) -> str:
    if record.state == State.DRAFT:
        return "columns" if record.checked is None else "check"
    return "check" if record.state == State.CHECKING else "run"


def _steps(now: str) -> list[dict[str, str]]:
    names = (
        ("file", _("File")),
        ("columns", _("Columns")),
        ("check", _("Dry run")),
        ("run", _("Import")),
    )
    place = [key for key, _name in names].index(now)
    states = ["done" if at < place else "now" if at == place else "ahead" for at in range(len(names))]
    return [{"name": name, "state": state, "url": ""} for (_key, name), state in zip(names, states, strict=True)]


def _listed(uses: Any) -> list[dict[str, Any]]:
    return uses if isinstance(uses, list) else [uses]


def _above() -> list[Crumb]:
    return [Crumb(reverse("imports"), _("Imports"))]
