"""The stages of one customer over its whole life, as believed now or at an earlier instant."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from lifecycle.models import Transition

from .sorting import ModelRef, Sorting, StageRef, version_known


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

    def at(self, instant: datetime) -> Spell | None:
        """The spell that an instant lies in."""
        return next((one for one in reversed(self.spells) if one.entered <= instant), None)


def spells(
    *, customer: int, model: Sorting, as_of: datetime | None = None, known_at: datetime | None = None
) -> tuple[Spell, ...]:
    """The spells of one customer in one model."""
    return bands(customer=customer, models=[model], as_of=as_of, known_at=known_at)[0].spells


def bands(
    *, customer: int, models: Sequence[Sorting], as_of: datetime | None = None, known_at: datetime | None = None
) -> tuple[Band, ...]:
    """The spells of one customer in several models, in one query: until `as_of` (None: now), as believed at `known_at`
    (None: today)."""
    entered: dict[int, list[tuple[int, datetime]]] = {model.id: [] for model in models}
    subject_of = {version_known(sorting=model, known_at=known_at): model.id for model in models}
    found = Transition.objects.filter(customer=customer, version__in=[one for one in subject_of if one])
    if known_at is None:
        found = found.filter(superseded_at=None)
    else:
        believed_then = Q(superseded_at=None) | Q(superseded_at__gt=known_at)
        found = found.filter(believed_then, recorded_at__lte=known_at)
    if as_of is not None:
        found = found.filter(entered_at__lte=as_of)
    for version, stage, at in found.order_by("entered_at").values_list("version_id", "stage_id", "entered_at"):
        entered[subject_of[version]].append((stage, at))
    return tuple(Band(model.ref, _spells(model, entered[model.id])) for model in models)


def _spells(model: Sorting, entered: list[tuple[int, datetime]]) -> tuple[Spell, ...]:
    ends = [at for _stage, at in entered[1:]] + [None] if entered else []
    return tuple(Spell(model.stages[stage], at, left) for (stage, at), left in zip(entered, ends, strict=True))
