"""Changes of rules: what is drafted, what went live, and what each does to customers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from campaigns.models import Campaign
from clm.lib.questions import NotThereError
from customers.models import Customer, Installation, Role
from customers.named_properties import Filling
from lifecycle.install import obstacles
from lifecycle.live import nodes_of
from lifecycle.models import Preview, Publication, Revision, Subject, SubRule, Version
from lifecycle.previews import Counted, counted, estimated_change, latest_preview, touched_since
from lifecycle.rules.describe import sentence
from lifecycle.rules.document import RuleError
from lifecycle.what_if import NOWHERE, Tally, rule_node

from .customer_figures import names_of
from .estimates import Share, rests_on, share
from .mapping_diffs import MappingDiff, mapping_diffs
from .sorting import ACTIVE, Sorting, StageRef, segments, stage_models

PAGE = 50
STATES = ["draft", "running", "failed", "live", "replaced"]


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """A change as lists show it. state: draft, running (asked to go live), failed (refused), live, or replaced. names:
    what it changes, what was meant first; more: how many others get a version with it."""

    id: int
    state: str
    names: tuple[str, ...]
    more: int
    note: str
    author: str
    created_at: datetime
    published_at: datetime | None


@dataclass(frozen=True, slots=True)
class RuleDiff:
    """One rule before and after, as sentences; "" where there is none. stage None: of a segment or a named rule. The
    ranks are its places in the precedence, 1 the one that counts first, 0 where it has none."""

    name: str
    stage: StageRef | None
    before: str
    after: str
    rank_before: int
    rank_after: int


@dataclass(frozen=True, slots=True)
class VersionDiff:
    """What a change does to the rules of one model or segment. is_dependent: its own rules stay as they are, but what
    they name changes."""

    subject: int
    kind: str
    key: str
    name: str
    number: int
    before_number: int | None
    is_dependent: bool
    rules: tuple[RuleDiff, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """Customers of one stage now who stand in one stage then; `stage` is the one then. anchor: of their examples."""

    stage: StageRef | None
    customers: int
    level: int
    url: str


@dataclass(frozen=True, slots=True)
class Row:
    """Customers of one stage now."""

    stage: StageRef | None
    total: int
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Matrix:
    """From which stage to which."""

    columns: tuple[StageRef | None, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Person:
    """A customer given as an example."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Move:
    """Everybody who goes from one stage to another, with a few of them by name."""

    anchor: str
    source: StageRef | None
    target: StageRef | None
    customers: int
    examples: tuple[Person, ...]


@dataclass(frozen=True, slots=True)
class SubjectDiff:
    """What a change does to customers under one model or segment. moved: who stands elsewhere now; changed: whose
    history reads differently. Of a segment: how many are in it before and after, and who enters and leaves."""

    subject: int
    kind: str
    key: str
    name: str
    is_new: bool
    matrix: Matrix
    moves: tuple[Move, ...]
    moved: Share
    changed: Share
    before: Share
    after: Share
    entering: Share
    leaving: Share


@dataclass(frozen=True, slots=True)
class RetentionDiff:
    """Customer retention and churn since `since`, 0 to 1, before and after; None where nobody was active then."""

    since: datetime
    crr_before: float | None
    crr_after: float | None

    @property
    def churn_before(self) -> float | None:
        return None if self.crr_before is None else 1 - self.crr_before

    @property
    def churn_after(self) -> float | None:
        return None if self.crr_after is None else 1 - self.crr_after


@dataclass(frozen=True, slots=True)
class Effect:
    """What a change does to customers at the instant `at`, for everybody or estimated from `sampled` of them. retention
    is None where the change leaves the segment of active customers alone. touched: of how many customers something new
    is known since; None for an estimate of this moment. filling: properties of which not all values are kept yet."""

    at: datetime
    is_exact: bool
    customers: int
    sampled: int
    subjects: tuple[SubjectDiff, ...]
    retention: RetentionDiff | None
    campaigns: tuple[str, ...]
    touched: int | None
    filling: tuple[Filling, ...] = ()

    @property
    def note(self) -> str:
        """What the estimate rests on while not all values are kept that the rules look at, "" once they are."""
        return rests_on(self.filling)


