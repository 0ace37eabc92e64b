"""Figures: what each is made of, and n/a with its reason wherever it means nothing."""

import math
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from analytics.figures import Figure
from analytics.metrics import METRICS, figures, metric_groups
from analytics.sales import customers_of, sales
from analytics.scope import Scope
from analytics.sorting import segment
from clm.lib.periods import Period, days
from clm.lib.questions import NotThereError, QuestionError
from customers.events import Line
from customers.ingest import clock
from customers.models import Installation
from tests.factories import day, make_customer, make_order, make_refund, make_spend
from tests.lifecycle.making import customer_of, installed, settle, tell

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def period(start: str, until: str) -> Period:
    return days(start=day(start).date(), until=day(until).date(), zone="UTC")


YEAR = period("2024-01-01", "2025-01-01")


def one(key: str, *, of: Period = YEAR, as_of: datetime = NOW, basis: str = "blended", **more: Any) -> Figure:
    (found,) = figures(scope=Scope(of, as_of, **more), keys=[key], basis=basis)
    return found


def count(figure: Figure, key: str) -> Any:
    return next(row.value for row in figure.counts if row.key == key)


@pytest.fixture
def textbook() -> None:
    """Four customers, each with five orders of 100.00 in 2024, one of whom is lost: 100 x 5 x 4."""
    installed()
    for _ in range(3):
        make_customer("2023-12-01", *[f"2024-{month:02}-05" for month in (2, 4, 6, 8, 11)])
    make_customer("2023-12-01", *[f"2024-01-{day_:02}" for day_ in (2, 3, 4, 5, 6)])


def test_clv_of_the_textbook_is_two_thousand(textbook: None) -> None:
    clv = one("clv")
    assert (clv.value, clv.unit) == (200_000, "money")
    assert (count(clv, "aov"), count(clv, "orders_per_customer"), count(clv, "lifespan")) == (10_000, 5, 4)
    assert "approximation" in clv.note
    assert one("aov").value == 10_000
    assert one("orders_per_customer").value == 5
    assert one("churn").value == 0.25
    assert one("crr").value == 0.75


def test_cost_and_value_stand_in_a_ratio(textbook: None) -> None:
    make_customer("2024-12-20")  # the only one who pays for the first time
    make_spend("2024-01-01", 30_000)
    make_spend("2024-12-31", 10_000, paid=False)
    make_spend("2025-01-01", 99_999)
    blended, paid = one("cac"), one("cac", basis="paid")
    assert (blended.value, blended.basis) == (40_000, "blended")
    # Whom paid channels won is counted by `fill_days`; tests/analytics/test_acquisition.py has it.
    assert (paid.value, paid.basis, paid.note) == (None, "paid", "How customers were won is not counted yet.")
    assert count(blended, "first_paying") == 1
    clv = one("clv").value
    ratio = one("ltv_to_cac")
    assert ratio.value == pytest.approx((clv or 0) / 40_000, rel=1e-5)
    assert (ratio.value_basis, "evenue basis" in ratio.note) == ("revenue", True)
    assert one("cac_to_ltv").value == pytest.approx(1 / (ratio.value or 0))
    Installation.objects.update(margin_percent=40)
    with_margin = one("ltv_to_cac")
    assert with_margin.value == pytest.approx((ratio.value or 0) * 0.4)
    assert (with_margin.value_basis, "argin basis" in with_margin.note) == ("margin", True)


def test_a_refund_counts_at_its_own_date_and_is_no_order() -> None:
    installed()
    tell(make_order("anna", "2024-03-01", 20_000), make_refund("anna", "2024-05-01", -5_000))
    settle()
    assert one("revenue").value == 15_000
    assert one("aov").value == 15_000
    march, may = period("2024-03-01", "2024-04-01"), period("2024-05-01", "2024-06-01")
    assert one("revenue", of=march).value == 20_000
    assert one("revenue", of=may).value == -5_000
    assert one("aov", of=may).value is None
    assert "no order" in one("aov", of=may).note


def test_purchases_without_an_amount_are_counted_apart() -> None:
    installed()
    tell(make_order("anna", "2024-03-01", 0), make_order("anna", "2024-03-02", None), make_order("anna", "2024-03-03"))
    settle()
    aov = one("aov")
    assert (aov.value, count(aov, "orders"), count(aov, "unpriced")) == (10_000, 1, 2)


def test_first_time_paying_is_the_first_order_ever_with_an_amount() -> None:
    installed()
    tell(
        make_order("old", "2023-12-31T23:59:59.999"),
        make_order("old", "2024-02-01"),
        make_order("sampler", "2023-05-01", 0),
        make_order("sampler", "2024-01-01"),
        make_order("next", "2025-01-01"),
    )
    settle()
    scope = Scope(YEAR, NOW)
    assert sales(scope=scope).first_paying == 1
    assert customers_of(scope=scope, group="first_paying") == [customer_of("sampler")]
    assert customers_of(scope=scope, group="buyers") == sorted([customer_of("old"), customer_of("sampler")])


