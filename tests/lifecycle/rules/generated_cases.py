"""Random cases: rules and the histories they are tried on, in one setting."""

from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import strategies as st

from tests.lifecycle.rules.generated_histories import (
    grid_histories,
    grids,
    told_and_decided,
    wild_histories,
    wild_settings,
)
from tests.lifecycle.rules.generated_rules import (
    REMAPPED,
    ROLES,
    SEGMENTS,
    STAGES,
    day_rules,
    definitions,
    money_rules,
    rules,
    stages,
    sub_rules,
    wide_stages,
)
from tests.lifecycle.rules.reference import History, Version


@dataclass(frozen=True)
class Case:
    """Rules, each alone or the stages of one model, over the histories of one chunk."""

    version: Version
    rules: Sequence[object]
    histories: Sequence[History]


@st.composite
def cases(draw, dense: bool, sort: str) -> Case:
    """`sort` says what the rules are: `rules` (one to three), `money` (those of spent and grew), `days` (those that
    count days, around days that came back or were left out), `stages` of one model, or `wide` stages."""
    if dense:
        setting, anchor, unit = draw(grids(sort == "days"))
        histories = draw(grid_histories(anchor, unit))
    else:
        setting = draw(wild_settings())
        histories = draw(wild_histories())
    named = draw(sub_rules(setting.windows)) if sort in ("rules", "stages") else {}
    names = tuple({"rule": name} for name in named)
    segments, models = {}, {}
    if sort in ("rules", "stages"):
        segments, models = draw(definitions(setting.windows, names))
        names = (*names, *SEGMENTS, *STAGES)
        histories = [draw(told_and_decided(history)) for history in histories]
    match sort:
        case "wide":
            chosen = draw(wide_stages(setting.windows))
        case "stages":
            chosen = draw(stages(setting.windows, names))
        case "rules":
            chosen = draw(st.lists(rules(setting.windows, names), min_size=1, max_size=3))
        case _:
            one = {"days": day_rules, "money": money_rules}[sort](setting.windows)
            chosen = draw(st.lists(one, min_size=1, max_size=3))
    roles = draw(st.sampled_from((ROLES, REMAPPED)))
    digits = draw(st.sampled_from((2, 2, 0, 3)))
    return Case(Version(roles, setting.zone, setting.lapse_days, named, digits, segments, models), chosen, histories)
