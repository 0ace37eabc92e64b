"""Assignment by salted hash: the same everywhere, in the shares asked for, and of no experiment about another."""

from collections import Counter
from hashlib import sha256
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as some

from analytics.distributions import chi_square_tail
from clm.lib.assignment import PLACES, place, variant_at, variant_of

WEIGHTS = some.lists(some.integers(0, 1000), min_size=1, max_size=6).filter(any)
PLACE = some.integers(0, PLACES - 1)


def chi_square(counts: list[int], shares: list[float]) -> float:
    """The probability of counts so far from their shares."""
    total = sum(counts)
    found = sum((count - total * share) ** 2 / (total * share) for count, share in zip(counts, shares, strict=True))
    return chi_square_tail(found, len(counts) - 1)


def test_a_place_is_what_the_manual_says_and_never_moves() -> None:
    assert place(salt="spring", unit=42) == int.from_bytes(sha256(b"spring:42").digest()[:8], "big")
    # Written down, so that a release which computes it otherwise is noticed: it would move everybody.
    assert [variant_of(salt="a1", unit=unit, weights=(1, 1)) for unit in range(1, 17)] == [
        place(salt="a1", unit=unit) >> 63 for unit in range(1, 17)
    ]
    assert place(salt="a1", unit=1) == int(sha256(b"a1:1").hexdigest()[:16], 16)


@pytest.mark.parametrize("weights", [(1, 1), (9, 1), (1, 2, 3, 4), (50, 30, 20)])
def test_shares_are_those_of_the_weights(weights: tuple[int, ...]) -> None:
    counts = Counter(variant_of(salt="shares", unit=unit, weights=weights) for unit in range(1, 40_001))
    found = [counts[position] for position in range(len(weights))]
    assert chi_square(found, [weight / sum(weights) for weight in weights]) > 0.001


def test_places_are_spread_evenly_and_know_nothing_of_neighbouring_ids() -> None:
    places = [place(salt="even", unit=unit) for unit in range(1, 40_001)]
    assert chi_square(list(Counter(one >> 57 for one in places).values()), [1 / 128] * 128) > 0.001
    pairs = Counter((a >> 61, b >> 61) for a, b in pairwise(places))
    assert chi_square(list(pairs.values()), [1 / 64] * 64) > 0.001


def test_one_experiment_says_nothing_about_another() -> None:
    cells = Counter(
        (variant_of(salt="one", unit=unit, weights=(1, 1)), variant_of(salt="two", unit=unit, weights=(1, 1)))
        for unit in range(1, 40_001)
    )
    assert chi_square(list(cells.values()), [1 / 4] * 4) > 0.001


@given(PLACE, WEIGHTS, some.data())
def test_nobody_leaves_a_variant_whose_weight_alone_grows(
    place: int, weights: list[int], data: some.DataObject
) -> None:
    before = variant_at(place=place, weights=weights)
    grown = list(weights)
    which = data.draw(some.integers(0, len(weights) - 1))
    grown[which] += data.draw(some.integers(1, 1000))
    after = variant_at(place=place, weights=grown)
    if before == which:
        assert after == which
    # Others may shrink at the same time.
    shrunk = [weight if at == which else data.draw(some.integers(0, weight)) for at, weight in enumerate(grown)]
    assume(any(shrunk))
    if before == which:
        assert variant_at(place=place, weights=shrunk) == which


@given(PLACE, WEIGHTS, some.integers(1, 50))
def test_only_the_ratio_of_weights_counts(place: int, weights: list[int], times: int) -> None:
    assert variant_at(place=place, weights=weights) == variant_at(place=place, weights=[one * times for one in weights])


@given(PLACE, WEIGHTS)
def test_a_variant_without_weight_is_given_to_nobody(place: int, weights: list[int]) -> None:
    assert weights[variant_at(place=place, weights=weights)] > 0


@pytest.mark.parametrize(("at", "weights"), [(0, ()), (0, (0, 0)), (0, (3, -1)), (PLACES, (1, 1)), (-1, (1, 1))])
def test_what_is_no_share_is_refused(at: int, weights: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"weights|place"):
        variant_at(place=at, weights=weights)