def test_active_customers_who_do_not_order_still_count_as_customers() -> None:
    installed()
    make_customer("2023-12-01")  # active at the start, orders nothing
    make_customer("2023-12-01", "2024-01-10", "2024-01-11")
    january = period("2024-01-01", "2024-02-01")
    found = one("orders_per_customer", of=january)
    assert (found.value, count(found, "orders"), count(found, "customers")) == (1, 2, 2)


def test_as_of_hides_what_happened_later(textbook: None) -> None:
    assert count(one("aov", as_of=day("2024-01-04")), "orders") == 3
    assert count(one("aov", as_of=day("2024-01-03T23:59:59.999")), "orders") == 2
    make_spend("2024-01-05", 500)
    assert count(one("cac", as_of=day("2024-01-04T12:00")), "spend") == 0
    assert count(one("cac", as_of=day("2024-01-05T00:00")), "spend") == 500


def test_among_a_segment(textbook: None) -> None:
    active = segment("active_customer")
    found = one("aov", as_of=day("2025-02-01"), segment=active)
    assert (found.segment, count(found, "orders")) == ("active_customer", 15)
    cac = one("cac", segment=active)
    assert cac.value is None
    assert "segment" in cac.note


@pytest.mark.parametrize("key", METRICS)
def test_nobody_and_nothing_is_never_an_error(key: str) -> None:
    installed()
    found = one(key)
    if key in ("active_customers", "revenue"):
        assert found.value == 0
    else:
        assert found.value is None
        assert found.note
    assert found.definition.endswith(".")


@pytest.mark.parametrize("key", METRICS)
def test_nothing_installed_is_never_an_error(key: str) -> None:
    found = one(key)
    assert found.value in (None, 0)


@pytest.mark.parametrize("key", METRICS)
@pytest.mark.parametrize("spend", [0, 100])
def test_one_customer_is_never_an_error(key: str, spend: int) -> None:
    installed()
    tell(make_order("anna", "2023-12-01"), make_refund("anna", "2024-02-01", -50_000))
    settle()
    if spend:
        make_spend("2024-02-01", spend)
    for basis in ("blended", "paid"):
        found = one(key, basis=basis)
        numbers = [found.value, *[row.value for row in found.counts]]
        assert all(number is None or math.isfinite(number) for number in numbers)
        assert found.value is not None or found.note


def test_at_churn_zero_there_is_no_lifetime_value() -> None:
    installed()
    make_customer("2023-12-01", "2024-03-01", "2024-08-01", "2024-12-01")
    clv = one("clv")
    assert clv.value is None
    assert "churn 0" in clv.note
    make_spend("2024-05-01", 100)
    make_customer("2024-12-02")
    assert one("ltv_to_cac").value is None
    assert "churn 0" in one("ltv_to_cac").note


def test_a_period_after_as_of_is_refused() -> None:
    with pytest.raises(QuestionError) as refusal:
        one("crr", as_of=day("2023-12-31"))
    assert refusal.value.field == "as_of"


def test_what_is_not_declared_is_not_there() -> None:
    with pytest.raises(NotThereError):
        one("happiness")
    with pytest.raises(QuestionError):
        one("cac", basis="both")


def test_every_figure_says_what_it_rests_on(textbook: None) -> None:
    found = one("crr")
    assert [source.key for source in found.sources] == ["shop"]
    assert found.low is not None
    assert found.high is not None
    assert found.low < 0.75 < found.high
    assert found.customers_query == f"group=kept&from=2024-01-01&until=2025-01-01&as_of={NOW:%Y-%m-%d}T00:00:00.000Z"
    assert found.api.startswith("/api/v1/metrics/crr/?from=2024-01-01&until=2025-01-01")


def test_groups_hold_every_figure_once(textbook: None) -> None:
    groups = metric_groups(scope=Scope(YEAR, NOW))
    assert [one.key for group in groups for one in group.metrics] == list(METRICS)


def test_all_figures_cost_the_same_few_queries(textbook: None, django_assert_max_num_queries) -> None:
    scope = Scope(YEAR, clock())
    with django_assert_max_num_queries(18):
        figures(scope=scope)


def test_a_switch_leaves_out_lines_that_are_not_products() -> None:
    installed()
    goods, postage = Line("lamp", Decimal(2), 10_000), Line("POST", Decimal(1), 1_800, is_product=False)
    tell(
        make_order("a", "2024-03-01", 11_800, lines=(goods, postage)),
        make_order("b", "2024-03-02", 1_800, lines=(postage,)),
        make_order("c", "2024-03-03", 5_000),
    )
    settle()

    with_all = [one(key).value for key in ("revenue", "aov")]
    products = [one(key, products_only=True) for key in ("revenue", "aov")]

    assert with_all == [18_600, 6_200]
    # What was nothing but postage is no order of products.
    assert [figure.value for figure in products] == [15_000, 7_500]
    assert all("postage" in figure.note and "lines=products" in figure.api for figure in products)
    assert customers_of(scope=Scope(YEAR, NOW, products_only=True), group="buyers") == sorted(
        [customer_of("a"), customer_of("c")]
    )
