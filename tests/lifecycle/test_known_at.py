"""What was known at an earlier instant stays answerable exactly as it was answered then, whatever came later: late
facts, merges, undone merges, placements, lists, published rules and rollbacks.

A program is the story of one or two people. Many of them live in one world and go through it step by step, so that one
batch, one advance and one publish serve all of them, and a program costs little. After each step a plain witness writes
down, from the tables and without our own read functions, where everybody stands and where everybody is believed to have
stood at some earlier instants. In the end the read functions are asked for all of that with `known_at`.

`make soak` asks it of ever other programs; with `CLM_KNOWN_PROGRAMS=5000` it is asked of 5,000."""

import os
import time
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analytics.customer_stages import stages_of
from analytics.sorting import segments, stage_models
from analytics.stages import stage_counts
from clm.lib.milliseconds import truncated
from customers.ingest import clock
from customers.merge import merge, unmerge
from customers.models import Customer, Merge
from lifecycle import place as by_hand
from lifecycle.install import publish
from lifecycle.list_members import add_members, remove_members
from lifecycle.models import Placement, Segment, Stage, StageModel, Version
from lifecycle.revise import edit_segment, order_stages, roll_back

from .making import customer_of, installed, new_version, settle, tell
from .test_permutation import ANSWERS, PLANS, TYPES, event, undone

# So many programs share a world: an empty one costs some seconds.
TOGETHER = 50
PROGRAMS = int(os.environ.get("CLM_KNOWN_PROGRAMS", "100"))
STEPS = 6
RULES = (
    {"did": {"role": "purchase"}, "within": "90d"},
    {"did": {"role": "purchase"}, "at_least": 2},
    {"all": [{"did": {"role": "visit"}, "within": "400d"}, {"not": {"did": {"role": "refund"}}}]},
    {"trait": "plan", "is": "pro"},
)
ACTS = ("tell", "tell", "tell", "merge", "undo", "place", "end", "withdraw", "list", "unlist", "rest")
CHANGES = ("none", "none", "publish", "order", "back")
# Where one stands: (customer, subject key) -> (stage key, since).
Answer = dict[tuple[int, str], tuple[str, datetime]]


@dataclass(frozen=True)
class Program:
    """The touchpoints of one or two people, told one after the other and mostly late, and what is done with them at
    each step; a number is taken modulo how many there are to choose from."""

    people: list[list[tuple]]
    acts: list[tuple[str, int]]


@dataclass(frozen=True)
class Witnessed:
    """What was so at an instant: where everybody stood, where everybody was believed to have stood at earlier instants,
    and how many were in which stage of which model."""

    at: datetime
    standing: Answer
    believed: dict[datetime, Answer]
    counts: dict[str, Counter[str]]


def program(chance: Random) -> Program:
    people = [[_touchpoint(chance) for _ in range(chance.randint(2, 5))] for _ in range(chance.randint(1, 2))]
    acts = [(chance.choice(ACTS), chance.randrange(12)) for _ in range(chance.randint(2, STEPS))]
    return Program(people, acts)


def _touchpoint(chance: Random) -> tuple:
    """As those of test_permutation.py; drawn from a seed, since a world draws some thousands of them."""
    half_days = chance.randint(0, chance.choice((3, 60, 400, 1460)))
    if chance.randrange(4) == 0:
        (kind, properties), amount = chance.choice(ANSWERS), 0
    else:
        (kind, amount), properties = chance.choice(TYPES), {}
    traits = {"plan": PLANS[half_days * half_days % 7 % 4]} if chance.randrange(3) == 0 else {}
    return kind, amount, properties, half_days, chance.choice(("web", "store")), traits


@pytest.fixture
def known_world(db: None) -> None:
    installed()
    new_version("drawn", RULES[0])
    new_version("asked", None)


