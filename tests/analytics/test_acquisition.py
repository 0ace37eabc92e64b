"""What it cost to win customers: numbers worked out by hand, credits that sum to the cent, lists as long as their
numbers, and what is n/a saying why."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
from django.db import transaction

from analytics.acquisition import Acquisition, acquisition
from analytics.acquisition_asked import Asked
from analytics.attributed import Attribution, group_name
from analytics.attribution.declared import MODELS, WINDOWS
from analytics.behind import customers_behind, said
from analytics.costs import months_before
from analytics.days.fill import fill
from analytics.days.kept import kept
from analytics.figures import Figure
from analytics.metrics import figures
from analytics.scope import Scope
from analytics.sorting import segment
from campaigns.models import Spend
from clm.lib.periods import between, days, month
from clm.lib.questions import QuestionError
from customers.models import Installation
from tests.factories import make_order, make_spend
from tests.lifecycle.making import happened, installed, settle, tell

pytestmark = pytest.mark.django_db
AS_OF = datetime(2024, 5, 20, 12, tzinfo=UTC)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def asked_of(period: Any, **more: Any) -> Scope:
    return Scope(period=period, as_of=AS_OF, kept=kept(), **more)


def march(**more: Any) -> Scope:
    return asked_of(month(day=date(2024, 3, 1), zone="UTC"), **more)


def told(scope: Scope, model: str = "linear", window: int = 30, lag: int = 0, goal: str = "first") -> Acquisition:
    return acquisition(scope=scope, asked=Asked(Attribution(model, window, goal), lag))


@pytest.fixture(scope="module")
def shop(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Four customers of March, one of February; two ways, one of which costs; somebody who looked and did not buy."""
    with django_db_blocker.unblock(), transaction.atomic():
        installed(time_zone="UTC")
        Installation.objects.update(margin_percent=50)
        tell(
            happened("ann", "Ad Clicked", at("2024-03-01"), channel="search"),
            happened("ann", "Ad Clicked", at("2024-03-05"), channel="social"),
            make_order("ann", "2024-03-10", 10_001),
            make_order("ann", "2024-04-02", 4_000),
            happened("bob", "Ad Clicked", at("2024-03-02"), channel="search"),
            make_order("bob", "2024-03-20", 5_000),
            make_order("cat", "2024-03-31T23:00", 3_000),
            happened("dan", "Ad Shown", at("2024-01-20"), channel="social"),
            make_order("dan", "2024-03-15", 2_000),
            happened("eve", "Page Viewed", at("2024-02-01")),
            make_order("eve", "2024-02-10", 8_000),
            make_order("old", "2023-11-20", 700),  # records begin before all periods that are compared
            happened("fay", "Ad Clicked", at("2024-03-03"), channel="social"),
        )
        settle()
        make_spend("2024-03-03", 6_000, channel="search")
        make_spend("2024-03-04", 1_000, channel="social")
        make_spend("2024-03-31", 2_000, channel="team", paid=False)
        make_spend("2024-02-03", 3_000, channel="search")
        fill()
        yield
        transaction.set_rollback(True)


def test_costs_by_hand(shop: None) -> None:
    found = told(march())
    assert (found.customers, found.spent.blended, found.spent.paid) == (4, 9_000, 7_000)
    by = {row.key: row for row in found.channels}
    assert set(by) == {"search", "social", "team"}
    # Ann half and half; Bob wholly by search; Cat had no touch, Dan none within 30 days.
    assert (by["search"].credit.credited, by["social"].credit.credited) == (Fraction(3, 2), Fraction(1, 2))
    assert found.unallocated.customers == 2 and found.unallocated.revenue == 5_000
    assert by["search"].credit.revenue == 5_000 + 5_001 or by["social"].credit.revenue == 5_001
    assert by["search"].paid.number == by["search"].blended.number == Fraction(6_000 * 2, 3)
    assert by["social"].paid.number == 2_000
    assert by["team"].blended.number is None and by["team"].blended.note
    assert by["team"].paid.note == "No spend on media is entered."
    # Only those credited to channels with media spend bear it; all spend is borne by all.
    assert found.paid.number == Fraction(7_000, 2)
    assert found.blended.number == Fraction(9_000, 4)
    # 6,000 more than in February, for three customers more.
    assert found.marginal.number == Fraction(6_000, 3)
    assert by["search"].worth.number == Fraction(by["search"].credit.value, 2) / Fraction(3, 2)
    assert found.basis == "margin"


