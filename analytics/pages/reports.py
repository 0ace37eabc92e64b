"""Reports: pages of figures that come by mail. What they hold, when they are due, who receives them, and what became of
every mail. Whoever was put on a list takes himself off by an address of his own, without signing in."""

from datetime import datetime
from typing import Any
from uuid import uuid4

from csp.decorators import csp_update
from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from analytics.models import Mailing, Recipient, Report, Sending
from analytics.reports.keeping import (
    add_outsider,
    add_page,
    add_user,
    ask_preview,
    ask_test,
    change_report,
    create_report,
    pause,
    possible_address,
    possible_name,
    possible_page,
    remove_recipient,
    remove_report,
    resume,
    send_again,
    take_out_page,
)
from analytics.reports.leaving import come_back, found_recipient, leave
from analytics.reports.letters import Letter
from analytics.reports.planning import receiving, why_not
from analytics.reports.questions import question_said, without_dates
from analytics.reports.schedule import LAST_DAY, weekdays
from analytics.reports.shown_letters import as_shown, styles_in, text_shown
from analytics.reports.spans import ASKED, SPANS, question_at
from analytics.reports.views import VIEWS
from analytics.row_pages import row_page
from clm.lib.access.invitations import sends_mail
from clm.lib.access.models import User
from clm.lib.access.table import can
from clm.lib.questions import ConflictError, NotThereError, QuestionError
from customers.models import Installation

from .asking import page
from .forms import Crumb, beside, by_rule, confirm, made_once, status

MOST_SENDINGS = 12  # of each mailing that the history shows


class ReportForm(forms.Form):
    """What a report is called, what it is about, and when it is sent. `form_id` makes sending the form twice
    harmless."""

    name = forms.CharField(label=gettext_lazy("Name"), validators=[by_rule(possible_name)])
    span = forms.ChoiceField(
        label=gettext_lazy("About"),
        choices=[(key, label) for key, (label, _days) in SPANS.items()],
        initial=ASKED,
        help_text=gettext_lazy("A period that goes along with time takes the place of the one on the page."),
    )
    cadence = forms.ChoiceField(
        label=gettext_lazy("Sent"), choices=Report.Cadence.choices, widget=forms.RadioSelect, initial="weekly"
    )
    weekday = forms.TypedChoiceField(
        label=gettext_lazy("Day of the week"), required=False, coerce=int, empty_value=None
    )
    day = forms.TypedChoiceField(label=gettext_lazy("Day of the month"), required=False, coerce=int, empty_value=None)
    at = forms.TimeField(
        label=gettext_lazy("Time"),
        initial="08:00",
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        error_messages={
            "required": gettext_lazy("Say at what time."),
            "invalid": gettext_lazy("Write a time like 08:00."),
        },
    )
    with_csv = forms.BooleanField(label=gettext_lazy("Attach CSV, a file for each page"), required=False)
    with_xlsx = forms.BooleanField(label=gettext_lazy("Attach XLSX, one workbook"), required=False)
    form_id = forms.UUIDField(widget=forms.HiddenInput, initial=uuid4)

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        weekday: Any = self.fields["weekday"]
        weekday.choices = weekdays()
        day: Any = self.fields["day"]
        day.choices = [(LAST_DAY, _("the last day")), *((one, str(one)) for one in range(1, 32))]
        zone = Installation.current().time_zone
        self.fields["at"].help_text = _("In the time zone of the organisation, %(zone)s.") % {"zone": zone}

    @property
    def told(self) -> dict[str, Any]:
        """What was told of the report itself."""
        return {name: value for name, value in self.cleaned_data.items() if name != "form_id"}


class AddressForm(forms.Form):
    address = forms.CharField(
        label=gettext_lazy("Mail address"),
        validators=[by_rule(possible_address)],
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )


