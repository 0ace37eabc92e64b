"""Whoever is under contract is expected to stay and to pay as those who came as far did: against a plain reference, one
month after the other, and against published numbers."""

import time
from datetime import timedelta
from math import floor, isclose
from typing import Any

import numpy as np
import pytest

from analytics import scores
from analytics.days.fill import fill
from analytics.models import Score
from analytics.value.contracts import Lasting, expected
from analytics.value.population import PERIOD_DAYS
from analytics.value.scoring import score_due
from clm.lib.periods import day_start, local_day
from customers.events import Event
from customers.ingest import clock
from customers.models import Installation
from tests.lifecycle.making import ago, customer_of, happened, installed, tell

ZONE = "Europe/London"


def test_a_new_contract_is_worth_its_discounted_lifetime() -> None:
    for values, published in (((1.2810, 7.7904), 5.464), ((0.7637, 1.2958), 3.621), ((0.2593, 1.7226, 1.5844), 5.994)):
        (worth,) = expected(Lasting(*values), np.array([0.0]), horizons=(2000,), rate=0.10).worth
        assert 1 + worth[0] == pytest.approx(published, abs=0.001)


def test_whoever_has_stayed_long_is_likelier_to_stay_and_the_rest_of_a_month_is_no_wait() -> None:
    model = Lasting(0.7637, 1.2958)
    found = expected(model, np.array([0.0, 6.0, 6.5, 24.0]), horizons=(12, 24, 36), rate=0.01)
    year, two, three = found.lasting
    assert year[0] < year[1] == year[2] < year[3]
    assert all(after < before for before, after in zip(year, two, strict=True))
    assert all(after < before for before, after in zip(two, three, strict=True))
    assert found.worth[0][2] == pytest.approx(found.worth[0][1] * 1.01**0.5)
    undiscounted = expected(model, np.array([6.0]), horizons=(3,), rate=0.0).worth[0][0]
    assert undiscounted == pytest.approx(sum(model.surviving([6 + k])[0] for k in (1, 2, 3)) / model.surviving([6])[0])


def contracts(number: int, *, pays: bool = True) -> list[Event]:
    """So many who began within three years; each pays his own price at the start of each month, until he leaves by a
    chance of his own at the end of one."""
    random = np.random.default_rng(5)
    events = []
    for one in range(number):
        age, leaves, price = random.uniform(20, 1000), random.beta(0.8, 6), int(random.integers(900, 5000))
        month = 0
        events.append(happened(f"c{one}", "Subscription Started", ago(days=age)))
        while True:
            left = age - month * PERIOD_DAYS
            if left <= 0.5:
                break
            if month and random.random() < leaves:
                events.append(happened(f"c{one}", "Subscription Cancelled", ago(days=left)))
                break
            if pays:
                paid = ago(days=left, minutes=-1)
                events.append(happened(f"c{one}", "Order Completed", paid, amount=price, id=f"c{one} {month}"))
            month += 1
    return events


@pytest.fixture
def world(db: None) -> None:
    installed(time_zone=ZONE, margin_percent=None)


def scored() -> None:
    time.sleep(0.002)
    fill()
    score_due(now=clock())


def latest() -> Any:
    found = scores.latest_scoring()
    assert found is not None
    return found


def plainly(events: list[Event], person: str, lasting: list[float], average: float) -> tuple[int, list[float]]:
    """Renewals, and what is expected within 12, 24 and 36 months, month by month. lasting: the share of all contracts
    that are left after so many renewals."""
    end = day_start(local_day(clock(), ZONE), ZONE)
    mine = [event for event in events if event.identities[0][1] == person and event.occurred_at < end]
    age = (end - mine[0].occurred_at) / timedelta(days=1) / PERIOD_DAYS
    paid = [(local_day(event.occurred_at, ZONE), event.amount or 0) for event in mine if event.amount]
    months = (paid[-1][0] - paid[0][0]).days / PERIOD_DAYS
    monthly = sum(amount for _day, amount in paid[:-1]) / months if months else average
    renewals, worth, found = floor(age), 0.0, []
    for month in range(1, 37):
        wait = renewals + month - age
        worth += monthly * lasting[renewals + month] / lasting[renewals] * 1.1 ** -(wait / 12)
        if month % 12 == 0:
            found.append(worth)
    return renewals, found


@pytest.mark.usefixtures("world")
def test_everybody_under_contract_is_scored_as_month_after_month_says() -> None:
    events = contracts(220)
    tell(*events)
    scored()
    told = latest().document["contracts"]
    assert told["ended"] >= 50
    (fit,) = [one for one in told["fits"] if one["key"] == told["shown"]]
    model = Lasting(*(one["value"] for one in fit["parameters"]))
    lasting = [float(one) for one in model.surviving(range(100))]
    average = told["paid"] / told["contract_months"]
    gone = {event.identities[0][1] for event in events if event.type == "Subscription Cancelled"}
    running = {f"c{one}" for one in range(220)} - gone
    rows: dict[int, Any] = {row["customer_id"]: row for row in Score.objects.filter(scoring=latest().pk).values()}
    assert len(rows) == latest().customers == len(running) > 30
    for person in sorted(running):
        row, found = rows[customer_of(person)], scores.score_of(customer=customer_of(person))
        renewals, worth = plainly(events, person, lasting, average)
        assert found is not None
        assert (row["renewals"], row["alive"], row["rfm"], row["risk"]) == (renewals, 1.0, 0, None)
        for name, expects in zip(("worth_12", "worth_24", "worth_36"), worth, strict=True):
            assert isclose(row[name], expects, abs_tol=1), (person, name)
        for months, share in zip((12, 24, 36), found.lasting, strict=True):
            assert isclose(share, lasting[renewals + months] / lasting[renewals], rel_tol=1e-9)
        assert (found.model, found.customers) == (fit["name"], told["number"])
        assert 1 <= row["worth_step"] <= 10
    steps = scores.counts(scoring=latest())["worth"]
    assert sum(steps.values()) == len(running)
    top = scores.customers_of(group=scores.group_name("worth", 10))
    assert len(top) == steps[10] > 0
    assert scores.score_of(customer=customer_of(min(gone))) is None
    # Money to come is margin once one is set.
    before = scores.score_of(customer=top[0])
    Installation.objects.update(margin_percent=40)
    after = scores.score_of(customer=top[0])
    assert before is not None and after is not None
    assert before.worth[0] is not None and after.worth[0] is not None
    assert float(after.worth[0]) == pytest.approx(0.4 * float(before.worth[0]), abs=1)


@pytest.mark.usefixtures("world")
def test_too_few_that_ended_score_nobody_and_who_has_paid_nothing_is_left_out() -> None:
    few = contracts(20)
    tell(*few)
    scored()
    assert not Score.objects.exists()
    assert latest().document["contracts"]["shown"] is None


@pytest.mark.usefixtures("world")
def test_a_sum_of_a_part_is_not_told_as_the_sum_of_all() -> None:
    tell(*contracts(220), happened("anna", "Order Completed", ago(days=50), amount=5_000))
    scored()
    assert scores.score_of(customer=customer_of("anna")) is not None
    whole = scores.totals(scoring=latest())
    assert (whole.alive, whole.worth) == (None, (None, None, None))
