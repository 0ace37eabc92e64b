"""Random cases: rules and the histories they are tried on, in one setting."""

from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import strategies as st

from tests.lifecycle.rules.generated_histories import grid_histories, grids, wild_histories, wild_settings
from tests.lifecycle.rules.generated_rules import REMAPPED, ROLES, rules, stages, sub_rules, wide_stages
from tests.lifecycle.rules.reference import History, Version


@dataclass(frozen=True)
class Case:
    """Rules, each alone or the stages of one model, over the histories of one chunk."""

    version: Version
    rules: Sequence[object]
    histories: Sequence[History]


@st.composite
def cases(draw, dense: bool, sort: str) -> Case:
    """`sort` says what the rules are: `rules` (one to three), `stages` of one model, or `wide` stages."""
    if dense:
        setting, anchor, unit = draw(grids())
        histories = draw(grid_histories(anchor, unit))
    else:
        setting = draw(wild_settings())
        histories = draw(wild_histories())
    named: dict[str, object] = {}
    if sort == "wide":
        chosen = draw(wide_stages(setting.windows))
    else:
        named = draw(sub_rules(setting.windows))
        one = rules(setting.windows, tuple(named))
        chosen = draw(
            st.lists(one, min_size=1, max_size=3) if sort == "rules" else stages(setting.windows, tuple(named))
        )
    roles = draw(st.sampled_from((ROLES, REMAPPED)))
    digits = draw(st.sampled_from((2, 2, 0, 3)))
    return Case(Version(roles, setting.zone, setting.lapse_days, named, digits), chosen, histories)