def test_a_month_is_compared_with_the_whole_month_before_and_no_more(shop: None) -> None:
    with transaction.atomic():
        make_spend("2024-03-01", 500, channel="search")
        found = told(march())
        transaction.set_rollback(True)
    assert found.marginal.number == Fraction(6_500, 3)


def test_more_than_before_the_records_is_no_cost(shop: None) -> None:
    november = asked_of(days(start=date(2023, 11, 1), until=date(2024, 3, 1), zone="UTC"))
    assert told(november).marginal.note == "Records begin on 20 Nov 2023."
    assert {row.marginal.note for row in told(november).channels} == {"Records begin on 20 Nov 2023."}


def test_the_month_in_which_records_begin_is_in_no_pooled_figure(shop: None) -> None:
    found = told(march())
    by = {row.start: row for row in found.cohorts}
    assert by[date(2023, 11, 1)].customers == 1  # shown, but who knows whether they had bought before
    assert (found.pooled.begin, found.pooled.first) == (date(2023, 11, 20), date(2023, 12, 1))
    assert found.pooled.customers == 5
    # Of the month of the first order all five, 28,001 before the margin.
    assert found.pooled.curve[0] == Fraction(28_001, 10)


def test_ninety_days_find_the_earlier_touch(shop: None) -> None:
    by = {row.key: row for row in told(march(), window=90).channels}
    assert by["social"].credit.credited == Fraction(3, 2)
    assert told(march(), window=90).unallocated.customers == 1


@pytest.mark.parametrize("window", [1, 10, 14, *WINDOWS])
@pytest.mark.parametrize("model", sorted(MODELS))
def test_credits_sum_to_the_cent_and_lists_are_as_long_as_their_numbers(shop: None, model: str, window: int) -> None:
    scope = march()
    found = told(scope, model, window)
    for name, whole in (("conversions", 4_000_000), ("revenue", 20_001), ("value", 24_001)):
        credited = sum(getattr(row.credit, name) for row in found.channels)
        assert credited + getattr(found.unallocated, name) == whole == getattr(found.total, name)
    for row in [*found.channels, None]:
        key, credit = ("", found.unallocated) if row is None else (row.key, row.credit)
        group = group_name(Attribution(model, window), key)
        assert len(customers_behind(scope=scope, group=group)) == credit.customers
        assert said(group)
    assert len(customers_behind(scope=scope, group="first_paying")) == found.customers


@pytest.mark.parametrize("window", [1, 10, *WINDOWS])
@pytest.mark.parametrize("model", sorted(MODELS))
def test_credits_of_every_order_sum_to_the_revenue_and_open_their_customers(
    shop: None, model: str, window: int
) -> None:
    scope = asked_of(days(start=date(2024, 3, 1), until=date(2024, 5, 1), zone="UTC"))
    orders = told(scope, model, window, goal="every").orders
    assert orders is not None
    # Four first orders, and Ann's second.
    assert (orders.number, orders.customers, orders.total.revenue) == (5, 4, 24_001)
    for name, whole in (("conversions", 5_000_000), ("revenue", 24_001)):
        credited = sum(getattr(row.credit, name) for row in orders.channels)
        assert credited + getattr(orders.unallocated, name) == whole
    for row in [*orders.channels, None]:
        key, credit = ("", orders.unallocated) if row is None else (row.key, row.credit)
        group = group_name(Attribution(model, window, "every"), key)
        assert len(customers_behind(scope=scope, group=group)) == credit.customers
        assert "order" in said(group)
    assert len(customers_behind(scope=scope, group="buyers")) == orders.customers


