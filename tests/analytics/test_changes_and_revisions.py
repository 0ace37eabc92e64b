"""What stands beside a figure: a change only against full data, why nobody can have lapsed yet, and what the figure was
before something late came in."""

from datetime import date, timedelta
from typing import Any

import pytest

from analytics.beginning import beginning
from analytics.days.kept import Kept, kept
from analytics.figures import Figure
from analytics.metrics import figures, metric_groups
from analytics.models import Broken, Revision
from analytics.pages.metrics import metric_cells
from analytics.scope import Scope
from analytics.sorting import active_customers
from analytics.tiles import Tile, tiles
from clm.lib.periods import days, local_day
from lifecycle.models import Version
from tests.analytics.days.filling import filled
from tests.lifecycle.making import ago, happened, installed, settle, tell

pytestmark = pytest.mark.django_db


def bought(person: str, days_ago: float, amount: int = 1_000, again: str = "") -> None:
    tell(happened(person, "Order Completed", ago(days=days_ago), amount=amount, id=f"{person} {days_ago} {again}"))


def counted() -> Kept:
    settle()
    filled()
    return kept()


def scope(found: Kept, first: int, until: int, **more: Any) -> Scope:
    """From `first` days ago to `until` days ago, in days of UTC."""
    assert found.known_at is not None
    today = local_day(found.known_at, "UTC")
    period = days(start=today - timedelta(days=first), until=today - timedelta(days=until), zone="UTC")
    return Scope(period, found.known_at, kept=found, **more)


def tile(key: str, asked: Scope) -> Tile:
    return next(one for one in tiles(scope=asked) if one.key == key)


def figure(key: str, asked: Scope) -> Figure:
    (found,) = figures(scope=asked, keys=[key])
    return found


@pytest.fixture
def shop() -> Kept:
    """Records begin 400 days ago; customers lapse after 180."""
    installed(time_zone="UTC")
    for person, at in (("a", (400, 250, 100)), ("b", (390, 80, 20)), ("c", (300,)), ("d", (60, 10))):
        for back in at:
            bought(person, back)
    return counted()


@pytest.mark.parametrize("from_kept", [True, False])
def test_records_begin_with_the_first_purchase_and_settle_a_lapse_window_later(shop: Kept, from_kept: bool) -> None:
    asked = scope(shop, 30, 0)
    since = beginning(scope=asked if from_kept else Scope(asked.period, asked.as_of))
    assert since is not None
    assert since.first == local_day(ago(days=400), "UTC")
    assert since.settled - since.first == timedelta(days=180)


def test_nothing_recorded_has_no_beginning() -> None:
    installed()
    found = counted()
    assert beginning(scope=scope(found, 30, 0)) is None
    assert {one.change for one in tiles(scope=scope(found, 30, 0))} == {None}
    assert "nothing is recorded yet" in tile("revenue", scope(found, 30, 0)).change_note


def test_a_change_is_shown_against_full_data_only(shop: Kept) -> None:
    full = tile("revenue", scope(shop, 90, 5))
    assert full.change is not None and full.change_note == ""
    early = tile("revenue", scope(shop, 300, 50))  # the 250 days before that reach beyond the beginning
    assert early.change is None
    assert "records begin on" in early.change_note
    # Sales are all there, but until a lapse window has passed nobody can be lost.
    assert tile("crr", scope(shop, 200, 110)).change is None
    assert "nobody can have lapsed before" in tile("crr", scope(shop, 200, 110)).change_note
    assert tile("crr", scope(shop, 90, 5)).change is not None
    year = tile("revenue", scope(shop, 100, 5, comparison="year"))
    assert year.change is None and "records begin" in year.change_note
    nothing = tile("revenue", scope(shop, 100, 5, comparison="none"))
    assert (nothing.change, nothing.change_note) == (None, "")
    assert "not above zero" in tile("revenue", scope(shop, 100, 5)).change_note


def test_retention_says_when_nobody_can_have_lapsed_yet(shop: Kept) -> None:
    for key in ("crr", "churn"):
        assert "Nobody can have lapsed yet" in figure(key, scope(shop, 390, 230)).note
        assert "fewer were lost" in figure(key, scope(shop, 300, 100)).note
        assert figure(key, scope(shop, 200, 100)).note == ""
    assert "Nobody can have lapsed yet" in figure("clv", scope(shop, 390, 230)).note


