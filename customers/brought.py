"""Noting what an import brought, so that it can be taken back."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from clm.lib import sql

from .models import Import


def note_brought(
    *,
    record: Import,
    touchpoints: Sequence[str],
    identities: Sequence[tuple[str, str]],
    since: datetime,
    tellings: Sequence[str] = (),
    consents: Sequence[int] = (),
    belongs: Sequence[tuple[int, str, datetime]] = (),
    accounts: Sequence[Mapping[str, Any]] = (),
    touchpoints_tell: bool = False,
) -> int:
    """Note what one transaction of an import stored or found stored; the number of the note. touchpoints, tellings:
    hashes of messages; identities: those that may be new; since: the clock before they were stored; belongs: profile,
    account key and instant of affiliations; accounts: what was told anew of known ones; touchpoints_tell: they may
    tell traits."""
    ((number,),) = sql.rows(
        "customers/import_brought_add",
        **{"import": record.pk},
        source=record.source_id,
        touchpoints=sql.array(touchpoints),
        tellings=sql.array(tellings),
        kinds=sql.array([kind for kind, _value in identities]),
        identity_values=sql.array([value for _kind, value in identities]),
        since=since,
        consents=sql.array(consents),
        profiles=sql.array([profile for profile, _key, _at in belongs]),
        accounts=sql.array([key for _profile, key, _at in belongs]),
        from_at=sql.array([at for _profile, _key, at in belongs]),
        told_anew=msgspec.json.encode(list(accounts), enc_hook=str).decode(),
        with_told=touchpoints_tell,
    )
    return int(number)
