"""Figures read from what is kept per day are those that counting from history gives; the rest is still counted."""

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from analytics.days.kept import Kept, kept
from analytics.metrics import figures
from analytics.models import Counting
from analytics.retention import retentions, trailing_windows
from analytics.sales import sales_of
from analytics.scope import Scope
from analytics.sorting import segment, stage_models
from analytics.sources import source_notes, sources_used
from analytics.stages import day_ends, stage_board, stage_counts, stage_shifts, stage_traffic, stage_trend
from analytics.tiles import compared, tiles
from clm.lib.periods import PRESETS, Period, day_start, days, local_day, preset
from tests.lifecycle.making import ago, happened, installed, settle, tell

from .filling import filled
from .test_fill import ZONE

KINDS = (
    ("Order Completed", 2_500),
    ("Order Completed", 0),
    ("Order Refunded", -1_000),
    ("Page Viewed", None),
    ("Signed Up", None),
    ("Product Added", None),
)


@pytest.fixture
def shop(db: None) -> Kept:
    installed(time_zone=ZONE)
    chance = random.Random(5)
    for person in range(25):
        events = [chance.choice(KINDS) for _ in range(chance.randint(1, 12))]
        tell(
            *[
                happened(
                    f"p{person}", kind, ago(hours=chance.randint(1, 24 * 500)), id=f"{person}/{number}", amount=amount
                )
                for number, (kind, amount) in enumerate(events)
            ]
        )
    settle()
    filled()
    return kept()


def periods(found: Kept) -> Iterator[tuple[Period, datetime]]:
    """The periods of the pages now and as of two past days."""
    assert found.known_at is not None
    for back in (0, 1, 40):
        end = day_start(local_day(found.known_at, ZONE) + timedelta(days=1 - back), ZONE) - timedelta(milliseconds=1)
        at = min(end, found.known_at)
        for key in PRESETS:
            yield preset(key=key, now=at, zone=ZONE), at


def test_every_reading_agrees_with_counting_from_history(shop: Kept) -> None:
    for period, at in periods(shop):
        for products_only in (False, True):
            asked = Scope(period, at, products_only=products_only, kept=shop)
            counted = replace(asked, kept=None)
            windows = trailing_windows(scope=asked)
            assert retentions(scope=asked, windows=windows) == retentions(scope=counted, windows=windows)
            assert sales_of(scope=asked, windows=windows) == sales_of(scope=counted, windows=windows)
            assert tiles(scope=asked) == tiles(scope=counted)
            assert figures(scope=asked) == figures(scope=counted)
        for model in [*stage_models(), segment("active_customer")]:
            instants = day_ends(until=at, zone=ZONE, count=30)
            assert stage_trend(model=model, instants=instants, kept=shop) == stage_trend(model=model, instants=instants)
            assert stage_shifts(model=model, period=period, kept=shop) == stage_shifts(model=model, period=period)
            assert stage_traffic(model=model, period=period, kept=shop) == stage_traffic(model=model, period=period)
            counts = stage_counts(model=model, now=at, as_of=at, kept=shop)
            assert counts == stage_counts(model=model, now=at, as_of=at)
            board = stage_board(model=model, period=period, now=at, as_of=at, kept=shop)
            assert board == stage_board(model=model, period=period, now=at, as_of=at)
    assert source_notes(kept=shop) == source_notes()
    assert sources_used(kept=shop) == sources_used()


def _asked_of_history(statements: CaptureQueriesContext) -> list[str]:
    tables = ("lifecycle_transition", "customers_touchpoint", "lifecycle_standing")
    return [one["sql"][:80] for one in statements.captured_queries if any(name in one["sql"] for name in tables)]


def test_what_is_kept_never_reads_history(shop: Kept) -> None:
    for period, at in periods(shop):
        with CaptureQueriesContext(connection) as statements:
            tiles(scope=Scope(period, at, kept=shop))
            stage_board(model=stage_models()[0], period=period, now=at, as_of=at, kept=shop)
            stage_shifts(model=stage_models()[0], period=period, kept=shop)
            source_notes(kept=shop)
        assert _asked_of_history(statements) == []


def test_what_is_not_kept_is_counted_from_history(shop: Kept) -> None:
    assert shop.known_at is not None
    midst = shop.known_at - timedelta(days=3, minutes=7)
    today = local_day(shop.known_at, ZONE)
    week = days(start=today - timedelta(days=7), until=today, zone=ZONE)
    assert shop.day(midst) is None
    assert shop.window(week.start_at, week.until_at) is None
    for asked in (
        Scope(preset(key="30d", now=midst, zone=ZONE), midst, kept=shop),
        Scope(week, shop.known_at, kept=shop),
        Scope(preset(key="30d", now=shop.known_at, zone=ZONE), shop.known_at, segment("active_customer"), kept=shop),
    ):
        with CaptureQueriesContext(connection) as statements:
            found = figures(scope=asked)
        assert _asked_of_history(statements)
        assert found == figures(scope=replace(asked, kept=None))


def test_a_statistic_that_is_being_counted_is_not_read(shop: Kept) -> None:
    Counting.objects.filter(statistic="sales").update(state="started")
    assert not kept().has_sales
    Counting.objects.update(basis="Europe/Paris")
    assert not any(kept().has_stages(model.version) for model in stage_models())


def test_a_change_compares_finished_days(shop: Kept) -> None:
    assert shop.known_at is not None
    today = local_day(shop.known_at, ZONE)
    changed, before = compared(Scope(preset(key="30d", now=shop.known_at, zone=ZONE), shop.known_at))
    assert (changed.period.start, changed.period.until) == (today - timedelta(days=30), today)
    assert (before.period.start, before.period.until) == (today - timedelta(days=60), today - timedelta(days=30))
    assert changed.until_at == changed.period.until_at and before.until_at == before.period.until_at
