"""The simulator knows the answers: its numbers are found again in what it stored, each within 4 standard errors."""

import math
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest
from django.db import connection, transaction
from django.db.models import Avg, Count, F, Max, Min, Sum

from analytics.simulator.parameters import Parameters, mean_order
from analytics.simulator.run import SimulationRefused, simulate
from analytics.simulator.timeline import DAY
from campaigns.models import Campaign, Spend
from clm.lib.milliseconds import to_ms
from customers import catalogue
from customers.merge import unmerge
from customers.models import (
    Consent,
    Customer,
    Identity,
    Merge,
    MergedProfile,
    OrderLine,
    Profile,
    Touchpoint,
    TouchpointType,
    Trait,
)
from lifecycle.install import install

from .simulated import NOW, SPAN, START, P, expected_repeats, run

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def population(django_db_setup, django_db_blocker):
    """12,000 people in the tables, for all tests of this part; taken out again afterwards."""
    with django_db_blocker.unblock(), transaction.atomic():
        install(now=NOW)
        done = run(12_000)
        # Nobody else sees these rows, so autovacuum counts none of them: the planner would take the tables for empty.
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE customers_touchpoint, customers_identity, customers_profile, customers_trait")
        # Checked now, once; left to each test's end, references are checked as often as there are tests.
        connection.check_constraints()
        yield done
        transaction.set_rollback(True)
    catalogue.forget()


def times(kind: str) -> dict[int, list[int]]:
    """By profile, the instants of a type in ms, in order."""
    out: dict[int, list[int]] = {}
    rows = Touchpoint.objects.filter(type=TouchpointType.objects.get(name=kind).pk).order_by("occurred_at")
    for profile, at in rows.values_list("profile_id", "occurred_at"):
        out.setdefault(profile, []).append(to_ms(at))
    return out


def count_of(kind: str) -> int:
    return Touchpoint.objects.filter(type=TouchpointType.objects.get(name=kind).pk).count()


def within(found: float, expected: float, error: float) -> None:
    assert abs(found - expected) <= 4 * error, f"{found} is {(found - expected) / error:.1f} errors from {expected}"


def share(found: int, of: int, expected: float) -> None:
    """A share of independent cases."""
    within(found / of, expected, math.sqrt(expected * (1 - expected) / of))


def old_enough(at: int, days: int) -> bool:
    return at < SPAN.until - days * DAY


def test_as_many_people_as_asked_for_and_about_twenty_touchpoints_each(population):
    assert Identity.objects.filter(kind="anonymous_id", value__startswith="sim5-a").count() == 12_000
    each = Touchpoint.objects.count() / 12_000
    assert 18 < each < 22
    counts = population.record.counts
    assert counts["touchpoints_new"] == Touchpoint.objects.count()
    assert counts["customers_new"] == Customer.objects.count() == Profile.objects.count()


def test_how_people_are_met(population):
    first = (
        Touchpoint.objects.order_by("profile_id", "occurred_at", "pk").distinct("profile_id")
        .filter(profile__in=Identity.objects.filter(value__startswith="sim5-a").values("profile"))
    )  # fmt: skip
    ways = Counter(first.values_list("channel__key", flat=True))
    assert sum(ways.values()) == 12_000
    for way in P.ways:
        share(ways[way.channel], 12_000, way.share)


def test_how_many_visit_and_sign_up(population):
    shown = {profile: at[0] for profile, at in times("Ad Shown").items() if old_enough(at[0], 30)}
    clicked = times("Ad Clicked")
    share(len(shown.keys() & clicked.keys()), len(shown), P.visit_share)
    visitors = {profile: at[0] for profile, at in clicked.items() if old_enough(at[0], 60)}
    joined_since = times("Signed Up")
    share(len(visitors.keys() & joined_since.keys()), len(visitors), P.signup_share)
    waited = [(joined_since[one][0] - at) / DAY for one, at in visitors.items() if one in joined_since]
    within(np.mean(waited), P.signup_days, P.signup_days / math.sqrt(len(waited)))


def test_how_they_settle_in(population):
    joined_since = {profile for profile, at in times("Signed Up").items() if old_enough(at[0], 60)}
    step = times("Onboarding Step Completed")
    reached = np.array([len(step.get(profile, ())) for profile in joined_since])
    for number in range(1, P.onboarding_steps + 1):
        share(int((reached >= number).sum()), int((reached >= number - 1).sum()), P.onboarding_step_share)
    done = joined_since & times("Onboarding Completed").keys()
    assert len(done) == (reached == P.onboarding_steps).sum()