@page("reports.edit", takes=("cursor",))
def reports(request: HttpRequest, *, now: datetime) -> HttpResponse:
    zone = Installation.current().time_zone
    every = Report.objects.select_related("owner").prefetch_related("recipients__user")
    found = row_page(every, order=("name", "pk"), cursor=request.GET.get("cursor") or None)
    last = {
        one.report_id: one
        for one in Mailing.objects.filter(kind=Mailing.Kind.DUE, report__in=found.rows)
        .order_by("report", "-pk")
        .distinct("report")
        .defer("content")
    }
    rows = [
        {
            "report": one,
            "pages": [str(VIEWS[each["view"]].title) for each in one.pages if each["view"] in VIEWS],
            "schedule": one.schedule.sentence(zone=zone),
            "next": None if one.paused_at else one.schedule.next_after(now, zone=zone),
            "recipients": sum(each.left_at is None for each in one.recipients.all()),
            "last": last.get(one.pk),
        }
        for one in found.rows
    ]
    context = {
        "now": now,
        "rows": rows,
        "next_cursor": found.next_cursor,
        "previous_cursor": found.previous_cursor,
        "sends_mail": sends_mail(),
    }
    return render(request, "pages/reports.html", context)


@page("reports.edit", takes=("page", "question"))
def report_new(request: HttpRequest, *, now: datetime) -> HttpResponse:
    """Save a page of figures, as it is asked, in a report of its own or in one that there is."""
    key = request.GET.get("page", "overview")
    question, left_out = without_dates(request.GET.get("question", ""))
    kept = possible_page(key, question, now=now)
    view = VIEWS[key]
    form = ReportForm(request.POST if request.method == "POST" and "into" not in request.POST else None)
    if request.method == "POST":
        try:
            if "into" in request.POST:
                into = _report(request.POST["into"])
                add_page(report=into, view=kept["view"], question=kept["question"], now=now)
                messages.success(request, _("The page is in the report."))
                return redirect("report", into.pk)
            if form.is_valid():
                number, _new = made_once(
                    request,
                    form_id=form.cleaned_data["form_id"],
                    make=lambda: (
                        create_report(
                            told={**form.told, "pages": [kept]}, owner=_person(request), site=_site(request), now=now
                        ).pk
                    ),
                )
                messages.success(request, _("The report is saved. Say now who receives it."))
                return redirect("report", number)
        except (QuestionError, ConflictError) as error:
            if not form.is_bound:
                messages.error(request, str(error))
                return redirect(request.get_full_path())
            beside(form, error)
    back = Crumb(view.address(kept["question"]), str(view.title))
    context = {
        "form": form,
        "crumbs": [back],
        "back": back,
        "view": view,
        "asked": question_said(kept["question"]),
        "left_out": left_out,
        "others": Report.objects.order_by("name", "pk")[:200],
    }
    return render(request, "pages/report_form.html", context, status=status(form))


@page("reports.edit")
def report_edit(request: HttpRequest, report_id: int, *, now: datetime) -> HttpResponse:
    report = _report(report_id)
    names = ("name", "span", "cadence", "weekday", "day", "at", "with_csv", "with_xlsx")
    form = ReportForm(request.POST or None, initial={name: getattr(report, name) for name in names})
    if request.method == "POST" and form.is_valid():
        try:
            change_report(report=report, told=form.told, site=_site(request), now=now)
        except QuestionError as error:
            beside(form, error)
        else:
            messages.success(request, _("Saved."))
            return redirect("report", report.pk)
    back = _back(report)
    context = {"form": form, "crumbs": [_back(), back], "back": back, "report": report}
    return render(request, "pages/report_form.html", context, status=status(form))


@page("reports.edit", takes=("cursor",))
def report(request: HttpRequest, report_id: int, *, now: datetime) -> HttpResponse:
    """One report with its acts that need no asking, and what became of its mails."""
    found = _report(report_id)
    if request.method == "POST":
        try:
            return _done(request, found, now)
        except (ConflictError, QuestionError) as error:
            messages.error(request, str(error))
            return redirect("report", found.pk)
    zone = Installation.current().time_zone
    written = found.mailings.defer("content").prefetch_related("sendings__user")
    mailings = row_page(written, order=("-pk",), cursor=request.GET.get("cursor") or None)
    on_list = list(found.recipients.select_related("user").order_by("pk"))
    context = {
        "now": now,
        "report": found,
        "crumbs": [_back()],
        "pages": [_page_row(at, one, found.span, now=now, zone=zone) for at, one in enumerate(found.pages)],
        "about": SPANS[found.span][0],
        "schedule": found.schedule.sentence(zone=zone),
        "next": None if found.paused_at else found.schedule.next_after(now, zone=zone),
        "zone": zone,
        "recipients": [(one, why_not(one, found)) for one in on_list],
        "receive": len(receiving(found)) if on_list else 0,
        "users": _users_to_add(on_list),
        "mailings": [_mailing_row(one) for one in mailings.rows],
        "next_cursor": mailings.next_cursor,
        "previous_cursor": mailings.previous_cursor,
        # What moves is new, and so on the first page.
        "moves": mailings.previous_cursor is None and any(_moves(one) for one in mailings.rows),
        "sends_mail": sends_mail(),
        "may_outside": can(request.user, "reports.send_outside"),
    }
    template = "parts/mailing_rows.html" if request.headers.get("HX-Request") else "pages/report.html"
    return render(request, template, context)


