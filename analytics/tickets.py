"""Tickets one by one: a list of those opened in a period, and one ticket with everything that happened of it.

A ticket is a customer and a reference; what is counted of many stands in `support`, and is the same here."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, TextField, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce, Lower, NullIf, Trim
from django.utils.translation import gettext as _

from clm.lib.business_hours import BusinessTime
from clm.lib.cursors import cursor as written_cursor
from clm.lib.cursors import parse_cursor
from clm.lib.milliseconds import to_ms
from clm.lib.periods import local_day
from clm.lib.questions import NotThereError, QuestionError
from clm.lib.templatetags.times import plain_date
from customers.models import Installation, Role, Touchpoint

from .customer_figures import names_by_id
from .customer_record import found_customer, profiles_of
from .scope import Scope
from .support import GROUPS, Ticket, business_hours, refuse_unknown_group, tickets_of
from .timeline import Entry, entries_of, happened

PAGE = 50
MINUTE = timedelta(minutes=1)
_NOTHING = Value("", output_field=TextField())
# What happened of a ticket whose events have no property `event`.
NAMED = {"Ticket Opened": "opened", "Ticket Replied": "replied", "Ticket Resolved": "resolved"}


class NotYetError(NotThereError):
    """There is a ticket of that reference, but there was none at the instant asked about; the message says since when.
    ref: its reference; customer, known_as: whose it is."""

    def __init__(self, said: str, *, ref: str, customer: int, known_as: str) -> None:
        super().__init__(said)
        self.ref, self.customer, self.known_as = ref, customer, known_as


@dataclass(frozen=True, slots=True)
class Lasted:
    """How long something took, or has taken until now: by the calendar and in business hours. is_over: whether it has
    ended."""

    calendar: timedelta
    business: timedelta
    is_over: bool


@dataclass(frozen=True, slots=True)
class TicketRead:
    """One ticket as far as it is known. first_answer, resolution: from the opening on; both None where nobody opened
    it. entries: what happened, in order."""

    ref: str
    customer: int
    known_as: str
    ticket: Ticket | None
    first_answer: Lasted | None
    resolution: Lasted | None
    entries: tuple[Entry, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class ListedTicket:
    """One ticket of a list, with the customer's name."""

    ticket: Ticket
    known_as: str


@dataclass(frozen=True, slots=True)
class TicketPage:
    """Tickets of a group, the latest opened first. number: of all of them; next_cursor: None at the end."""

    tickets: tuple[ListedTicket, ...]
    number: int
    next_cursor: str | None


def ticket_read(
    *, customer: int, ref: str, now: datetime, as_of: datetime | None = None, known_at: datetime | None = None
) -> TicketRead:
    """A ticket with its touchpoints in order, as of an instant and as known at another. QuestionError names the field
    `ref` where none is asked for; NotThereError when the customer has none of that reference, NotYetError when it is
    there by now."""
    if not ref:
        raise QuestionError("ref", _("Say which ticket: its reference belongs into the address as ref."))
    found, _survivor = found_customer(customer, known_at=known_at)
    told = _events(customer=found.pk, ref=ref, as_of=as_of, known_at=known_at)
    if not told:
        if as_of is not None or known_at is not None:
            _refuse_too_early(customer=found.pk, ref=ref, at=as_of or known_at or now, known_at=known_at)
        raise NotThereError(_("This customer has no ticket %(ref)s.") % {"ref": ref[:60]})
    at = as_of or known_at or now
    ticket = _ticket(found.pk, ref, _steps(told))
    first_answer = resolution = None
    if ticket is not None:
        first_answer, resolution = _lasted(ticket, at)
    return TicketRead(
        ref=ref,
        customer=found.pk,
        known_as=names_by_id([found.pk])[found.pk],
        ticket=ticket,
        first_answer=first_answer,
        resolution=resolution,
        entries=entries_of(told),
        at=at,
    )


def _refuse_too_early(*, customer: int, ref: str, at: datetime, known_at: datetime | None) -> None:
    """NotYetError where the customer has a ticket by now of which nothing was known at the instant asked about."""
    found, _survivor = found_customer(customer)  # by the merges of today
    told = _events(customer=found.pk, ref=ref)
    if not told:
        return
    zone, named = Installation.current().time_zone, {"ref": ref[:60]}
    happened_by_then = [one.received_at for one in told if one.occurred_at <= at]
    if not happened_by_then:
        opened = _ticket(found.pk, ref, _steps(told))
        first = told[0].occurred_at
        if opened is not None and opened.opened_at == first:
            said = _("Ticket %(ref)s was opened later, on %(day)s.")
        else:
            said = _("Nothing of ticket %(ref)s had happened by then: it begins on %(day)s.")
        named["day"] = plain_date(local_day(first, zone))
    elif known_at is not None and min(happened_by_then) > known_at:
        said = _("Ticket %(ref)s was not known then: we learnt of it on %(day)s.")
        named["day"] = plain_date(local_day(min(happened_by_then), zone))
    else:
        said = _("Ticket %(ref)s was not known to be this customer's then.")
    raise NotYetError(said % named, ref=ref, customer=found.pk, known_as=names_by_id([found.pk])[found.pk])


