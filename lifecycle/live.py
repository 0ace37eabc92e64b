"""What is live: the versions that decide where customers stand, compiled into one program. Versions never change, so a
compiled program is kept per set of versions, and the set is read anew inside every transaction that uses it.

A program knows the types and channels that a rule can tell from unknown ones, and no others: the catalogue may grow by
whatever sources send without anything being compiled again."""

import json
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from typing import Any

from clm.lib import sql
from customers.models import Channel, TouchpointType

from .models import Stage, Subject, Version
from .rules.evaluate import Catalogue, Membership, Program, StageRules
from .rules.nodes import InSegment, Node, Pick
from .rules.parse import parse_rule

# Bumped when the engine gives other spans for the same rule; part of every version.
ENGINE = 1


@dataclass(frozen=True, slots=True)
class LiveSubject:
    """One subject under one version. `stages` maps the program's stage numbers to Stage ids; `nodes` the keys of stages
    (or "in") to their rules."""

    subject: int
    version: int
    key: str
    is_live: bool  # false: being built
    stands: bool  # standings are kept: it is live, or will be the first live version of its subject
    stages: tuple[int, ...]
    outside: int  # the stage of whoever is in none: the exit stage, or "out"
    nodes: dict[str, Node]


@dataclass(frozen=True, slots=True)
class Live:
    """Everything that is evaluated now: subjects in the order of the program's answers."""

    subjects: tuple[LiveSubject, ...]
    program: Program | None
    zone: str
    catalogue: Catalogue


@dataclass(frozen=True, slots=True)
class _Parsed:
    """A version with its rules as nodes. types and channels: the names that its rules can tell from an unknown one,
    which has role `other` and no name."""

    version: Version
    nodes: dict[str, Node]
    types: frozenset[str]
    channels: frozenset[str]


# By the set of versions with the part each plays, and how far the catalogue went.
_seen: OrderedDict[tuple[object, ...], Live] = OrderedDict()
# By the same set, and the types and channels that it tells apart.
_compiled: OrderedDict[tuple[object, ...], Live] = OrderedDict()
# By number and the instant of making, which tells versions of databases apart that one process may see.
_parsed: OrderedDict[tuple[int, datetime], _Parsed] = OrderedDict()
_KEPT_SETS, _KEPT_VERSIONS = 16, 2000


def live(*, only: int | None = None) -> Live:
    """The live and building versions, compiled; `only` the subject of that id. Read inside the transaction that uses
    it, under the shared VERSIONS lock where something is written."""
    (found,) = sql.rows("lifecycle/live_versions", only=only)
    key = tuple(tuple(part) if isinstance(part, list) else part for part in found)
    if key not in _seen:
        _keep(_seen, key, _live(key[:4]), _KEPT_SETS)
    return _seen[key]


def compiled(*, versions: Iterable[int]) -> Live:
    """These versions, whatever their state, compiled into one program: of a subject in the order of their numbers. What
    is said there of being live means nothing."""
    numbers = tuple(sorted(set(versions)))
    made = tuple(Version.objects.filter(pk__in=numbers).order_by("pk").values_list("pk", "created_at"))
    return _of(("asked", made), numbers)


def _live(versions: tuple[Any, ...]) -> Live:
    return _of(versions, versions[0])


def _of(asked: tuple[object, ...], numbers: tuple[int, ...]) -> Live:
    parsed = _parsed_versions(numbers)
    types = frozenset[str]().union(*(one.types for one in parsed))
    channels = frozenset[str]().union(*(one.channels for one in parsed))
    kinds = tuple(TouchpointType.objects.filter(name__in=types).order_by("id").values_list("id", "name"))
    ways = tuple(Channel.objects.filter(key__in=channels).order_by("id").values_list("id", "key"))
    key = (asked, kinds, ways)
    if key not in _compiled:
        _keep(_compiled, key, _compile(parsed, kinds, ways), _KEPT_SETS)
    return _compiled[key]


def _keep(cache: OrderedDict[tuple[object, ...], Live], key: tuple[object, ...], value: Live, most: int) -> None:
    cache[key] = value
    while len(cache) > most:
        cache.popitem(last=False)


def _parsed_versions(numbers: tuple[int, ...]) -> list[_Parsed]:
    wanted = list(Version.objects.filter(pk__in=numbers).order_by("pk").values_list("pk", "created_at"))
    missing = [number for number, made in wanted if (number, made) not in _parsed]
    for version in Version.objects.filter(pk__in=missing).select_related("subject", "role_table"):
        nodes = nodes_of(version, kind=version.subject.kind)
        chosen = [pick for node in nodes.values() for pick in picks(node)]
        mapped = {name for name, role in version.role_table.roles.items() if role != TouchpointType.role.field.default}
        _parsed[version.pk, version.created_at] = _Parsed(
            version,
            nodes,
            types=frozenset(mapped.union(*(pick.types or () for pick in chosen))),
            channels=frozenset[str]().union(*(pick.channels or () for pick in chosen)),
        )
    found = [_parsed[one] for one in wanted]
    while len(_parsed) > max(_KEPT_VERSIONS, len(numbers)):
        _parsed.popitem(last=False)
    return found