@page("reports.edit")
def report_remove(request: HttpRequest, report_id: int, *, now: datetime) -> HttpResponse:
    found = _report(report_id)
    back = _back(found)
    if request.method == "POST":
        remove_report(report=found)
        messages.success(request, _("The report is removed."))
        return redirect("reports")
    return confirm(
        request,
        title=_("Remove this report?"),
        consequences=[
            _("Nobody receives it any more."),
            _("What was sent of it is forgotten, too, and who took himself off its list. To keep that, pause it."),
        ],
        button=_("Remove"),
        back=back.url,
        crumbs=[_back(), back],
    )


@page("reports.send_outside")
def report_outside(request: HttpRequest, report_id: int, *, now: datetime) -> HttpResponse:
    """Have a report sent to an address outside."""
    found = _report(report_id)
    back = _back(found)
    form = AddressForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            add_outsider(report=found, text=form.cleaned_data["address"], by=_person(request).email, now=now)
        except (QuestionError, ConflictError) as error:
            beside(form, error)
        else:
            messages.success(request, _("This address receives the report from now on."))
            return redirect("report", found.pk)
    context = {"form": form, "report": found, "crumbs": [_back(), back], "back": back}
    return render(request, "pages/report_outside.html", context, status=status(form))


@page("reports.edit")
def report_mailing(request: HttpRequest, report_id: int, mailing_id: int, *, now: datetime) -> HttpResponse:
    """A mail as it was sent, or would be."""
    found = _report(report_id)
    mailing = Mailing.objects.filter(report=found, pk=mailing_id).prefetch_related("sendings__user").first()
    if mailing is None:
        raise NotThereError("there is no such mailing")
    letter = Letter.unpacked(bytes(mailing.content)) if mailing.content is not None else None
    html = as_shown(letter) if letter else ""
    context = {
        "now": now,
        "report": found,
        "mailing": mailing,
        "row": _mailing_row(mailing),
        "letter": letter,
        "shown": html,
        "text": text_shown(letter) if letter else "",
        "files": [(name, len(data)) for name, _kind, data in letter.files] if letter else [],
        "crumbs": [_back(), _back(found)],
        "moves": _moves(mailing),
        "sends_mail": sends_mail(),
    }
    answer = render(request, "pages/report_mailing.html", context)
    if letter and request.headers.get("HX-Request"):
        # The page that waited keeps the policy it came with, which knows nothing of this letter's style sheet.
        answer["HX-Refresh"] = "true"
    # The frame of the letter has the policy of the page around it.
    csp_update({"style-src": styles_in(html)})(lambda _request: answer)(request)
    return answer


@csrf_exempt  # mail programs post here by themselves (RFC 8058); the signature in the address lets them in
@require_http_methods(["GET", "HEAD", "POST"])
def report_leave(request: HttpRequest, recipient_id: int, signature: str) -> HttpResponse:
    """Take somebody off a list, or on it again because he says so. Opening the address changes nothing."""
    recipient = found_recipient(recipient_id, signature)
    if recipient is None:
        return render(request, "pages/report_leave.html", {"recipient": None}, status=404)
    if request.method == "POST":
        if request.POST.get("act") == "back":
            come_back(recipient=recipient)
        else:
            leave(recipient=recipient, now=timezone.now())
        recipient.refresh_from_db()
    answer = render(request, "pages/report_leave.html", {"recipient": recipient, "is_done": request.method == "POST"})
    answer["Cache-Control"] = "no-store"
    answer["X-Robots-Tag"] = "noindex"
    return answer


