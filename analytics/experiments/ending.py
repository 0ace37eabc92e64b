"""The end of an experiment: what it told then is kept, and stands beside what the same counts say today.

Facts come late, customers are merged, taken apart and erased, rules change. Each would change in secret what an
experiment that is over has found. So a worker counts what its results rest on as soon as it has ended, and writes that
down metric by metric: a killed one goes on with the next. Whoever asks later is told these, and where a recount says
otherwise, that too, and what became known in between."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from time import monotonic, perf_counter
from typing import Any

from analytics.days.kept import kept
from analytics.days.remembered import remembered_rows
from campaigns.models import Experiment
from customers import locks
from customers.ingest import clock

from . import ahead
from .counting import BEFORE_DAYS, goal_of, metric_counts, reach
from .documents import counts_of, goals_of, metric_document, types_counted
from .results import Results, results_of

_TO_COUNT = {"ended_at__isnull": False, "told__isnull": False, "counted_at": None}


@dataclass(frozen=True, slots=True)
class Since:
    """Why a recount says otherwise. late: touchpoints that arrived after the end; converted: touchpoints whose money
    was converted after it; moved: customers merged or taken apart; erased: customers; goals: whether what is to be
    reached is defined otherwise, or not at all any more; types: whether other touchpoints are orders or refunds."""

    late: int
    converted: int
    moved: int
    erased: int
    goals: bool
    types: bool


@dataclass(frozen=True, slots=True)
class Counting:
    """How far a worker is with what an experiment found: metrics that are counted, and how many there are."""

    done: int
    of: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """told: what holds: what was found at the end, or so far. told_at: as of when it was kept, None while it goes on,
    or where nothing was kept. counting: how far that is, while it is not all there; then nothing is told. today: the
    same counted from what is known at recounted_at, None where nothing was kept; gone: places of metrics which cannot
    be counted anew, since what is to be reached is there no more; since: why the two differ, None where they do not."""

    told: Results
    told_at: datetime | None = None
    counting: Counting | None = None
    today: Results | None = None
    recounted_at: datetime | None = None
    gone: frozenset[int] = frozenset()
    since: Since | None = None

    @property
    def agrees(self) -> bool:
        """Whether it was counted anew, and says the same."""
        return self.today is not None and self.since is None and len(self.gone) < len(self.told.metrics)


def outcome(*, experiment: Experiment, as_of: datetime) -> Outcome:
    """What an experiment found; as of an instant before its end, what it said then."""
    ended_at, until = experiment.ended_at, reach(experiment, as_of)
    if ended_at is not None and until == ended_at and experiment.state == "ending":
        return _being_counted(experiment, until)
    found = ahead.known(experiment=experiment, until=until, as_of=as_of)
    if ended_at is None or until < ended_at or experiment.told is None:
        return Outcome(results_of(experiment=experiment, counted=found.counts, until=until))
    kept_metrics = experiment.told["metrics"]
    then, goals = counts_of(kept_metrics), goals_of(kept_metrics)
    present = [goal_of(document) for document in experiment.metrics]
    gone = frozenset(place for place, goal in enumerate(goals) if goal is not None and present[place] is None)
    # What cannot be counted anew is no difference.
    now = tuple(then[place] if place in gone else one for place, one in enumerate(found.counts))
    differs = any(dict(one) != dict(other) for one, other in zip(then, now, strict=True))
    return Outcome(
        told=results_of(experiment=experiment, counted=then, until=until),
        told_at=ended_at,
        today=results_of(experiment=experiment, counted=now, until=until),
        recounted_at=found.counted_at,
        gone=gone,
        since=_since(
            experiment,
            ended_at,
            # An end that was entered for the past knew what was known when it was counted.
            known_at=datetime.fromisoformat(experiment.told["known_at"]),
            goals=goals != present,
            types=experiment.told["types"],
        )
        if differs
        else None,
    )


def _being_counted(experiment: Experiment, until: datetime) -> Outcome:
    told = results_of(experiment=experiment, counted=[{} for _metric in experiment.metrics], until=until)
    counted = len((experiment.told or {"metrics": []})["metrics"])
    return Outcome(replace(told, verdict="counting"), counting=Counting(counted, len(experiment.metrics)))


def _since(
    experiment: Experiment, ended_at: datetime, *, known_at: datetime, goals: bool, types: dict[str, list[int]]
) -> Since:
    """known_at: when its result was kept; goals: whether they are others now; types: those that counted then."""
    counting = types_counted()
    any_counts = any(document["kind"] == "reached" for document in experiment.metrics)
    ((late, converted, moved, erased),) = remembered_rows(
        "analytics/experiment_since",
        of=kept().remembered_by,
        experiment=experiment.pk,
        until_at=ended_at,
        known_at=known_at,
        before=BEFORE_DAYS,
        days=max(document["days"] for document in experiment.metrics),
        types=None if any_counts else [one for types in counting.values() for one in types],
    )
    return Since(late, converted, moved, erased, goals, types != counting)


# --- what workers do ---------------------------------------------------------------------------------------------
def count_experiments(*, seconds: float) -> int:
    """Count what those that have ended found, then ahead of who asks (`ahead`), for about so long, unless somebody else
    is at it; how many experiments."""
    with locks.held_alone(locks.EXPERIMENTS) as alone:
        done, until = 0, monotonic() + seconds
        while alone and (count_ended() or ahead.count_next(now=clock())):
            done += 1
            if monotonic() >= until:
                break
        return done


def has_work(*, now: datetime) -> bool:
    """Whether there is anything to count."""
    return Experiment.objects.filter(**_TO_COUNT).exists() or ahead.is_due(now=now)


def count_ended() -> bool:
    """Count what the experiment found that ended first of those that are not counted; whether there was one. A metric
    that is counted stays so, whoever is killed after it."""
    one = Experiment.objects.filter(**_TO_COUNT).order_by("ended_at", "pk").first()
    if one is None:
        return False
    assert one.ended_at is not None
    counted, began, types = kept(), perf_counter(), types_counted()
    told: dict[str, Any] = {"known_at": clock().isoformat(), "types": types, "metrics": []}
    begun: dict[str, Any] = one.told or {}
    if begun.get("types") == types:
        told = begun  # goes on, and knows what was known first
    left: list[Mapping[str, Any]] = one.metrics[len(told["metrics"]) :]
    for document in left:
        found = metric_counts(experiment=one, document=document, until=one.ended_at, counted=counted, is_fresh=True)
        told["metrics"].append(metric_document(document, found))
        Experiment.objects.filter(pk=one.pk, counted_at=None).update(told=told)
    one.counted_at = clock()
    Experiment.objects.filter(pk=one.pk, counted_at=None).update(counted_at=one.counted_at)
    # It is what a recount says, too, for the time being.
    ahead.keep(
        experiment=one,
        until=one.ended_at,
        counted_at=datetime.fromisoformat(told["known_at"]),
        seconds=perf_counter() - began,
        metrics=told["metrics"],
    )
    return True
