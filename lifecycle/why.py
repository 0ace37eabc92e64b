"""Why a customer is in a stage, or in a segment: the evaluation that decided it, said node by node, with what each node
saw; what a person decided over it; and what would change it next."""

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import numpy as np

from clm.lib.milliseconds import from_ms, to_ms
from customers.models import Installation, Profile

from .evidence import Evidence, Money, Witness, named_touchpoints
from .live import LiveSubject, live
from .load import Loaded, load
from .models import ListMember, Placement, StageModel
from .outlook import NextChange
from .place import placement_at
from .rules.describe import headline, sentence
from .rules.evaluate import FOREVER, Catalogue, Membership, Program, Spells, StageRules, spells
from .rules.line import until as facts_until
from .rules.nodes import All, Any, Did, Grew, InStage, Named, Node, OnDays, Selector, Since, Spent, parts_of


class Decided(StrEnum):
    """What put a customer where it stands."""

    RULE = "rule"
    PLACEMENT = "placement"
    INCLUDED = "included"
    EXCLUDED = "excluded"
    EXIT = "exit"  # nothing holds any more
    NOTHING = "nothing"  # nothing has held yet


@dataclass(frozen=True, slots=True)
class Reason:
    """One node at one instant: its sentence, in few words its `title`, whether it held, since when it has been so, and
    until when it stays so if nothing else happens (None: from the beginning, for ever). `parts` are the nodes it is
    made of; `name` is that of a sub-rule, if it is one, and `meaning` in few words what that stands for.

    What it saw: `told` in words, `seen` and `needed` the values compared, `last_at` when the latest of what it looks at
    happened, `touchpoints` the latest ones behind it."""

    name: str
    title: str
    sentence: str
    held: bool
    since: datetime | None
    until: datetime | None
    told: str
    seen: str
    needed: str
    last_at: datetime | None
    touchpoints: tuple[Evidence, ...]
    parts: tuple["Reason", ...]
    joins: str = ""  # all, any, or "" where it does not list its parts
    meaning: str = ""

    @property
    def missing(self) -> tuple["Reason", ...]:
        """What would have to hold besides, for this to hold: the parts of a list that do not, or the node itself."""
        if self.held:
            return ()
        if self.joins == "all":
            return tuple(lack for part in self.parts for lack in part.missing)
        if self.name and len(self.parts) == 1 and self.parts[0].joins == "all":
            return self.parts[0].missing
        return (self,)


@dataclass(frozen=True, slots=True)
class StageReason:
    """The rule of one stage at an instant. `is_current` marks the stage of highest precedence that held."""

    stage: int
    is_current: bool
    reason: Reason


@dataclass(frozen=True, slots=True)
class Why:
    """Why one customer was in `stage` (a Stage id, None: in none yet) of a model or a segment at `at`, and since when.

    `decided` is what put it there, `hand` what a person decided, if that was it. `reasons` are all stages with a rule,
    highest precedence first. `next` is what time alone does next, and `turning` the conditions that change in that
    instant: they are why."""

    subject: int
    at: datetime
    stage: int | None
    since: datetime | None
    decided: Decided
    hand: Placement | ListMember | None
    reasons: tuple[StageReason, ...]
    next: NextChange | None
    turning: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class _Part:
    """A node as it is told: its place among the program's answers, its name if it is a sub-rule, its words, and the
    nodes it is made of."""

    place: int
    node: Node
    name: str
    title: str
    sentence: str
    joins: str
    meaning: str
    parts: tuple["_Part", ...]


@dataclass(frozen=True, slots=True)
class _TakenApart:
    """Rules with a program whose first answer is the whole subject's, and that answers every node by itself."""

    program: Program
    rules: tuple[_Part, ...]
    places: dict[Node, int]
    selectors: dict[Selector, int]


@dataclass(frozen=True, slots=True)
class _Told:
    """How it stands with one node (or with the subject) at the instant: what it is, since when, until when."""

    value: int | None
    since: datetime | None
    until: datetime | None
    after: int | None


