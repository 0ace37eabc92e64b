"""Order, repetition and batching do not matter: what is believed in the end is what one replay of everything says."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers.events import Event
from customers.ingest import clock
from customers.merge import merge, surviving, unmerge
from customers.models import Customer, Merge, Profile, Stale
from lifecycle.models import Standing
from lifecycle.replay import replay_all

from .making import (
    believed,
    check_standings,
    customer_of,
    happened,
    history_of,
    installed,
    new_version,
    profile_of,
    settle,
    tell,
)

TYPES = (
    ("Page Viewed", 0),
    ("Signed Up", 0),
    ("Onboarding Step Completed", 0),
    ("Feature Used", 0),
    ("Product Added", 0),
    ("Checkout Started", 0),
    ("Order Completed", 4_000),
    ("Order Completed", 12_000),
    ("Order Refunded", -4_000),
    ("Subscription Started", 900),
    ("Subscription Cancelled", 0),
    ("Subscription Upgraded", 2_000),
    ("Ticket Opened", 0),
    ("Referral Made", 0),
    ("Email Sent", 0),
    ("Something Unheard Of", 0),
)
ANSWERS = (
    ("Feedback Submitted", {"nps": 10}),
    ("Feedback Submitted", {"nps": 3}),
    ("Feedback Submitted", {"nps": "10"}),
    ("Product Reviewed", {"rating": 5}),
    ("Product Reviewed", {"rating": 1, "nps": 9}),
    ("Product Reviewed", {}),
)
# A rule over a property, counting, so that touchpoints alike in all but their properties matter.
# Rules over traits, over segments and over stages, and a list: live beside the models.
PLANS = ("free", "pro", None, 3)
TIERED = {"any": [{"trait": "plan", "is": "pro"}, {"lately": {"trait": "plan", "exists": False}, "within": "30d"}]}
LOYAL = {
    "any": [
        {"all": [{"segment": "tiered"}, {"stage": ["seven", "retention"]}]},
        {"held": {"any": [{"segment": "fans"}, {"stage": ["seven", "gone_quiet"]}]}, "for": "5d"},
        {"segment": "asked"},
    ]
}
FANS = {"did": {"type": "Feedback Submitted", "where": [{"property": "nps", "gte": 9}]}, "at_least": 2, "within": "90d"}


@st.composite
def touchpoints(draw: st.DrawFn) -> tuple[str, int, dict, int, str, dict]:
    """Type, amount, properties, half days before the anchor, channel, traits. Few instants, so that ties are common;
    what is told of a trait at one instant is always the same, for of two values the one recorded later counts."""
    far = draw(st.sampled_from((3, 60, 400, 1460)))
    half_days = draw(st.integers(0, far))
    if draw(st.integers(0, 3)) == 0:
        kind, properties = draw(st.sampled_from(ANSWERS))
        amount = 0
    else:
        (kind, amount), properties = draw(st.sampled_from(TYPES)), {}
    traits = {"plan": PLANS[half_days * half_days % 7 % 4]} if draw(st.integers(0, 2)) == 0 else {}
    return kind, amount, properties, half_days, draw(st.sampled_from(("web", "store"))), traits


@st.composite
def streams(draw: st.DrawFn) -> tuple[list[list[tuple]], list[list[tuple[int, int]]]]:
    """The histories of some people, and batches of (person, which of its touchpoints) that bring every one at least
    once, in any order, some again."""
    people = draw(st.lists(st.lists(touchpoints(), min_size=1, max_size=14), min_size=1, max_size=3))
    told = [(person, number) for person, history in enumerate(people) for number in range(len(history))]
    again = draw(st.lists(st.sampled_from(told), max_size=6))
    order = draw(st.permutations([*told, *again]))
    cuts = sorted(draw(st.lists(st.integers(1, max(1, len(order) - 1)), max_size=4)))
    return people, [order[a:b] for a, b in zip([0, *cuts], [*cuts, len(order)], strict=True) if a < b]


@contextmanager
def undone() -> Iterator[None]:
    """An example's own world, gone afterwards."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture
def world(db: None) -> None:
    installed()
    new_version("fans", FANS)
    new_version("tiered", TIERED)
    new_version("asked", None)
    new_version("loyal", LOYAL)


def anchor() -> datetime:
    """No window of whole days ends near now when everything happened whole half days before this."""
    return clock() - timedelta(hours=5, minutes=7)


def event(name: str, number: int, what: tuple, at: datetime) -> Event:
    kind, amount, properties, half_days, channel, traits = what
    return happened(
        name,
        kind,
        at - timedelta(hours=12 * half_days),
        id=f"{name}/{number}",
        amount=amount or None,
        properties=properties,
        channel=channel,
        traits=traits,
    )