def test_every_order_counts_with_the_touches_before_it(shop: None) -> None:
    april = asked_of(month(day=date(2024, 4, 1), zone="UTC"))
    found = told(april, goal="every")
    assert (found.customers, found.unallocated.customers) == (0, 0)  # nobody ordered for the first time
    assert found.orders is not None
    # Ann's of the 2nd: the click of 5 March lies 28 days before it, that of 1 March 32.
    by = {row.key: row for row in found.orders.channels}
    assert (by["social"].credit.credited, by["social"].credit.revenue) == (1, 4_000)
    assert (found.orders.number, found.orders.unallocated.conversions) == (1, 0)
    wider = told(april, window=33, goal="every").orders
    assert wider is not None
    assert {row.key: row.credit.revenue for row in wider.channels} == {"search": 2_000, "social": 2_000}
    narrow = told(april, window=28, goal="every").orders
    assert narrow is not None and narrow.unallocated.revenue == 4_000
    of_march = told(march(), goal="every").orders
    assert of_march is not None
    spent = {row.key: row for row in of_march.channels}
    assert spent["search"].paid.number == Fraction(6_000 * 2, 3)
    assert spent["team"].paid.note == "No spend on media is entered."
    assert of_march.blended.number == Fraction(9_000, 4) and of_march.returned.number == Fraction(20_001, 9_000)


def test_days_of_ones_own_say_what_kept_ones_say(shop: None) -> None:
    # No touch lies between 30 and 31 days before its first order.
    kept_ones, own = told(march(), window=30), told(march(), window=31)
    assert [(row.key, row.credit, row.paid) for row in own.channels] == [
        (row.key, row.credit, row.paid) for row in kept_ones.channels
    ]
    assert [row.paid for row in own.cohorts] == [row.paid for row in kept_ones.cohorts]
    assert told(march(), window=8).unallocated.customers == 3
    for model in ("markov", "shapley", "time_decay"):
        one, other = told(march(), model, 30), told(march(), model, 31)
        assert [row.by_model for row in one.channels] == [row.by_model for row in other.channels]


def test_a_segment_is_told_but_for_what_rests_on_spend(shop: None) -> None:
    active = segment("active_customer")
    everybody, found = told(march()), told(march(segment=active), goal="every")
    # Everybody who first ordered in March is active still; whoever ordered once in November is not.
    assert [(row.key, row.credit) for row in found.channels] == [
        (row.key, row.credit) for row in everybody.channels if row.key != "team"
    ]
    by, all_by = ({row.start: row for row in one.cohorts} for one in (found, everybody))
    assert (all_by[date(2023, 11, 1)].customers, by[date(2023, 11, 1)].customers) == (1, 0)
    of_march = by[date(2024, 3, 1)]
    assert (of_march.customers, of_march.worth, of_march.curve) == (
        4, all_by[date(2024, 3, 1)].worth, all_by[date(2024, 3, 1)].curve,
    )  # fmt: skip
    assert found.orders is not None and found.orders.number == 4
    why = "Spend is not recorded per customer, so it cannot be told for a segment."
    ratios = [found.paid, found.blended, found.marginal, of_march.paid, of_march.ltv_to_cac, found.pooled.blended]
    ratios += [row.ltv_to_cac for row in found.channels] + [row.returned for row in found.orders.channels]
    assert {(one.number, one.note) for one in ratios} == {(None, why)}
    assert found.without_spend == why and not everybody.without_spend
    for row in found.channels:
        group = group_name(Attribution("linear", 30), row.key)
        assert len(customers_behind(scope=march(segment=active), group=group)) == row.credit.customers
    nobody = told(asked_of(month(day=date(2023, 11, 1), zone="UTC"), segment=active))
    assert (nobody.customers, nobody.unallocated.customers) == (0, 0)