def why(
    *, customer: int, subject: int, at: datetime, as_of: datetime | None = None, loaded: Loaded | None = None
) -> Why | None:
    """Why the customer stood where it stood in a live model or segment at `at`. as_of: as if nothing had happened after
    that instant, so that what was to come is told as one could see it coming then. loaded: the `lives` of that customer
    alone, if they are at hand. None: the subject is not live."""
    rules = live(only=subject)
    found = [(place, one) for place, one in enumerate(rules.subjects) if one.is_live]
    if not found or rules.program is None:
        return None
    ((number, one),) = found
    installation = Installation.current()
    money = Money(installation.currency, installation.minor_digits)
    whole = rules.program.subjects[number]
    zone, catalogue = whole.zone or rules.zone, whole.catalogue or rules.catalogue
    apart = _taken_apart(whole, tuple(one.nodes.values()), zone, catalogue, money)
    if loaded is None or not loaded.answers(apart.program):
        loaded = load(customers=[customer], program=apart.program)
    facts, moment = loaded.facts, to_ms(at)
    if as_of is not None:
        facts = facts_until(facts, to_ms(as_of))
    answers = [_told(change, moment) for change in spells(apart.program, facts)]
    witness = Witness(
        program=apart.program, facts=facts, moment=moment, zone=zone, money=money, selectors=apart.selectors
    )

    def of(node: Node) -> tuple[bool, datetime | None]:
        told = answers[apart.places[node]]
        return told.value == 1, told.since

    seen = {part.place: witness.seen(part.node, of) for rule in apart.rules for part in _parts_in(rule)}
    profiles = list(Profile.objects.filter(customer=customer).values_list("pk", flat=True))
    stored = named_touchpoints(facts=facts, rows=[row for one in seen.values() for row in one.rows], profiles=profiles)

    def reason(part: _Part) -> Reason:
        told, saw = answers[part.place], seen[part.place]
        return Reason(
            name=part.name,
            title=part.title,
            sentence=part.sentence,
            held=told.value == 1,
            since=told.since,
            until=told.until,
            told=saw.told,
            seen=saw.seen,
            needed=saw.needed,
            last_at=saw.last_at,
            touchpoints=tuple(stored[row] for row in saw.rows if row in stored),
            parts=tuple(reason(inner) for inner in part.parts),
            joins=part.joins,
            meaning=part.meaning,
        )

    reasons = [(stage, reason(part)) for stage, part in zip(_stage_ids(one), apart.rules, strict=True)]
    reasons.reverse()
    current = next((stage for stage, found in reasons if found.held), None)
    whole_told = answers[0]
    # Whom nobody ever placed or listed needs not be asked about.
    is_handled = any(subject in hands for hands in (facts.placed, facts.included, facts.excluded))
    is_asked = is_handled and whole_told.value is not None
    hand = deciding_hand(customer=customer, subject=subject, at=at) if is_asked else None
    stage = None if whole_told.value is None else one.stages[whole_told.value]
    after = None if whole_told.after is None else one.stages[whole_told.after]
    coming = None if after is None or whole_told.until is None else NextChange(stage=after, at=whole_told.until)
    return Why(
        subject=subject,
        at=at,
        stage=stage,
        since=whole_told.since,
        decided=_decided(hand, stage=stage, current=current),
        hand=hand,
        reasons=tuple(StageReason(stage, stage == current, found) for stage, found in reasons),
        next=coming,
        turning=() if coming is None else _turning([found for _stage, found in reasons], coming.at),
    )


def deciding_hand(*, customer: int, subject: int, at: datetime) -> Placement | ListMember | None:
    """What a person decided that overrules the rules at an instant: a placement in a model, or in a segment the row by
    which the customer is excluded or included. None where the rules decide."""
    if StageModel.objects.filter(pk=subject).exists():
        return placement_at(customer=customer, model=subject, at=at)
    listed = ListMember.objects.filter(segment=subject, profile__customer=customer, added_at__lte=at)
    in_force = listed.exclude(removed_at__lte=at).select_related("author")
    return in_force.order_by("-is_excluded", "pk").first()


