"""Fills that see all that was just recorded, and programs of facts and merges with fills in between."""

import time
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analytics.days.fill import Filled, fill
from tests.lifecycle.making import settle
from tests.lifecycle.test_permutation import anchor, stepped, woven


def filled() -> Filled:
    """A fill that sees all that was just recorded: instants are whole milliseconds."""
    time.sleep(0.002)
    return fill()


def any_program(examples: int) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A test of a `weave` and of `fills`, tried with so many of them."""

    def tried(test: Callable[..., None]) -> Callable[..., None]:
        unchecked = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
        fills = st.lists(st.booleans(), min_size=12, max_size=12)
        return settings(max_examples=examples, suppress_health_check=unchecked)(given(woven(), fills)(test))

    return tried


def carry_out(weave: tuple[Any, ...], fills: list[bool]) -> None:
    """The steps of a program, a fill after those where one is drawn, until nothing is left to advance."""
    people, steps, _order = weave
    at = anchor()
    for step, fills_here in zip(steps, fills, strict=False):
        stepped(step, people, at)
        if fills_here:
            filled()
    settle()
