"""The heartbeat: advance while there is work, number the announcements. Idle, it is a handful of index probes."""

import time
from collections.abc import Callable

from django.conf import settings

from .advance import Advanced, advance
from .announce import SEQUENCE_STEP, sequence

# A batch is one transaction, and none should take longer than half a minute: one that takes longer than this is
# followed by one of half as many customers.
_LONG_SECONDS = 5.0


def tick(*, batches: int = 20, hot: bool = True, beat: Callable[[], None] | None = None) -> Advanced:
    """Up to `batches` batches of work; customers == 0 and parked == 0 says that there was none. `hot` false leaves
    customers with very many touchpoints to the lane of their own. `beat` is called after each batch: a sign of life
    while much is to be done."""
    done = Advanced()
    limit: int = settings.CLM_ADVANCE_BATCH
    for _batch in range(batches):
        began = time.monotonic()
        step = advance(limit=limit, hot=hot)
        done.add(step)
        if beat is not None:
            beat()
        if step.customers == 0 and step.parked == 0:
            break
        if time.monotonic() - began > _LONG_SECONDS:
            limit = max(1, limit // 2)
        # Who reads what was told need not wait for the work that is left.
        sequence()
    while sequence() == SEQUENCE_STEP:
        pass
    return done