EXAMPLES = settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@pytest.mark.lasting("people")
@EXAMPLES
@given(streams())
def test_any_order_repetition_and_batching_gives_what_one_replay_gives(world: None, stream: tuple) -> None:
    people, batches = stream
    with undone():
        at = anchor()
        for batch in batches:
            tell(*[event(f"fed {person}", number, people[person][number], at) for person, number in batch])
            settle()
        fed = {person: history_of(customer_of(f"fed {person}")) for person in range(len(people))}
        everybody = believed()
        tell(
            *[
                event(f"whole {person}", number, what, at)
                for person, history in enumerate(people)
                for number, what in enumerate(history)
            ]
        )
        replay_all()
        for person in range(len(people)):
            assert fed[person] == history_of(customer_of(f"whole {person}"))
        assert set(everybody) <= set(believed())
        assert settle().written.rows == 0
        again = replay_all()
        assert (again.rows_changed, again.rows_by_time) == (0, 0)
        check_standings()


@st.composite
def woven(draw: st.DrawFn) -> tuple[list[list[tuple]], list[tuple], list[int]]:
    """Histories of three or four people; steps: tell some touchpoints, merge two, undo a merge, advance; and the order
    in which the merges left are undone."""
    people = draw(st.lists(st.lists(touchpoints(), min_size=2, max_size=6), min_size=3, max_size=4))
    told = draw(st.permutations([(p, n) for p, history in enumerate(people) for n in range(1, len(history))]))
    steps: list[tuple] = [("tell", [(person, 0) for person in range(len(people))])]
    acts = draw(
        st.lists(
            st.one_of(
                st.tuples(st.just("merge"), st.integers(0, 3), st.integers(0, 3)),
                st.tuples(st.just("undo"), st.integers(0, 5)),
                st.just(("advance",)),
                st.just(("tell", None)),
            ),
            min_size=4,
            max_size=10,
        )
    )
    rest = list(told)
    for act in acts:
        if act[0] != "tell":
            steps.append(act)
        elif rest:
            count = draw(st.integers(1, 5))
            steps.append(("tell", rest[:count]))
            rest = rest[count:]
    return people, [*steps, ("tell", rest)], draw(st.permutations(range(12)))


def stepped(step: tuple, people: list[list[tuple]], at: datetime) -> None:
    match step:
        case ("tell", some):
            tell(*[event(f"p{person}", number, people[person][number], at) for person, number in some])
        case ("merge", one, other):
            known = [
                customer_of(f"p{person % len(people)}")
                for person in (one, other)
                if Profile.objects.filter(identities__value=f"p{person % len(people)}").exists()
            ]
            if len(set(known)) == 2:
                merge(customers=(known[0], known[1]), now=clock())
        case ("undo", which):
            merges = list(Merge.objects.filter(undone_at=None).order_by("pk").values_list("pk", flat=True))
            if merges:
                unmerge(merge=merges[which % len(merges)], now=clock())
        case ("advance",):
            settle()


@pytest.mark.lasting("people")
@EXAMPLES
@given(woven())
def test_merging_and_undoing_it_at_any_time_is_as_if_it_had_been_so_all_along(world: None, weave: tuple) -> None:
    people, steps, order = weave
    with undone():
        at = anchor()
        for step in steps:
            stepped(step, people, at)
        settle()
        assert Stale.objects.count() == 0
        _compare(people, at, "merged")
        merges = list(Merge.objects.filter(undone_at=None).order_by("pk").values_list("pk", flat=True))
        for undo in [merges[place] for place in order if place < len(merges)]:
            unmerge(merge=undo, now=clock())
        settle()
        assert len({customer_of(f"p{person}") for person in range(len(people))}) == len(people)
        _compare(people, at, "never merged")
        assert replay_all().rows_changed == 0


def _compare(people: list[list[tuple]], at: datetime, prefix: str) -> None:
    """Everybody stands as somebody who was told the touchpoints of all whom it stands for, at once."""
    first_owner = {p: Profile.objects.get(pk=profile_of(f"p{p}")) for p in range(len(people))}
    groups: dict[int, list[int]] = {}
    for person in range(len(people)):
        groups.setdefault(customer_of(f"p{person}"), []).append(person)
    tell(
        *[
            event(f"{prefix} {group}", 100 * person + number, what, at)
            for group, members in groups.items()
            for person in members
            for number, what in enumerate(people[person])
        ]
    )
    settle()
    for group in groups:
        assert history_of(group) == history_of(customer_of(f"{prefix} {group}"))
    # Whoever was left without profiles has no life, and its address leads to where its profiles are.
    for emptied in Customer.objects.filter(profiles=None):
        assert history_of(emptied.pk) == []
        assert not Standing.objects.filter(customer=emptied).exists()
        assert surviving(emptied).pk in groups
    assert all(profile.customer_id in groups for profile in first_owner.values())
    check_standings()
