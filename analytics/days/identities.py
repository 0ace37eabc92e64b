"""What must hold between kept figures whatever happened: checked after every fill, shown in red where it does not."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from clm.lib import sql
from clm.lib.templatetags.times import plain_date

from ..models import Broken

# Those of how customers were won, which are checked apart: by the version that their rows say.
_OF_ACQUISITION = {"version": 0}


def broken_identities(*, now: datetime) -> int:
    """Check the identities of stages and keep those that do not hold; how many of all do not."""
    Broken.objects.exclude(**_OF_ACQUISITION).delete()
    _keep(sql.rows("analytics/days_identities"), now)
    return Broken.objects.count()


def broken_credits(*, now: datetime) -> None:
    """Check the identities of how customers were won, and keep those that do not hold."""
    Broken.objects.filter(**_OF_ACQUISITION).delete()
    _keep(sql.rows("analytics/acquisition_identities"), now)


def _keep(found: Sequence[tuple[Any, ...]], now: datetime) -> None:
    Broken.objects.bulk_create(
        [
            Broken(identity=identity, version=version, day=day, said=said, found_at=now)
            for identity, version, day, said in found
        ]
    )


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
