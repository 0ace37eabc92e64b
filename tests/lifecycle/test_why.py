"""Reasons: what a node saw and needed, what decided, what would change it next; and that reasons and what is stored say
the same of everybody."""

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.db import transaction

from analytics.simulator.run import simulate
from customers.ingest import clock
from customers.models import Cause, Customer
from lifecycle.advance import settle as settle_them
from lifecycle.install import publish
from lifecycle.list_members import add_members
from lifecycle.models import Announcement, Stage, StageModel, Standing, Subject
from lifecycle.outlook import changes_ahead
from lifecycle.place import place
from lifecycle.revise import add_segment
from lifecycle.why import Decided, Reason, Why, why

from .making import ago, customer_of, happened, installed, new_version, settle, stage, tell

pytestmark = pytest.mark.django_db


def subject(key: str) -> int:
    return Subject.objects.get(key=key).pk


def asked(customer: int, key: str = "seven", *, at: datetime | None = None, as_of: datetime | None = None) -> Why:
    found = why(customer=customer, subject=subject(key), at=at or as_of or clock(), as_of=as_of)
    assert found is not None
    return found


def stage_key(found: Why) -> str | None:
    return None if found.stage is None else Stage.objects.get(pk=found.stage).key


def reason(customer: int, rule: Any) -> Reason:
    """The reason of a segment of that rule."""
    key = f"r{Subject.objects.count()}"
    new_version(key, rule)
    (one,) = asked(customer, key).reasons
    return one.reason


@pytest.fixture
def buyer() -> int:
    """Somebody who bought 80 and 10 days ago."""
    installed()
    tell(
        happened("buyer", "Order Completed", ago(days=80), amount=5_000, traits={"plan": "free"}),
        happened("buyer", "Order Completed", ago(days=10), amount=7_000, traits={"plan": "pro"}),
    )
    settle()
    return customer_of("buyer")


@pytest.mark.parametrize(
    ("rule", "told", "seen", "needed", "held", "touchpoints"),
    [
        (
            {"did": {"role": "purchase"}, "at_least": 3, "within": "90d"},
            "2 of 3 purchases in the last 90 days",
            "2",
            "3",
            False,
            2,
        ),
        ({"did": {"role": "purchase"}, "within": "30d"}, "1 purchase in the last 30 days", "1", "1", True, 1),
        ({"did": {"role": "purchase"}, "within": "1d"}, "no purchase in the last day", "0", "1", False, 1),
        ({"did": {"role": "visit"}}, "no visit", "0", "1", False, 0),
        ({"did": {"role": "purchase"}, "on_days": 2}, "on 2 of 2 different days", "2", "2", True, 2),
        (
            {"spent": {"role": "purchase"}, "at_least": "200.00"},
            "120.00 EUR of 200.00 EUR",
            "120.00 EUR",
            "200.00 EUR",
            False,
            2,
        ),
        ({"trait": "plan", "is": "pro"}, "it is “pro”", "“pro”", "is “pro”", True, 0),
        ({"trait": "country", "is": "GB"}, "it was never set", "", "is “GB”", False, 0),
        ({"since": {"role": "purchase"}, "until": {"role": "refund"}}, "since then no refund", "", "", True, 1),
        (
            {"held": {"did": {"role": "purchase"}}, "for": "90d"},
            "80 days of 90 days so far",
            "80 days",
            "90 days",
            False,
            0,
        ),
        (
            {"lately": {"did": {"role": "purchase"}, "at_least": 2, "within": "5d"}, "within": "9d"},
            "it never held",
            "",
            "9 days",
            False,
            0,
        ),
    ],
)
def test_a_node_says_what_it_saw_and_what_it_needs(
    rule: Any, told: str, seen: str, needed: str, held: bool, touchpoints: int, buyer: int
) -> None:
    found = reason(buyer, rule)
    assert (found.told, found.seen, found.needed, found.held) == (told, seen, needed, held)
    assert len(found.touchpoints) == touchpoints
    assert all(one.type == "Order Completed" for one in found.touchpoints)


def test_sub_rules_are_called_by_their_names_and_say_what_they_stand_for(buyer: int) -> None:
    found = asked(buyer)
    assert stage_key(found) == stage(buyer) == "retention"
    (current,) = [one.reason for one in found.reasons if one.is_current]
    assert current.title == "All of: alive; established"
    assert [part.name for part in current.parts] == ["alive", "established"]
    assert current.parts[0].meaning.startswith("All of: acquired; ")
    assert found.decided == Decided.RULE
    top = found.reasons[0].reason
    assert [one.name or one.title for one in top.missing] == ["advocate"]


def test_what_time_does_next_is_told_with_the_condition_that_changes(buyer: int) -> None:
    found = asked(buyer)
    assert found.next is not None
    assert Stage.objects.get(pk=found.next.stage).key == "lapsed"
    assert {one.title for one in found.turning} == {
        "Has had an activity in the last 180 days",
        "Has had a touchpoint in the last 180 days",
    }
    assert {one.until for one in found.turning} == {found.next.at}