@dataclass(frozen=True, slots=True)
class Change:
    """One change with everything that is known of it before anybody is counted."""

    row: ChangeRow
    versions: tuple[VersionDiff, ...]
    sub_rules: tuple[RuleDiff, ...]
    mapping: tuple[MappingDiff, ...]
    obstacles: tuple[str, ...]
    refusal: str
    publication: Publication | None
    preview: Preview | None

    @property
    def is_open(self) -> bool:
        """Whether it is not live yet, and may still become so."""
        return self.row.state in ("draft", "failed", "running")

    @property
    def needs(self) -> str:
        """The permission it takes to publish or discard it: shared rules, models and mappings are the admins'."""
        if self.mapping:
            return "catalogue.edit"
        shared = self.sub_rules or any(one.kind == Subject.Kind.MODEL for one in self.versions)
        return "stages.edit" if shared else "segments.edit"


def change_rows(*, before: int | None = None) -> list[ChangeRow]:
    """Changes, newest first, those with a smaller number than `before`."""
    found = Revision.objects.select_related("author", "publication").order_by("-pk")
    if before is not None:
        found = found.filter(pk__lt=before)
    revisions = list(found[:PAGE])
    versions: dict[int, list[Version]] = {revision.pk: [] for revision in revisions}
    for version in Version.objects.filter(revision__in=revisions).select_related("subject").order_by("pk"):
        versions[version.revision_id].append(version)  # type: ignore[index]
    return [_row(revision, versions[revision.pk]) for revision in revisions]


def change(*, number: int) -> Change:
    """One change. NotThereError when there is none."""
    revision = Revision.objects.select_related("author", "publication").filter(pk=number).first()
    if revision is None:
        raise NotThereError(f"there is no change {number}")
    versions = list(Version.objects.filter(revision=revision).select_related("subject", "role_table").order_by("pk"))
    row = _row(revision, versions)
    publication = getattr(revision, "publication", None)
    names = {one.id: one for one in (*stage_models(), *segments())}
    return Change(
        row=row,
        versions=tuple(_version_diff(version, names.get(version.subject_id)) for version in versions),
        sub_rules=_texts_diff(revision, versions),
        mapping=mapping_diffs(revision),
        obstacles=obstacles(revision=revision.pk) if row.state in ("draft", "failed") else (),
        refusal=publication.refusal if publication is not None else "",
        publication=publication,
        preview=latest_preview(revision=revision.pk),
    )


def needed_for(*, number: int) -> str:
    """The permission it takes to publish or discard a change. NotThereError when there is none."""
    revision = Revision.objects.filter(pk=number).first()
    if revision is None:
        raise NotThereError(f"there is no change {number}")
    if revision.mapping:
        return "catalogue.edit"
    models = Version.objects.filter(revision=revision, subject__kind=Subject.Kind.MODEL)
    return "stages.edit" if revision.sub_rules or models.exists() else "segments.edit"


def effect(*, of: Change, now: datetime) -> Effect | None:
    """What the change does to customers: as counted for everybody, or until then estimated from a sample; of one that
    is live, what was estimated when somebody asked for it to go live. None where nothing was."""
    exact = None if of.preview is None else counted(preview=of.preview)
    if exact is None and not of.is_open:
        kept = of.publication.estimate if of.publication is not None else None
        return None if kept is None else _effect(Counted.read(kept), None)
    found = exact if exact is not None else estimated_change(revision=of.row.id, now=now)
    is_open = of.row.published_at is None
    touched = touched_since(preview=of.preview) if exact is not None and of.preview is not None and is_open else None
    return _effect(found, touched)


# --- what is written about it ---------------------------------------------------------------------------------------
def _row(revision: Revision, versions: Sequence[Version]) -> ChangeRow:
    publication = getattr(revision, "publication", None)
    states = {version.state for version in versions}
    if revision.published_at is not None:
        state = "live"
    elif publication is not None and publication.refused_at is not None:
        state = "failed"
    elif publication is not None or Version.State.BUILDING in states:
        state = "running"
    elif states and states <= {Version.State.RETIRED, Version.State.LIVE}:
        state = "replaced"
    else:
        state = "draft"
    # What was meant was drafted first, and all of it carries the note of the change.
    named = [version for version in versions if version.note == revision.note] or list(versions)
    names = [version.subject.name for version in named[:3]] if versions and not revision.sub_rules else []
    names = [*(f"“{name}”" for name in revision.sub_rules), *names]
    more = max(0, len(versions) - len(names) + len(revision.sub_rules))
    if revision.mapping:
        told = [f"{name} → {Role(one['role']).label}" for name, one in revision.mapping.items()]
        names, more = told[:3], len(told[3:]) + len(versions)
    return ChangeRow(
        id=revision.pk,
        state=state,
        names=tuple(names),
        more=more,
        note=revision.note,
        author=str(revision.author) if revision.author else "",
        created_at=revision.created_at,
        published_at=revision.published_at,
    )


