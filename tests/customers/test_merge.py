"""Merging and undoing it: rows of the profile map move, and every profile is always where the merges in force lead."""

import pytest
from django.db import transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from customers.events import Event
from customers.ingest import clock, ingest
from customers.merge import MergeError, merge, surviving, unmerge
from customers.models import Cause, Customer, Identity, Merge, Profile, Source, Stale, Touchpoint

pytestmark = pytest.mark.django_db


def people(*names: str) -> list[int]:
    """Customers with one touchpoint each, the earlier named created earlier."""
    source = Source.objects.get_or_create(key="s", defaults={"name": "s"})[0]
    events = [
        Event(message_id=name, identities=(("user_id", name),), type="Page Viewed", channel="web", occurred_at=clock())
        for name in names
    ]
    ingest(source=source, events=events)
    return [Identity.objects.get(value=name).profile.customer_id for name in names]


def person(name: str) -> int:
    return people(name)[0]


def owners() -> dict[str, int]:
    return dict(Identity.objects.values_list("value", "profile__customer_id"))


def test_the_customer_created_first_survives_whichever_is_named_first() -> None:
    first, second = person("a"), person("b")
    record = merge(customers=(second, first), now=clock(), reason="same address")
    assert (record.survivor_id, record.absorbed_id) == (first, second)
    assert owners() == {"a": first, "b": first}
    assert surviving(Customer.objects.get(pk=second)).pk == first


def test_a_merge_marks_the_moved_profiles_and_its_undoing_both_sides() -> None:
    first, second = person("a"), person("b")
    Stale.objects.all().delete()
    record = merge(customers=(first, second), now=clock())
    moved = Identity.objects.get(value="b").profile_id
    assert list(Stale.objects.values_list("profile", "cause")) == [(moved, Cause.MERGE)]
    Stale.objects.all().delete()
    unmerge(merge=record.pk, now=clock())
    assert set(Stale.objects.values_list("profile", "cause")) == {
        (profile, Cause.UNMERGE) for profile in Profile.objects.values_list("pk", flat=True)
    }
    assert owners() == {"a": first, "b": second}


def test_no_touchpoint_is_touched() -> None:
    first, second = person("a"), person("b")
    before = list(Touchpoint.objects.order_by("pk").values_list("pk", "profile"))
    unmerge(merge=merge(customers=(first, second), now=clock()).pk, now=clock())
    assert list(Touchpoint.objects.order_by("pk").values_list("pk", "profile")) == before


def test_what_cannot_be_merged_or_undone_is_said() -> None:
    first, second, third = person("a"), person("b"), person("c")
    with pytest.raises(MergeError, match="two different"), transaction.atomic():
        merge(customers=(first, first), now=clock())
    with pytest.raises(MergeError, match="must be customers"), transaction.atomic():
        merge(customers=(first, 10**12), now=clock())
    record = merge(customers=(first, second), now=clock())
    with pytest.raises(MergeError, match="already merged"), transaction.atomic():
        merge(customers=(third, second), now=clock())
    unmerge(merge=record.pk, now=clock())
    with pytest.raises(MergeError, match="already undone"), transaction.atomic():
        unmerge(merge=record.pk, now=clock())
    assert owners() == {"a": first, "b": second, "c": third}


def test_undoing_the_first_of_two_merges_and_then_the_second_leaves_nobody_with_a_strangers_profile() -> None:
    first, second, third = person("a"), person("b"), person("c")
    inner = merge(customers=(second, third), now=clock())
    outer = merge(customers=(first, second), now=clock())
    unmerge(merge=inner.pk, now=clock())
    assert owners() == {"a": first, "b": first, "c": third}
    unmerge(merge=outer.pk, now=clock())
    assert owners() == {"a": first, "b": second, "c": third}


def test_a_profile_returned_and_merged_elsewhere_stays_there_when_the_older_merge_is_undone() -> None:
    first, second, third, fourth = person("a"), person("b"), person("c"), person("d")
    inner = merge(customers=(third, fourth), now=clock())
    outer = merge(customers=(first, third), now=clock())
    unmerge(merge=inner.pk, now=clock())
    merge(customers=(second, fourth), now=clock())
    unmerge(merge=outer.pk, now=clock())
    assert owners() == {"a": first, "b": second, "c": third, "d": second}


def test_what_arrives_under_a_moved_profile_returns_with_it() -> None:
    first, second = person("a"), person("b")
    record = merge(customers=(first, second), now=clock())
    later = Event(
        message_id="later",
        identities=(("email", "b@example.org"), ("user_id", "b")),
        type="Page Viewed",
        channel="web",
        occurred_at=clock(),
    )
    ingest(source=Source.objects.get(), events=[later])
    assert owners() == {"a": first, "b": first, "b@example.org": first}
    unmerge(merge=record.pk, now=clock())
    assert owners() == {"a": first, "b": second, "b@example.org": second}


acts = st.lists(
    st.one_of(
        st.tuples(st.just("merge"), st.integers(0, 4), st.integers(0, 4)),
        st.tuples(st.just("undo"), st.integers(0, 7), st.just(0)),
    ),
    min_size=3,
    max_size=14,
)


@pytest.mark.lasting("people")
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts)
@example([("merge", 1, 2), ("merge", 0, 1), ("undo", 0, 0), ("undo", 0, 0)])
def test_a_profile_is_always_where_the_merges_in_force_lead_from_its_first_customer(db: None, steps: list) -> None:
    with transaction.atomic():
        five = people(*(f"p{number}" for number in range(5)))
        for act, one, other in steps:
            if act == "merge":
                pair = [surviving(Customer.objects.get(pk=five[which])).pk for which in (one, other)]
                if pair[0] != pair[1]:
                    merge(customers=(pair[0], pair[1]), now=clock())
            else:
                in_force = list(Merge.objects.filter(undone_at=None).order_by("pk").values_list("pk", flat=True))
                if in_force:
                    unmerge(merge=in_force[one % len(in_force)], now=clock())
            owner = owners()
            for number, customer in enumerate(five):
                assert owner[f"p{number}"] == surviving(Customer.objects.get(pk=customer)).pk
        transaction.set_rollback(True)
