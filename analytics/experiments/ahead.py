"""What experiments say, counted by a worker before anybody asks: of a million customers it takes seconds, which nobody
should wait for.

Those that go on are counted anew every five minutes, and what a recount says of those that have ended every hour.
Whatever all of them together take, twenty times as long passes until the next time: a twentieth of a processor at most.
Pages tell such a count, and as of when it is, until it is twice as old; who asks later, or of an instant of one's own,
has it counted. What is counted at once anyway is always counted when somebody asks."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import perf_counter
from typing import Any

from django.db.models import Q

from analytics.days.kept import kept
from analytics.days.remembered import remembered_now
from analytics.models import ExperimentCount
from campaigns.models import Experiment
from clm.lib.milliseconds import truncated

from .counting import ByVariant, counts, goal_of, metric_counts
from .documents import counts_of, goals_of, metric_document, types_counted

# How long a batch may go on that was being assigned when assigning was stopped.
LAST_BATCH = timedelta(minutes=1)
FOR_OPEN, FOR_OTHERS = timedelta(minutes=5), timedelta(hours=1)
SHARE = 20  # times as long as all counts took together
WORTH_SECONDS = 0.5  # what takes less is counted when somebody asks
LOOKED_AT = timedelta(days=90)  # after its end


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of an experiment, of each metric by variant; counted_at: when that was counted."""

    counts: tuple[ByVariant, ...]
    counted_at: datetime


def instant_shown(one: Experiment, *, now: datetime) -> datetime:
    """As of when an experiment is shown to whoever names no instant: now, or some minutes ago where it was counted
    ahead, or where answers from history are remembered; never before everybody was assigned."""
    ahead = _usable(one, now=now)
    if ahead is not None and one.ended_at is None:
        return ahead.until_at
    counted = kept()
    if counted.known_at is None:
        return now
    if one.started_at is None:
        settled = now
    elif one.stopped_at is not None and one.assigned_at is None:
        settled = one.stopped_at + LAST_BATCH
    else:
        settled = one.assigned_at or now
    if one.ended_at is not None:
        settled = max(settled, one.ended_at)
    # Links carry milliseconds: the one after it, or lists would leave out who was assigned last.
    settled = truncated(settled) + timedelta(milliseconds=1)
    return max(remembered_now(now=now, zone=counted.zone), min(settled, now))


def known(*, experiment: Experiment, until: datetime, as_of: datetime) -> Known:
    """What is known of it, counted ahead if that is what is asked as of an instant."""
    ahead = _usable(experiment, now=as_of)
    if ahead is not None and ahead.until_at == until:
        return Known(counts_of(ahead.metrics), ahead.counted_at)
    return Known(counts(experiment=experiment, until=until), as_of)


def count_next(*, now: datetime) -> bool:
    """Count the one that has waited longest, if its time has come; whether there was one."""
    found = _due(now)
    if found is None:
        return False
    # An instant of lists, which are asked by the millisecond.
    until = found.ended_at or truncated(now)
    counted, began = kept(), perf_counter()
    metrics = [
        metric_document(
            document,
            metric_counts(experiment=found, document=document, until=until, counted=counted, is_fresh=True),
        )
        for document in found.metrics
    ]
    keep(experiment=found, until=until, counted_at=now, seconds=perf_counter() - began, metrics=metrics)
    return True


def keep(
    *, experiment: Experiment, until: datetime, counted_at: datetime, seconds: float, metrics: list[dict[str, Any]]
) -> None:
    """Keep what was counted until the next time."""
    ExperimentCount.objects.update_or_create(
        experiment=experiment,
        defaults={
            "until_at": until,
            "counted_at": counted_at,
            "seconds": seconds,
            "state": _state(experiment),
            "types": types_counted(),
            "metrics": metrics,
        },
    )


def is_due(*, now: datetime) -> bool:
    """Whether the time of one has come."""
    return _due(now) is not None


def _due(now: datetime) -> Experiment | None:
    if kept().known_at is None:
        return None  # few customers, or nothing that makes counting fast yet
    is_settled = Q(assigned_at__isnull=False) | Q(stopped_at__lt=now - LAST_BATCH)
    goes_on = Q(started_at__isnull=False, ended_at=None) & is_settled
    has_ended = Q(counted_at__isnull=False, ended_at__gt=now - LOOKED_AT)
    found = Experiment.objects.filter(goes_on | has_ended).order_by("pk")
    ahead = ExperimentCount.objects.in_bulk([one.pk for one in found])
    together = timedelta(seconds=sum(one.seconds for one in ahead.values()))
    waiting = []
    for one in found:
        last = ahead.get(one.pk)
        if last is None or last.state != _state(one):
            return one
        if last.counted_at + max(_rest(one, last), together * SHARE) <= now:
            waiting.append((last.counted_at, one))
    return min(waiting, key=lambda pair: pair[0])[1] if waiting else None


def _usable(one: Experiment, *, now: datetime) -> ExperimentCount | None:
    """What was counted ahead of it, if that may be told."""
    if one.started_at is None:
        return None
    found = ExperimentCount.objects.filter(experiment=one).first()
    if found is None or found.seconds < WORTH_SECONDS or found.state != _state(one):
        return None
    if now - found.counted_at > 2 * _rest(one, found):
        return None
    is_same = found.types == types_counted() and goals_of(found.metrics) == _goals(one)
    return found if is_same else None


def _rest(one: Experiment, last: ExperimentCount) -> timedelta:
    return FOR_OPEN if one.ended_at is None and last.seconds >= WORTH_SECONDS else FOR_OTHERS


def _state(one: Experiment) -> str:
    """What it was like when it was counted."""
    return f"{one.state} {one.assigned_at.isoformat() if one.assigned_at else ''}"


def _goals(one: Experiment) -> list[Any]:
    documents: list[Mapping[str, Any]] = one.metrics
    return [goal_of(document) for document in documents]