@pytest.mark.lasting("people")
@settings(
    max_examples=max(1, PROGRAMS // TOGETHER),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(seed=st.integers(0, 2**40))
def test_what_was_known_at_an_instant_is_answered_as_it_was_answered_then(known_world: None, seed: int) -> None:
    chance = Random(seed)
    programs = [program(chance) for _ in range(TOGETHER)]
    changes = [(chance.choice(CHANGES), chance.randrange(12)) for _ in range(STEPS)]
    with undone():
        seen = _live_through(programs, changes)
        everybody = list(Customer.objects.order_by("pk").values_list("pk", flat=True))
        for one in seen:
            assert _answered(everybody, as_of=one.at, known_at=one.at) == one.standing
            for instant, answer in one.believed.items():
                assert _answered(everybody, as_of=instant, known_at=one.at) == answer
            assert _counted(known_at=one.at) == one.counts


def _live_through(programs: Sequence[Program], changes: Sequence[tuple[str, int]]) -> list[Witnessed]:
    anchor = clock() - timedelta(hours=5, minutes=7)
    _tell(programs, None, anchor)
    settle()
    seen = [_witnessed()]
    for step, (change, number) in enumerate(changes):
        _act(programs, step, anchor)
        settle()
        seen.append(_witnessed())
        if _change_rules(change, number):
            seen.append(_witnessed())
    return seen


# --- the witness ------------------------------------------------------------------------------------------------
def _witnessed() -> Witnessed:
    time.sleep(0.002)  # what was written before lies at least a millisecond back
    at = truncated(clock())
    standing = _standing()
    instants = (at - timedelta(days=200, hours=3), at - timedelta(days=31, hours=3), at)
    found = Witnessed(at, standing, _believed(instants), _counts(standing))
    assert found.believed[at] == standing
    time.sleep(0.002)
    return found


def _standing() -> Answer:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT n.customer_id, s.key, g.key, n.since FROM lifecycle_standing n"
            " JOIN lifecycle_subject s ON s.id = n.subject_id JOIN lifecycle_stage g ON g.id = n.stage_id"
            " WHERE s.live_version_id IS NOT NULL"
        )
        return {(customer, subject): (stage, since) for customer, subject, stage, since in cursor.fetchall()}


def _believed(instants: Sequence[datetime]) -> dict[datetime, Answer]:
    """Of what is believed now of live versions: the last that was entered by each instant."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT t.customer_id, s.key, t.entered_at, g.key FROM lifecycle_transition t"
            " JOIN lifecycle_subject s ON s.live_version_id = t.version_id JOIN lifecycle_stage g ON g.id = t.stage_id"
            " WHERE t.superseded_at IS NULL ORDER BY t.entered_at"
        )
        entered: dict[tuple[int, str], list[tuple[datetime, str]]] = defaultdict(list)
        for customer, subject, at, stage in cursor.fetchall():
            entered[customer, subject].append((at, stage))
    found: dict[datetime, Answer] = {instant: {} for instant in instants}
    for who, steps in entered.items():
        for instant, answer in found.items():
            last = bisect_right([at for at, _stage in steps], instant) - 1
            if last >= 0:
                answer[who] = (steps[last][1], steps[last][0])
    return found


def _counts(standing: Answer) -> dict[str, Counter[str]]:
    models = set(StageModel.objects.values_list("key", flat=True))
    found: dict[str, Counter[str]] = {key: Counter() for key in models}
    for (_customer, subject), (stage, _since) in standing.items():
        if subject in models:
            found[subject][stage] += 1
    return found


# --- what pages and the API answer ------------------------------------------------------------------------------
def _answered(customers: list[int], *, as_of: datetime, known_at: datetime) -> Answer:
    rows = stages_of(customers=customers, models=[*stage_models(), *segments()], as_of=as_of, known_at=known_at)
    return {
        (customer, row.model.key): (row.stage.key, row.since)
        for customer, found in rows.items()
        for row in found
        if row.stage is not None and row.since is not None
    }


def _counted(*, known_at: datetime) -> dict[str, Counter[str]]:
    found = {model.key: stage_counts(model=model, now=clock(), known_at=known_at) for model in stage_models()}
    return {
        key: Counter({one.stage.key: one.customers for one in counts.stages if one.customers})
        for key, counts in found.items()
    }


# --- acts -------------------------------------------------------------------------------------------------------
def _name(number: int, person: int) -> str:
    return f"s{number}p{person}"


def _tell(programs: Sequence[Program], step: int | None, anchor: datetime) -> None:
    """At first (step None) everybody's first touchpoint; later the next one of those whose act is to tell."""
    events = []
    for number, one in enumerate(programs):
        if step is not None and (step >= len(one.acts) or one.acts[step][0] != "tell"):
            continue
        for person, history in enumerate(one.people):
            next_one = 0 if step is None else 1 + step % (len(history) - 1)
            events.append(event(_name(number, person), next_one, history[next_one], anchor))
    if events:
        tell(*events)


def _act(programs: Sequence[Program], step: int, anchor: datetime) -> None:
    _tell(programs, step, anchor)
    listed: dict[str, set[int]] = {"list": set(), "unlist": set()}
    for number, one in enumerate(programs):
        if step >= len(one.acts):
            continue
        act, choice = one.acts[step]
        person = customer_of(_name(number, choice % len(one.people)))
        match act:
            case "merge":
                whose = (number + choice // 6) % len(programs)
                other = customer_of(_name(whose, (choice + 1) % len(programs[whose].people)))
                if other != person:
                    merge(customers=(person, other), now=clock())
            case "undo":
                merges = list(Merge.objects.filter(undone_at=None, survivor=person).order_by("pk"))
                if merges:
                    unmerge(merge=merges[choice % len(merges)].pk, now=clock())
            case "place":
                _place(person, choice)
            case "end" | "withdraw":
                _take_back(act, person)
            case "list" | "unlist":
                listed[act].add(person)
    asked = Segment.objects.get(key="asked").pk
    if listed["list"]:
        add_members(segment=asked, customers=sorted(listed["list"]), now=clock())
    if listed["unlist"]:
        remove_members(segment=asked, customers=sorted(listed["unlist"]), now=clock())


def _place(person: int, choice: int) -> None:
    model = StageModel.objects.get(key=("seven", "five")[choice % 2])
    stages = list(Stage.objects.filter(subject=model).order_by("pk").values_list("key", flat=True))
    begin = clock() - timedelta(days=(0, 10, 100)[choice % 3])
    until = (None, begin + timedelta(days=5), clock() + timedelta(days=9))[choice // 3 % 3]
    by_hand.place(
        customer=person,
        model=model.pk,
        stage=stages[choice % len(stages)],
        reason="asked",
        now=clock(),
        from_at=begin,
        until_at=until,
    )


def _take_back(act: str, person: int) -> None:
    placed = Placement.objects.filter(profile__customer=person, withdrawn_at=None).order_by("-pk").first()
    if placed is None:
        return
    if act == "withdraw":
        by_hand.withdraw(placement=placed.pk, now=clock())
    elif placed.until_at is None or placed.until_at > clock():
        by_hand.end(placement=placed.pk, now=clock())


def _change_rules(change: str, number: int) -> bool:
    """Whether anything was published."""
    drawn = Segment.objects.get(key="drawn")
    match change:
        case "publish":
            publish(revision=edit_segment(segment=drawn.pk, rule=RULES[number % len(RULES)]).pk, now=clock())
        case "order":
            model = StageModel.objects.get(key="five")
            assert model.live_version is not None
            keys = [stage["key"] for stage in model.live_version.document["stages"]]
            turned = keys[number % len(keys) :] + keys[: number % len(keys)]
            publish(revision=order_stages(model=model.pk, stages=turned).pk, now=clock())
        case "back":
            older = list(Version.objects.filter(subject=drawn, state=Version.State.RETIRED).order_by("pk"))
            if not older:
                return False
            publish(revision=roll_back(version=older[number % len(older)].pk).pk, now=clock())
        case _:
            return False
    return True
