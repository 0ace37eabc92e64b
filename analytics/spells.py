"""The stages of one customer over its whole life, as believed now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from lifecycle.models import Transition

from .sorting import ModelRef, Sorting, StageRef


@dataclass(frozen=True, slots=True)
class Spell:
    """A stay in a stage: [entered, left); left None: until now."""

    stage: StageRef
    entered: datetime
    left: datetime | None


@dataclass(frozen=True, slots=True)
class Band:
    """All spells of a customer in one model, in order of time, without a gap."""

    model: ModelRef
    spells: tuple[Spell, ...]


def spells(*, customer: int, model: Sorting) -> tuple[Spell, ...]:
    """The spells of one customer in one model."""
    return bands(customer=customer, models=[model])[0].spells


def bands(*, customer: int, models: Sequence[Sorting]) -> tuple[Band, ...]:
    """The spells of one customer in several models, in one query."""
    entered: dict[int, list[tuple[int, datetime]]] = {model.id: [] for model in models}
    subject_of = {model.version: model.id for model in models}
    found = (
        Transition.objects.filter(customer=customer, version__in=[one for one in subject_of if one], superseded_at=None)
        .order_by("entered_at")
        .values_list("version_id", "stage_id", "entered_at")
    )
    for version, stage, at in found:
        entered[subject_of[version]].append((stage, at))
    return tuple(Band(model.ref, _spells(model, entered[model.id])) for model in models)


def _spells(model: Sorting, entered: list[tuple[int, datetime]]) -> tuple[Spell, ...]:
    ends = [at for _stage, at in entered[1:]] + [None] if entered else []
    return tuple(Spell(model.stages[stage], at, left) for (stage, at), left in zip(entered, ends, strict=True))
