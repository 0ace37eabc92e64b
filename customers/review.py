"""The review queue: pairs of people who may be one. Machines put pairs in, people decide; a pair that was decided is
never asked about again, whatever names it later."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec
from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from clm.lib import sql
from clm.lib.questions import ConflictError

from . import locks
from .ingest import clock
from .merge import MergeError, merge
from .models import Merge, PossibleMerge, Profile

# What a browser or a device is known by before anybody says who uses it.
NAMELESS = "anonymous_id"


@dataclass(frozen=True, slots=True)
class Possible:
    """Two profiles whose customers may be one, and why: the identity that was told of both, or in how many percent of
    what they are alike. score in percent."""

    profile: int
    other: int
    kind: str
    value: str = ""
    score: int = 100
    evidence: Mapping[str, int] = field(default_factory=dict)


def propose(*, pairs: Sequence[Possible], source: int | None = None) -> int:
    """Put pairs into the queue; how many are new to it. What a shared device says of any two is left out."""
    wanted = [one for one in pairs if not is_shared(one.kind, one.value)]
    if not wanted:
        return 0
    sorted_pairs = [(*sorted((one.profile, one.other)), one) for one in wanted]
    added = sql.rows(
        "customers/possible_merges_add",
        profiles=[low for low, _high, _one in sorted_pairs],
        others=[high for _low, high, _one in sorted_pairs],
        kinds=[one.kind for one in wanted],
        told=[one.value for one in wanted],
        scores=[one.score for one in wanted],
        evidence=[msgspec.json.encode(dict(one.evidence)).decode() for one in wanted],
        source=source,
        at=clock(),
    )
    return len(added)


def is_shared(kind: str, value: str) -> bool:
    """Whether an identity is a device under which very many names were met: it says nothing about any two of them."""
    if kind != NAMELESS:
        return False
    # One name was there before the first row; each row brought another.
    met = PossibleMerge.objects.filter(kind=kind, value=value).count()
    return met + 1 >= settings.CLM_NAMES_OF_A_DEVICE


def asked_about(*, customers: tuple[int, int]) -> tuple[int, int] | None:
    """The two profiles by whose row people are asked, or have decided, about two customers; None if by none."""
    found = sql.rows("customers/possible_merge_of_two", one=customers[0], other=customers[1])
    return (found[0][0], found[0][1]) if found else None


@transaction.atomic
def accept(*, possible: int, now: datetime, author: int | None = None, reason: str = "") -> Merge:
    """They are one: merge them. ConflictError where that was decided, or cannot be."""
    locks.own(locks.MERGES)
    one, other = _customers(possible)
    try:
        return merge(customers=(one, other), now=now, author=author, reason=reason)
    except MergeError as error:
        raise ConflictError(str(error)) from None


@transaction.atomic
def refuse(*, possible: int, now: datetime, author: int | None = None) -> PossibleMerge:
    """They are two, and nobody is asked again. ConflictError where that was decided before."""
    locks.own(locks.MERGES)  # so the profiles stay whose they are
    one, other = _customers(possible)
    decide(customers=(one, other), decision=PossibleMerge.Decision.REFUSED, now=now, author=author)
    return PossibleMerge.objects.get(pk=possible)


def decide(
    *,
    customers: tuple[int, int],
    decision: PossibleMerge.Decision,
    now: datetime,
    author: int | None = None,
    merge: int | None = None,
) -> int:
    """Decide every open pair of two customers; how many there were."""
    return len(
        sql.rows(
            "customers/possible_merges_decide",
            one=customers[0],
            other=customers[1],
            decision=decision.value,
            author=author,
            merge=merge,
            at=now,
        )
    )


def _customers(possible: int) -> tuple[int, int]:
    """The two customers of an open pair, which is held."""
    found = PossibleMerge.objects.select_for_update(of=("self",), no_key=True).get(pk=possible)
    if found.decided_at is not None:
        raise ConflictError(_("Somebody has decided this already."))
    owners = dict(Profile.objects.filter(pk__in=[found.profile_id, found.other_id]).values_list("pk", "customer"))
    one, other = owners[found.profile_id], owners[found.other_id]
    if one == other:
        raise ConflictError(_("They are one customer already."))
    return one, other