def test_how_they_buy(population):
    trials = times("Trial Started")
    joined_since = {one: at[0] for one, at in times("Signed Up").items() if old_enough(at[0], 90)}
    share(len(joined_since.keys() & trials.keys()), len(joined_since), P.contract_share)
    single = joined_since.keys() - trials.keys()
    bought = times("Order Completed")
    share(len(single & bought.keys()), len(single), P.first_order_share)
    # Repeat purchases of those who have had a year since their first one, against the closed form.
    observed = [
        sum(at <= each[0] + 365 * DAY for at in each) - 1 for each in bought.values() if old_enough(each[0], 365)
    ]
    within(np.mean(observed), expected_repeats(P, 365), np.std(observed) / math.sqrt(len(observed)))
    gaps = [(late - early) / DAY for each in bought.values() for early, late in pairwise(each)]
    assert sum(gap > 180 for gap in gaps) > 20  # they lapse, and return


def test_what_they_pay(population):
    orders = Touchpoint.objects.filter(type__in=TouchpointType.objects.filter(name="Order Completed").values("pk"))
    by_buyer = [
        float(mean) / 100 for mean in orders.values("profile").annotate(m=Avg("amount")).values_list("m", flat=True)
    ]
    # Heavy-tailed across buyers: the error is that of their means.
    within(np.mean(by_buyer), mean_order(P), np.std(by_buyer) / math.sqrt(len(by_buyer)))
    assert not orders.exclude(original_amount=F("amount") / 100.0).exists()
    lines = dict(OrderLine.objects.values_list("touchpoint_id").annotate(Sum("amount")))
    share(len(lines), orders.count(), P.lines_share)
    assert {pk: amount for pk, amount in orders.values_list("pk", "amount") if pk in lines} == lines


def test_carts_that_become_orders(population):
    bought = times("Order Completed")
    carts = times("Product Added")
    filled = sum(len(carts[profile]) for profile in bought)
    share(sum(map(len, bought.values())), filled, P.cart_conversion)


def test_what_follows_an_order(population):
    orders = Touchpoint.objects.filter(
        type__in=TouchpointType.objects.filter(name="Order Completed").values("pk"),
        occurred_at__lt=datetime.fromtimestamp((SPAN.until - 90 * DAY) / 1000, UTC),
    )
    old = dict(orders.values_list("order_ref", "amount"))
    back = Touchpoint.objects.filter(type__in=TouchpointType.objects.filter(name="Order Refunded").values("pk"))
    refunds = {ref: amount for ref, amount in back.values_list("order_ref", "amount") if ref in old}
    share(len(refunds), len(old), P.refund_share)
    halves = sum(-amount < old[ref] for ref, amount in refunds.items())
    share(halves, len(refunds), P.partial_refund_share)
    opened = Touchpoint.objects.filter(properties__event="opened").values_list("properties__ticket_ref", flat=True)
    opened = {ref for ref in opened if ref.removeprefix("T") in old}
    share(len(opened), len(old), P.ticket_share)
    resolved = set(
        Touchpoint.objects.filter(properties__event="resolved").values_list("properties__ticket_ref", flat=True)
    )
    share(len(opened & resolved), len(opened), P.resolved_share)


def test_what_they_think(population):
    kinds = (("nps", P.nps, 0), ("csat", P.csat, 1), ("ces", P.ces, 1), ("rating", P.rating, 1))
    for key, expected, least in kinds:
        said = list(Touchpoint.objects.filter(properties__has_key=key).values_list(f"properties__{key}", flat=True))
        assert len(said) > 100
        for value, expected_share in enumerate(expected, start=least):
            share(said.count(value), len(said), expected_share)


def test_whom_surveys_are_sent_to_and_who_answers(population):
    before = datetime.fromtimestamp((SPAN.until - 90 * DAY) / 1000, UTC)
    orders = Touchpoint.objects.filter(type=TouchpointType.objects.get(name="Order Completed").pk)
    asked = Counter(
        Touchpoint.objects.filter(occurred_at__lt=before, properties__has_key="survey")
        .values_list("properties__survey", flat=True)
    )  # fmt: skip
    share(asked["ces"], orders.filter(occurred_at__lt=before - timedelta(days=2)).count(), P.ces_asked_share)
    later = {"nps": timedelta(days=3), "csat": timedelta(hours=6), "ces": timedelta(days=1)}
    for kind, response in (("nps", P.nps_response), ("csat", P.csat_response), ("ces", P.ces_response)):
        said = Touchpoint.objects.filter(properties__has_key=kind)
        share(said.filter(occurred_at__lt=before + later[kind]).count(), asked[kind], response)
        share(said.filter(properties__has_key="comment").count(), said.count(), P.comment_share)


def test_how_long_contracts_last(population):
    trials = {profile for profile, at in times("Trial Started").items() if old_enough(at[0], 30)}
    share(len(trials & times("Subscription Started").keys()), len(trials), P.trial_conversion)
    ended, renewed = count_of("Subscription Cancelled"), count_of("Subscription Renewed")
    share(ended, ended + renewed, P.contract_churn)
    first = {profile: at[0] for profile, at in times("Subscription Cancelled").items()}
    old = {profile for profile, at in first.items() if old_enough(at, 365)}
    back = {profile for profile, at in times("Subscription Started").items() if len(at) > 1}
    # Those who come back after more than a year are few: exp(-355/60).
    share(len(old & back), len(old), P.comeback_share)


