"""Changing what stages and segments mean. Each act drafts a revision: new versions of what it changes and of everything
that depends on it, parsed and ready to be previewed. `install.publish` makes a revision live.

What cannot be read is a RuleError with its JSON path, from the document or the rule on that the act was given."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from clm.lib.questions import ConflictError, QuestionError
from customers import locks
from customers.models import Installation
from customers.score_steps import SCORES

from .drafting import dependents, drafted, redrafted
from .models import Example, Revision, Stage, Standing, Subject, Version
from .naming import LONGEST_DESCRIPTION, LONGEST_NAME, folded
from .present import Present
from .rules.document import RuleError, stored_document
from .rules.parse import parse_rule
from .uses import Use, uses

MOST_STAGES = 50
_KEY = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")
# What stands in addresses where a key would.
_RESERVED = frozenset({"new", "lists", "preview"})


@transaction.atomic
def revise(
    *,
    documents: Mapping[int, Mapping[str, Any]] | None = None,
    sub_rules: Mapping[str, Any] | None = None,
    note: str = "",
    author: int | None = None,
) -> Revision:
    """Draft new documents of subjects (by id) and new texts of sub-rules (by name), which belong together: a version of
    each subject, and one of each live subject whose rules name any of them."""
    locks.own(locks.DRAFTING)
    documents, texts = documents or {}, sub_rules or {}
    changed = list(Subject.objects.filter(pk__in=list(documents)).order_by("pk"))
    present = Present(documents=documents, sub_rules=texts)
    for subject in changed:
        _check(subject, documents[subject.pk])
    for name, text in texts.items():
        _check_text(name, text, present)
    revision = Revision.objects.create(sub_rules=stored_document(texts), note=note, author_id=author)
    for subject in changed:
        drafted(
            subject=subject,
            document=documents[subject.pk],
            note=note,
            present=present,
            revision=revision,
            author=author,
        )
    for version in dependents(changed=changed, sub_rules=texts):
        redrafted(version=version, present=present, revision=revision, author=author)
    return revision


@transaction.atomic
def discard(*, revision: int) -> None:
    """Drop the drafts of a revision that was never published, and what there is of a model or a segment besides them
    that was never live."""
    found = Revision.objects.select_for_update().get(pk=revision)
    versions = Version.objects.filter(revision=found)
    if found.published_at is not None or versions.exclude(state=Version.State.DRAFT).exists():
        raise ConflictError(_("This change is being built, or live already; roll it back instead."))
    subjects = list(versions.values_list("subject", flat=True))
    versions.delete()
    found.delete()
    unborn = Subject.objects.filter(pk__in=subjects, live_version=None, retired_at=None)
    for subject in unborn.exclude(pk__in=Version.objects.values("subject")):
        Example.objects.filter(subject=subject).delete()
        Stage.objects.filter(subject=subject).delete()
        subject.delete()


def roll_back(*, version: int, author: int | None = None) -> Revision:
    """Draft the document of an earlier version anew, as the installation and what it names are now."""
    old = Version.objects.select_related("subject").get(pk=version)
    note = _("As version %(number)d.") % {"number": old.number}
    return revise(documents={old.subject_id: old.document}, note=note, author=author)


# --- sub-rules and segments ------------------------------------------------------------------------------------
def edit_sub_rule(*, name: str, rule: Any, note: str = "", author: int | None = None) -> Revision:
    """Give a sub-rule another text, or a first one, for all models and segments that name it."""
    if not name.strip() or len(name) > LONGEST_NAME:
        raise QuestionError("name", _("A sub-rule needs a name of at most 100 characters."))
    return revise(sub_rules={name: rule}, note=note, author=author)


def edit_segment(*, segment: int, rule: Any, note: str = "", author: int | None = None) -> Revision:
    """Give a segment another rule."""
    found = Subject.objects.get(pk=segment)
    if found.kind != Subject.Kind.SEGMENT:
        raise ConflictError(_("A static list has no rule: its members are all there is to it."))
    return revise(documents={segment: {"rule": rule}}, note=note, author=author)


@transaction.atomic
def add_segment(
    *, key: str, name: str, rule: Any, description: str = "", note: str = "", author: int | None = None
) -> Revision:
    """A new segment: of a rule, or a static list if the rule is None."""
    kind = Subject.Kind.LIST if rule is None else Subject.Kind.SEGMENT
    segment = _new_subject(kind, key, name, description)
    Stage.objects.create(subject=segment, key="in", name=segment.name, position=1)
    Stage.objects.create(subject=segment, key="out", name=f"Not in {segment.name}"[:100], position=2, is_exit=True)
    return revise(documents={segment.pk: {"rule": rule}}, note=note, author=author)


# --- models ----------------------------------------------------------------------------------------------------
@transaction.atomic
def add_model(
    *,
    key: str,
    name: str,
    stages: Sequence[Mapping[str, Any]],
    leave: Mapping[str, str],
    note: str = "",
    author: int | None = None,
) -> Revision:
    """A new stage model. `stages` are {"key", "name", "rule"} lowest precedence first, `leave` is the exit stage,
    {"key", "name"}."""
    model = _new_subject(Subject.Kind.MODEL, key, name, "")
    document = {"stages": [{"key": one.get("key"), "rule": one.get("rule")} for one in stages], "exit": leave["key"]}
    _check(model, document, stages_exist=False)
    for position, stage in enumerate([*stages, leave], start=1):
        _new_stage(model, stage["key"], stage["name"], position, is_exit=stage is leave)
    return revise(documents={model.pk: document}, note=note, author=author)


@transaction.atomic
def copy_model(*, model: int, key: str, name: str, author: int | None = None) -> Revision:
    """A new model with the stages and rules of another one."""
    old = Subject.objects.get(pk=model, kind=Subject.Kind.MODEL)
    document = document_of(old)
    copy = _new_subject(Subject.Kind.MODEL, key, name, old.description)
    for stage in Stage.objects.filter(subject=old).order_by("position", "pk"):
        if stage.key == document["exit"] or stage.key in (one["key"] for one in document["stages"]):
            _new_stage(copy, stage.key, stage.name, stage.position, is_exit=stage.key == document["exit"])
    note = _("A copy of %(name)s.") % {"name": old.name}
    return revise(documents={copy.pk: document}, note=note, author=author)


@transaction.atomic
def add_stage(
    *, model: int, key: str, name: str, rule: Any, above: str | None = None, note: str = "", author: int | None = None
) -> Revision:
    """A new stage, just above another one in precedence, or lowest of all. A retired stage of that key comes back."""
    subject = Subject.objects.get(pk=model, kind=Subject.Kind.MODEL)
    stages = list(document_of(subject)["stages"])
    if key in (stage["key"] for stage in stages) or key == document_of(subject)["exit"]:
        raise QuestionError("key", _("The model has a stage of this key."))
    place = 0 if above is None else _place(stages, above) + 1
    stages.insert(place, {"key": key, "rule": rule})
    if not Stage.objects.filter(subject=subject, key=key).exists():
        last = Stage.objects.filter(subject=subject).order_by("-position").first()
        _new_stage(subject, key, name, last.position + 1 if last else 1, is_exit=False)
    return _with_stages(subject, stages, note, author)


def edit_stage(*, model: int, stage: str, rule: Any, note: str = "", author: int | None = None) -> Revision:
    """Give a stage another rule."""
    subject = Subject.objects.get(pk=model, kind=Subject.Kind.MODEL)
    stages = list(document_of(subject)["stages"])
    stages[_place(stages, stage)] = {"key": stage, "rule": rule}
    return _with_stages(subject, stages, note, author)


def order_stages(*, model: int, stages: Sequence[str], note: str = "", author: int | None = None) -> Revision:
    """Give the stages another precedence: their keys, lowest first."""
    subject = Subject.objects.get(pk=model, kind=Subject.Kind.MODEL)
    known = {stage["key"]: stage for stage in document_of(subject)["stages"]}
    if sorted(stages) != sorted(known):
        raise QuestionError("stages", _("Each stage of the model stands in the order once, the exit stage does not."))
    return _with_stages(subject, [known[key] for key in stages], note, author)


def retire_stage(*, model: int, stage: str, note: str = "", author: int | None = None) -> Revision:
    """Leave a stage out from the next version on. Its history stays; who was placed in it is no more."""
    subject = Subject.objects.get(pk=model, kind=Subject.Kind.MODEL)
    stages = list(document_of(subject)["stages"])
    del stages[_place(stages, stage)]
    return _with_stages(subject, stages, note, author)


@transaction.atomic
def position_stages(*, model: int, stages: Sequence[str]) -> None:
    """The order in which pages show the stages; it decides nothing. Stages that are not named come after those that
    are, in the order they had."""
    found = {
        stage.key: stage for stage in Stage.objects.select_for_update().filter(subject=model).order_by("position", "pk")
    }
    if not set(stages) <= found.keys() or len(set(stages)) < len(stages):
        raise QuestionError("stages", _("Each stage of the model stands in the order once."))
    rest = [key for key in found if key not in stages]
    for position, key in enumerate([*stages, *rest], start=1):
        found[key].position = position
        found[key].save(update_fields=["position"])


@transaction.atomic
def retire_subject(*, subject: int, now: datetime, also_used: Sequence[Use] = ()) -> None:
    """Take a model or a segment out of use: nobody stands in it any more, its history stays. Refused while something
    uses it; `also_used` is what rooms further left know to use it."""
    locks.own(locks.VERSIONS)
    found = Subject.objects.select_for_update().get(pk=subject)
    using = [*uses(subject=subject), *also_used]
    if using:
        names = ", ".join(f"“{use.name}”" for use in using)
        raise ConflictError(_("It is used by %(names)s; change these first.") % {"names": names})
    if found.is_default:
        raise ConflictError(_("It is the model that pages show first; make another one the default first."))
    open_states = (Version.State.LIVE, Version.State.BUILDING)
    Version.objects.filter(subject=found, state__in=open_states).update(state=Version.State.RETIRED, retired_at=now)
    Standing.objects.filter(subject=found).delete()
    found.retired_at, found.live_version = now, None
    found.save(update_fields=["retired_at", "live_version"])


def document_of(subject: Subject) -> dict[str, Any]:
    """The document an edit goes on from: the newest draft's if it is newer than what is live."""
    newest = Version.objects.filter(
        subject=subject, state__in=(Version.State.DRAFT, Version.State.BUILDING, Version.State.LIVE)
    )
    version = newest.order_by("-number").first()
    if version is None:
        raise ConflictError(_("There is no version to go on from."))
    return dict(version.document)


