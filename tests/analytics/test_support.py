"""What customers ask support for and how long they wait: against counting tickets one by one."""

import random
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from analytics.behind import customers_behind, refuse_unknown_group, said
from analytics.scope import Scope
from analytics.support import MOST_REASONS, support
from analytics.survival import quantile
from analytics.tickets import Lasted, NotYetError, ticket_read, tickets
from clm.lib.business_hours import BusinessTime
from clm.lib.periods import days
from clm.lib.questions import NotThereError, QuestionError
from clm.lib.templatetags.times import plain_date
from customers.merge import merge
from customers.models import Installation, Touchpoint
from tests.factories import day
from tests.lifecycle.making import customer_of, happened, installed, tell

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 6, 20, tzinfo=UTC)


@pytest.fixture(autouse=True)
def installation() -> Iterator[None]:
    installed(time_zone="UTC")
    yield


def asked(start: str = "2026-05-01", until: str = "2026-06-01", as_of: datetime = NOW, **more: Any) -> Scope:
    return Scope(days(start=day(start).date(), until=day(until).date(), zone="UTC"), as_of, **more)


def event(person: str, ref: str, what: str, at: str | datetime, **more: Any) -> Any:
    instant = day(at) if isinstance(at, str) else at
    properties = {"ticket_ref": ref, "event": what, **more}
    return happened(person, f"Ticket {what.title()}", instant, properties=properties)


def test_a_ticket_is_opened_answered_resolved_and_opened_again() -> None:
    tell(
        event("a", "T1", "opened", "2026-05-04T10:00", reason="delivery", subject="late"),  # a Monday
        event("a", "T1", "replied", "2026-05-04T11:30"),
        event("a", "T1", "replied", "2026-05-04T12:30"),
        event("a", "T1", "resolved", "2026-05-05T10:00"),
        event("b", "T2", "opened", "2026-05-08T16:00", subject="payment"),  # a Friday
        event("b", "T2", "resolved", "2026-05-11T10:00"),  # without a reply
        event("b", "T2", "opened", "2026-05-12T10:00"),
        event("c", "T3", "opened", "2026-05-20T10:00"),
        event("c", "T4", "opened", "2026-04-30T10:00"),  # before the period
        event("c", "T4", "opened", "2026-05-20T10:00"),  # so this opens no ticket
        event("d", "T5", "opened", "2026-06-01"),  # after it
    )
    found = support(scope=asked())
    counts = {name: (one.tickets, one.customers) for name, one in found.became.items()}
    assert counts == {
        "opened": (3, 3),
        "answered": (2, 2),
        "waiting": (1, 1),
        "resolved": (2, 2),
        "open": (2, 2),
        "reopened": (1, 1),
    }
    calendar, business = found.first_response
    assert (calendar.number, calendar.ended) == (3, 2)
    # Two of three: half had an answer after the second, nine of ten not yet.
    assert calendar.median.time == 2 * 24 * 60 + 18 * 60
    assert calendar.p90.time is None
    # Friday 16 to 17, and Monday 9 to 10.
    assert business.median.time == 120
    assert [one.name for one in found.reasons] == ["", "delivery", "payment"]
    assert customers_behind(scope=asked(), group="tickets:reopened") == [customer_of("b")]
    assert customers_behind(scope=asked(), group="tickets:reason:") == [customer_of("c")]


