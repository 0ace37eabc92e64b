"""Why a customer is in a stage: the evaluation that decided it, said node by node."""

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from clm.lib.milliseconds import from_ms, to_ms
from customers.models import Installation

from .live import LiveSubject, live
from .load import load
from .models import ListMember, Placement, StageModel
from .place import placement_at
from .rules.describe import sentence
from .rules.evaluate import FOREVER, Catalogue, Membership, Program, spells
from .rules.nodes import InStage, Named, Node, parts_of


@dataclass(frozen=True, slots=True)
class Reason:
    """One node at one instant: its sentence, whether it held, since when it has been so, and until when it stays so if
    nothing else happens (None: from the beginning, for ever). `parts` are the nodes it is made of; `name` is that of a
    sub-rule, if it is one."""

    name: str
    sentence: str
    held: bool
    since: datetime | None
    until: datetime | None
    parts: tuple["Reason", ...]


@dataclass(frozen=True, slots=True)
class StageReason:
    """The rule of one stage at an instant. `is_current` marks the stage of highest precedence that held."""

    stage: int
    is_current: bool
    reason: Reason


@dataclass(frozen=True, slots=True)
class _Part:
    """A node as it is told: its place among the program's answers, its name if it is a sub-rule, its sentence, and the
    nodes it is made of."""

    place: int
    name: str
    sentence: str
    parts: tuple["_Part", ...]


@dataclass(frozen=True, slots=True)
class _TakenApart:
    """Rules with a program that answers every node of theirs by itself."""

    program: Program
    rules: tuple[_Part, ...]


def why(*, customer: int, subject: int, at: datetime) -> tuple[StageReason, ...]:
    """Every stage of a live model (or the one rule of a segment), highest precedence first, with its rule evaluated at
    `at` for `customer`. A subject that is not live has no reasons."""
    rules = live(only=subject)
    models = [one for one in rules.subjects if one.is_live]
    if not models or rules.program is None:
        return ()
    (one,) = models
    installation = Installation.current()
    parts = _taken_apart(
        tuple(one.nodes.values()), rules.zone, rules.catalogue, installation.currency, installation.minor_digits
    )
    loaded = load(customers=[customer], program=parts.program)
    moment = to_ms(at)
    told: list[tuple[bool, datetime | None, datetime | None]] = []
    for change in spells(parts.program, loaded.facts):
        place = int(np.searchsorted(change.at, moment, "right"))
        held = place > 0 and int(change.stage[place - 1]) == 1
        since = from_ms(int(change.at[place - 1])) if place > 0 else None
        ends = place < len(change.at) and int(change.at[place]) != FOREVER
        told.append((held, since, from_ms(int(change.at[place])) if ends else None))

    def reason(part: _Part) -> Reason:
        held, since, until = told[part.place]
        return Reason(part.name, part.sentence, held, since, until, tuple(reason(inner) for inner in part.parts))

    reasons = [(stage, reason(part)) for stage, part in zip(_stage_ids(one), parts.rules, strict=True)]
    reasons.reverse()
    current = next((stage for stage, found in reasons if found.held), None)
    return tuple(StageReason(stage, stage == current, found) for stage, found in reasons)


# Rules change when a version does; compiling and wording them anew for every page took longer than evaluating them.
@functools.lru_cache(maxsize=64)
def _taken_apart(
    rules: tuple[Node, ...], zone: str, catalogue: Catalogue, currency: str, minor_digits: int
) -> _TakenApart:
    nodes = list(dict.fromkeys(part for node in rules for part in _walk(node)))
    places = {node: place for place, node in enumerate(nodes)}

    def part_of(node: Node) -> _Part:
        name, inner = (node.name, node.part) if isinstance(node, Named) else ("", node)
        said = sentence(node, currency=currency, minor_digits=minor_digits)
        return _Part(places[node], name, said, tuple(part_of(part) for part in _parts(inner)))

    program = Program([Membership(node) for node in nodes], zone=zone, catalogue=catalogue)
    return _TakenApart(program, tuple(part_of(node) for node in rules))


def deciding_hand(*, customer: int, subject: int, at: datetime) -> Placement | ListMember | None:
    """What a person decided that overrules the rules at an instant: a placement in a model, or in a segment the row by
    which the customer is excluded or included. None where the rules decide."""
    if StageModel.objects.filter(pk=subject).exists():
        return placement_at(customer=customer, model=subject, at=at)
    listed = ListMember.objects.filter(segment=subject, profile__customer=customer, added_at__lte=at)
    in_force = listed.exclude(removed_at__lte=at).select_related("author")
    return in_force.order_by("-is_excluded", "pk").first()


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
