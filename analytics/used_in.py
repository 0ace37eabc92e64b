"""Everything that uses a segment or a stage model, whichever room it lives in."""

from datetime import datetime

from django.db.models import Q

from campaigns.models import Campaign, Experiment
from lifecycle.models import Subject
from lifecycle.revise import retire_subject
from lifecycle.uses import Use, uses


def used_in(*, subject: int) -> tuple[Use, ...]:
    """The models and segments whose rules name it, live or as drafted, the campaigns whose audience it is, and
    the experiments, drafts included, whose audience it is or which measure who reaches it. One that has ended needs it
    no more, since what it found is kept."""
    return (*uses(subject=subject), *_further_left(subject))


def retire(*, subject: int, now: datetime) -> None:
    """Take a segment or a model out of use. ConflictError names what uses it."""
    retire_subject(subject=subject, now=now, also_used=_further_left(subject))


def _further_left(subject: int) -> tuple[Use, ...]:
    return (*_campaigns(subject), *_experiments(subject))


def _campaigns(subject: int) -> tuple[Use, ...]:
    found = Campaign.objects.filter(audience=subject).order_by("name")
    return tuple(Use("campaign", key, name) for key, name in found.values_list("key", "name"))


def _experiments(subject: int) -> tuple[Use, ...]:
    one = Subject.objects.get(pk=subject)
    goal = {"model" if one.kind == Subject.Kind.MODEL else "segment": one.key}
    found = Experiment.objects.filter(Q(audience=subject) | Q(metrics__contains=[goal]), counted_at=None)
    return tuple(
        Use("experiment", key, name, is_draft=started_at is None)
        for key, name, started_at in found.order_by("name").values_list("key", "name", "started_at")
    )
