"""Putting models and segments in place: the ones that come with the software, and any rule document as a segment.

A version is built beside whatever is live (advance feeds both), computed for everybody by a replay, and then made live
in one transaction."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from clm.lib.questions import ConflictError
from customers import catalogue, locks
from customers.models import Cause, Installation
from customers.named_properties import register_properties
from customers.standard_types import STANDARD_TYPES

from .drafting import concerned_by_roles, dependents, drafted, is_up_to_date, redrafted, role_table, roles_with
from .examples import broken_examples
from .live import nodes_of
from .mapping import store_mapping
from .models import ListMember, Revision, Segment, Stage, StageModel, Subject, SubRule, Version
from .present import Present
from .publish import make_live
from .replay import abandon_replays, replay_all
from .rules.evaluate import Catalogue
from .rules.presets import installed_models, installed_segments, installed_sub_rules
from .rules.program import Membership, Program, StageRules


def install(*, now: datetime, preset: str = "shop") -> int:
    """Install what comes with the software and is not there yet: types with their roles, sub-rules, the three models
    and the segment of active customers. Returns how many subjects went live; running it again changes nothing, and
    finishes what a killed run has left."""
    with transaction.atomic():
        locks.own(locks.INSTALL)
        catalogue.type_ids(STANDARD_TYPES)
        for name, document in installed_sub_rules().items():
            SubRule.objects.get_or_create(name=name, defaults={"document": document})
        drafts = [_install_model(position) for position in range(len(installed_models()))]
        drafts.append(_install_segment(preset))
    new = [draft for draft in drafts if draft is not None]
    build(versions=[version for version in new if version.state == Version.State.DRAFT], now=now)
    finish_building(now=now)
    return len(new)


def _install_model(position: int) -> Version | None:
    document = installed_models()[position]
    model, is_new = StageModel.objects.get_or_create(
        kind=Subject.Kind.MODEL,
        key=document.key,
        defaults={"name": document.name, "position": position, "is_default": position == 0},
    )
    if not is_new:
        return _left_unfinished(model)
    for stage in document.stages:
        Stage.objects.create(subject=model, key=stage.key, name=stage.name, position=stage.position)
    Stage.objects.create(
        subject=model, key=document.exit_key, name=document.exit_name, position=document.exit_position, is_exit=True
    )
    rules = {
        "stages": [{"key": stage.key, "rule": stage.rule} for stage in document.stages],
        "exit": document.exit_key,
    }
    return draft(subject=model, document=rules, note="Comes with the software.")


def _install_segment(preset: str) -> Version | None:
    (document,) = [segment for segment in installed_segments() if segment.preset == preset]
    known = Segment.objects.filter(key=document.key).first()
    if known is not None:
        return _left_unfinished(known)
    return new_segment(key=document.key, name=document.name, description=document.description, rule=document.rule)


def _left_unfinished(subject: Subject) -> Version | None:
    """The version of a subject that nothing is live of yet."""
    return None if subject.live_version_id else Version.objects.filter(subject=subject).order_by("-number").first()


@transaction.atomic
def new_segment(*, key: str, name: str, rule: Any, description: str = "") -> Version:
    """A segment from a rule document, as a draft. A rule that cannot be read is a RuleError with its JSON path."""
    segment = Segment.objects.create(kind=Subject.Kind.SEGMENT, key=key, name=name, description=description)
    Stage.objects.create(subject=segment, key="in", name=name, position=1)
    Stage.objects.create(subject=segment, key="out", name=f"Not in {name}", position=2, is_exit=True)
    return draft(subject=segment, document={"rule": rule}, note="")


@transaction.atomic
def draft(*, subject: Subject, document: Mapping[str, Any], note: str) -> Version:
    """The next version of a subject, as the installation is now; its rules are parsed, so a bad one is refused here."""
    return drafted(subject=subject, document=document, note=note, present=Present(documents={subject.pk: document}))


@transaction.atomic
def publish_list(*, revision: int, now: datetime) -> None:
    """Make a new static list live at once: nobody is on it, so there is nothing to compute or to preview."""
    (version,) = Version.objects.filter(revision=revision, state=Version.State.DRAFT).select_related("subject")
    assert _is_empty_list(version)
    locks.own(locks.PUBLISHING)
    locks.own_patiently(locks.VERSIONS)
    Version.objects.filter(pk=version.pk).update(state=Version.State.BUILDING)
    make_live(
        versions=[version.pk],
        also=lambda live: _store([one.revision for one in live if one.revision], now),
    )


class BrokenExamplesError(ConflictError):
    """A version would break examples; the message names them."""


def publish(*, revision: int, now: datetime) -> None:
    """Make all drafts of a revision live, together with the texts of its sub-rules and what it says of names."""
    found = Revision.objects.get(pk=revision)
    if found.published_at is not None:
        raise ConflictError(_("This change is live already."))
    drafts = Version.objects.filter(revision=found, state=Version.State.DRAFT).select_related("subject").order_by("pk")
    if drafts:
        build(versions=list(drafts), now=now)
    elif Version.objects.filter(revision=found, state=Version.State.BUILDING).exists():
        finish_building(now=now)  # somebody was killed over it
    elif Version.objects.filter(revision=found).exists():
        raise ConflictError(_("A newer change has taken its place."))
    else:
        with transaction.atomic():
            locks.own_patiently(locks.VERSIONS)
            _store([found], now)


def obstacles(*, revision: int) -> tuple[str, ...]:
    """Why a revision cannot go live as it is drafted: what it names has changed, or examples would break; a sentence
    each."""
    drafts = Version.objects.filter(revision=revision, state=Version.State.DRAFT)
    versions = list(drafts.select_related("subject", "revision", "role_table").order_by("pk"))
    documents = {version.subject_id: version.document for version in versions}
    present = Present(documents=documents, sub_rules=_texts(versions))
    stale = [
        _("“%(name)s” names something that has changed since it was drafted; draft it again.")
        % {"name": version.subject.name}
        for version in versions
        if not is_up_to_date(version=version, present=present)
    ]
    return (*stale, *(one.sentence for one in broken_examples(versions=versions)))


def build(*, versions: list[Version], now: datetime) -> None:
    """Make drafts live, and new versions of whatever depends on them: register the properties they name, compute them
    for everybody beside what is live, then flip the pointers in one transaction. Killed in between, the versions stay
    `building` and `finish_building` goes on.

    ConflictError: what a draft names has changed since it was drafted, or an example would not come true any more."""
    if not versions:
        return
    versions = _with_dependents(versions)
    broken = broken_examples(versions=versions)
    if broken:
        raise BrokenExamplesError(" ".join(one.sentence for one in broken))
    named = {key for version in versions for key in _property_keys(version)}
    register_properties(keys=named, now=now)
    with transaction.atomic():
        locks.own_patiently(locks.VERSIONS)
        # An older version of the same subject that was still being built will never be needed.
        for version in versions:
            Version.objects.filter(
                subject=version.subject_id, number__lt=version.number, state=Version.State.BUILDING
            ).update(state=Version.State.RETIRED, retired_at=now)
        # Somebody else may be building the same drafts, or have done so.
        drafts = Version.objects.filter(pk__in=[version.pk for version in versions], state=Version.State.DRAFT)
        _refuse_entangled(versions)
        drafts.update(state=Version.State.BUILDING)
        abandon_replays(cause=Cause.PUBLISH, now=now)  # they have passed customers without these versions
    finish_building(now=now)


@transaction.atomic
def _with_dependents(versions: list[Version]) -> list[Version]:
    texts = _texts(versions)
    present = Present(documents={version.subject_id: version.document for version in versions}, sub_rules=texts)
    for version in versions:
        if version.state == Version.State.DRAFT and not is_up_to_date(version=version, present=present):
            raise ConflictError(
                _("“%(name)s” names something that has changed since it was drafted; draft it again.")
                % {"name": version.subject.name}
            )
    more = dependents(changed=[version.subject for version in versions], sub_rules=texts)
    if mapping := _mapping(versions):
        # What went live since the names were mapped anew, and can tell the difference too.
        known = {version.subject_id for version in (*versions, *more)}
        more += [one for one in concerned_by_roles(roles=roles_with(mapping)) if one.subject_id not in known]
    drafts = [
        redrafted(version=version, present=present, revision=versions[0].revision, author=None) for version in more
    ]
    return [*versions, *drafts]


def _refuse_entangled(versions: Sequence[Version]) -> None:
    """What is being built for another change speaks of definitions as they were before this one, or the other way
    round: one of them has to wait."""
    subjects, named = {version.subject_id for version in versions}, set[int]().union(*map(_subjects_named, versions))
    texts = _texts(versions)
    others = Version.objects.filter(state=Version.State.BUILDING).exclude(subject__in=subjects)
    for other in others.select_related("subject", "revision"):
        if (
            _mapping(versions)
            or _mapping([other])
            or _subjects_named(other) & subjects
            or other.subject_id in named
            or texts.keys() & other.sub_rules.keys()
            or any(_texts([other]).keys() & version.sub_rules.keys() for version in versions)
        ):
            raise ConflictError(
                _("“%(name)s” is going live just now; publish this when it is.") % {"name": other.subject.name}
            )


def _subjects_named(version: Version) -> set[int]:
    return {definition["subject"] for part in version.definitions.values() for definition in part.values()}


def _texts(versions: Sequence[Version]) -> dict[str, Any]:
    """The sub-rules that the versions' revisions change."""
    revisions = [version.revision for version in versions if version.revision is not None]
    return {name: text for revision in revisions for name, text in revision.sub_rules.items()}


