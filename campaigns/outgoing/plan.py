"""What is to be delivered: the logs of changes are read from where they were read last, and every event becomes a row
for each endpoint that wants it, in one transaction with the place in the logs. So every event is planned once, in the
order of the logs, whoever is killed when.

Announcements and merges are read in one view of the data: a change of stage that follows from a merge is never told
before it. Whatever was planned and is not yet told of a customer comes first."""

from collections.abc import Sequence
from datetime import datetime

from django.db import connection, transaction
from django.db.models import Max

from customers.ingest import clock
from customers.models import Merge
from lifecycle.models import Announcement

from ..models import Delivery, Endpoint, Reading, Resending
from .events import Event, announced, in_one_order, merged, wants

PORTION = 1_000
MergeEvent = Merge.pgh_event_model  # type: ignore[attr-defined]  # made by pghistory


def plan(*, portion: int = PORTION) -> int:
    """Read the next portion of the logs; how many deliveries were planned, -1 when nothing was read."""
    with transaction.atomic():
        _one_view()
        reading = Reading.objects.select_for_update(skip_locked=True).filter(pk=1).first()
        if reading is None:
            return -1 if Reading.objects.filter(pk=1).exists() else _begun()
        endpoints = list(Endpoint.objects.filter(disabled_at=None).order_by("pk"))
        if not endpoints:
            # Nobody listens: nothing is read, and whoever comes hears what happens from then on.
            announcement, merge = ends()
            if (announcement, merge) != (reading.announcement, reading.merge):
                Reading.objects.filter(pk=1).update(announcement=announcement, merge=merge)
            return -1
        announcements, merges = (
            announced(after=reading.announcement, limit=portion),
            merged(after=reading.merge, limit=portion),
        )
        events, announcements_read, merges_read = in_one_order(announcements, merges, limit=portion)
        if not events:
            return -1
        planned = store(endpoints=endpoints, events=events, now=clock())
        Reading.objects.filter(pk=1).update(
            announcement=announcements_read[-1].place if announcements_read else reading.announcement,
            merge=merges_read[-1].place if merges_read else reading.merge,
        )
    return planned


def resend(*, portion: int = PORTION) -> int:
    """Plan the next portion of what somebody wants an endpoint to be told once more; -1 when nothing was read."""
    with transaction.atomic():
        _one_view()
        # The one who plans also plans this: ids of deliveries are to commit in their order.
        if Reading.objects.select_for_update(skip_locked=True).filter(pk=1).first() is None:
            return -1
        asked = Resending.objects.filter(done_at=None).select_related("endpoint").order_by("pk").first()
        if asked is None:
            return -1
        announcements = announced(
            after=asked.announcement, until=asked.until_announcement, since=asked.since, limit=portion
        )
        merges = merged(after=asked.merge, until=asked.until_merge, since=asked.since, limit=portion)
        events, announcements_read, merges_read = in_one_order(announcements, merges, limit=portion)
        now = clock()
        if events:
            asked.deliveries += store(endpoints=[asked.endpoint], events=events, now=now, resending=asked)
            asked.announcement = announcements_read[-1].place if announcements_read else asked.announcement
            asked.merge = merges_read[-1].place if merges_read else asked.merge
        else:
            asked.done_at = now
        asked.save(update_fields=["deliveries", "announcement", "merge", "done_at"])
    return len(events)


def store(
    *, endpoints: Sequence[Endpoint], events: Sequence[Event], now: datetime, resending: Resending | None = None
) -> int:
    """Write down what each endpoint is to be told; how many deliveries."""
    planned = 0
    for endpoint in endpoints:
        wanted = [event for event in events if wants(endpoint, event)]
        if not wanted:
            continue
        later = _waits_until(endpoint, wanted, now)
        Delivery.objects.bulk_create(
            [
                Delivery(
                    endpoint=endpoint,
                    event=event.id,
                    type=event.type,
                    customer=event.customer,
                    other=event.other,
                    body=event.body,
                    resending=resending,
                    due_at=max(later.get(event.customer, now), later.get(event.other or 0, now)),
                )
                for event in wanted
            ]
        )
        planned += len(wanted)
    return planned


def _waits_until(endpoint: Endpoint, events: Sequence[Event], now: datetime) -> dict[int, datetime]:
    """Until when an earlier event of a customer waits, of those whom one does: nobody looks at a later one before."""
    people = {event.customer for event in events} | {event.other for event in events if event.other is not None}
    waiting = Delivery.objects.filter(endpoint=endpoint, state=Delivery.State.WAITING, customer__in=people)
    found = dict(waiting.values_list("customer").annotate(Max("due_at")))
    return {int(customer): max(at, now) for customer, at in found.items() if customer is not None}


def ends() -> tuple[int, int]:
    """The last places of both logs."""
    announcement = Announcement.objects.aggregate(last=Max("sequence"))["last"] or 0
    return announcement, MergeEvent.objects.aggregate(last=Max("pgh_id"))["last"] or 0


def _begun() -> int:
    """The first reading begins with what comes from now on."""
    announcement, merge = ends()
    Reading.objects.bulk_create([Reading(pk=1, announcement=announcement, merge=merge)], ignore_conflicts=True)
    return -1


def _one_view() -> None:
    """See both logs as of one instant. Inside of somebody's transaction, which tests are, it is that one's view."""
    if len(connection.savepoint_ids) == 0:
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
