"""Everybody who has ordered is scored once a day, by what was known; a killed job goes on; lists hold whom numbers
count."""

import json
import time
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.db import transaction
from django.db.models import Count
from msgspec.structs import replace

from analytics import scores
from analytics.days.fill import fill
from analytics.forgetting import forget_scores
from analytics.models import Score, Scoring
from analytics.value import scoring as scoring_module
from analytics.value.beta_geometric import BetaGeometric
from analytics.value.discounting import daily_rate
from analytics.value.everybody import everybody
from analytics.value.gamma_gamma import GammaGamma
from analytics.value.population import PERIOD_DAYS, Types
from analytics.value.purchases import each_its_own
from analytics.value.scoring import Scored, score_due
from clm.lib.periods import local_day
from clm.lib.questions import QuestionError
from customers.events import Event
from customers.ingest import clock
from customers.merge import merge
from customers.models import Customer, Import, Installation, Source, Touchpoint
from lifecycle.erase import erase
from lifecycle.withdrawn import let_go
from tests.lifecycle.making import ago, customer_of, happened, installed, settle, tell

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def world(db: None) -> None:
    installed(time_zone="Europe/London", margin_percent=None)


def bought(person: str, days_ago: float, amount: int = 5_000, ref: str = "") -> Event:
    event = happened(person, "Order Completed", ago(days=days_ago), amount=amount, id=f"{person} {days_ago} {ref}")
    return replace(event, order_ref=ref)


def gave_back(person: str, days_ago: float, amount: int, ref: str = "") -> Event:
    event = happened(person, "Order Refunded", ago(days=days_ago), amount=-amount, id=f"{person} back {days_ago} {ref}")
    return replace(event, order_ref=ref)


def shop(number: int = 300, *, seed: int = 1) -> list[Event]:
    """Orders of so many within two years, by rates and worths that differ; some stop coming."""
    random = np.random.default_rng(seed)
    events = []
    for one in range(number):
        age = random.uniform(40, 700)
        rate, worth = random.gamma(0.8, 1 / 100), random.gamma(4, 1_500) + 500
        leaves, at = random.exponential(250), 0.0
        while at < min(age, leaves):
            events.append(bought(f"p{one}", round(age - at + 1, 3), int(worth * random.gamma(6, 1 / 6)) + 1))
            at += random.exponential(1 / rate) + 1
    return events


def scored(**more: Any) -> Scored:
    time.sleep(0.002)
    fill()
    return score_due(now=clock(), **more)


def yesterday() -> Any:
    return local_day(clock(), Installation.current().time_zone) - timedelta(days=1)


def kept() -> list[dict[str, Any]]:
    latest = scores.latest_scoring()
    assert latest is not None
    return list(Score.objects.filter(scoring=latest.pk).order_by("customer").values())


def test_histories_are_read_as_of_a_day_with_refunds_on_the_day_of_their_order() -> None:
    tell(
        bought("anna", 100.2, 4_000, "a1"),
        bought("anna", 60.2, 6_000, "a2"),
        bought("anna", 60.21, 1_000, "a3"),
        gave_back("anna", 20, 2_500, "a2"),
        gave_back("anna", 10, 700),
        bought("ben", 30.2, 900),
        happened("ben", "Order Completed", ago(days=3), amount=0),
        happened("nobody", "Page Viewed", ago(days=3)),
        happened("", "Order Completed", ago(days=9), amount=500, identities=[("anonymous_id", "device")]),
    )
    settle()  # which finds out who is known by a device alone
    until = yesterday()
    people = everybody(
        until=until, start=0, cut=0, asked=[scoring_module.number_of(until)], types=Types.mapped(), zone="Europe/London"
    )
    assert people.customer.tolist() == sorted([customer_of("anna"), customer_of("ben")])
    known = people.known[people.until]
    place = people.customer.tolist().index(customer_of("anna"))
    assert known.repeats[place] == 1
    assert known.last[place] == 40
    # All of it net; of the repeat orders what was given back of them and what nobody knows the order of.
    assert people.revenue[place] == 4_000 + 6_000 + 1_000 - 2_500 - 700
    assert people.mean[place] == 6_000 + 1_000 - 2_500 - 700
    assert known.repeats[1 - place] == 0
    assert people.mean[1 - place] == 0


