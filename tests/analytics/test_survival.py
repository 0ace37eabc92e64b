"""Lengths when not all is over: against a worked example everybody knows, and against counting by hand."""

import random
from fractions import Fraction

import pytest

from analytics.survival import length, survival

# Weeks of remission under 6-mercaptopurine (Freireich and others 1963); a minus: seen no longer than that.
REMISSION = [6, 6, 6, -6, 7, -9, 10, -10, -11, 13, 16, -17, -19, -20, 22, 23, -25, -32, -32, -34, -35]


def counted(times: list[int]) -> dict[int, tuple[int, int]]:
    return {time: (times.count(time), times.count(-time)) for time in {abs(one) for one in times}}


def test_the_example_of_the_textbooks() -> None:
    steps = {step.time: round(step.share, 4) for step in survival(counted(REMISSION))}
    assert steps == {6: 0.8571, 7: 0.8067, 10: 0.7529, 13: 0.6902, 16: 0.6275, 22: 0.5378, 23: 0.4482}
    found = length(counted(REMISSION))
    assert (found.number, found.ended, found.median) == (21, 9, 23)
    assert (found.low, found.high) == (13, None)  # on the log-log scale; its upper end is open


def test_without_anybody_still_going_on_it_is_the_share_of_those_left() -> None:
    times = [3, 5, 5, 8, 13, 21]
    assert [round(step.share, 9) for step in survival(counted(times))] == [
        round(sum(one > time for one in times) / 6, 9) for time in (3, 5, 8, 13, 21)
    ]
    assert length(counted(times)).median == 5


def test_where_less_than_half_came_to_an_end_there_is_no_median() -> None:
    assert length(counted([1, -2, -2, -3])).median is None
    assert length({}) == length({})
    assert (length({}).number, length({}).median) == (0, None)


@pytest.mark.parametrize("seed", range(20))
def test_it_is_what_exact_fractions_give(seed: int) -> None:
    chance = random.Random(seed)
    times = [chance.choice((1, -1)) * chance.randint(1, 12) for _ in range(chance.randint(1, 60))]
    share, median = Fraction(1), None
    for time in range(1, 13):
        at_risk = sum(abs(one) >= time for one in times)
        if times.count(time):
            share *= 1 - Fraction(times.count(time), at_risk)
        if median is None and share <= Fraction(1, 2):
            median = time
    found = length(counted(times))
    assert found.median == median
    assert all(
        0 <= step.low <= step.share + 1e-12 and step.share <= step.high + 1e-12 <= 1 + 1e-9
        for step in survival(counted(times))
    )
    if found.median is not None and found.low is not None:
        assert found.low <= found.median
        assert found.high is None or found.median <= found.high
