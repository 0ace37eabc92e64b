"""The engine and the slow reference give the same spans, for generated rules over generated histories."""

import pytest
from hypothesis import given

from tests.lifecycle.rules.agreement import assert_spans_agree
from tests.lifecycle.rules.effort import effort
from tests.lifecycle.rules.generated_cases import Case, cases
from tests.lifecycle.rules.generated_rules import OPERANDS, ROLES, VALUES
from tests.lifecycle.rules.reference import History, Touchpoint, Version


@pytest.mark.lasting("rules")
@effort(800)
@given(cases(dense=True, sort="rules"))
def test_every_span_agrees_on_a_dense_grid(case: Case):
    assert_spans_agree(case)


@pytest.mark.lasting("rules")
@effort(500)
@given(cases(dense=True, sort="money"))
def test_every_span_of_sums_agrees_on_a_dense_grid(case: Case):
    assert_spans_agree(case)


@pytest.mark.lasting("rules")
@effort(300)
@given(cases(dense=True, sort="days"))
def test_every_span_agrees_around_days_that_came_back_or_were_left_out(case: Case):
    assert_spans_agree(case)


@pytest.mark.lasting("rules")
@effort(400)
@given(cases(dense=False, sort="rules"))
def test_every_span_agrees_on_wild_histories(case: Case):
    assert_spans_agree(case)


@pytest.mark.parametrize("operator", sorted(OPERANDS))
def test_every_value_against_every_operand_agrees(operator: str):
    touchpoints = tuple(
        Touchpoint(index * 120_000, "Order", "web", 0, {} if value is None else {"plan": value})
        for index, value in enumerate(VALUES)
    )
    version = Version(ROLES)
    for operand in OPERANDS[operator]:
        rule = {"did": {"where": [{"property": "plan", operator: operand}]}, "within": "1m"}
        assert_spans_agree(Case(version, [rule], [History(0, touchpoints)]))
