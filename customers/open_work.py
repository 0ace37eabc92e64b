"""Work that rows ask for, done by whoever comes: a row is open until it says when it was finished or failed. A step is
one transaction that keeps in the row how far it came, so that a stopped worker is followed by any other."""

import logging
import time
from collections.abc import Callable
from typing import Any, TypeVar

from django.db import InterfaceError, OperationalError
from django.db.models import Model

from .ingest import clock

log = logging.getLogger(__name__)

OPEN: dict[str, Any] = {"finished_at": None, "failed_at": None}
Work = TypeVar("Work", bound=Model)


def do_open(model: type[Model], *, step: Callable[[int], int | None], seconds: float = float("inf")) -> int:
    """Do the open work of one kind, the oldest first, for about so long; the sum of what the steps did. step: does some
    of the work of that number; None when nothing of it is left to do now, or somebody else is at it. Work that raises
    has failed and says why; the next is begun."""
    until, done = time.monotonic() + seconds, 0
    for number in model._default_manager.filter(**OPEN).order_by("pk").values_list("pk", flat=True):
        try:
            while time.monotonic() < until and (some := step(number)) is not None:
                done += some
        except (OperationalError, InterfaceError):
            raise  # the database's trouble: the next one tries again
        except Exception as error:
            log.exception("%s %d failed", model._meta.verbose_name, number)
            failed = {"failed_at": clock(), "error": type(error).__name__}
            model._default_manager.filter(pk=number).update(**failed)
    return done


def claimed(model: type[Work], number: int) -> Work | None:
    """Open work, locked until the end of the transaction; None where it is done, or somebody else is at it."""
    found = model._default_manager.select_for_update(skip_locked=True, no_key=True)
    return found.filter(pk=number, **OPEN).first()