def test_who_has_a_contract_is_left_to_the_models_of_contracts() -> None:
    tell(
        bought("anna", 50),
        happened("ben", "Subscription Started", ago(days=200)),
        bought("ben", 199),
        bought("ben", 169),
        happened("cleo", "Subscription Started", ago(days=200)),
        happened("cleo", "Subscription Cancelled", ago(days=110)),
        bought("cleo", 199),
    )
    scored()
    assert [row["customer_id"] for row in kept()] == [customer_of("anna")]
    latest = scores.latest_scoring()
    assert latest is not None
    contracts = latest.document["contracts"]
    assert (contracts["customers"], contracts["number"], contracts["ended"]) == (2, 2, 1)
    # What both of them ordered, and how long they were under contract: one until yesterday, one for 90 days.
    assert contracts["paid"] == 3 * 5_000
    assert contracts["contract_months"] == pytest.approx((199.5 + 90) / PERIOD_DAYS, abs=0.05)
    assert scores.score_of(customer=customer_of("ben")) is None


def test_everybody_is_scored_by_the_model_that_was_kept() -> None:
    tell(*shop(250))
    done = scored()
    rows = kept()
    latest = scores.latest_scoring()
    assert latest is not None
    document = latest.document
    assert done.rows >= len(rows) == document["customers"] == latest.customers > 200
    json.dumps(document, allow_nan=False)
    shown = scores.shown_fit(document)
    assert shown["verdict"] == "fitted"
    model = BetaGeometric(*(one["value"] for one in shown["parameters"]), first_chance=1)
    worth = GammaGamma(*(one["value"] for one in document["spending"]["parameters"]))
    until = latest.as_of
    people = everybody(
        until=until, start=0, cut=0, asked=[scoring_module.number_of(until)], types=Types.mapped(), zone="Europe/London"
    )
    known = people.known[people.until]
    one_by_one = each_its_own(known.repeats, known.last, people.until - people.first)
    assert [row["alive"] for row in rows] == pytest.approx(model.alive(one_by_one).tolist())
    (year,) = model.discounted_orders(one_by_one, horizons=(365.25,), rate=daily_rate())
    expected = np.rint(year * worth.order_values(known.repeats, people.mean))
    assert [row["worth_12"] for row in rows] == expected.tolist()
    for row in rows:
        assert 0 <= row["alive"] <= 1
        assert row["worth_12"] <= row["worth_24"] <= row["worth_36"]
        assert 1 <= row["alive_step"] <= 10
        assert 1 <= row["worth_step"] <= 10
        assert 111 <= row["rfm"] <= 555
    assert latest.document["tracking"]["came"][-1] > 0


def test_the_second_run_of_a_day_does_nothing() -> None:
    tell(*shop(80))
    assert scored().scorings > 0
    again = scored()
    assert (again.scorings, again.rows, again.busy) == (0, 0, False)


def test_what_comes_late_is_scored_after_a_rest() -> None:
    tell(*shop(80))
    scored()
    before = scores.latest_scoring()
    assert before is not None
    tell(bought("p0", 3.3, 123_456))
    time.sleep(0.002)
    fill()
    assert score_due(now=clock()).scorings == 0
    assert score_due(now=clock() + timedelta(minutes=3)).scorings > 0
    latest = scores.latest_scoring()
    assert latest is not None
    assert latest.pk != before.pk
    assert not Scoring.objects.filter(pk=before.pk).exists()
    assert not Score.objects.filter(scoring=before.pk).exists()


class Killed(Exception):  # noqa: N818
    """Stands for the end of a process."""


