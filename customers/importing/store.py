"""Storing one portion of rows: through the door that everything comes in by (`customers.ingest`), with what the rows
say of consent and of companies, and with a note of what was stored, in the caller's transaction."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from ..brought import note_brought
from ..company_changes import tell_companies
from ..erased import erased_among
from ..ingest import Ingested, ingest_within
from ..models import Cause, Consent, Import, Source
from .ahead import Portion
from .effects import Effect
from .events_of import RowEvents


def store_rows(
    *,
    record: Import,
    source: Source,
    portion: Portion,
    effects: Callable[[], Sequence[Effect]],
    since: datetime,
    said_by: str,
) -> tuple[Ingested, int]:
    """Store rows and what they do, and the number of the note of it (0: nothing was done). `effects` is called once the
    rows are stored; since: the clock before; `said_by`: whom statements of consent name as their source. Raced: begin
    again."""
    rows = portion.rows
    if not rows:
        return Ingested(0, 0, 0, 0, ()), 0
    events = [event for each in rows for event in each.events]
    done = ingest_within(source=source, events=events, cause=Cause.IMPORT, newcomers="Created")
    first, profiles = 0, []
    for each in rows:
        profiles.append(done.profiles[first])
        first += len(each.events)
    belongs, accounts = _affiliate(rows, profiles)
    judged = effects()
    consents = state_consents(judged, profiles=profiles, now=since, said_by=said_by)
    # Whoever did something in a row is not welcomed for it.
    note = note_brought(
        record=record,
        touchpoints=portion.touchpoints,
        tellings=portion.tellings,
        identities=sorted({one for each in judged for one in each.identities}),
        since=since,
        consents=consents,
        belongs=belongs,
        accounts=accounts,
    )
    return done, note


def _affiliate(
    rows: Sequence[RowEvents], profiles: Sequence[int]
) -> tuple[list[tuple[int, str, datetime]], list[dict[str, Any]]]:
    """Who belongs where since when, and what was told anew of known accounts."""
    told = [
        {
            "profile": profile,
            "key": each.row.account.key,
            "name": each.row.account.name,
            "properties": each.row.account.properties,
            "at": each.told_at.isoformat(),
            "place": place,
        }
        for place, (each, profile) in enumerate(zip(rows, profiles, strict=True))
        if each.row.account is not None and profile  # 0: of somebody who was erased
    ]
    changes = tell_companies(told) if told else []
    return [
        (profile, each.row.account.key, each.told_at)
        for each, profile in zip(rows, profiles, strict=True)
        if each.row.account is not None and profile
    ], changes


def state_consents(effects: Sequence[Effect], *, profiles: Sequence[int], now: datetime, said_by: str) -> list[int]:
    """Store the statements of consent that rows add; their ids. profiles: by row, 0 for one of somebody erased."""
    erased = erased_among({("email", one.address.lower()) for each in effects for one in each.consents})
    told = [
        Consent(
            profile_id=profiles[one.place],
            address=one.address,
            channel=one.channel,
            purpose=one.purpose,
            state=one.state,
            source=said_by[:200],
            at=one.at,
            recorded_at=now,
        )
        for each in effects
        for one in each.consents
        if profiles[one.place] and ("email", one.address.lower()) not in erased
    ]
    return [one.pk for one in Consent.objects.bulk_create(told)] if told else []