def _done(request: HttpRequest, report: Report, now: datetime) -> HttpResponse:
    """Do what a button of the page asks for."""
    who, told = _person(request), request.POST
    match told.get("act"):
        case "preview":
            mailing = ask_preview(report=report, by=who.email, now=now)
            return redirect("report_mailing", report.pk, mailing.pk)
        case "test":
            mailing = ask_test(report=report, user=who, now=now)
            messages.success(request, _("The test is on its way to %(address)s.") % {"address": who.email})
            return redirect("report_mailing", report.pk, mailing.pk)
        case "pause":
            pause(report=report, now=now)
            messages.success(request, _("The report is paused."))
        case "resume":
            resume(report=report, now=now)
            messages.success(request, _("The report is sent again from its next time on."))
        case "add":
            number = told.get("user", "")
            user = User.objects.filter(pk=int(number)).first() if number.isdigit() and len(number) < 18 else None
            if user is None:
                raise QuestionError("user", _("Choose who is to receive it."))
            add_user(report=report, user=user, by=who.email, now=now)
            messages.success(request, _("%(who)s receives it from now on.") % {"who": user})
        case "off":
            number = told.get("recipient", "")
            recipient = report.recipients.filter(pk=int(number)).first() if number.isdigit() else None
            if recipient is None:
                raise NotThereError("there is no such recipient")
            remove_recipient(recipient=recipient)
            messages.success(request, _("Taken off the list."))
        case "take out":
            place = told.get("place", "")
            take_out_page(report=report, place=int(place) if place.isdigit() else -1)
            messages.success(request, _("The page is taken out of the report."))
        case "again":
            number = told.get("sending", "")
            found = Sending.objects.filter(mailing__report=report, pk=int(number) if number.isdigit() else 0).first()
            if found is None:
                raise NotThereError("there is no such mail")
            send_again(sending=found, now=now)
            messages.success(request, _("It is sent once more."))
            return redirect("report_mailing", report.pk, found.mailing_id)
        case _:
            raise QuestionError("act", _("There is no such act."))
    return redirect("report", report.pk)


def _page_row(at: int, told: dict[str, str], span: str, *, now: datetime, zone: str) -> dict[str, Any]:
    """What one page is asked, in words, and its address with the days that a letter written now would tell of."""
    view = VIEWS.get(told["view"])
    if view is None:
        return {"place": at, "title": told["view"], "asked": question_said(told["question"]), "url": ""}
    question = question_at(view=view, question=told["question"], span=span, due_at=now, zone=zone)
    return {
        "place": at,
        "title": view.title,
        "asked": question_said(told["question"], span=span if view.has_period else ASKED),
        "url": view.address(question),
    }


def _mailing_row(one: Mailing) -> dict[str, Any]:
    sendings = sorted(one.sendings.all(), key=lambda each: each.pk)
    told = {state: sum(each.state == state for each in sendings) for state in Sending.State.values}
    return {
        "mailing": one,
        "sendings": sendings[:MOST_SENDINGS],
        "all": sendings,
        "more": max(0, len(sendings) - MOST_SENDINGS),
        "counts": [(state, label, told[state]) for state, label in Sending.State.choices if told[state]],
    }


def _moves(one: Mailing) -> bool:
    """Whether something happens to it without anybody doing anything."""
    if one.state == Mailing.State.WAITING:
        return True
    return any(each.state == Sending.State.SENDING or _is_soon(each) for each in one.sendings.all())


def _is_soon(sending: Sending) -> bool:
    return sending.state == Sending.State.WAITING and sending.attempts == 0


def _users_to_add(on_list: list[Recipient]) -> list[User]:
    known = {one.user_id for one in on_list if one.left_at is None}
    return [one for one in User.objects.filter(is_active=True).order_by("name", "email")[:500] if one.pk not in known]


def _back(report: Report | None = None) -> Crumb:
    if report is None:
        return Crumb(reverse("reports"), _("Reports"))
    return Crumb(reverse("report", args=[report.pk]), report.name)


def _report(number: int | str) -> Report:
    text = str(number)
    found = Report.objects.select_related("owner").filter(pk=int(text) if text.isdigit() and len(text) < 19 else 0)
    report = found.first()
    if report is None:
        raise NotThereError("there is no such report")
    return report


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


def _site(request: HttpRequest) -> str:
    """Scheme and host by which somebody sees this installation: links in mails lead there."""
    return request.build_absolute_uri("/")