def picks(part: object) -> Iterator[Pick]:
    """Everything in a rule that selects touchpoints."""
    if isinstance(part, Pick):
        yield part
    elif isinstance(part, tuple):
        for one in part:
            yield from picks(one)
    elif is_dataclass(part):
        for field in fields(part):
            yield from picks(getattr(part, field.name))


def nodes_of(version: Version, *, kind: str, scores: Mapping[str, int] | None = None) -> dict[str, Node]:
    """The parsed rules of a version by stage key, lowest precedence first; of a segment under "in". scores: those that
    a rule may name, with their numbers of steps (None: what is stored is taken as it is).

    RuleError names the place: of a model from its document on, of a segment from its rule on."""

    subject = version.subject

    def parsed(rule: object, path: str) -> Node:
        return parse_rule(
            rule,
            lapse_days=version.lapse_days,
            sub_rules=version.sub_rules,
            minor_digits=version.minor_digits,
            segments=version.definitions.get("segments", {}),
            models=version.definitions.get("models", {}),
            of=("model" if kind == Subject.Kind.MODEL else "segment", subject.key),
            path=path,
            scores=scores,
        )

    if kind == Subject.Kind.MODEL:
        stages = enumerate(version.document["stages"])
        return {stage["key"]: parsed(stage["rule"], f"$.stages[{place}].rule") for place, stage in stages}
    if version.document["rule"] is None:
        return {"in": InSegment(subject.key, subject.name, subject.pk, None)}
    return {"in": parsed(version.document["rule"], "$")}


def _compile(parsed: list[_Parsed], kinds: tuple[tuple[int, str], ...], ways: tuple[tuple[int, str], ...]) -> Live:
    if not parsed:
        return Live((), None, "UTC", Catalogue(()))
    parsed = sorted(parsed, key=lambda one: (one.version.subject.kind, one.version.subject_id, one.version.number))
    stage_ids = {(subject, key): stage for stage, subject, key in Stage.objects.values_list("id", "subject_id", "key")}
    # States and pointers change while a version stays what it is.
    numbers = [one.version.pk for one in parsed]
    states = dict(Version.objects.filter(pk__in=numbers).values_list("id", "state"))
    has_live = set(Subject.objects.exclude(live_version=None).values_list("id", flat=True))
    newest = {one.version.subject_id: one.version.pk for one in parsed}
    catalogues: dict[int, Catalogue] = {}
    subjects: list[LiveSubject] = []
    compiled: list[StageRules | Membership] = []
    for one in parsed:
        version, nodes = one.version, one.nodes
        if version.role_table_id not in catalogues:
            roles: dict[str, str] = version.role_table.roles
            catalogues[version.role_table_id] = Catalogue(
                types=tuple((number, name, roles.get(name, "other")) for number, name in kinds), channels=ways
            )
        catalogue = catalogues[version.role_table_id]
        if version.subject.kind == Subject.Kind.MODEL:
            outside = version.document["exit"]
            keys = [*nodes, outside]
            rules: StageRules | Membership = StageRules(
                tuple(nodes.values()),
                zone=version.time_zone,
                catalogue=catalogue,
                subject=version.subject_id,
                keys=tuple(keys),
            )
        else:
            outside = "out"
            keys = [outside, "in"]
            rule = None if version.document["rule"] is None else nodes["in"]
            rules = Membership(rule, zone=version.time_zone, catalogue=catalogue, subject=version.subject_id)
        compiled.append(rules)
        is_live = states[version.pk] == Version.State.LIVE
        subjects.append(
            LiveSubject(
                subject=version.subject_id,
                version=version.pk,
                key=version.subject.key,
                is_live=is_live,
                stands=is_live or (version.subject_id not in has_live and newest[version.subject_id] == version.pk),
                stages=tuple(stage_ids[version.subject_id, key] for key in keys),
                outside=stage_ids[version.subject_id, outside],
                nodes=nodes,
            )
        )
    first = parsed[0].version
    catalogue = catalogues[first.role_table_id]
    return Live(
        tuple(subjects), Program(compiled, zone=first.time_zone, catalogue=catalogue), first.time_zone, catalogue
    )


def document_digest(document: object) -> str:
    """The same text for documents that say the same."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"))
