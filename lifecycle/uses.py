"""What names a segment, a stage model, a sub-rule or what sources send: told before it is edited, and a reason not to
retire it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db.models import F, Q

from .live import nodes_of, picks
from .models import Subject, Version
from .rules.nodes import ACTIVITY_ROLES


@dataclass(frozen=True, slots=True)
class Use:
    """Something that uses a definition: `kind` says what it is (model, segment, list, campaign, experiment),
    `is_direct` whether its own rules name it or only what they name does. `is_draft`: it does not yet, but would once
    published or started."""

    kind: str
    key: str
    name: str
    is_direct: bool = True
    is_draft: bool = False


def uses(*, subject: int) -> tuple[Use, ...]:
    """Which models and segments depend on the model or segment, live or as drafted."""
    one = Subject.objects.get(pk=subject)
    head, part = ("stage", "models") if one.kind == Subject.Kind.MODEL else ("segment", "segments")
    return _once(
        _use(version, is_direct=any(_is_named(value, one.key) for value in _values(version.document, head)))
        for version in _versions_in_force()
        if version.subject_id != subject and one.key in version.definitions.get(part, {})
    )


def uses_of_sub_rule(*, name: str) -> tuple[Use, ...]:
    """Which models and segments depend on the sub-rule, live or as drafted."""
    return _once(
        _use(version, is_direct=any(value == name for value in _values(version.document, "rule")))
        for version in _versions_in_force()
        if name in version.sub_rules
    )


def uses_of_sub_rules() -> dict[str, tuple[Use, ...]]:
    """By the name of each sub-rule that is used, the models and segments that depend on it, live or as drafted."""
    found: dict[str, list[Use]] = defaultdict(list)
    for version in _versions_in_force():
        named = (
            {value for value in _values(version.document, "rule") if isinstance(value, str)}
            if version.sub_rules
            else set[str]()
        )
        for name in version.sub_rules:
            found[name].append(_use(version, is_direct=name in named))
    return {name: _once(uses) for name, uses in found.items()}


@dataclass(frozen=True, slots=True)
class TypeUse:
    """A model or a segment whose rules select touchpoints of a name: by the name itself, or by its role alone."""

    kind: str
    key: str
    name: str
    by_name: bool
    is_draft: bool = False


AnyUse = TypeVar("AnyUse", Use, TypeUse)


def uses_of_type(*, name: str, role: str) -> tuple[TypeUse, ...]:
    """Which models and segments select touchpoints of that name, live or as drafted; those that name it first. Those
    that select every touchpoint are left out: they say nothing of it."""
    found = []
    for version in _versions_in_force():
        chosen = [pick for node in nodes_of(version, kind=version.subject.kind).values() for pick in picks(node)]
        taken = [
            pick
            for pick in chosen
            if (pick.types is None or name in pick.types)
            and (pick.roles is None or role in pick.roles)
            and (not pick.any_activity or role in ACTIVITY_ROLES)
            and (pick.types is not None or pick.roles is not None or pick.any_activity)
        ]
        if taken:
            one = version.subject
            by_name = any(pick.types is not None for pick in taken)
            found.append(TypeUse(one.kind, one.key, one.name, by_name, version.state != Version.State.LIVE))
    return tuple(sorted(_once(found), key=lambda use: not use.by_name))


def _versions_in_force() -> Iterator[Version]:
    """What is live, and of each subject the newest version still to come."""
    seen: set[tuple[int, bool]] = set()
    to_come = Q(state__in=(Version.State.DRAFT, Version.State.BUILDING))
    is_newest = Q(subject__live_version=None) | Q(number__gt=F("subject__live_version__number"))
    versions = Version.objects.filter(Q(state=Version.State.LIVE) | (to_come & is_newest), subject__retired_at=None)
    for version in versions.select_related("subject").order_by("subject__kind", "subject__name", "subject", "-number"):
        part = (version.subject_id, version.state == Version.State.LIVE)
        if part not in seen:
            seen.add(part)
            yield version


def _once(found: Iterable[AnyUse]) -> tuple[AnyUse, ...]:
    """Each model and segment once: what is live says more than the draft beside it."""
    kept: dict[tuple[str, str], AnyUse] = {}
    for use in found:
        known = kept.get((use.kind, use.key))
        if known is None or known.is_draft:
            kept[use.kind, use.key] = use
    return tuple(kept.values())


def _use(version: Version, *, is_direct: bool) -> Use:
    one = version.subject
    return Use(one.kind, one.key, one.name, is_direct, version.state != Version.State.LIVE)


def _values(document: Any, head: str) -> Iterator[Any]:
    """Everything that stands under a key anywhere in a document."""
    if isinstance(document, dict):
        for key, value in document.items():
            if key == head:
                yield value
            yield from _values(value, head)
    elif isinstance(document, list):
        for value in document:
            yield from _values(value, head)


def _is_named(value: Any, key: str) -> bool:
    return value == key or (isinstance(value, list) and value[:1] == [key])
