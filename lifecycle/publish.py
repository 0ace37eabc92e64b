"""Making built versions live, in one instant for everybody and with everybody waiting as briefly as possible.

1. beside the work: how standings will change (`Move`) and what there is to tell of it;
2. everybody waits: those advanced since the first step are worked out again, standings move, the pointers move;
3. commit; then the moves are deleted.

Whoever advances while a version is being built notes its customers in `Touched`, which the second step reads."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from clm.lib import sql
from clm.lib.milliseconds import truncated
from customers import locks
from customers.ingest import clock
from customers.models import Cause

from .models import Move, Stage, Subject, Touched, Version


@dataclass(frozen=True, slots=True)
class _Publishing:
    """One version about to be live. `announce`: it replaces one, so changes are told; a first one is silent."""

    version: Version
    outside: int
    announce: bool

    def work_out(self, *, customers: Sequence[int] | None, now: datetime) -> None:
        of = {"subject": self.version.subject_id, "version": self.version.pk}
        chosen = None if customers is None else list(customers)
        sql.run("lifecycle/moves_prepare", **of, outside=self.outside, announce=self.announce, customers=chosen).close()
        sql.run("lifecycle/moves_tell", **of, cause=int(Cause.PUBLISH), now=now, customers=chosen).close()


def make_live(*, versions: Sequence[int], also: Callable[[list[Version]], None] = lambda _live: None) -> int:
    """Make those of these versions live that are computed and still being built; how many. `also` is done with them in
    the same transaction."""
    with transaction.atomic():
        locks.own(locks.PUBLISHING)
        began = truncated(clock())
        # Deleted before anything is worked out: who is noted from here on is worked out again.
        Touched.objects.all().delete()
        publishing = [
            _Publishing(version, outside=_outside(version), announce=_is_live(version.subject))
            for version in Version.objects.filter(pk__in=versions, state=Version.State.BUILDING)
            .select_related("subject", "revision")
            .order_by("pk")
        ]
        for one in publishing:
            Move.objects.filter(version=one.version.pk).delete()
            one.work_out(customers=None, now=began)
        if publishing:
            with connection.cursor() as cursor:
                cursor.execute("ANALYZE lifecycle_move")
        locks.own_patiently(locks.VERSIONS)
        # Those that somebody else has replaced meanwhile are done with.
        still = set(Version.objects.filter(pk__in=versions, state=Version.State.BUILDING).values_list("pk", flat=True))
        touched = sorted(set(Touched.objects.values_list("customer", flat=True)))
        last = truncated(clock())
        for one in publishing:
            if one.version.pk in still:
                _publish(one, touched=touched, last=last)
            else:
                _forget(one, sorted(Move.objects.filter(version=one.version.pk).values_list("customer", flat=True)))
        also([one.version for one in publishing if one.version.pk in still])
    Move.objects.filter(version__in=[one.version.pk for one in publishing]).delete()
    return len(still)


def _publish(one: _Publishing, *, touched: Sequence[int], last: datetime) -> None:
    """The instant of the switch is when it is made, not when it was asked for: until then readers were answered by what
    was live before, and a question about what was known then must say the same."""
    if touched:
        _forget(one, touched)
        one.work_out(customers=touched, now=last)
    version = one.version
    sql.run("lifecycle/moves_apply", subject=version.subject_id, version=version.pk, now=last).close()
    Version.objects.filter(subject=version.subject_id, state=Version.State.LIVE).update(
        state=Version.State.RETIRED, retired_at=last
    )
    Version.objects.filter(pk=version.pk).update(state=Version.State.LIVE, published_at=last)
    Subject.objects.filter(pk=version.subject_id).update(live_version=version)


def _forget(one: _Publishing, customers: Sequence[int]) -> None:
    sql.run("lifecycle/moves_forget", version=one.version.pk, customers=list(customers)).close()


def _outside(version: Version) -> int:
    return Stage.objects.get(subject=version.subject_id, is_exit=True).pk


def _is_live(subject: Subject) -> bool:
    return Version.objects.filter(subject=subject, state=Version.State.LIVE).exists()