def test_as_of_tells_it_as_it_could_be_seen_then(buyer: int) -> None:
    then = ago(days=60)
    found = asked(buyer, as_of=then)
    assert (stage_key(found), stage_key(asked(buyer, at=then))) == ("acquisition", "acquisition")
    assert found.next is not None
    assert Stage.objects.get(pk=found.next.stage).key == "lapsed"
    after = asked(buyer, at=then).next
    assert after is not None
    assert Stage.objects.get(pk=after.stage).key == "retention"


def test_what_a_person_decided_is_told_before_the_rules(buyer: int) -> None:
    place(customer=buyer, model=subject("seven"), stage="advocacy", reason="speaks for us", now=clock())
    publish(revision=add_segment(key="press", name="Press", rule=None).pk, now=clock())
    new_version("visitors", {"did": {"role": "visit"}})
    add_members(segment=subject("press"), customers=[buyer], now=clock())
    add_members(segment=subject("visitors"), customers=[buyer], now=clock())
    add_members(segment=subject("active_customer"), customers=[buyer], now=clock(), excluded=True)
    settle()
    assert (asked(buyer).decided, stage_key(asked(buyer))) == (Decided.PLACEMENT, "advocacy")
    assert (asked(buyer, "visitors").decided, stage_key(asked(buyer, "visitors"))) == (Decided.INCLUDED, "in")
    excluded = asked(buyer, "active_customer")
    assert (excluded.decided, stage_key(excluded)) == (Decided.EXCLUDED, "out")
    assert stage_key(asked(buyer, "press")) == "in"
    assert asked(buyer, at=ago(days=200)).decided == Decided.NOTHING


def population(size: int) -> list[int]:
    """A small population of the simulator, in every stage, up to date."""
    installed()
    now = clock()
    simulate(people=size, seed=5, until=now.date(), now=now, tell=lambda _sentence: None, vacuums=False)
    return list(Customer.objects.filter(merged_into=None).order_by("pk").values_list("pk", flat=True))


def test_reasons_and_what_is_stored_agree_for_everybody() -> None:
    people = population(1_000)
    stored = {
        (customer, key): stage
        for customer, key, stage in Standing.objects.values_list("customer_id", "subject_id", "stage_id")
    }
    # Reasons evaluate one customer at a time: of everybody the model that pages show, of some every other subject too.
    seven, now = subject("seven"), clock()
    others = list(Subject.objects.exclude(live_version=None).exclude(pk=seven).values_list("pk", flat=True))
    for place_, customer in enumerate(people):
        for number in [seven, *(others if place_ % 25 == 0 else [])]:
            found = why(customer=customer, subject=number, at=now)
            assert found is not None
            assert found.stage == stored.get((customer, number)), (customer, number)
            current = next((one.stage for one in found.reasons if one.is_current), None)
            if found.decided == Decided.RULE:
                assert current == found.stage


def test_the_next_change_comes_true_under_a_moved_clock_for_a_thousand(monkeypatch: Any) -> None:
    people = population(3_200)
    seven, now = subject("seven"), clock()
    ahead = changes_ahead(customers=people, now=now, subject=seven)
    foretold = {customer: changes[seven] for customer, changes in ahead.items()}
    assert len(foretold) >= 1_000
    for days in (20, 60, 200, 800):
        moved = now + timedelta(days=days)
        monkeypatch.setattr("lifecycle.advance.clock", lambda moved=moved: moved)
        with transaction.atomic():
            settle_them(customers=people, news={}, emptied=set(), fallback=Cause.TIME)
        stands = {
            customer: (stage, since)
            for customer, stage, since in Standing.objects.filter(subject=seven).values_list(
                "customer_id", "stage_id", "since"
            )
        }
        come = {customer: [one for one in changes if one.at <= moved] for customer, changes in foretold.items()}
        for customer, changes in come.items():
            if changes:
                assert stands[customer] == (changes[-1].stage, changes[-1].at)
    assert sum(bool(changes) for changes in come.values()) >= 1_000


def test_nothing_is_told_twice_whatever_was_learnt_later(buyer: int) -> None:
    """Late, merged and undone facts repair what was told; a stage that was told last is not told again."""
    for step, days in enumerate((200, 40, 300, 20, 120)):
        tell(happened("buyer", "Order Completed", ago(days=days), amount=1_000, id=f"late {step}"))
        settle()
        tell(happened("buyer", "Order Completed", ago(days=days), amount=1_000, id=f"late {step}"))
        settle()
    place(customer=buyer, model=subject("seven"), stage="advocacy", reason="r", now=clock(), until_at=None)
    settle()
    assert StageModel.objects.count() == 3
    for model in StageModel.objects.values_list("pk", flat=True):
        told = list(
            Announcement.objects.filter(customer=buyer, subject=model)
            .order_by("pk")
            .values_list("from_stage", "stage", "entered_at", "kind")
        )
        assert len(set(told)) == len(told)
        for before, after in pairwise(told):
            assert after[0] == before[1]  # each begins where the last one ended
            assert after[1] != after[0]
    assert timedelta(0) <= clock() - Announcement.objects.latest("pk").told_at