def test_a_killed_job_goes_on_where_it_stopped_and_ends_as_if_nothing_had_happened(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tell(*shop(90))
    scored()
    whole = [{**row, "scoring_id": 0} for row in kept()]
    Score.objects.all().delete()
    Scoring.objects.all().delete()
    monkeypatch.setattr(scoring_module, "CHUNK", 20)

    def until_killed(_line: str) -> None:
        if Score.objects.exists():
            raise Killed

    with pytest.raises(Killed):
        scored(tell=until_killed)
    assert scores.latest_scoring() is None  # half a scoring is shown to nobody
    under_way = scores.under_way()
    assert under_way is not None
    left = under_way.next_customer
    assert 0 < Score.objects.filter(scoring=under_way.pk).count() < len(whole)
    told: list[str] = []
    assert scored(tell=told.append).scorings > 0
    assert not [line for line in told[:1] if "fitting" in line]
    assert left > 0
    assert [{**row, "scoring_id": 0} for row in kept()] == whole


def test_ends_of_months_are_kept_and_other_days_go() -> None:
    tell(*shop(60))
    scored()
    latest = scores.latest_scoring()
    assert latest is not None
    month_end = yesterday() if (yesterday() + timedelta(days=1)).day == 1 else yesterday().replace(day=1) - timedelta(1)
    assert set(Scoring.objects.values_list("as_of", flat=True)) == {yesterday(), month_end}
    later = clock() + timedelta(days=1)
    assert score_due(now=later).scorings == 1
    assert set(Scoring.objects.values_list("as_of", flat=True)) == {yesterday() + timedelta(days=1), month_end}
    customer = kept()[0]["customer_id"]
    told = scores.scores_of(customer=customer)
    assert [one.as_of for one in told] == sorted((one.as_of for one in told), reverse=True)
    assert set(Score.objects.values_list("scoring", flat=True)) == set(Scoring.objects.values_list("pk", flat=True))


def test_every_class_and_step_is_the_list_it_opens() -> None:
    tell(*shop(110))
    scored()
    latest = scores.latest_scoring()
    assert latest is not None
    people = [row["customer_id"] for row in kept()]
    merge(customers=(people[0], people[1]), now=clock())
    counted = scores.counts(scoring=latest)
    everyone = set(people) - {people[1]}
    for kind in ("alive", "worth", "rfm"):
        for step, customers in counted[kind].items():
            if step:
                listed = set(scores.customers_of(group=scores.group_name(kind, step)))
                assert len(listed & everyone) == customers, (kind, step)
    assert sum(counted["alive"].values()) == len(everyone)
    for kind, place in (("recency", 100), ("frequency", 10), ("monetary", 1)):
        for which in range(1, 6):
            listed = set(scores.customers_of(group=scores.group_name(kind, which)))
            expected = sum(number for rfm, number in counted["rfm"].items() if rfm // place % 10 == which)
            assert len(listed & everyone) == expected


def test_whoever_went_with_an_import_is_in_no_count_and_no_list() -> None:
    """The list of a class holds as many as its number says, also until all are scored anew."""
    tell(*shop(60))
    scored()
    latest = scores.latest_scoring()
    assert latest is not None
    people = [row["customer_id"] for row in kept()]
    before = scores.counts(scoring=latest)
    gone = people[:7]
    web, _made = Source.objects.get_or_create(key="web", defaults={"name": "Web"})
    record = Import.objects.create(
        source=web, file_name="a.csv", file_sha256="0" * 64, file_bytes=1, mapping={}, state=Import.State.UNDOING
    )
    Touchpoint.objects.filter(profile__customer__in=gone).delete()
    with transaction.atomic():
        assert let_go(gone) == len(gone)
    Import.objects.filter(pk=record.pk).update(counts={"undone_customers": len(gone)})
    for state in ({"undone_at": None}, {"undone_at": clock()}):
        Import.objects.filter(pk=record.pk).update(**state)
        counted = scores.counts(scoring=latest)
        assert sum(counted["rfm"].values()) == sum(before["rfm"].values()) - len(gone)
        for kind in ("alive", "risk", "worth", "rfm"):
            for step, customers in counted[kind].items():
                if step:
                    listed = scores.customers_of(group=scores.group_name(kind, step))
                    assert Customer.objects.filter(pk__in=listed, merged_into=None).count() == customers, (kind, step)


def test_an_unknown_group_is_refused() -> None:
    for group in ("score:", "score:alive", "score:alive:x", "score:nothing:3", "score:alive:0", "score:alive:١"):
        with pytest.raises(QuestionError):
            scores.refuse_unknown_group(group)


def test_where_nothing_was_ordered_nothing_is_scored() -> None:
    tell(happened("anna", "Page Viewed", ago(days=3)))
    assert scored() == Scored()
    assert scores.latest_scoring() is None
    assert scores.customers_of(group="score:alive:10") == []


@pytest.mark.parametrize(
    "events",
    [
        lambda: [bought("anna", 40)],
        lambda: [bought("anna", 40), bought("anna", 20)],
        lambda: [bought(f"p{one}", 30 + one) for one in range(60)],
        lambda: [event for one in range(60) for event in (bought(f"p{one}", 90), bought(f"p{one}", 50))],
        lambda: [bought("anna", 1.0)],
    ],
    ids=["one customer", "one repeater", "no repeaters", "all alike", "a cohort of yesterday"],
)
def test_thin_data_end_in_reasons_and_never_in_nan(events: Any) -> None:
    tell(*events())
    scored()
    latest = scores.latest_scoring()
    assert latest is not None
    json.dumps(latest.document, allow_nan=False)
    for row in kept():
        for name in ("alive", "risk", "worth_12", "worth_24", "worth_36"):
            assert row[name] is None or np.isfinite(row[name])
        told = scores.score_of(customer=row["customer_id"])
        assert told is not None
    assert latest.document["risk"]["refused"] in ("too_short", "thin", "no_model")
    assert scores.totals(scoring=latest).customers == len(kept())


def test_expected_margin_is_the_margins_part_of_expected_revenue() -> None:
    tell(*shop(110))
    scored()
    customer = kept()[0]["customer_id"]
    revenue = scores.score_of(customer=customer)
    installation = Installation.current()
    installation.margin_percent = 40
    installation.save()
    margin = scores.score_of(customer=customer)
    assert revenue is not None
    assert margin is not None
    assert (revenue.is_margin, margin.is_margin) == (False, True)
    assert [None if one is None else one * 2 / 5 for one in revenue.worth] == list(margin.worth)


def test_the_risk_is_proved_on_the_last_days_beside_a_naive_guess() -> None:
    tell(*shop(400, seed=5))
    scored()
    latest = scores.latest_scoring()
    assert latest is not None
    risk = latest.document["risk"]
    assert risk["refused"] == ""
    assert 0 < risk["error"] < risk["base_error"]
    assert sum(band["customers"] for band in risk["bands"]) == risk["customers"]
    for band in risk["bands"]:
        assert 0 <= band["low"] <= band["came"] <= band["high"] <= 1
    steps = Score.objects.filter(scoring=latest.pk).values("risk_step").annotate(number=Count("customer"))
    assert {row["risk_step"]: row["number"] for row in steps} == scores.counts(scoring=latest)["risk"]


def test_where_nobody_is_ever_lost_the_risk_of_silence_is_told_and_being_alive_is_not() -> None:
    random = np.random.default_rng(8)
    events = []
    for one in range(150):
        age, rate = random.uniform(300, 600), random.gamma(0.9, 1 / 70)
        times = np.cumsum(np.r_[0.0, random.exponential(1 / rate, 200) + 1])
        events += [bought(f"p{one}", round(age - at + 1, 3)) for at in times[times < age]]
    tell(*events)
    scored()
    latest = scores.latest_scoring()
    assert latest is not None
    assert scores.shown_fit(latest.document)["verdict"] == "dropout_not_identified"
    assert latest.document["risk"]["refused"] == ""
    for row in kept():
        assert row["alive"] is None
        assert 0 <= row["risk"] <= 1
        assert 1 <= row["risk_step"] <= 10


def test_scores_of_somebody_who_was_erased_go_from_every_scoring_and_every_count() -> None:
    tell(*shop(250))
    scored()
    people = [row["customer_id"] for row in kept()]
    merge(customers=(people[0], people[1]), now=clock())
    erase(customer=people[0], now=clock())
    assert forget_scores() == 2 * Scoring.objects.count()  # with whom it had absorbed
    assert forget_scores() == 0
    latest = scores.latest_scoring()
    assert latest is not None
    assert not Score.objects.filter(customer__in=people[:2]).exists()
    everyone = scores.totals(scoring=latest)
    rows = kept()
    assert everyone.customers == len(rows) == len(people) - 2
    assert all(row["alive"] is not None for row in rows)
    assert everyone.alive == pytest.approx(sum(row["alive"] for row in rows))
    assert everyone.worth == tuple(sum(row[f"worth_{months}"] for row in rows) for months in (12, 24, 36))
    for kind, steps in scores.counts(scoring=latest).items():
        for step, customers in steps.items():
            if step:
                assert len(scores.customers_of(group=scores.group_name(kind, step))) == customers


def test_whoever_is_erased_while_scores_are_computed_is_in_none(monkeypatch: pytest.MonkeyPatch) -> None:
    tell(*shop(60))
    time.sleep(0.002)
    fill()
    person = customer_of("p7")
    once: list[str] = []

    def erased_meanwhile(line: str) -> None:
        if "customers up to" in line and not once:
            once.append(line)
            erase(customer=person, now=clock())

    monkeypatch.setattr(scoring_module, "CHUNK", 10_000)
    assert score_due(now=clock(), tell=erased_meanwhile).scorings > 0
    assert once
    assert Score.objects.exists()
    assert not Score.objects.filter(customer=person).exists()
    assert forget_scores() == 0
