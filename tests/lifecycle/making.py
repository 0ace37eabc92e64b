"""What the tests of truth are made of: events, streams of them, and what is believed afterwards."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from clm.lib.milliseconds import truncated
from customers.events import Event, Line
from customers.ingest import clock, ingest
from customers.models import Cause, Customer, Identity, Installation, Source, Stale
from lifecycle.advance import Advanced, advance
from lifecycle.install import build, draft, install, new_segment
from lifecycle.models import Segment, Standing, Transition
from lifecycle.replay import replay_all

# (customer, subject key, milliseconds since 1970, stage key)
Believed = tuple[int, str, int, str]


def installed(**settings: Any) -> Installation:
    """What comes with the software, in place and live."""
    installation = Installation.current()
    for name, value in settings.items():
        setattr(installation, name, value)
    installation.save()
    install(now=clock())
    return installation


def source(key: str = "shop") -> Source:
    return Source.objects.get_or_create(key=key, defaults={"name": key})[0]


def ago(**of: float) -> datetime:
    """An instant so long before now, on the whole millisecond."""
    return truncated(clock() - timedelta(**of))


def happened(
    person: str,
    type: str,
    at: datetime,
    *,
    id: str | None = None,
    amount: int | None = None,
    channel: str = "web",
    properties: Mapping[str, Any] | None = None,
    traits: Mapping[str, Any] | None = None,
    identities: Sequence[tuple[str, str]] | None = None,
    lines: Sequence[Line] = (),
) -> Event:
    """An event of a person, whose message id says all of it unless one is given."""
    return Event(
        message_id=id or f"{person} {type} {at.isoformat()} {amount} {channel} {dict(properties or {})}",
        identities=tuple(identities or (("user_id", person),)),
        type=type,
        channel=channel,
        occurred_at=at,
        amount=amount,
        properties=properties or {},
        traits=traits or {},
        lines=tuple(lines),
    )


def tell(*events: Event, cause: Cause | None = None, by: str = "shop") -> None:
    """Ingest events in one batch."""
    ingest(source=source(by), events=events, cause=cause)


def settle(limit: int | None = None) -> Advanced:
    """Advance until there is nothing left to do."""
    done = Advanced()
    while True:
        step = advance(limit=limit)
        done.add(step)
        if step.customers == 0 and step.parked == 0:
            return done


def customer_of(person: str, kind: str = "user_id") -> int:
    """The customer who has that identity now."""
    return Identity.objects.values_list("profile__customer_id", flat=True).get(kind=kind, value=person)


def profile_of(person: str, kind: str = "user_id") -> int:
    return Identity.objects.values_list("profile_id", flat=True).get(kind=kind, value=person)


def believed(customers: Iterable[int] | None = None, *, live_only: bool = False) -> list[Believed]:
    """All believed transitions of some customers, or of everybody."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT t.customer_id, s.key || ' v' || v.number, (extract(epoch FROM t.entered_at) * 1000)::bigint, g.key"
            " FROM lifecycle_transition t JOIN lifecycle_version v ON v.id = t.version_id"
            " JOIN lifecycle_subject s ON s.id = v.subject_id JOIN lifecycle_stage g ON g.id = t.stage_id"
            " WHERE t.superseded_at IS NULL AND (%s::bigint[] IS NULL OR t.customer_id = ANY(%s))"
            "   AND (NOT %s OR v.state = 'live')"
            " ORDER BY 1, 2, 3",
            [None if customers is None else list(customers)] * 2 + [live_only],
        )
        return cursor.fetchall()


def history_of(customer: int) -> list[tuple[str, int, str]]:
    """What is believed of one customer, without naming it."""
    return [row[1:] for row in believed([customer])]


def stands(customer: int) -> dict[str, str]:
    """Where a customer stands: stage by subject."""
    rows = Standing.objects.filter(customer=customer).values_list("subject__key", "stage__key")
    return dict(rows)


def stage(customer: int, subject: str = "seven") -> str | None:
    return stands(customer).get(subject)


def check_standings() -> None:
    """Standings say of every live subject what its history says last, and nothing else."""
    last: dict[tuple[int, str], tuple[int, str]] = {}
    for customer, subject, at, key in believed(live_only=True):
        last[customer, subject.split(" ")[0]] = (at, key)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT n.customer_id, s.key, (extract(epoch FROM n.since) * 1000)::bigint, g.key"
            " FROM lifecycle_standing n JOIN lifecycle_subject s ON s.id = n.subject_id"
            " JOIN lifecycle_stage g ON g.id = n.stage_id WHERE s.live_version_id IS NOT NULL"
        )
        assert {(c, s): (at, key) for c, s, at, key in cursor.fetchall()} == last


def everything() -> dict[str, list[tuple[Any, ...]]]:
    """What must be the same after any detour: facts, believed history, standings, what was told."""
    asked = {
        "touchpoints": "SELECT message_hash, profile_id, type_id, occurred_at FROM customers_touchpoint",
        "believed": "SELECT customer_id, version_id, entered_at, stage_id FROM lifecycle_transition"
        " WHERE superseded_at IS NULL",
        "standings": "SELECT customer_id, subject_id, stage_id, since, told_stage_id FROM lifecycle_standing",
        "told": "SELECT customer_id, subject_id, kind, from_stage_id, stage_id, entered_at, cause, is_news"
        " FROM lifecycle_announcement",
        "stale": "SELECT profile_id FROM customers_stale",
    }
    with connection.cursor() as cursor:
        found = {}
        for name, statement in asked.items():
            cursor.execute(statement)
            found[name] = sorted(cursor.fetchall(), key=str)
        return found


def new_version(key: str, rule: Any) -> None:
    """A segment by that key with that rule, live; the next version of it if there is one."""
    known = Segment.objects.filter(key=key).first()
    version = (
        draft(subject=known, document={"rule": rule}, note="")
        if known is not None
        else new_segment(key=key, name=key, rule=rule)
    )
    build(versions=[version], now=clock())


def waiting() -> int:
    return Stale.objects.count()


def transitions_of(customer: int) -> int:
    return Transition.objects.filter(customer=customer).count()


def people() -> list[int]:
    return list(Customer.objects.order_by("pk").values_list("pk", flat=True))


def two_people() -> None:
    """What comes with the software, and two who have looked at a page, brought up to date."""
    installed()
    tell(happened("a", "Page Viewed", ago(days=9)), happened("b", "Page Viewed", ago(days=8)))
    settle()


def all_is_true() -> None:
    """Nothing is left to do, and everything stored is what a replay computes."""
    settle()
    assert waiting() == 0
    check_standings()
    before = believed()
    done = replay_all()
    assert (done.rows_changed, done.rows_by_time) == (0, 0)
    assert believed() == before
