"""What the outside is told: the types of events, and their bodies. Bodies name customers by their ids and hold nothing
else of a person; whoever needs more asks the API, and is asked for a key."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from clm.lib import sql
from clm.lib.milliseconds import written
from customers.models import Cause
from lifecycle.models import Announcement, Segment, Stage, Subject

from ..models import Endpoint

STAGE_CHANGED = "customer.stage_changed"
MERGED = "customer.merged"
UNMERGED = "customer.unmerged"
ENTERED = "segment.entered"
LEFT = "segment.left"
PING = "webhook.ping"

TYPES = {
    STAGE_CHANGED: _("A customer came to another stage"),
    ENTERED: _("A customer entered a segment"),
    LEFT: _("A customer left a segment"),
    MERGED: _("Two customers were found to be one person"),
    UNMERGED: _("A merge was undone"),
}


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, as it may be told. id: stable, whoever is told, however often; at: when we learnt of it;
    place: in its log; is_news: fresh enough to act on; subject: the key of the model or the segment."""

    id: str
    type: str
    at: datetime
    place: int
    customer: int
    other: int | None
    is_news: bool
    subject: str
    body: str


def wants(endpoint: Endpoint, event: Event) -> bool:
    """Whether an endpoint is to be told of an event."""
    if event.type not in endpoint.events or not (event.is_news or endpoint.takes_history):
        return False
    if event.type == STAGE_CHANGED:
        return not endpoint.model_keys or event.subject in endpoint.model_keys
    if event.type in (ENTERED, LEFT):
        return not endpoint.segment_keys or event.subject in endpoint.segment_keys
    return True


def announced(*, after: int, until: int | None = None, since: datetime | None = None, limit: int) -> list[Event]:
    """The next announcements of the log after a place in it, in its order."""
    asked = Q(sequence__gt=after)
    if until is not None:
        asked &= Q(sequence__lte=until)
    if since is not None:
        asked &= Q(told_at__gte=since)
    rows = list(Announcement.objects.filter(asked).order_by("sequence")[:limit])
    named = {stage for row in rows for stage in (row.stage_id, row.from_stage_id) if stage is not None}
    stages = dict(Stage.objects.filter(pk__in=named).values_list("pk", "key"))
    about = Subject.objects.filter(pk__in={row.subject_id for row in rows})
    subjects = {pk: (key, kind) for pk, key, kind in about.values_list("pk", "key", "kind")}
    return [_of_announcement(row, stages, *subjects[row.subject_id]) for row in rows]


def merged(*, after: int, until: int | None = None, since: datetime | None = None, limit: int) -> list[Event]:
    """The next merges and undone merges of their log."""
    found = sql.rows("campaigns/merges_logged", after=after, until=until, since=since, limit=limit)
    events = []
    for place, at, merge, survivor, absorbed, is_undone in found:
        data = {"customer": str(survivor), "absorbed": str(absorbed), "merge": str(merge)}
        type_ = UNMERGED if is_undone else MERGED
        events.append(
            Event(
                id=f"evt_{'u' if is_undone else 'm'}{merge}",
                type=type_,
                at=at,
                place=place,
                customer=survivor,
                other=absorbed,
                is_news=True,
                subject="",
                body=body_of(type_, at, data),
            )
        )
    return events


def _of_announcement(row: Announcement, stages: dict[int, str], key: str, kind: str) -> Event:
    assert row.sequence is not None
    told: dict[str, Any] = {"customer": str(row.customer_id)}
    if kind != Subject.Kind.MODEL:
        type_ = ENTERED if stages.get(row.stage_id) == "in" else LEFT
        told["segment"] = key
    else:
        type_ = STAGE_CHANGED
        told["model"] = key
        told["from"] = stages.get(row.from_stage_id) if row.from_stage_id else None
        told["to"] = stages.get(row.stage_id)
    told["since"] = written(row.entered_at)
    told["cause"] = Cause(row.cause).name.lower()
    told["is_correction"] = row.kind == Announcement.Kind.CORRECTION
    told["is_news"] = row.is_news
    return Event(
        id=f"evt_a{row.pk}",
        type=type_,
        at=row.told_at,
        place=row.sequence,
        customer=row.customer_id,
        other=None,
        is_news=row.is_news,
        subject=key,
        body=body_of(type_, row.told_at, told),
    )


def body_of(type_: str, at: datetime, data: dict[str, Any]) -> str:
    """The body of an event, as it is signed and sent."""
    return json.dumps({"type": type_, "timestamp": written(at), "data": data}, separators=(",", ":"))


def in_one_order(
    announcements: Sequence[Event], merges: Sequence[Event], *, limit: int
) -> tuple[list[Event], Sequence[Event], Sequence[Event]]:
    """The events of both logs in the order in which they became known, and as much of each log as is in it. A log that
    was cut off at `limit` says nothing about what came later: the other one is read no further either."""
    if len(announcements) == limit:
        latest = max(event.at for event in announcements)
        merges = _beginning(merges, latest)
    elif len(merges) == limit:
        announcements = _beginning(announcements, merges[-1].at)
    # What was known at the same instant: first that two are one, then what follows from it.
    tagged = [(event.at, 0, event.place, event) for event in merges]
    tagged += [(event.at, 1, event.place, event) for event in announcements]
    return [event for *_key, event in sorted(tagged, key=lambda one: one[:3])], announcements, merges


def _beginning(events: Sequence[Event], until: datetime) -> Sequence[Event]:
    for number, event in enumerate(events):
        if event.at > until:
            return events[:number]
    return events


def known_names() -> tuple[dict[str, str], dict[str, str]]:
    """The names of the models and of the segments that there are, by their keys, in the order of the keys."""
    models = Subject.objects.filter(kind=Subject.Kind.MODEL).order_by("key").values_list("key", "name")
    return dict(models), dict(Segment.objects.order_by("key").values_list("key", "name"))
