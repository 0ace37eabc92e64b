"""Repair notes: when something we learnt later changed what we had believed of a customer's past. What was believed is
never overwritten (a transition that vanishes or moves is superseded), so each note is read from the rows themselves:
the history believed just before an instant against the one believed from it on."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from clm.lib.milliseconds import written
from customers.models import Cause
from lifecycle.models import Transition, Version

from .sorting import ModelRef, Sorting, StageRef

# What comes as it happens, or by time alone, changes nothing that was believed unless it supersedes something.
_AS_IT_HAPPENS = (Cause.LIVE, Cause.TIME)
# Between an act and its computation lie moments that are no history to anybody.
_MOMENT = timedelta(minutes=1)
_MILLISECOND = timedelta(milliseconds=1)
# So many versions back the effect of a changed rule is told.
_VERSIONS = 6

# entered_at and the id of a stage, in order of time.
_Steps = list[tuple[datetime, int]]


@dataclass(frozen=True, slots=True)
class Repaired:
    """On [from_at, until_at) the customer is now believed to have been in `stage`, before that in `before` (None: in no
    stage). until_at None: up to the instant of the note."""

    model: ModelRef
    from_at: datetime
    until_at: datetime | None
    before: StageRef | None
    stage: StageRef | None


@dataclass(frozen=True, slots=True)
class RepairNote:
    """What changed in the history of a customer at one instant, and by what. cause None: nothing but the loss of what
    was believed says so; version: the number of the rule's version that went live, if that was the cause."""

    at: datetime
    cause: Cause | None
    version: int | None
    changes: tuple[Repaired, ...]

    @property
    def before(self) -> datetime:
        """The last instant at which the old history was believed."""
        return self.at - _MILLISECOND

    @property
    def before_text(self) -> str:
        """The same for an address."""
        return written(self.before)


@dataclass(frozen=True, slots=True)
class _Row:
    stage: int
    entered_at: datetime
    recorded_at: datetime
    superseded_at: datetime | None
    cause: int

    def believed(self, at: datetime) -> bool:
        return self.recorded_at <= at and (self.superseded_at is None or self.superseded_at > at)


@dataclass(frozen=True, slots=True)
class _Turn:
    """An instant at which something else may have begun to be believed of the past, and what was believed before and
    after it. is_first: nothing was ever believed before; a customer whom a merge emptied comes back to a history."""

    at: datetime
    cause: Cause | None
    version: int | None
    model: Sorting
    before: Sequence[_Row]
    after: Sequence[_Row]
    is_first: bool

    @property
    def changes(self) -> list[Repaired]:
        was = _steps(row for row in self.before if row.recorded_at < self.at and row.believed(self.at - _MILLISECOND))
        if self.version is not None:
            was = _steps(row for row in self.before if row.believed(self.at))
        if not was and (self.is_first or self.version is not None):
            return []  # the first that was ever computed
        return _differences(self.model, was, _steps(row for row in self.after if row.believed(self.at)), self.at)


def repair_notes(
    *, customer: int, models: Sequence[Sorting], known_at: datetime | None = None, most: int | None = None
) -> tuple[RepairNote, ...]:
    """The notes of one customer, latest first, of what was learnt until `known_at` (None: now), at most so many; two
    queries."""
    versions: dict[int, list[Version]] = defaultdict(list)
    published = Version.objects.filter(subject__in=[model.id for model in models], published_at__isnull=False)
    for version in published.order_by("subject_id", "-published_at", "-number").only(
        "pk", "subject_id", "number", "published_at", "retired_at"
    ):
        if len(versions[version.subject_id]) < _VERSIONS:
            versions[version.subject_id].append(version)
    rows: dict[int, list[_Row]] = defaultdict(list)
    wanted = [version.pk for found in versions.values() for version in found]
    # Believed rows and superseded ones have an index each and there is none of both: asked for in one condition, the
    # table would be read whole.
    mine = Transition.objects.filter(customer=customer, version__in=wanted).values_list(
        "version_id", "stage_id", "entered_at", "recorded_at", "superseded_at", "cause"
    )
    for one in mine.filter(superseded_at__isnull=True).union(mine.filter(superseded_at__isnull=False), all=True):
        rows[one[0]].append(_Row(*one[1:]))
    turns = [turn for model in models for turn in _turns(model, versions[model.id], rows)]
    turns = [turn for turn in turns if known_at is None or turn.at <= known_at]
    notes: list[RepairNote] = []
    for at, together in groupby(sorted(turns, key=lambda turn: turn.at, reverse=True), key=lambda turn: turn.at):
        if most is not None and len(notes) >= most:
            break
        told = [(turn, turn.changes) for turn in together]
        for why in dict.fromkeys((turn.cause, turn.version) for turn, changes in told if changes):
            changed = [one for turn, found in told if (turn.cause, turn.version) == why for one in found]
            notes.append(RepairNote(at, *why, changes=tuple(changed)))
    return tuple(notes)


def _turns(model: Sorting, versions: Sequence[Version], rows: dict[int, list[_Row]]) -> Iterator[_Turn]:
    earliest = min((row.recorded_at for version in versions for row in rows[version.pk]), default=None)
    for place, version in enumerate(versions):
        begun, mine = version.published_at, rows[version.pk]
        assert begun is not None
        instants = {row.superseded_at for row in mine if row.superseded_at is not None}
        instants |= {row.recorded_at for row in mine if row.cause not in _AS_IT_HAPPENS}
        for at in instants:
            # Before it went live it was being computed; after it was replaced nobody believed it.
            if at > begun and (version.retired_at is None or at < version.retired_at):
                causes = [row.cause for row in mine if row.recorded_at == at]
                is_first = earliest is None or at <= earliest
                yield _Turn(at, Cause(min(causes)) if causes else None, None, model, mine, mine, is_first)
        if place + 1 < len(versions):
            yield _Turn(begun, Cause.PUBLISH, version.number, model, rows[versions[place + 1].pk], mine, False)


def _steps(rows: Iterable[_Row]) -> _Steps:
    return sorted((row.entered_at, row.stage) for row in rows)


def _differences(model: Sorting, before: _Steps, after: _Steps, at: datetime) -> list[Repaired]:
    """Where two histories differ before `at`, as maximal spans."""
    borders = sorted({entered for steps in (before, after) for entered, _stage in steps if entered < at})
    found: list[Repaired] = []
    for place, start in enumerate(borders):
        end = borders[place + 1] if place + 1 < len(borders) else None
        was, now = _stage_at(before, start), _stage_at(after, start)
        if was == now:
            continue
        one = Repaired(model.ref, start, end, model.stages.get(was or 0), model.stages.get(now or 0))
        last = found[-1] if found else None
        if last is not None and last.until_at == start and (last.before, last.stage) == (one.before, one.stage):
            found[-1] = Repaired(model.ref, last.from_at, end, last.before, last.stage)
        else:
            found.append(one)
    return [one for one in found if (one.until_at or at) - one.from_at >= _MOMENT]


def _stage_at(steps: _Steps, at: datetime) -> int | None:
    place = bisect_right(steps, at, key=lambda step: step[0])
    return steps[place - 1][1] if place else None
