"""Counts of an experiment as documents (JSON) that are kept: what its results rest on, and what decided what was
counted."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

from analytics.sales import types_of
from customers.models import Role

from .counting import ByVariant, Counts, Goal, goal_of
from .cuped import Sums

_SUMS = tuple(field.name for field in fields(Sums))


def metric_document(document: Mapping[str, Any], found: ByVariant) -> dict[str, Any]:
    """One metric of an experiment as it was counted: what was to be reached, and the counts by variant."""
    return {"goal": goal_of(document), "counts": [_written(variant, one) for variant, one in found.items()]}


def counts_of(metrics: Sequence[Mapping[str, Any]]) -> tuple[ByVariant, ...]:
    """The counts of such documents."""
    return tuple(_by_variant(one["counts"]) for one in metrics)


def goals_of(metrics: Sequence[Mapping[str, Any]]) -> list[Goal | None]:
    """What was to be reached when they were counted."""
    return [None if one["goal"] is None else (one["goal"][0], one["goal"][1]) for one in metrics]


def types_counted() -> dict[str, list[int]]:
    """The types whose touchpoints are orders, and those that are refunds."""
    return {role.value: sorted(types_of(role)) for role in (Role.PURCHASE, Role.REFUND)}


def _written(variant: int | None, one: Counts) -> dict[str, int | None]:
    return {"variant": variant, "assigned": one.assigned, "converted": one.converted, **asdict(one.sums)}


def _by_variant(rows: Sequence[Mapping[str, Any]]) -> ByVariant:
    return {
        row["variant"]: Counts(row["assigned"], row["converted"], Sums(*(row[name] for name in _SUMS))) for row in rows
    }
