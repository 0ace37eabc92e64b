"""Putting models and segments in place: the ones that come with the software, and any rule document as a segment.

A version is built beside whatever is live (advance feeds both), computed for everybody by a replay, and then made live
in one transaction."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from importlib.metadata import version as package_version
from typing import Any

from django.db import transaction

from clm.lib import sql
from clm.lib.milliseconds import truncated
from customers import catalogue, locks
from customers.ingest import clock
from customers.models import Cause, Installation, TouchpointType
from customers.named_properties import register_properties
from customers.standard_types import STANDARD_TYPES

from .live import ENGINE, document_digest, nodes_of
from .models import Revision, RoleTable, Segment, Stage, StageModel, Subject, SubRule, Version
from .present import Present
from .replay import abandon_replays, replay_all
from .rules.document import stored_document
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
    return _draft(subject=subject, document=document, note=note, present=Present(documents={subject.pk: document}))


def _draft(
    *,
    subject: Subject,
    document: Mapping[str, Any],
    note: str,
    present: Present,
    revision: Revision | None = None,
    author: int | None = None,
) -> Version:
    installation = Installation.current()
    last = Version.objects.filter(subject=subject).order_by("-number").first()
    version = Version(
        subject=subject,
        number=last.number + 1 if last else 1,
        document=dict(document),
        sub_rules=present.sub_rules,
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
    version.definitions = {"segments": segments, "models": models}
    nodes_of(version, kind=subject.kind)
    version.definitions = stored_document({"segments": segments.used, "models": models.used})
    version.document = stored_document(version.document)
    version.sub_rules = stored_document(version.sub_rules)
    version.save()
    return version


def role_table() -> RoleTable:
    """The roles of all types as they are mapped now."""
    roles = {**STANDARD_TYPES, **dict(TouchpointType.objects.values_list("name", "role"))}
    digest = hashlib.sha256(document_digest(roles).encode()).hexdigest()
    return RoleTable.objects.get_or_create(digest=digest, defaults={"roles": roles})[0]


def build(*, versions: list[Version], now: datetime) -> None:
    """Make drafts live: register the properties they name, compute them for everybody beside what is live, then flip
    the pointers in one transaction. Killed in between, the versions stay `building` and `finish_building` goes on."""
    if not versions:
        return
    named = {key for version in versions for key in _property_keys(version)}
    register_properties(keys=named, now=now)
    with transaction.atomic():
        locks.own(locks.VERSIONS)
        # An older version of the same subject that was still being built will never be needed.
        for version in versions:
            Version.objects.filter(
                subject=version.subject_id, number__lt=version.number, state=Version.State.BUILDING
            ).update(state=Version.State.RETIRED, retired_at=now)
        # Somebody else may be building the same drafts, or have done so.
        drafts = Version.objects.filter(pk__in=[version.pk for version in versions], state=Version.State.DRAFT)
        drafts.update(state=Version.State.BUILDING)
        abandon_replays(cause=Cause.PUBLISH, now=now)  # they have passed customers without these versions
    finish_building(now=now)


def rebuild(*, now: datetime) -> int:
    """Build anew, from the same rules, what is live but counts with another zone, L or minor unit than the installation
    does now; how many."""
    now_is = Installation.current()
    same = {"time_zone": now_is.time_zone, "lapse_days": now_is.lapse_days, "minor_digits": now_is.minor_digits}
    others = Version.objects.filter(state=Version.State.LIVE).exclude(**same).select_related("subject").order_by("pk")
    drafts = [draft(subject=old.subject, document=old.document, note=old.note) for old in others]
    build(versions=drafts, now=now)
    return len(drafts)


def finish_building(*, now: datetime) -> int:
    """Compute all versions that are being built, and make them live; how many."""
    asked = list(Version.objects.filter(state=Version.State.BUILDING).values_list("pk", flat=True))
    if not asked:
        return 0
    replay_all(cause=Cause.PUBLISH)
    with transaction.atomic():
        locks.own(locks.VERSIONS)
        # Those that somebody else has made live or replaced meanwhile are done with.
        building = list(
            Version.objects.filter(pk__in=asked, state=Version.State.BUILDING).select_related("subject").order_by("pk")
        )
        for version in building:
            _make_live(version, now)
    return len(building)


def _make_live(version: Version, now: datetime) -> None:
    replaced = Version.objects.filter(subject=version.subject_id, state=Version.State.LIVE).update(
        state=Version.State.RETIRED, retired_at=now
    )
    Version.objects.filter(pk=version.pk).update(state=Version.State.LIVE, published_at=now)
    Subject.objects.filter(pk=version.subject_id).update(live_version=version)
    sql.run(
        "lifecycle/standings_publish",
        subject=version.subject_id,
        version=version.pk,
        outside=Stage.objects.get(subject=version.subject_id, is_exit=True).pk,
        announce=bool(replaced),  # the first version is computed in silence
        cause=int(Cause.PUBLISH),
        now=truncated(clock()),
    ).close()


def _property_keys(version: Version) -> frozenset[str]:
    nodes = nodes_of(version, kind=version.subject.kind)
    rules = StageRules(tuple(nodes.values())) if version.subject.kind == Subject.Kind.MODEL else Membership(nodes["in"])
    return Program([rules], zone=version.time_zone, catalogue=Catalogue(())).property_keys
