"""Experiments for tests, and what is done with them."""

from datetime import datetime
from typing import Any

from analytics.experiments.ending import count_experiments
from campaigns.experiments import (
    create_experiment,
    end_experiment,
    start_experiment,
    work_on_experiments,
)
from campaigns.models import Assignment, Experiment
from customers.ingest import clock
from customers.models import Profile
from tests.lifecycle.making import ago, customer_of, happened, settle, tell

TOLD: dict[str, Any] = {
    "key": "bow",
    "name": "A bow on the parcel",
    "variants": [("control", 1), ("bow", 1)],
    "metrics": [{"kind": "conversion", "days": 7}, {"kind": "revenue", "days": 7}],
    "planned": 20,
}


def people(count: int) -> None:
    tell(*(happened(f"p{number}", "Page Viewed", ago(days=100)) for number in range(count)))
    settle()


def made(**more: Any) -> Experiment:
    return create_experiment(**{**TOLD, **more})


def started(**more: Any) -> Experiment:
    found = start_experiment(experiment=made(**more), now=clock())
    work_on_experiments(seconds=60)
    found.refresh_from_db()
    return found


def end(*, experiment: Experiment, now: datetime) -> Experiment:
    """End it, and count what it found."""
    end_experiment(experiment=experiment, now=now)
    assert count_experiments(seconds=60) == 1
    return Experiment.objects.get(pk=experiment.pk)


def back_to(experiment: Experiment, **of: float) -> None:
    """As if everybody had been assigned so long ago: rows that nobody may change are written anew."""
    rows = list(Assignment.objects.filter(experiment=experiment).values())
    experiment.key, old = f"{experiment.key}-then", experiment.pk
    variants = list(experiment.variants.all())
    experiment.pk, experiment.salt = None, f"{experiment.salt[:-1]}x"
    experiment.save()
    new = {}
    for variant in variants:
        was = variant.pk
        variant.pk, variant.experiment = None, experiment
        variant.save()
        new[was] = variant.pk
    assert old != experiment.pk
    Assignment.objects.bulk_create(
        Assignment(
            experiment=experiment,
            variant_id=new[row["variant_id"]],
            profile_id=row["profile_id"],
            unit=row["unit"],
            at=ago(**of),
        )
        for row in rows
    )


def variant_given(experiment: Experiment, person: str) -> str:
    profiles = Profile.objects.filter(customer=customer_of(person))
    return Assignment.objects.get(experiment=experiment, profile__in=profiles).variant.key
