"""Traits as steps: what is told comes out the same in any order; what repeats is joined, and still remembered."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clm.lib import sql
from customers.events import Event
from customers.ingest import clock, ingest
from customers.merge import merge
from customers.models import Cause, Profile, Source, Stale, Trait, TraitTelling
from customers.trait_steps import Step, steps_of, traits_known, with_telling

DAY = datetime(2026, 1, 1, tzinfo=UTC)


def day(number: int) -> datetime:
    return DAY + timedelta(days=number)


def told(*tellings: tuple[str, int]) -> list[tuple[str, int, int]]:
    """Value, first and last day of each step, after those tellings in that order of arrival: from step to step where
    the steps suffice, as the store does it, else from all tellings so far."""
    steps: list[Step] = []
    for place, (value, number) in enumerate(tellings, start=1):
        after = with_telling(steps, value, day(number))
        steps = steps_of((day(d), v) for v, d in tellings[:place]) if after is None else after
    return [(step.value, (step.set_at - DAY).days, (step.last_seen_at - DAY).days) for step in steps]


def test_a_row_only_when_the_value_changes() -> None:
    assert told(("a", 1), ("a", 3), ("b", 5), ("b", 6), ("a", 9)) == [("a", 1, 3), ("b", 5, 6), ("a", 9, 9)]


def test_a_late_differing_value_splits_the_step_it_falls_into() -> None:
    assert told(("a", 1), ("a", 5), ("b", 3)) == [("a", 1, 1), ("b", 3, 3), ("a", 5, 5)]


def test_a_late_value_like_its_neighbour_joins_it() -> None:
    assert told(("a", 5), ("a", 3)) == [("a", 3, 5)]
    assert told(("a", 1), ("b", 5), ("a", 3)) == [("a", 1, 3), ("b", 5, 5)]
    assert told(("a", 1), ("b", 5), ("b", 3)) == [("a", 1, 1), ("b", 3, 5)]


def test_of_two_values_for_one_instant_the_one_recorded_later_counts() -> None:
    assert told(("a", 1), ("b", 1)) == [("b", 1, 1)]
    assert told(("b", 1), ("a", 1)) == [("a", 1, 1)]
    assert told(("a", 1), ("b", 3), ("a", 3)) == [("a", 1, 3)]


def at_each_instant(tellings: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """The tellings in order of time, without those that repeat what holds already."""
    ordered = sorted(tellings, key=lambda one: one[1])
    return [one for place, one in enumerate(ordered) if place == 0 or ordered[place - 1][0] != one[0]]


TELLINGS = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(0, 30)), min_size=1, max_size=12, unique_by=lambda one: one[1]
)


@pytest.mark.lasting("figures")
@given(TELLINGS, st.randoms(use_true_random=False))
def test_any_order_of_arrival_gives_the_same_steps(tellings: list[tuple[str, int]], chance: Random) -> None:
    ordered = sorted(tellings, key=lambda one: one[1])
    shuffled = chance.sample(tellings, len(tellings))
    again = [*shuffled, *chance.choices(tellings, k=3)]
    assert told(*shuffled) == told(*again) == told(*ordered)
    assert [(value, first) for value, first, _last in told(*ordered)] == at_each_instant(tellings)


@pytest.mark.lasting("figures")
@given(TELLINGS)
def test_steps_are_true_tellings_in_order(tellings: list[tuple[str, int]]) -> None:
    steps = told(*tellings)
    assert all(one[0] != other[0] for one, other in pairwise(steps))
    assert all(one[2] < other[1] for one, other in pairwise(steps))
    assert {(value, first) for value, first, _last in steps} <= set(tellings)
    assert {(value, last) for value, _first, last in steps} <= set(tellings)


def test_what_a_step_joined_is_remembered_when_it_is_split() -> None:
    assert told(("a", 1), ("b", 2), ("a", 3), ("a", 5)) == [("a", 1, 1), ("b", 2, 2), ("a", 3, 5)]
    assert told(("a", 1), ("a", 3), ("a", 5), ("b", 2)) == [("a", 1, 1), ("b", 2, 2), ("a", 3, 5)]
    assert told(("a", 1), ("a", 5), ("a", 9), ("b", 7), ("c", 3)) == [
        ("a", 1, 1),
        ("c", 3, 3),
        ("a", 5, 5),
        ("b", 7, 7),
        ("a", 9, 9),
    ]


# --- stored ---------------------------------------------------------------------------------------------------
def tell(id: str, at: datetime, **traits: object) -> None:
    source = Source.objects.get_or_create(key="s", defaults={"name": "s"})[0]
    event = Event(
        message_id=id,
        identities=(("user_id", "u"),),
        type="Identify",
        channel="web",
        occurred_at=at,
        traits=traits,
        is_touchpoint=False,
    )
    ingest(source=source, events=[event])


@pytest.mark.django_db
def test_stored_steps_follow_late_and_repeated_tellings() -> None:
    tell("1", day(1), plan="free", seats=3)
    tell("2", day(5), plan="free")
    tell("3", day(3), plan="pro")
    tell("4", day(9), plan=None, address={"city": "Ulm", "zip": "01234"})
    tell("4", day(9), plan=None, address={"zip": "01234", "city": "Ulm"})
    rows = Trait.objects.order_by("key", "set_at").values_list("key", "value", "set_at", "last_seen_at")
    assert list(rows) == [
        ("address", {"city": "Ulm", "zip": "01234"}, day(9), day(9)),
        ("plan", "free", day(1), day(1)),
        ("plan", "pro", day(3), day(3)),
        ("plan", "free", day(5), day(5)),
        ("plan", None, day(9), day(9)),
        ("seats", 3, day(1), day(1)),
    ]


@pytest.mark.django_db
@pytest.mark.parametrize("value", [None, 1e16, 1.0, -0.0, 0.1, 2**70, True, "", "\u00e9", [], {"b": [1.0], "a": None}])
def test_a_value_told_again_is_recognised_whatever_the_database_made_of_it(value: object) -> None:
    tell("1", day(1), it=value)
    tell("2", day(5), it=value)
    tell("3", day(3), it=value)
    row = Trait.objects.get()
    assert (row.value, row.set_at, row.last_seen_at) == (value, day(1), day(5))


@pytest.mark.django_db
def test_only_what_changes_a_step_makes_the_profile_stale() -> None:
    tell("1", day(1), plan="free")
    Stale.objects.all().delete()
    tell("2", day(5), plan="free")  # seen again
    assert not Stale.objects.exists()
    tell("3", day(7), plan="pro")
    assert list(Stale.objects.values_list("profile", "cause")) == [(Profile.objects.get().pk, Cause.LATE)]


@pytest.mark.django_db
def test_a_trait_told_for_the_future_is_set_at_its_arrival() -> None:
    tell("1", clock() + timedelta(days=1), plan="free")
    assert Trait.objects.get().set_at <= clock()


def steps_stored(key: str = "plan") -> list[tuple[object, datetime, datetime]]:
    return list(Trait.objects.filter(key=key).order_by("set_at").values_list("value", "set_at", "last_seen_at"))


@pytest.mark.django_db
@pytest.mark.lasting("figures")
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TELLINGS, st.randoms(use_true_random=False))
def test_stored_steps_are_the_same_in_any_order_and_however_often_they_are_told(
    tellings: list[tuple[str, int]], chance: Random
) -> None:
    arriving = [*chance.sample(tellings, len(tellings)), *chance.choices(tellings, k=2)]
    with transaction.atomic():
        for place, (value, number) in enumerate(arriving):
            tell(str(place), day(number), plan=value, seats=1)
        expected = steps_of((day(number), value) for value, number in tellings)
        assert steps_stored() == [(step.value, step.set_at, step.last_seen_at) for step in expected]
        assert [value for value, _first, _last in steps_stored("seats")] == [1]
        assert TraitTelling.objects.count() == len(tellings)  # what repeats is not kept twice
        transaction.set_rollback(True)


def tell_at_once(tellings: list[tuple[str, int]], *, number: int, key: str = "plan") -> None:
    source = Source.objects.get_or_create(key="s", defaults={"name": "s"})[0]
    events = [
        Event(
            f"{number}-{place}",
            (("user_id", "u"),),
            "Identify",
            "web",
            day(at),
            traits={key: value},
            is_touchpoint=False,
        )
        for place, (value, at) in enumerate(tellings)
    ]
    ingest(source=source, events=events)


@pytest.mark.django_db
@pytest.mark.parametrize("key", ["plan", "first_utm_source"])
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 12)), min_size=1, max_size=5), max_size=6))
def test_stored_steps_are_those_of_everything_ever_told_however_it_comes_in_batches(
    key: str, batches: list[list[tuple[str, int]]]
) -> None:
    """Instants are few, so that steps are torn at their ends, at an instant told before, and several at once."""
    everything: list[tuple[datetime, str]] = []
    with transaction.atomic():
        for number, batch in enumerate(batches):
            tell_at_once(batch, number=number, key=key)
            for value, at in batch:
                if (day(at), value) not in everything:  # saying again what was said of its instant is no telling
                    everything.append((day(at), value))
            expected = steps_of(everything)
            if key.startswith("first_"):
                expected = [Step(one.value, one.set_at, one.set_at) for one in expected[:1]]
            assert steps_stored(key) == [(step.value, step.set_at, step.last_seen_at) for step in expected]
        transaction.set_rollback(True)


@pytest.mark.django_db
def test_telling_a_trait_reads_only_what_it_touches_of_a_long_history() -> None:
    tell_at_once([("ab"[number // 20 % 2], number) for number in range(100)], number=1)
    (profile,) = Profile.objects.all()
    source = Source.objects.get()
    assert len(steps_stored()) == 5

    def read(at: datetime) -> tuple[int, int]:
        known = traits_known(traits=[((profile.pk, "plan"), at)], source=source.pk, messages=[])
        torn = sql.rows("customers/traits_torn", profiles=[profile.pk], keys=["plan"], instants=[at])
        return len(known.steps[profile.pk, "plan"]), len(torn)

    assert read(day(200)) == (1, 1)
    assert read(day(50) + timedelta(hours=1)) == (2, 2)
    assert read(day(60)) == (3, 3)
    tell_at_once([("c", 50)], number=2)
    assert [value for value, _first, _last in steps_stored()] == ["a", "b", "a", "c", "a", "b", "a"]


@pytest.mark.django_db
def test_of_two_values_for_one_instant_the_one_recorded_later_counts_and_repeating_the_first_changes_nothing() -> None:
    tell("1", day(1), plan="free")
    tell("2", day(1), plan="pro")
    tell("1", day(1), plan="free")
    assert steps_stored() == [("pro", day(1), day(1))]
    tell("3", day(5), plan="pro")
    tell("4", day(5), plan="free")
    assert steps_stored() == [("pro", day(1), day(1)), ("free", day(5), day(5))]


@pytest.mark.django_db
def test_saying_again_what_another_profile_overruled_makes_the_customer_stale() -> None:
    tell("1", day(1), plan="free")
    source = Source.objects.get()
    other = Event("2", (("user_id", "v"),), "Identify", "web", day(3), traits={"plan": "pro"}, is_touchpoint=False)
    ingest(source=source, events=[other])
    one, two = Profile.objects.order_by("pk")
    merge(customers=(one.customer_id, two.customer_id), now=clock())
    Stale.objects.all().delete()
    tell("3", day(5), plan="free")
    assert steps_stored() == [("free", day(1), day(5)), ("pro", day(3), day(3))]
    assert list(Stale.objects.values_list("profile", flat=True)) == [one.pk]


@pytest.mark.django_db
def test_what_is_told_of_somebody_new_is_stored_as_of_somebody_known() -> None:
    """Of somebody new the database reads the steps off the telling; of others they are worked out."""
    told = {"a": "x", "b": None, "c": 7, "d": True, "e": 'say "1"\\', "first_utm_source": "mail"}
    source = Source.objects.create(key="s", name="S")

    def said(number: int, person: str, **traits: object) -> Event:
        return Event(
            str(number), (("user_id", person),), "Identify", "web", day(number), traits=traits, is_touchpoint=False
        )

    ingest(source=source, events=[said(1, "new", **told)])
    ingest(source=source, events=[said(2, "several", **told, n=1.5), said(2, "several", **told, n=1.5)])
    ingest(source=source, events=[Event("3", (("user_id", "known"),), "Visit", "web", day(1))])
    ingest(source=source, events=[said(4, "known", **told)])
    steps = [
        {
            step.key: (step.value, step.set_at - day(number), step.last_seen_at - day(number))
            for step in Trait.objects.filter(profile__identities__value=person).exclude(key="n")
        }
        for number, person in ((1, "new"), (2, "several"), (4, "known"))
    ]
    assert steps[0] == steps[1] == steps[2] == {key: (value, timedelta(), timedelta()) for key, value in told.items()}
    assert Trait.objects.filter(key="b", value__isnull=True).count() == 3
    assert Stale.objects.count() == 4


@pytest.mark.django_db
def test_a_telling_without_traits_changes_nobody_it_makes() -> None:
    source = Source.objects.create(key="s", name="S")
    event = Event("1", (("user_id", "u"),), "Identify", "web", day(1), is_touchpoint=False, is_kept_by_id=True)
    ingest(source=source, events=[event])
    assert TraitTelling.objects.count() == 1
    assert not Stale.objects.exists()
