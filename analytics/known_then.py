"""Who was a customer at an instant, and whose a profile was, as known at another. Merges move profiles; what moved when
is kept, so that an earlier belief can be answered as it was."""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet

from clm.lib.questions import NotThereError
from customers.models import Customer, Merge, MergedProfile, Profile, ProfileMove, Touchpoint
from lifecycle.models import Transition


def customers_met(*, at: datetime, known_at: datetime | None = None) -> QuerySet[Customer]:
    """Whoever had been met by `at`. As known at `known_at`: whoever stood anywhere then, those since merged into others
    included."""
    if known_at is None:
        met = Touchpoint.objects.filter(profile__customer=OuterRef("pk"), occurred_at__lte=at)
        return Customer.objects.filter(Exists(met), merged_into=None)
    stood = Transition.objects.filter(
        Q(superseded_at=None) | Q(superseded_at__gt=known_at),
        customer=OuterRef("pk"),
        entered_at__lte=at,
        recorded_at__lte=known_at,
    )
    return Customer.objects.filter(Exists(stood))


def customer_known(*, number: int, known_at: datetime | None = None) -> Customer:
    """The customer that an id leads to, by the merges in force at `known_at` (None: now). NotThereError otherwise."""
    found = Customer.objects.filter(pk=number).first()
    if found is None:
        raise NotThereError(f"there is no customer {number}")
    if known_at is None:
        while found.merged_into_id is not None:
            found = Customer.objects.get(pk=found.merged_into_id)
        return found
    in_force = Merge.objects.filter(at__lte=known_at).filter(Q(undone_at=None) | Q(undone_at__gt=known_at))
    while (merge := in_force.filter(absorbed=found).order_by("-pk").first()) is not None:
        found = Customer.objects.get(pk=merge.survivor_id)
    return found


def profiles_known(*, customer: int, known_at: datetime | None = None) -> list[int]:
    """The ids of the profiles that were the customer's, as known at `known_at` (None: now)."""
    mine = set(Profile.objects.filter(customer=customer).values_list("pk", flat=True))
    if known_at is None:
        return sorted(mine)
    moved = MergedProfile.objects.filter(Q(merge__survivor=customer) | Q(merge__absorbed=customer))
    ever = mine | set(moved.values_list("profile", flat=True))
    first_owner = _owners_before_moves(sorted(ever), known_at)
    now_owner = dict(Profile.objects.filter(pk__in=ever).values_list("pk", "customer"))
    known = set(Profile.objects.filter(pk__in=ever, created_at__lte=known_at).values_list("pk", flat=True))
    return sorted(one for one in ever & known if first_owner.get(one, now_owner[one]) == customer)


def _owners_before_moves(profiles: Sequence[int], known_at: datetime) -> dict[int, int]:
    """By profile that has changed hands since, whose it was then."""
    moves = ProfileMove.objects.filter(profile__in=list(profiles), at__gt=known_at).order_by("profile", "pk")
    return dict(moves.distinct("profile").values_list("profile", "from_customer"))
