"""Examples that guard rules: a customer, or a made-up history, that must be in a certain stage at a certain instant.
They are tried on every version before it goes live."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from django.utils.translation import gettext as _

from clm.lib.milliseconds import from_ms, to_ms
from clm.lib.questions import QuestionError
from customers.merge import surviving
from customers.models import Channel, Customer, TouchpointType

from .live import nodes_of
from .load import load
from .models import Example, Stage, Subject, Version
from .naming import folded
from .rules.document import stored_document
from .rules.evaluate import NO_LIFE, Catalogue, Facts, Membership, Program, Spells, StageRules, spells
from .rules.nodes import Node
from .trial import MadeUp, made_up

LONGEST_LIFE_DAYS, LONGEST_NAME = 36_600, 200


@dataclass(frozen=True, slots=True)
class Broken:
    """An example that a version breaks: where it must be (None: in no stage), where it would be, and when."""

    example: Example
    version: Version
    expected: str | None
    found: str | None
    at: datetime | None  # None: there is no life in which that day comes

    @property
    def sentence(self) -> str:
        nowhere = _("no stage")
        return _("“%(example)s” must be in %(expected)s of “%(subject)s”, but would be in %(found)s.") % {
            "example": self.example.name,
            "expected": self.expected or nowhere,
            "subject": self.version.subject.name,
            "found": self.found or nowhere,
        }


@dataclass(frozen=True, slots=True)
class Tried:
    """What becomes of an example under a version: where it must be and where it is (None: in no stage), when (None:
    there is no life in which that day comes), and the keys of all stages whose own rules hold then, highest precedence
    first."""

    example: Example
    expected: str | None
    found: str | None
    at: datetime | None
    held: tuple[str, ...]

    @property
    def holds(self) -> bool:
        return self.found == self.expected or (self.expected == "out" and self.found is None)


def add_example(
    *,
    subject: int,
    name: str,
    stage: str | None,
    customer: int | None = None,
    history: Mapping[str, Any] | None = None,
    at: datetime | None = None,
    day: int | None = None,
    author: int | None = None,
) -> Example:
    """Store that a customer, or a made-up history ({"touchpoints", "traits"}, as the trial of a rule takes them), must
    be in the stage of that key (None: in none) at an instant, or on a day of its life, counted from 1. RuleError names
    the place of what is wrong in a history."""
    called = folded(name, field="name", longest=LONGEST_NAME)
    if (customer is None) == (history is None):
        raise QuestionError("customer", _("An example is of a customer or of a made-up history."))
    if (at is None) == (day is None):
        raise QuestionError("at", _("An example is at an instant or on a day of the life."))
    if day is not None and not 1 <= day <= LONGEST_LIFE_DAYS:
        raise QuestionError("day", _("The first day is day 1."))
    if customer is not None and not Customer.objects.filter(pk=customer).exists():
        raise QuestionError("customer", _("There is no such customer."))
    if history is not None:
        made_up(history, path="$")
    found = None if stage is None else Stage.objects.filter(subject=subject, key=stage).first()
    if stage is not None and found is None:
        raise QuestionError("stage", _("There is no such stage."))
    return Example.objects.create(
        subject_id=subject,
        name=called,
        stage=found,
        customer_id=customer,
        history=None if history is None else stored_document(history),
        at=at,
        day=day,
        author_id=author,
    )


def retire_example(*, example: int, now: datetime) -> None:
    """Ask no more for it."""
    Example.objects.filter(pk=example, retired_at=None).update(retired_at=now)


def examples_of(*, subject: int) -> list[Example]:
    """The examples of a model or segment that are asked for, oldest first."""
    found = Example.objects.filter(subject=subject, retired_at=None).select_related("stage", "customer", "author")
    return list(found.order_by("pk"))


def broken_examples(*, versions: Sequence[Version]) -> tuple[Broken, ...]:
    """The examples of the versions' subjects that would not come true under these versions."""
    of = {version.subject_id: version for version in versions}
    examples = Example.objects.filter(subject__in=list(of), retired_at=None).select_related("stage", "customer")
    outcomes = [
        (of[example.subject_id], tried(example=example, version=of[example.subject_id]))
        for example in examples.order_by("pk")
    ]
    return tuple(
        Broken(one.example, version, one.expected, one.found, one.at) for version, one in outcomes if not one.holds
    )


def tried(*, example: Example, version: Version) -> Tried:
    """Where the customer or the made-up history of an example is under a version, at the instant meant."""
    history = None if example.history is None else made_up(example.history, path="$")
    catalogue = _catalogue(version) if history is None else history.catalogue
    nodes = nodes_of(version, kind=version.subject.kind)
    program = _program(version, nodes, catalogue)
    apart = Program([Membership(node) for node in nodes.values()], zone=version.time_zone, catalogue=catalogue)
    facts, own = _facts(example, history, program), _facts(example, history, apart)
    at = _instant(example, version, facts)
    expected = None if example.stage is None else example.stage.key
    if at is None:
        return Tried(example, expected, None, None, ())
    (change,) = spells(program, facts)
    place = _place(change, at)
    found = None if place is None else _stage_keys(version)[place]
    held = [key for key, rule in zip(nodes, spells(apart, own), strict=True) if _place(rule, at) == 1]
    return Tried(example, expected, found, from_ms(at), tuple(reversed(held)))


def _facts(example: Example, history: MadeUp | None, program: Program) -> Facts:
    if history is not None:
        return history.facts(program)
    assert example.customer is not None
    return load(customers=[surviving(example.customer).pk], program=program).facts


def _instant(example: Example, version: Version, facts: Facts) -> int | None:
    """The instant meant; of a day its last millisecond in the business time zone."""
    if example.at is not None:
        return to_ms(example.at)
    if int(facts.life[0]) == NO_LIFE:
        return None
    assert example.day is not None
    zone = ZoneInfo(version.time_zone)
    first = from_ms(int(facts.life[0])).astimezone(zone).date()
    return to_ms(datetime.combine(first + timedelta(days=example.day), time(), zone)) - 1


def _place(change: Spells, at: int) -> int | None:
    """The number of the stage at an instant, None before the first."""
    place = int(np.searchsorted(change.at, at, "right"))
    return None if place == 0 else int(change.stage[place - 1])


def _stage_keys(version: Version) -> list[str]:
    if version.subject.kind == Subject.Kind.MODEL:
        return [*(stage["key"] for stage in version.document["stages"]), version.document["exit"]]
    return ["out", "in"]


def _program(version: Version, nodes: Mapping[str, Node], catalogue: Catalogue) -> Program:
    if version.subject.kind == Subject.Kind.MODEL:
        keys = tuple(_stage_keys(version))
        subject: StageRules | Membership = StageRules(tuple(nodes.values()), subject=version.subject_id, keys=keys)
    else:
        rule = None if version.document["rule"] is None else nodes["in"]
        subject = Membership(rule, subject=version.subject_id)
    return Program([subject], zone=version.time_zone, catalogue=catalogue)


def _catalogue(version: Version) -> Catalogue:
    roles: dict[str, str] = version.role_table.roles
    return Catalogue(
        types=tuple(
            (number, name, roles.get(name, "other"))
            for number, name in TouchpointType.objects.order_by("id").values_list("id", "name")
        ),
        channels=tuple(Channel.objects.order_by("id").values_list("id", "key")),
    )
