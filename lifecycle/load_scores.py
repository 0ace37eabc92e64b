"""The scores that rules name, as steps of time over all profiles of a customer."""

from collections.abc import Iterable
from decimal import Decimal

import numpy as np

from clm.lib.columns import Columns
from customers.score_steps import PREFIX, SCORES

from .rules.evaluate import TraitColumn
from .rules.value_tests import Value

# What `lifecycle/score_steps` selects after the profile.
COLUMNS = {"at": "t", **dict.fromkeys(SCORES, "h")}
# Steps as rules see them; a score that is not told is nothing.
_VALUES: tuple[Value, ...] = (None, *(Decimal(step) for step in range(1, max(SCORES.values()) + 1)))


def score_columns(*, keys: Iterable[str], told: Columns) -> dict[str, TraitColumn]:
    """The changes of the scores of these keys. told: COLUMNS and whose each row is (`owner`, -1: somebody else's), in
    order of profile: of what several profiles were told at one instant, the profile that came last counts."""
    rows = np.flatnonzero(told["owner"] >= 0)
    rows = rows[np.lexsort((told["at"][rows], told["owner"][rows]))]
    owner, at = told["owner"][rows], told["at"][rows]
    found = {}
    for key in keys:
        steps = told[key.removeprefix(PREFIX)][rows]
        # A row is there when any score changed: this one mostly did not. Of one instant all are kept, the last counts.
        changed = np.ones(len(rows), bool)
        changed[1:] = (steps[1:] != steps[:-1]) | (owner[1:] != owner[:-1]) | (at[1:] == at[:-1])
        values = [_VALUES[step] for step in steps[changed].tolist()]
        found[key] = TraitColumn(owner[changed], at[changed], values)
    return found
