"""Customers per stage: now, at any instant, as it was believed at any instant; and how they moved."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from analytics.sorting import Sorting, stage_model
from analytics.stages import (
    EVERYBODY,
    customers_shifted,
    stage_board,
    stage_counts,
    stage_flows,
    stage_shifts,
    stage_trend,
    week_ends,
)
from clm.lib.periods import days, last_days
from clm.lib.questions import QuestionError
from customers.ingest import clock
from lifecycle.models import StageModel, Version
from tests.factories import day, make_customer, make_model, make_order, make_transition
from tests.lifecycle.making import installed, settle, tell

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)


@pytest.fixture
def model() -> StageModel:
    return make_model()


def counts(model: StageModel, as_of: str | datetime, known_at: str | datetime | None = None) -> dict[str, int]:
    found = stage_counts(
        model=stage_model(model.key),
        now=NOW,
        as_of=day(as_of) if isinstance(as_of, str) else as_of,
        known_at=day(known_at) if isinstance(known_at, str) else known_at,
    )
    return {one.stage.key: one.customers for one in found.stages}


def test_a_customer_is_in_the_stage_entered_last(model: StageModel) -> None:
    make_transition(model, 1, "a", "2024-01-01")
    make_transition(model, 1, "b", "2024-02-01")
    make_transition(model, 2, "a", "2024-01-15")
    assert counts(model, day("2024-01-01") - MILLISECOND) == {"a": 0, "b": 0, "gone": 0}
    assert counts(model, "2024-01-01") == {"a": 1, "b": 0, "gone": 0}
    assert counts(model, day("2024-02-01") - MILLISECOND) == {"a": 2, "b": 0, "gone": 0}
    assert counts(model, "2024-02-01") == {"a": 1, "b": 1, "gone": 0}


def test_what_was_believed_then_is_answered_as_then(model: StageModel) -> None:
    # Until March everybody believed in a; then a late touchpoint made it b from the beginning.
    make_transition(model, 1, "a", "2024-01-01", superseded="2024-03-01")
    make_transition(model, 1, "b", "2024-01-01", recorded="2024-03-01")
    assert counts(model, "2024-01-15") == {"a": 0, "b": 1, "gone": 0}
    assert counts(model, "2024-01-15", "2024-02-01") == {"a": 1, "b": 0, "gone": 0}
    assert counts(model, "2024-01-15", day("2024-03-01") - MILLISECOND) == {"a": 1, "b": 0, "gone": 0}
    assert counts(model, "2024-01-15", "2024-03-01") == {"a": 0, "b": 1, "gone": 0}


def test_what_vanished_is_not_believed_from_that_instant_on(model: StageModel) -> None:
    make_transition(model, 1, "a", "2024-01-01")
    make_transition(model, 1, "b", "2024-02-01", superseded="2024-03-01")
    assert counts(model, "2024-02-15", day("2024-03-01") - MILLISECOND) == {"a": 0, "b": 1, "gone": 0}
    assert counts(model, "2024-02-15", "2024-03-01") == {"a": 1, "b": 0, "gone": 0}


def test_moves_are_told_as_they_were_believed_then(model: StageModel) -> None:
    make_transition(model, 1, "a", "2024-01-01")
    make_transition(model, 1, "b", "2024-02-10", superseded="2024-03-01")
    make_transition(model, 1, "gone", "2024-02-20", recorded="2024-03-01")
    make_transition(model, 2, "b", "2024-02-05", recorded="2024-03-01")
    february = days(start=day("2024-02-01").date(), until=day("2024-03-01").date(), zone="UTC")
    found, then = stage_model(model.key), day("2024-02-28")

    def moves(known_at: datetime | None) -> tuple[set[tuple[str | None, str]], ...]:
        flows = stage_flows(model=found, period=february, known_at=known_at).moves
        shifts = stage_shifts(model=found, period=february, known_at=known_at)
        return tuple({(one.source and one.source.key, one.target.key) for one in some} for some in (flows, shifts))

    assert moves(then) == ({("a", "b")}, {("a", "b")})
    assert moves(None) == ({("a", "gone"), (None, "b")},) * 2
    board = stage_board(model=found, period=february, now=NOW, as_of=then, known_at=then)
    assert {one.stage.key: (one.customers, one.change, one.entered, one.left) for one in board} == {
        "a": (0, -1, 0, 1),
        "b": (1, 1, 1, 0),
        "gone": (0, 0, 0, 0),
    }


def test_a_stage_retired_since_stands_on_the_board_of_what_was_known_then(model: StageModel) -> None:
    make_transition(model, 1, "b", "2024-01-10")
    old = Version.objects.get(subject=model)
    document = {"stages": [{"key": "a", "rule": {"did": {}}}], "exit": "gone"}
    new = Version.objects.create(
        subject=model,
        number=2,
        state=Version.State.BUILDING,
        document=document,
        role_table=old.role_table,
        tzdata=old.tzdata,
        engine=old.engine,
        lapse_days=old.lapse_days,
        time_zone=old.time_zone,
    )
    Version.objects.filter(pk=old.pk).update(state=Version.State.RETIRED, retired_at=day("2024-06-01"))
    Version.objects.filter(pk=new.pk).update(state=Version.State.LIVE, published_at=day("2024-06-01"))
    StageModel.objects.filter(pk=model.pk).update(live_version=new)
    period = last_days(count=30, now=day("2024-02-01"), zone="UTC")
    told: dict[str, Any] = {"model": stage_model(model.key), "period": period, "now": NOW, "as_of": day("2024-02-01")}
    assert [one.stage.key for one in stage_board(**told)] == ["a", "gone"]
    then = stage_board(**told, known_at=day("2024-05-01"))
    assert [(one.stage.key, one.customers) for one in then] == [("a", 0), ("b", 1), ("gone", 0)]


def test_nothing_was_known_before_it_was_recorded(model: StageModel) -> None:
    make_transition(model, 1, "a", "2024-01-01", recorded="2025-01-01")
    assert counts(model, "2024-06-01", "2024-06-01") == {"a": 0, "b": 0, "gone": 0}
    assert counts(model, "2024-06-01", "2025-01-01") == {"a": 1, "b": 0, "gone": 0}


def test_nothing_was_known_before_the_model_was_live(model: StageModel) -> None:
    make_transition(model, 1, "a", "2019-01-01")
    assert counts(model, "2019-06-01") == {"a": 1, "b": 0, "gone": 0}
    assert counts(model, "2019-06-01", "2019-06-01") == {"a": 0, "b": 0, "gone": 0}


def test_as_of_after_known_at_is_refused(model: StageModel) -> None:
    with pytest.raises(QuestionError) as refusal:
        counts(model, "2024-02-01", day("2024-02-01") - MILLISECOND)
    assert refusal.value.field == "as_of"


def test_known_at_alone_asks_about_that_instant(model: StageModel) -> None:
    make_transition(model, 1, "a", "2024-01-01")
    make_transition(model, 1, "b", "2024-02-01")
    found = stage_counts(model=stage_model(model.key), now=NOW, known_at=day("2024-01-15"))
    assert [one.customers for one in found.stages] == [1, 0, 0]
    assert found.as_of == day("2024-01-15")


def test_moves_are_the_spells_that_begin_in_the_period(model: StageModel) -> None:
    for customer, stays in enumerate(
        [[("a", "2024-01-31"), ("b", "2024-02-01"), ("a", "2024-02-10")], [("a", "2024-02-05")]]
    ):
        for stage, at in stays:
            make_transition(model, customer, stage, at)
    make_transition(model, 7, "a", "2024-01-01")
    make_transition(model, 7, "gone", "2024-03-01")  # where the period ends: not in it
    february = days(start=day("2024-02-01").date(), until=day("2024-03-01").date(), zone="UTC")
    flows = stage_flows(model=stage_model(model.key), period=february)
    moves = {(one.source and one.source.key, one.target.key): one.moves for one in flows.moves}
    assert moves == {("a", "b"): 1, ("b", "a"): 1, (None, "a"): 1}
    assert {one.stage.key: (one.entered, one.left) for one in flows.stages} == {
        "a": (2, 1),
        "b": (1, 1),
        "gone": (0, 0),
    }
    shifts = stage_shifts(model=stage_model(model.key), period=february)
    assert {(one.source and one.source.key, one.target.key): one.customers for one in shifts} == {
        ("a", "a"): 2,
        (None, "a"): 1,
    }


def test_any_history_is_counted_as_a_slow_count_does(model: StageModel) -> None:
    chance = random.Random(4)
    history: dict[int, list[tuple[datetime, str]]] = {}
    for customer in range(1, 60):
        at, stays, last = day("2024-01-01"), [], ""
        for _ in range(chance.randint(1, 6)):
            at += timedelta(hours=6 * chance.randint(1, 40))
            last = chance.choice([stage for stage in ("a", "b", "gone") if stage != last])
            stays.append((at, last))
            make_transition(model, customer, last, at)
        history[customer] = stays
    instants = sorted(chance.sample([at for stays in history.values() for at, _stage in stays], 10))
    instants = sorted({at + chance.choice([-1, 0, 1]) * MILLISECOND for at in instants})
    trends = stage_trend(model=stage_model(model.key), instants=instants)
    known = stage_trend(model=stage_model(model.key), instants=instants, known_at=NOW)
    assert trends == known
    whole = days(start=instants[0].date(), until=instants[-1].date() + timedelta(days=1), zone="UTC")
    asked: dict[str, Any] = {"model": stage_model(model.key), "period": whole}
    shifts = stage_shifts(**asked)
    assert stage_shifts(**asked, known_at=NOW) == shifts
    assert stage_flows(**asked, known_at=NOW) == stage_flows(**asked)
    ids = {stage: number for number, stage in asked["model"].stages.items()}
    for one in shifts:
        between = {"sources": [ids[one.source] if one.source else 0], "targets": [ids[one.target]]}
        listed = customers_shifted(**asked, until_at=whole.until_at, **between, among=EVERYBODY)
        assert len(set(listed)) == len(listed) == one.customers
    for place, instant in enumerate(instants):
        for trend in trends:
            expected = sum(
                [stage for at, stage in stays if at <= instant][-1:] == [trend.stage.key] for stays in history.values()
            )
            assert trend.customers[place] == expected


def test_a_model_without_customers_counts_zero(model: StageModel) -> None:
    found = stage_counts(model=stage_model(model.key), now=NOW)
    assert [(one.customers, one.share) for one in found.stages] == [(0, None)] * 3
    assert stage_flows(model=stage_model(model.key), period=last_days(count=30, now=NOW, zone="UTC")).moves == ()


def test_now_and_as_of_now_agree_on_a_real_shop() -> None:
    installed()
    now = clock()
    for days_ago in (1, 20, 100, 170, 200, 400):
        make_customer(now - timedelta(days=days_ago), now - timedelta(days=days_ago + 40))
    model = stage_model()
    present = stage_counts(model=model, now=clock())
    past = stage_counts(model=model, now=clock(), as_of=clock())
    assert present.stages == past.stages
    assert (present.customers, present.without_stage) == (6, 0)
    assert sum(one.share or 0 for one in present.stages) == pytest.approx(1)


def test_a_change_is_counted_the_moment_it_is_advanced() -> None:
    installed()
    model = stage_model()
    make_customer(clock() - timedelta(days=300))

    def board() -> dict[str, tuple[int, int, int]]:
        now = clock()
        period = last_days(count=30, now=now, zone="UTC")
        return {
            one.stage.key: (one.customers, one.change, one.entered)
            for one in stage_board(model=model, period=period, now=now)
        }

    assert board()["lapsed"] == (1, 0, 0)
    tell(make_order("back", clock() - timedelta(days=2)))
    settle()
    assert board()["acquisition"] == (1, 1, 1)
    assert board()["lapsed"] == (1, 0, 0)


def test_counts_trend_and_flows_are_one_query_each(model: StageModel, django_assert_num_queries) -> None:
    found: Sorting = stage_model(model.key)
    period = last_days(count=30, now=NOW, zone="UTC")
    with django_assert_num_queries(1):
        stage_trend(model=found, instants=week_ends(until=NOW))
    with django_assert_num_queries(1):
        stage_flows(model=found, period=period)
    with django_assert_num_queries(4):
        stage_board(model=found, period=period, now=NOW)
