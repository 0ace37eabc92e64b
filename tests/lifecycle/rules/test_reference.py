"""The reference itself, held to values worked out by hand."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.lifecycle.rules.effort import effort
from tests.lifecycle.rules.generated_cases import Case, cases
from tests.lifecycle.rules.reference import (
    DAY_MS,
    Customer,
    History,
    Touchpoint,
    Version,
    local_day,
    satisfies,
)

ROLES = {"Order": "purchase", "Refund": "refund", "Visit": "visit"}
VERSION = Version(roles=ROLES, lapse_days=10)


def on(day: float, type: str = "Order", amount: int = 0, **properties: object) -> Touchpoint:
    return Touchpoint(int(day * DAY_MS), type, "web", amount, properties)


def in_days(rule: object, *touchpoints: Touchpoint, life: float = 0) -> list[tuple[float, float | None]]:
    found = Customer(History(int(life * DAY_MS), touchpoints), VERSION).spans(rule)
    return [(s / DAY_MS, None if u is None else u / DAY_MS) for s, u in found]


ORDER = {"role": "purchase"}
VISIT = {"role": "visit"}


@pytest.mark.parametrize(
    ("rule", "touchpoints", "expected"),
    [
        ({"did": ORDER}, [], []),
        ({"did": ORDER}, [on(3)], [(3, None)]),
        ({"did": ORDER, "within": "L"}, [on(3)], [(3, 13)]),
        ({"did": ORDER, "within": "3d"}, [on(1), on(4), on(8)], [(1, 7), (8, 11)]),
        ({"did": ORDER, "at_least": 2, "within": "3d"}, [on(1), on(3), on(6)], [(3, 4)]),
        ({"did": ORDER, "at_least": 2}, [on(1), on(1)], [(1, None)]),
        ({"did": ORDER, "on_days": 2, "within": "2d"}, [on(1), on(1.5), on(2)], [(2, 3.5)]),
        ({"spent": {}, "at_least": "1.001", "within": "5d"}, [on(1, amount=100), on(2, amount=1)], [(2, 6)]),
        (
            {"spent": {}, "at_least": "1"},
            [on(1, amount=100), on(2, "Refund", -1), on(3, amount=1)],
            [(1, 2), (3, None)],
        ),
        ({"grew": {}, "by": "1.25", "within": "2d"}, [on(1, amount=100), on(3, amount=125)], [(4, 5)]),
        ({"since": ORDER, "until": VISIT}, [on(1), on(2, "Visit"), on(3), on(3, "Visit"), on(4)], [(1, 2), (4, None)]),
        ({"held": {"did": ORDER, "within": "3d"}, "for": "2d"}, [on(1), on(8), on(10)], [(3, 4), (10, 13)]),
        ({"held": {"did": ORDER, "within": "3d"}, "for": "3d"}, [on(1)], []),
        ({"lately": {"did": ORDER, "within": "3d"}, "within": "2d"}, [on(1), on(6)], [(1, 11)]),
        ({"not": {"did": ORDER, "within": "3d"}}, [on(1)], [(0, 1), (4, None)]),
        ({"all": [{"did": ORDER, "within": "3d"}, {"did": VISIT}]}, [on(1), on(2, "Visit")], [(2, 4)]),
        ({"any": [{"did": ORDER, "within": "1d"}, {"did": VISIT, "within": "1d"}]}, [on(1), on(2, "Visit")], [(1, 3)]),
    ],
)
def test_rule_is_true_on_the_spans_worked_out_by_hand(rule, touchpoints, expected):
    assert in_days(rule, *touchpoints) == expected


def test_customer_without_a_time_line_has_no_spans_and_no_spells():
    nobody = Customer(History(None), VERSION)
    assert nobody.spans({"not": {"did": {}}}) == []
    assert nobody.spells([{"not": {"did": {}}}]) == []


def test_stage_of_highest_precedence_counts_and_the_exit_stage_only_after_another():
    rules = [{"did": {}, "within": "10d"}, {"did": ORDER, "within": "3d"}]
    customer = Customer(History(0, [on(1, "Visit"), on(2)]), VERSION)
    expected = [(1 * DAY_MS, 0), (2 * DAY_MS, 1), (5 * DAY_MS, 0), (12 * DAY_MS, 2)]
    assert customer.spells(rules) == expected


def test_first_minute_of_a_day_that_came_back_belongs_to_its_own_day():
    # 30 October 2005 in St John's: at 00:01 daylight time (02:31 UTC) clocks went back to 23:01 of the 29th.
    came_back = 1_130_639_460_000
    assert [local_day(came_back + ms, "America/St_Johns").day for ms in (-60_001, -60_000, -1, 0)] == [29, 30, 30, 29]
    # Samoa left out 30 December 2011.
    assert [local_day(1_325_239_200_000 + ms, "Pacific/Apia").day for ms in (-1, 0)] == [29, 31]


@pytest.mark.parametrize(
    ("test", "value", "expected"),
    [
        ({"is": 1}, Decimal("1.0"), True),
        ({"is": True}, 1, False),
        ({"is": "1"}, 1, False),
        ({"is_not": "pro"}, "Pro", True),
        ({"is_not": "pro"}, 1, False),
        ({"is_not": "pro"}, None, False),
        ({"in": ["pro", 1]}, 1, True),
        ({"not_in": ["pro"]}, 1, False),
        ({"not_in": ["pro", 2]}, 1, True),
        ({"contains": ""}, "", True),
        ({"contains": "ro"}, "pro", True),
        ({"starts_with": "ro"}, "pro", False),
        ({"gt": 1, "lt": 3}, 2, True),
        ({"gt": 1, "lt": 3}, 3, False),
        ({"gte": 1}, True, False),
        ({"gte": 1}, "2", False),
        ({"before": "2024-03-01"}, "2024-03-01T05:44:59.999+05:45", True),
        ({"after": "2024-03-01"}, "2024-03-01T00:00:00Z", False),
        ({"after": "2024-03-01"}, "2024-04-01T00:00:00", False),
        ({"exists": False}, None, True),
        ({"exists": True}, None, False),
        ({"exists": True}, ["pro"], True),
        ({"exists": False}, {}, False),
        ({"is_not": "pro"}, [], False),
    ],
)
def test_a_value_satisfies_a_test_as_the_language_says(test, value, expected):
    assert satisfies(test, value) is expected


@pytest.mark.lasting("rules")
@effort(150)
@given(cases(dense=True, sort="rules"), st.integers(-1, 1))
def test_truth_changes_nowhere_but_at_the_borders_of_the_spans(case: Case, jitter: int):
    for history in case.histories:
        if history.life is None:
            continue
        customer = Customer(history, case.version)
        for rule in case.rules:
            found = customer.line_spans(rule)
            borders = sorted({history.life, *(t for span in found for t in span if t is not None)})
            for t in (
                *borders,
                *((a + b) // 2 for a, b in zip(borders, [*borders[1:], borders[-1] + DAY_MS], strict=True)),
            ):
                inside = any(s <= t + jitter and (u is None or t + jitter < u) for s, u in found)
                assert customer.holds(rule, t + jitter) == inside
