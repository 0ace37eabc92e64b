"""The engine and the slow reference give the same spells, for generated rules over generated histories."""

import json
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import lifecycle
from lifecycle.rules import evaluate
from tests.lifecycle.rules.agreement import assert_spells_agree
from tests.lifecycle.rules.effort import effort
from tests.lifecycle.rules.generated_cases import Case, cases
from tests.lifecycle.rules.generated_histories import EVERY_ROLE, ZONES, lives
from tests.lifecycle.rules.generated_rules import REMAPPED, ROLES
from tests.lifecycle.rules.reference import History, Version


@pytest.mark.lasting("rules")
@effort(500)
@given(cases(dense=True, sort="stages"))
def test_every_spell_agrees_on_a_dense_grid(case: Case):
    assert_spells_agree(case)


@pytest.mark.lasting("rules")
@effort(250)
@given(cases(dense=False, sort="stages"))
def test_every_spell_agrees_on_wild_histories(case: Case):
    assert_spells_agree(case)


@pytest.mark.lasting("rules")
@effort(200)
@given(cases(dense=True, sort="wide"))
def test_every_spell_agrees_for_models_wider_than_a_machine_word(case: Case):
    assert_spells_agree(case)


@pytest.mark.lasting("rules")
@effort(200)
@given(
    cases(dense=True, sort="stages"),
    st.sampled_from(ZONES),
    st.sampled_from((ROLES, REMAPPED)),
    st.sampled_from((0, 2)),
)
def test_versions_with_their_own_zone_roles_and_l_do_not_disturb_each_other(case: Case, zone, roles, digits):
    earlier = case.version
    later = Version(roles, zone, 3, earlier.sub_rules, digits, earlier.segments, earlier.models)
    assert_spells_agree(case, later)


@pytest.mark.lasting("rules")
@effort(150)
@given(cases(dense=True, sort="stages"), st.integers(1, 3))
def test_spells_do_not_depend_on_where_the_chunks_are_cut(case: Case, owners: int):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluate, "_CHUNK_OWNERS", owners)
        assert_spells_agree(case)


INSTALLED = Path(lifecycle.__file__).parent / "stage_models"


@cache
def installed(name: str) -> Any:
    return json.loads((INSTALLED / f"{name}.json").read_text(encoding="utf-8"), parse_float=Decimal)


@pytest.mark.lasting("rules")
@effort(200)
@given(lives(), st.sampled_from(("seven", "five", "cycle")), st.sampled_from(("Europe/London", "America/St_Johns")))
def test_every_spell_of_the_installed_models_agrees(histories: list[History], model: str, zone: str):
    rules = [stage["rule"] for stage in installed(model)["stages"]]
    version = Version({role: role for role in EVERY_ROLE}, zone, 180, installed("sub_rules"))
    assert_spells_agree(Case(version, rules, histories))
