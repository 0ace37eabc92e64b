"""What must hold between kept figures whatever happened: checked after every fill, shown in red where it does not."""

from datetime import datetime

from clm.lib import sql

from ..models import Broken


def broken_identities(*, now: datetime) -> int:
    """Check all identities and keep those that do not hold; how many."""
    found = sql.rows("analytics/days_identities")
    Broken.objects.all().delete()
    Broken.objects.bulk_create(
        [
            Broken(identity=identity, version=version, day=day, said=said, found_at=now)
            for identity, version, day, said in found
        ]
    )
    return len(found)


def broken() -> tuple[Broken, ...]:
    """The identities that did not hold after the last count."""
    return tuple(Broken.objects.order_by("identity", "version", "day", "pk")[:100])