def _with_stages(subject: Subject, stages: list[dict[str, Any]], note: str, author: int | None) -> Revision:
    document = {**document_of(subject), "stages": stages}
    return revise(documents={subject.pk: document}, note=note, author=author)


def _place(stages: Sequence[Mapping[str, Any]], key: str) -> int:
    for place, stage in enumerate(stages):
        if stage["key"] == key:
            return place
    raise QuestionError("stage", _("The model has no stage “%(key)s”.") % {"key": key})


def _new_subject(kind: str, key: str, name: str, description: str) -> Subject:
    if not _KEY.fullmatch(key):
        raise QuestionError("key", _("A key is of small letters, digits, - and _, at most 60."))
    called = folded(name, field="name", longest=LONGEST_NAME)
    about = folded(description, field="description", longest=LONGEST_DESCRIPTION, may_be_empty=True)
    locks.own(locks.DRAFTING)
    same = Subject.objects.filter(key=key)
    is_model = kind == Subject.Kind.MODEL
    if key in _RESERVED or (same.filter(kind=kind) if is_model else same.exclude(kind=Subject.Kind.MODEL)).exists():
        raise QuestionError("key", _("This key is taken."))
    last = Subject.objects.filter(kind=kind).order_by("-position").first() if is_model else None
    place = last.position + 1 if last else 0
    return Subject.objects.create(kind=kind, key=key, name=called, description=about, position=place)


