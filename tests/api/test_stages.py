"""/api/v1/stage-models/ and /api/v1/segments/."""

from typing import Any

import pytest
from django.test import Client

from clm.lib.milliseconds import written
from customers.ingest import clock
from tests.factories import client_of, make_customer
from tests.lifecycle.making import ago, new_version


@pytest.fixture
def api(installed_once: None, db: None) -> Client:
    return client_of("viewer")


def get(api: Client, address: str) -> Any:
    answer = api.get(address)
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_the_models_that_come_with_it(api: Client) -> None:
    body = get(api, "/api/v1/stage-models/")
    assert [(one["key"], one["is_default"], one["is_live"]) for one in body["results"]] == [
        ("seven", True, True),
        ("five", False, True),
        ("cycle", False, True),
    ]


def test_a_model_says_what_its_stages_mean(api: Client) -> None:
    body = get(api, "/api/v1/stage-models/seven/")
    stages = {one["key"]: one for one in body["stages"]}
    assert [one["key"] for one in body["stages"]][-2:] == ["lapsed", "gone_quiet"], (
        "Lapsed stands last, before the exit"
    )
    assert stages["awareness"]["precedence"] == 1
    assert stages["advocacy"]["precedence"] == 8
    assert (stages["gone_quiet"]["precedence"], stages["gone_quiet"]["rule"]) == (0, None)
    assert all(one["sentence"].endswith(".") for one in body["stages"])
    assert (body["version"]["number"], body["version"]["lapse_days"]) == (1, 180)


def test_counts_now_and_then(api: Client) -> None:
    make_customer(ago(days=300), ago(days=3))
    make_customer(ago(days=300))
    now = get(api, "/api/v1/stage-models/seven/counts/")
    counts = {one["key"]: one["customers"] for one in now["stages"]}
    assert (counts["lapsed"], counts["retention"], now["customers"], now["without_stage"]) == (1, 1, 2, 0)
    then = get(api, f"/api/v1/stage-models/seven/counts/?as_of={written(ago(days=200))}")
    assert {one["key"]: one["customers"] for one in then["stages"] if one["customers"]} == {"acquisition": 2}
    assert then["known_at"] is None
    unknown = get(api, f"/api/v1/stage-models/seven/counts/?known_at={written(ago(days=200))}")
    assert unknown["customers"] == 0
    assert get(api, f"/api/v1/stage-models/seven/counts/?as_of={written(clock())}")["stages"] == now["stages"]


def test_flows_of_a_period(api: Client) -> None:
    make_customer("2024-01-01")
    body = get(api, "/api/v1/stage-models/seven/flows/?from=2024-06-01&until=2024-07-01")
    assert body["moves"] == [{"from": "acquisition", "to": "lapsed", "moves": 1, "customers": 1}]
    traffic = {one["key"]: (one["entered"], one["left"]) for one in body["stages"]}
    assert (traffic["lapsed"], traffic["acquisition"]) == ((1, 0), (0, 1))
    assert (body["period"]["from"], body["period"]["until"]) == ("2024-06-01", "2024-07-01")
    january = get(api, "/api/v1/stage-models/seven/flows/?from=2024-01-01&until=2024-02-01")
    assert january["moves"] == [{"from": None, "to": "acquisition", "moves": 1, "customers": 1}]
    assert len(get(api, "/api/v1/stage-models/seven/flows/")["stages"]) == 9


def test_segments_and_their_members(api: Client) -> None:
    buyer, lapsed = make_customer(ago(days=5)), make_customer(ago(days=300))
    new_version("big", {"spent": {"role": "purchase"}, "at_least": "50.00"})
    body = get(api, "/api/v1/segments/")
    assert {one["key"]: one["customers"] for one in body["results"]} == {"active_customer": 1, "big": 2}
    one = get(api, "/api/v1/segments/big/")
    assert one["sentence"].startswith("The customer")
    assert one["rule"] == {"spent": {"role": "purchase"}, "at_least": "50.00"}
    members = get(api, "/api/v1/segments/active_customer/members/")
    assert [row["id"] for row in members["results"]] == [str(buyer)]
    then = get(api, f"/api/v1/segments/active_customer/members/?as_of={written(ago(days=290))}")
    assert [row["id"] for row in then["results"]] == [str(lapsed)]
    first = get(api, "/api/v1/segments/big/members/?page_size=1")
    assert [row["id"] for row in get(api, first["next"])["results"]] == [str(buyer)]
