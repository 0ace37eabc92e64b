"""Scores in declared steps: what rules may name of what is computed about customers, and telling what has changed.

A rule reads a score as `{"trait": "score:risk", "gte": 8}`: a step function of time like a trait, true on spans between
the instants at which its step changed. What a customer of several profiles was told is what was told last of any of
them, as with traits; whoever tells scores tells them of every profile of a customer."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from clm.lib import sql

from .models import Cause

# Every score that rules may name and how many steps it has: 1 is the lowest.
SCORES: Mapping[str, int] = {"alive": 10, "risk": 10, "worth": 10, "recency": 5, "frequency": 5, "monetary": 5}
PREFIX = "score:"
# As rules name them.
KEYS = frozenset(PREFIX + name for name in SCORES)


@dataclass(frozen=True, slots=True)
class Told:
    """What telling changed. steps: rows of steps; stale: profiles that are to be looked at because of it."""

    steps: int
    stale: int


def tell_steps(
    *,
    first: int,
    until: int,
    customers: Sequence[int],
    causes: Sequence[int],
    steps: Mapping[str, Sequence[int]],
    named: Iterable[str],
    since: datetime,
    cause: Cause,
    at: datetime,
) -> Told:
    """Tell from the instant `at` on what the scores of the customers [first, until) are: `steps` by name of score, in
    the order of `customers`, 0 where one is not told. Whoever of them is not among `customers` has no score any more.

    A profile of whom something else was told last gets a row; it is marked as changed where that is so of a score of
    `named`, with the cause of its customer (in the order of `customers`; `cause` for whoever has no score any more).
    Profiles that changed hands after `since`, when scores began to be computed, keep what they were told.

    The caller shares PROPERTY_KEYS, so that nobody is erased meanwhile, and VERSIONS if `named` is to stay what rules
    name; and has read the clock after that."""
    assert steps.keys() == SCORES.keys()
    ((rows, stale),) = sql.rows(
        "customers/score_steps_add",
        first=first,
        until=until,
        customers=list(customers),
        causes=list(causes),
        **{name: list(column) for name, column in steps.items()},
        named=sorted(named),
        since=since,
        cause=cause,
        at=at,
    )
    return Told(int(rows), int(stale))
