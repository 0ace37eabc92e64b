"""What customers say when they are asked: net promoter score, satisfaction and effort, with their intervals, how many
of those who were asked answered, and what they wrote.

Of each customer the last answer in a period counts, so that nobody is heard twice. A score of fewer than LEAST answers
is not told: its interval would hold nearly everything."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from fractions import Fraction
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clm.lib import sql
from clm.lib.cursors import cursor as written_cursor
from clm.lib.cursors import parse_cursor
from clm.lib.milliseconds import from_ms, to_ms
from clm.lib.periods import Period, local_day, month
from clm.lib.questions import NotThereError, QuestionError
from customers.models import Role

from .customer_figures import names_by_id
from .days.remembered import remembered_rows
from .intervals import mean_interval, moments, nps_interval, wilson
from .sales import types_of
from .scope import Scope
from .sorting import Sorting, StageRef, stage_model

LEAST = 30
MONTHS = 12
PAGE = 50


@dataclass(frozen=True, slots=True)
class Kind:
    """A question that is put to customers. scale: the whole numbers an answer may be; groups: scores that belong
    together, by name; unit: of the score (points of -1 to 1, percent of 0 to 1, or the answer's own scale)."""

    key: str
    name: Any
    definition: Any
    interval: str
    unit: str
    scale: tuple[int, int]
    groups: Mapping[str, tuple[Any, tuple[int, ...]]]

    @property
    def scores(self) -> tuple[int, ...]:
        low, high = self.scale
        return tuple(range(low, high + 1))


KINDS: dict[str, Kind] = {
    one.key: one
    for one in (
        Kind(
            "nps",
            gettext_lazy("NPS"),
            gettext_lazy(
                "Net promoter score: of the customers who answered how likely they are to recommend us (0 to 10), the "
                "share of promoters (9, 10) minus the share of detractors (0 to 6), in points from -100 to 100."
            ),
            "adjusted Wald",
            "points",
            (0, 10),
            {
                "promoters": (gettext_lazy("promoters"), (9, 10)),
                "passives": (gettext_lazy("passives"), (7, 8)),
                "detractors": (gettext_lazy("detractors"), (0, 1, 2, 3, 4, 5, 6)),
            },
        ),
        Kind(
            "csat",
            gettext_lazy("CSAT"),
            gettext_lazy(
                "Customer satisfaction: the share of the customers who answered how satisfied they are (1 to 5) with "
                "a 4 or a 5."
            ),
            "Wilson",
            "percent",
            (1, 5),
            {
                "satisfied": (gettext_lazy("satisfied"), (4, 5)),
                "neutral": (gettext_lazy("neutral"), (3,)),
                "dissatisfied": (gettext_lazy("dissatisfied"), (1, 2)),
            },
        ),
        Kind(
            "ces",
            gettext_lazy("CES"),
            gettext_lazy(
                "Customer effort score: the mean answer to “it was easy to get done what I came for”, from 1 (not at "
                "all) to 7 (entirely). Higher is better."
            ),
            "Student's t",
            "scale",
            (1, 7),
            {
                "easy": (gettext_lazy("easy"), (5, 6, 7)),
                "undecided": (gettext_lazy("undecided"), (4,)),
                "hard": (gettext_lazy("hard"), (1, 2, 3)),
            },
        ),
    )
}
# Those a survey was put to, by what became of it.
ASKED = {
    "asked": gettext_lazy("asked"),
    "answered": gettext_lazy("asked and answered"),
    "silent": gettext_lazy("asked without an answer"),
}


@dataclass(frozen=True, slots=True)
class Score:
    """A score with its 95 % interval. value None: not told, and note says why; low None alone: no interval can be."""

    answers: int
    value: float | None
    low: float | None
    high: float | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Response:
    """How many of the customers who were asked answered. rate None: note says why."""

    asked: int
    answered: int
    rate: Fraction | None
    interval: tuple[float, float] | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class AtStage:
    """Answers of customers who were in a stage when they gave them; stage None: in none."""

    stage: StageRef | None
    score: Score


@dataclass(frozen=True, slots=True)
class InMonth:
    """The score of a calendar month; the last one counts as far as the scope knows."""

    scope: Scope
    score: Score


@dataclass(frozen=True, slots=True)
class Survey:
    """Everything told of one kind. counts: customers by score; off_scale: answers that are no whole number on the scale
    and count nowhere."""

    kind: Kind
    score: Score
    counts: Mapping[int, int]
    off_scale: int
    response: Response
    stages: tuple[AtStage, ...]
    months: tuple[InMonth, ...]

    def of_group(self, name: str) -> int:
        """Customers whose score is in one of the kind's groups."""
        return sum(self.counts.get(score, 0) for score in self.kind.groups[name][1])


@dataclass(frozen=True, slots=True)
class Feedback:
    """All surveys of one scope."""

    scope: Scope
    model: Sorting
    surveys: tuple[Survey, ...]


@dataclass(frozen=True, slots=True)
class Comment:
    """What somebody wrote beside a score. stage: at that time, None: in none."""

    touchpoint: int
    at: datetime
    customer: int
    known_as: str
    score: int
    text: str
    stage: StageRef | None


@dataclass(frozen=True, slots=True)
class CommentPage:
    """Comments, newest first. next_cursor: where the next page begins, None at the end."""

    comments: tuple[Comment, ...]
    next_cursor: str | None


def score_of(kind: Kind, counts: Mapping[int, int]) -> Score:
    """The score of customers by their answer."""
    answers = sum(counts.values())
    if answers < LEAST:
        return Score(answers, None, None, None, _too_few(answers))
    if kind.key == "nps":
        up, middle, down = (
            sum(counts.get(score, 0) for score in kind.groups[name][1])
            for name in ("promoters", "passives", "detractors")
        )
        interval = nps_interval(up, middle, down)
        value = (up - down) / answers
    elif kind.key == "csat":
        satisfied = sum(counts.get(score, 0) for score in kind.groups["satisfied"][1])
        interval, value = wilson(satisfied, answers), satisfied / answers
    else:
        total = sum(score * number for score, number in counts.items())
        squares = sum(score * score * number for score, number in counts.items())
        interval, value = mean_interval(moments(count=answers, total=total, squares=squares)), total / answers
    if interval is None:
        return Score(answers, value, None, None, _("Everybody answered the same, so no interval can be told."))
    return Score(answers, value, *interval)


def in_units(kind: Kind, value: float | None) -> float | None:
    """A score as machines are told it: points from -100 to 100, percent from 0 to 100, or the scale's own."""
    if value is None:
        return None
    return round(value * 100, 9) if kind.unit in ("points", "percent") else round(value, 9)


def feedback(*, scope: Scope) -> Feedback:
    """Scores of a period, by stage and over the months up to its end."""
    model = scope.model or stage_model()
    months = month_scopes(scope)
    windows = [(one.period.start_at, one.until_at) for one in (scope, *months)]
    found = _answers(scope, model, windows, of=scope.generation)
    asked = {kind: (one, other) for kind, one, other, _listed in _asked(scope, of=scope.generation)}
    in_all: dict[tuple[int, str], dict[int, int]] = defaultdict(lambda: defaultdict(int))
    at_stage: dict[tuple[str, int], dict[int, int]] = defaultdict(lambda: defaultdict(int))
    off_scale: dict[str, int] = {}
    for number, kind, score, stage, customers, _listed in found:
        if score is None:
            off_scale[kind] = customers
            continue
        in_all[number, kind][score] += customers
        if number == 1:
            at_stage[kind, stage or 0][score] += customers
    return Feedback(
        scope,
        model,
        tuple(
            Survey(
                kind=kind,
                score=score_of(kind, in_all[1, key]),
                counts=dict(in_all[1, key]),
                off_scale=off_scale.get(key, 0),
                response=_response(*asked.get(key, (0, 0))),
                stages=_stages(kind, model, at_stage),
                months=tuple(
                    InMonth(one, score_of(kind, in_all[number, key])) for number, one in enumerate(months, start=2)
                ),
            )
            for key, kind in KINDS.items()
        ),
    )


def month_scopes(scope: Scope) -> tuple[Scope, ...]:
    """The calendar months up to the one in which the scope ends, oldest first; whole ones, as far as `as_of` knows."""
    zone = scope.period.zone
    found: list[Period] = [month(day=local_day(scope.end_at, zone), zone=zone)]
    while len(found) < MONTHS:
        found.append(found[-1].previous())
    return tuple(replace(scope, period=one) for one in reversed(found))


def _stages(kind: Kind, model: Sorting, at_stage: Mapping[tuple[str, int], Mapping[int, int]]) -> tuple[AtStage, ...]:
    seen = {stage for key, stage in at_stage if key == kind.key}
    refs: list[tuple[int, StageRef | None]] = [*model.stages.including(seen - {0}).items()]
    if 0 in seen:
        refs.append((0, None))
    return tuple(AtStage(ref, score_of(kind, at_stage[kind.key, stage])) for stage, ref in refs if stage in seen)


def _response(asked: int, answered: int) -> Response:
    if not asked:
        said = _(
            "n/a: nobody is known to have been asked. Send a touchpoint such as Survey Sent with the property survey "
            "(nps, csat or ces) for whoever is asked."
        )
        return Response(0, 0, None, None, said)
    return Response(asked, answered, Fraction(answered, asked), wilson(answered, asked))


def _too_few(answers: int) -> str:
    if not answers:
        return _("n/a: nobody answered in this period.")
    said = _("n/a: of %(answers)s answers a score is not told; it takes %(least)s.")
    return said % {"answers": answers, "least": LEAST}


# --- whom it counts ----------------------------------------------------------------------------------------------
def group_name(kind: str, which: str, model: Sorting | None = None, stage: StageRef | None = None) -> str:
    """The name of a group of customers. which: answers, a group of the kind, a score, or one of ASKED; model: only who
    was in `stage` of it (None: in none) when they answered."""
    name = f"feedback:{kind}:{which}"
    return name if model is None else f"{name}:{model.key}:{stage.key if stage else ''}"


def refuse_unknown_group(group: str) -> None:
    """QuestionError names the field `group` when there is no such group."""
    _parsed(group)


def said(group: str) -> str:
    """What the customers of a group have in common, as the end of "12 customers ..."."""
    kind, which, _scores, model, stage = _parsed(group)
    if which in ASKED:
        return _("who were %(asked)s (%(kind)s)") % {"asked": ASKED[which], "kind": kind.name}
    if which == "answers":
        told = _("whose last answer counts for %(kind)s") % {"kind": kind.name}
    elif which in kind.groups:
        told = _("who are %(which)s by their last answer (%(kind)s)") % {
            "which": kind.groups[which][0],
            "kind": kind.name,
        }
    else:
        told = _("whose last answer is a %(score)s (%(kind)s)") % {"score": which, "kind": kind.name}
    if model is None:
        return told
    name = model.stages[stage].name if stage else _("no stage")
    return _("%(told)s, given in %(stage)s") % {"told": told, "stage": name}


def customers_of(*, scope: Scope, group: str) -> list[int]:
    """The ids of the customers of a group, in order."""
    kind, which, scores, model, stage = _parsed(group)
    if which in ASKED:
        listed = [row[-1] for row in _asked(scope, of=None, listed_kind=kind.key, listed_group=which)]
    else:
        rows = _answers(
            scope,
            model or scope.model or stage_model(),
            [(scope.period.start_at, scope.until_at)],
            of=None,
            listed_kind=kind.key,
            listed_scores=None if scores is None else list(scores),
            listed_stage=stage,
        )
        listed = [row[-1] for row in rows]
    return sorted(customer for some in listed for customer in some or ())


def _parsed(group: str) -> tuple[Kind, str, tuple[int, ...] | None, Sorting | None, int | None]:
    """The kind, which, its scores (None: any), and the model and the stage (0: none) where it names them."""
    parts = group.split(":")
    kind = KINDS.get(parts[1]) if len(parts) in (3, 5) else None
    if kind is None:
        raise _no_group(group)
    which, scores = parts[2], None
    if which in kind.groups:
        scores = kind.groups[which][1]
    elif which.isascii() and which.isdigit() and len(which) < 3 and int(which) in kind.scores:
        scores = (int(which),)
    elif which != "answers" and (which not in ASKED or len(parts) == 5):
        raise _no_group(group)
    if len(parts) == 3:
        return kind, which, scores, None, None
    try:
        model = stage_model(parts[3])
        return kind, which, scores, model, model.stage_id(parts[4]) if parts[4] else 0
    except NotThereError as error:
        raise QuestionError("group", str(error)) from None


def _no_group(group: str) -> QuestionError:
    return QuestionError("group", _("There is no group “%(group)s”.") % {"group": group[:60]})


# --- what they wrote ---------------------------------------------------------------------------------------------
def comments(
    *, scope: Scope, kind: str, which: str = "answers", cursor: str | None = None, most: int = PAGE
) -> CommentPage:
    """A page of what customers wrote beside their answers in the period, newest first: all answers, not only the last
    of each customer. which: answers, a group of the kind or a score."""
    if kind not in KINDS:
        known = ", ".join(KINDS)
        raise QuestionError("kind", _("Surveys are of one of these kinds: %(known)s.") % {"known": known})
    model = scope.model or stage_model()
    try:
        asked, _which, scores, _model, _stage = _parsed(f"feedback:{kind}:{which}")
        if which in ASKED:
            raise _no_group(which)
    except QuestionError:
        known = ", ".join(("answers", *KINDS[kind].groups))
        raise QuestionError("which", _("Choose a score, or one of %(known)s.") % {"known": known}) from None
    before = parse_cursor(cursor, kinds="c", count=2)[1] if cursor else None
    rows = sql.rows(
        "analytics/feedback_words",
        feedback=types_of(Role.FEEDBACK),
        kind=kind,
        scores=list(asked.scores if scores is None else scores),
        start_at=scope.period.start_at,
        until_at=scope.until_at,
        before_at=from_ms(before[0]) if before else None,
        before_id=before[1] if before else None,
        version=model.version,
        most=most + 1,
        **scope.among,
    )
    names = names_by_id([row[2] for row in rows[:most]])
    found = tuple(
        Comment(number, at, customer, names[customer], score, text, model.stages[stage] if stage else None)
        for number, at, customer, score, text, stage in rows[:most]
    )
    following = written_cursor("c", to_ms(found[-1].at), found[-1].touchpoint) if len(rows) > most else None
    return CommentPage(found, following)


# --- what is read ------------------------------------------------------------------------------------------------
def _answers(
    scope: Scope,
    model: Sorting,
    windows: Sequence[tuple[datetime, datetime]],
    *,
    of: str | None,
    listed_kind: str | None = None,
    listed_scores: list[int] | None = None,
    listed_stage: int | None = None,
) -> list[tuple[int, str, int | None, int | None, int, list[int] | None]]:
    return remembered_rows(
        "analytics/feedback_answers",
        of=of,
        packs=scope.packs,
        feedback=types_of(Role.FEEDBACK),
        starts=[start for start, _until in windows],
        untils=[until for _start, until in windows],
        version=model.version,
        listed_kind=listed_kind,
        listed_scores=listed_scores,
        listed_stage=listed_stage,
        **scope.among,
    )


def _asked(
    scope: Scope, *, of: str | None, listed_kind: str | None = None, listed_group: str | None = None
) -> list[tuple[str, int, int, list[int] | None]]:
    return remembered_rows(
        "analytics/feedback_asked",
        of=of,
        packs=scope.packs,
        asking=types_of(Role.EXPOSURE),
        feedback=types_of(Role.FEEDBACK),
        start_at=scope.period.start_at,
        until_at=scope.until_at,
        listed_kind=listed_kind,
        listed_group=listed_group,
        **scope.among,
    )


def month_label(one: InMonth) -> date:
    """The first day of a month."""
    return one.scope.period.start
