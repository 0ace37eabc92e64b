"""Where some customers stand in the stage models, and what time alone does next: a query or an evaluation for all."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from clm.lib import sql
from lifecycle.load import Loaded
from lifecycle.models import Standing
from lifecycle.outlook import next_changes

from .sorting import ModelRef, Sorting, StageRef, version_known


@dataclass(frozen=True, slots=True)
class RowStage:
    """The stage of a customer in one model, None when in none."""

    model: ModelRef
    stage: StageRef | None
    since: datetime | None


@dataclass(frozen=True, slots=True)
class NextChange:
    """What time alone does next."""

    at: datetime
    stage: StageRef
    sentence: str


def stages_of(
    *,
    customers: Sequence[int],
    models: Sequence[Sorting],
    as_of: datetime | None = None,
    known_at: datetime | None = None,
) -> dict[int, tuple[RowStage, ...]]:
    """The stage of each customer in each model, in the order of `models`, in one query for all."""
    placed: dict[tuple[int, int], tuple[int, datetime]] = {}
    if as_of is None:
        standings = Standing.objects.filter(customer__in=list(customers), subject__in=[model.id for model in models])
        for customer, subject, stage, since in standings.values_list("customer_id", "subject_id", "stage_id", "since"):
            placed[customer, subject] = (stage, since)
    else:
        versions = {version_known(sorting=model, known_at=known_at): model.id for model in models}
        for customer, version, stage, since in sql.rows(
            "analytics/customer_stages",
            customers=list(customers),
            versions=[version for version in versions if version is not None],
            as_of=as_of,
            known_at=known_at,
        ):
            placed[customer, versions[version]] = (stage, since)
    return {
        customer: tuple(_row_stage(model, placed.get((customer, model.id))) for model in models)
        for customer in customers
    }


def next_stages(
    *,
    customers: Sequence[int],
    models: Sequence[Sorting],
    now: datetime,
    only_until_now: bool = False,
    loaded: Loaded | None = None,
) -> dict[int, dict[int, NextChange]]:
    """By customer and model id, what time alone does next; one evaluation for all. only_until_now: as one could see it
    coming at `now`, an instant of the past. loaded: the customers' lives, if they are at hand."""
    only = models[0].id if len(models) == 1 else None
    by_id = {model.id: model for model in models}
    found = next_changes(customers=customers, now=now, subject=only, only_until_now=only_until_now, loaded=loaded)
    return {
        customer: {
            subject: next_change(by_id[subject], change.stage, change.at)
            for subject, change in changes.items()
            if subject in by_id
        }
        for customer, changes in found.items()
    }


def next_change(model: Sorting, stage: int, at: datetime) -> NextChange:
    """A coming change in words."""
    entered = model.stages[stage]
    return NextChange(at=at, stage=entered, sentence=f"{entered.name}, if nothing else happens")


def _row_stage(model: Sorting, placed: tuple[int, datetime] | None) -> RowStage:
    if placed is None:
        return RowStage(model.ref, None, None)
    stage, since = placed
    return RowStage(model.ref, model.stages[stage], since)
