"""Who is on the list of a segment: all there is to a static list; of other segments, whom they include whatever their
rule says, and whom they exclude. Excludes win over includes, and includes over the rule, whichever came first."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from clm.lib.milliseconds import truncated
from clm.lib.questions import ConflictError
from customers.models import Cause, Stale

from .models import ListMember, Subject
from .place import profiles_of

_TICK = timedelta(milliseconds=1)


@transaction.atomic
def add_members(
    *, segment: int, customers: Sequence[int], now: datetime, excluded: bool = False, author: int | None = None
) -> int:
    """Put customers on the list of a segment from now on, or on that of whom it excludes; how many were not on it."""
    found = _locked(segment)
    if excluded and found.kind == Subject.Kind.LIST:
        raise ConflictError(_("A static list excludes nobody: take members off it."))
    on_it = _open(segment, customers, excluded)
    profile_of = profiles_of(sorted(set(customers) - set(on_it.values_list("profile__customer", flat=True))))
    ListMember.objects.bulk_create(
        [
            ListMember(
                segment=found, profile_id=profile, added_at=truncated(now), is_excluded=excluded, author_id=author
            )
            for profile in sorted(profile_of.values())
        ]
    )
    _mark(profile_of.values())
    return len(profile_of)


@transaction.atomic
def remove_members(*, segment: int, customers: Sequence[int], now: datetime, excluded: bool = False) -> int:
    """Take customers off the list of a segment from now on; how many were on it. That they were on it stays."""
    _locked(segment)
    members = list(_open(segment, customers, excluded).order_by("pk"))
    for member in members:
        member.removed_at = max(truncated(now), member.added_at + _TICK)
        member.save(update_fields=["removed_at"])
    _mark({member.profile_id for member in members})
    return len({member.profile_id for member in members})


def members_on(*, segment: int, excluded: bool = False) -> int:
    """How many are on the list now."""
    return ListMember.objects.filter(segment=segment, is_excluded=excluded, removed_at=None).count()


def _locked(segment: int) -> Subject:
    """One act at a time changes a list."""
    return Subject.objects.select_for_update(no_key=True).exclude(kind=Subject.Kind.MODEL).get(pk=segment)


def _open(segment: int, customers: Sequence[int], excluded: bool) -> QuerySet[ListMember]:
    return ListMember.objects.filter(
        segment=segment, profile__customer__in=list(customers), is_excluded=excluded, removed_at=None
    )


def _mark(profiles: Iterable[int]) -> None:
    Stale.objects.bulk_create([Stale(profile_id=profile, cause=Cause.PLACEMENT) for profile in sorted(profiles)])
