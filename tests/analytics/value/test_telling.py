"""What was scored is told to rules in steps: those of the latest day, once, as news only where time brought them."""

import time
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from msgspec.structs import replace

from analytics.days.fill import fill
from analytics.models import SalesDay, Score, Scoring
from analytics.scores import latest_scoring, scores_told_since
from analytics.value import telling
from analytics.value.scoring import Scored, score_due
from analytics.value.telling import cause_of, orders_until, tell_latest
from clm.lib.periods import day_start, local_day
from customers.events import Event
from customers.ingest import clock
from customers.models import Cause, Customer, Installation, Profile, ScoreStep, Stale
from customers.score_steps import Told
from tests.lifecycle.making import (
    ago,
    all_is_true,
    customer_of,
    happened,
    installed,
    new_version,
    profile_of,
    settle,
    stage,
    tell,
)

pytestmark = pytest.mark.django_db

BEST = {"trait": "score:monetary", "gte": 5}


@pytest.fixture(autouse=True)
def world(db: None) -> None:
    installed(time_zone="Europe/London")


def bought(person: str, days_ago: float, amount: int = 5_000) -> Event:
    return happened(person, "Order Completed", ago(days=days_ago), amount=amount, id=f"{person} {days_ago}")


def shop(number: int = 40) -> list[Event]:
    random = np.random.default_rng(2)
    return [
        bought(f"p{one}", round(float(days), 3), 1_000 + 100 * one)
        for one in range(number)
        for days in random.uniform(3, 300, 1 + one % 4)
    ]


def scored(*, now: datetime | None = None, **more: Any) -> Scored:
    time.sleep(0.003)
    fill()
    return score_due(now=now or clock(), **more)


def told() -> dict[int, tuple[int, ...]]:
    """By customer the steps that were told last."""
    steps = ScoreStep.objects.order_by("set_at").values_list(
        "profile", "alive", "risk", "worth", "recency", "frequency", "monetary"
    )
    owner = dict(Profile.objects.values_list("pk", "customer_id"))
    return {owner[profile]: tuple(row) for profile, *row in steps}


