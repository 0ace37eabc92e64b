"""What must hold between kept figures whatever happened: checked after every fill, shown in red where it does not."""

from collections.abc import Sequence
from datetime import datetime

from clm.lib import sql
from clm.lib.templatetags.times import plain_date

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


def broken_of(*, versions: Sequence[int | None]) -> dict[int, tuple[str, ...]]:
    """By version, in words, which identities of some versions' figures do not hold."""
    found: dict[int, list[str]] = {}
    asked = [version for version in versions if version is not None]
    for one in Broken.objects.filter(version__in=asked).order_by("identity", "day", "pk")[:20]:
        found.setdefault(one.version, []).append(f"{one.identity}, {plain_date(one.day)}: {one.said}")
    return {version: tuple(said) for version, said in found.items()}
