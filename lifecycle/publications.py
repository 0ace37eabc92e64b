"""Publishing asked for and done: a request only states the wish, as a row, and whoever works next fulfils it. Killed on
the way, it is taken up again; what cannot go live says why."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from django.db import InterfaceError, OperationalError, connection, transaction
from django.utils.translation import gettext as _

from clm.lib.questions import ConflictError, QuestionError
from customers import locks
from customers.ingest import clock
from customers.models import Cause

from .install import obstacles, publish
from .models import Publication, Replay, Revision
from .previews import counted, estimated_change, latest_preview
from .replay import progress, replay_next
from .rules.document import RuleError

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PublicationProgress:
    """How far a publication is: buckets of customers computed so far, of how many (0: not known yet)."""

    done: int
    buckets: int


def ask_to_publish(*, revision: int, author: int | None = None, now: datetime) -> Publication:
    """State the wish, and keep what is estimated of its effect unless everybody was counted: that is what is decided
    on. ConflictError if it is live already, or says at once what speaks against it."""
    with transaction.atomic():
        found = Revision.objects.select_for_update(no_key=True).get(pk=revision)
        if found.published_at is not None:
            raise ConflictError(_("This change is live already."))
        known = Publication.objects.filter(revision=found, finished_at=None, refused_at=None).first()
        if known is not None:
            return known
        against = obstacles(revision=revision)
        if against:
            raise ConflictError(" ".join(against))
        preview = latest_preview(revision=revision)
        is_counted = preview is not None and counted(preview=preview) is not None
        asked = {
            "asked_at": now,
            "author_id": author,
            "began_at": None,
            "refused_at": None,
            "refusal": "",
            "estimate": None if is_counted else estimated_change(revision=revision, now=now).written(),
        }
        return Publication.objects.update_or_create(revision=found, defaults=asked)[0]


def publish_asked() -> int:
    """Make live what was asked for, one after the other; how many went live. Whoever finds somebody else at it helps
    with the computing."""
    done = 0
    if not Publication.objects.filter(finished_at=None, refused_at=None).exists():
        return done
    with _leading() as leads:
        if not leads:
            _help()
            return done
        for publication in Publication.objects.filter(finished_at=None, refused_at=None).order_by("asked_at", "pk"):
            done += _publish(publication)
    return done


def publication_progress() -> PublicationProgress:
    """How far the computing is for what is being built now."""
    replay = Replay.objects.filter(cause=Cause.PUBLISH, finished_at=None).first()
    if replay is None:
        return PublicationProgress(0, 0)
    found = progress(replay=replay)
    return PublicationProgress(found.done, found.buckets)


def _publish(publication: Publication) -> bool:
    mine = Publication.objects.filter(pk=publication.pk)
    mine.update(began_at=clock())
    try:
        publish(revision=publication.revision_id, now=clock())
    except (OperationalError, InterfaceError):
        raise  # the database's trouble: the next one tries again
    except (ConflictError, QuestionError, RuleError) as error:
        mine.update(refused_at=clock(), refusal=str(error))
    except Exception as error:
        log.exception("revision %d was not published", publication.revision_id)
        mine.update(refused_at=clock(), refusal=_("The program failed: %(error)s.") % {"error": type(error).__name__})
    else:
        mine.update(finished_at=clock())
        return True
    return False


def _help() -> None:
    for replay in Replay.objects.filter(cause=Cause.PUBLISH, finished_at=None):
        while replay_next(replay=replay):
            pass


@contextmanager
def _leading() -> Iterator[bool]:
    """Whether nobody else makes anything live meanwhile. Held by the session, since publishing takes many
    transactions."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, 0)", [locks.PUBLICATIONS])
        (leads,) = cursor.fetchone()
    try:
        yield bool(leads)
    finally:
        if leads:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, 0)", [locks.PUBLICATIONS])
