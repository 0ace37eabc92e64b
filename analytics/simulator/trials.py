"""Two experiments of the demo, as if the shop had lived through them. One has ended and had a known effect: whoever
found a card in the parcel told others of a product more often. One goes on: a bow on the parcel, which nobody ever
tied, so orders know nothing of it. Both are real experiments, assigned by the hash and judged by the same code; made up
is only what the card brought about, which carries no money, and the names say so."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from django.db import transaction
from django.db.models import Max

from campaigns.experiments import assign, create_experiment, end_experiment, start_experiment
from campaigns.models import Assignment, Experiment
from customers.events import Event
from customers.ingest import ingest
from customers.models import Cause, Identity, Profile, Touchpoint

from ..experiments.ending import count_ended
from ..segment_members import member_lines
from ..sorting import segment
from .kinds import WEB, Kind, shapes
from .run import simulated_source

SEED = 2011
AUDIENCE = "active_customer"


@dataclass(frozen=True, slots=True)
class Trial:
    """One experiment. started: days before the last order; days: that its outcome takes, and it lasts where it ends;
    shares: of the control and the variant, who tell others within these days (in all of them evenly) beside those who
    do so anyway; None: nothing was made up. needed: customers in all variants, or as many as there are."""

    key: str
    name: str
    hypothesis: str
    variant: str
    metrics: tuple[dict[str, Any], ...]
    started: int
    days: int
    needed: int
    shares: tuple[float, float] | None = None


CARD = Trial(
    key="card",
    name="A card in the parcel that asks to tell others (made up)",
    hypothesis=(
        "Part of the demonstration: 5 % of those without the card and 11 % of those with it were made to share a "
        "product within 30 days. Orders are real and know nothing of it."
    ),
    variant="card",
    metrics=(
        {"kind": "reached", "days": 30, "model": "seven", "stage": "advocacy"},
        {"kind": "conversion", "days": 30},
        {"kind": "revenue", "days": 30},
    ),
    started=80,
    days=30,
    needed=700,
    shares=(0.05, 0.11),
)
BOW = Trial(
    key="bow",
    name="A bow on the parcel (made up)",
    hypothesis="Part of the demonstration: nobody ever tied a bow, so no difference is there to be found.",
    variant="bow",
    metrics=({"kind": "conversion", "days": 7}, {"kind": "revenue", "days": 30}),
    started=12,
    days=30,
    needed=10**6,
)


def begin_trials(*, buyers_of: str) -> int:
    """Assign both experiments at their instants, counted from the last order of the source, among the active customers
    of then, and store what the card brought about; how many rows are new. Stages are to be computed before, and again
    after. Done once, it changes nothing."""
    last = Touchpoint.objects.filter(source__key=buyers_of).aggregate(last=Max("occurred_at"))["last"]
    return sum(_begun(trial, last) for trial in (CARD, BOW)) if last is not None else 0


def end_trials() -> int:
    """End the one that is over, at the instant at which its days were, and count what it found; whether it was ended
    now."""
    card = Experiment.objects.filter(key=CARD.key, name=CARD.name, ended_at=None).first()
    if card is None or card.started_at is None:
        return 0
    end_experiment(experiment=card, now=card.started_at + timedelta(days=CARD.days))
    while count_ended():
        pass
    return 1


def _begun(trial: Trial, last: datetime) -> int:
    found = Experiment.objects.filter(key=trial.key).first()
    if found is not None and found.name != trial.name:
        return 0  # somebody's own
    rows = 0
    if found is None:
        found, rows = _assigned(trial, last - timedelta(days=trial.started))
        if found is None:
            return 0
    if trial.shares is not None:
        rows += ingest(source=simulated_source(), events=_shared(trial, found), cause=Cause.IMPORT).new
    return rows


@transaction.atomic
def _assigned(trial: Trial, at: datetime) -> tuple[Experiment | None, int]:
    people = [one[0] for one in member_lines(segment=segment(AUDIENCE), as_of=at)]
    if len(people) < 2:
        return None, 0
    made = create_experiment(
        key=trial.key,
        name=trial.name,
        variants=[("control", 50), (trial.variant, 50)],
        metrics=trial.metrics,
        planned=min(trial.needed, len(people)),
        audience=AUDIENCE,
        hypothesis=trial.hypothesis,
    )
    start_experiment(experiment=made, now=at)
    first: dict[int, int] = {}
    for profile, customer in Profile.objects.filter(customer__in=people).order_by("-pk").values_list("pk", "customer"):
        first[customer] = profile
    rows = assign(experiment=made, people=sorted(first.items()), now=at)
    # Everybody of then is assigned: no worker is to add those of today.
    Experiment.objects.filter(pk=made.pk).update(created_at=at, assigned_at=at, assigned_upto=max(people))
    made.refresh_from_db()
    return made, rows


def _shared(trial: Trial, experiment: Experiment) -> Sequence[Event]:
    """Who told others of what, a touchpoint each."""
    assert trial.shares is not None
    given = list(Assignment.objects.filter(experiment=experiment).order_by("unit").select_related("variant"))
    named: dict[int, tuple[str, str]] = {}
    identities = Identity.objects.filter(profile__in=[one.profile_id for one in given]).order_by("-pk")
    for profile, kind, value in identities.values_list("profile", "kind", "value"):
        named[profile] = (kind, value)
    shape = shapes(())[Kind.SHARED]
    random = np.random.default_rng(np.random.SeedSequence(entropy=SEED))
    luck, after, product = random.random(len(given)), random.random(len(given)), random.random(len(given))
    return [
        Event(
            message_id=f"demo-{trial.key}-{one.unit}",
            identities=(named[one.profile_id],),
            type=shape.type,
            channel=WEB,
            occurred_at=one.at + timedelta(days=trial.days) * float(after[place]),
            properties=shape.said[int(product[place] * len(shape.said))],
        )
        for place, one in enumerate(given)
        if luck[place] < trial.shares[one.variant.position] and one.profile_id in named
    ]
