"""What happens next if nothing else happens: computed exactly from the rules when somebody asks, never stored."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from clm.lib.milliseconds import from_ms, to_ms

from .live import live
from .load import Loaded, load
from .rules.evaluate import spells
from .rules.line import until as facts_until


@dataclass(frozen=True, slots=True)
class NextChange:
    """The next change of one customer in one subject: into which stage (a Stage id), and when."""

    stage: int
    at: datetime


def lives(*, customers: Iterable[int]) -> Loaded | None:
    """The facts of customers as far as anything live looks at them, for whoever has several questions about the same
    ones: reading them takes longer than each answer. None while nothing is live."""
    program = live().program
    return None if program is None else load(customers=customers, program=program)


def next_changes(
    *,
    customers: Iterable[int],
    now: datetime,
    subject: int | None = None,
    only_until_now: bool = False,
    loaded: Loaded | None = None,
) -> dict[int, dict[int, NextChange]]:
    """By customer and subject id, the next change by time alone after `now`; those that time alone will
    not change are left out. `subject` is the id of the only model or segment that is asked about. only_until_now: as if
    nothing had happened after `now`, an instant of the past: what could be seen coming then. loaded: the `lives` of the
    same customers."""
    ahead = changes_ahead(customers=customers, now=now, subject=subject, only_until_now=only_until_now, loaded=loaded)
    return {
        customer: {number: changes[0] for number, changes in subjects.items()} for customer, subjects in ahead.items()
    }


def changes_ahead(
    *,
    customers: Iterable[int],
    now: datetime,
    until: datetime | None = None,
    subject: int | None = None,
    only_until_now: bool = False,
    loaded: Loaded | None = None,
) -> dict[int, dict[int, tuple[NextChange, ...]]]:
    """By customer and subject id, every change by time alone in (now, until], in order of time; until None: for ever.
    A customer may pass through several stages on its way to the last."""
    rules = live(only=subject)
    if rules.program is None:
        return {}
    if loaded is None or not loaded.answers(rules.program):
        loaded = load(customers=customers, program=rules.program)
    facts = facts_until(loaded.facts, to_ms(now)) if only_until_now else loaded.facts
    found: dict[int, dict[int, tuple[NextChange, ...]]] = {}
    for one, change in zip(rules.subjects, spells(rules.program, facts), strict=True):
        if not one.is_live:
            continue
        ahead = change.at > to_ms(now)
        if until is not None:
            ahead &= change.at <= to_ms(until)
        for row in np.flatnonzero(ahead).tolist():
            subjects = found.setdefault(int(loaded.customers[change.owner[row]]), {})
            change_of_row = NextChange(stage=one.stages[int(change.stage[row])], at=from_ms(int(change.at[row])))
            subjects[one.subject] = (*subjects.get(one.subject, ()), change_of_row)
    return found
