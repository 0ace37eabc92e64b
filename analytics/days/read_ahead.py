"""Reading packed histories before anybody asks. Whoever asked first in a process would wait a second for them, and
again after they were packed anew; a thread beside those that answer reads them instead."""

import logging
import time
from threading import Thread
from typing import Any

from django.db import Error, connection

from customers.models import Role

from ..sales import types_of
from ..sorting import active_customers, stage_models
from .histories import SalesTypes
from .kept import kept
from .packs import BEGUN, SOLD, Packs

log = logging.getLogger(__name__)
LOOK_EVERY = 30.0  # seconds


def begin() -> None:
    """Read ahead in a thread of its own, as long as the process lives."""
    Thread(target=_for_ever, name="read ahead", daemon=True).start()


def read_ahead() -> None:
    """Hold everything that is packed, what is asked about most read last: where there is no room for all, it stays."""
    packs = kept().packs
    if packs is not None:
        for subject in _in_order(packs):
            _read(Packs(packs.marks), subject)


def read_anew() -> None:
    """Hold what was packed anew of all that is held."""
    packs = kept().packs
    if packs is not None:
        for subject in _in_order(packs):
            if packs.is_outdated(subject):
                _read(Packs(packs.marks), subject)


def _read(packs: Packs, subject: int) -> None:
    """Read a subject with what has changed since it was packed; `packs` that have read nothing else, so that nothing
    stays but what is held."""
    types, signups = SalesTypes.mapped(), types_of(Role.SIGNUP)
    sold: dict[str, Any] = {"purchases": types.purchases, "refunds": types.refunds}
    if subject == SOLD and packs.has_sold(**sold, segment=None):
        packs.sold(**sold, members=None)
    elif subject == BEGUN and packs.has_begun(signups=signups):
        packs.begun(signups=signups, members=None)
    elif subject not in (SOLD, BEGUN):
        packs.stages(subject, None)


def _in_order(packs: Packs) -> list[int]:
    """What is packed, that which pages ask about unless told otherwise last."""
    active = active_customers()
    first = [active.version if active is not None else None, SOLD, *(model.version for model in stage_models())]
    order = {version: place for place, version in enumerate(first)}
    return sorted(packs.marks, key=lambda subject: order.get(subject, len(first)), reverse=True)


def _for_ever() -> None:
    act = read_ahead
    while True:
        try:
            act()
            act = read_anew
        except Error as error:  # the next look may find the database again
            log.debug("nothing was read ahead: %s", error)
        finally:
            connection.close()
        time.sleep(LOOK_EVERY)