def test_one_ticket_is_told_as_it_is_counted_among_many() -> None:
    tell(
        event("a", "T 1/ü", "opened", "2026-05-08T16:00", reason=" delivery "),  # a Friday
        event("a", "T 1/ü", "replied", "2026-05-11T10:00", reason="no"),
        event("a", "T 1/ü", "resolved", "2026-05-11T11:00"),
        happened(
            "a", "Ticket Opened", day("2026-05-12T10:00"), properties={"ticket_ref": "T 1/ü", "event": "reopened"}
        ),
        event("b", "T 1/ü", "opened", "2026-05-20T10:00"),  # another customer's of the same name
        happened("a", "Ticket Opened", day("2026-05-05T10:00"), properties={"ticket_id": 7, "subject": "bill"}),
        event("a", "T9", "replied", "2026-05-13T10:00"),
    )
    scope = asked()
    listed = {(one.ticket.customer, one.ticket.ref): one.ticket for one in tickets(scope=scope, group="opened").tickets}
    a, b = customer_of("a"), customer_of("b")
    assert set(listed) == {(a, "T 1/ü"), (b, "T 1/ü"), (a, "7")}
    for (customer, ref), one in listed.items():
        assert ticket_read(customer=customer, ref=ref, now=NOW).ticket == one
    found = ticket_read(customer=a, ref="T 1/ü", now=NOW)
    assert [entry.type for entry in found.entries] == [
        "Ticket Opened", "Ticket Replied", "Ticket Resolved", "Ticket Opened",
    ]  # fmt: skip
    assert found.ticket is not None and found.ticket.is_reopened and found.ticket.reason == "delivery"
    hour = timedelta(hours=1)
    assert found.first_answer == Lasted(66 * hour, 2 * hour, True)  # Friday 16 to 17, Monday 9 to 10
    assert found.resolution == Lasted(67 * hour, 3 * hour, True)
    early = ticket_read(customer=a, ref="T 1/ü", now=NOW, as_of=day("2026-05-08T18:00"))
    assert (len(early.entries), early.first_answer) == (1, Lasted(2 * hour, hour, False))
    unopened = ticket_read(customer=a, ref="T9", now=NOW)
    assert (unopened.ticket, unopened.first_answer, len(unopened.entries)) == (None, None, 1)
    for customer, ref in ((a, "T2"), (b, "7"), (a, "\x00")):
        for as_of in (None, day("2026-05-07")):
            with pytest.raises(NotThereError, match="has no ticket"):
                ticket_read(customer=customer, ref=ref, now=NOW, as_of=as_of)
    with pytest.raises(QuestionError, match="which ticket"):
        ticket_read(customer=a, ref="", now=NOW)


def test_a_ticket_that_was_not_there_yet_says_since_when_it_is() -> None:
    tell(
        event("a", "T1", "opened", "2026-05-08T16:00"),
        event("a", "T1", "replied", "2026-05-09T16:00"),
        event("a", "T2", "replied", "2026-05-13T10:00"),
    )
    a = customer_of("a")
    learnt = Touchpoint.objects.order_by("received_at").values_list("received_at", flat=True)[0]
    before = learnt - timedelta(hours=1)
    for ref, then, words in (
        ("T1", {"as_of": day("2026-05-08T15:59")}, "Ticket T1 was opened later, on 8 May 2026."),
        ("T2", {"as_of": day("2026-05-08")}, "Nothing of ticket T2 had happened by then: it begins on 13 May 2026."),
        ("T1", {"as_of": day("2026-05-07"), "known_at": before}, "Ticket T1 was opened later, on 8 May 2026."),
        (
            "T1",
            {"as_of": day("2026-05-10"), "known_at": before},
            f"Ticket T1 was not known then: we learnt of it on {plain_date(learnt.date())}.",
        ),
    ):
        with pytest.raises(NotYetError, match=f"^{re.escape(words)}$"):
            ticket_read(customer=a, ref=ref, now=NOW, **then)
    assert ticket_read(customer=a, ref="T1", now=NOW, as_of=day("2026-05-08T16:00")).ticket is not None


def test_tickets_opened_at_one_instant_are_each_listed_once() -> None:
    tell(*[event(f"p{n}", f"T{n}", "opened", "2026-05-04T10:00") for n in range(7)])
    seen, cursor = [], None
    while True:
        page = tickets(scope=asked(), group="open", cursor=cursor, most=3)
        seen += [one.ticket.ref for one in page.tickets]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert sorted(seen) == [f"T{n}" for n in range(7)]


def test_what_was_not_known_yet_does_not_count() -> None:
    tell(event("a", "T1", "opened", "2026-05-04T10:00"), event("a", "T1", "replied", "2026-05-06T10:00"))
    early = support(scope=asked(as_of=day("2026-05-05T10:00")))
    assert (early.became["answered"].tickets, early.became["waiting"].tickets) == (0, 1)
    assert early.first_response[0].median.time is None
    assert support(scope=asked()).became["answered"].tickets == 1


def test_tickets_are_told_without_an_event_and_by_another_name_of_the_reference() -> None:
    tell(
        happened("a", "Ticket Opened", day("2026-05-04T10:00"), properties={"ticket_id": "9"}),
        happened("a", "Ticket Replied", day("2026-05-04T10:30"), properties={"ticket_id": "9"}),
        happened("a", "Call", day("2026-05-04T10:30"), properties={}),
        happened("b", "Ticket Opened", day("2026-05-04T10:00"), properties={"ticket_ref": ""}),
    )
    found = support(scope=asked())
    assert (found.tickets, found.became["answered"].tickets) == (1, 1)


def test_business_hours_are_those_of_the_settings() -> None:
    Installation.objects.update(support_days="6", support_opens="10:00", support_closes="12:00")
    tell(event("a", "T1", "opened", "2026-05-04T10:00"), event("a", "T1", "replied", "2026-05-09T11:00"))
    found = support(scope=asked())
    assert found.first_response[1].median.time == 60
    assert found.first_response[0].median.time == 5 * 24 * 60 + 60