def test_what_counts_as_paid_is_named_and_media_that_nobody_clicks_is_told(shop: None) -> None:
    assert told(march()).paid_channels == ("search", "social")
    assert not told(march()).unpaid_with_media and not told(march()).media_without_customers
    february = asked_of(month(day=date(2024, 2, 1), zone="UTC"))
    assert [row.key for row in told(february).media_without_customers] == ["search"]
    with transaction.atomic():
        before = told(february).paid
        make_spend("2024-02-04", 10, channel="direct")
        found = told(february)
        transaction.set_rollback(True)
    # Ten cents on a channel that costs nothing bring down what is told as the cost of ads.
    assert before.number is None and found.paid.number == 3_010
    assert [row.key for row in found.unpaid_with_media] == ["direct"]


def test_spend_may_lie_a_month_before_the_customers_it_won(shop: None) -> None:
    found = told(march(), lag=1)
    assert found.spent.blended == 3_000
    assert found.blended.number == Fraction(3_000, 4)
    assert months_before(date(2024, 3, 31), 1) == date(2024, 2, 29)


def test_cohorts_pay_back_when_margin_reaches_the_cost(shop: None) -> None:
    found = told(march())
    by = {row.start: row for row in found.cohorts}
    of_march = by[date(2024, 3, 1)]
    # 20,001 at once and 4,000 in the next month, half of it margin, for four; one cost 2,250.
    later = Fraction(24_001, 8)
    assert [reached for reached, _is_over in of_march.curve] == [Fraction(20_001, 8), later, later]
    assert [is_over for _reached, is_over in of_march.curve] == [True, True, False]
    assert of_march.blended.number == 2_250 and of_march.payback == 0
    assert of_march.ltv_to_cac.number == Fraction(24_001, 8) / 2_250
    assert of_march.cac_to_ltv.number == 1 / of_march.ltv_to_cac.number
    assert of_march.ltv_to_cac.low is None  # too few to be drawn again
    february = by[date(2024, 2, 1)]
    assert february.payback == 0 and february.customers == 1
    empty = by[date(2023, 12, 1)]
    assert (empty.customers, empty.payback, empty.curve) == (0, None, ())
    assert empty.worth.note and empty.blended.note and empty.ltv_to_cac.number is None
    assert not by[date(2024, 5, 1)].is_over and by[date(2024, 4, 1)].is_over


def test_a_costly_cohort_is_not_paid_back_yet(shop: None) -> None:
    with transaction.atomic():
        make_spend("2024-03-07", 900_000, channel="social")
        found = told(march())
        transaction.set_rollback(True)
    by = {row.start: row for row in found.cohorts}
    assert by[date(2024, 3, 1)].payback is None and found.pooled.payback is None


def test_a_refund_that_names_its_order_is_taken_off_it(shop: None) -> None:
    with transaction.atomic():
        Installation.objects.update(margin_percent=None)
        tell(happened("bob", "Order Refunded", at("2024-05-01"), amount=-5_000))
        settle()
        fill()
        found = told(march())
        transaction.set_rollback(True)
    # It names none: it stands at its own date, so the first order stays and what Bob brought is nothing.
    assert found.total.revenue == 20_001 and found.total.value == 19_001
    assert found.customers == 4 and found.basis == "revenue"


@pytest.mark.parametrize(
    "period",
    [
        days(start=date(2020, 1, 1), until=date(2020, 2, 1), zone="UTC"),
        days(start=date(2024, 5, 20), until=date(2024, 5, 21), zone="UTC"),
    ],
    ids=["nothing at all", "today"],
)
def test_a_period_without_anybody_says_why(shop: None, period: Any) -> None:
    for model in MODELS:
        found = told(asked_of(period), model)
        assert found.customers == 0 and not found.channels
        for ratio in (found.paid, found.blended, found.marginal):
            assert ratio.number is None and ratio.note
    assert told(asked_of(period, comparison="none")).marginal.note == "Compared with nothing."


def test_spend_without_customers_and_customers_without_spend(shop: None) -> None:
    of_february = asked_of(month(day=date(2024, 2, 1), zone="UTC"))
    by = {row.key: row for row in told(of_february).channels}
    assert by["search"].paid.note == "No customer is credited to it."
    assert by["direct"].blended.note == "No spend is entered."


