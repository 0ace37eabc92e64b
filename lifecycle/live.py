"""What is live: the versions that decide where customers stand, compiled into one program. Versions never change, so a
compiled program is kept per set of versions, and the set is read anew inside every transaction that uses it."""

import json
from collections import OrderedDict
from dataclasses import dataclass

from clm.lib import sql
from customers.models import Channel, TouchpointType

from .models import Stage, Subject, Version
from .rules.evaluate import Catalogue, Membership, Program, StageRules
from .rules.nodes import Node
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


_compiled: OrderedDict[tuple[object, ...], Live] = OrderedDict()


def live(*, only: int | None = None) -> Live:
    """The live and building versions, compiled; `only` the subject of that id. Read inside the transaction that uses
    it, under the shared VERSIONS lock where something is written."""
    (found,) = sql.rows("lifecycle/live_versions", only=only)
    key = tuple(tuple(part) if isinstance(part, list) else part for part in found)
    if key not in _compiled:
        _compiled[key] = _compile(key[0])
        while len(_compiled) > 8:
            _compiled.popitem(last=False)
    return _compiled[key]


def catalogue_of(version: Version) -> Catalogue:
    """Codes of all types and channels, with the roles that the version's table gives them."""
    roles: dict[str, str] = version.role_table.roles
    return Catalogue(
        types=tuple(
            (number, name, roles.get(name, "other"))
            for number, name in TouchpointType.objects.order_by("id").values_list("id", "name")
        ),
        channels=tuple(Channel.objects.order_by("id").values_list("id", "key")),
    )


def nodes_of(version: Version, *, kind: str) -> dict[str, Node]:
    """The parsed rules of a version by stage key, lowest precedence first; of a segment under "in"."""

    def parsed(rule: object) -> Node:
        return parse_rule(
            rule, lapse_days=version.lapse_days, sub_rules=version.sub_rules, minor_digits=version.minor_digits
        )

    if kind == Subject.Kind.MODEL:
        return {stage["key"]: parsed(stage["rule"]) for stage in version.document["stages"]}
    return {"in": parsed(version.document["rule"])}


def _compile(version_ids: tuple[int, ...]) -> Live:
    versions = list(
        Version.objects.filter(pk__in=version_ids)
        .select_related("subject", "role_table")
        .order_by("subject__kind", "subject_id", "number")
    )
    stage_ids = {(stage.subject_id, stage.key): stage.pk for stage in Stage.objects.all()}
    catalogues: dict[int, Catalogue] = {}
    subjects: list[LiveSubject] = []
    compiled: list[StageRules | Membership] = []
    newest = {version.subject_id: version.pk for version in versions}
    for version in versions:
        subject = version.subject
        catalogue = catalogues.setdefault(version.role_table_id, catalogue_of(version))
        nodes = nodes_of(version, kind=subject.kind)
        if subject.kind == Subject.Kind.MODEL:
            outside = version.document["exit"]
            keys = [*nodes, outside]
            rules: StageRules | Membership = StageRules(
                tuple(nodes.values()), zone=version.time_zone, catalogue=catalogue
            )
        else:
            outside = "out"
            keys = [outside, "in"]
            rules = Membership(nodes["in"], zone=version.time_zone, catalogue=catalogue)
        compiled.append(rules)
        subjects.append(
            LiveSubject(
                subject=subject.pk,
                version=version.pk,
                key=subject.key,
                is_live=version.state == Version.State.LIVE,
                stands=version.state == Version.State.LIVE
                or (subject.live_version_id is None and newest[subject.pk] == version.pk),
                stages=tuple(stage_ids[subject.pk, key] for key in keys),
                outside=stage_ids[subject.pk, outside],
                nodes=nodes,
            )
        )
    if not versions:
        return Live((), None, "UTC", Catalogue(()))
    zone, catalogue = versions[0].time_zone, catalogues[versions[0].role_table_id]
    return Live(tuple(subjects), Program(compiled, zone=zone, catalogue=catalogue), zone, catalogue)


def document_digest(document: object) -> str:
    """The same text for documents that say the same."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"))
