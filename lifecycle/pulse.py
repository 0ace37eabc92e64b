"""Signs of life of the parts that nobody waits for. Each writes when it was last at work, a few times a minute; who
watches reads how long ago that was. One row a part, updated in place."""

import time
from collections.abc import Callable

from customers.ingest import clock

from .models import Pulse

TICK, WORKER = "tick", "worker"
_EVERY_SECONDS = 10.0


def beating(part: str) -> Callable[[], None]:
    """A function to call as often as one likes; it notes a sign of life at most every ten seconds."""
    last = float("-inf")

    def beat() -> None:
        nonlocal last
        if time.monotonic() - last >= _EVERY_SECONDS:
            pulse(part=part)
            last = time.monotonic()

    return beat


def pulse(*, part: str) -> None:
    """Note that this part is at work now."""
    Pulse.objects.bulk_create(
        [Pulse(part=part, at=clock())], update_conflicts=True, unique_fields=["part"], update_fields=["at"]
    )


def silence(*, part: str) -> float | None:
    """Seconds since the part was last at work; None when it never was."""
    at = Pulse.objects.filter(part=part).values_list("at", flat=True).first()
    return None if at is None else max(0.0, (clock() - at).total_seconds())
