"""What customers ask support for, and how long they wait: tickets opened in a period, their reasons, the times until
the first answer and until they are resolved, by the calendar and by business hours.

A ticket is a customer and a reference. What is still open counts for as long as it has been seen (Kaplan-Meier):
leaving it out would make slow support look fast."""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clm.lib.business_hours import BusinessHours, BusinessTime
from clm.lib.milliseconds import from_ms, to_ms
from clm.lib.questions import QuestionError
from customers.models import Installation, Role

from .days.remembered import remembered, remembered_rows
from .intervals import wilson
from .retention import retention
from .sales import types_of
from .scope import Scope
from .survival import Quantile, quantile_of

Int64s = npt.NDArray[np.int64]
MINUTE = 60_000
_NOT_YET = 1 << 62  # in the place of an instant
# Reasons told one by one; the rest is told together.
MOST_REASONS = 20
# Tickets of a customer by what became of them.
GROUPS = {
    "opened": gettext_lazy("who opened a ticket"),
    "answered": gettext_lazy("with a ticket that was answered by now"),
    "waiting": gettext_lazy("with a ticket that waits for its first answer"),
    "resolved": gettext_lazy("with a ticket that was resolved by now"),
    "open": gettext_lazy("with a ticket that is open"),
    "reopened": gettext_lazy("with a ticket that was opened again after it was resolved"),
}


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket opened in the period, as far as it is known. answered_at: of the first reply, or of being resolved
    without one; resolved_at: the first time; opened_last_at, resolved_last_at: the last ones."""

    customer: int
    opened_at: datetime
    answered_at: datetime | None
    resolved_at: datetime | None
    opened_last_at: datetime
    resolved_last_at: datetime | None
    reason: str
    ref: str

    @property
    def is_reopened(self) -> bool:
        return self.resolved_at is not None and self.opened_last_at > self.resolved_at

    @property
    def is_open(self) -> bool:
        """Never resolved, or opened again since."""
        return self.resolved_last_at is None or self.opened_last_at > self.resolved_last_at


_BECAME: dict[str, Callable[[Ticket], bool]] = {
    "opened": lambda _one: True,
    "answered": lambda one: one.answered_at is not None,
    "waiting": lambda one: one.answered_at is None,
    "resolved": lambda one: one.resolved_at is not None,
    "open": lambda one: one.is_open,
    "reopened": lambda one: one.is_reopened,
}


@dataclass(frozen=True, slots=True)
class Counted:
    """Tickets, and the customers they are of; group: their name for lists."""

    tickets: int
    customers: int
    group: str


@dataclass(frozen=True, slots=True)
class Wait:
    """How long something took, in minutes: when half and when nine of ten tickets had come so far; number: tickets,
    ended: of these so far."""

    number: int
    ended: int
    median: Quantile
    p90: Quantile


@dataclass(frozen=True, slots=True)
class Reason:
    """What a ticket is about, as its opening says; "" where it says nothing. share: of all tickets."""

    name: str
    counted: Counted
    share: Fraction
    interval: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Support:
    """Support of one scope. became: tickets by GROUPS; first_response, resolution: by the calendar and in business
    hours; active: customers who were active in the period, per_active: tickets for each, None without any."""

    scope: Scope
    hours: BusinessHours
    became: dict[str, Counted]
    first_response: tuple[Wait, Wait]
    resolution: tuple[Wait, Wait]
    reasons: tuple[Reason, ...]
    further_reasons: int
    further_tickets: int
    active: int
    per_active: Fraction | None

    @property
    def tickets(self) -> int:
        return self.became["opened"].tickets


def business_hours(installation: Installation) -> BusinessHours:
    """When this organisation is at work."""
    return BusinessHours(
        zone=installation.time_zone,
        weekdays=frozenset(int(digit) for digit in installation.support_days),
        opens=installation.support_opens,
        closes=installation.support_closes,
    )


def support(*, scope: Scope) -> Support:
    """Tickets of a period and what became of them by the scope's as_of."""
    hours = business_hours(Installation.current())
    told: _Told = remembered(
        "analytics/support",
        of=scope.generation,
        count=lambda: _told(_tickets(scope, of=scope.generation), hours, to_ms(scope.as_of)),
        hours=hours,
        **_question(scope),
    )
    tickets, active = told.became["opened"].tickets, retention(scope=scope).active
    return Support(
        scope=scope,
        hours=hours,
        became=told.became,
        first_response=told.first_response,
        resolution=told.resolution,
        reasons=told.reasons,
        further_reasons=told.further_reasons,
        further_tickets=told.further_tickets,
        active=active,
        per_active=Fraction(tickets, active) if active else None,
    )


@dataclass(frozen=True, slots=True)
class _Told:
    """What is counted of the tickets of one question, as in Support."""

    became: dict[str, Counted]
    first_response: tuple[Wait, Wait]
    resolution: tuple[Wait, Wait]
    reasons: tuple[Reason, ...]
    further_reasons: int
    further_tickets: int


