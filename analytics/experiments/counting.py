"""What the facts say of an experiment, by variant: whole numbers and exact sums, and whom they count. Everything told
of it is worked out from these (`results`), so keeping them keeps what was told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from analytics.days.kept import Kept, kept
from analytics.days.remembered import remembered_rows
from analytics.sales import types_of
from analytics.sorting import segment, stage_model
from campaigns.models import Experiment
from clm.lib.milliseconds import truncated
from clm.lib.questions import NotThereError
from customers.models import Role

from .cuped import Sums

BEFORE_DAYS = 90  # spend before the assignment that explains spend after it
_NO_SUMS = Sums()
Goal = tuple[int, int]  # a version, and the stage of it that is to be reached


@dataclass(frozen=True, slots=True)
class Counts:
    """One variant under one metric. assigned: customers; sums: over those of them whose days are over; converted: of
    these, those with an outcome above zero."""

    assigned: int = 0
    converted: int = 0
    sums: Sums = _NO_SUMS


# By variant; None: customers in whom merges brought two variants together.
ByVariant = Mapping[int | None, Counts]


def reach(experiment: Experiment, as_of: datetime) -> datetime:
    """Until when things count for whoever asks as of an instant: never beyond the end. Addresses carry milliseconds, so
    within that of its end it has ended."""
    ended_at = experiment.ended_at
    return as_of if ended_at is None or as_of < truncated(ended_at) else ended_at


def counts(*, experiment: Experiment, until: datetime) -> tuple[ByVariant, ...]:
    """Of each metric, what is known of each variant with somebody in it."""
    if experiment.started_at is None:
        return tuple({} for _document in experiment.metrics)
    counted = kept()
    return tuple(
        metric_counts(experiment=experiment, document=document, until=until, counted=counted)
        for document in experiment.metrics
    )


def metric_counts(
    *, experiment: Experiment, document: Mapping[str, Any], until: datetime, counted: Kept, is_fresh: bool = False
) -> ByVariant:
    """The same of one metric. is_fresh: counted now, whatever was remembered."""
    rows = _rows(experiment, document, until, counted, is_fresh=is_fresh)
    return {row[0]: _counts(row) for row in rows}


def listed(
    *, experiment: Experiment, document: Mapping[str, Any], until: datetime, group: str, variant: int | None
) -> list[int]:
    """The ids of the customers of a group under a metric, in order. group: assigned, conflicting, counted or
    converted."""
    rows = _rows(experiment, document, until, kept(), listed_group=group, listed_variant=variant)
    return sorted(customer for row in rows for customer in row[-1] or ())


def goal_of(document: Mapping[str, Any]) -> Goal | None:
    """What must be reached; None where there is no such goal, or not any more."""
    try:
        if "segment" in document:
            found = segment(document["segment"])
            return (found.version, found.stage_id("in")) if found.version is not None else None
        if "stage" in document:
            model = stage_model(document["model"])
            return (model.version, model.stage_id(document["stage"])) if model.version is not None else None
    except NotThereError:
        return None
    return None


def _counts(row: Sequence[Any]) -> Counts:
    _variant, assigned, counted, y, yy, x, xx, xy, converted, _listed = row
    return Counts(assigned, converted, Sums(counted, int(y), int(yy), int(x), int(xx), int(xy)))


def _rows(
    experiment: Experiment,
    document: Mapping[str, Any],
    until: datetime,
    counted: Kept,
    *,
    is_fresh: bool = False,
    listed_group: str | None = None,
    listed_variant: int | None = None,
) -> list[tuple[Any, ...]]:
    version, stage = goal_of(document) or (None, None)
    # Who was assigned is settled once the state says so. What was counted before that is never told again.
    is_settled = listed_group is None and experiment.state != "assigning" and not is_fresh
    generation = counted.remembered_by if is_settled else None
    settled = f"{experiment.state} {experiment.assigned_at}"
    return remembered_rows(
        "analytics/experiment_results",
        of=None if generation is None else f"{generation} {settled}",
        packs=counted.packs,
        experiment=experiment.pk,
        kind=document["kind"],
        days=document["days"],
        before=BEFORE_DAYS if document["kind"] == "revenue" else 0,
        until_at=until,
        purchases=types_of(Role.PURCHASE),
        refunds=types_of(Role.REFUND),
        version=version,
        stage=stage,
        listed_group=listed_group,
        listed_variant=listed_variant,
    )
