"""/api/v1/spend/file/: a file of spend, tried and entered as a whole."""

import json
from typing import Any

import pytest
from django.test import Client

from campaigns.models import Spend
from customers.models import ExchangeRate
from tests.factories import client_of

pytestmark = pytest.mark.django_db
GOOGLE = (
    "Campaign report\n1 May 2024 - 2 May 2024\nDay,Campaign,Currency code,Cost\n"
    '2024-05-01,Brand,EUR,"1,000.50"\n2024-05-02,Brand,EUR,20\nTotal: Account,,EUR,"1,020.50"\n'
)


@pytest.fixture
def api(installed_once: None) -> Client:
    return client_of("marketer")


def send(api: Client, told: Any, code: int = 200) -> Any:
    answer = api.post("/api/v1/spend/file/", json.dumps(told), "application/json")
    assert answer.status_code == code, answer.content
    return answer.json()


def test_a_file_is_tried_entered_and_known_the_second_time(api: Client) -> None:
    tried = send(api, {"text": GOOGLE, "check": True})
    assert (tried["preset"], tried["entered"], tried["new"], tried["amount"]) == ("Google Ads", False, 2, "1020.50")
    assert not Spend.objects.exists()
    assert send(api, {"text": GOOGLE})["entered"]
    assert sum(Spend.objects.values_list("amount", flat=True)) == 102_050
    again = send(api, {"text": GOOGLE.replace(",20\n", ",21\n")})
    assert (again["new"], again["changed"], again["same"]) == (0, 1, 1)


def test_a_faulty_line_keeps_everything_out_and_is_named(api: Client) -> None:
    text = "day,channel,amount\n2024-05-01,search,12\n2024-05-02,two words,x\n"
    tried = send(api, {"text": text, "check": True})
    assert tried["faulty"] == 1
    assert {(one["line"], one["field"]) for one in tried["faults"]} == {(3, "channel"), (3, "amount")}
    refused = send(api, {"text": text}, 400)
    assert {one["field"] for one in refused["errors"]} == {"line 3, channel", "line 3, amount"}
    assert refused["detail"] == "Nothing was entered: 1 line is faulty."
    assert not Spend.objects.exists()
    assert send(api, {"text": "nothing"}, 400)["errors"][0]["field"] == "text"


def test_a_faulty_file_of_rates_tells_every_line(installed_once: None) -> None:
    told = {"text": "currency,day,rate\nUSD,soon,1\nUSD,2026-01-01,0.9\nUSD,2026-01-02,x\n"}
    answer = client_of("admin").post("/api/v1/exchange-rates/file/", json.dumps(told), "application/json")
    assert answer.status_code == 400
    assert answer.json()["detail"] == "Nothing was entered: 2 lines are faulty."
    assert [one["field"] for one in answer.json()["errors"]] == ["line 2, day", "line 4, rate"]
    assert not ExchangeRate.objects.exists()


def test_whoever_may_not_enter_spend_is_refused(api: Client) -> None:
    send(client_of("viewer"), {"text": GOOGLE}, 403)
