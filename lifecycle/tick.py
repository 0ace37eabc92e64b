"""The heartbeat: advance while there is work, then number the announcements. Idle, it is three index probes."""

from .advance import Advanced, advance
from .announce import sequence


def tick(*, batches: int = 20) -> Advanced:
    """Up to `batches` batches of work; customers == 0 and parked == 0 says that there was none."""
    done = Advanced()
    for _batch in range(batches):
        step = advance()
        done.add(step)
        if step.customers == 0 and step.parked == 0:
            break
    sequence()
    return done
