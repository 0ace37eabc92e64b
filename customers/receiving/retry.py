"""Trying again what was refused: once a type is mended, a rate entered or a program updated, the same text may do."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from clm.lib.questions import ConflictError
from customers.mapped_types import mapped_types
from customers.models import Installation, Reject

from .meaning import Sender, understood
from .messages import message_of
from .refusal import Refusal
from .store import store_within


@transaction.atomic
def retry_reject(*, reject: Reject, now: datetime) -> bool:
    """Store a refused message as of the instant at which it arrived; whether it could be. If not, the reject says why
    this time."""
    found = Reject.objects.select_for_update(no_key=True).select_related("source").filter(pk=reject.pk).first()
    if found is None:
        raise ConflictError(_("Somebody else has tried this again already."))
    if found.from_import_id is not None:
        raise ConflictError(_("This is a line of an imported file; import the mended file instead."))
    raw = bytes(found.raw)
    try:
        sender = Sender(found.source.currency, Installation.current().currency, mapped_types())
        # The request's own clock is not known any more, so the message's instant is believed.
        told = understood(message_of(raw), raw, sender=sender, sent=None, received=min(found.received_at, now))
    except Refusal as refusal:
        found.path, found.reason = refusal.path[:500], refusal.reason[:500]
        found.save(update_fields=["path", "reason"])
        return False
    store_within(source=found.source, told=[told])
    found.delete()
    return True
