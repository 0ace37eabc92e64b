"""What customers ask support for, and how long they wait."""

from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from analytics.customer_list import anybody
from analytics.files import Cell, scope_cells
from analytics.support import Counted, Support, Ticket, Wait, support
from analytics.survival import INTERVAL, Quantile
from analytics.tickets import MINUTE, ListedTicket, NotYetError, ticket_read, tickets
from clm.lib.templatetags.numbers import quantity_text

from .asking import FIGURES, dates_of, page, question
from .dates import DATES
from .exports import answered_file
from .installation import WEEKDAYS
from .news import news_of

TAKES = tuple(name for name in FIGURES if name not in ("compare", "lines", "currency", "model"))
BECAME = {
    "opened": gettext_lazy("Opened in the period"),
    "answered": gettext_lazy("Answered by now"),
    "waiting": gettext_lazy("Waiting for a first answer"),
    "resolved": gettext_lazy("Resolved by now"),
    "open": gettext_lazy("Open"),
    "reopened": gettext_lazy("Opened again after being resolved"),
}
CLOCKS = (("calendar", gettext_lazy("By the calendar")), ("business", gettext_lazy("In business hours")))


@page("metrics.view", takes=TAKES)
def support_page(request: HttpRequest, *, now: datetime) -> HttpResponse:
    asked = question(request.GET, now=now, takes=TAKES, errors_are_shown=True)
    context = {
        **asked.context,
        "segments": asked.choices["segments"],
        "no_lines": True,
        "now": now,
        "news": news_of(),
        "file_address": "support_file",
    }
    if not anybody():
        return render(request, "pages/support.html", {**context, "empty": True}, status=asked.status)
    found = support(scope=asked.scope)
    return render(
        request,
        "pages/support.html",
        {
            **context,
            "found": found,
            "became": [
                (BECAME[name], one, _url(found, one), tickets_url(found, name)) for name, one in found.became.items()
            ],
            "waits": [
                *waits_said(_("First answer"), found.first_response),
                *waits_said(_("Resolved"), found.resolution),
            ],
            "reasons": [
                (one, _url(found, one.counted), tickets_url(found, f"reason:{one.name}")) for one in found.reasons
            ],
            "hours": hours_said(found),
            "active_url": f"{reverse('customers')}?group=active&{found.scope.query()}",
        },
        status=asked.status,
    )


@page("metrics.view", takes=TAKES)
def support_file(request: HttpRequest, kind: str, *, now: datetime) -> HttpResponse:
    """What the page of support shows, as a file."""
    asked = question(request.GET, now=now, takes=TAKES)
    if not anybody():
        raise Http404
    return answered_file(kind=kind, name="support", cells=support_cells(support(scope=asked.scope)))


def _url(found: Support, one: Counted) -> str:
    return f"{reverse('customers')}?group={quote(one.group)}&{found.scope.query()}" if one.customers else ""


def tickets_url(found: Support, which: str) -> str:
    """The list of the tickets that a number is made of."""
    return f"{reverse('support_tickets')}?which={quote(which)}&{found.scope.query()}"


@page("customers.view", takes=(*TAKES, "which", "cursor"))
def support_tickets(request: HttpRequest, *, now: datetime) -> HttpResponse:
    """Tickets opened in a period, one by one."""
    asked = question(request.GET, now=now, takes=TAKES)
    which = request.GET.get("which") or next(iter(BECAME))
    found = tickets(scope=asked.scope, group=which, cursor=request.GET.get("cursor") or None)
    reason = which.removeprefix("reason:") if which.startswith("reason:") else None
    return render(
        request,
        "pages/support_tickets.html",
        {
            **asked.context,
            "segments": asked.choices["segments"],
            "no_lines": True,
            "now": now,
            "news": news_of(),
            "choices": [(name, label, name == which) for name, label in BECAME.items()],
            "reason": reason,
            "has_reason": reason is not None,
            "found": found,
            "rows": [_row(one) for one in found.tickets],
            "is_first": not request.GET.get("cursor"),
        },
        status=asked.status,
    )


def _row(one: ListedTicket) -> dict[str, Any]:
    ticket = one.ticket
    return {
        "ticket": ticket,
        "known_as": one.known_as,
        "url": ticket_url(ticket.customer, ticket.ref),
        "state": state_of(ticket),
        "answered": _after(ticket.opened_at, ticket.answered_at),
        "resolved": _after(ticket.opened_at, ticket.resolved_at),
    }


