"""How customers move: every number against a slow and plain count over everybody's history, and against the length of
the list that it opens."""

import random
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest

from analytics.beginning import Beginning
from analytics.behind import customers_behind, group_name, said
from analytics.days.kept import kept
from analytics.movement import Movement, growth_periods, movement, way
from analytics.scope import Scope
from analytics.sorting import segment, stage_model
from clm.lib.periods import PRESETS, day_start, days, local_day, preset
from clm.lib.questions import QuestionError
from lifecycle.models import StageModel
from tests.analytics.days.filling import filled
from tests.analytics.days.test_kept import KINDS
from tests.factories import day, make_model, make_transition
from tests.lifecycle.making import ago, happened, installed, settle, tell

pytestmark = pytest.mark.django_db
MILLISECOND = timedelta(milliseconds=1)
NOW = datetime(2026, 6, 1, tzinfo=UTC)
STAGES = ("a", "b", "c", "lapsed", "gone")
History = list[tuple[datetime, str]]


@pytest.fixture
def histories() -> dict[int, History]:
    """Sixty customers in a made model, each entering a handful of stages between 2023 and 2026; some on one day, some
    at the borders of days."""
    model, chance = make_model("made", STAGES), random.Random(11)
    borders = [day_start(date(2024, month, 1), "Europe/London") for month in (2, 3, 4, 11)]
    answer = {}
    for customer in range(1, 61):
        instants = {
            day("2023-06-01") + timedelta(hours=chance.randint(0, 24 * 1000)) for _ in range(chance.randint(1, 7))
        }
        instants |= set(chance.sample(borders, chance.randint(0, 2)))
        if customer % 5 == 0:
            instants.add(chance.choice(borders) - MILLISECOND)
        history: History = []
        for at in sorted(instants):
            choices = [stage for stage in STAGES if not history or stage != history[-1][1]]
            history.append((at, chance.choice(choices)))
            make_transition(model, customer, history[-1][1], at)
        answer[customer] = history
    return answer


def stage_before(history: History, border: datetime) -> str:
    found = [stage for at, stage in history if at < border]
    return found[-1] if found else ""


PERIODS = [
    ("2024-01-01", "2024-04-01", "Europe/London"),  # the clock jumps on inside
    ("2024-02-29", "2024-03-01", "Europe/London"),
    ("2024-10-27", "2024-11-01", "Europe/London"),  # begins with 25 hours
    ("2023-01-01", "2026-01-01", "Pacific/Kiritimati"),
    ("2024-12-31", "2025-01-01", "Pacific/Pago_Pago"),
    ("2026-05-20", "2026-06-20", "UTC"),  # not over
    ("2020-01-01", "2020-02-01", "UTC"),  # before anything
]


def asked(start: str, until: str, zone: str, as_of: datetime = NOW) -> Scope:
    return Scope(days(start=day(start).date(), until=day(until).date(), zone=zone), as_of)


def moved(scope: Scope) -> Movement:
    return movement(model=stage_model("made"), scope=scope, since=None)


@pytest.mark.parametrize(("start", "until", "zone"), PERIODS)
def test_stocks_and_shifts_are_what_counting_everybody_gives(
    start: str, until: str, zone: str, histories: dict[int, History]
) -> None:
    scope = asked(start, until, zone)
    found = moved(scope)
    shifts = Counter(
        (stage_before(one, scope.period.start_at), stage_before(one, scope.until_at)) for one in histories.values()
    )
    shifts.pop(("", ""), None)
    assert {pair: count for pair, count in found.matrix.cells.items() if count} == shifts
    for stock in found.stocks:
        key = stock.stage.key
        assert stock.at_start == sum(n for (source, _target), n in shifts.items() if source == key)
        assert stock.at_end == sum(n for (_source, target), n in shifts.items() if target == key)
        assert stock.at_start + stock.came - stock.gone == stock.at_end
        assert stock.at_start + stock.entered - stock.left == stock.at_end
        inside = [(at, stage) for one in histories.values() for at, stage in one if stage == key]
        assert stock.entered == sum(scope.period.start_at <= at < scope.until_at for at, _stage in inside)
    for line in found.trend:
        for instant, count in zip(found.instants, line.customers, strict=True):
            expected = sum(stage_before(one, instant + MILLISECOND) == line.stage.key for one in histories.values())
            assert count == expected, (line.stage.key, instant)
    assert found.labels[-1] == local_day(scope.end_at, zone)


