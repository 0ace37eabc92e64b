"""Drafting versions: the installation as it is now, the rules parsed, what they name kept beside them. Whatever depends
on a changed definition gets a new version too, so that all that is live speaks of the same segments, models and
sub-rules."""

import hashlib
from collections.abc import Iterable, Mapping
from importlib.metadata import version as package_version
from typing import Any

from customers.models import Installation, TouchpointType
from customers.score_steps import SCORES
from customers.standard_types import STANDARD_TYPES

from .live import ENGINE, document_digest, nodes_of, picks
from .models import Revision, RoleTable, Subject, Version
from .present import Named, Present
from .rules.document import RuleError, stored_document
from .rules.nodes import ACTIVITY_ROLES, Pick

# What a name means that a table does not list.
_OTHER = "other"


def drafted(
    *,
    subject: Subject,
    document: Mapping[str, Any],
    note: str,
    present: Present,
    revision: Revision | None = None,
    author: int | None = None,
) -> Version:
    """Store the next version of a subject, as the installation and `present` are now. A bad rule is a RuleError."""
    installation = Installation.current()
    last = Version.objects.filter(subject=subject).order_by("-number").first()
    version = Version(
        subject=subject,
        number=last.number + 1 if last else 1,
        document=dict(document),
        lapse_days=installation.lapse_days,
        time_zone=installation.time_zone,
        tzdata=package_version("tzdata"),
        role_table=role_table(mapping={} if revision is None else revision.mapping),
        minor_digits=installation.minor_digits,
        engine=ENGINE,
        note=note,
        revision=revision,
        author_id=author,
    )
    segments, models = present.named()
    sub_rules = Named(present.sub_rules.get)
    version.sub_rules, version.definitions = sub_rules, {"segments": segments, "models": models}
    nodes_of(version, kind=subject.kind, scores=SCORES)
    version.sub_rules = stored_document(sub_rules.used)
    version.definitions = stored_document({"segments": segments.used, "models": models.used})
    version.document = stored_document(version.document)
    version.save()
    return version


def roles_with(mapping: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """The role of every name as they are mapped now, and as a revision's `mapping` would have them."""
    now = {**STANDARD_TYPES, **dict(TouchpointType.objects.values_list("name", "role"))}
    return {**now, **{name: told["role"] for name, told in mapping.items()}}


def role_table(*, mapping: Mapping[str, Mapping[str, Any]] | None = None) -> RoleTable:
    """The roles of all types as they are mapped now, and as a revision's `mapping` would have them."""
    roles = roles_with(mapping or {})
    digest = hashlib.sha256(document_digest(roles).encode()).hexdigest()
    return RoleTable.objects.get_or_create(digest=digest, defaults={"roles": roles})[0]


def dependents(*, changed: Iterable[Subject], sub_rules: Iterable[str] = ()) -> list[Version]:
    """The live versions, of other subjects, whose rules name any of the subjects or sub-rules, directly or through
    others; those that are named come before those that name them."""
    subjects = list(changed)
    models = {subject.key for subject in subjects if subject.kind == Subject.Kind.MODEL}
    segments = {subject.key for subject in subjects if subject.kind != Subject.Kind.MODEL}
    texts = set(sub_rules)
    found = [
        version
        for version in Version.objects.filter(state=Version.State.LIVE, subject__retired_at=None)
        .exclude(subject__in=subjects)
        .select_related("subject")
        .order_by("pk")
        if models & version.definitions.get("models", {}).keys()
        or segments & version.definitions.get("segments", {}).keys()
        or texts & version.sub_rules.keys()
    ]
    return sorted(found, key=lambda version: sum(len(named) for named in version.definitions.values()))


def redrafted(*, version: Version, present: Present, revision: Revision | None, author: int | None) -> Version:
    """The next version of a subject with the same document, because something it names changes."""
    try:
        return drafted(
            subject=version.subject,
            document=version.document,
            note=version.note,
            present=present,
            revision=revision,
            author=author,
        )
    except RuleError as error:
        raise RuleError(
            error.path, f'"{version.subject.name}", which depends on it, would not be a rule any more: {error.message}'
        ) from None


def concerned_by_roles(*, roles: Mapping[str, str], states: Iterable[str] = (Version.State.LIVE,)) -> list[Version]:
    """The live versions whose rules can tell these roles of names from those they were built with; those that are named
    come before those that name them."""
    found = Version.objects.filter(state__in=list(states), subject__retired_at=None)
    told = [
        version
        for version in found.select_related("subject", "role_table").order_by("pk")
        if tells_roles(version=version, roles=roles)
    ]
    return sorted(told, key=lambda version: sum(len(named) for named in version.definitions.values()))


def tells_roles(*, version: Version, roles: Mapping[str, str]) -> bool:
    """Whether a rule of the version selects other touchpoints under these roles of names than under its own table."""
    own: dict[str, str] = version.role_table.roles
    moved = [name for name in {*own, *roles} if own.get(name, _OTHER) != roles.get(name, _OTHER)]
    if not moved:
        return False
    chosen = {pick for node in nodes_of(version, kind=version.subject.kind).values() for pick in picks(node)}
    return any(
        _takes(pick, name, own.get(name, _OTHER)) != _takes(pick, name, roles.get(name, _OTHER))
        for pick in chosen
        for name in moved
    )


def _takes(pick: Pick, name: str, role: str) -> bool:
    return (
        (pick.roles is None or role in pick.roles)
        and (pick.types is None or name in pick.types)
        and (not pick.any_activity or role in ACTIVITY_ROLES)
    )


def is_up_to_date(*, version: Version, present: Present) -> bool:
    """Whether everything a draft names still means what it meant when it was drafted, and what was sent still has the
    roles it was drafted with; names of definitions mean nothing."""
    segments, models = present.named()
    named = version.definitions
    mapping = {} if version.revision is None else version.revision.mapping
    return not tells_roles(version=version, roles=roles_with(mapping)) and (
        all(stored_document(present.sub_rules.get(name)) == text for name, text in version.sub_rules.items())
        and all(_meaning(segments.get(key)) == _meaning(old) for key, old in named.get("segments", {}).items())
        and all(_meaning(models.get(key)) == _meaning(old) for key, old in named.get("models", {}).items())
    )


def _meaning(definition: Mapping[str, Any] | None) -> Any:
    if definition is None:
        return None
    if "stages" not in definition:
        return definition["subject"], stored_document(definition["rule"])
    stages = [(stage["key"], stored_document(stage["rule"])) for stage in definition["stages"]]
    return definition["subject"], stages, definition["exit"]["key"]
