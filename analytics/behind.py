"""The customers behind a number, by the name of the group that its link carries: `kept` of a retention rate, `buyers`
of a revenue, `moved:seven:onboarding:retention` of a cell of the transition matrix. Lists and the API ask here and
nowhere else, so a number and its list are counted by the same rules."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

import numpy as np
from django.utils.translation import gettext as _

from clm.lib.questions import NotThereError, QuestionError
from customers.models import Role

from . import (
    attributed,
    cohorts,
    feedback,
    lapsing,
    movement,
    paid_customers,
    paths,
    retention,
    revenue_kept,
    sales,
    scores,
    support,
)
from .days.lives import Int64s
from .days.remembered import remembered_ids
from .experiments import results
from .sales import types_of
from .scope import Scope
from .sorting import Sorting, StageRef, segment, stage_model


@dataclass(frozen=True, slots=True)
class _Kind:
    """How the groups of one kind are listed and said. stages: how many stages its name carries."""

    stages: int
    listed: Callable[[Sorting, Scope, list[int]], list[int]]
    said: Callable[[list[str]], str]


def _others(model: Sorting, stage: int) -> list[int]:
    return [number for number in (0, *model.stages) if number != stage]


_KINDS: dict[str, _Kind] = {
    "moved": _Kind(
        2,
        lambda model, scope, of: movement.customers_who_moved(model=model, scope=scope, sources=of[:1], targets=of[1:]),
        lambda names: _("in %(from)s at the start and in %(to)s at the end") % {"from": names[0], "to": names[1]},
    ),
    "came": _Kind(
        1,
        lambda model, scope, of: movement.customers_who_moved(
            model=model, scope=scope, sources=_others(model, of[0]), targets=of
        ),
        lambda names: _("in %(stage)s at the end and not at the start") % {"stage": names[0]},
    ),
    "gone": _Kind(
        1,
        lambda model, scope, of: movement.customers_who_moved(
            model=model, scope=scope, sources=of, targets=_others(model, of[0])
        ),
        lambda names: _("in %(stage)s at the start and not at the end") % {"stage": names[0]},
    ),
    "at_start": _Kind(
        1,
        lambda model, scope, of: movement.customers_who_moved(
            model=model, scope=scope, sources=of, targets=list(model.stages)
        ),
        lambda names: _("in %(stage)s at the start") % {"stage": names[0]},
    ),
    "at_end": _Kind(
        1,
        lambda model, scope, of: movement.customers_who_moved(
            model=model, scope=scope, sources=[0, *model.stages], targets=of
        ),
        lambda names: _("in %(stage)s at the end") % {"stage": names[0]},
    ),
    "entered": _Kind(
        1,
        lambda model, scope, of: movement.customers_who_stayed(model=model, scope=scope, stage=of[0], is_left=None),
        lambda names: _("who entered %(stage)s") % {"stage": names[0]},
    ),
    "left": _Kind(
        1,
        lambda model, scope, of: movement.customers_who_stayed(model=model, scope=scope, stage=of[0], is_left=True),
        lambda names: _("who entered %(stage)s and left it again by now") % {"stage": names[0]},
    ),
    "reached": _Kind(
        1,
        lambda model, scope, of: movement.customers_on_the_way(model=model, scope=scope, stage=of[0], is_reached=True),
        lambda names: _("who entered %(stage)s and went on to a later stage by now") % {"stage": names[0]},
    ),
}


# The groups that take nothing but their name.
PLAIN = (*retention.GROUPS, *sales.GROUPS, *revenue_kept.GROUPS, *paid_customers.GROUPS)


def group_name(kind: str, model: Sorting, *stages: StageRef | None) -> str:
    """The name of a group of movement; a stage None: in none yet."""
    return ":".join([kind, model.key, *(stage.key if stage else "" for stage in stages)])


def customers_behind(*, scope: Scope, group: str) -> list[int]:
    """The ids of the customers of a group, in order; QuestionError names the field `group`."""
    if group in retention.GROUPS:
        return retention.customers_of(scope=scope, group=group)
    if group in sales.GROUPS:
        return sales.customers_of(scope=scope, group=group)
    if group in paid_customers.GROUPS:
        return paid_customers.customers_of(scope=scope, group=group)
    if group in revenue_kept.GROUPS:
        return revenue_kept.customers_of(scope=scope, group=group)
    if group.startswith("path:"):
        model, kind_of_way, way = _parsed_path(group)
        return paths.customers_of(model=model, scope=scope, kind=kind_of_way, way=way)
    if group.startswith("stays:"):
        versus, side, which = _parsed_stays(group)
        return lapsing.customers_of(scope=scope, versus=versus, side=side, group=which)
    if group.startswith("score:"):
        return scores.customers_of(group=group)
    if group.startswith("experiment:"):
        return results.customers_of(as_of=scope.as_of, group=group)
    if (room := _room(group)) is not None:
        return room.customers_of(scope=scope, group=group)
    if group.startswith("cohort:"):
        asked, start, k = _parsed_cohort(group)
        return cohorts.customers_of_cell(scope=scope, asked=asked, start=start, k=k)
    kind, model, stages = _parsed(group)
    return kind.listed(model, scope, stages)


def ids_behind(*, scope: Scope, group: str) -> Int64s:
    """The same, remembered like the figures themselves: whoever turns the pages of a list asks for it again and again.
    Nothing is remembered of experiments, to which people are assigned meanwhile, and of paid channels, on which
    somebody enters spend."""
    of, changes = scope.generation, group.startswith("experiment:") or group in paid_customers.GROUPS
    if of is None or changes or scope.kept is None:
        return np.array(customers_behind(scope=scope, group=group), np.int64)
    asked: dict[str, Any] = {"group": group}
    if group.startswith("score:"):
        scoring = scores.latest_scoring()
        asked["scoring"] = scoring.pk if scoring is not None else None
    else:
        asked["scope"] = (scope.query(), scope.model.key if scope.model is not None else None)
        # A figure is another once a version goes live, types are mapped, or customers were won meanwhile.
        asked["counted"] = sorted((*key, mark.basis) for key, mark in scope.kept.marks.items())
        asked["types"] = types_of(Role.SUPPORT, Role.FEEDBACK, Role.EXPOSURE)
        asked["won"] = scope.kept.acquisition_known_at if _room(group) is attributed else None
    return remembered_ids("behind", of=of, count=lambda: customers_behind(scope=scope, group=group), **asked)


def refuse_unknown_group(group: str) -> None:
    """QuestionError names the field `group` when there is no such group."""
    if group in PLAIN:
        return
    if group.startswith("score:"):
        scores.refuse_unknown_group(group)
    elif group.startswith("experiment:"):
        results.refuse_unknown_group(group)
    elif (room := _room(group)) is not None:
        room.refuse_unknown_group(group)
    elif group.startswith("cohort:"):
        _parsed_cohort(group)
    elif group.startswith("path:"):
        _parsed_path(group)
    elif group.startswith("stays:"):
        _parsed_stays(group)
    else:
        _parsed(group)


def said(group: str) -> str:
    """What the customers of a group of movement or of a cohort have in common, as the end of "12 customers ..."; "" for
    others."""
    if ":" not in group:
        return ""
    if group.startswith("score:"):
        return scores.said(group)
    if group.startswith("experiment:"):
        return results.said(group)
    if (room := _room(group)) is not None:
        return room.said(group)
    if group.startswith("cohort:"):
        asked, _start, k = _parsed_cohort(group)
        of = {"later": cohorts.units_said(k or 0, asked.unit), "beginning": asked.beginning}
        # A list goes on with its period, which is the cohort's own.
        if k is None:
            return _("whose %(beginning)s lies") % of
        if asked.mode == "after":
            return _("with an order %(later)s or more after that of their %(beginning)s, which lies") % of
        return _("with an order %(later)s after that of their %(beginning)s, which lies") % of
    if group.startswith("path:"):
        model, kind_of_way, way = _parsed_path(group)
        steps = paths.steps_named(model, kind_of_way, way) or _("nothing")
        return _("who paid for the first time, after %(steps)s") % {"steps": steps}
    if group.startswith("stays:"):
        versus, side, which = _parsed_stays(group)
        told = _("who ever became active") if which == "began" else _("who became active and then lapsed")
        if versus is None:
            return told
        among = _("among %(segment)s") if side == "in" else _("not among %(segment)s")
        return f"{told}, {among % {'segment': versus.name}}"
    kind, model, stages = _parsed(group)
    return kind.said([model.stages[number].name if number else _("no stage") for number in stages])


def has_period(group: str) -> bool:
    """Whether a group is about a period; scores, experiments and stays have times of their own."""
    return not group.startswith(("score:", "experiment:", "stays:"))


def path_group(model: Sorting, kind: str, way: paths.Way) -> str:
    """The name of the group of those who came by a way to their first purchase."""
    return f"path:{kind}:{model.key}:{paths.way_text(way)}"


def stays_group(versus: Sorting | None, side: str, which: str) -> str:
    """The name of the group of a curve of stays: of who began, or of who ended."""
    return f"stays:{which}:{side}:{versus.key if versus else ''}"


def _parsed_path(group: str) -> tuple[Sorting, str, paths.Way]:
    try:
        _path, kind, key, text = group.split(":", 3)
        if kind in paths.KINDS:
            return stage_model(key), kind, paths.parsed_way(text)
    except (ValueError, NotThereError):
        pass
    raise QuestionError("group", _("There is no group “%(group)s”.") % {"group": group[:60]})


def _parsed_stays(group: str) -> tuple[Sorting | None, str, str]:
    try:
        _stays, which, side, key = group.split(":", 3)
        if which in lapsing.GROUPS and side in lapsing.SIDES and bool(key) == (side != "all"):
            return segment(key) if key else None, side, which
    except (ValueError, NotThereError):
        pass
    raise QuestionError("group", _("There is no group “%(group)s”.") % {"group": group[:60]})


class _Room(Protocol):
    """A module whose groups say themselves whom they hold."""

    def customers_of(self, *, scope: Scope, group: str) -> list[int]: ...

    def refuse_unknown_group(self, group: str, /) -> None: ...

    def said(self, group: str, /) -> str: ...


_ROOMS: dict[str, _Room] = {"feedback": feedback, "tickets": support, "credited": attributed, "orders": attributed}


def _room(group: str) -> _Room | None:
    """Whose group it is by its first word, None for others."""
    return _ROOMS.get(group.partition(":")[0]) if ":" in group else None


def cohort_group(asked: cohorts.Asked, start: date, k: int | None) -> str:
    """The name of the group of a cell of a cohort table; k None: the whole cohort."""
    return f"cohort:{asked.by}:{asked.unit}:{asked.mode}:{start}:{'' if k is None else k}"


def _parsed_cohort(group: str) -> tuple[cohorts.Asked, date, int | None]:
    try:
        by, unit, mode, start, k = group.removeprefix("cohort:").rsplit(":", 4)
        return cohorts.Asked(by, unit, mode), date.fromisoformat(start), int(k) if k else None
    except ValueError:
        raise QuestionError("group", _("There is no group “%(group)s”.") % {"group": group[:60]}) from None


def _parsed(group: str) -> tuple[_Kind, Sorting, list[int]]:
    name, *rest = group.split(":")
    kind = _KINDS.get(name)
    if kind is None or len(rest) != kind.stages + 1:
        groups = ", ".join((*PLAIN, *(f"{name}:MODEL:STAGE" for name in _KINDS)))
        said_so = _("There is no group “%(group)s”. The groups are %(groups)s.")
        raise QuestionError("group", said_so % {"group": group[:40], "groups": groups})
    try:
        model = stage_model(rest[0])
        return kind, model, [model.stage_id(key) if key else 0 for key in rest[1:]]
    except NotThereError as error:
        raise QuestionError("group", str(error)) from None
