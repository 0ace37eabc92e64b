"""Writing what is planned and sending it: claim, hand over, write down, each by itself.

A mail cannot be unsent. So before its first byte leaves that is written down (`body_at`), by a statement that only
whoever holds the claim can make; and a mail that has begun to leave is never sent again by itself. Whoever is killed
before that has sent nothing and the mail is sent later; whoever is killed after it leaves a mail of which nobody knows
whether it arrived: it is told as unknown, and a person decides. One process at a time sends, under a lock that ends
with its session: whatever is in hand when somebody else gets the lock was left behind."""

import logging
import time
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F

from clm.lib.access.invitations import sends_mail
from clm.lib.mail_dialog import LATER, REFUSED, SENT, TAKEN_AWAY, UNKNOWN, Answer, Post
from clm.lib.questions import NotThereError, QuestionError
from customers import locks
from customers.ingest import clock

from ..models import Mailing, Sending
from .envelopes import mail_of, sender
from .letters import Letter
from .planning import plan, why_not
from .writing import letter_of

log = logging.getLogger(__name__)

# Seconds until the next try after the first, the second, ...: eight tries within a day.
SCHEDULE = (60, 300, 900, 3_600, 10_800, 21_600, 43_200)
TRIES = len(SCHEDULE) + 1
STEP_SECONDS = 60.0  # that the mail server may take for one step
WRITE_TRIES, WRITE_PAUSE = 3, timedelta(minutes=1)
_STATES = {SENT: Sending.State.SENT, REFUSED: Sending.State.REFUSED, UNKNOWN: Sending.State.UNKNOWN}


def send_reports(*, seconds: float) -> int:
    """Plan what is due, write it and send it, for about so long; how many mails the server took."""
    until = time.monotonic() + seconds
    with locks.held_alone(locks.MAILING) as is_mine:
        if not is_mine:
            return 0
        plan(now=clock())
        while time.monotonic() < until and write_next(now=clock()):
            pass
        if not sends_mail():
            return 0
        left_behind(now=clock())
        sent = 0
        post = Post(seconds=STEP_SECONDS)
        try:
            while time.monotonic() < until:
                sending = claim(now=clock())
                if sending is None:
                    break
                answer = hand_over(sending, post)
                record(sending, answer, now=clock())
                sent += answer.kind == SENT
        finally:
            post.close()
        return sent


# --- writing --------------------------------------------------------------------------------------------------
def write_next(*, now: datetime) -> bool:
    """Write one letter; whether there was one to write. What cannot be answered (a segment that is gone) fails at once;
    what went wrong otherwise is tried again."""
    waiting = Mailing.objects.filter(state=Mailing.State.WAITING, try_at__lte=now)
    mailing = waiting.select_related("report").order_by("try_at", "pk").first()
    if mailing is None:
        return False
    mine = Mailing.objects.filter(pk=mailing.pk, state=Mailing.State.WAITING)
    # Written down before: whoever is killed by what he writes is not killed for ever.
    mine.update(attempts=F("attempts") + 1, try_at=now + WRITE_PAUSE)
    is_test = mailing.kind == Mailing.Kind.TEST
    try:
        letter = letter_of(
            report=mailing.report, due_at=mailing.due_at, now=now, missed=mailing.missed, is_test=is_test
        )
    except (QuestionError, NotThereError) as error:
        _not_written(mailing, str(error), now=now)
    except Exception as error:
        log.exception("a report could not be written", extra={"fields": {"mailing": mailing.pk}})
        if mailing.attempts + 1 >= WRITE_TRIES:
            _not_written(mailing, f"{type(error).__name__}; the log of the worker says more", now=now)
    else:
        mine.update(
            state=Mailing.State.READY, subject=letter.subject, content=letter.packed(), written_at=now, error=""
        )
        Sending.objects.filter(mailing=mailing).update(try_at=now)
    return True


def _not_written(mailing: Mailing, error: str, *, now: datetime) -> None:
    with transaction.atomic():
        Mailing.objects.filter(pk=mailing.pk).update(state=Mailing.State.FAILED, error=error[:500])
        Sending.objects.filter(mailing=mailing, state=Sending.State.WAITING).update(
            state=Sending.State.LEFT_OUT, words="the report could not be written", ended_at=now
        )


# --- sending --------------------------------------------------------------------------------------------------
def left_behind(*, now: datetime) -> None:
    """What somebody was about to send who is gone: sent later if nothing had left, unknown otherwise."""
    in_hand = Sending.objects.filter(state=Sending.State.SENDING)
    in_hand.filter(body_at=None).update(state=Sending.State.WAITING, try_at=now, claimed_at=None)
    in_hand.exclude(body_at=None).update(
        state=Sending.State.UNKNOWN,
        ended_at=now,
        words="whoever sent it was ended before the mail server answered",
    )


def claim(*, now: datetime) -> Sending | None:
    """Take one mail in hand; None when none is to be sent now. Whoever may not receive it any more is left out."""
    while True:
        with transaction.atomic():
            waiting = Sending.objects.select_for_update(skip_locked=True, of=("self",)).filter(
                state=Sending.State.WAITING, try_at__lte=now, mailing__state=Mailing.State.READY
            )
            found = waiting.select_related("mailing__report", "recipient__user").order_by("try_at", "pk").first()
            if found is None:
                return None
            reason = _why_left_out(found)
            if reason:
                found.state, found.words, found.ended_at = Sending.State.LEFT_OUT, reason, now
                found.save(update_fields=["state", "words", "ended_at"])
                continue
            found.state, found.claimed_at, found.body_at = Sending.State.SENDING, now, None
            found.attempts += 1
            found.save(update_fields=["state", "claimed_at", "body_at", "attempts"])
        return found


def _why_left_out(sending: Sending) -> str:
    """Between planning and sending somebody may have taken himself off, or have been shut out."""
    if sending.mailing.kind == Mailing.Kind.TEST:
        return ""
    if sending.recipient is None:
        return "was taken off the list"
    return why_not(sending.recipient, sending.mailing.report)


def hand_over(sending: Sending, post: Post) -> Answer:
    """Send one mail that is in hand."""
    content = sending.mailing.content
    assert content is not None  # it is ready
    mail = mail_of(sending, Letter.unpacked(bytes(content)))

    def about_to_leave() -> bool:
        mine = Sending.objects.filter(
            pk=sending.pk, state=Sending.State.SENDING, attempts=sending.attempts, body_at=None
        )
        return bool(mine.update(body_at=clock()))

    return post.hand_over(mail, sender=sender()[1], to=sending.address, about_to_leave=about_to_leave)


def record(sending: Sending, answer: Answer, *, now: datetime) -> None:
    """Write down what came of a mail. What the server answered at last is also true of one that somebody else has
    called unknown meanwhile."""
    log.info("report mail", extra={"fields": {"sending": sending.pk, "outcome": answer.kind, "code": answer.code}})
    if answer.kind == TAKEN_AWAY:
        return
    mine = Sending.objects.filter(
        pk=sending.pk, attempts=sending.attempts, state__in=[Sending.State.SENDING, Sending.State.UNKNOWN]
    )
    told = {"code": answer.code, "words": answer.words}
    if answer.kind != LATER:
        mine.update(state=_STATES[answer.kind], ended_at=now, **told)
    elif (tried := sending.attempts - sending.forgiven) >= TRIES:
        mine.update(state=Sending.State.REFUSED, ended_at=now, **told)
    else:
        later = now + timedelta(seconds=SCHEDULE[tried - 1])
        mine.update(state=Sending.State.WAITING, try_at=later, claimed_at=None, body_at=None, **told)
