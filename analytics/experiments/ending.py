"""The end of an experiment: what it told then is kept, and stands beside what the same counts say today.

Facts come late, customers are merged, taken apart and erased, rules change. Each would change in secret what an
experiment that is over has found. So the counts its results rest on are written down in the transaction that ends it;
whoever asks later is told these, and where a recount says otherwise, that too, and what became known in between."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any

from analytics.days.kept import kept
from analytics.days.remembered import remembered_rows
from analytics.sales import types_of
from campaigns.experiments import end_experiment
from campaigns.models import Experiment
from customers.ingest import clock
from customers.models import Role

from .counting import BEFORE_DAYS, ByVariant, Counts, counts, goal_of, reach
from .cuped import Sums
from .results import Results, results_of

_SUMS = tuple(field.name for field in fields(Sums))


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
class Outcome:
    """told: what holds: what was found at the end, or so far. told_at: when it was kept, None while it goes on, or
    where nothing was kept. today: the same counted from what is known now, None where nothing was kept; gone: places of
    metrics which cannot be counted anew, since what is to be reached is there no more; since: why the two differ, None
    where they do not."""

    told: Results
    told_at: datetime | None = None
    today: Results | None = None
    gone: frozenset[int] = frozenset()
    since: Since | None = None


def end(*, experiment: Experiment, now: datetime) -> Experiment:
    """Nothing that happens from now on counts, and nothing that is learnt from now on changes what was found."""
    return end_experiment(experiment=experiment, now=now, count=_document)


def outcome(*, experiment: Experiment, as_of: datetime) -> Outcome:
    """What an experiment found; as of an instant before its end, what it said then."""
    ended_at, until = experiment.ended_at, reach(experiment, as_of)
    now = counts(experiment=experiment, until=until)
    if ended_at is None or until < ended_at or experiment.told is None:
        return Outcome(results_of(experiment=experiment, counted=now, until=until))
    then = [_by_variant(one["counts"]) for one in experiment.told["metrics"]]
    goals = [None if one["goal"] is None else tuple(one["goal"]) for one in experiment.told["metrics"]]
    present = [goal_of(document) for document in experiment.metrics]
    gone = frozenset(place for place, goal in enumerate(goals) if goal is not None and present[place] is None)
    # What cannot be counted anew is no difference.
    now = tuple(then[place] if place in gone else one for place, one in enumerate(now))
    differs = any(dict(one) != dict(other) for one, other in zip(then, now, strict=True))
    return Outcome(
        told=results_of(experiment=experiment, counted=then, until=until),
        told_at=ended_at,
        today=results_of(experiment=experiment, counted=now, until=until),
        gone=gone,
        since=_since(
            experiment,
            ended_at,
            # An end that was entered for the past knew what was known when it was entered.
            known_at=datetime.fromisoformat(experiment.told["known_at"]),
            goals=goals != present,
            types=experiment.told["types"],
        )
        if differs
        else None,
    )


def _since(
    experiment: Experiment, ended_at: datetime, *, known_at: datetime, goals: bool, types: dict[str, list[int]]
) -> Since:
    """known_at: when its result was kept; goals: whether they are others now; types: those that counted then."""
    counting = _types()
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


# --- as it is kept -----------------------------------------------------------------------------------------------
def _document(experiment: Experiment) -> dict[str, Any]:
    """What the results of an experiment that ends rest on, counted now."""
    assert experiment.ended_at is not None
    found = counts(experiment=experiment, until=experiment.ended_at, is_fresh=True)
    return {
        "known_at": clock().isoformat(),
        "types": _types(),
        "metrics": [
            {"goal": goal_of(document), "counts": [_written(variant, one) for variant, one in by_variant.items()]}
            for document, by_variant in zip(experiment.metrics, found, strict=True)
        ],
    }


def _types() -> dict[str, list[int]]:
    """The types whose touchpoints are orders, and those that are refunds."""
    return {role.value: sorted(types_of(role)) for role in (Role.PURCHASE, Role.REFUND)}


def _written(variant: int | None, one: Counts) -> dict[str, int | None]:
    return {"variant": variant, "assigned": one.assigned, "converted": one.converted, **asdict(one.sums)}


def _by_variant(rows: Sequence[Mapping[str, Any]]) -> ByVariant:
    return {
        row["variant"]: Counts(row["assigned"], row["converted"], Sums(*(row[name] for name in _SUMS))) for row in rows
    }
