"""Delivering: claim, send, write down, each by itself. A delivery is claimed with a lease and an attempt written before
anything is sent; whoever is killed in between leaves both, and when the lease runs out the same event is sent again
under the same id. So receivers hear of everything at least once, and know repetitions by the id.

A customer's events are told in their order: a later one waits until the earlier one has arrived or is given up.
Nobody else waits for it. When an endpoint keeps failing it is asked one at a time and ever more seldom, and after some
days no more."""

import logging
import random
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from ipaddress import ip_network

from django.conf import settings
from django.db import OperationalError, transaction
from django.db.models import F, QuerySet

from clm.lib import sql
from clm.lib.pinned_post import Answered, post
from clm.lib.reachable import Network
from customers import locks
from customers.ingest import clock

from ..models import Attempt, Delivery, Endpoint
from .ending import disable
from .plan import plan, resend
from .signing import KeyChangedError, headers, secret_of

log = logging.getLogger(__name__)

# Seconds until the next try, after the first, the second, ...: ten tries over 75 hours and 35 minutes.
SCHEDULE = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
TRIES = len(SCHEDULE) + 1
AT_ONCE = 8  # on the way at the same time
AT_ONCE_EACH = 4  # ... of one endpoint
UNWELL = 5  # failures in a row from which on an endpoint is tried one at a time, with pauses
LONGEST_PAUSE = timedelta(minutes=5)
LONGEST_RETRY_AFTER = timedelta(hours=6)
THROTTLED = frozenset({429, 502, 504})
_DEFAULT_RETRY_AFTER = timedelta(seconds=60)
_SERIALIZATION = "40001"


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery in our hands, with everything that sending needs."""

    delivery: int
    attempt: int
    url: str
    headers: dict[str, str]
    body: bytes


def deliver(*, seconds: float) -> int:
    """Plan and deliver what is due, for about so long; how many attempts were made. One process at a time, so that a
    slow receiver never holds up more than one worker."""
    with locks.held_alone(locks.DELIVERING) as is_mine:
        if not is_mine:
            return 0
        return _deliver(until=time.monotonic() + seconds)


def _deliver(*, until: float) -> int:
    made = 0
    on_the_way: dict[Future[Answered], Claimed] = {}
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="webhook") as pool:
        while True:
            is_over = time.monotonic() >= until
            read = False if is_over else _planned()
            claimed = [] if is_over else claim(now=clock(), most=AT_ONCE - len(on_the_way))
            for one in claimed:
                on_the_way[pool.submit(send, one)] = one
            if not on_the_way:
                if is_over or not read:
                    return made
                continue
            done, _open = wait(on_the_way, timeout=0.25, return_when=FIRST_COMPLETED)
            for future in done:
                record(on_the_way.pop(future), future.result(), now=clock())
                made += 1


def _planned() -> bool:
    """Read the logs; whether there was anything to read."""
    try:
        return max(plan(), resend()) >= 0
    except OperationalError as error:
        if getattr(error.__cause__, "pgcode", None) != _SERIALIZATION:
            raise
        return True  # somebody changed what was read; read again


def lease() -> timedelta:
    """How long whoever sends holds a delivery: resolving a name, connecting and the answer all fit into it."""
    return timedelta(seconds=settings.CLM_WEBHOOK_SECONDS * 3 + 30)


def claim(*, now: datetime, most: int) -> list[Claimed]:
    """Take up to `most` deliveries that are due, and write down an attempt of each."""
    if most <= 0:
        return []
    with transaction.atomic():
        ids = [row[0] for row in sql.rows("campaigns/deliveries_due", now=now, most=AT_ONCE_EACH, unwell=UNWELL)][:most]
        if not ids:
            return []
        found = list(Delivery.objects.filter(pk__in=ids).select_related("endpoint").order_by("pk"))
        Delivery.objects.filter(pk__in=ids).update(lease_until=now + lease(), attempts=F("attempts") + 1)
        tries = Attempt.objects.bulk_create(
            [Attempt(delivery=one, number=one.attempts + 1, began_at=now) for one in found]
        )
        return [_signed(one, attempt, now) for one, attempt in zip(found, tries, strict=True)]


def _signed(delivery: Delivery, attempt: Attempt, now: datetime) -> Claimed:
    endpoint, body = delivery.endpoint, delivery.body.encode()
    try:
        secrets = [secret_of(endpoint.salt, endpoint.fingerprint)]
        if endpoint.former_salt and endpoint.former_until is not None and now < endpoint.former_until:
            secrets.append(secret_of(endpoint.former_salt))
        told = headers(secrets=secrets, event=delivery.event, at=now, body=body)
    except KeyChangedError:
        told = {}
    return Claimed(delivery.pk, attempt.pk, endpoint.url, told, body)


def send(claimed: Claimed) -> Answered:
    """Send one; touches no database."""
    if not claimed.headers:
        return Answered(None, "SECRET_KEY has changed since the secret was made; make the secret anew")
    return post(
        claimed.url,
        claimed.body,
        headers=claimed.headers,
        seconds=settings.CLM_WEBHOOK_SECONDS,
        allowed=allowed_networks(),
        ca_file=settings.CLM_WEBHOOK_CA_FILE,
    )


def allowed_networks() -> tuple[Network, ...]:
    """The private networks that endpoints of this installation may lie in."""
    return tuple(ip_network(one.strip(), strict=False) for one in settings.CLM_WEBHOOK_NETWORKS if one.strip())


def record(claimed: Claimed, answered: Answered, *, now: datetime, chance: random.Random | None = None) -> None:
    """Write down what came of an attempt, and when the next one is due."""
    with transaction.atomic():
        # Endpoint before delivery, as whoever disables one.
        endpoint = Endpoint.objects.select_for_update(no_key=True).filter(deliveries=claimed.delivery).first()
        attempt = Attempt.objects.filter(pk=claimed.attempt, ended_at=None).first()
        if endpoint is None or attempt is None:
            return
        Attempt.objects.filter(pk=attempt.pk).update(
            ended_at=now,
            status=answered.status,
            trouble=answered.trouble[:200],
            excerpt=answered.excerpt,
            milliseconds=answered.milliseconds,
        )
        delivery = Delivery.objects.select_for_update(no_key=True).get(pk=claimed.delivery)
        if delivery.state != Delivery.State.WAITING:
            return
        log.info(
            "webhook attempt",
            extra={"fields": {"endpoint": endpoint.pk, "delivery": delivery.pk, "status": answered.status}},
        )
        if answered.status is not None and 200 <= answered.status < 300:
            _arrived(endpoint, delivery, now)
        elif delivery.attempts == attempt.number:  # else a later attempt is on its way and decides
            _failed(endpoint, delivery, answered, now, chance or random.Random())  # noqa: S311 (spreads load)


def _arrived(endpoint: Endpoint, delivery: Delivery, now: datetime) -> None:
    _end(delivery, Delivery.State.DELIVERED, now)
    endpoint.failures, endpoint.failing_since, endpoint.paused_until, endpoint.succeeded_at = 0, None, None, now
    endpoint.save(update_fields=["failures", "failing_since", "paused_until", "succeeded_at"])


def _failed(endpoint: Endpoint, delivery: Delivery, answered: Answered, now: datetime, chance: random.Random) -> None:
    if answered.status == 410:
        _end(delivery, Delivery.State.GIVEN_UP, now)
        disable(endpoint=endpoint, because="it answered 410 Gone", now=now)
        return
    endpoint.failures += 1
    endpoint.failing_since = endpoint.failing_since or now
    pause = _pause(endpoint, answered, now)
    endpoint.paused_until = now + pause if pause else None
    endpoint.save(update_fields=["failures", "failing_since", "paused_until"])
    tried = delivery.attempts - delivery.forgiven
    if tried >= TRIES:
        _end(delivery, Delivery.State.GIVEN_UP, now)
    else:
        # A little later or earlier than the schedule, so that what failed together is not tried together.
        later = timedelta(seconds=SCHEDULE[tried - 1] * chance.uniform(0.9, 1.1))
        due = now + max(later, pause if answered.status in THROTTLED else timedelta())
        Delivery.objects.filter(pk=delivery.pk).update(due_at=due, lease_until=None)
        # Those that wait for it need not be looked at before.
        _behind(delivery).filter(due_at__lt=due).update(due_at=due)
    if now - endpoint.failing_since > timedelta(days=settings.CLM_WEBHOOK_DEAD_DAYS):
        days = settings.CLM_WEBHOOK_DEAD_DAYS
        disable(endpoint=endpoint, because=f"nothing has arrived there for {days} days", now=now)


def _pause(endpoint: Endpoint, answered: Answered, now: datetime) -> timedelta:
    """How long the whole endpoint is left alone."""
    pause = timedelta()
    if endpoint.failures >= UNWELL:
        pause = min(timedelta(seconds=5 * 2 ** min(endpoint.failures - UNWELL, 10)), LONGEST_PAUSE)
    if answered.status in THROTTLED:
        pause = max(pause, _retry_after(answered.retry_after, now))
    return pause


def _retry_after(text: str, now: datetime) -> timedelta:
    """What a Retry-After header asks for, seconds or a date; a minute when it says nothing that can be understood."""
    if text.strip().isascii() and text.strip().isdigit():
        asked = timedelta(seconds=min(int(text.strip()[:9]), 10**8))
    else:
        try:
            at = parsedate_to_datetime(text)
        except ValueError:
            return _DEFAULT_RETRY_AFTER
        asked = (at if at.tzinfo else at.replace(tzinfo=UTC)) - now
    return min(max(asked, timedelta()), LONGEST_RETRY_AFTER)


def _end(delivery: Delivery, state: str, now: datetime) -> None:
    Delivery.objects.filter(pk=delivery.pk).update(state=state, finished_at=now, lease_until=None)
    _behind(delivery).filter(due_at__gt=now).update(due_at=now)


def _behind(delivery: Delivery) -> QuerySet[Delivery]:
    """What waits for a delivery: later ones to the same endpoint about the same customers."""
    people = [one for one in (delivery.customer, delivery.other) if one is not None]
    return Delivery.objects.filter(
        endpoint=delivery.endpoint_id, state=Delivery.State.WAITING, customer__in=people, pk__gt=delivery.pk
    )
