"""The demo's experiments: their known numbers are found again, by counting and by what the page is told."""

from datetime import timedelta
from math import sqrt

import pytest

from analytics import demo
from analytics.experiments.ending import outcome
from analytics.experiments.results import results
from analytics.simulator.run import SOURCE
from analytics.simulator.trials import BOW, CARD, begin_trials, end_trials
from campaigns.experiments import create_experiment, work_on_experiments
from campaigns.models import Assignment, Experiment
from customers.ingest import clock
from customers.models import Touchpoint
from tests.factories import make_order
from tests.lifecycle.making import ago, installed, settle, tell

pytestmark = pytest.mark.django_db
PEOPLE = 900


def shop(people: int) -> None:
    """Everybody bought before the card, a third of them again while it lasted, and the last order is of now."""
    installed(time_zone="UTC")
    orders = [make_order(f"p{number}", ago(days=100, minutes=number)) for number in range(people)]
    again = [make_order(f"p{number}", ago(days=65, minutes=number)) for number in range(0, people, 3)]
    tell(*orders, *again, make_order("last", ago(days=0, minutes=1)))
    settle()


def lived() -> int:
    rows = begin_trials(buyers_of="shop")
    settle()
    return rows + end_trials()


def test_the_effect_of_the_card_is_found_again_and_the_other_one_runs() -> None:
    shop(PEOPLE)
    assert lived() > PEOPLE * 2
    card, bow = Experiment.objects.get(key=CARD.key), Experiment.objects.get(key=BOW.key)
    assert (card.state, bow.state) == ("ended", "running")
    found = outcome(experiment=card, as_of=clock())
    assert found.since is None
    assert found.told.verdict == "told"
    reached, conversion, _revenue = found.told.metrics
    assert CARD.shares is not None
    for each, share in zip(reached.variants, CARD.shares, strict=True):
        # Nobody told others before, so whoever does enters the stage, and nobody else.
        given = set(Assignment.objects.filter(experiment=card, variant=each.variant).values_list("unit", flat=True))
        shared = Touchpoint.objects.filter(source__key=SOURCE, profile__customer__in=given)
        assert each.converted == shared.count()
        assert abs(each.converted / len(given) - share) < 4 * sqrt(share * (1 - share) / len(given))
    known = CARD.shares[1] - CARD.shares[0]
    pair = reached.compared[0].comparison
    assert pair.difference.value is not None
    assert pair.error is not None
    assert abs(pair.difference.value - known) < 4 * pair.error
    assert conversion.compared[0].verdict == "open"
    running = results(experiment=bow, as_of=clock())
    assert running.verdict == "early"
    assert [metric.waiting for metric in running.metrics] == [0, PEOPLE]


def test_the_second_time_nothing_changes_and_workers_add_nobody() -> None:
    shop(40)
    assert lived() > 40
    assert work_on_experiments(seconds=60) == 0
    before = Touchpoint.objects.count(), Assignment.objects.count()
    assert lived() == 0
    assert (Touchpoint.objects.count(), Assignment.objects.count()) == before


def test_one_that_was_killed_before_its_end_is_ended_by_the_next_run() -> None:
    shop(40)
    begin_trials(buyers_of="shop")
    assert Experiment.objects.get(key=CARD.key).ended_at is None
    assert lived() == 1
    card = Experiment.objects.get(key=CARD.key)
    assert card.started_at is not None
    assert card.ended_at == card.started_at + timedelta(days=CARD.days)


def test_an_experiment_of_somebody_with_the_same_key_is_left_alone() -> None:
    shop(10)
    metrics = [{"kind": "conversion", "days": 7}]
    variants = [("a", 1), ("b", 1)]
    mine = create_experiment(key=CARD.key, name="Mine", variants=variants, metrics=metrics, planned=9)
    lived()
    mine.refresh_from_db()
    assert (mine.name, mine.state) == ("Mine", "draft")


def test_where_nobody_bought_no_experiment_is_made_up() -> None:
    installed(time_zone="UTC")
    assert demo.add_experiments() == 0
    assert not Experiment.objects.exists()
