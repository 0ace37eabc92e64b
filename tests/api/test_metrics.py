"""/api/v1/metrics/: figures with what they mean and what they are made of."""

from typing import Any

import pytest
from django.test import Client

from analytics.days.fill import fill
from tests.factories import client_of, day, make_customer, make_order, make_spend
from tests.lifecycle.making import happened, settle, tell

YEAR = "from=2024-01-01&until=2025-01-01"


@pytest.fixture
def api(installed_once: None, db: None) -> Client:
    for _ in range(3):
        make_customer("2023-12-01", *[f"2024-{month:02}-05" for month in (2, 4, 6, 8, 11)])
    make_customer("2023-12-01", *[f"2024-01-{day:02}" for day in (2, 3, 4, 5, 6)])
    return client_of("viewer")


def get(api: Client, address: str, code: int = 200) -> Any:
    answer = api.get(address)
    assert answer.status_code == code, answer.content
    return answer.json()


def test_every_promised_name_is_there(api: Client) -> None:
    names = {one["name"] for one in get(api, "/api/v1/metrics/")["results"]}
    assert {"crr", "churn", "clv", "aov", "cac", "cac_to_ltv", "ltv_to_cac"} <= names
    for name in names:
        body = get(api, f"/api/v1/metrics/{name}/?{YEAR}")
        assert body["definition"]
        assert body["unit"]
        assert body["counts"]
        assert body["customers"].startswith("/api/v1/customers/?group=")


def test_a_figure_that_there_is_not_names_those_there_are(api: Client) -> None:
    said = get(api, "/api/v1/metrics/ltv/", 404)["detail"]
    known = [one["name"] for one in get(api, "/api/v1/metrics/")["results"]]
    assert said == f"There is no figure of that name. There are: {', '.join(sorted(known))}."


def test_retention_in_percent_with_its_parts(api: Client) -> None:
    body = get(api, f"/api/v1/metrics/crr/?{YEAR}")
    assert (body["value"], body["unit"]) == (75, "percent")
    assert body["counts"] == {
        "S": 4,
        "E": 3,
        "N_first": 0,
        "N_reactivated": 0,
        "kept": 3,
        "lost": 1,
        "came_and_went": 0,
    }
    assert body["interval"]["low"] < 75 < body["interval"]["high"] <= 100
    assert get(api, f"/api/v1/metrics/churn/?{YEAR}")["value"] == 25


def test_the_customers_behind_a_count_are_that_many(api: Client) -> None:
    for name in ("crr", "clv", "aov", "active_customers"):
        body = get(api, f"/api/v1/metrics/{name}/?{YEAR}")
        for detail in body["details"]:
            if detail["customers"]:
                assert len(get(api, detail["customers"])["results"]) == detail["value"], (name, detail)
                assert body["counts"][detail["key"]] == detail["value"]


def test_money_is_in_the_reporting_currency(api: Client) -> None:
    clv = get(api, f"/api/v1/metrics/clv/?{YEAR}")
    assert (clv["value"], clv["unit"]) == (2000, "EUR")
    assert (clv["counts"]["aov"], clv["counts"]["orders_per_customer"], clv["counts"]["lifespan"]) == (100, 5, 4)


def test_cost_takes_and_returns_its_basis(api: Client) -> None:
    make_customer("2024-12-20")
    make_spend("2024-02-01", 30_000, channel="search")
    make_spend("2024-02-02", 10_000, channel="team", paid=False)
    tell(happened("ann", "Ad Clicked", day("2024-12-18"), channel="search"), make_order("ann", "2024-12-19", 100))
    settle()
    fill()
    assert (get(api, f"/api/v1/metrics/cac/?{YEAR}")["value"], get(api, f"/api/v1/metrics/cac/?{YEAR}")["basis"]) == (
        200,
        "blended",
    )
    paid = get(api, f"/api/v1/metrics/cac/?{YEAR}&basis=paid")
    assert (paid["value"], paid["basis"], paid["unit"]) == (300, "paid", "EUR")
    assert paid["counts"] == {"spend": 300, "first_paying": 2, "won_by_paid": 1}
    assert len(get(api, paid["customers"])["results"]) == 1
    ratio = get(api, f"/api/v1/metrics/ltv_to_cac/?{YEAR}&basis=paid")
    assert (ratio["basis"], ratio["value_basis"], ratio["unit"]) == ("paid", "revenue", "ratio")
    assert "evenue basis" in ratio["note"]


def test_what_means_nothing_is_null_with_the_reason(api: Client) -> None:
    body = get(api, "/api/v1/metrics/crr/?from=2020-01-01&until=2021-01-01")
    assert (body["value"], body["interval"]) == (None, None)
    assert body["note"]
    assert body["counts"]["S"] == 0


def test_as_of_cuts_an_unfinished_period(api: Client) -> None:
    body = get(api, f"/api/v1/metrics/aov/?{YEAR}&as_of=2024-01-04")
    assert body["counts"]["orders"] == 3
    assert (body["as_of"], body["counted_until"]) == ("2024-01-04T23:59:59.999Z", "2024-01-05T00:00:00.000Z")


@pytest.mark.parametrize(
    ("address", "field"),
    [
        (f"crr/?{YEAR}&known_at=2024-06-01", "known_at"),
        (f"crr/?{YEAR}&basis=paid", "basis"),
        (f"cac/?{YEAR}&basis=both", "basis"),
        (f"crr/?{YEAR}&segment=nobody", "segment"),
        (f"crr/?{YEAR}&as_of=2023-12-31", "as_of"),
        (f"crr/?{YEAR}&as_of=2999-01-01", "as_of"),
        ("crr/?from=2024-01-01&until=2024-01-01", "until"),
        ("crr/?from=10000-01-01", "from"),
    ],
)
def test_a_question_that_cannot_be_answered_names_its_field(api: Client, address: str, field: str) -> None:
    assert get(api, f"/api/v1/metrics/{address}", 400)["errors"][0]["field"] == field


def test_a_metric_among_a_segment(api: Client) -> None:
    body = get(api, f"/api/v1/metrics/aov/?{YEAR}&segment=active_customer&as_of=2025-02-01")
    assert (body["segment"], body["counts"]["orders"]) == ("active_customer", 15)
