"""Acts of marketers who keep campaigns: make one, change it, remove one that nothing hangs on."""

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import ProtectedError
from django.utils.translation import gettext as _

from clm.lib.questions import ConflictError, Faults, QuestionError
from customers.catalogue import channel_ids
from customers.models import Channel, Installation
from customers.money import LIMIT
from lifecycle.models import Segment

from .models import Campaign

LONGEST_KEY, LONGEST_NAME, LONGEST_CHANNEL = 100, 200, 60
# Below the address of the list of campaigns these words mean something else.
RESERVED = frozenset({"new"})
_KEY = re.compile(r"[a-z0-9][a-z0-9_-]*")


@transaction.atomic
def create_campaign(*, key: str, name: str, **more: Any) -> Campaign:
    """A new campaign. `more`: channel and audience by key, starts_on, ends_on, budget (a Decimal of the reporting
    currency). ConflictError when the key is taken."""
    campaign, faults = Campaign(key=key), Faults()
    with faults.noted():
        possible_key(key)
    with faults.noted():
        _tell(campaign, {"name": name, **more})
    faults.refuse()
    if Campaign.objects.filter(key=key).exists():
        raise ConflictError(_('There is a campaign "%(key)s" already; change that one.') % {"key": key})
    campaign.save()
    return campaign


@transaction.atomic
def change_campaign(*, campaign: Campaign, changes: Mapping[str, Any]) -> Campaign:
    """Change everything but the key, which visits carry; None clears what may be empty."""
    campaign = Campaign.objects.select_for_update(no_key=True).get(pk=campaign.pk)
    _tell(campaign, changes)
    campaign.save()
    return campaign


@transaction.atomic
def delete_campaign(*, campaign: Campaign) -> None:
    """Remove a campaign. ConflictError while spend hangs on it."""
    try:
        campaign.delete()
    except ProtectedError:
        raise ConflictError(_("Spend was entered for this campaign; delete or move that first.")) from None


def channel_of(key: str, *, field: str = "channel") -> Channel:
    """The channel of that key; one nobody has used yet enters the catalogue."""
    folded = channel_key(key, field=field)
    return Channel.objects.get(pk=channel_ids([folded])[folded])


def possible_key(text: str) -> str:
    """The key of a campaign; QuestionError for what cannot be one."""
    if not _KEY.fullmatch(text) or len(text) > LONGEST_KEY:
        raise QuestionError("key", _("A key is made of small letters, digits, _ and -, at most 100 of them."))
    if text in RESERVED:
        raise QuestionError("key", _("This word is an address of the program; choose another key."))
    return text


def channel_key(text: str, *, field: str = "channel") -> str:
    """The key that a channel written so has; QuestionError for what cannot be one."""
    folded = text.strip().lower()
    if not _KEY.fullmatch(folded) or len(folded) > LONGEST_CHANNEL:
        raise QuestionError(field, _("A channel is one word of small letters, digits, _ and -."))
    return folded


def _tell(campaign: Campaign, changes: Mapping[str, Any]) -> None:
    """Write what was told into `campaign`; every fault is told at once."""
    faults = Faults()
    for field, value in changes.items():
        with faults.noted():
            _tell_one(campaign, field, value)
    starts, ends = campaign.starts_on, campaign.ends_on
    with faults.noted():
        if isinstance(starts, date) and isinstance(ends, date) and ends < starts:
            raise QuestionError("ends_on", _("A campaign ends on or after the day it starts."))
    faults.refuse()


def _tell_one(campaign: Campaign, field: str, value: Any) -> None:
    match field:
        case "name":
            campaign.name = possible_name(value)
        case "channel":
            campaign.channel = None if value is None else channel_of(value)
        case "audience":
            campaign.audience = None if value is None else _segment(value)
        case "starts_on":
            campaign.starts_on = value
        case "ends_on":
            campaign.ends_on = value
        case "budget":
            campaign.budget = None if value is None else possible_budget(value)
        case _:
            raise QuestionError(field, _("This cannot be changed."))


def possible_name(text: str) -> str:
    """The name of a campaign as it is kept; QuestionError for what cannot be one."""
    folded = " ".join(text.split())
    if not folded:
        raise QuestionError("name", _("A campaign needs a name."))
    if len(folded) > LONGEST_NAME:
        raise QuestionError("name", _("At most %(longest)d characters.") % {"longest": LONGEST_NAME})
    if any(ord(letter) < 32 or 0xD800 <= ord(letter) <= 0xDFFF for letter in folded):
        raise QuestionError("name", _("This holds a character that cannot be written."))
    return folded


def _segment(key: str) -> Segment:
    found = Segment.objects.filter(key=key, retired_at=None).first()
    if found is None:
        raise QuestionError("audience", _('There is no segment "%(key)s".') % {"key": key[:60]})
    return found


def possible_budget(amount: Decimal) -> int:
    """A budget in minor units of the reporting currency; QuestionError for what cannot be one."""
    units = amount.scaleb(Installation.current().minor_digits) if amount.is_finite() else Decimal(-1)
    if units != units.to_integral_value() or not 0 <= units < LIMIT:
        raise QuestionError(
            "budget", _("A budget is an amount of the reporting currency, not below zero and in whole minor units.")
        )
    return int(units)