def _mapping(versions: Sequence[Version]) -> dict[str, Any]:
    """What the versions' revisions say of the names of touchpoints."""
    revisions = [version.revision for version in versions if version.revision is not None]
    return {name: told for revision in revisions for name, told in revision.mapping.items()}


def rebuild(*, now: datetime) -> int:
    """Build anew, from the same rules, what is live but counts with another zone, L, minor unit or mapping of types
    than the installation does now; how many."""
    now_is = Installation.current()
    roles = _mapped(role_table().roles)
    others = [
        old
        for old in Version.objects.filter(state=Version.State.LIVE, subject__retired_at=None)
        .select_related("subject", "role_table")
        .order_by("pk")
        if (old.time_zone, old.lapse_days, old.minor_digits)
        != (now_is.time_zone, now_is.lapse_days, now_is.minor_digits)
        or _mapped(old.role_table.roles) != roles
    ]
    drafts = [draft(subject=old.subject, document=old.document, note=old.note) for old in others]
    build(versions=drafts, now=now)
    return len(drafts)


def _mapped(roles: Mapping[str, str]) -> dict[str, str]:
    """What a mapping says: a type that it does not list is `other` too."""
    return {name: role for name, role in roles.items() if role != "other"}


def finish_building(*, now: datetime) -> int:
    """Compute all versions that are being built, and make them live; how many."""
    asked = list(Version.objects.filter(state=Version.State.BUILDING).select_related("subject"))
    if not asked:
        return 0
    if not all(_is_empty_list(version) for version in asked):
        replay_all(cause=Cause.PUBLISH)
    return make_live(
        versions=[version.pk for version in asked],
        also=lambda live: _store({version.revision for version in live if version.revision}, now),
    )


def _is_empty_list(version: Version) -> bool:
    """Nobody can be in it yet, so there is nothing to compute."""
    return (
        version.subject.kind == Subject.Kind.LIST and not ListMember.objects.filter(segment=version.subject_id).exists()
    )


def _store(revisions: Iterable[Revision], now: datetime) -> None:
    """The sub-rules of revisions that go live are what their names mean from now on, and so is their mapping."""
    ordered = sorted(revisions, key=lambda one: one.pk)
    store_mapping(revisions=ordered, now=now)
    for revision in ordered:
        for name, text in revision.sub_rules.items():
            SubRule.objects.update_or_create(name=name, defaults={"document": text})
        Revision.objects.filter(pk=revision.pk).update(published_at=now)


def _property_keys(version: Version) -> frozenset[str]:
    nodes = nodes_of(version, kind=version.subject.kind)
    is_model = version.subject.kind == Subject.Kind.MODEL
    rules = StageRules(tuple(nodes.values())) if is_model else Membership(nodes["in"])
    return Program([rules], zone=version.time_zone, catalogue=Catalogue(())).property_keys
