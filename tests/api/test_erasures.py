"""Erasing through the API: at once for whoever looks, whole in a moment, once however often it is asked."""

from typing import Any

import pytest
from django.test import Client

from customers.erase import work_on_erasures
from customers.models import Erasure, Identity
from tests.factories import client_of, make_customer


@pytest.fixture
def api(installed_once: None, db: None) -> Client:
    return client_of("admin")


def erased(api: Client, customer: int, **headers: str) -> Any:
    return api.post(f"/api/v1/customers/{customer}/erase/", {}, "application/json", headers=headers)


def test_a_customer_is_erased_at_once_and_the_rest_is_followed(api: Client) -> None:
    customer = make_customer(name="Una", email="una@example.org")
    answer = erased(api, customer)
    assert answer.status_code == 202
    record = answer.json()
    assert (record["customer"], record["finished_at"], record["counts"]["identities"]) == (str(customer), None, 1)
    shown = api.get(f"/api/v1/customers/{customer}/").json()
    assert (shown["name"], shown["email"], shown["identities"], shown["traits"]) == ("", "", [], {})
    assert api.get(answer["Location"].replace("http://testserver", "")).json() == record
    work_on_erasures()
    listed = api.get(f"/api/v1/erasures/?customer={customer}&is_finished=true").json()["results"]
    assert listed[0]["finished_at"] is not None
    assert api.get("/api/v1/erasures/?is_finished=false").json()["results"] == []


def test_a_request_sent_twice_erases_once(api: Client) -> None:
    customer = make_customer(name="Una")
    first, again = (erased(api, customer, **{"Idempotency-Key": "e1"}) for _ in range(2))
    assert first.content == again.content
    assert again["Idempotent-Replayed"] == "true"
    assert Erasure.objects.count() == 1
    assert erased(api, customer).status_code == 409


def test_nobody_and_whoever_was_merged_is_said(api: Client) -> None:
    assert erased(api, 987654).status_code == 404
    pair = [str(make_customer()), str(make_customer())]
    api.post("/api/v1/merges/", {"customers": pair}, "application/json")
    answer = erased(api, int(pair[1]))
    assert answer.status_code == 409
    assert "merged into" in answer.json()["detail"]


def test_who_comes_back_is_let_in_again(api: Client) -> None:
    customer = make_customer(name="Una")
    (value,) = Identity.objects.filter(profile__customer=customer).values_list("value", flat=True)
    erased(api, customer)
    told = {"kind": "user_id", "value": value}
    address = "/api/v1/erasures/readmit/"
    assert api.post(address, told, "application/json").json() == {"was_erased": True}
    assert api.post(address, told, "application/json").json() == {"was_erased": False}
    assert api.post(address, {"kind": "email", "value": "x"}, "application/json").status_code == 400