def _events(*, customer: int, ref: str, as_of: datetime | None = None, known_at: datetime | None = None) -> list[Any]:
    """The touchpoints of a ticket in order, each with its `event` and `reason` beside it."""
    if "\x00" in ref:  # no text that is stored holds one
        return []
    events = (
        happened(Touchpoint.objects.all(), as_of=as_of, known_at=known_at)
        .filter(
            profile__in=profiles_of(customer=customer, known_at=known_at),
            type__role=Role.SUPPORT,
            properties__has_any_keys=["ticket_ref", "ticket_id"],
        )
        .annotate(
            ref=Coalesce(
                NullIf(KeyTextTransform("ticket_ref", "properties"), _NOTHING),
                KeyTextTransform("ticket_id", "properties"),
            ),
            event=Lower(KeyTextTransform("event", "properties")),
            reason=Coalesce(
                NullIf(Trim(KeyTextTransform("reason", "properties")), _NOTHING),
                NullIf(Trim(KeyTextTransform("subject", "properties")), _NOTHING),
            ),
        )
        .filter(ref=ref)
        .select_related("type", "channel", "source")
        .order_by("occurred_at", F("pk"))
    )
    return list(events)


def _steps(told: Sequence[Any]) -> list[tuple[datetime, str | None, str | None]]:
    """When each of them happened, what it was of a ticket, and the reason it gives."""
    return [(one.occurred_at, one.event or NAMED.get(one.type.name), one.reason) for one in told]


def tickets(*, scope: Scope, group: str, cursor: str | None = None, most: int = PAGE) -> TicketPage:
    """A page of the tickets that a number is made of. group: one of `support.GROUPS`, or reason:...; QuestionError
    names the field `which`."""
    try:
        refuse_unknown_group(f"tickets:{group}")
    except QuestionError:
        said = _("Choose one of %(known)s, or reason: and a reason.") % {"known": ", ".join(GROUPS)}
        raise QuestionError("which", said) from None
    found = sorted(tickets_of(scope=scope, group=f"tickets:{group}"), key=lambda one: (-to_ms(one.opened_at), one.ref))
    start = 0
    if cursor:
        _kind, (opened, passed) = parse_cursor(cursor, kinds="q", count=2)
        start = sum(to_ms(one.opened_at) > opened for one in found) + max(passed, 0)
    shown = found[start : start + most]
    following = None
    if start + most < len(found):
        opened = to_ms(shown[-1].opened_at)
        # Of those opened at the same instant, how many the pages up to here have shown.
        passed = sum(to_ms(one.opened_at) == opened for one in found[: start + most])
        following = written_cursor("q", opened, passed)
    names = names_by_id([one.customer for one in shown])
    return TicketPage(tuple(ListedTicket(one, names[one.customer]) for one in shown), len(found), following)


def _ticket(customer: int, ref: str, events: Sequence[tuple[datetime, str | None, str | None]]) -> Ticket | None:
    """What became of a ticket by its events in order; None where it was never opened."""
    opened = [(at, reason) for at, event, reason in events if event == "opened"]
    if not opened:
        return None
    first, reason = opened[0]
    since = [(at, event) for at, event, _reason in events if at >= first]

    def when(*names: str) -> list[datetime]:
        return [at for at, event in since if event in names]

    resolved = when("resolved")
    return Ticket(
        customer=customer,
        opened_at=first,
        answered_at=next(iter(when("replied", "resolved")), None),
        resolved_at=next(iter(resolved), None),
        opened_last_at=when("opened", "reopened")[-1],
        resolved_last_at=resolved[-1] if resolved else None,
        reason=(reason or "")[:100],
        ref=ref,
    )


def _lasted(ticket: Ticket, at: datetime) -> tuple[Lasted, Lasted]:
    ends = [ticket.answered_at, ticket.resolved_at]
    now = max(at, ticket.opened_at)
    clock = BusinessTime(
        business_hours(Installation.current()), instants=[ticket.opened_at, now, *(end for end in ends if end)]
    )
    one, other = (
        Lasted((end or now) - ticket.opened_at, clock.between(ticket.opened_at, end or now), end is not None)
        for end in ends
    )
    return one, other
