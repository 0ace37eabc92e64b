"""Who will lapse within 30 days if nothing else happens. Any touchpoint may put it off, so it cannot be kept by
differences; computing it costs an evaluation of everybody whom time may change until then. It is done again when a
hundred times as long has passed as it took, so it never takes more than a hundredth of a processor, and pages say of
when it is."""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction

from clm.lib import sql
from customers.ingest import clock
from lifecycle.outlook import changes_ahead

from ..models import Counting, Fall
from ..sorting import Sorting, lapsed_stage, stage_models
from .declared import FALLS

DAYS = 30
CHUNK = 20_000
REST = 100  # times as long as it took
LEAST_REST = timedelta(minutes=1)
GIVEN_UP = timedelta(hours=1)  # whoever began so long ago was killed


def count_falls(*, tell: Callable[[str], None] = lambda _line: None) -> int:
    """Compute anew for every model whose falls are old enough; how many models."""
    done = 0
    for model in stage_models():
        stage = lapsed_stage(model)
        if stage is None or model.version is None or not _taken(model.version):
            continue
        now = clock()
        found = falls_ahead(subject=model.id, stage=stage, now=now, days=DAYS)
        _store(model, found, now)
        tell(f"falls: {len(found)} customers of {model.key}")
        done += 1
    return done


def falls_ahead(*, subject: int, stage: int, now: datetime, days: int) -> dict[int, datetime]:
    """The customers who enter the stage within those days by time alone, and are not in it now, with when they do.

    Due gives everybody whom time may change until then; their rules are evaluated exactly."""
    until = now + timedelta(days=days)
    candidates = [
        customer for (customer,) in sql.rows("analytics/falls_candidates", until=until, subject=subject, stage=stage)
    ]
    found: dict[int, datetime] = {}
    for start in range(0, len(candidates), CHUNK):
        ahead = changes_ahead(customers=candidates[start : start + CHUNK], now=now, until=until, subject=subject)
        for customer, subjects in ahead.items():
            falls = [change.at for change in subjects.get(subject, ()) if change.stage == stage]
            if falls:
                found[customer] = falls[0]
    return found


@transaction.atomic
def _taken(version: int) -> bool:
    """Take a model's falls to compute, unless they are young or somebody else is at it."""
    now = clock()
    mark, is_new = Counting.objects.select_for_update().get_or_create(
        statistic=FALLS.name,
        version=version,
        defaults={"state": Counting.State.STARTED, "basis": "", "known_at": now, "last_day": now.date()},
    )
    if not is_new:
        begun = mark.started_at
        if mark.state == Counting.State.STARTED or mark.moves_seen:
            resting = now < begun + GIVEN_UP
        else:
            took = (mark.done_at or begun) - begun
            resting = now < (mark.done_at or begun) + max(took * REST, LEAST_REST)
        if resting:
            return False
    # What is kept stays readable meanwhile; moves_seen says that somebody is at work.
    Counting.objects.filter(pk=mark.pk).update(started_at=now, moves_seen=1)
    return True


@transaction.atomic
def _store(model: Sorting, found: dict[int, datetime], now: datetime) -> None:
    Fall.objects.filter(version=model.version or 0).delete()
    customers = sorted(found)
    sql.run(
        "analytics/falls_add",
        version=model.version,
        customers=customers,
        instants=[found[customer] for customer in customers],
    ).close()
    Counting.objects.filter(statistic=FALLS.name, version=model.version or 0).update(
        state=Counting.State.DONE, known_at=now, last_day=now.date(), done_at=clock(), moves_seen=0
    )
