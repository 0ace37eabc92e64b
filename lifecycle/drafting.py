"""Drafting versions: the installation as it is now, the rules parsed, what they name kept beside them. Whatever depends
on a changed definition gets a new version too, so that all that is live speaks of the same segments, models and
sub-rules."""

import hashlib
from collections.abc import Iterable, Mapping
from importlib.metadata import version as package_version
from typing import Any

from customers.models import Installation, TouchpointType
from customers.standard_types import STANDARD_TYPES

from .live import ENGINE, document_digest, nodes_of
from .models import Revision, RoleTable, Subject, Version
from .present import Named, Present
from .rules.document import RuleError, stored_document


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
        role_table=role_table(),
        minor_digits=installation.minor_digits,
        engine=ENGINE,
        note=note,
        revision=revision,
        author_id=author,
    )
    segments, models = present.named()
    sub_rules = Named(present.sub_rules.get)
    version.sub_rules, version.definitions = sub_rules, {"segments": segments, "models": models}
    nodes_of(version, kind=subject.kind)
    version.sub_rules = stored_document(sub_rules.used)
    version.definitions = stored_document({"segments": segments.used, "models": models.used})
    version.document = stored_document(version.document)
    version.save()
    return version


def role_table() -> RoleTable:
    """The roles of all types as they are mapped now."""
    roles = {**STANDARD_TYPES, **dict(TouchpointType.objects.values_list("name", "role"))}
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


def is_up_to_date(*, version: Version, present: Present) -> bool:
    """Whether everything a draft names still means what it meant when it was drafted; names mean nothing."""
    segments, models = present.named()
    named = version.definitions
    return (
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
