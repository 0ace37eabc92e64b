"""Storing messages that were understood, whatever they came by (a request, a dump, a second try): the events, what
group calls say of accounts, and what is forbidden from now on. All in the caller's transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from customers.events import Event
from customers.ingest import Ingested, ingest_within
from customers.models import Cause, Source

from .accounts import affiliate
from .consents import forbid
from .joining import previous_identities
from .meaning import Understood

# The touchpoint that somebody new gets who did nothing in these messages.
NEWCOMERS = "Created"


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of some messages: their events as they were stored, the ids of new statements of consent, and what
    was told anew of known accounts (see `company_changes`)."""

    done: Ingested
    events: tuple[Event, ...]
    consents: tuple[int, ...]
    accounts: tuple[dict[str, Any], ...]


def store_within(
    *,
    source: Source,
    told: Sequence[Understood],
    cause: Cause | None = None,
    patience_ms: int | None = None,
    statement_ms: int | None = None,
) -> Stored:
    """Store messages in the caller's transaction, whose business it is to begin again after Raced, and to join people
    that are `apart` once it has ended."""
    events = as_events(told)
    done = ingest_within(
        source=source,
        events=events,
        cause=cause,
        newcomers=NEWCOMERS,
        patience_ms=patience_ms,
        statement_ms=statement_ms,
    )
    accounts = affiliate(told=told, profiles=done.profiles) if any(one.account for one in told) else []
    forbidden = [
        (one.event.message_id, one.forbids)
        for one, profile in zip(told, done.profiles, strict=False)
        if one.forbids is not None and profile  # 0: of somebody who was erased
    ]
    consents = forbid(source=source, told=forbidden) if forbidden else []
    return Stored(done, tuple(events), tuple(consents), tuple(accounts))


def as_events(told: Sequence[Understood]) -> list[Event]:
    """The events of messages; one that says that two ids are one person's names both."""
    events = [one.event for one in told]
    aliases = [number for number, one in enumerate(told) if one.previous]
    kinds = previous_identities([told[number].previous for number in aliases]) if aliases else {}
    for number in aliases:
        previous = told[number].previous
        events[number] = events[number].also((kinds.get(previous, "anonymous_id"), previous))
    return events