def _version_diff(version: Version, sorting: Sorting | None) -> VersionDiff:
    before = (
        Version.objects.filter(subject=version.subject_id, number__lt=version.number)
        .exclude(published_at=None)
        .select_related("subject", "role_table")
        .order_by("-number")
        .first()
    )
    was, now = ({} if one is None else _said(one) for one in (before, version))
    # A stage that is only drafted, or retired since, has its name as well.
    stages = {stage.key: stage for stage in sorting.stages.every.values()} if sorting is not None else {}
    is_model = version.subject.kind == Subject.Kind.MODEL
    # One that is added or retired moves all others up or down, which changes nothing about them.
    stayed = zip((key for key in was if key in now), (key for key in now if key in was), strict=True)
    changed = {key for pair in stayed if pair[0] != pair[1] for key in pair}
    changed |= {key for key in {*was, *now} if was.get(key, (None,))[0] != now.get(key, (None,))[0]}
    rules = tuple(
        RuleDiff(
            name=stages[key].name if key in stages else key,
            stage=stages.get(key) if is_model else None,
            before=was.get(key, ("", 0))[0],
            after=now.get(key, ("", 0))[0],
            rank_before=was.get(key, ("", 0))[1],
            rank_after=now.get(key, ("", 0))[1],
        )
        for key in dict.fromkeys((*now, *was))
        if key in changed
    )
    return VersionDiff(
        subject=version.subject_id,
        kind=version.subject.kind,
        key=version.subject.key,
        name=version.subject.name,
        number=version.number,
        before_number=None if before is None else before.number,
        is_dependent=before is not None and before.document == version.document,
        rules=rules,
    )


def _said(version: Version) -> dict[str, tuple[str, int]]:
    """By stage, the one that counts first leading, its rule in English and its rank."""
    if version.document.get("rule", ...) is None:
        return {}
    installation = Installation.current()
    try:
        nodes = nodes_of(version, kind=version.subject.kind)
    except RuleError as error:
        return {"": (str(error), 0)}
    return {
        key: (sentence(node, currency=installation.currency, minor_digits=version.minor_digits), rank)
        for rank, (key, node) in enumerate(reversed(nodes.items()), start=1)
    }


def _texts_diff(revision: Revision, versions: Sequence[Version]) -> tuple[RuleDiff, ...]:
    """The named rules that a change rewrites; what they said before is kept by the versions that used them."""
    earlier: dict[str, Any] = {}
    for version in versions:
        old = Version.objects.filter(subject=version.subject_id, number__lt=version.number).order_by("-number").first()
        earlier = {**(old.sub_rules if old is not None else {}), **earlier}
    if revision.published_at is None:
        earlier = {**earlier, **dict(SubRule.objects.values_list("name", "document"))}
    after = {**earlier, **revision.sub_rules}
    return tuple(
        RuleDiff(
            name=name,
            stage=None,
            before=_text_said(earlier[name], earlier) if name in earlier else "",
            after=_text_said(text, after),
            rank_before=0,
            rank_after=0,
        )
        for name, text in revision.sub_rules.items()
    )


def _text_said(text: Any, texts: Mapping[str, Any]) -> str:
    installation = Installation.current()
    try:
        node = rule_node(rule=text, sub_rules=texts)
    except RuleError as error:
        return str(error)
    return sentence(node, currency=installation.currency, minor_digits=installation.minor_digits)


