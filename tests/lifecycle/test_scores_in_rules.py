"""Scores in rules: only a changed step that a rule names makes a customer stale, and advance, replay, what if, why, an
instant of the past, a merge, its undoing and an erasure all see the same steps."""

import time
from datetime import datetime
from typing import Any

import pytest
from django.db import transaction

from clm.lib.milliseconds import to_ms, truncated
from customers import locks
from customers.ingest import clock
from customers.merge import merge, unmerge
from customers.models import Cause, Customer, ScoreStep, Stale
from customers.score_steps import SCORES, Told, tell_steps
from lifecycle.erase import erase
from lifecycle.install import new_segment
from lifecycle.models import Announcement, Segment, Version
from lifecycle.named_scores import named_scores
from lifecycle.previews import RULE, estimated_rule
from lifecycle.rules.document import RuleError
from lifecycle.trial import trial
from lifecycle.why import why
from lifecycle.withdrawn import let_go

from .making import (
    ago,
    all_is_true,
    customer_of,
    happened,
    history_of,
    installed,
    new_version,
    profile_of,
    settle,
    stands,
    tell,
    waiting,
)

pytestmark = pytest.mark.django_db

RISKY = {"trait": "score:risk", "gte": 8}


@pytest.fixture(autouse=True)
def world(db: None) -> None:
    installed()
    for person in ("a", "b"):
        tell(happened(person, "Order Completed", ago(days=40), amount=2_000))
    settle()


def scored(
    *, cause: Cause = Cause.TIME, since: datetime | None = None, **people: dict[str, int]
) -> tuple[Told, datetime]:
    """Tell the steps of some people, of nobody else and of no other score, now; and when that was."""
    time.sleep(0.003)  # two tellings of one millisecond would be one
    begun = since or clock()
    who = sorted(people, key=customer_of)
    with transaction.atomic():
        locks.share(locks.PROPERTY_KEYS)
        locks.share(locks.VERSIONS)
        at = truncated(clock())
        told = tell_steps(
            first=0,
            until=1 << 40,
            customers=[customer_of(one) for one in who],
            causes=[cause] * len(who),
            steps={name: [people[one].get(name, 0) for one in who] for name in SCORES},
            named=named_scores(),
            since=begun,
            cause=cause,
            at=at,
        )
    time.sleep(0.003)
    return told, at


def stage(person: str, subject: str) -> str | None:
    return stands(customer_of(person)).get(subject)


def spells(person: str, key: str) -> list[tuple[int, str]]:
    return [(at, stage) for subject, at, stage in history_of(customer_of(person)) if subject == f"{key} v1"]


def test_only_a_changed_step_that_a_live_rule_names_makes_a_customer_stale() -> None:
    new_version("risky", RISKY)
    assert scored(a={"risk": 9, "worth": 4}, b={"risk": 3, "worth": 5})[0] == Told(2, 2)
    settle()
    assert (stage("a", "risky"), stage("b", "risky")) == ("in", None)
    # The worth of one and the risk of the other change: rules name the risk alone.
    assert scored(a={"risk": 9, "worth": 5}, b={"risk": 8, "worth": 5})[0] == Told(2, 1)
    assert list(Stale.objects.values_list("profile", flat=True)) == [profile_of("b")]
    settle()
    assert stage("b", "risky") == "in"
    assert scored(a={"risk": 9, "worth": 5}, b={"risk": 8, "worth": 5})[0] == Told(0, 0)
    assert waiting() == 0


def test_without_a_rule_that_names_one_scores_are_told_and_nobody_is_stale() -> None:
    assert scored(a={"risk": 9}, b={"risk": 3})[0] == Told(2, 0)
    assert named_scores() == frozenset()


def test_a_rule_is_true_from_the_instant_a_step_was_told_until_it_changed() -> None:
    new_version("risky", RISKY)
    _told, first = scored(a={"risk": 8})
    settle()
    _told, second = scored(a={"risk": 7})
    settle()
    _told, third = scored(a={"risk": 10})
    settle()
    assert spells("a", "risky") == [(to_ms(first), "in"), (to_ms(second), "out"), (to_ms(third), "in")]
    all_is_true()


