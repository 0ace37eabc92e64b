"""Every case of the specification, run on the engine."""

import pytest

from tests.lifecycle.spec.case import Case, Walk, dedented, stages_walked, true_spans
from tests.lifecycle.spec.topics import TOPICS

CASES = [case for topic in TOPICS for case in topic.cases if isinstance(case, Case)]
WALKS = [(case, key) for topic in TOPICS for case in topic.cases if isinstance(case, Walk) for key in case.stages]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_rule_is_true_on_exactly_these_spans(case):
    assert true_spans(case) == dedented(case.spans)


@pytest.mark.parametrize(("walk", "key"), WALKS, ids=lambda value: value if isinstance(value, str) else value.name)
def test_customer_walks_through_exactly_these_stages(walk, key):
    assert stages_walked(walk, key) == dedented(walk.stages[key])