def _told(tickets: Sequence[Ticket], hours: BusinessHours, until: int) -> _Told:
    """until: what happened by then is known, in milliseconds since 1970."""
    reasons = Counter(one.reason for one in tickets)
    told = sorted(reasons, key=lambda name: (-reasons[name], name))[:MOST_REASONS]
    about: dict[str, list[Ticket]] = defaultdict(list)
    for one in tickets:
        about[one.reason].append(one)
    opened = np.array([to_ms(one.opened_at) for one in tickets], np.int64)
    answered, resolved = (
        np.array([_NOT_YET if at is None else to_ms(at) for at in instants], np.int64)
        for instants in ((one.answered_at for one in tickets), (one.resolved_at for one in tickets))
    )
    # Tickets come in the order in which they were opened, and nothing is known beyond `until`.
    clock = BusinessTime(hours, instants=[*(one.opened_at for one in tickets[:1]), from_ms(until)])
    return _Told(
        became={name: _counted([one for one in tickets if holds(one)], name) for name, holds in _BECAME.items()},
        first_response=_waits(opened, answered, until, clock),
        resolution=_waits(opened, resolved, until, clock),
        reasons=tuple(
            Reason(
                name=name,
                counted=_counted(about[name], f"reason:{name}"),
                share=Fraction(reasons[name], len(tickets)),
                interval=wilson(reasons[name], len(tickets)),
            )
            for name in told
        ),
        further_reasons=len(reasons) - len(told),
        further_tickets=len(tickets) - sum(reasons[name] for name in told),
    )


def _counted(tickets: Sequence[Ticket], group: str) -> Counted:
    return Counted(len(tickets), len({one.customer for one in tickets}), f"tickets:{group}")


def _waits(opened: Int64s, ended: Int64s, until: int, clock: BusinessTime) -> tuple[Wait, Wait]:
    """By the calendar, and by business hours."""
    is_over = ended < _NOT_YET
    end = np.maximum(opened, np.where(is_over, ended, until))
    begins, ends, before = (np.array(column, np.int64) for column in clock.stretches())

    def worked(at: Int64s) -> Int64s:
        place = np.searchsorted(begins, at, side="right") - 1
        inside = before[place] + np.minimum(ends[place], at) - begins[place]
        return np.where(place < 0, 0, inside)

    working = worked(end) - worked(opened) if len(begins) else np.zeros(len(opened), np.int64)
    return _wait((end - opened) // MINUTE, is_over), _wait(working // MINUTE, is_over)


def _wait(minutes: Int64s, is_over: npt.NDArray[np.bool_]) -> Wait:
    time, place = np.unique(minutes, return_inverse=True)
    ended, open_ = (np.bincount(place[kind], minlength=len(time)) for kind in (is_over, ~is_over))
    counts = (time, ended, open_)
    return Wait(len(minutes), int(is_over.sum()), quantile_of(*counts, 0.5), quantile_of(*counts, 0.9))


# --- whom it counts ----------------------------------------------------------------------------------------------
def refuse_unknown_group(group: str) -> None:
    """QuestionError names the field `group` when there is no such group."""
    _parsed(group)


def said(group: str) -> str:
    """What the customers of a group have in common, as the end of "12 customers ..."."""
    name, reason = _parsed(group)
    if name != "reason":
        return str(GROUPS[name])
    if not reason:
        return _("who opened a ticket without a reason")
    return _("who opened a ticket about “%(reason)s”") % {"reason": reason}


def customers_of(*, scope: Scope, group: str) -> list[int]:
    """The ids of the customers of a group, in order."""
    return sorted({one.customer for one in tickets_of(scope=scope, group=group)})


def tickets_of(*, scope: Scope, group: str) -> list[Ticket]:
    """The tickets that a group of customers is counted by, in the order they were opened."""
    name, reason = _parsed(group)
    holds = _BECAME.get(name, lambda one: one.reason == reason)
    return [one for one in _tickets(scope, of=scope.generation) if holds(one)]


def _parsed(group: str) -> tuple[str, str]:
    """The name and, of a reason, which; a reason may hold colons."""
    _word, _colon, rest = group.partition(":")
    name, colon, reason = rest.partition(":")
    if (name == "reason" and colon) or (name in GROUPS and not colon):
        return name, reason
    raise QuestionError("group", _("There is no group “%(group)s”.") % {"group": group[:60]})


def _question(scope: Scope) -> dict[str, Any]:
    return {
        "support": types_of(Role.SUPPORT),
        "start_at": scope.period.start_at,
        "until_at": scope.until_at,
        "until_known": scope.as_of,
        **scope.among,
    }


def _tickets(scope: Scope, *, of: str | None) -> list[Ticket]:
    rows = remembered_rows("analytics/support_tickets", of=of, packs=scope.packs, **_question(scope))
    return [
        Ticket(customer, opened, answered, resolved, opened_last, resolved_last, reason or "", ref)
        for customer, opened, answered, resolved, opened_last, resolved_last, reason, ref in rows
    ]