def test_a_rule_that_goes_live_later_sees_the_steps_of_the_time_before() -> None:
    _told, first = scored(a={"risk": 8})
    _told, second = scored(a={"risk": 2})
    counted = estimated_rule(rule=RISKY, now=first)
    assert counted.tallies[RULE].cells == {(0, 1): 1, (0, 0): 1}
    assert estimated_rule(rule=RISKY, now=clock()).tallies[RULE].cells == {(0, 0): 2}
    new_version("risky", RISKY)
    assert spells("a", "risky") == [(to_ms(first), "in"), (to_ms(second), "out")]
    all_is_true()


def test_why_says_which_step_was_seen() -> None:
    new_version("risky", RISKY)
    scored(a={"risk": 9})
    settle()
    subject = Segment.objects.get(key="risky").pk
    told = why(customer=customer_of("a"), subject=subject, at=clock())
    assert told is not None
    (reason,) = told.reasons
    assert reason.reason.sentence == "The customer has a score “risk” that is at least 8."
    assert (reason.reason.told, reason.reason.held) == ("it is 9", True)
    other = why(customer=customer_of("b"), subject=subject, at=clock())
    assert other is not None
    assert other.reasons[0].reason.told == "it is not told"


def test_whoever_has_no_score_any_more_satisfies_nothing_but_that_there_is_none() -> None:
    new_version("risky", RISKY)
    new_version("unscored", {"trait": "score:risk", "exists": False})
    scored(a={"risk": 9})
    settle()
    assert (stage("a", "risky"), stage("a", "unscored")) == ("in", "out")
    assert scored()[0] == Told(1, 1)
    settle()
    assert (stage("a", "risky"), stage("a", "unscored")) == ("out", "in")
    all_is_true()


def test_a_merged_customer_has_the_steps_told_last_and_undoing_gives_each_his_own() -> None:
    new_version("risky", RISKY)
    scored(a={"risk": 9})
    settle()
    scored(a={"risk": 9}, b={"risk": 2})
    settle()
    one, other = customer_of("a"), customer_of("b")
    before = history_of(one), history_of(other)
    record = merge(customers=(one, other), now=clock())
    settle()
    # What was told of b came last.
    assert stage("a", "risky") == "out"
    all_is_true()
    unmerge(merge=record.pk, now=clock())
    settle()
    assert (history_of(one), history_of(other)) == before
    all_is_true()


def test_of_two_told_at_one_instant_the_profile_that_came_last_counts_whoever_survives() -> None:
    new_version("risky", RISKY)
    scored(a={"risk": 1}, b={"risk": 9})
    settle()
    merge(customers=(customer_of("a"), customer_of("b")), now=clock())
    settle()
    assert profile_of("a") < profile_of("b")
    assert stage("a", "risky") == "in"
    all_is_true()


def test_a_merged_customer_is_scored_as_one_and_every_profile_is_told() -> None:
    new_version("risky", RISKY)
    scored(a={"risk": 9}, b={"risk": 1})
    merge(customers=(customer_of("a"), customer_of("b")), now=clock())
    settle()
    time.sleep(0.003)
    assert scored(a={"risk": 9})[0].steps == 1  # of b's profile; a's had been told so
    settle()
    assert stage("a", "risky") == "in"
    all_is_true()


def test_profiles_that_changed_hands_while_scores_were_computed_keep_what_they_were_told() -> None:
    new_version("risky", RISKY)
    scored(a={"risk": 9}, b={"risk": 1})
    settle()
    begun = clock()
    merge(customers=(customer_of("a"), customer_of("b")), now=clock())
    scored(since=begun, a={"risk": 4})
    settle()
    last = ScoreStep.objects.filter(profile=profile_of("b")).order_by("-set_at").first()
    assert last is not None
    assert last.risk == 1
    assert ScoreStep.objects.filter(profile=profile_of("a"), risk=4).exists()
    all_is_true()


