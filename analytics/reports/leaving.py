"""How somebody takes himself off a report: by an address that holds a signature, which mail programs post to by
themselves (RFC 8058). It needs no login and never runs out; opening it changes nothing, since programs that look for
dangerous links open everything."""

from datetime import datetime
from urllib.parse import urljoin

from django.urls import reverse
from django.utils.crypto import constant_time_compare, salted_hmac

from ..models import Recipient


def secret_of(recipient: Recipient) -> str:
    """The secret part of the address."""
    return salted_hmac("clm.reports.leave", str(recipient.pk), algorithm="sha256").hexdigest()[:40]


def leave_address(recipient: Recipient) -> str:
    """Where the recipient takes himself off."""
    path = reverse("report_leave", args=[recipient.pk, secret_of(recipient)])
    return urljoin(recipient.report.site, path)


def found_recipient(number: int, secret: str) -> Recipient | None:
    """Whom an address is of; None for one that we never wrote."""
    found = Recipient.objects.filter(pk=number).select_related("report").first()
    return found if found is not None and constant_time_compare(secret_of(found), secret) else None


def leave(*, recipient: Recipient, now: datetime) -> bool:
    """Send this report to him no more; whether it was sent until now."""
    return bool(Recipient.objects.filter(pk=recipient.pk, left_at=None).update(left_at=now))


def come_back(*, recipient: Recipient) -> bool:
    """Send this report to him again, because he says so himself; whether it was not sent until now."""
    return bool(Recipient.objects.filter(pk=recipient.pk).exclude(left_at=None).update(left_at=None))