def test_what_cannot_be_asked_is_refused_by_name(shop: None) -> None:
    with pytest.raises(QuestionError):
        Attribution("magic")
    with pytest.raises(QuestionError):
        Attribution("linear", 91)
    with pytest.raises(QuestionError):
        Attribution("linear", 0)
    with pytest.raises(QuestionError):
        Attribution("linear", 30, "last")
    with pytest.raises(QuestionError):
        customers_behind(scope=march(), group="credited:magic:30:search")
    scope = march()
    noon = between(start_at=AS_OF - timedelta(days=3), until_at=AS_OF, zone="UTC")
    with pytest.raises(QuestionError):
        told(asked_of(noon))
    assert customers_behind(scope=scope, group="credited:linear:30:nowhere") == []


# --- the same cost among the metrics ---------------------------------------------------------------------------
def cost_of(scope: Scope, key: str = "cac", basis: str = "paid") -> Figure:
    (found,) = figures(scope=scope, keys=[key], basis=basis)
    return found


def counts_of(figure: Figure) -> dict[str, Any]:
    return {row.key: row.value for row in figure.counts}


def test_the_paid_cost_of_the_metrics_is_divided_by_those_won_through_paid_channels(shop: None) -> None:
    scope = march()
    assert cost_of(scope, basis="blended").value == 9_000 // 4
    paid = cost_of(scope)
    # Ann by social and Bob by search; Cat and Dan were won by nobody, and bear nothing.
    assert (paid.value, counts_of(paid)) == (3_500, {"spend": 7_000, "first_paying": 4, "won_by_paid": 2})
    assert told(scope, "last_non_direct").paid.number == 3_500
    behind = customers_behind(scope=scope, group="won_by_paid")
    assert len(behind) == 2 and paid.customers_query.startswith("group=won_by_paid&")
    with transaction.atomic():
        Spend.objects.filter(channel__key="social").delete()
        one = cost_of(scope)
        assert (one.value, counts_of(one)["won_by_paid"]) == (6_000, 1)
        assert len(customers_behind(scope=scope, group="won_by_paid")) == 1
        transaction.set_rollback(True)
    ratio, turned = cost_of(scope, "ltv_to_cac"), cost_of(scope, "cac_to_ltv")
    assert ratio.counts[1].value == turned.counts[1].value == 3_500


def test_a_paid_cost_that_means_nothing_says_why(shop: None) -> None:
    of_february = asked_of(month(day=date(2024, 2, 1), zone="UTC"))
    nobody = cost_of(of_february)  # Eve came by herself
    assert nobody.value is None and "Nobody who paid for the first time is credited" in nobody.note
    assert customers_behind(scope=of_february, group="won_by_paid") == []
    of_april = asked_of(month(day=date(2024, 4, 1), zone="UTC"))
    assert cost_of(of_april).note == "No spend is entered for the period."
    noon = asked_of(between(start_at=at("2024-03-01T12:00"), until_at=at("2024-04-01"), zone="UTC"))
    assert cost_of(noon).value is None and "told of whole days" in cost_of(noon).note
    uncounted = Scope(period=march().period, as_of=AS_OF)
    assert cost_of(uncounted).value is None and "not counted yet" in cost_of(uncounted).note
    among = march(segment=segment("active_customer"))
    assert cost_of(among).value is None and "for a segment" in cost_of(among).note


def test_the_paid_cost_of_an_unfinished_period_counts_the_days_that_are_known(shop: None) -> None:
    known = Scope(period=march().period, as_of=at("2024-03-16") - timedelta(milliseconds=1), kept=kept())
    figure = cost_of(known)
    assert (figure.value, counts_of(figure)["won_by_paid"]) == (7_000, 1)  # Ann; Bob ordered later
    assert len(customers_behind(scope=known, group="won_by_paid")) == 1
    within = Scope(period=march().period, as_of=at("2024-03-16T11:00"), kept=kept())
    assert cost_of(within).value is None
