"""Properties that rules name are kept in a narrow table of their own: from registration on by ingest, backfilled here
for everything earlier, so that no replay reads the wide rows."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction
from django.db.models import Q

from clm.lib import sql

from . import locks
from .models import PropertyKey

# Rows of touchpoints looked at per transaction of the backfill.
BACKFILL_STEP = 200_000


@dataclass(frozen=True, slots=True)
class Filling:
    """A property of which not all values are kept yet. parts: into how many the stored touchpoints are cut; done: how
    many of those are filled in; has_begun: whether it is registered, so that new touchpoints are kept already."""

    key: str
    done: int
    parts: int
    has_begun: bool


def fillings(*, keys: Iterable[str]) -> tuple[Filling, ...]:
    """Those of the keys of which not all values are kept yet, and how far each is."""
    wanted = sorted(set(keys))
    known = {one.key: one for one in PropertyKey.objects.filter(key__in=wanted)} if wanted else {}
    unkept = [key for key in wanted if key not in known or known[key].backfilled_at is None]
    if not unkept:
        return ()
    first, last = _stored()
    parts = -(-(last - first + 1) // BACKFILL_STEP)

    def done(key: str) -> int:
        upto = known[key].backfilled_upto if key in known else None
        return 0 if upto is None else min(parts, (upto - first + 1) // BACKFILL_STEP)

    return tuple(Filling(key, done(key), parts, key in known) for key in unkept)


def register_properties(*, keys: Iterable[str], now: datetime) -> None:
    """Make sure the values of `keys` are kept for every touchpoint, old and new. Safe to call again, and resumable:
    a key is complete when its backfilled_at is set."""
    wanted = sorted(set(keys))
    if not wanted:
        return
    with transaction.atomic():
        # Exclusive against every ingest: those that run know the old list and end before we see them, those that come
        # later read the new one.
        locks.own(locks.PROPERTY_KEYS)
        PropertyKey.objects.bulk_create([PropertyKey(key=key) for key in wanted], ignore_conflicts=True)
    for key in PropertyKey.objects.filter(key__in=wanted, backfilled_at=None).order_by("id"):
        first, last = _stored()
        if key.backfilled_upto is not None:
            first = max(first, key.backfilled_upto + 1)
        for start in range(first, last + 1, BACKFILL_STEP):
            end = start + BACKFILL_STEP - 1
            with transaction.atomic():
                sql.run("customers/property_backfill", property_key=key.pk, name=key.key, first=start, last=end).close()
                # Two may be at it; the mark of the one that is further stays.
                behind = Q(backfilled_upto=None) | Q(backfilled_upto__lt=end)
                PropertyKey.objects.filter(behind, pk=key.pk).update(backfilled_upto=end)
        PropertyKey.objects.filter(pk=key.pk).update(backfilled_at=now)


def _stored() -> tuple[int, int]:
    """The first and the last id of all touchpoints; an empty range where there are none."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT min(id), max(id) FROM customers_touchpoint")
        first, last = cursor.fetchone()
    return (0, -1) if first is None else (first, last)