def _after(start: datetime, end: datetime | None) -> str:
    return "" if end is None else lasting((end - start) // MINUTE)


def state_of(ticket: Ticket) -> tuple[str, str]:
    """How a ticket stands: a tone, and the word."""
    if ticket.is_open:
        return ("warn", _("opened again")) if ticket.is_reopened else ("warn", _("open"))
    return "good", _("resolved")


def ticket_url(customer: int, ref: str) -> str:
    """The page of one ticket."""
    return f"{reverse('support_ticket', args=[customer])}?{urlencode({'ref': ref})}"


@page("customers.view", takes=("ref", *DATES))
def support_ticket(request: HttpRequest, customer_id: int, *, now: datetime) -> HttpResponse:
    """One ticket: what happened of it in order, and how long it took."""
    dates = dates_of(request)
    try:
        found = ticket_read(
            customer=customer_id, ref=request.GET.get("ref", ""), now=now, as_of=dates.at, known_at=dates.known_at
        )
    except NotYetError as error:  # a page with its dates, so that one gets back to now
        shown = {"now": now, "later": error, "said": str(error), "news": news_of(customer=error.customer)}
        return render(request, "pages/support_ticket_later.html", shown, status=404)
    if found.customer != customer_id:
        return redirect(f"{reverse('support_ticket', args=[found.customer])}?{request.GET.urlencode()}")
    waits = []
    for title, lasted in ((_("First answer"), found.first_answer), (_("Resolved"), found.resolution)):
        if lasted is not None:
            calendar, business = (lasting(time // MINUTE) for time in (lasted.calendar, lasted.business))
            waits.append({"title": title, "calendar": calendar, "business": business, "is_over": lasted.is_over})
    return render(
        request,
        "pages/support_ticket.html",
        {
            "now": now,
            "moment": found.at,
            "found": found,
            "state": state_of(found.ticket) if found.ticket is not None else None,
            "waits": waits,
            "news": news_of(customer=found.customer),
        },
    )


def hours_said(found: Support) -> str:
    """When this organisation is at work."""
    hours = found.hours
    days = ", ".join(str(WEEKDAYS[day]) for day in sorted(hours.weekdays))
    said = _("Business hours: %(days)s, %(opens)s to %(closes)s in %(zone)s.")
    return said % {"days": days, "opens": hours.opens, "closes": hours.closes, "zone": hours.zone}


def waits_said(title: str, pair: tuple[Wait, Wait]) -> list[dict[str, Any]]:
    """A row for each clock: tickets, how many ended so far, and the times with their intervals."""
    return [
        {
            "title": title,
            "clock": label,
            "number": wait.number,
            "ended": wait.ended,
            "median": _told(wait.median),
            "p90": _told(wait.p90),
        }
        for (_key, label), wait in zip(CLOCKS, pair, strict=True)
    ]


def _told(one: Quantile) -> tuple[str, str]:
    """A time, and its interval."""
    if one.time is None:
        return _("n/a"), _("fewer have so far")
    low = lasting(one.low or 0)
    high = lasting(one.high) if one.high is not None else _("open")
    return lasting(one.time), _("%(low)s to %(high)s") % {"low": low, "high": high}


def lasting(minutes: int) -> str:
    """Minutes below two hours, hours below two days, then days."""
    if minutes < 120:
        return ngettext("%d minute", "%d minutes", minutes) % minutes
    if minutes < 2880:
        hours = round(minutes / 60, 1)
        return _("%s hours") % quantity_text(hours, "ratio", None)
    return quantity_text(round(minutes / 1440, 1), "days", None)


def support_cells(found: Support) -> list[Cell]:
    cells = scope_cells(scope=found.scope)
    for name, one in found.became.items():
        cells.append(Cell("tickets", name, "tickets", one.tickets, "tickets"))
        cells.append(Cell("tickets", name, "customers", one.customers, "customers"))
    for item, pair in (("first answer", found.first_response), ("resolved", found.resolution)):
        for (clock, _label), wait in zip(CLOCKS, pair, strict=True):
            for part, one_quantile in (("median", wait.median), ("p90", wait.p90)):
                note = "fewer have so far" if one_quantile.time is None else INTERVAL
                cells.append(Cell(f"minutes, {clock}", item, part, one_quantile.time, "minutes", note))
                cells.append(Cell(f"minutes, {clock}", item, f"{part} low", one_quantile.low, "minutes"))
                cells.append(Cell(f"minutes, {clock}", item, f"{part} high", one_quantile.high, "minutes"))
    for reason in found.reasons:
        cells.append(Cell("reasons", reason.name, "tickets", reason.counted.tickets, "tickets"))
        cells.append(Cell("reasons", reason.name, "customers", reason.counted.customers, "customers"))
    cells.append(Cell("reasons", "others", "tickets", found.further_tickets, "tickets"))
    cells.append(Cell("contacts", "active customers", "", found.active, "customers"))
    per = None if found.per_active is None else round(float(found.per_active), 9)
    note = "" if per is not None else "nobody was active"
    cells.append(Cell("contacts", "tickets per active customer", "", per, "ratio", note))
    return cells