def _decided(hand: Placement | ListMember | None, *, stage: int | None, current: int | None) -> Decided:
    if isinstance(hand, Placement):
        return Decided.PLACEMENT
    if isinstance(hand, ListMember) and hand.is_excluded:
        return Decided.EXCLUDED
    if current is not None:
        return Decided.RULE
    if isinstance(hand, ListMember):
        return Decided.INCLUDED
    return Decided.NOTHING if stage is None else Decided.EXIT


def _told(change: Spells, moment: int) -> _Told:
    place = int(np.searchsorted(change.at, moment, "right"))
    ends = place < len(change.at) and int(change.at[place]) != FOREVER
    return _Told(
        value=int(change.stage[place - 1]) if place > 0 else None,
        since=from_ms(int(change.at[place - 1])) if place > 0 else None,
        until=from_ms(int(change.at[place])) if ends else None,
        after=int(change.stage[place]) if ends else None,
    )


def _turning(reasons: list[Reason], at: datetime) -> tuple[Reason, ...]:
    """The innermost conditions that change at an instant, each once."""

    def inner(reason: Reason) -> Iterator[Reason]:
        below = [found for part in reason.parts for found in inner(part)]
        if below:
            yield from below
        elif reason.until == at:
            yield reason

    found = {one.title: one for reason in reasons for one in inner(reason)}
    return tuple(found.values())


# Rules change when a version does; compiling and wording them anew for every page took longer than evaluating them.
@functools.lru_cache(maxsize=64)
def _taken_apart(
    whole: StageRules | Membership, rules: tuple[Node, ...], zone: str, catalogue: Catalogue, money: Money
) -> _TakenApart:
    nodes = list(dict.fromkeys(part for node in rules for part in _walk(node)))
    places = {node: place for place, node in enumerate(nodes, start=1)}
    in_few_words = functools.partial(headline, currency=money.currency, minor_digits=money.minor_digits)
    in_full = functools.partial(sentence, currency=money.currency, minor_digits=money.minor_digits)

    def part_of(node: Node) -> _Part:
        name, inner = (node.name, node.part) if isinstance(node, Named) else ("", node)
        return _Part(
            place=places[node],
            node=inner,
            name=name,
            title=in_few_words(node),
            sentence=in_full(node),
            joins="all" if isinstance(inner, All) else "any" if isinstance(inner, Any) else "",
            meaning=in_few_words(inner) if name else "",
            parts=tuple(part_of(part) for part in _parts(inner)),
        )

    program = Program([whole, *map(Membership, nodes)], zone=zone, catalogue=catalogue)
    selectors = {selector: program.selectors.add(selector, 0) for node in nodes for selector in _selectors(node)}
    return _TakenApart(program, tuple(part_of(node) for node in rules), places, selectors)


def _selectors(node: Node) -> tuple[Selector, ...]:
    match node:
        case Did(selector) | OnDays(selector) | Spent(selector) | Grew(selector):
            return (selector,)
        case Since(start, until):
            return start, until
        case _:
            return ()


def _parts_in(part: _Part) -> Iterator[_Part]:
    yield part
    for inner in part.parts:
        yield from _parts_in(inner)


def _stage_ids(one: LiveSubject) -> tuple[int, ...]:
    """The stages that have a rule, in the order of `nodes`."""
    return one.stages[1:] if "in" in one.nodes and len(one.nodes) == 1 else one.stages[: len(one.nodes)]


def _parts(node: Node) -> tuple[Node, ...]:
    """What a node is made of; a stage of another model is a matter of that model."""
    return () if isinstance(node, InStage) else parts_of(node)


def _walk(node: Node) -> Iterator[Node]:
    yield node
    for part in _parts(node):
        yield from _walk(part)
