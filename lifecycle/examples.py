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
from .rules.evaluate import NO_LIFE, Catalogue, Membership, Program, Spells, StageRules, spells
from .rules.nodes import Node
from .trial import made_up, understood

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
    found = Example.objects.filter(subject__in=[version.subject_id for version in versions], retired_at=None)
    examples = list(found.select_related("stage", "customer").order_by("pk"))
    outcomes = {
        one.example.pk: (version, one)
        for version in versions
        for one in tried(examples=[each for each in examples if each.subject_id == version.subject_id], version=version)
    }
    told = [outcomes[example.pk] for example in examples]
    return tuple(
        Broken(one.example, version, one.expected, one.found, one.at) for version, one in told if not one.holds
    )


def tried(*, examples: Sequence[Example], version: Version) -> tuple[Tried, ...]:
    """Where the customers and the made-up histories of some examples are under a version, at the instants meant, in
    the order of the examples. The customers are read and evaluated together."""
    if not examples:
        return ()
    nodes = nodes_of(version, kind=version.subject.kind)
    lives: dict[int, _Life] = {}
    stored = [example for example in examples if example.history is None]
    if stored:
        program = _program(version, nodes, _catalogue(version))
        whose = [surviving(example.customer).pk for example in stored if example.customer is not None]
        loaded = load(customers=sorted(set(whose)), program=program)
        found, begins = spells(program, loaded.facts), loaded.facts.life
        places = np.searchsorted(loaded.customers, np.array(whose, np.int64)).tolist()
        for example, owner in zip(stored, places, strict=True):
            lives[example.pk] = _Life(int(begins[owner]), found, owner)
    told = [example for example in examples if example.history is not None]
    known = understood(documents=[example.history for example in told if example.history]) if told else None
    for example in told:
        history = made_up(example.history, path="$", known=known)
        program = _program(version, nodes, history.catalogue)
        facts = history.facts(program)
        lives[example.pk] = _Life(int(facts.life[0]), spells(program, facts), 0)
    return tuple(_told(example, version, nodes, lives[example.pk]) for example in examples)


@dataclass(frozen=True, slots=True)
class _Life:
    """One evaluated life: where it begins (ms), and which owner of the spells it is; those of the whole subject come
    first, then those of each rule by itself."""

    begins: int
    spells: list[Spells]
    owner: int

    def place(self, number: int, at: int) -> int | None:
        """What the answer of that number says at an instant, None before it says anything."""
        change = self.spells[number]
        mine = change.owner == self.owner
        place = int(np.searchsorted(change.at[mine], at, "right"))
        return None if place == 0 else int(change.stage[mine][place - 1])


def _told(example: Example, version: Version, nodes: Mapping[str, Node], life: _Life) -> Tried:
    expected = None if example.stage is None else example.stage.key
    at = _instant(example, version, life.begins)
    if at is None:
        return Tried(example, expected, None, None, ())
    place = life.place(0, at)
    found = None if place is None else _stage_keys(version)[place]
    held = [key for number, key in enumerate(nodes, start=1) if life.place(number, at) == 1]
    return Tried(example, expected, found, from_ms(at), tuple(reversed(held)))


def _instant(example: Example, version: Version, begins: int) -> int | None:
    """The instant meant; of a day its last millisecond in the business time zone."""
    if example.at is not None:
        return to_ms(example.at)
    if begins == NO_LIFE:
        return None
    assert example.day is not None
    zone = ZoneInfo(version.time_zone)
    first = from_ms(begins).astimezone(zone).date()
    return to_ms(datetime.combine(first + timedelta(days=example.day), time(), zone)) - 1


def _stage_keys(version: Version) -> list[str]:
    if version.subject.kind == Subject.Kind.MODEL:
        return [*(stage["key"] for stage in version.document["stages"]), version.document["exit"]]
    return ["out", "in"]


def _program(version: Version, nodes: Mapping[str, Node], catalogue: Catalogue) -> Program:
    """Answers for the whole subject, then for each of its rules by itself."""
    if version.subject.kind == Subject.Kind.MODEL:
        keys = tuple(_stage_keys(version))
        subject: StageRules | Membership = StageRules(tuple(nodes.values()), subject=version.subject_id, keys=keys)
    else:
        rule = None if version.document["rule"] is None else nodes["in"]
        subject = Membership(rule, subject=version.subject_id)
    apart = map(Membership, nodes.values())
    return Program([subject, *apart], zone=version.time_zone, catalogue=catalogue)


def _catalogue(version: Version) -> Catalogue:
    roles: dict[str, str] = version.role_table.roles
    return Catalogue(
        types=tuple(
            (number, name, roles.get(name, "other"))
            for number, name in TouchpointType.objects.order_by("id").values_list("id", "name")
        ),
        channels=tuple(Channel.objects.order_by("id").values_list("id", "key")),
    )