def test_an_erasure_takes_the_steps_with_it_and_none_is_told_again() -> None:
    new_version("risky", RISKY)
    scored(a={"risk": 9}, b={"risk": 9})
    settle()
    customer, profile = customer_of("a"), profile_of("a")
    erase(customer=customer, now=clock())
    settle()
    assert not ScoreStep.objects.filter(profile=profile).exists()
    assert ScoreStep.objects.count() == 1
    assert not [subject for subject, _at, _stage in history_of(customer) if subject == "risky v1"]
    with transaction.atomic():
        steps = {name: [9] for name in SCORES}
        told = tell_steps(
            first=0,
            until=1 << 40,
            customers=[customer],
            causes=[Cause.TIME],
            steps=steps,
            named=["risk"],
            since=clock(),
            cause=Cause.TIME,
            at=truncated(clock()),
        )
    assert told.steps == 1  # b is among them without a score
    assert not ScoreStep.objects.filter(profile=profile).exists()
    all_is_true()


@pytest.mark.parametrize(("cause", "news"), [(Cause.TIME, [True]), (Cause.LATE, [False]), (Cause.ENGINE, [])])
def test_a_step_is_news_where_time_brought_it_and_nothing_else(cause: Cause, news: list[bool]) -> None:
    new_version("risky", RISKY)
    scored(cause=cause, a={"risk": 9})
    settle()
    assert stage("a", "risky") == "in"
    told = Announcement.objects.filter(subject__key="risky", customer=customer_of("a"))
    assert list(told.values_list("is_news", flat=True)) == news


def test_what_a_version_names_that_is_being_built_counts_already() -> None:
    version = new_segment(key="risky", name="risky", rule=RISKY)
    assert named_scores() == frozenset()
    Version.objects.filter(pk=version.pk).update(state=Version.State.BUILDING)
    assert named_scores() == {"risk"}


def test_a_score_reached_through_a_segment_and_held_for_a_while_is_named_too() -> None:
    new_version("risky", RISKY)
    new_version("long", {"held": {"all": [{"segment": "risky"}, {"trait": "score:monetary", "is": 5}]}, "for": "1m"})
    assert named_scores() == {"risk", "monetary"}
    scored(a={"risk": 9, "monetary": 5}, b={"risk": 9, "monetary": 4})
    settle()
    assert stage("a", "long") is None
    all_is_true()


def test_a_rule_over_an_unknown_score_or_step_cannot_be_drafted_or_estimated() -> None:
    for rule, path, said in (
        ({"trait": "score:charm", "gte": 2}, "$.trait", 'there is no score "charm"; the scores are alive, risk'),
        ({"trait": "score:risk", "gte": 11}, "$.gte", "whole numbers from 1 to 10"),
        ({"not": {"trait": "score:recency", "in": [1, 6]}}, "$.not.in", "whole numbers from 1 to 5"),
        ({"trait": "score:risk", "contains": "8"}, "$.contains", "compared by its step"),
    ):
        for act in (lambda rule: new_segment(key="x", name="x", rule=rule), lambda rule: estimate(rule)):
            with pytest.raises(RuleError) as refused, transaction.atomic():
                act(rule)
            assert refused.value.path == path
            assert said in refused.value.message


def estimate(rule: Any) -> Any:
    return estimated_rule(rule=rule, now=clock())


def test_a_made_up_history_tells_of_real_scores_and_of_made_up_ones() -> None:
    def tried(rule: Any, key: str, value: Any) -> int:
        told = [{"key": key, "value": value, "set_at": "2026-01-01"}]
        return len(trial(body={"rule": rule, "traits": told}).spans)

    assert tried(RISKY, "score:risk", 8) == 1
    assert tried(RISKY, "score:risk", 7) == 0
    assert tried({"trait": "score:charm", "gte": 2}, "score:charm", 3) == 1
    with pytest.raises(RuleError):
        tried({"trait": "score:charm", "gte": 2}, "score:risk", 3)


def test_a_customer_who_is_no_more_leaves_no_steps() -> None:
    scored(a={"risk": 9}, b={"risk": 9})
    customer = customer_of("b")
    with transaction.atomic():
        locks.share(locks.VERSIONS)
        let_go([customer])
    assert not Customer.objects.filter(pk=customer).exists()
    assert ScoreStep.objects.count() == 1
