"""Two customers found to be one person, and the way back. Both acts move rows of the profile map and nothing else, and
mark every moved profile as changed, so that stages are computed anew for both sides."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from clm.lib import sql

from . import locks
from .models import Cause, Customer, Merge, MergedProfile, PossibleMerge, Profile, ProfileMove, Stale


class MergeError(ValueError):
    """These customers cannot be merged, or this merge cannot be undone; the message says why."""


@transaction.atomic
def merge(*, customers: tuple[int, int], now: datetime, author: int | None = None, reason: str = "") -> Merge:
    """Make one customer of two: the one created first survives and gets the other's profiles."""
    locks.own(locks.MERGES)
    found = locked_customers(set(customers))
    if len(found) != 2:
        raise MergeError("Both must be customers, and two different ones.")
    for customer in found:
        if customer.merged_into_id is not None:
            raise MergeError(f"Customer {customer.pk} was already merged into {customer.merged_into_id}.")
        if customer.erased_at is not None:
            raise MergeError(f"Customer {customer.pk} was erased; nothing says any more who it was.")
    survivor, absorbed = sorted(found, key=lambda customer: (customer.created_at, customer.pk))
    moved = list(Profile.objects.filter(customer=absorbed).order_by("pk").values_list("pk", flat=True))
    record = Merge.objects.create(survivor=survivor, absorbed=absorbed, at=now, author_id=author, reason=reason)
    MergedProfile.objects.bulk_create([MergedProfile(merge=record, profile_id=profile) for profile in moved])
    # Whoever waits to be asked about these two has the answer.
    sql.rows(
        "customers/possible_merges_decide",
        one=survivor.pk,
        other=absorbed.pk,
        decision=PossibleMerge.Decision.MERGED.value,
        author=author,
        merge=record.pk,
        at=now,
    )
    _move(dict.fromkeys(moved, absorbed.pk), survivor.pk, now)
    Customer.objects.filter(pk=absorbed.pk).update(merged_into=survivor)
    Stale.objects.bulk_create([Stale(profile_id=profile, cause=Cause.MERGE) for profile in moved])
    return record


@transaction.atomic
def unmerge(*, merge: int, now: datetime) -> Merge:
    """Undo a merge: the profiles it moved go where the merges still in force lead from the customer they were first
    met under, with everything that arrived under them since."""
    locks.own(locks.MERGES)  # so the owners read next stay the owners
    record = Merge.objects.get(pk=merge)
    if record.undone_at is not None:
        raise MergeError(f"This merge was already undone at {record.undone_at:%Y-%m-%d %H:%M} UTC.")
    owner_of = dict(Profile.objects.filter(moves__merge=record).values_list("pk", "customer_id"))
    home_of = _homes(owner_of, released=record.absorbed_id)
    locked_customers({record.absorbed_id, *owner_of.values(), *home_of.values()})
    record.undone_at = now
    record.save(update_fields=["undone_at"])
    Customer.objects.filter(pk=record.absorbed_id).update(merged_into=None)
    returned: dict[int, list[int]] = defaultdict(list)
    for profile, home in sorted(home_of.items()):
        if home != owner_of[profile]:
            returned[home].append(profile)
    for home, profiles in sorted(returned.items()):
        _move({profile: owner_of[profile] for profile in profiles}, home, now)
    moved = {profile for profiles in returned.values() for profile in profiles}
    left = {owner_of[profile] for profile in moved}
    changed = moved | set(Profile.objects.filter(customer__in=left).values_list("pk", flat=True))
    Stale.objects.bulk_create([Stale(profile_id=profile, cause=Cause.UNMERGE) for profile in sorted(changed)])
    return record


def _move(owner_of: dict[int, int], home: int, now: datetime) -> None:
    """Give profiles (with their owners so far) to a customer, and write down that they changed hands."""
    Profile.objects.filter(pk__in=list(owner_of)).update(customer=home)
    ProfileMove.objects.bulk_create(
        [
            ProfileMove(profile_id=profile, from_customer_id=owner, to_customer_id=home, at=now)
            for profile, owner in sorted(owner_of.items())
        ]
    )


def _homes(profiles: Iterable[int], *, released: int) -> dict[int, int]:
    """Where profiles belong once `released` is merged into nobody. A profile's first customer is the one that its first
    merge absorbed; from there the merges in force lead on."""
    first = dict(
        MergedProfile.objects.filter(profile__in=list(profiles))
        .order_by("profile", "merge")
        .distinct("profile")
        .values_list("profile", "merge__absorbed")
    )
    homes: dict[int, int] = {}
    for customer in set(first.values()):
        home = Customer.objects.get(pk=customer)
        while home.pk != released and home.merged_into_id is not None:
            home = Customer.objects.get(pk=home.merged_into_id)
        homes[customer] = home.pk
    return {profile: homes[customer] for profile, customer in first.items()}


def surviving(customer: Customer) -> Customer:
    """The customer that an address leads to now: the end of the chain of merges."""
    while customer.merged_into_id is not None:
        customer = Customer.objects.get(pk=customer.merged_into_id)
    return customer


def locked_customers(customers: set[int]) -> list[Customer]:
    """Lock customers in order: their buckets, shared with advance and kept from replay, then their rows, then their
    profiles: whoever tells a trait meanwhile finds the profile alone, or together with those it now shares its customer
    with."""
    locks.share_buckets(customers)
    found = list(Customer.objects.select_for_update(no_key=True).filter(pk__in=customers).order_by("pk"))
    list(Profile.objects.select_for_update(no_key=True).filter(customer__in=customers).order_by("pk").values_list("pk"))
    return found