def test_letters_and_consent(population):
    joined_since = times("Signed Up")
    share(Consent.objects.filter(state="granted").count(), len(joined_since), P.consent_share)
    letters = count_of("Email Sent")
    share(count_of("Email Opened"), letters, P.opened_share)
    share(count_of("Email Link Clicked"), count_of("Email Opened"), P.clicked_share)
    assert Consent.objects.filter(state="withdrawn").count() == count_of("Email Unsubscribed") > 20


def test_how_messages_arrive(population):
    protected = TouchpointType.objects.filter(name__in=["Signed Up", "Signed In"]).values("pk")
    second = Identity.objects.filter(value__startswith="sim5-b").values("profile")
    may_be_late = Touchpoint.objects.exclude(type__in=protected).exclude(profile__in=second)
    late = may_be_late.filter(received_at__gt=F("occurred_at") + timedelta(hours=1)).count()
    share(late, may_be_late.count(), P.late_share)
    counts = population.record.counts
    again = counts["touchpoints_repeated"] + counts["touchpoints_conflicting"]
    share(again, counts["touchpoints_new"], P.repeated_share)
    share(counts["touchpoints_conflicting"], again, P.conflict_share)


def test_visitors_who_turn_out_to_be_customers_are_merged_and_can_be_parted_again(population):
    joined_since = {one for one, at in times("Signed Up").items() if old_enough(at[0], 60)}
    merges = {profile for profile, _at in times("Signed In").items()}
    share(len(joined_since & merges), len(joined_since), P.second_device_share)
    assert 0.007 < Merge.objects.count() / 12_000 < 0.014
    assert Merge.objects.count() == MergedProfile.objects.count() == Customer.objects.exclude(merged_into=None).count()
    assert Merge.objects.count() == population.record.counts["merges"]
    one = Merge.objects.order_by("pk").first()
    with transaction.atomic():
        unmerge(merge=one.pk, now=NOW)
        moved = MergedProfile.objects.get(merge=one).profile
        assert moved.customer_id == one.absorbed_id
        assert Identity.objects.get(profile=moved).value.startswith("sim5-b")
        transaction.set_rollback(True)


def test_traits_step_with_the_contract(population):
    plans = Trait.objects.filter(key="plan").order_by("profile", "set_at")
    assert set(plans.values_list("value", flat=True)) == {"free", "basic", "plus"}
    started = count_of("Subscription Started") + count_of("Subscription Upgraded") + count_of("Subscription Cancelled")
    assert plans.count() == started + count_of("Signed Up")
    countries = dict(Trait.objects.filter(key="country").values_list("value").annotate(Count("pk")))
    for code, expected in P.countries:
        share(countries[code], sum(countries.values()), expected)


def test_what_it_cost(population):
    spent = dict(Spend.objects.values_list("channel__key").annotate(Sum("amount")))
    assert spent == {
        way.channel: round(12_000 * way.share * way.cost * 100) for way in P.ways if way.cost
    }  # fmt: skip
    assert all("simulated" in name for name in Campaign.objects.values_list("name", flat=True))
    reach = Spend.objects.aggregate(Min("day"), Max("day"), Count("day", distinct=True))
    assert list(reach.values()) == [START.date(), date(2026, 5, 31), 730]


def test_the_same_seed_again_changes_nothing_and_more_people_add_only_themselves(population):
    with transaction.atomic():
        assert run(12_000).rows_changed == 0
        assert run(4_000).rows_changed == 0
        before = Touchpoint.objects.aggregate(Count("pk"), Max("pk"))
        more = run(12_100)
        assert Identity.objects.filter(value__startswith="sim5-a").count() == 12_100
        assert Touchpoint.objects.filter(pk__lte=before["pk__max"]).count() == before["pk__count"]
        assert more.record.counts["touchpoints_new"] == Touchpoint.objects.count()
        transaction.set_rollback(True)


def test_another_end_of_the_same_seed_is_refused_and_another_seed_is_not(population):
    with pytest.raises(SimulationRefused, match="was simulated with until 2026-06-01"):
        simulate(people=10, seed=5, until=date(2026, 1, 1), now=NOW, tell=print)
    with pytest.raises(SimulationRefused, match="was simulated with years 2"):
        simulate(people=10, seed=5, years=3, now=NOW, tell=print)
    with pytest.raises(SimulationRefused, match="other parameters"):
        simulate(people=10, seed=5, parameters=Parameters(late_share=0.5), now=NOW, tell=print)
    with transaction.atomic():
        run(50, seed=6)
        assert Identity.objects.filter(value__startswith="sim6-a").count() == 50
        transaction.set_rollback(True)
