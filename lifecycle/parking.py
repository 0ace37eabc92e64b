"""Customers that raise, and faults that are nobody's but the program's.

A customer whose stages cannot be computed is parked with its error, out of everybody's way. But when one error strikes
many, others who are not at issue are tried too: if they raise it as well, the program is at fault. Then nobody is
parked for it, whatever waits is kept, and advance tries again after a pause that doubles up to a minute, until it is
mended."""

import logging
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import InterfaceError, OperationalError, connection, transaction

from clm.lib import sql
from customers.ingest import clock
from customers.models import Cause

from .models import Fault, HotCustomer, Parked

log = logging.getLogger(__name__)

# So many customers raising the same within an hour are too many to believe that it is their own trouble.
SUSPICIOUS_CUSTOMERS = 10
# So many are advanced at once while a fault stands, to see whether it is mended.
PROBE_CUSTOMERS = 20
_LONGEST_PAUSE_SECONDS = 60


class TooManyTouchpointsError(RuntimeError):
    """So many touchpoints that the identity is probably shared by many people: the customer's own trouble."""

    def __init__(self, customer: int, touchpoints: int) -> None:
        super().__init__(
            f"Customer {customer} has {touchpoints} touchpoints or more:"
            " one of its identities is probably shared by many people."
        )


class ProgramFaultError(RuntimeError):
    """The program raises the same for customers that have nothing to do with each other."""


@dataclass(frozen=True, slots=True)
class Standstill:
    """A fault that stands; `waits`: it is not yet time to try again."""

    fault: int
    waits: bool


def trouble(error: Exception) -> str:
    """What an error is recognised by among others: its class and the place in our rooms that raised it."""
    rooms = tuple(f"{settings.BASE_DIR}/{room}/" for room in ("customers", "lifecycle"))
    ours = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.startswith(rooms)]
    place = f" in {ours[-1].filename.rpartition('/')[2]}, line {ours[-1].lineno}" if ours else ""
    return f"{type(error).__name__}{place}"


def is_common(error: Exception, *, customers: Sequence[int], try_one: Callable[[int], None]) -> bool:
    """Whether the error of these customers is the program's own. It is if many raise it, now and in the last hour, and
    at least half of some others picked at random do too when `try_one` tries them."""
    if isinstance(error, TooManyTouchpointsError):
        return False
    kind = trouble(error)
    lately = Parked.objects.filter(trouble=kind, parked_at__gt=clock() - timedelta(hours=1)).exclude(
        customer__in=list(customers)
    )
    stands = Fault.objects.filter(trouble=kind)
    if len(customers) + lately.count() < SUSPICIOUS_CUSTOMERS and not stands.exists():
        return False
    others = sql.rows("lifecycle/customers_elsewhere", count=SUSPICIOUS_CUSTOMERS, besides=list(customers))
    strikes = 0
    for (customer,) in others:
        try:
            try_one(customer)
        except (OperationalError, InterfaceError):
            raise
        except Exception as other:
            strikes += trouble(other) == kind
    if 2 * strikes >= len(others):
        return True
    stands.delete()
    return False


@transaction.atomic
def note_fault(error: Exception, *, customers: int) -> None:
    """Remember that the program is at fault, and when to try again. Who was parked for it before is put back."""
    kind, now = trouble(error), clock()
    fault, is_new = Fault.objects.select_for_update().get_or_create(
        trouble=kind, defaults={"error": said(error), "first_at": now, "last_at": now, "retry_at": now}
    )
    fault.tries += 1
    fault.customers = max(fault.customers, customers)
    fault.last_at = now
    fault.retry_at = now + timedelta(seconds=min(_LONGEST_PAUSE_SECONDS, 2 ** min(fault.tries, 10) / 2))
    fault.save()
    log.error("the program is at fault, nobody is parked for it: %s (%d customers tried)", kind, customers)
    if is_new:
        for customer in Parked.objects.filter(trouble=kind, parked_at__gt=now - timedelta(hours=1)).values_list(
            "customer_id", flat=True
        ):
            unpark(customer=customer)


def trouble_now() -> Standstill | None:
    """The fault that stands, if any."""
    found = sql.rows("lifecycle/fault_now")
    return Standstill(*found[0]) if found else None


def mended(standstill: Standstill) -> None:
    """Customers could be advanced again."""
    Fault.objects.filter(pk=standstill.fault, retry_at__lte=clock()).delete()


def said(error: Exception) -> str:
    """An error in words that may be shown. A database's error repeats what rows contain, so only its class is said."""
    words = f"{type(error).__name__}: {error}" if not isinstance(error, DatabaseError) else type(error).__name__
    return words[:2000]


@transaction.atomic
def park(customer: int, error: Exception) -> None:
    """Put a customer that raises out of everybody's way, with its error for an admin."""
    log.error("customer %d is parked: %s", customer, type(error).__name__)
    Parked.objects.update_or_create(
        customer_id=customer, defaults={"error": said(error), "trouble": trouble(error), "parked_at": clock()}
    )
    # Parked, it has no lane: what waits for it is dropped with that of the others.
    HotCustomer.objects.filter(customer=customer).delete()


@transaction.atomic
def unpark(*, customer: int) -> None:
    """Try a parked customer again: it is marked as changed, whatever waited for it was dropped."""
    Parked.objects.filter(customer=customer).delete()
    HotCustomer.objects.filter(customer=customer).delete()
    # What was merged into it meanwhile waits for it with stages that it has lost.
    cause = Cause.MERGE if sql.rows("lifecycle/emptied_by", customers=[customer]) else Cause.ENGINE
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO customers_stale (profile_id, cause, attempts)"
            " SELECT id, %s, 1 FROM customers_profile WHERE customer_id = %s ORDER BY id",
            [cause, customer],
        )
