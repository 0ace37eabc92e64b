"""What experiments say, counted before anybody asks: told while it is young and nothing it rests on is another, counted
anew as often as it may cost."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from analytics.days.kept import Kept
from analytics.experiments import ahead
from analytics.experiments.ahead import count_next, instant_shown, is_due
from analytics.experiments.ending import count_ended, count_experiments, has_work, outcome
from analytics.models import Counting, ExperimentCount
from campaigns.experiments import create_experiment, end_experiment, start_experiment, work_on_experiments
from campaigns.models import Experiment
from clm.lib.milliseconds import truncated
from customers.ingest import clock
from customers.models import TouchpointType
from tests.factories import make_order
from tests.lifecycle.making import ago, happened, installed, settle, tell

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def counted_per_day(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Figures are kept per day, and everything takes long enough to be counted ahead."""
    installed(time_zone="UTC")
    kept = Kept("UTC", {("sales", 0): Counting(known_at=clock())}, generation="one")
    monkeypatch.setattr(ahead, "kept", lambda: kept)
    monkeypatch.setattr(ahead, "WORTH_SECONDS", 0.0)
    yield


def running(**more: Any) -> Experiment:
    tell(*(happened(f"p{number}", "Page Viewed", ago(days=100)) for number in range(6)))
    settle()
    told: dict[str, Any] = {
        "key": "bow",
        "name": "A bow",
        "variants": [("control", 1), ("bow", 1)],
        "metrics": [{"kind": "conversion", "days": 7}],
        "planned": 6,
    }
    start_experiment(experiment=create_experiment(**{**told, **more}), now=clock())
    assert work_on_experiments(seconds=60) == 6
    return Experiment.objects.get(key=more.get("key", "bow"))


def assigned(one: Experiment, **asked: Any) -> int:
    return outcome(experiment=one, **asked).told.total


def test_what_was_counted_is_told_as_of_then_until_it_is_old() -> None:
    one, now = running(), clock()
    assert instant_shown(one, now=now) != truncated(now)
    assert count_next(now=now)
    assert instant_shown(one, now=now + 10 * MINUTE) == truncated(now)
    assert assigned(one, as_of=truncated(now)) == 6
    # That it is read, and not counted, is seen by what it says.
    row = ExperimentCount.objects.get()
    for each in row.metrics[0]["counts"]:
        each["assigned"] = 50
    row.save()
    assert assigned(one, as_of=truncated(now)) == 100
    assert assigned(one, as_of=truncated(now) + timedelta(milliseconds=1)) == 6
    later = now + 11 * MINUTE
    assert instant_shown(one, now=later) > truncated(now)


def test_it_is_counted_anew_after_five_minutes_and_not_before() -> None:
    one, now = running(), clock()
    assert is_due(now=now)
    assert count_next(now=now)
    assert not count_next(now=now + 4 * MINUTE)
    assert count_next(now=now + 5 * MINUTE)
    assert ExperimentCount.objects.get().until_at == truncated(now + 5 * MINUTE)
    assert instant_shown(one, now=now + 6 * MINUTE) == truncated(now + 5 * MINUTE)


def test_what_takes_long_rests_twenty_times_as_long() -> None:
    running()
    now = clock()
    assert count_next(now=now)
    ExperimentCount.objects.update(seconds=30)
    assert not count_next(now=now + 9 * MINUTE)
    assert count_next(now=now + 10 * MINUTE)


def test_the_one_that_waits_longest_is_counted_first_and_each_in_its_turn() -> None:
    first, second = running(), running(key="card")
    now = clock()
    assert count_next(now=now) and count_next(now=now + MINUTE) and not count_next(now=now + MINUTE)
    assert count_next(now=now + 7 * MINUTE)
    at = dict(ExperimentCount.objects.values_list("experiment", "counted_at"))
    assert at == {first.pk: now + 7 * MINUTE, second.pk: now + MINUTE}


def test_what_is_counted_at_once_is_counted_when_somebody_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    one, now = running(), clock()
    assert count_next(now=now)
    monkeypatch.setattr(ahead, "WORTH_SECONDS", 60.0)
    assert instant_shown(one, now=now + MINUTE) != truncated(now)
    assert not is_due(now=now + 59 * MINUTE)
    assert is_due(now=now + 60 * MINUTE)


def test_nothing_is_told_that_counted_other_types_or_another_state() -> None:
    one, now = running(), clock()
    assert count_next(now=now)
    TouchpointType.objects.create(name="Bought", role="purchase")
    assert instant_shown(one, now=now + MINUTE) != truncated(now)
    TouchpointType.objects.filter(name="Bought").delete()
    assert instant_shown(one, now=now + MINUTE) == truncated(now)
    Experiment.objects.update(stopped_at=now)
    one.refresh_from_db()
    assert instant_shown(one, now=now + MINUTE) != truncated(now)
    assert is_due(now=now + MINUTE)


def test_while_customers_are_assigned_nothing_is_counted_ahead() -> None:
    one = running()
    Experiment.objects.update(assigned_at=None)
    assert not is_due(now=clock())
    Experiment.objects.update(stopped_at=clock())
    assert not is_due(now=clock())  # the last batch may be on its way
    assert is_due(now=clock() + 2 * MINUTE)
    assert Experiment.objects.get(pk=one.pk).state == "stopped"


def test_a_recount_of_one_that_has_ended_is_told_for_two_hours_with_its_instant() -> None:
    one = running()
    end_experiment(experiment=one, now=clock())
    assert has_work(now=clock())
    assert count_ended()
    one.refresh_from_db()
    row = ExperimentCount.objects.get()
    assert row.until_at == one.ended_at
    found = outcome(experiment=one, as_of=row.counted_at + 119 * MINUTE)
    assert (found.agrees, found.recounted_at) == (True, row.counted_at)
    late = row.counted_at + 121 * MINUTE
    assert outcome(experiment=one, as_of=late).recounted_at == late
    assert not has_work(now=row.counted_at + 59 * MINUTE)
    tell(make_order("p1", ago(days=0)))
    assert count_next(now=row.counted_at + 60 * MINUTE)
    assert not is_due(now=row.counted_at + timedelta(days=91))


def test_without_figures_per_day_only_ends_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    one = running()
    monkeypatch.setattr(ahead, "kept", lambda: Kept("UTC", {}))
    assert count_experiments(seconds=60) == 0
    end_experiment(experiment=one, now=clock())
    assert count_experiments(seconds=60) == 1
