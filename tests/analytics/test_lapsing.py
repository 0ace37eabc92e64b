"""How long customers stay, against numbers worked out by hand, and against the lists that they open."""

from datetime import timedelta

import pytest

from analytics.behind import customers_behind, said, stays_group
from analytics.lapsing import LEAST_AT_RISK, log_rank, stays, suggested_window, window_of
from analytics.scope import Scope
from analytics.sorting import segment
from clm.lib.periods import preset
from clm.lib.questions import QuestionError
from tests.analytics.value import cdnow
from tests.factories import make_order
from tests.lifecycle.making import ago, installed, settle, tell


def test_the_log_rank_test_is_what_working_it_out_by_hand_gives() -> None:
    found = log_rank({1: (1, 0), 2: (1, 0)}, {3: (1, 0), 4: (1, 0)})
    # Expected among the first: 1/2 + 1/3; variance: 1/4 + 2/9.
    assert found is not None and found.statistic == pytest.approx((2 - 5 / 6) ** 2 / (1 / 4 + 2 / 9))
    assert found.p == pytest.approx(0.0895555, abs=1e-6)
    same = log_rank({5: (3, 1)}, {5: (3, 1)})
    assert same is not None and same.statistic == pytest.approx(0) and same.p == pytest.approx(1)


@pytest.mark.parametrize(("first", "second"), [({}, {1: (1, 0)}), ({1: (0, 2)}, {1: (0, 3)}), ({1: (1, 0)}, {})])
def test_what_cannot_be_tested_is_not(first: dict, second: dict) -> None:
    assert log_rank(first, second) is None


def test_the_suggested_window_is_where_four_fifths_of_those_who_come_back_have() -> None:
    # 500 gaps of 10, 20, 30, 40 and 50 days a hundred times each, and 500 that stay open for 60 days.
    counts = dict.fromkeys((10, 20, 30, 40, 50), (100, 0)) | {60: (0, 500)}
    found = window_of(counts)
    assert (found.days, found.until, found.gaps, found.open) == (40, 50, 500, 500)
    assert found.again == pytest.approx(0.5)
    # What is still open counts for as long as it was seen: half of the open gaps of 25 days would have ended later.
    censored = window_of(dict.fromkeys((10, 20, 30, 40, 50), (100, 0)) | {25: (0, 500)})
    assert censored.again is not None and censored.again > 0.5
    assert window_of({3: (LEAST_AT_RISK - 1, 0)}).days is None
    assert window_of({}).days is None


def test_the_window_of_cdnow_is_that_of_kaplan_and_meier_and_not_of_gaps_that_were_seen() -> None:
    gaps = cdnow.gaps_in_days()
    found = window_of(gaps)
    assert found.days == 136
    seen = sorted(day for day, (ended, _open) in gaps.items() for _gap in range(ended))
    assert seen[int(0.8 * len(seen))] == 119


@pytest.fixture
def shop(db: None) -> Scope:
    """Three who ordered once: long ago, so that they have lapsed, and lately; and one who came back."""
    installed(time_zone="UTC")
    tell(
        make_order("gone", ago(days=400), 100),
        make_order("back", ago(days=390), 100),
        make_order("back", ago(days=20), 100),
        make_order("here", ago(days=30), 100),
    )
    settle()
    now = ago(days=0)
    return Scope(preset(key="30d", now=now, zone="UTC"), now)


def test_a_stay_ends_when_a_customer_is_active_no_longer(shop: Scope) -> None:
    (curve,) = stays(scope=shop, versus=None).curves
    assert (curve.side, curve.number, curve.ended) == ("all", 3, 2)
    assert curve.median.median == 180
    at_risk = curve.share(100)
    assert at_risk is not None and at_risk.share == 1.0 and curve.share(10_000) is None
    assert curve.points[0] == (0, 1.0)
    for which, number in (("began", 3), ("ended", 2)):
        group = stays_group(None, "all", which)
        assert len(customers_behind(scope=shop, group=group)) == number and said(group)


def test_two_curves_are_the_members_of_a_segment_and_the_others(shop: Scope) -> None:
    active = segment("active_customer")
    found = stays(scope=shop, versus=active)
    assert [(one.side, one.number, one.ended) for one in found.curves] == [("in", 2, 1), ("out", 1, 1)]
    assert found.log_rank is None  # all who were at risk ended at once: that tells the two from each other in nothing
    for one in found.curves:
        for which, number in (("began", one.number), ("ended", one.ended)):
            group = stays_group(active, one.side, which)
            assert len(customers_behind(scope=shop, group=group)) == number and "Active customer" in said(group)


def test_orders_of_one_day_are_no_gap(shop: Scope) -> None:
    tell(make_order("here", ago(days=30) + timedelta(seconds=1), 100))
    settle()
    found = suggested_window(scope=shop)
    assert (found.gaps, found.open, found.days) == (1, 3, None)


def test_nobody_has_no_curve_to_speak_of(db: None) -> None:
    installed(time_zone="UTC")
    now = ago(days=0)
    (curve,) = stays(scope=Scope(preset(key="30d", now=now, zone="UTC"), now), versus=None).curves
    assert (curve.number, curve.median.median, curve.steps) == (0, None, ())


@pytest.mark.parametrize("group", ["stays:", "stays:began:in:", "stays:began:all:vip", "stays:x:all:", "stays:a:b"])
def test_a_curve_that_there_is_not_is_a_fault_of_its_field(group: str, db: None) -> None:
    installed(time_zone="UTC")
    with pytest.raises(QuestionError) as fault:
        said(group)
    assert fault.value.field == "group"
