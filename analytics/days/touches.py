"""Which contacts are marketing touches, and of which channel: read once for a count, and then asked for the contacts of
some customers as columns."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from campaigns.models import Campaign
from clm.lib import sql
from clm.lib.columns import Columns, fetch_columns
from customers.catalogue import channel_ids
from customers.models import Channel, Installation, Role, TouchpointType

from ..attribution.channels import DIRECT, MESSAGES, OWN, marketing_channel
from ..attribution.declared import LONGEST_WINDOW
from ..attribution.paths import DAY, Int64s
from ..models import Counting
from ..sales import types_of

# A visit may have begun so long before the window; its later pages are no touches of their own.
_LONGEST_VISIT_HOURS = 24
# How long before the end of a path its contacts are read, in milliseconds.
BACK = LONGEST_WINDOW * DAY + _LONGEST_VISIT_HOURS * DAY // 24
NEVER = 0  # an instant before any


@dataclass(frozen=True, slots=True)
class Contacts:
    """Contacts in any order: whose, when (milliseconds since 1970), of which marketing channel."""

    owner: Int64s
    ms: Int64s
    channel: Int64s


class Touches:
    """What decides which contacts are touches, and of which channel."""

    def __init__(self) -> None:
        self.zone = Installation.current().time_zone
        self.purchases, self.refunds = types_of(Role.PURCHASE), types_of(Role.REFUND)
        self.visits, self.exposures = types_of(Role.VISIT), types_of(Role.EXPOSURE)
        known = Campaign.objects.filter(channel__isnull=False).order_by("key")
        self.campaigns = dict(known.values_list("key", "channel__key"))
        self.channels: dict[int, str] = dict(Channel.objects.values_list("pk", "key"))
        self.direct = channel_ids([DIRECT])[DIRECT]
        self._found: dict[tuple[int, str], int] = {}

    @property
    def silent(self) -> list[int]:
        """Channels over which what is shown is no touch."""
        return sorted(pk for pk, key in self.channels.items() if key in OWN | MESSAGES)

    @property
    def _asked(self) -> Mapping[str, list[int]]:
        return {"visits": self.visits, "exposures": self.exposures, "silent": self.silent}

    @property
    def basis(self) -> str:
        """What a count rests on besides facts."""
        told = {
            "purchases": self.purchases,
            "refunds": self.refunds,
            "visits": self.visits,
            "ads": self.exposures,
            "campaigns": self.campaigns,
        }
        return f"{self.zone}; {json.dumps(told, sort_keys=True)}"

    def moved_campaigns(self, mark: Counting) -> list[str] | None:
        """The campaigns that are kept under another channel than a count knew. None where everybody must be counted
        anew: the zone is another, or types that had been sent before mean something else."""
        (zone, before), (_zone, now) = (
            (zone, json.loads(told)) for zone, _mark, told in (one.partition("; ") for one in (mark.basis, self.basis))
        )
        types = [(set(before[name]), set(now[name])) for name in ("purchases", "refunds", "visits", "ads")]
        fresh = {one for was, is_now in types for one in is_now - was}
        if zone != self.zone or any(was - is_now for was, is_now in types):
            return None
        if fresh and TouchpointType.objects.filter(pk__in=fresh, created_at__lt=mark.known_at).exists():
            return None
        was, is_now = before["campaigns"], now["campaigns"]
        return sorted(key for key in was.keys() | is_now.keys() if was.get(key) != is_now.get(key))

    def touched(self, mark: Counting, *, known_at: datetime) -> Columns:
        """Of whom something came since a count: columns customer, is_more (0: contacts alone), first and last (of the
        contacts that came)."""
        return fetch_columns(
            "analytics/acquisition_touched",
            {"customer": "q", "is_more": "h", "first": "t", "last": "t"},
            since=mark.known_at,
            known_at=known_at,
            moves_seen=mark.moves_seen,
            purchases=self.purchases,
            refunds=self.refunds,
            **self._asked,
        )

    def ends(self, customers: Sequence[int]) -> Columns:
        """Of those who have an order or a contact: the instants of the first and the last order and of the last
        contact, NEVER for none."""
        return fetch_columns(
            "analytics/acquisition_ends",
            {"customer": "q", "first": "t", "last": "t", "contact": "t"},
            customers=sql.array(list(customers)),
            purchases=self.purchases,
            **self._asked,
        )

    def contacts(self, *, customers: Int64s, sinces: Int64s, untils: Int64s) -> Contacts:
        """The contacts of some customers within (since, until] of each, milliseconds since 1970."""
        found = fetch_columns(
            "analytics/acquisition_contacts",
            {"customer": "q", "at": "t", "over": "i", "link": "s"},
            customers=sql.array(customers.tolist()),
            sinces=sql.array(sinces.tolist()),
            untils=sql.array(untils.tolist()),
            **self._asked,
        )
        pairs = list(zip(found["over"].tolist(), found["link"].tolist(), strict=True))
        for pair in set(pairs) - self._found.keys():
            self._found[pair] = self._channel(*pair)
        channel = np.array([self._found[pair] for pair in pairs], np.int64)
        return Contacts(found["customer"], found["at"], channel)

    def _channel(self, over: int, link: str) -> int:
        """The id of the marketing channel of a contact that came over a channel, by what its link said."""
        source, medium, campaign = json.loads(link) if link else ("", "", "")
        key = marketing_channel(
            over=self.channels.get(over, ""),
            source=(source or "").strip().lower(),
            medium=(medium or "").strip().lower(),
            campaign=(campaign or "").strip().lower(),
            known=self.campaigns,
        )
        return channel_ids([key])[key]