# --- what it does to customers --------------------------------------------------------------------------------------
def _effect(found: Counted, touched: int | None) -> Effect:
    sortings = {one.id: one for one in (*stage_models(), *segments())}
    named = [customer for tally in found.tallies.values() for some in tally.examples.values() for customer in some]
    people = names_of(list(Customer.objects.filter(pk__in=named)))
    subjects = tuple(
        _subject_diff(sortings[subject], tally, found, people)
        for subject, tally in found.tallies.items()
        if subject in sortings
    )
    moving = [one.subject for one in subjects if one.kind != Subject.Kind.MODEL and one.moved.customers]
    campaigns = Campaign.objects.filter(audience__in=moving).order_by("name").values_list("name", flat=True)
    active = next((found.tallies[one.subject] for one in subjects if one.key == ACTIVE), None)
    return Effect(
        at=found.at,
        is_exact=found.is_exact,
        customers=found.customers,
        sampled=found.sampled,
        subjects=subjects,
        retention=None if active is None else RetentionDiff(found.since, _rate(active.before), _rate(active.after)),
        campaigns=tuple(campaigns),
        touched=touched,
        filling=found.filling,
    )


def _rate(counts: tuple[int, int]) -> float | None:
    started, kept = counts
    return kept / started if started else None


def _subject_diff(sorting: Sorting, tally: Tally, found: Counted, people: Mapping[int, str]) -> SubjectDiff:
    is_model = sorting.kind == Subject.Kind.MODEL
    stages: dict[int, StageRef | None] = {**sorting.stages.every, NOWHERE: None}
    cells = dict(tally.cells)
    examples: dict[tuple[int, int], list[int]] = {}
    inside = next((number for number, stage in sorting.stages.items() if stage.key == "in"), -1)
    if not is_model:
        # Who was never in a segment is out of it, like those who left.
        outside = next(number for number, stage in sorting.stages.items() if stage.key == "out")
        cells = {}
        for (before, after), customers in tally.cells.items():
            cell = (before or outside, after or outside)
            cells[cell] = cells.get(cell, 0) + customers
            if cell[0] != cell[1]:
                examples[cell] = [*examples.get(cell, ()), *tally.examples.get((before, after), ())]
    else:
        examples = tally.examples

    def counted_of(chosen: Any) -> Share:
        return share(found=sum(customers for cell, customers in cells.items() if chosen(*cell)), of=found)

    order = [number for number in stages if any(number in cell for cell in cells)]
    moves = tuple(
        Move(
            anchor=f"{sorting.key}-{_key(stages.get(before))}-{_key(stages.get(after))}",
            source=stages.get(before),
            target=stages.get(after),
            customers=share(found=customers, of=found).customers,
            examples=tuple(Person(one, people[one]) for one in examples.get((before, after), ())[:5] if one in people),
        )
        for (before, after), customers in sorted(cells.items(), key=lambda one: -one[1])
        if before != after
    )
    return SubjectDiff(
        subject=sorting.id,
        kind=sorting.kind,
        key=sorting.key,
        name=sorting.name,
        is_new=sorting.version is None,
        matrix=_matrix(order, stages, cells, found, sorting.key),
        moves=moves,
        moved=counted_of(lambda before, after: before != after),
        changed=share(found=tally.changed, of=found),
        before=counted_of(lambda before, _after: before == inside),
        after=counted_of(lambda _before, after: after == inside),
        entering=counted_of(lambda before, after: after == inside != before),
        leaving=counted_of(lambda before, after: before == inside != after),
    )


def _matrix(
    order: Sequence[int],
    stages: Mapping[int, StageRef | None],
    cells: Mapping[tuple[int, int], int],
    found: Counted,
    key: str,
) -> Matrix:
    most = max((customers for (before, after), customers in cells.items() if before != after), default=1)

    def cell(before: int, after: int) -> Cell:
        customers = cells.get((before, after), 0)
        level = min(7, int(7 * math.sqrt(customers / most))) if before != after else 0
        anchor = f"#{key}-{_key(stages[before])}-{_key(stages[after])}"
        moves = customers and before != after
        return Cell(stages[after], share(found=customers, of=found).customers, level, anchor if moves else "")

    def row(before: int) -> Row:
        those = tuple(cell(before, after) for after in order)
        # Of an estimate every cell is rounded: their sum rounded on its own would not be what they add up to.
        return Row(stages[before], sum(one.customers for one in those), those)

    rows = [row(before) for before in order if any(was == before for was, _then in cells)]
    return Matrix(tuple(stages[number] for number in order), tuple(rows))


def _key(stage: StageRef | None) -> str:
    return stage.key if stage is not None else "none"
