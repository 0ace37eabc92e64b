"""/api/v1/campaigns/, /api/v1/spend/ and /api/v1/exchange-rates/."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from campaigns.models import Campaign, Spend
from clm.lib.periods import local_day
from customers.ingest import clock
from customers.models import ExchangeRate
from tests.factories import client_of


@pytest.fixture
def api(installed_once: None, db: None) -> Client:
    return client_of("admin")


def send(api: Client, method: str, address: str, told: Any, code: int) -> Any:
    answer = api.generic(method, f"/api/v1/{address}", json.dumps(told), "application/json")
    assert answer.status_code == code, answer.content
    return answer.json() if answer.content else None


SPRING = {"key": "spring", "name": "Spring", "channel": "ads", "budget": "1000.00", "audience": "active_customer"}
SPENT = {"channel": "ads", "day": "2024-03-01", "amount": "12.50"}


def test_a_campaign_is_made_changed_and_removed(api: Client) -> None:
    made = send(api, "POST", "campaigns/", SPRING, 201)
    assert (made["channel"], made["budget"], made["audience"]) == ("ads", "1000.00", "active_customer")
    assert send(api, "GET", "campaigns/spring/", None, 200) == made
    dates = {"starts_on": "2024-03-01", "ends_on": "2024-03-31"}
    changed = send(api, "PATCH", "campaigns/spring/", {**dates, "audience": None}, 200)
    assert (changed["starts_on"], changed["audience"], changed["budget"]) == ("2024-03-01", None, "1000.00")
    assert len(send(api, "GET", "campaigns/?runs_on=2024-03-31", None, 200)["results"]) == 1
    assert send(api, "GET", "campaigns/?runs_on=2024-04-01", None, 200)["results"] == []
    assert len(send(api, "GET", "campaigns/?channel=ads", None, 200)["results"]) == 1
    send(api, "DELETE", "campaigns/spring/", None, 204)
    assert not Campaign.objects.exists()


@pytest.mark.parametrize(
    ("told", "field"),
    [
        ({"key": "Spring!"}, "key"),
        ({"name": " "}, "name"),
        ({"channel": "two words"}, "channel"),
        ({"audience": "nobody"}, "audience"),
        ({"budget": "1.005"}, "budget"),
        ({"budget": "-1"}, "budget"),
        ({"budget": "NaN"}, "budget"),
        ({"starts_on": "2024-03-02", "ends_on": "2024-03-01"}, "ends_on"),
        ({"starts_on": "soon"}, "starts_on"),
    ],
)
def test_a_campaign_that_cannot_be_names_the_member(api: Client, told: dict[str, Any], field: str) -> None:
    assert send(api, "POST", "campaigns/", {**SPRING, **told}, 400)["errors"][0]["field"] == field
    assert not Campaign.objects.exists()


def test_a_key_is_taken_once_and_spend_holds_its_campaign(api: Client) -> None:
    send(api, "POST", "campaigns/", SPRING, 201)
    assert "already" in send(api, "POST", "campaigns/", SPRING, 409)["detail"]
    spent = send(api, "POST", "spend/", {**SPENT, "campaign": "spring"}, 201)
    assert "Spend was entered" in send(api, "DELETE", "campaigns/spring/", None, 409)["detail"]
    send(api, "PATCH", f"spend/{spent['id']}/", {"campaign": None}, 200)
    send(api, "DELETE", "campaigns/spring/", None, 204)


def test_spend_is_entered_corrected_and_taken_back(api: Client) -> None:
    made = send(api, "POST", "spend/", SPENT, 201)
    assert (made["amount"], made["currency"], made["reported"]) == ("12.5000", "EUR", "12.50")
    assert made["is_paid_media"] is True
    changed = send(api, "PATCH", f"spend/{made['id']}/", {"amount": "20", "is_paid_media": False}, 200)
    assert (changed["reported"], changed["is_paid_media"]) == ("20.00", False)
    send(api, "DELETE", f"spend/{made['id']}/", None, 204)
    assert not Spend.objects.exists()


def test_the_metrics_count_what_was_entered(api: Client) -> None:
    send(api, "POST", "spend/", SPENT, 201)
    figure = send(api, "GET", "metrics/cac/?from=2024-03-01&until=2024-04-01", None, 200)
    assert figure["counts"]["spend"] == 12.5


def test_foreign_currency_needs_a_rate_and_is_converted_half_even_at_its_day(api: Client) -> None:
    dollars = {**SPENT, "currency": "USD", "amount": "0.25"}
    refused = send(api, "POST", "spend/", dollars, 400)
    assert refused["errors"][0]["field"] == "currency"
    assert "no exchange rate" in refused["detail"]
    rate = send(api, "POST", "exchange-rates/", {"currency": "USD", "day": "2024-01-01", "rate": "0.5"}, 201)
    later = {"currency": "USD", "day": "2024-03-02", "rate": "2"}
    send(api, "POST", "exchange-rates/", later, 201)
    made = send(api, "POST", "spend/", dollars, 201)
    assert made["reported"] == "0.12"
    assert send(api, "PATCH", f"spend/{made['id']}/", {"day": "2024-03-02"}, 200)["reported"] == "0.50"
    # A rate entered again replaces the earlier one and changes nothing that is stored.
    again = send(api, "POST", "exchange-rates/", {"currency": "USD", "day": "2024-01-01", "rate": "0.75"}, 200)
    assert (again["id"], again["rate"]) == (rate["id"], "0.7500000000")
    assert Spend.objects.get().amount == 50
    send(api, "DELETE", f"exchange-rates/{rate['id']}/", None, 204)
    assert ExchangeRate.objects.count() == 1
    assert len(send(api, "GET", "exchange-rates/?currency=USD&day_from=2024-03-01", None, 200)["results"]) == 1


@pytest.mark.parametrize(
    ("told", "field"),
    [
        ({"amount": "-1"}, "amount"),
        ({"amount": "1e15"}, "amount"),
        ({"amount": "999999999.99999"}, "amount"),
        ({"amount": "9999999999"}, "amount"),
        ({"currency": "XYZ"}, "currency"),
        ({"currency": "eur"}, "currency"),
        ({"campaign": "nothing"}, "campaign"),
        ({"channel": "Two Words"}, "channel"),
        ({"day": "1980-01-01"}, "day"),
        ({"day": "2024-02-30"}, "day"),
        ({"paid": True}, "paid"),
    ],
)
def test_spend_that_cannot_be_names_the_member(api: Client, told: dict[str, Any], field: str) -> None:
    assert send(api, "POST", "spend/", {**SPENT, **told}, 400)["errors"][0]["field"] == field
    assert not Spend.objects.exists()


def test_a_day_that_has_not_come_is_refused(api: Client) -> None:
    tomorrow = local_day(clock(), "UTC") + timedelta(days=1)
    assert send(api, "POST", "spend/", {**SPENT, "day": str(tomorrow)}, 400)["errors"][0]["field"] == "day"


def test_the_same_spend_is_entered_once(api: Client) -> None:
    first = send(api, "POST", "spend/", SPENT, 201)
    assert "already" in send(api, "POST", "spend/", {**SPENT, "amount": "3"}, 409)["detail"]
    other = send(api, "POST", "spend/", {**SPENT, "is_paid_media": False}, 201)
    send(api, "PATCH", f"spend/{other['id']}/", {"is_paid_media": True}, 409)
    assert [one["id"] for one in send(api, "GET", "spend/", None, 200)["results"]] == [other["id"], first["id"]]


@pytest.mark.parametrize(
    ("told", "field"),
    [
        ({"currency": "EUR"}, "currency"),
        ({"currency": "XXQ"}, "currency"),
        ({"rate": "0"}, "rate"),
        ({"rate": "-1"}, "rate"),
        ({"rate": "Infinity"}, "rate"),
        ({"rate": "1.00000000001"}, "rate"),
        ({"day": "03/01/2024"}, "day"),
    ],
)
def test_a_rate_that_cannot_be_names_the_member(api: Client, told: dict[str, str], field: str) -> None:
    rate = {"currency": "USD", "day": "2024-01-01", "rate": "0.5", **told}
    assert send(api, "POST", "exchange-rates/", rate, 400)["errors"][0]["field"] == field


def test_spend_is_found_by_channel_campaign_and_day(api: Client) -> None:
    send(api, "POST", "campaigns/", SPRING, 201)
    send(api, "POST", "spend/", {**SPENT, "campaign": "spring"}, 201)
    send(api, "POST", "spend/", {**SPENT, "channel": "radio", "day": "2024-03-05"}, 201)

    def days(query: str) -> list[str]:
        return [one["day"] for one in send(api, "GET", f"spend/?{query}", None, 200)["results"]]

    assert days("channel=radio") == ["2024-03-05"]
    assert days("campaign=spring") == ["2024-03-01"]
    assert days("day_from=2024-03-01&day_until=2024-03-05") == ["2024-03-01"]
    assert days("is_paid_media=false") == []