def test_a_subscription_that_is_cancelled_can_be_lost_from_the_first_day_on() -> None:
    installed(time_zone="UTC")
    active = active_customers()
    assert active is not None
    rule = {"since": {"role": "subscribe"}, "until": {"role": "cancel"}}
    Version.objects.filter(pk=active.version or 0).update(document={"rule": rule})
    bought("a", 40)
    found = counted()
    since = beginning(scope=scope(found, 30, 0))
    assert since is not None and since.lapse_days == 0


def test_a_late_order_tells_what_the_figures_were(shop: Kept) -> None:
    asked = scope(shop, 60, 5)
    was = {key: figure(key, asked).value for key in ("revenue", "aov", "active_customers", "crr")}
    assert all(figure(key, asked).moved is None for key in was)
    late, earlier = (local_day(ago(days=back), "UTC") for back in (50, 210))
    bought("g", 50, 7_000)
    bought("c", 210)  # so c was active at the start, and is lost
    bought("e", 50, 9_000)
    found = counted()
    asked = scope(found, 60, 5)
    for key in was:
        moved = figure(key, asked).moved
        assert moved is not None, key
        assert moved.was == was[key], key
        # Who is active depends on a lapse window before the period, too.
        is_sale = key in ("revenue", "aov")
        assert (moved.touchpoints, moved.first) == ((2, late) if is_sale else (3, earlier)), key
        assert (moved.last, moved.cause) == (late, "late")
        assert moved.until == local_day(ago(), "UTC") - timedelta(days=1)
        assert f"until yesterday: {moved.touchpoints} late touchpoints of" in moved.sentence
    assert tile("revenue", asked).moved == figure("revenue", asked).moved
    # Where the late day is no part, nothing moved.
    assert figure("revenue", scope(found, 40, 5)).moved is None


def test_what_is_late_is_told_apart_from_what_is_new_today(shop: Kept) -> None:
    unfinished = scope(shop, 29, -1)
    was = figure("revenue", unfinished).value
    bought("a", 0, 500)  # today's: no revision
    assert figure("revenue", scope(counted(), 29, -1)).moved is None
    bought("d", 15, 300)
    moved = figure("revenue", scope(counted(), 29, -1)).moved
    assert moved is not None
    assert moved.was == (was or 0) + 500
    assert "without what came later: 1 late touchpoint of" in moved.sentence


def test_the_file_of_metrics_tells_what_a_figure_was_before_something_came_late(shop: Kept) -> None:
    bought("d", 50, 300)
    asked = scope(counted(), 60, 5)
    was = figure("revenue", asked).moved
    assert was is not None
    told = {
        cell.item: cell
        for cell in metric_cells(metric_groups(scope=asked, basis="blended"), asked, "blended")
        if cell.measure == "before what came later"
    }
    assert told["revenue"].value == was.was / 100 and told["revenue"].note == was.sentence


def test_what_a_figure_was_is_not_said_where_both_print_alike() -> None:
    installed(time_zone="UTC")
    for back in (400, 60, 50):
        bought("a", back, 300_000)
    counted()
    bought("b", 40, 1)
    moved = figure("revenue", scope(counted(), 90, 5)).moved
    assert moved is not None
    assert (moved.was, moved.sentence) == (600_000, "")
    bought("c", 40, 50_000)
    moved = figure("revenue", scope(counted(), 90, 5)).moved
    assert moved is not None
    assert "2 late touchpoints of" in moved.sentence


def test_a_first_import_moves_no_figure() -> None:
    installed(time_zone="UTC")
    counted()
    for back in (40, 30, 20):
        bought("a", back)
    found = counted()
    assert Revision.objects.exists()
    assert [figure(key, scope(found, 60, 5)).moved for key in ("revenue", "aov", "crr", "active_customers")] == [
        None
    ] * 4


def test_a_broken_identity_stands_at_the_figures_it_concerns(shop: Kept) -> None:
    active = active_customers()
    assert active is not None and active.version is not None
    Broken.objects.create(
        identity="windows", version=active.version, day=date(2026, 1, 1), said="differ by 2", found_at=ago()
    )
    Broken.objects.create(
        identity="moves", version=active.version + 999, day=date(2026, 1, 1), said="another", found_at=ago()
    )
    asked = scope(shop, 60, 5)
    assert figure("crr", asked).broken == ("windows, 1 Jan 2026: differ by 2",)
    assert figure("revenue", asked).broken == ()
    assert tile("churn", asked).broken == figure("crr", asked).broken


def test_kept_figures_and_history_tell_the_same_tiles_of_any_period(shop: Kept) -> None:
    for first, until in ((30, 0), (90, 0), (60, 5), (365, 1), (400, 399)):
        asked = scope(shop, first, until)
        assert tiles(scope=asked) == tiles(scope=Scope(asked.period, asked.as_of)), (first, until)
