"""Many windows looked at together say what each says alone."""

import numpy as np
import pytest

from analytics.days.windows import MOST, Cut, in_batches, spans, touched


@pytest.mark.parametrize("seed", range(4))
def test_pieces_and_crossings_say_who_was_there_in_every_window(seed: int) -> None:
    chance = np.random.default_rng(seed)
    customer = np.sort(chance.integers(1, 40, 90))
    start = chance.integers(0, 60, 90)
    end = start + chance.integers(0, 20, 90)
    # Borders meet the ends of spans often, and one another.
    windows = [(one, one + int(chance.integers(1, 30))) for one in chance.integers(0, 70, MOST).tolist()]
    cut = Cut.of(windows)
    found = spans(cut, customer=customer, start=start, end=end)
    some, pieces = touched(cut, customer=customer, at=start)
    for first, until in windows:
        of_window = cut.pieces((first, until))
        there = set(customer[(start < until) & (end >= first)].tolist())
        assert set(found.customer[(found.pieces & of_window) != 0].tolist()) == there
        assert set(some[(pieces & of_window) != 0].tolist()) == set(
            customer[(start >= first) & (start < until)].tolist()
        )
        for border in (first, until):
            across = set(customer[(start < border) & (end >= border)].tolist())
            assert set(found.customer[(found.crossed & cut.crossing(border)) != 0].tolist()) == across


def test_more_windows_than_bits_are_told_in_batches() -> None:
    windows = [(one, one + 5) for one in range(0, 700, 10)]
    batches = list(in_batches(windows))
    assert [first for first, _cut in batches] == [0, MOST, 2 * MOST]
    assert [window for _first, cut in batches for window in cut.windows] == windows
    assert not list(in_batches([]))


def test_a_window_that_ends_before_it_starts_has_no_pieces() -> None:
    cut = Cut.of([(10, 5), (7, 7)])
    assert cut.pieces((10, 5)) == 0 == cut.pieces((7, 7))
