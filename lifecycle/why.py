"""Why a customer is in a stage: the evaluation that decided it, said node by node."""

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
from .rules.evaluate import FOREVER, Membership, Program, spells
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


def why(*, customer: int, subject: int, at: datetime) -> tuple[StageReason, ...]:
    """Every stage of a live model (or the one rule of a segment), highest precedence first, with its rule evaluated at
    `at` for `customer`. A subject that is not live has no reasons."""
    rules = live(only=subject)
    models = [one for one in rules.subjects if one.is_live]
    if not models or rules.program is None:
        return ()
    (one,) = models
    nodes = list(dict.fromkeys(part for node in one.nodes.values() for part in _walk(node)))
    program = Program([Membership(node) for node in nodes], zone=rules.zone, catalogue=rules.catalogue)
    loaded = load(customers=[customer], program=program)
    moment = to_ms(at)
    told: dict[Node, tuple[bool, datetime | None, datetime | None]] = {}
    for node, change in zip(nodes, spells(program, loaded.facts), strict=True):
        place = int(np.searchsorted(change.at, moment, "right"))
        held = place > 0 and int(change.stage[place - 1]) == 1
        since = from_ms(int(change.at[place - 1])) if place > 0 else None
        ends = place < len(change.at) and int(change.at[place]) != FOREVER
        told[node] = (held, since, from_ms(int(change.at[place])) if ends else None)
    installation = Installation.current()

    def reason(node: Node) -> Reason:
        held, since, until = told[node]
        name, inner = (node.name, node.part) if isinstance(node, Named) else ("", node)
        said = sentence(node, currency=installation.currency, minor_digits=installation.minor_digits)
        return Reason(name, said, held, since, until, tuple(reason(part) for part in _parts(inner)))

    reasons = [(stage, reason(node)) for stage, node in zip(_stage_ids(one), one.nodes.values(), strict=True)]
    reasons.reverse()
    current = next((stage for stage, found in reasons if found.held), None)
    return tuple(StageReason(stage, stage == current, found) for stage, found in reasons)


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
