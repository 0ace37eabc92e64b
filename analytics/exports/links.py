"""The address of a finished file. It holds a signature over the file, its owner and its end, so it can be shown again
and guessed by nobody; who opens it must be signed in as the owner and still be allowed to take files away."""

from datetime import datetime

from django.utils.crypto import constant_time_compare, salted_hmac

from ..models import Export


def token(export: Export) -> str:
    """The secret part of the address."""
    owner = f"user:{export.user_id}" if export.user_id else f"key:{export.key_id}"
    until = export.expires_at.timestamp() if export.expires_at else 0
    return salted_hmac("clm.exports", f"{export.pk} {owner} {export.file} {until}", algorithm="sha256").hexdigest()[:40]


def opens(export: Export, given: str, *, now: datetime) -> bool:
    """Whether an address leads to the file now."""
    is_there = export.state == Export.State.READY and export.expires_at is not None and now < export.expires_at
    return is_there and constant_time_compare(token(export), given)
