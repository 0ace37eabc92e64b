"""/api/v1/retention/: every number with its customers, and every fault with its field."""

from typing import Any

import pytest
from django.test import Client

from tests.factories import client_of, make_customer
from tests.lifecycle.making import ago

from .test_movement import counted, get


@pytest.fixture
def api(installed_once: None, db: None) -> Client:
    make_customer(ago(days=400), ago(days=40), ago(days=3))
    make_customer(ago(days=390))
    make_customer(ago(days=50), ago(days=45), ago(days=10))
    return client_of("viewer")


@pytest.mark.parametrize(
    "more",
    ["", "by=signup&unit=week", "by=segment:active_customer&mode=after", "versus=active_customer&lines=products"],
)
def test_every_number_opens_that_many_customers(more: str, api: Client) -> None:
    body: Any = get(api, f"/api/v1/retention/?{more}")
    numbers = counted(body)
    assert sum(number for number, _address in numbers) > 5
    for number, address in numbers:
        if address is None:
            assert number == 0
        else:
            assert len(get(api, f"{address}&page_size=200")["results"]) == number, address


def test_what_is_told_adds_up(api: Client) -> None:
    body: Any = get(api, "/api/v1/retention/?versus=active_customer")
    assert {one["side"] for one in body["stays"]["curves"]} == {"in", "out"}
    assert body["stays"]["log_rank"] is None or 0 <= body["stays"]["log_rank"]["p"] <= 1
    for one in body["revenue"]:
        assert one["before"] == pytest.approx(one["held"] + one["lost"] + one["shrunk"])
    assert sum(one["size"]["number"] for one in body["cohorts"]["cohorts"]) >= 1
    assert body["window"] == {"days": None, "until": None, "again": None, "gaps": 4, "open": 3}


def test_every_fault_is_told_with_its_field(api: Client) -> None:
    for asked, field in (
        ("by=moon", "by"),
        ("by=segment:moon", "by"),
        ("versus=moon", "versus"),
        ("unit=hour", "unit"),
    ):
        assert get(api, f"/api/v1/retention/?{asked}", 400)["errors"][0]["field"] == field
