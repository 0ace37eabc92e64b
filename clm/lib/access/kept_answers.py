"""Requests that may be sent twice: the answer of the first is kept and told again.

The answer is stored in the transaction of the act, so a crash leaves either both or neither. Kept are the answers of
requests that were tried: successes, refusals by the act itself, and crashes. What was refused before anything was tried
(no permission, no such address, a body that is not as declared) is not kept: mend it and send it with the same key.

The advisory lock taken here comes before all those of `customers.locks`; it is tried and never waited for."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.utils.crypto import salted_hmac

from clm.lib.problems import Conflict, OtherRequest

from .models import ApiKey, KeptAnswer, User

KEPT_FOR = timedelta(hours=48)
LONGEST_KEY = 255


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered: the status, the body as it was written, its type, and the address of what was made."""

    status: int
    body: bytes
    content_type: str = ""
    location: str = ""


def whose(who: User | ApiKey) -> str:
    """Whom idempotency keys belong to: nobody meets the keys of somebody else."""
    return f"{'user' if isinstance(who, User) else 'key'}:{who.pk}"


def fingerprint(*parts: str | bytes) -> str:
    """A keyed hash of everything that makes a request this request; bodies may hold passwords, so a plain hash of them
    must not lie about."""
    digest = hashlib.sha256()
    for part in parts:
        raw = part.encode() if isinstance(part, str) else part
        digest.update(len(raw).to_bytes(8, "big") + raw)
    return salted_hmac("clm.kept_answers", digest.digest(), algorithm="sha256").hexdigest()


def answered_once(
    *,
    whose: str,
    key: str,
    fingerprint: str,
    now: datetime,
    act: Callable[[], Answer],
    refused: Callable[[Exception], Answer | None],
) -> tuple[Answer, bool]:
    """The answer of `act`, and whether it is a kept one.

    What `act` raises is undone, kept as `refused` words it (None: not kept), and raised again. Conflict while the
    first request is still being answered, OtherRequest for a key that came with another request."""
    error: Exception | None = None
    answer: Answer | None
    with transaction.atomic():
        if not _held(whose, key):
            raise Conflict("A request with this idempotency key is still being answered; try again in a moment.")
        kept = KeptAnswer.objects.filter(whose=whose, idempotency_key=key).first()
        if kept is not None:
            if kept.fingerprint != fingerprint:
                raise OtherRequest(
                    "This idempotency key came with another request before; every request needs a key of its own."
                )
            return Answer(kept.status, bytes(kept.body), kept.content_type, kept.location), True
        try:
            with transaction.atomic():
                answer = act()
        except Exception as raised:
            error, answer = raised, refused(raised)
        if answer is not None:
            KeptAnswer.objects.create(
                whose=whose,
                idempotency_key=key,
                fingerprint=fingerprint,
                status=answer.status,
                content_type=answer.content_type,
                location=answer.location,
                body=answer.body,
                answered_at=now,
            )
    if error is not None:
        raise error
    assert answer is not None
    return answer, False


def forget_answers(*, now: datetime) -> int:
    """Delete the answers that were kept long enough; how many."""
    deleted, _by_model = KeptAnswer.objects.filter(answered_at__lt=now - KEPT_FOR).delete()
    return deleted


def _held(whose: str, key: str) -> bool:
    number = int.from_bytes(hashlib.sha256(f"{whose} {key}".encode()).digest()[:8], "big", signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [number])
        (held,) = cursor.fetchone()
    return bool(held)
