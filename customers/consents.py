"""What people tell us we may do: statements of consent, one row each, never changed."""

import re
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from clm.lib.questions import QuestionError

from .erased import refuse_erased
from .events import EARLIEST
from .keeping import folded_text
from .models import Consent, Identity, Profile, ProfileMove

LONGEST_ADDRESS, LONGEST_WORD, LONGEST_SOURCE = 512, 60, 200
_WORD = re.compile(r"[a-z0-9][a-z0-9_-]*")
_STRICTEST = (Consent.State.REFUSED, Consent.State.WITHDRAWN, Consent.State.PENDING, Consent.State.GRANTED)


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


def counting_statements(*, profiles: Sequence[int], as_of: datetime | None = None) -> list[Consent]:
    """Of one customer's statements until `as_of` (None: now) the one that counts for each address, channel and purpose:
    the latest. But what several profiles said before they were one customer was said by whoever did not know of the
    others: of their latest statements the most restrictive counts, until one is made after the merge."""
    stated = Consent.objects.filter(profile__in=list(profiles))
    if as_of is not None:
        stated = stated.filter(at__lte=as_of)
    order = ("address", "channel", "purpose", "profile")
    by_matter: dict[tuple[str, str, str], list[Consent]] = {}
    for one in stated.order_by(*order, "-at", "-pk").distinct(*order):
        by_matter.setdefault((one.address, one.channel, one.purpose), []).append(one)
    joined_at = None
    if any(len(each) > 1 for each in by_matter.values()):
        joined_at = ProfileMove.objects.filter(profile__in=list(profiles)).aggregate(last=Max("at"))["last"]
    found = []
    for each in by_matter.values():
        latest = max(each, key=lambda one: (one.at, one.pk))
        is_theirs = joined_at is None or latest.recorded_at >= joined_at
        found.append(
            latest if is_theirs else min(each, key=lambda one: (_STRICTEST.index(one.state), -one.at.timestamp()))
        )
    return found


def _word(text: str, field: str) -> str:
    folded = text.strip().lower()
    if not _WORD.fullmatch(folded) or len(folded) > LONGEST_WORD:
        raise QuestionError(field, _("This is one word of small letters, digits, _ and -."))
    return folded
