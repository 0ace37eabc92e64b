"""The end of an experiment: at once, what it found counted afterwards and kept beside today's recount."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from analytics.experiments import ending
from analytics.experiments.ending import Counting, Outcome, Since, count_experiments, outcome
from analytics.experiments.results import results
from campaigns.experiments import end_experiment
from campaigns.models import Experiment
from customers.ingest import clock
from customers.merge import merge, unmerge
from customers.models import TouchpointType
from lifecycle.erase import erase
from lifecycle.models import Segment
from tests.campaigns.making_experiments import TOLD, back_to, end, people, started, variant_given
from tests.factories import make_order
from tests.lifecycle.making import ago, customer_of, installed, settle, tell

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def installation() -> Iterator[None]:
    installed(time_zone="UTC")
    yield


def ended(**more: Any) -> tuple[Experiment, dict[str, list[str]]]:
    """One that ended twenty days after its 24 customers were assigned, one order having come in; and who had what."""
    people(24)
    one = started(**more)
    back_to(one, days=20)
    of: dict[str, list[str]] = {"control": [], "bow": []}
    for person in (f"p{number}" for number in range(24)):
        of[variant_given(one, person)].append(person)
    tell(make_order(of["bow"][1], ago(days=19), 1_000))
    settle()
    return end(experiment=one, now=clock()), of


def found_of(one: Experiment) -> Outcome:
    return outcome(experiment=Experiment.objects.get(pk=one.pk), as_of=clock())


def test_what_it_found_is_kept_and_a_recount_stands_beside_it_with_the_reasons() -> None:
    one, of = ended()
    found = found_of(one)
    assert (found.told_at, found.since, found.gone) == (one.ended_at, None, frozenset())
    assert found.told == found.today
    assert found.told.metrics[0].variants[1].converted == 1
    tell(make_order(of["bow"][2], ago(days=18), 500), make_order(of["bow"][3], ago(days=2), 500))
    later = found_of(one)
    assert later.told == found.told
    assert later.since == Since(late=1, converted=0, moved=0, erased=0, goals=False, types=False)
    assert later.today is not None
    assert later.today.metrics[0].variants[1].converted == 2
    assert later.today.metrics[1].variants[1].mean.value == pytest.approx(1_500 / len(of["bow"]))
    # What it said before its end is asked from before its end, and nothing was kept then.
    assert one.ended_at is not None
    before = outcome(experiment=one, as_of=one.ended_at - timedelta(milliseconds=1))
    assert (before.told_at, before.today) == (None, None)


def test_merges_and_erasures_after_the_end_are_told_as_reasons() -> None:
    one, of = ended()
    found = found_of(one)
    pair = customer_of(of["bow"][1]), customer_of(of["control"][1])
    merged = merge(customers=pair, now=clock(), reason="the same")
    later = found_of(one)
    assert later.told == found.told
    assert later.today is not None
    assert (later.today.conflicting, later.since) == (1, Since(0, 0, 1, 0, goals=False, types=False))
    unmerge(merge=merged.pk, now=clock())
    assert found_of(one).since is None
    erase(customer=customer_of(of["bow"][4]), now=clock())
    tell(make_order(of["bow"][2], ago(days=18), 500))
    assert found_of(one).since == Since(1, 0, 2, 1, goals=False, types=False)


def test_orders_defined_otherwise_after_the_end_are_told_as_a_reason() -> None:
    one, _of = ended()
    found = found_of(one)
    TouchpointType.objects.filter(name="Order Completed").update(role="other")
    later = found_of(one)
    assert later.told == found.told
    assert later.since is not None and later.since.types
    assert later.today is not None and later.today.metrics[0].variants[1].converted == 0


def test_a_goal_that_is_retired_after_the_end_leaves_what_was_found() -> None:
    one, of = ended(metrics=[{"kind": "reached", "days": 7, "segment": "active_customer"}, *TOLD["metrics"]])
    found = found_of(one)
    assert found.told.metrics[0].variants[1].converted == 1
    Segment.objects.filter(key="active_customer").update(retired_at=clock())
    later = found_of(one)
    assert (later.told, later.gone, later.since) == (found.told, frozenset({0}), None)
    tell(make_order(of["bow"][2], ago(days=18), 500))
    later = found_of(one)
    assert later.today is not None
    assert [metric.variants[1].converted for metric in later.today.metrics] == [1, 2, 2]
    assert later.since == Since(1, 0, 0, 0, goals=True, types=False)


def test_one_that_ended_before_the_planned_number_never_gets_a_verdict() -> None:
    one, _of = ended(planned=25)
    assert found_of(one).told.verdict == "unreached"
    assert one.ended_at is not None
    assert results(experiment=one, as_of=one.ended_at - timedelta(days=1)).verdict == "early"


def test_an_end_is_at_once_and_what_was_found_is_counted_afterwards() -> None:
    people(4)
    one = started()
    now = clock()
    end_experiment(experiment=one, now=now)
    found = found_of(one)
    assert (found.told.experiment.state, found.counting, found.told.verdict) == ("ending", Counting(0, 2), "counting")
    assert (found.told_at, found.today, found.agrees) == (None, None, False)
    before = outcome(experiment=Experiment.objects.get(), as_of=now - timedelta(milliseconds=1))
    assert (before.told.verdict, before.counting) == ("early", None)
    assert count_experiments(seconds=60) == 1
    assert count_experiments(seconds=60) == 0
    found = found_of(one)
    assert (found.told.experiment.state, found.counting, found.told.verdict) == ("ended", None, "unreached")
    assert (found.told_at, found.agrees) == (now, True)


def test_a_killed_count_of_what_was_found_goes_on_with_the_next_metric(monkeypatch: pytest.MonkeyPatch) -> None:
    people(24)
    one = started()
    back_to(one, days=20)
    end_experiment(experiment=one, now=clock())
    turns, real = [], ending.metric_counts

    def dying(**told: Any) -> Any:
        turns.append(told["document"]["kind"])
        if len(turns) == 2:
            raise KeyboardInterrupt
        return real(**told)

    monkeypatch.setattr(ending, "metric_counts", dying)
    with pytest.raises(KeyboardInterrupt):
        count_experiments(seconds=60)
    found = found_of(one)
    assert (found.counting, found.told.experiment.state) == (Counting(1, 2), "ending")
    tell(make_order("p1", ago(days=19), 1_000))
    assert count_experiments(seconds=60) == 1
    assert turns == ["conversion", "revenue", "revenue"]
    found = found_of(one)
    conversion, revenue = found.told.metrics
    assert sum(each.converted for each in conversion.variants) == 0  # as it was counted first
    assert sum(each.converted for each in revenue.variants) == 1
    assert found.since == Since(late=1, converted=0, moved=0, erased=0, goals=False, types=False)
