"""Erasing a customer whole: what customers know of it, and what people wrote by hand about where it stands. Stages and
segments are computed anew by whoever advances next."""

from datetime import datetime

from django.db import transaction

from clm.lib import sql
from customers.erase import absorbed_by, erase_customer
from customers.models import Erasure


@transaction.atomic
def erase(*, customer: int, now: datetime, author: int | None = None) -> Erasure:
    """Erase a customer: afterwards nobody finds the person any more. What others wrote about it (texts of touchpoints,
    refused messages) is gone when `customers.erase.work_on_erasures` has finished. ConflictError for somebody who
    cannot be erased."""
    record = erase_customer(customer=customer, now=now, author=author)
    ((members,),) = sql.rows(
        "lifecycle/erase_hands",
        profiles=record.progress["profiles"],
        customers=sorted({customer, *absorbed_by(customer)}),
    )
    record.counts = {**record.counts, "list_members": members}
    record.save(update_fields=["counts"])
    return record
