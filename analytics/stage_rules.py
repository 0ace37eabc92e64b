"""What the stages of a model and the rule of a segment mean, in sentences."""

import typing
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from customers.models import Installation
from lifecycle.live import nodes_of
from lifecycle.models import Subject, Version
from lifecycle.rules.describe import sentence
from lifecycle.rules.nodes import All, Any, Held, Lately, Named, Node, Not

from .sorting import Sorting, StageRef


@dataclass(frozen=True, slots=True)
class StageRule:
    """A stage and its rule. precedence: of the stages whose rules hold the highest wins, from 1; rank: the same as
    people count, 1 the one that wins. Both are 0 for the exit stage, which has no rule of its own."""

    stage: StageRef
    precedence: int
    sentence: str
    document: typing.Any
    rank: int = 0


@dataclass(frozen=True, slots=True)
class NamedRule:
    """A sub-rule that rules name instead of repeating it."""

    name: str
    sentence: str
    document: typing.Any


@dataclass(frozen=True, slots=True)
class VersionNote:
    """The live version of a model or a segment: what decides where customers are now."""

    number: int
    published_at: datetime | None
    published_by: str
    lapse_days: int
    time_zone: str
    tzdata: str
    note: str


@dataclass(frozen=True, slots=True)
class StageRules:
    """Every stage with its rule, in the order of pages; version None while nothing is live. named: the sub-rules that
    those rules name, directly or through another one, by name."""

    version: VersionNote | None
    stages: tuple[StageRule, ...]
    named: tuple[NamedRule, ...] = ()


# Versions never change, so what they say does not either; the few that are live are kept.
_Said = tuple[VersionNote, dict[str, tuple[int, str, typing.Any, int]], tuple[NamedRule, ...]]
_said: OrderedDict[tuple[int, str, int], _Said] = OrderedDict()


_MOST_KEPT = 1000


def forget() -> None:
    """Forget what versions said, because the database was emptied and gives out their numbers again."""
    _said.clear()


def stage_rules(*, sorting: Sorting) -> StageRules:
    """The rules of the live version, said in English."""
    return rules_of(sortings=[sorting])[0]


def rules_of(*, sortings: Sequence[Sorting]) -> list[StageRules]:
    """The rules of the live version of each, in their order; two queries however many there are."""
    said_by = _said_by([sorting for sorting in sortings if sorting.version is not None])
    found = []
    for sorting in sortings:
        if sorting.version is None:
            found.append(StageRules(None, tuple(StageRule(one, 0, "", None) for one in sorting.stages.values())))
            continue
        note, said, named = said_by[sorting.version]
        everyone = sorting.stages.every.values()  # another version may have other stages
        rules = (
            StageRule(stage, *said.get(stage.key, (0, _EXIT, None)))
            for stage in everyone
            if stage.key in said or stage.is_exit
        )
        found.append(StageRules(version=note, stages=tuple(rules), named=named))
    return found


_EXIT = "No other stage holds any more."


def _said_by(sortings: Sequence[Sorting]) -> dict[int, _Said]:
    """What each live version says, by version; only what is published is kept, since drafts still change."""
    installation = Installation.current()
    kinds = {sorting.version: sorting.kind for sorting in sortings if sorting.version is not None}
    keys = {version: (version, installation.currency, installation.minor_digits) for version in kinds}
    found = {version: _said[key] for version, key in keys.items() if key in _said}
    missing = [version for version in kinds if version not in found]
    for version in Version.objects.select_related("author", "subject").filter(pk__in=missing) if missing else ():
        found[version.pk] = _words(version, kinds[version.pk], installation)
        if version.published_at is not None:
            _said[keys[version.pk]] = found[version.pk]
    while len(_said) > _MOST_KEPT:
        _said.popitem(last=False)
    return found


def _words(version: Version, kind: str, installation: Installation) -> _Said:
    nodes = nodes_of(version, kind=kind)
    if kind == Subject.Kind.MODEL:
        documents = {stage["key"]: stage["rule"] for stage in version.document["stages"]}
    else:
        documents = {"in": version.document["rule"]}
    note = VersionNote(
        number=version.number,
        published_at=version.published_at,
        published_by=str(version.author) if version.author else "",
        lapse_days=version.lapse_days,
        time_zone=version.time_zone,
        tzdata=version.tzdata,
        note=version.note,
    )
    said = {
        name: (
            precedence,
            # A static list has no rule that could be said.
            sentence(node, currency=installation.currency, minor_digits=installation.minor_digits)
            if documents[name] is not None
            else "",
            documents[name],
            len(nodes) + 1 - precedence,
        )
        for precedence, (name, node) in enumerate(nodes.items(), start=1)
    }
    parts: dict[str, Node] = {}
    for node in nodes.values():
        parts |= _names_in(node)
    named = tuple(
        NamedRule(
            name=name,
            sentence=sentence(part, currency=installation.currency, minor_digits=installation.minor_digits),
            document=version.sub_rules[name],
        )
        for name, part in sorted(parts.items())
    )
    return note, said, named


def _names_in(node: Node) -> dict[str, Node]:
    """Every sub-rule that a rule names, with what it means."""
    match node:
        case Named(name, part):
            return {name: part} | _names_in(part)
        case All(parts) | Any(parts):
            return {name: meant for part in parts for name, meant in _names_in(part).items()}
        case Not(part) | Held(part, _) | Lately(part, _):
            return _names_in(part)
        case _:
            return {}
