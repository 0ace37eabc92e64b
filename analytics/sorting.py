"""What customers are sorted by: a stage model or a segment, its stages, and the version that answers a question."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from clm.lib.questions import NotThereError
from clm.lib.reading import once
from lifecycle.models import Segment, Stage, StageModel, Subject, Version

ACTIVE = "active_customer"
# The stage of customers who bought once and were not seen for long, by its key in the models that come installed.
LAPSED = ("lapsed", "win_back")


@dataclass(frozen=True, slots=True)
class ModelRef:
    """A stage model or a segment, as answers name it."""

    key: str
    name: str


@dataclass(frozen=True, slots=True)
class StageRef:
    """A stage, as answers name it. position: its place on pages, from 1; the exit stage stands last."""

    key: str
    name: str
    position: int
    is_exit: bool


class Stages(dict[int, StageRef]):
    """The stages of the live version by id, in their order on pages. Stages that other versions have, retired or only
    drafted ones, are found by id as well, but are not among those that are listed."""

    def __init__(self, listed: Mapping[int, StageRef], others: Mapping[int, StageRef]) -> None:
        super().__init__(listed)
        self.others = dict(others)

    def __missing__(self, number: int) -> StageRef:
        return self.others[number]

    def including(self, numbers: Iterable[int]) -> dict[int, StageRef]:
        """The listed ones, and whichever of the others are among `numbers`; the exit stage last."""
        more = {number: stage for number, stage in self.others.items() if number in set(numbers)}
        return dict(sorted((self | more).items(), key=lambda one: one[1].is_exit))

    @property
    def every(self) -> dict[int, StageRef]:
        """Those of all versions, for what speaks of a version that is not live."""
        return self.including(self.others)


@dataclass(frozen=True, slots=True)
class Sorting:
    """A stage model or a segment with its stages by id, in their order on pages. version: id of the live one, None
    while nothing is live."""

    id: int
    key: str
    name: str
    description: str
    kind: str
    is_default: bool
    version: int | None
    stages: Stages

    @property
    def ref(self) -> ModelRef:
        return ModelRef(self.key, self.name)

    def stage_id(self, key: str) -> int:
        """The id of the stage of that key; NotThereError when there is none."""
        for number, stage in self.stages.items():
            if stage.key == key:
                return number
        raise NotThereError(f'{self.key} has no stage "{key[:60]}"')


@once
def stage_models() -> list[Sorting]:
    """Every stage model, the default first."""
    found = _models().order_by("-is_default", "position", "id")
    return _with_stages(list(found))


@once
def segments() -> list[Sorting]:
    """Every segment and static list."""
    return _with_stages(list(Segment.objects.filter(retired_at=None).order_by("position", "id")))


def live_models() -> list[Sorting]:
    """The stage models that customers stand in: what is only drafted says nothing of anybody yet."""
    return [one for one in stage_models() if one.version is not None]


def live_segments() -> list[Sorting]:
    """The segments and lists that somebody can be in."""
    return [one for one in segments() if one.version is not None]


@once
def stage_model(key: str | None = None) -> Sorting:
    """The stage model of that key, the default one for None. NotThereError when there is none."""
    found = _models()
    return _only(found.filter(is_default=True) if key is None else found.filter(key=key), key)


def one_of(models: Sequence[Sorting], key: str | None = None) -> Sorting:
    """What `stage_model` finds, out of all `models` that were read already."""
    found = next((model for model in models if (model.is_default if key is None else model.key == key)), None)
    if found is None:
        raise _not_there(key)
    return found


@once
def segment(key: str) -> Sorting:
    """The segment of that key. NotThereError when there is none."""
    return _only(Segment.objects.filter(retired_at=None, key=key), key)


def lapsed_stage(model: Sorting) -> int | None:
    """The id of the model's stage of lapsed customers, None in a model without one."""
    for number, stage in model.stages.items():
        if stage.key in LAPSED:
            return number
    return None


def active_customers() -> Sorting | None:
    """The segment that retention and churn are about, None where it is not installed."""
    try:
        return segment(ACTIVE)
    except NotThereError:
        return None


def version_known(*, sorting: Sorting, known_at: datetime | None) -> int | None:
    """The version that was live at `known_at` (None: now): what it believed then is what was known then."""
    if known_at is None:
        return sorting.version
    return (
        Version.objects.filter(subject_id=sorting.id, published_at__lte=known_at)
        .filter(Q(retired_at=None) | Q(retired_at__gt=known_at))
        .order_by("-published_at", "-number")
        .values_list("pk", flat=True)
        .first()
    )


def _only(found: "object", key: str | None) -> Sorting:
    subject = found.first()  # type: ignore[attr-defined]
    if subject is None:
        raise _not_there(key)
    return _with_stages([subject])[0]


def _not_there(key: str | None) -> NotThereError:
    return NotThereError(f'there is no "{key[:60]}"' if key else "no stage model is installed")


def _models() -> QuerySet[StageModel]:
    return StageModel.objects.filter(retired_at=None).select_related("live_version")


def _with_stages(subjects: Sequence[Subject]) -> list[Sorting]:
    stages: dict[int, list[Stage]] = {subject.pk: [] for subject in subjects}
    for stage in Stage.objects.filter(subject__in=stages).order_by("is_exit", "position", "id"):
        stages[stage.subject_id].append(stage)
    return [
        Sorting(
            id=subject.pk,
            key=subject.key,
            name=subject.name,
            description=subject.description,
            kind=subject.kind,
            is_default=subject.is_default,
            version=subject.live_version_id,
            stages=_stages(subject, stages[subject.pk]),
        )
        for subject in subjects
    ]


def _stages(subject: Subject, found: Sequence[Stage]) -> Stages:
    """Listed are the stages of the live version; of a model of which nothing is live, all."""
    listed = list(found)
    if subject.kind == Subject.Kind.MODEL and subject.live_version is not None:
        document = subject.live_version.document
        keys = {document["exit"], *(one["key"] for one in document["stages"])}
        listed = [stage for stage in found if stage.key in keys]
    others = [stage for stage in found if stage not in listed]
    refs = {
        stage.pk: StageRef(stage.key, stage.name, place, stage.is_exit)
        for place, stage in enumerate([*listed, *others], start=1)
    }
    return Stages(
        {stage.pk: refs[stage.pk] for stage in listed},
        {stage.pk: refs[stage.pk] for stage in others},
    )
