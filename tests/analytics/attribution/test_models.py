"""Attribution models against a slow and plain reference, reference numbers, and what must hold of any paths."""

from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.attribution.chain import NOTHING, ORDERED, START, effects, steps
from analytics.attribution.channels import marketing_channel
from analytics.attribution.credits import WHOLE, allotted, parted, shares
from analytics.attribution.declared import ADDITIVE
from analytics.attribution.draws import DRAWS, drawn, interval
from analytics.attribution.paths import Paths, paths_before, starts
from analytics.attribution.sums import Cells

from . import reference as plain

DIRECT = 1
KEYS = [model.key for model in ADDITIVE]
HOUR, DAY = 3_600_000, 86_400_000

histories = st.lists(
    st.lists(st.tuples(st.integers(0, 120 * DAY // 600_000).map(lambda n: n * 600_000), st.integers(1, 5)), max_size=9),
    min_size=1,
    max_size=8,
)


def columns(found: list[list[tuple[int, int]]], days: int = 90) -> tuple[Paths, list[list[tuple[int, int]]]]:
    """The same histories as columns and plainly; each ends with day 120."""
    rows = [(owner, ms, channel) for owner, one in enumerate(found) for ms, channel in one]
    owner, ms, channel = (np.array([row[at] for row in rows], np.int64) for at in range(3))
    people = np.arange(len(found), dtype=np.int64)
    paths = paths_before(
        owner=owner,
        ms=ms,
        channel=channel,
        end_owner=people,
        end_ms=np.full(len(found), 120 * DAY),
        days=days,
        direct=DIRECT,
    )
    return paths, [plain.path_before(one, 120 * DAY, days, DIRECT) for one in found]


def of_channels(*paths: list[int]) -> Paths:
    """Paths a day apart from touch to touch, the last one at the end."""
    length = np.array([len(path) for path in paths], np.int64)
    channel = np.array([one for path in paths for one in path], np.int64)
    age = np.array([DAY * (len(path) - 1 - at) for path in paths for at in range(len(path))], np.int64)
    return Paths(starts(length), channel, age)


@given(histories, st.sampled_from([30, 90]))
@settings(max_examples=150, deadline=None)
def test_paths_are_those_of_the_plain_count(found: list[list[tuple[int, int]]], days: int) -> None:
    paths, expected = columns(found, days)
    told = [
        list(zip(paths.channel[a:b].tolist(), paths.age[a:b].tolist(), strict=True))
        for a, b in zip(paths.start[:-1], paths.start[1:], strict=True)
    ]
    assert told == expected


@given(histories)
@settings(max_examples=80, deadline=None)
def test_a_shorter_window_is_part_of_a_longer_one(found: list[list[tuple[int, int]]]) -> None:
    long, _expected = columns(found)
    short, _expected = columns(found, 30)
    within = long.within(30)
    assert within.start.tolist() == short.start.tolist()
    assert within.channel.tolist() == short.channel.tolist()


@pytest.mark.parametrize("model", KEYS)
@given(histories, st.data())
@settings(max_examples=60, deadline=None)
def test_credit_is_that_of_the_plain_count_and_sums_to_the_cent(
    model: str, found: list[list[tuple[int, int]]], data: st.DataObject
) -> None:
    amounts = data.draw(
        st.lists(st.integers(-(10**11) + 1, 10**11 - 1), min_size=len(found), max_size=len(found)), label="amounts"
    )
    paths, expected = columns(found)
    among = shares(model, paths, direct=DIRECT)
    given_units = parted(np.array(amounts, np.int64), among)
    for owner, path in enumerate(expected):
        own = among.path == owner
        told = dict(zip(among.channel[own].tolist(), given_units[own].tolist(), strict=True))
        by = plain.weights(model, path, DIRECT)
        assert sum(told.values()) == (amounts[owner] if path else 0)
        assert told.keys() == by.keys()
        exact = plain.parted(amounts[owner], by)
        # Floats may round a remainder of a hundred billion units differently by one, never more.
        assert all(abs(told[channel] - exact[channel]) <= 1 for channel in told)
        if abs(amounts[owner]) < 10**7:
            assert told == exact or model == "time_decay"


def test_position_gives_forty_twenty_forty() -> None:
    among = shares("position", of_channels([2, 3, 4, 5], [2, 3], [2]), direct=DIRECT)
    told = parted(np.array([100, 101, 7], np.int64), among).tolist()
    # The cent that is left of two equal parts goes to the channel with the least number.
    assert told == [40, 10, 10, 40, 51, 50, 7]


def test_time_decay_halves_with_seven_days() -> None:
    paths = Paths(starts(np.array([2], np.int64)), np.array([2, 3], np.int64), np.array([7 * DAY, 0], np.int64))
    assert parted(np.array([300], np.int64), shares("time_decay", paths, direct=DIRECT)).tolist() == [100, 200]


def test_last_non_direct_falls_back_on_direct_where_there_is_nothing_else() -> None:
    among = shares("last_non_direct", of_channels([2, 3, DIRECT, DIRECT], [DIRECT]), direct=DIRECT)
    assert list(zip(among.path.tolist(), among.channel.tolist(), strict=True)) == [(0, 3), (1, DIRECT)]


def test_a_page_within_a_visit_is_no_touch_of_its_own() -> None:
    minute = 60_000
    contacts = [
        (0, 2),
        (minute, 2),
        (25 * minute, DIRECT),
        (50 * minute, DIRECT),
        (90 * minute, DIRECT),
        (95 * minute, 3),
    ]
    paths, expected = columns([contacts], 365)
    assert paths.channel.tolist() == [2, DIRECT, 3]
    assert [channel for channel, _age in expected[0]] == [2, DIRECT, 3]


def counted(paths: list[tuple[list[int], bool]]) -> dict[tuple[int, int], int]:
    found = steps(of_channels(*[path for path, _ordered in paths]), np.array([ordered for _path, ordered in paths]))
    return dict(Counter(zip(found.source.tolist(), found.target.tolist(), strict=True)))


def test_markov_gives_the_reference_numbers() -> None:
    paths = [([1, 2, 3], True), ([1], False), ([2, 3], False)]
    assert counted(paths) == {
        (START, 1): 2, (START, 2): 1, (1, 2): 1, (1, NOTHING): 1, (2, 3): 2, (3, ORDERED): 1, (3, NOTHING): 1,
    }  # fmt: skip
    found = effects(counted(paths))
    assert found.ordered == pytest.approx(1 / 3, abs=1e-12)
    assert [found.removal[channel] for channel in (1, 2, 3)] == pytest.approx([0.5, 1, 1], abs=1e-12)
    assert [found.share[channel] for channel in (1, 2, 3)] == pytest.approx([0.2, 0.4, 0.4], abs=1e-12)
    assert allotted(100, found.share) == {1: 20, 2: 40, 3: 40}


paths_of_channels = st.lists(
    st.tuples(st.lists(st.integers(1, 4), min_size=1, max_size=6), st.booleans()), min_size=1, max_size=10
)


@given(paths_of_channels)
@settings(max_examples=100, deadline=None)
def test_markov_is_what_walking_the_chain_comes_to(paths: list[tuple[list[int], bool]]) -> None:
    found, expected = effects(counted(paths)), plain.removals(paths)
    if not any(ordered for _path, ordered in paths):
        assert found.ordered == 0 and not found.share
        return
    assert found.removal.keys() == expected.keys()
    for channel, removal in expected.items():
        assert found.removal[channel] == pytest.approx(removal, abs=1e-9)
        assert 0 <= found.removal[channel] <= 1 + 1e-12
    assert sum(found.share.values()) == pytest.approx(1)


@given(paths_of_channels)
@settings(max_examples=60, deadline=None)
def test_touching_a_channel_twice_in_a_row_changes_nothing_for_markov(paths: list[tuple[list[int], bool]]) -> None:
    twice = [([one for channel in path for one in (channel, channel)], ordered) for path, ordered in paths]
    once, again = effects(counted(paths)), effects(counted(twice))
    assert again.removal.keys() == once.removal.keys()
    for channel, removal in once.removal.items():
        assert again.removal[channel] == pytest.approx(removal, abs=1e-9)


@given(st.lists(st.lists(st.integers(1, 4), min_size=1, max_size=5), min_size=1, max_size=6))
@settings(max_examples=60, deadline=None)
def test_shapley_in_closed_form_is_shapley_by_definition(paths: list[list[int]]) -> None:
    among = shares("shapley", of_channels(*paths), direct=DIRECT)
    each = np.bincount(among.path).astype(np.int64)
    closed: dict[int, Fraction] = {}
    for path, channel in zip(among.path.tolist(), among.channel.tolist(), strict=True):
        closed[channel] = closed.get(channel, Fraction(0)) + Fraction(1, int(each[path]))
    assert closed == plain.shapley(paths)


@given(st.integers(-(10**12), 10**12), st.dictionaries(st.integers(1, 9), st.floats(0, 1), max_size=9))
def test_what_is_allotted_sums_to_the_whole(total: int, weights: dict[int, float]) -> None:
    found = allotted(total, weights)
    assert sum(found.values()) == (total if any(weights.values()) else 0)


@given(histories)
@settings(max_examples=40, deadline=None)
def test_the_same_path_gets_the_same_credit_whoever_it_is_counted_with(found: list[list[tuple[int, int]]]) -> None:
    paths, _expected = columns(found)
    for model in KEYS:
        among = shares(model, paths, direct=DIRECT)
        units = parted(np.full(len(paths), WHOLE), among)
        for owner in range(len(paths)):
            alone = paths.of(np.arange(len(paths)) == owner)
            one = shares(model, alone, direct=DIRECT)
            own = among.path == owner
            assert among.channel[own].tolist() == one.channel.tolist()
            assert units[own].tolist() == parted(np.full(1, WHOLE), one).tolist()


def test_drawing_customers_again_gives_the_interval_that_resampling_them_gives() -> None:
    chance = np.random.default_rng(5)
    value = np.rint(chance.gamma(0.7, 9_000, 600)).astype(np.int64)
    times = drawn(np.arange(10_000, 10_600, dtype=np.int64))
    assert times.shape == (600, DRAWS)
    assert times.mean() == pytest.approx(1, abs=0.01) and times.var() == pytest.approx(1, abs=0.03)
    found = interval(times.sum(axis=0), times.T @ value)
    assert found is not None and found[0] < value.mean() < found[1]
    again = [value[chance.integers(0, 600, 600)].mean() for _ in range(4_000)]
    low, high = np.quantile(again, (0.025, 0.975))
    assert found == pytest.approx((low, high), rel=0.02)
    # The same customers give the same interval, whoever they are drawn with.
    assert (drawn(np.array([10_003], np.int64))[0] == times[3]).all()
    assert interval(np.zeros(DRAWS), np.zeros(DRAWS)) is None


def test_what_is_taken_off_again_leaves_nothing_however_much_it_was() -> None:
    cells, key = Cells(2), np.array([7, 3, 7], np.int64)
    for _time in range(100):
        for sign in (1, -1):
            cells.add(key, (np.ones(3, np.int64), np.arange(3, dtype=np.int64)), sign)
    assert [len(one) for one in cells.read()] == [0, 0]
    cells.add(key, (np.ones(3, np.int64), np.arange(3, dtype=np.int64)), 1)
    keys, sums = cells.read()
    assert (keys.tolist(), sums.tolist()) == ([3, 7], [[1, 1], [2, 2]])


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"over": "web"}, "direct"),
        ({"over": "search"}, "search"),
        ({"over": "email"}, "email"),
        ({"over": "web", "source": "google", "medium": "cpc"}, "search"),
        ({"over": "web", "source": "facebook", "medium": "cpc"}, "social"),
        ({"over": "web", "source": "google"}, "organic"),
        ({"over": "web", "source": "newsletter", "medium": "email"}, "email"),
        ({"over": "web", "source": "acme", "medium": "carrier-pigeon"}, "other"),
        ({"over": "web", "campaign": "spring", "known": {"spring": "print"}}, "print"),
        ({"over": "web", "medium": "cpc", "campaign": "spring", "known": {"spring": "print"}}, "print"),
        ({"over": "web", "source": "direct", "medium": "(none)"}, "direct"),
    ],
    ids=str,
)
def test_a_contact_has_the_channel_that_it_came_over(told: dict[str, object], expected: str) -> None:
    assert marketing_channel(**told) == expected  # type: ignore[arg-type]