def test_every_number_is_that_many_customers_and_adds_up() -> None:
    chance = random.Random(4)
    events, tickets = [], {}
    for number in range(120):
        person, ref = f"p{chance.randint(0, 39)}", f"T{number}"
        at = day("2026-04-20") + timedelta(minutes=chance.randint(0, 60 * 24 * 50))
        reason = f"reason: {chance.randint(0, 25)}"
        events.append(event(person, ref, "opened", at, reason=reason))
        replied = at + timedelta(minutes=round(chance.expovariate(1 / 600)))
        resolved = replied + timedelta(minutes=round(chance.expovariate(1 / 3000)))
        if chance.random() < 0.8:
            events.append(event(person, ref, "replied", replied))
            if chance.random() < 0.7:
                events.append(event(person, ref, "resolved", resolved))
        tickets[ref] = (person, at, reason)
    tell(*events)
    scope = asked()
    found = support(scope=scope)
    inside = [one for one in tickets.values() if scope.period.start_at <= one[1] < scope.period.until_at]
    assert found.tickets == len(inside)
    assert found.became["opened"].customers == len({person for person, _at, _reason in inside})
    assert found.became["answered"].tickets + found.became["waiting"].tickets == found.tickets
    for one in found.became.values():
        assert len(customers_behind(scope=scope, group=one.group)) == one.customers
        assert said(one.group)
    assert len(found.reasons) == MOST_REASONS
    assert sum(one.counted.tickets for one in found.reasons) + found.further_tickets == found.tickets
    for one_reason in found.reasons:
        group = one_reason.counted.group
        assert len(customers_behind(scope=scope, group=group)) == one_reason.counted.customers
        assert one_reason.name in said(group)
    for calendar, business in (found.first_response, found.resolution):
        assert calendar.number == business.number == found.tickets
        assert calendar.median.time is not None
        assert business.median.time is not None
        assert business.median.time <= calendar.median.time


def test_waits_are_those_of_tickets_looked_at_one_by_one() -> None:
    chance = random.Random(6)
    events, tickets = [], []
    for number in range(60):
        at = day("2026-04-25") + timedelta(milliseconds=chance.randint(0, 40 * 86_400_000))
        replied = at + timedelta(milliseconds=chance.randint(0, 4 * 86_400_000)) if chance.random() < 0.8 else None
        tickets.append((at, replied))
        events.append(event(f"p{number}", f"T{number}", "opened", at))
        if replied is not None:
            events.append(event(f"p{number}", f"T{number}", "replied", replied))
    tell(*events)
    for as_of in (NOW, day("2026-05-20T13:30")):
        scope = asked(as_of=as_of)
        found = support(scope=scope)
        counts: list[dict[int, tuple[int, int]]] = [{}, {}]
        for at, replied in tickets:
            if not scope.period.start_at <= at < min(scope.period.until_at, as_of):
                continue
            is_over = replied is not None and replied <= as_of
            end = replied if replied is not None and is_over else as_of
            worked = BusinessTime(found.hours, instants=[at, end]).between(at, end)
            for of, lasted in zip(counts, (end - at, worked), strict=True):
                over, open_ = of.get(lasted // timedelta(minutes=1), (0, 0))
                of[lasted // timedelta(minutes=1)] = (over + is_over, open_ + (not is_over))
        assert found.tickets > 20
        for wait, of in zip(found.first_response, counts, strict=True):
            assert (wait.median, wait.p90) == (quantile(of, 0.5), quantile(of, 0.9))


def test_a_merged_customer_keeps_the_tickets_of_both() -> None:
    tell(event("a", "T1", "opened", "2026-05-04T10:00"), event("b", "T2", "opened", "2026-05-05T10:00"))
    merge(customers=(customer_of("a"), customer_of("b")), now=NOW, reason="the same")
    one = support(scope=asked()).became["opened"]
    assert (one.tickets, one.customers) == (2, 1)


@pytest.mark.parametrize("group", ["tickets:closed", "tickets:", "tickets:open:now"])
def test_a_group_that_is_none_is_refused(group: str) -> None:
    with pytest.raises(QuestionError) as refused:
        refuse_unknown_group(group)
    assert refused.value.field == "group"


def test_without_tickets_nothing_is_told() -> None:
    found = support(scope=asked())
    assert (found.tickets, found.reasons, found.per_active) == (0, (), None)
    assert found.first_response[0].median.time is None
    assert found.first_response[1].p90.time is None
