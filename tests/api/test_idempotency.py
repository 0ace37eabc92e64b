"""A request with an idempotency key is done once, however often and however simultaneously it is sent."""

import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from campaigns.models import Campaign
from clm.lib.access.kept_answers import KEPT_FOR, forget_answers
from clm.lib.access.models import ApiKey, KeptAnswer
from customers.ingest import clock
from customers.models import Customer, Touchpoint
from tests.factories import client_of, make_customer, make_user

JSON = "application/json"
CAMPAIGNS = "/api/v1/campaigns/"


@pytest.fixture
def api(installed_once: None, db: None) -> Client:
    return client_of("admin")


def post(api: Client, address: str, told: Any, key: str | None, method: str = "post") -> Any:
    headers = {} if key is None else {"Idempotency-Key": key}
    return getattr(api, method)(address, json.dumps(told), JSON, headers=headers)


def test_the_same_request_is_answered_the_same_and_done_once(api: Client) -> None:
    first = post(api, "/api/v1/customers/", {"name": "Anna"}, "k1")
    assert first.status_code == 201
    assert "Idempotent-Replayed" not in first
    again = post(api, "/api/v1/customers/", {"name": "Anna"}, "k1")
    assert (again.status_code, again.content, again["Content-Type"], again["Location"]) == (
        201,
        first.content,
        first["Content-Type"],
        first["Location"],
    )
    assert again["Idempotent-Replayed"] == "true"
    assert Customer.objects.count() == 1
    assert post(api, "/api/v1/customers/", {"name": "Anna"}, None).json()["id"] != first.json()["id"]


def test_what_is_answered_includes_the_stage_that_the_act_led_to(api: Client) -> None:
    told = post(api, "/api/v1/customers/", {"name": "Anna"}, "k1").json()
    assert told["stages"]["seven"]["stage"] == "awareness"


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("/api/v1/customers/", {"name": "Bert"}),
        ("/api/v1/customers/", {"name": "Anna", "phone": ""}),
        ("/api/v1/campaigns/", {"name": "Anna"}),
    ],
)
def test_another_request_under_the_same_key_is_refused(api: Client, address: str, told: dict[str, str]) -> None:
    post(api, "/api/v1/customers/", {"name": "Anna"}, "k1")
    answer = post(api, address, told, "k1")
    assert answer.status_code == 422
    assert "came with another request" in answer.json()["detail"]
    assert Customer.objects.count() == 1


def test_keys_belong_to_whoever_sends_them(api: Client) -> None:
    post(api, CAMPAIGNS, {"key": "spring", "name": "Spring"}, "k1")
    other = client_of("marketer")
    assert post(other, CAMPAIGNS, {"key": "summer", "name": "Summer"}, "k1").status_code == 201
    browser = Client()
    browser.force_login(make_user("marketer"))
    assert post(browser, CAMPAIGNS, {"key": "autumn", "name": "Autumn"}, "k1").status_code == 201


def test_a_refusal_by_the_act_itself_is_kept_too(api: Client) -> None:
    made = {"key": "spring", "name": "Spring"}
    post(api, CAMPAIGNS, made, None)
    refused = post(api, CAMPAIGNS, made, "k1")
    assert refused.status_code == 409
    Campaign.objects.all().delete()
    again = post(api, CAMPAIGNS, made, "k1")
    assert (again.status_code, again.content) == (409, refused.content)
    assert again["Content-Type"] == "application/problem+json"
    assert not Campaign.objects.exists()


@pytest.mark.parametrize(
    ("address", "told"), [(CAMPAIGNS, {"key": "spring"}), ("/api/v1/customers/987654/touchpoints/", {"kind": "note"})]
)
def test_what_was_refused_before_it_was_tried_is_not_kept(api: Client, address: str, told: dict[str, str]) -> None:
    assert post(api, address, told, "k1").status_code in (400, 404)
    assert post(api, CAMPAIGNS, {"key": "spring", "name": "Spring"}, "k1").status_code == 201


def test_a_crash_is_undone_and_told_again(api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(**_: Any) -> None:
        raise RuntimeError("secret of the inside")

    api.raise_request_exception = False
    monkeypatch.setattr("analytics.api.customers.advance_customers", crash)
    first = post(api, "/api/v1/customers/", {"name": "Anna"}, "k1")
    assert first.status_code == 500
    assert not Customer.objects.exists(), "what the crash left half done is undone"
    monkeypatch.undo()
    again = post(api, "/api/v1/customers/", {"name": "Anna"}, "k1")
    assert (again.status_code, again.content) == (500, first.content)
    assert post(api, "/api/v1/customers/", {"name": "Anna"}, "k2").status_code == 201


@pytest.mark.parametrize("key", ["", "x" * 256, "two words", "schlüssel"])
def test_a_key_that_is_none_is_refused(api: Client, key: str) -> None:
    answer = api.generic("POST", CAMPAIGNS, b"{}", JSON, HTTP_IDEMPOTENCY_KEY=key)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "Idempotency-Key"


def test_a_key_may_have_255_characters(api: Client) -> None:
    assert post(api, CAMPAIGNS, {"key": "spring", "name": "Spring"}, "x" * 255).status_code == 201


def test_a_deletion_told_again_is_not_missing(api: Client) -> None:
    post(api, CAMPAIGNS, {"key": "spring", "name": "Spring"}, None)
    first = api.delete(CAMPAIGNS + "spring/", headers={"Idempotency-Key": "d"})
    again = api.delete(CAMPAIGNS + "spring/", headers={"Idempotency-Key": "d"})
    assert (first.status_code, again.status_code, again.content) == (204, 204, b"")
    assert api.delete(CAMPAIGNS + "spring/").status_code == 404


def test_the_secret_of_a_key_is_never_kept(api: Client) -> None:
    first = post(api, "/api/v1/keys/", {"name": "till", "role": "viewer"}, "k1")
    secret = first.json()["secret"]
    assert ApiKey.objects.filter(prefix=secret[:10]).exists()
    assert secret.encode() not in bytes(KeptAnswer.objects.get().body)
    again = post(api, "/api/v1/keys/", {"name": "till", "role": "viewer"}, "k1")
    assert again.json() == {**first.json(), "secret": None}


def test_a_merge_told_twice_is_one_merge(api: Client) -> None:
    pair = [str(make_customer()), str(make_customer())]
    first = post(api, "/api/v1/merges/", {"customers": pair}, "m")
    assert post(api, "/api/v1/merges/", {"customers": pair}, "m").content == first.content
    assert post(api, "/api/v1/merges/", {"customers": pair}, "n").status_code == 409


def test_answers_are_kept_for_two_days(api: Client) -> None:
    post(api, CAMPAIGNS, {"key": "spring", "name": "Spring"}, "k1")
    assert timedelta(hours=24) <= KEPT_FOR
    assert forget_answers(now=clock() + KEPT_FOR - timedelta(minutes=1)) == 0
    call_command("forget_answers", stdout=StringIO())
    assert post(api, CAMPAIGNS, {"key": "spring", "name": "Spring"}, "k1").status_code == 201
    assert forget_answers(now=clock() + KEPT_FOR + timedelta(minutes=1)) == 1


def test_what_the_answer_speaks_of_was_stored_with_it(api: Client) -> None:
    customer = make_customer()
    told = {"kind": "note", "text": "called back"}
    for _ in range(2):
        assert post(api, f"/api/v1/customers/{customer}/touchpoints/", told, "n").status_code == 201
    assert Touchpoint.objects.filter(type__name="Note").count() == 1