@pytest.mark.parametrize(("start", "until", "zone"), PERIODS)
def test_stays_and_steps_are_what_counting_everybody_gives(
    start: str, until: str, zone: str, histories: dict[int, History]
) -> None:
    scope = asked(start, until, zone)
    found = moved(scope)
    order = ["a", "b", "c"]
    for stay, key in zip(found.stays, STAGES, strict=True):
        lengths = []
        for history in histories.values():
            for place, (at, stage) in enumerate(history):
                if stage == key and scope.period.start_at <= at < scope.until_at:
                    left = history[place + 1][0] if place + 1 < len(history) else None
                    lengths.append((left is not None, int(((left or NOW) - at).total_seconds() // 3600)))
                    break
        assert (stay.entered, stay.left) == (len(lengths), sum(is_left for is_left, _hours in lengths))
        assert stay.hours.median == plain_median(lengths)
    assert [step.stage.key for step in found.steps] == order
    for step in found.steps:
        lengths = []
        for history in histories.values():
            entries = [at for at, stage in history if stage == step.stage.key]
            inside = [at for at in entries if scope.period.start_at <= at < scope.until_at]
            if not inside:
                continue
            later = order[order.index(step.stage.key) + 1 :]
            reached = [at for at, stage in history if stage in later and at > inside[0]]
            end = reached[0] if reached else NOW
            lengths.append((bool(reached), int((end - inside[0]).total_seconds() // 3600)))
        assert step.entered == len(lengths)
        if step.hours is not None:
            assert step.reached == sum(is_reached for is_reached, _hours in lengths)
            assert step.hours.median == plain_median(lengths)
            assert step.conversion is None or 0 <= step.conversion <= 1


def plain_median(lengths: list[tuple[bool, int]]) -> int | None:
    share = 1.0
    for time in sorted({hours for is_over, hours in lengths if is_over}):
        at_risk = sum(hours >= time for _over, hours in lengths)
        share *= 1 - sum(is_over and hours == time for is_over, hours in lengths) / at_risk
        if share <= 0.5 + 1e-12:
            return time
    return None


def numbers(found: Movement) -> Iterator[tuple[str, int]]:
    """Every number with the name of the group that its link opens."""
    model = found.model
    for stock in found.stocks:
        for kind in ("at_start", "came", "gone", "at_end"):
            yield group_name(kind, model, stock.stage), getattr(stock, kind)
    for source, _total, cells in found.matrix.rows:
        for target, count, _share in cells:
            yield group_name("moved", model, source, target), count
    for stay in found.stays:
        yield group_name("entered", model, stay.stage), stay.entered
        yield group_name("left", model, stay.stage), stay.left
    for step in found.steps:
        yield group_name("entered", model, step.stage), step.entered
        if step.hours is not None:
            yield group_name("reached", model, step.stage), step.reached


@pytest.mark.parametrize(("start", "until", "zone"), PERIODS[:2] + PERIODS[-2:])
def test_every_number_opens_a_list_of_as_many_customers(
    start: str, until: str, zone: str, histories: dict[int, History]
) -> None:
    scope = asked(start, until, zone)
    for group, number in numbers(moved(scope)):
        listed = customers_behind(scope=scope, group=group)
        assert len(listed) == len(set(listed)) == number, group
        assert said(group)


@pytest.mark.parametrize("group", ["moved", "moved:made:a", "moved:made:a:nowhere", "left:eight:a", "x:made:a", "left"])
def test_a_group_that_there_is_not_is_a_fault_of_its_field(group: str, histories: dict[int, History]) -> None:
    with pytest.raises(QuestionError) as fault:
        customers_behind(scope=asked(*PERIODS[0]), group=group)
    assert fault.value.field == "group"


def test_the_way_leaves_out_those_who_are_gone() -> None:
    make_model("made", STAGES)
    model = stage_model("made")
    assert [model.stages[number].key for number in way(model)] == ["a", "b", "c"]


def test_nobody_and_nothing_is_never_an_error() -> None:
    make_model("made", STAGES)
    found = moved(asked("2024-01-01", "2024-02-01", "UTC"))
    assert {stock.at_end for stock in found.stocks} == {0}
    assert all(step.conversion is None and step.interval is None for step in found.steps)
    assert [one.counts.ended for one in found.growth] == [0]
    StageModel.objects.update(live_version=None)
    assert moved(asked("2024-01-01", "2024-02-01", "UTC")).flows == ()


@pytest.mark.parametrize(
    ("start", "until", "first", "expected"),
    [
        ("2024-03-01", "2024-04-01", "2023-01-15", ["2023-04-01", "2024-03-01", 12]),
        ("2024-03-01", "2024-04-01", "2024-01-15", ["2024-01-01", "2024-03-01", 3]),
        ("2024-02-29", "2024-03-01", "2024-02-27", ["2024-02-27", "2024-02-29", 3]),
        ("2024-01-01", "2025-01-01", "2030-01-01", ["2024-01-01", "2024-01-01", 1]),
    ],
)
def test_growth_is_told_of_as_many_periods_as_there_are_records(
    start: str, until: str, first: str, expected: list[object]
) -> None:
    period = asked(start, until, "UTC").period
    found = growth_periods(period=period, since=Beginning(day(first).date(), 180))
    assert [found[0].start.isoformat(), found[-1].start.isoformat(), len(found)] == expected
    assert all(earlier.until == later.start for earlier, later in pairwise(found))


def test_what_is_kept_and_what_is_counted_from_history_move_alike() -> None:
    installed(time_zone="America/St_Johns")
    chance = random.Random(3)
    for person in range(20):
        kinds = [chance.choice(KINDS) for _ in range(chance.randint(1, 9))]
        tell(
            *[
                happened(f"p{person}", kind, ago(hours=chance.randint(1, 24 * 400)), id=f"{person}/{n}", amount=amount)
                for n, (kind, amount) in enumerate(kinds)
            ]
        )
    settle()
    filled()
    found = kept()
    assert found.known_at is not None
    since = Beginning(local_day(ago(days=400), found.zone), 180)
    periods = [preset(key=key, now=found.known_at, zone=found.zone) for key in PRESETS]
    today = local_day(found.known_at, found.zone)
    periods.append(days(start=today - timedelta(days=200), until=today - timedelta(days=17), zone=found.zone))
    for period in periods:
        scope = Scope(period, found.known_at, kept=found)
        plain = Scope(period, found.known_at)
        for key in ("seven", "five"):
            model = stage_model(key)
            fast, slow = (movement(model=model, scope=one, since=since) for one in (scope, plain))
            assert fast == slow
            for group, number in numbers(fast):
                assert len(customers_behind(scope=scope, group=group)) == number, (period, group)
        for one in fast.growth:
            counts = one.counts
            assert counts.ended == counts.started + counts.first + counts.reactivated - counts.lost
            for name in ("started", "first", "reactivated", "lost", "ended", "kept", "came_and_went"):
                assert len(customers_behind(scope=one.scope, group=name)) == getattr(counts, name)


def test_among_a_segment_only_its_members_move() -> None:
    installed(time_zone="UTC")
    tell(happened("a", "Order Completed", ago(days=20), amount=100), happened("b", "Page Viewed", ago(days=20)))
    settle()
    period = days(start=local_day(ago(days=40), "UTC"), until=local_day(ago(days=5), "UTC"), zone="UTC")
    scope = Scope(period, ago(minutes=0), segment("active_customer"))
    everybody = Scope(period, scope.as_of)
    model = stage_model("seven")
    assert sum(movement(model=model, scope=everybody, since=None).matrix.cells.values()) == 2
    among = movement(model=model, scope=scope, since=None)
    assert sum(among.matrix.cells.values()) == 1
    for group, number in numbers(among):
        assert len(customers_behind(scope=scope, group=group)) == number, group