def _new_stage(model: Subject, key: str, name: str, position: int, *, is_exit: bool) -> None:
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        raise QuestionError("key", _("A key is of small letters, digits, - and _, at most 60."))
    called = folded(name if isinstance(name, str) else "", field="name", longest=LONGEST_NAME)
    Stage.objects.create(subject=model, key=key, name=called, position=position, is_exit=is_exit)


def _check(subject: Subject, document: Mapping[str, Any], *, stages_exist: bool = True) -> None:
    """The shape of a document around its rules. Raises RuleError."""
    if subject.retired_at is not None:
        raise ConflictError(_("“%(name)s” is out of use.") % {"name": subject.name})
    if subject.kind != Subject.Kind.MODEL:
        if document["rule"] is None and subject.kind == Subject.Kind.SEGMENT:
            raise RuleError("$", "a rule is an object, not null")
        return
    stages = document["stages"]
    if not 1 <= len(stages) <= MOST_STAGES:
        raise RuleError("$.stages", f"a model has 1 to {MOST_STAGES} stages")
    keys = [stage["key"] for stage in stages]
    for place, key in enumerate(keys):
        if key in keys[:place]:
            raise RuleError(f"$.stages[{place}].key", f'the key "{key}" is given twice')
    if document["exit"] in keys:
        raise RuleError("$.exit", "the exit stage has no rule, and no place among the others")
    known = set(Stage.objects.filter(subject=subject).values_list("key", flat=True))
    for place, key in enumerate(keys):
        if stages_exist and key not in known:
            raise RuleError(f"$.stages[{place}].key", f'the model has no stage "{str(key)[:60]}"; add it first')
    if stages_exist and document["exit"] not in known:
        raise RuleError("$.exit", "the exit stage is one of the model's")


def _check_text(name: str, text: Any, present: Present) -> None:
    """A sub-rule is a rule, whether anything names it or not."""
    installation = Installation.current()
    segments, models = present.named()
    parse_rule(
        text,
        lapse_days=installation.lapse_days,
        sub_rules=present.sub_rules,
        minor_digits=installation.minor_digits,
        segments=segments,
        models=models,
        of=("rule", name),
        scores=SCORES,
    )
