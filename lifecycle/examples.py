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
from customers.models import Channel, Customer, TouchpointType

from .live import nodes_of
from .load import load
from .models import Example, Stage, Subject, Version
from .rules.document import stored_document
from .rules.evaluate import NO_LIFE, Catalogue, Facts, Membership, Program, StageRules, spells
from .trial import made_up

LONGEST_LIFE_DAYS = 36_600


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
    if not name.strip() or len(name) > 200:
        raise QuestionError("name", _("An example needs a name of at most 200 characters."))
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
        name=name.strip(),
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


def broken_examples(*, versions: Sequence[Version]) -> tuple[Broken, ...]:
    """The examples of the versions' subjects that would not come true under these versions."""
    found: list[Broken] = []
    of = {version.subject_id: version for version in versions}
    examples = Example.objects.filter(subject__in=list(of), retired_at=None).select_related("stage").order_by("pk")
    for example in examples:
        broken = _tried(example, of[example.subject_id])
        if broken is not None:
            found.append(broken)
    return tuple(found)


def _tried(example: Example, version: Version) -> Broken | None:
    history = None if example.history is None else made_up(example.history, path="$")
    program = _program(version, _catalogue(version) if history is None else history.catalogue)
    if history is None:
        assert example.customer_id is not None
        facts = load(customers=[example.customer_id], program=program).facts
    else:
        facts = history.facts(program)
    at = _instant(example, version, facts)
    stage = None if at is None else _stage_at(version, program, facts, at)
    expected = None if example.stage is None else example.stage.key
    if stage == expected or (expected == "out" and stage is None):
        return None
    return Broken(example, version, expected, stage, None if at is None else from_ms(at))


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


def _stage_at(version: Version, program: Program, facts: Facts, at: int) -> str | None:
    (change,) = spells(program, facts)
    place = int(np.searchsorted(change.at, at, "right"))
    if place == 0:
        return None
    return _stage_keys(version)[int(change.stage[place - 1])]


def _stage_keys(version: Version) -> list[str]:
    if version.subject.kind == Subject.Kind.MODEL:
        return [*(stage["key"] for stage in version.document["stages"]), version.document["exit"]]
    return ["out", "in"]


def _program(version: Version, catalogue: Catalogue) -> Program:
    nodes = nodes_of(version, kind=version.subject.kind)
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
