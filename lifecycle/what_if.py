"""What a change of rules would do to customers: each evaluated under the versions that are live and under those
drafted, from one load of its touchpoints, and counted by where it stands now and where it would."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from clm.lib.milliseconds import to_ms
from customers.models import Channel, Installation, TouchpointType
from customers.score_steps import SCORES
from customers.standard_types import STANDARD_TYPES

from .live import LiveSubject, compiled
from .load import Loaded
from .models import Stage, Subject, Version
from .present import Present
from .rules.evaluate import Catalogue, Membership, Program, Spells, spells
from .rules.nodes import Node
from .rules.parse import parse_rule

Int64s = npt.NDArray[np.int64]
# Customers named as examples of one move.
EXAMPLES = 5
_INSTANT_BITS = 43
NOWHERE = 0


@dataclass(frozen=True, slots=True)
class Pair:
    """A subject with the version that is live of it (None: none yet) and the one drafted."""

    subject: int
    before: int | None
    after: int


@dataclass(slots=True)
class Tally:
    """What becomes of customers under one subject. cells: (stage before, stage after) -> how many customers; stage 0 is
    none yet. examples: the first few customers of each cell in which somebody moves. changed: how many histories are
    not what they were. before, after: of those in the stage `in` when the period began, how many were and how many
    still are, which is what retention counts; nothing for models."""

    cells: dict[tuple[int, int], int] = field(default_factory=dict)
    examples: dict[tuple[int, int], list[int]] = field(default_factory=dict)
    changed: int = 0
    before: tuple[int, int] = (0, 0)
    after: tuple[int, int] = (0, 0)

    def add(self, other: Tally) -> None:
        for cell, customers in other.cells.items():
            self.cells[cell] = self.cells.get(cell, 0) + customers
        for cell, some in other.examples.items():
            self.examples[cell] = [*self.examples.get(cell, ()), *some][:EXAMPLES]
        self.changed += other.changed
        self.before = (self.before[0] + other.before[0], self.before[1] + other.before[1])
        self.after = (self.after[0] + other.after[0], self.after[1] + other.after[1])

    def written(self) -> dict[str, Any]:
        """As JSON keeps it."""
        cells = [[*cell, customers, self.examples.get(cell, [])] for cell, customers in sorted(self.cells.items())]
        return {"cells": cells, "changed": self.changed, "before": list(self.before), "after": list(self.after)}

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> Tally:
        tally = cls(changed=document["changed"])
        for was, then, customers, examples in document["cells"]:
            tally.cells[was, then] = customers
            if examples:
                tally.examples[was, then] = examples
        tally.before = (document["before"][0], document["before"][1])
        tally.after = (document["after"][0], document["after"][1])
        return tally


@dataclass(slots=True)
class Compared:
    """Where customers stand under both sides of a pair, per owner the stage's id (0: none yet): at the instant, and at
    the end of what came before the period. changed: whose history until the instant is not what it was."""

    before: Int64s
    after: Int64s
    before_period: Int64s
    after_period: Int64s
    changed: npt.NDArray[np.bool_]


def pairs_of(*, revision: int) -> tuple[Pair, ...]:
    """What a revision changes: the versions drafted for it, each beside the live one of its subject."""
    drafts = (Version.State.DRAFT, Version.State.BUILDING)
    versions = Version.objects.filter(revision=revision, state__in=drafts).select_related("subject").order_by("pk")
    newest = {version.subject_id: version for version in versions}
    return tuple(Pair(one.subject_id, one.subject.live_version_id, one.pk) for one in newest.values())


def program_of(pairs: Iterable[Pair]) -> Program | None:
    """The program that evaluates both sides of all pairs."""
    return compiled(versions=_numbers(pairs)).program


def compared(*, pairs: Sequence[Pair], loaded: Loaded, at: datetime, since: datetime) -> dict[int, Compared]:
    """By subject, both sides of each pair for the loaded customers at the instant `at`, and one millisecond before the
    period that begins at `since`."""
    asked = compiled(versions=_numbers(pairs))
    found = spells(asked.program, loaded.facts) if asked.program else []
    owners, instants = len(loaded.ids), (to_ms(at), to_ms(since) - 1)
    sides = {subject.version: (subject, spell) for subject, spell in zip(asked.subjects, found, strict=True)}
    stages = {
        version: [_stages_at(subject, spell, owners, instant) for instant in instants]
        for version, (subject, spell) in sides.items()
    }
    nowhere = [np.zeros(owners, np.int64)] * 2
    answer = {}
    for pair in pairs:
        was = nowhere if pair.before is None else stages[pair.before]
        old = None if pair.before is None else sides[pair.before]
        changed = _changed(old, sides[pair.after], owners, instants[0])
        answer[pair.subject] = Compared(was[0], stages[pair.after][0], was[1], stages[pair.after][1], changed)
    return answer


def tallies(
    *, pairs: Sequence[Pair], loaded: Loaded, at: datetime, since: datetime, only: Int64s | None = None
) -> dict[int, Tally]:
    """By subject, what becomes of the loaded customers (of the owners `only`) at the instant `at`. `since`: where the
    period of retention begins."""
    chosen = np.arange(len(loaded.ids)) if only is None else only
    subjects = [pair.subject for pair in pairs]
    inside = dict(
        Stage.objects.filter(key="in", subject__in=subjects)
        .exclude(subject__kind=Subject.Kind.MODEL)
        .values_list("subject", "id")
    )
    counted = {}
    for subject, one in compared(pairs=pairs, loaded=loaded, at=at, since=since).items():
        tally = cells_of(loaded.customers[chosen], one.before[chosen], one.after[chosen])
        tally.changed = int(one.changed[chosen].sum())
        if subject in inside:
            stage = inside[subject]
            tally.before = _kept(one.before_period[chosen] == stage, one.before[chosen] == stage)
            tally.after = _kept(one.after_period[chosen] == stage, one.after[chosen] == stage)
        counted[subject] = tally
    return counted


def cells_of(customers: Int64s, before: Int64s, after: Int64s) -> Tally:
    """How many customers stand where before and after, with examples of those who move."""
    tally = Tally()
    both, places, counts = np.unique(np.stack((before, after)), axis=1, return_inverse=True, return_counts=True)
    places = places.reshape(-1)
    for number, (was, is_now, count) in enumerate(zip(*both.tolist(), counts.tolist(), strict=True)):
        tally.cells[was, is_now] = count
        if was != is_now:
            tally.examples[was, is_now] = customers[np.flatnonzero(places == number)[:EXAMPLES]].tolist()
    return tally


def rule_node(
    *,
    rule: object,
    path: str = "$",
    of: tuple[str, str] | None = None,
    sub_rules: Mapping[str, Any] | None = None,
) -> Node:
    """A rule that need not be stored, parsed as the installation is now, with `sub_rules` in place of stored texts.
    RuleError names the place, from `path` on."""
    installation = Installation.current()
    present = Present(sub_rules=sub_rules)
    segments, models = present.named()
    return parse_rule(
        rule,
        lapse_days=installation.lapse_days,
        sub_rules=present.sub_rules,
        minor_digits=installation.minor_digits,
        segments=segments,
        models=models,
        of=of,
        path=path,
        scores=SCORES,
    )


def rule_program(*, node: Node) -> Program:
    """The program of one rule alone, with the types and channels as they are mapped now."""
    roles = {**STANDARD_TYPES, **dict(TouchpointType.objects.values_list("name", "role"))}
    types = TouchpointType.objects.order_by("id").values_list("id", "name")
    catalogue = Catalogue(
        types=tuple((number, name, roles.get(name, "other")) for number, name in types),
        channels=tuple(Channel.objects.order_by("id").values_list("id", "key")),
    )
    return Program([Membership(node)], zone=Installation.current().time_zone, catalogue=catalogue)


def holds_at(*, program: Program, loaded: Loaded, at: datetime) -> npt.NDArray[np.bool_]:
    """For whom of the loaded customers the one rule of the program is true at the instant."""
    (found,) = spells(program, loaded.facts)
    return _last(found, len(loaded.ids), to_ms(at)) == 1


# --- where somebody stands ------------------------------------------------------------------------------------------
def _numbers(pairs: Iterable[Pair]) -> list[int]:
    return [number for pair in pairs for number in (pair.before, pair.after) if number is not None]


def _last(found: Spells, owners: int, at_ms: int) -> Int64s:
    """Per owner the number of the stage entered last until the instant; -1 for none."""
    past = found.at <= at_ms
    owner, stage = found.owner[past], found.stage[past]
    ends = np.flatnonzero(np.append(owner[1:] != owner[:-1], True))[: len(owner)]
    answer = np.full(owners, -1, np.int64)
    answer[owner[ends]] = stage[ends]
    return answer


def _stages_at(subject: LiveSubject, found: Spells, owners: int, at_ms: int) -> Int64s:
    """Per owner the id of the stage at the instant."""
    ids = np.array([*subject.stages, NOWHERE], np.int64)  # -1 is the last of them
    return ids[_last(found, owners, at_ms)]


def _changed(
    before: tuple[LiveSubject, Spells] | None, after: tuple[LiveSubject, Spells], owners: int, at_ms: int
) -> npt.NDArray[np.bool_]:
    """Per owner whether its history until the instant differs."""
    answer = np.zeros(owners, bool)
    line, stage = _history(*after, at_ms)
    if before is None:
        answer[line >> _INSTANT_BITS] = True
        return answer
    old_line, old_stage = _history(*before, at_ms)
    for ours, our_stage, theirs, their_stage in (
        (line, stage, old_line, old_stage),
        (old_line, old_stage, line, stage),
    ):
        place = np.searchsorted(theirs, ours)
        inside = place < len(theirs)
        same = np.zeros(len(ours), bool)
        same[inside] = (theirs[place[inside]] == ours[inside]) & (their_stage[place[inside]] == our_stage[inside])
        answer[ours[~same] >> _INSTANT_BITS] = True
    return answer


def _history(subject: LiveSubject, found: Spells, at_ms: int) -> tuple[Int64s, Int64s]:
    """Every entering until the instant: owner and instant in one number (milliseconds until 2200 fit 43 bits), and the
    stage's id."""
    past = found.at <= at_ms
    return (found.owner[past] << _INSTANT_BITS) + found.at[past], np.array(subject.stages, np.int64)[found.stage[past]]


def _kept(at_start: npt.NDArray[np.bool_], at_end: npt.NDArray[np.bool_]) -> tuple[int, int]:
    return int(at_start.sum()), int((at_start & at_end).sum())
