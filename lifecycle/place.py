"""Placing a customer in a stage by hand, and withdrawing it: a fact laid over the rules, with its author and reason."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from clm.lib.milliseconds import truncated
from clm.lib.questions import ConflictError, QuestionError
from customers.events import EARLIEST
from customers.models import Cause, Profile, Stale

from .models import Placement, Stage, Subject

LONGEST_REASON = 2000


@transaction.atomic
def place(
    *,
    customer: int,
    model: int,
    stage: str,
    reason: str,
    now: datetime,
    from_at: datetime | None = None,
    until_at: datetime | None = None,
    author: int | None = None,
) -> Placement:
    """Put a customer in a stage of a live model on [from_at, until_at): from now if not said, for ever if there is no
    end. It overrides the rules; of overlapping placements the later recorded counts."""
    begin = truncated(now if from_at is None else from_at)
    end = None if until_at is None else truncated(until_at)
    if begin < EARLIEST:
        raise QuestionError("from_at", _("Nothing lies before 1990."))
    if end is not None and end <= begin:
        raise QuestionError("until_at", _("The end lies after the beginning."))
    if not reason.strip() or len(reason) > LONGEST_REASON:
        raise QuestionError("reason", _("A placement states its reason, in at most 2,000 characters."))
    subject = Subject.objects.select_related("live_version").filter(pk=model, kind=Subject.Kind.MODEL).first()
    if subject is None or subject.live_version is None:
        raise QuestionError("model", _("There is no such model, or nothing of it is live."))
    document = subject.live_version.document
    if stage not in (document["exit"], *(one["key"] for one in document["stages"])):
        raise QuestionError("stage", _("The model has no such stage."))
    profile = profiles_of([customer]).get(customer)
    if profile is None:
        raise QuestionError("customer", _("There is no such customer, or it was merged into another one."))
    placed = Placement.objects.create(
        profile_id=profile,
        subject=subject,
        stage=Stage.objects.get(subject=subject, key=stage),
        from_at=begin,
        until_at=end,
        author_id=author,
        reason=reason.strip(),
        recorded_at=now,
    )
    Stale.objects.create(profile_id=profile, cause=Cause.PLACEMENT)
    return placed


@transaction.atomic
def end(*, placement: int, now: datetime, at: datetime | None = None) -> Placement:
    """Let a placement end at `at` (None: now) instead of later; who did so is in the history of the row."""
    found = Placement.objects.select_for_update(of=("self",)).select_related("subject", "stage").get(pk=placement)
    moment = truncated(now if at is None else at)
    if found.withdrawn_at is not None:
        raise ConflictError(_("This placement was withdrawn already."))
    if moment <= found.from_at:
        raise QuestionError("until_at", _("It has not begun by then; take it back instead."))
    if found.until_at is not None and moment >= found.until_at:
        raise ConflictError(_("This placement ends by then already."))
    found.until_at = moment
    found.save(update_fields=["until_at"])
    Stale.objects.create(profile_id=found.profile_id, cause=Cause.PLACEMENT)
    return found


@transaction.atomic
def withdraw(*, placement: int, now: datetime) -> Placement:
    """Take a placement back, as if it had never been; who did so is in the history of the row."""
    found = Placement.objects.select_for_update().get(pk=placement)
    if found.withdrawn_at is not None:
        raise ConflictError(_("This placement was withdrawn already."))
    found.withdrawn_at = now
    found.save(update_fields=["withdrawn_at"])
    Stale.objects.create(profile_id=found.profile_id, cause=Cause.PLACEMENT)
    return found


def placement_at(*, customer: int, model: int, at: datetime) -> Placement | None:
    """The placement that decides at an instant, if one does."""
    document = Subject.objects.values_list("live_version__document", flat=True).get(pk=model)
    if document is None:
        return None
    keys = [document["exit"], *(stage["key"] for stage in document["stages"])]
    return (
        Placement.objects.filter(
            profile__customer=customer, subject=model, stage__key__in=keys, from_at__lte=at, withdrawn_at=None
        )
        .exclude(until_at__lte=at)
        .select_related("author", "stage")
        .order_by("-pk")
        .first()
    )


def placements(*, customer: int) -> tuple[Placement, ...]:
    """Every placement of a customer, withdrawn ones included, latest recorded first."""
    found = Placement.objects.filter(profile__customer=customer).select_related("subject", "stage", "author")
    return tuple(found.order_by("-pk"))


def placed_by_hand(
    *, model: int, at: datetime, customers: Sequence[int] | None = None, known_at: datetime | None = None
) -> dict[int, int]:
    """By customer (of `customers`; None: of all), the id of the stage that a placement in force at `at` sets; of
    overlapping ones the later recorded. known_at: as was decided by then."""
    found = Placement.objects.filter(subject=model, from_at__lte=at).exclude(until_at__lte=at)
    if known_at is None:
        found = found.filter(withdrawn_at=None)
    else:
        found = found.filter(recorded_at__lte=known_at).exclude(withdrawn_at__lte=known_at)
    if customers is not None:
        found = found.filter(profile__customer__in=list(customers))
    return dict(found.order_by("pk").values_list("profile__customer_id", "stage_id"))


def profiles_of(customers: Sequence[int]) -> dict[int, int]:
    """By customer, the profile on which what people decide about it hangs: its first. Who has none is left out."""
    rows = Profile.objects.filter(customer__in=list(customers)).order_by("customer_id", "pk").distinct("customer_id")
    return dict(rows.values_list("customer_id", "pk"))
