"""Properties that rules name are kept in a narrow table of their own: from registration on by ingest, backfilled here
for everything earlier, so that no replay reads the wide rows."""

from collections.abc import Iterable
from datetime import datetime

from django.db import connection, transaction

from clm.lib import sql

from . import locks
from .models import PropertyKey

# Rows of touchpoints looked at per transaction of the backfill.
BACKFILL_STEP = 200_000


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
        with connection.cursor() as cursor:
            cursor.execute("SELECT min(id), max(id) FROM customers_touchpoint")
            first, last = cursor.fetchone()
        for start in range(first or 0, (last or -1) + 1, BACKFILL_STEP):
            with transaction.atomic():
                sql.run(
                    "customers/property_backfill",
                    property_key=key.pk,
                    name=key.key,
                    first=start,
                    last=start + BACKFILL_STEP - 1,
                ).close()
        PropertyKey.objects.filter(pk=key.pk).update(backfilled_at=now)