def kept() -> dict[int, tuple[int, ...]]:
    latest = latest_scoring()
    assert latest is not None
    rows = Score.objects.filter(scoring=latest.pk).values_list(
        "customer", "alive_step", "risk_step", "worth_step", "rfm"
    )
    return {
        customer: (alive, risk, worth, rfm // 100, rfm // 10 % 10, rfm % 10)
        for customer, alive, risk, worth, rfm in rows
    }


def test_every_step_of_the_latest_scoring_is_told_once_and_those_of_the_end_of_a_month_are_not() -> None:
    tell(*shop())
    settle()
    scored()
    assert len(kept()) == 40
    assert told() == kept()
    assert ScoreStep.objects.count() == 40
    assert not Scoring.objects.exclude(next_told=None).exists()
    assert scored(anew=True).scorings > 0
    assert ScoreStep.objects.count() == 40


def test_customers_whose_named_step_changed_are_looked_at_and_stand_where_the_rule_says() -> None:
    tell(*shop())
    new_version("best", BEST)
    settle()
    scored()
    settle()
    best = {customer for customer, steps in kept().items() if steps[-1] == 5}
    assert len(best) == 8
    assert {customer for customer in kept() if stage(customer, "best") == "in"} == best
    all_is_true()
    # The lowest becomes the highest; one of the highest leaves its fifth.
    tell(bought("p0", 1.6, 900_000))
    settle()
    before = told()
    scored(now=clock() + timedelta(minutes=5))
    changed = {customer for customer, steps in told().items() if steps[-1] != before[customer][-1]}
    assert customer_of("p0") in changed
    whose = dict(Profile.objects.values_list("pk", "customer_id"))
    assert {whose[profile] for profile in Stale.objects.values_list("profile", flat=True)} == changed
    settle()
    assert stage(customer_of("p0"), "best") == "in"
    all_is_true()


class Killed(Exception):  # noqa: N818
    """Stands for the end of a process."""


def test_a_killed_telling_goes_on_where_it_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    tell(*shop())
    settle()
    # Numbers go on from earlier tests.
    first = Customer.objects.order_by("pk").values_list("pk", flat=True)[0]
    monkeypatch.setattr(telling, "CHUNK", first + 15)

    def until_killed(line: str) -> None:
        if "told rules" in line:
            raise Killed

    with pytest.raises(Killed):
        scored(tell=until_killed)
    latest = latest_scoring()
    assert latest is not None
    assert latest.next_told == first + 15
    assert 0 < ScoreStep.objects.count() < 40
    lines: list[str] = []
    scored(tell=lines.append)
    # The first portion is not told again.
    assert lines[0].startswith(f"scores of {latest.as_of}: told rules of customers up to ")
    assert f"up to {first + 14}" not in "".join(lines)
    assert told() == kept()
    assert ScoreStep.objects.count() == 40
    assert tell_latest() == Told(0, 0)


def scoring(days_ago: int, **more: Any) -> Scoring:
    day = local_day(clock(), Installation.current().time_zone) - timedelta(days=days_ago)
    fields = {"basis": "UTC; types; 9 orders", "document": {"orders": orders_until(day)}, **more}
    return Scoring(as_of=day, state=Scoring.State.DONE, started_at=clock(), **fields)


def test_only_what_follows_the_day_before_is_news() -> None:
    tell(*shop())
    settle()
    scored()
    today, before = scoring(1), scoring(2)
    assert cause_of(scoring=today, before=None) == Cause.ENGINE
    assert cause_of(scoring=today, before=before) == Cause.TIME
    assert cause_of(scoring=today, before=scoring(1)) == Cause.LATE  # the same day again: something came late
    assert cause_of(scoring=today, before=scoring(4)) == Cause.ENGINE  # nobody was at work for days
    assert cause_of(scoring=today, before=scoring(2, basis="UTC; other types; 9 orders")) == Cause.MAPPING
    many = orders_until(before.as_of)
    assert many > 10
    assert cause_of(scoring=today, before=scoring(2, document={"orders": many // 2})) == Cause.LATE  # an old file came
    assert cause_of(scoring=today, before=scoring(2, document={})) == Cause.LATE
    SalesDay.objects.all().delete()
    ScoreStep.objects.all().delete()
    assert cause_of(scoring=today, before=before) == Cause.ENGINE  # the first telling of all


def test_what_arrived_late_of_somebody_is_no_news_of_him() -> None:
    tell(*shop())
    settle()
    scored()
    first = latest_scoring()
    assert first is not None
    zone = Installation.current().time_zone
    tomorrow = day_start(first.as_of + timedelta(days=1), zone)
    # Of one something that had happened long before; of another what happened after the day that was scored.
    tell(bought("p1", 50.5, 700_000), replace(bought("p2", 0, 800_000), occurred_at=tomorrow + timedelta(seconds=1)))
    settle()
    following = Scoring(
        as_of=first.as_of + timedelta(days=1),
        basis=first.basis,
        started_at=clock(),
        document={"telling": {"cause": int(Cause.TIME), "since": first.started_at.isoformat()}},
    )
    assert telling._late(following).tolist() == [customer_of("p1")]
    following.document["telling"]["cause"] = int(Cause.LATE)
    assert telling._late(following).tolist() == []


def test_somebody_who_begins_a_contract_has_no_score_any_more() -> None:
    tell(*shop())
    settle()
    scored()
    tell(happened("p3", "Subscription Started", ago(days=2)))
    settle()
    scored(anew=True)
    assert told()[customer_of("p3")] == (0,) * 6
    last = ScoreStep.objects.filter(profile=profile_of("p3")).order_by("-set_at").first()
    assert last is not None
    assert last.monetary == 0


def test_since_when_scores_are_told_is_found_without_reading_them_all() -> None:
    assert scores_told_since() is None
    tell(*shop())
    settle()
    scored()
    assert scores_told_since() == ScoreStep.objects.order_by("set_at").values_list("set_at", flat=True)[0]
    with CaptureQueriesContext(connection) as made, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")  # of a handful of rows it would be cheaper
        scores_told_since()
        cursor.execute("EXPLAIN " + made.captured_queries[-1]["sql"])
        assert "score_step_told" in "\n".join(line for (line,) in cursor.fetchall())
