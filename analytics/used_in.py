"""Everything that uses a segment or a stage model, whichever room it lives in."""

from datetime import datetime

from campaigns.models import Campaign
from lifecycle.revise import retire_subject
from lifecycle.uses import Use, uses


def used_in(*, subject: int) -> tuple[Use, ...]:
    """The models and segments whose rules name it, live or as drafted, and the campaigns whose audience it is."""
    return (*uses(subject=subject), *_campaigns(subject))


def retire(*, subject: int, now: datetime) -> None:
    """Take a segment or a model out of use. ConflictError names what uses it."""
    retire_subject(subject=subject, now=now, also_used=_campaigns(subject))


def _campaigns(subject: int) -> tuple[Use, ...]:
    found = Campaign.objects.filter(audience=subject).order_by("name")
    return tuple(Use("campaign", key, name) for key, name in found.values_list("key", "name"))
