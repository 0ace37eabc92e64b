"""Customers of whom nothing is left, because what made them was taken back: they lose their stages, which stay in the
history of what was believed, and are customers no more."""

from collections.abc import Sequence

from customers.models import Cause, Customer, Profile, ScoreStep, Stale

from .advance import settle
from .models import Example, ListMember, Placement


def let_go(customers: Sequence[int]) -> int:
    """Let customers go whose profiles hold nothing, unless people have put them on a list or in a stage, or made an
    example of them; how many went. The caller holds them and shares the live versions."""
    profiles = Profile.objects.filter(customer__in=customers)
    kept = set(Placement.objects.filter(profile__in=profiles).values_list("profile__customer", flat=True))
    kept |= set(ListMember.objects.filter(profile__in=profiles).values_list("profile__customer", flat=True))
    kept |= set(Example.objects.filter(customer__in=customers).values_list("customer", flat=True))
    gone = sorted(set(customers) - kept)
    if not gone:
        return 0
    # By their ids: joined to what this transaction has just written, of which no statistics know, the deletion would be
    # planned for a row and try every pair.
    emptied = list(Profile.objects.filter(customer__in=gone).values_list("pk", flat=True))
    Stale.objects.filter(profile__in=emptied).delete()
    ScoreStep.objects.filter(profile__in=emptied).delete()
    Profile.objects.filter(pk__in=emptied).delete()
    # Without profiles there is no life: what was believed is superseded, and the figures of days take it off.
    settle(customers=gone, news={}, emptied=set(), fallback=Cause.IMPORT)
    Customer.objects.filter(pk__in=gone).delete()
    return len(gone)
