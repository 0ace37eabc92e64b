"""What people tell us we may do: statements of consent, one row each, never changed."""

import re
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from clm.lib.questions import QuestionError

from .erased import refuse_erased
from .events import EARLIEST
from .keeping import folded_text
from .models import Consent, Identity, Profile

LONGEST_ADDRESS, LONGEST_WORD, LONGEST_SOURCE = 512, 60, 200
_WORD = re.compile(r"[a-z0-9][a-z0-9_-]*")


@transaction.atomic
def state_consent(
    *,
    customer: int,
    address: str,
    channel: str,
    purpose: str,
    state: str,
    source: str,
    now: datetime,
    text_version: str = "",
    at: datetime | None = None,
) -> Consent:
    """One more statement about an address, a channel and a purpose; the latest of a kind counts. `at` None: now. It
    hangs on the profile that is recognised by the address, else on the customer's first."""
    if state not in Consent.State.values:
        raise QuestionError("state", _("A state is one of %(states)s.") % {"states": ", ".join(Consent.State.values)})
    said = folded_text(address, field="address", longest=LONGEST_ADDRESS)
    if not said:
        raise QuestionError("address", _("A consent is about an address."))
    if at is not None and at > now:
        raise QuestionError("at", _("This lies in the future."))
    if at is not None and at < EARLIEST:
        raise QuestionError("at", _("This lies before 1990."))
    if "@" in said:
        refuse_erased("email", said.lower(), field="address")
    recognised = Identity.objects.filter(profile__customer=customer, value__in=[said, said.lower()])
    profile = recognised.values_list("profile", flat=True).order_by("profile").first()
    if profile is None:
        profile = Profile.objects.filter(customer=customer).values_list("pk", flat=True).order_by("pk").first()
    # Held, so that nobody erases the customer meanwhile; of one who is erased nothing more is told.
    held = Profile.objects.select_for_update(no_key=True).filter(erasure=None)
    if profile is None or not held.filter(pk=profile).exists():
        raise QuestionError("customer", _("This customer has no profile left to tell anything about."))
    return Consent.objects.create(
        profile_id=profile,
        address=said,
        channel=_word(channel, "channel"),
        purpose=_word(purpose, "purpose"),
        state=state,
        source=folded_text(source, field="source", longest=LONGEST_SOURCE),
        text_version=folded_text(text_version, field="text_version", longest=LONGEST_WORD),
        at=at or now,
        recorded_at=now,
    )


def _word(text: str, field: str) -> str:
    folded = text.strip().lower()
    if not _WORD.fullmatch(folded) or len(folded) > LONGEST_WORD:
        raise QuestionError(field, _("This is one word of small letters, digits, _ and -."))
    return folded
