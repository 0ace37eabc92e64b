"""What happens next if nothing else happens: computed exactly from the rules when somebody asks, never stored."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from clm.lib.milliseconds import from_ms, to_ms

from .live import live
from .load import load
from .rules.evaluate import spells


@dataclass(frozen=True, slots=True)
class NextChange:
    """The next change of one customer in one subject: into which stage (a Stage id), and when."""

    stage: int
    at: datetime


def next_changes(
    *, customers: Iterable[int], now: datetime, subject: str | None = None
) -> dict[int, dict[int, NextChange]]:
    """By customer and subject id, the next change by time alone after `now`; those that time alone will
    not change are left out. `subject` is the key of the only model or segment that is asked about."""
    rules = live(only=subject)
    if rules.program is None:
        return {}
    loaded = load(customers=customers, property_keys=rules.program.property_keys)
    found: dict[int, dict[int, NextChange]] = {}
    for one, change in zip(rules.subjects, spells(rules.program, loaded.facts), strict=True):
        if not one.is_live:
            continue
        ahead = np.flatnonzero(change.at > to_ms(now))
        owners = change.owner[ahead]
        first = ahead[np.flatnonzero(np.append(True, owners[1:] != owners[:-1])[: len(owners)])]
        for row in first.tolist():
            customer = int(loaded.customers[change.owner[row]])
            found.setdefault(customer, {})[one.subject] = NextChange(
                stage=one.stages[int(change.stage[row])], at=from_ms(int(change.at[row]))
            )
    return found
