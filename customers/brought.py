"""Noting what an import brought, so that it can be taken back."""

from collections.abc import Sequence
from datetime import datetime

from clm.lib import sql

from .models import Import


def note_brought(
    *,
    record: Import,
    messages: Sequence[str],
    identities: Sequence[tuple[str, str]],
    since: datetime,
    consents: Sequence[int] = (),
    belongs: Sequence[tuple[int, str, datetime]] = (),
    touchpoints_tell: bool = False,
) -> None:
    """Note what one transaction of an import stored or found stored. messages: hashes; identities: those that may be
    new; since: the clock before they were stored; belongs: profile, account key and instant of affiliations."""
    sql.run(
        "customers/import_brought_add",
        **{"import": record.pk},
        source=record.source_id,
        messages=list(messages),
        kinds=[kind for kind, _value in identities],
        identity_values=[value for _kind, value in identities],
        since=since,
        consents=list(consents),
        profiles=[profile for profile, _key, _at in belongs],
        accounts=[key for _profile, key, _at in belongs],
        from_at=[at for _profile, _key, at in belongs],
        with_told=touchpoints_tell,
    ).close()
