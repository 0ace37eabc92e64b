"""/api/v1/movement/: every number with its customers, and every fault with its field."""

import pytest
from django.test import Client

from tests.api.calls import counted, get
from tests.factories import client_of, make_customer

YEAR = "from=2024-01-01&until=2025-01-01"


@pytest.fixture
def api(installed_once: None, db: None) -> Client:
    make_customer("2023-12-01", "2024-02-05", "2024-03-06", "2024-08-01")
    make_customer("2023-12-01")
    make_customer("2024-05-01", "2024-05-09")
    return client_of("viewer")


@pytest.mark.parametrize("more", ["", "&model=five", "&segment=active_customer&as_of=2024-06-01"])
def test_every_number_opens_that_many_customers(more: str, api: Client) -> None:
    numbers = counted(get(api, f"/api/v1/movement/?{YEAR}{more}"))
    assert sum(number for number, _address in numbers) > 5
    for number, address in numbers:
        if address is None:
            assert number == 0
        else:
            assert len(get(api, f"{address}&page_size=200")["results"]) == number, address


def test_stocks_and_moves_add_up(api: Client) -> None:
    body = get(api, f"/api/v1/movement/?{YEAR}")
    assert (body["model"], body["segment"]) == ("seven", None)
    for one in body["stocks"]:
        net = one["came"]["number"] - one["gone"]["number"]
        assert one["at_start"]["number"] + net == one["at_end"]["number"]
        assert one["at_start"]["number"] + one["entered"] - one["left"] == one["at_end"]["number"]
    assert sum(one["customers"]["number"] for one in body["shifts"]) == 3
    per_day = {one["stage"]: one["customers"] for one in body["stocks_per_day"]}
    assert {len(counts) for counts in per_day.values()} == {len(body["days"])}
    assert {one["stage"]: one["at_end"]["number"] for one in body["stocks"]} == {
        stage: counts[-1] for stage, counts in per_day.items()
    }
    assert {one["hours"]["method"] for one in body["stays"]} == {
        "Kaplan-Meier, 95 % interval of Brookmeyer and Crowley on the log-log scale"
    }


def test_every_fault_is_told_with_its_field(api: Client) -> None:
    body = get(api, "/api/v1/movement/?from=soon&until=later&segment=nobody&model=eight", 400)
    assert [error["field"] for error in body["errors"]] == ["from", "until", "segment", "model"]
    body = get(api, "/api/v1/metrics/crr/?period=30d&from=2024-01-01&currency=XTS", 400)
    assert [error["field"] for error in body["errors"]] == ["period", "currency"]
    assert get(api, "/api/v1/metrics/crr/?period=90d")["value"] is None
    assert get(api, "/api/v1/movement/?lines=products", 400)["errors"][0]["field"] == "lines"
