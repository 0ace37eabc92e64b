"""Small cases, each of which parts the reference from an engine with one fault; they were found by breaking it."""

import pytest

from tests.lifecycle.rules.agreement import assert_spans_agree, assert_spells_agree
from tests.lifecycle.rules.generated_cases import Case
from tests.lifecycle.rules.generated_rules import ROLES
from tests.lifecycle.rules.reference import HORIZON, History, Touchpoint, Version

MINUTE = 60_000
MOST = 99_999_999_999
VERSION = Version(ROLES)
ST_JOHNS = Version(ROLES, zone="America/St_Johns")
CAME_BACK = 1_130_639_460_000  # 30 October 2005, one minute into the day: back to 23:01 of the 29th
APIA = Version(ROLES, zone="Pacific/Apia")
LEFT_OUT = 1_325_239_200_000  # the end of 29 December 2011, followed by the 31st

ORDERED = {"type": "Order"}
VISITED = {"type": "Visit"}


def history(*touchpoints: tuple, life: float = 0) -> History:
    """Touchpoints as (minute, type, amount in minor units), the last two Order and 100 unless given."""
    orders = [(*given, *("Order", 100)[len(given) - 1 :]) for given in touchpoints]
    found = [Touchpoint(round(at * MINUTE), name, "web", amount) for at, name, amount in orders]
    return History(round(life * MINUTE), tuple(found))


def moments(base: int, *offsets: int) -> History:
    return History(base - MINUTE * 100, tuple(Touchpoint(base + ms, "Order", "web") for ms in offsets))


MS = 1 / MINUTE
DID = {"did": ORDERED, "within": "1m"}
TWICE = {"did": ORDERED, "at_least": 2, "within": "2m"}
SPENT = {"spent": ORDERED, "at_least": "2.00", "within": "2m"}
GREW = {"grew": {}, "by": "1.25", "within": "2m"}
SINCE = {"since": ORDERED, "until": VISITED}

CORNERS = {
    "a gap as long as the window": (DID, [history((0,), (1,), (2 + MS,))]),
    "the second leaves as the third comes": (TWICE, [history((0,), (1,), (2,), (4,), (6 - MS,))]),
    "two at one instant": (TWICE, [history((1,), (1,))]),
    "two of two customers": (TWICE, [history((1,)), history((1,)), history((2,), (3,))]),
    "a third of another customer": ({"did": ORDERED, "at_least": 3}, [history((1,), (2,)), history((3,), (4,), (4,))]),
    "one day leaves as the next comes": ({"did": ORDERED, "on_days": 2, "within": "1d"}, [history((0,), (1440,))]),
    "one day leaves just after the next comes": (
        {"did": ORDERED, "on_days": 2, "within": "1d"},
        [history((MS,), (1440,)), history((1439,), (1440,))],
    ),
    "stop at the instant of the start": (SINCE, [history((1,), (1, "Visit"), (2,)), history((1,), (2,), (2, "Visit"))]),
    "a start before another customer's stop": (
        SINCE,
        [history((1,)), history((2, "Visit")), history((1,), (3, "Visit"))],
    ),
    "held exactly so long": ({"held": DID, "for": "1m"}, [history((0,)), history((0,), (MS,))]),
    "held again after a break": ({"held": {"not": DID}, "for": "1m"}, [history((1,), (3 - MS,), (5,))]),
    "lately and lately again as it ends": (
        {"lately": DID, "within": "1m"},
        [history((0,), (2,)), history((0,), (2 + MS,))],
    ),
    "the sum exactly reached": (SPENT, [history((0,), (1,)), history((0,), (1, "Order", 99))]),
    "one sum leaves as the same comes": (SPENT, [history((0, "Order", 200), (2, "Order", 200))]),
    "a sum given back at its instant": (SPENT, [history((0, "Order", 300), (0, "Order", -200), (1, "Order", 300))]),
    "the sums of neighbours": (
        {"spent": ORDERED, "at_least": "2"},
        [history((0,)), history((0,)), history((1,), (2,))],
    ),
    "grown exactly so much": (GREW, [history((0,), (2, "Order", 125)), history((0,), (2, "Order", 124))]),
    "grown from nothing": (GREW, [history((3,)), history((0, "Order", 0), (3,)), history((0, "Refund", -5), (3,))]),
    "grown in too short a life": (GREW, [history((0,), (3, "Order", 125)), history((0,), (3, "Order", 125), life=-MS)]),
    "grown by the largest factor of the largest amounts": (
        {"grew": {}, "by": "1000", "within": "2m"},
        [history(*[(0, "Order", MOST)] * 12, life=-4), history((0, "Order", 1), (2, "Order", 1000), life=-4)],
    ),
    "ends just at and past the horizon": (
        DID,
        [moments(HORIZON, -MINUTE), moments(HORIZON, 1 - MINUTE), moments(HORIZON, -3 * MINUTE, 0, 1)],
    ),
    "not, in lives of their own": (
        {"not": DID},
        [history((5,), life=-3), History(None), history(life=4), history((5,))],
    ),
}


@pytest.mark.parametrize("corner", CORNERS)
def test_spans_agree_in_the_corner_of(corner: str):
    rule, histories = CORNERS[corner]
    for chunk in (histories, histories[::-1], histories * 3):
        assert_spans_agree(Case(VERSION, [rule], chunk))


@pytest.mark.parametrize("days", [1, 2, 3])
@pytest.mark.parametrize("within", [{}, {"within": "1m"}, {"within": "2m"}, {"within": "90m"}])
def test_spans_agree_around_a_day_that_came_back_and_one_left_out(days: int, within: dict):
    rule = {"did": ORDERED, "on_days": days} | within
    offsets = (-2 * MINUTE, -MINUTE - 1, -MINUTE, -1, 0, 58 * MINUTE, 59 * MINUTE - 1, 59 * MINUTE)
    chunk = [moments(CAME_BACK, *offsets[skip:]) for skip in range(len(offsets))]
    assert_spans_agree(Case(ST_JOHNS, [rule], [*chunk, *(moments(CAME_BACK, *offsets[::step]) for step in (2, 3))]))
    assert_spans_agree(Case(APIA, [rule], [moments(LEFT_OUT, -MINUTE, -1, 0, MINUTE), moments(LEFT_OUT, -1, 0)]))


def test_spells_agree_where_one_stage_ends_as_another_begins():
    rules = [{"did": VISITED, "within": "2m"}, DID, {"all": [DID, {"did": VISITED, "within": "1m"}]}]
    histories = [
        history((0,), (1, "Visit"), (3,), (5,), (5, "Visit")),
        history((0, "Visit"), (2,)),
        history((0,), (1 - MS, "Visit"), (3,), (3, "Visit"), (4,)),
        History(0),
    ]
    assert_spells_agree(Case(VERSION, rules, histories))


def test_operands_that_python_holds_equal_are_different_rules():
    values = (True, 1, False, 0, "1")
    touchpoints = tuple(Touchpoint(at * 120_000, "Order", "web", 0, {"plan": v}) for at, v in enumerate(values))
    rules = [{"did": {"where": [{"property": "plan", "is": operand}]}, "within": "1m"} for operand in values]
    for rule in rules:
        assert_spells_agree(Case(Version(ROLES), [rule, *rules], [History(0, touchpoints)]))
