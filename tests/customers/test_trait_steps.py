"""Traits as steps: what is told once per value comes out the same in any order; what repeats is compressed."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.events import Event
from customers.ingest import clock, ingest
from customers.models import Cause, Profile, Source, Stale, Trait
from customers.trait_steps import Step, with_telling

DAY = datetime(2026, 1, 1, tzinfo=UTC)


def day(number: int) -> datetime:
    return DAY + timedelta(days=number)


def told(*tellings: tuple[str, int]) -> list[tuple[str, int, int]]:
    """Value, first and last day of each step, after those tellings in that order of arrival."""
    steps: list[Step] = []
    for value, number in tellings:
        steps = with_telling(steps, value, day(number))
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


@given(st.lists(st.integers(0, 40), unique=True, min_size=1, max_size=9).flatmap(st.permutations))
def test_values_told_once_each_give_the_same_steps_in_any_order(days: list[int]) -> None:
    tellings = [(f"told on {number}", number) for number in days]
    assert [(value, first) for value, first, _last in told(*tellings)] == at_each_instant(tellings)


@given(
    st.lists(
        st.tuples(st.sampled_from("ab"), st.integers(0, 40)), min_size=1, max_size=12, unique_by=lambda one: one[1]
    )
)
def test_in_the_order_of_time_the_steps_are_what_was_told(tellings: list[tuple[str, int]]) -> None:
    ordered = sorted(tellings, key=lambda one: one[1])
    assert [(value, first) for value, first, _last in told(*ordered)] == at_each_instant(tellings)


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.integers(0, 30)), min_size=1, max_size=12, unique_by=lambda one: one[1]
    )
)
def test_in_any_order_steps_are_true_tellings_in_order_and_the_present_value_is_right(
    tellings: list[tuple[str, int]],
) -> None:
    steps = told(*tellings)
    assert all(one[0] != other[0] for one, other in pairwise(steps))
    assert all(one[2] < other[1] for one, other in pairwise(steps))
    assert {(value, first) for value, first, _last in steps} <= set(tellings)
    assert {(value, last) for value, _first, last in steps} <= set(tellings)
    ordered = sorted(tellings, key=lambda one: one[1])
    assert (steps[0][0], steps[0][1]) == ordered[0]
    assert (steps[-1][0], steps[-1][2]) == ordered[-1]


def test_the_known_limit_what_a_step_compressed_is_not_remembered_when_it_is_split() -> None:
    """Of a value told three times or more only the first and the last instant are kept. A differing value told late in
    between holds until the last of them, not until the next: the one case in which the order of arrival shows."""
    assert told(("a", 1), ("b", 2), ("a", 3), ("a", 5)) == [("a", 1, 1), ("b", 2, 2), ("a", 3, 5)]
    assert told(("a", 1), ("a", 3), ("a", 5), ("b", 2)) == [("a", 1, 1), ("b", 2, 2), ("a", 5, 5)]


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
