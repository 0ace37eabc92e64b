"""The review queue through the API."""

from typing import Any

import pytest
from django.test import Client

from customers.duplicates import work_on_duplicates
from customers.models import PossibleMerge, Profile
from customers.review import Possible, propose
from tests.factories import client_of, make_customer
from tests.lifecycle.making import source


@pytest.fixture
def api(installed_once: None, db: None) -> Client:
    return client_of("agent")


def a_pair(**more: Any) -> tuple[str, list[str]]:
    customers = [make_customer(name="Una"), make_customer(name="Una N.")]
    profiles = [Profile.objects.get(customer=one).pk for one in customers]
    told = {"kind": "email", "value": "una@example.org", **more}
    propose(pairs=[Possible(*profiles, **told)], source=source().pk)
    return str(PossibleMerge.objects.latest("pk").pk), [str(one) for one in customers]


def listed(api: Client, query: str = "") -> list[str]:
    answer = api.get(f"/api/v1/possible-merges/{query}")
    assert answer.status_code == 200, answer.content
    return [one["id"] for one in answer.json()["results"]]


def test_pairs_are_listed_and_narrowed(api: Client) -> None:
    first, customers = a_pair()
    second, _others = a_pair(kind="alike", value="", score=77, evidence={"name": 77})
    assert listed(api) == [second, first]
    assert listed(api, "?why=alike") == listed(api, "?score_from=70&state=open&why=alike") == [second]
    assert listed(api, f"?customer={customers[0]}") == [first]
    assert listed(api, "?score_from=90") == [first]
    assert listed(api, "?state=merged") == []
    one = api.get(f"/api/v1/possible-merges/{first}/").json()
    assert (one["customers"], one["state"], one["source"], one["score"]) == (customers, "open", "shop", 100)
    assert "una@example.org" in one["why"]
    assert api.get(f"/api/v1/possible-merges/{second}/").json()["evidence"] == {"name": 77}
    for wrong in ("?state=lost", "?why=x", "?score_from=101", "?customer=x"):
        assert api.get(f"/api/v1/possible-merges/{wrong}").status_code == 400


def test_a_pair_is_merged_once_however_often_it_is_sent(api: Client) -> None:
    number, customers = a_pair()
    address = f"/api/v1/possible-merges/{number}/merge/"
    first, again = (api.post(address, {}, "application/json", headers={"Idempotency-Key": "m"}) for _ in range(2))
    assert first.status_code == 201
    assert first.content == again.content
    assert (first.json()["survivor"], first.json()["absorbed"]) == tuple(customers)
    assert "una@example.org" in first.json()["reason"]
    one = api.get(f"/api/v1/possible-merges/{number}/").json()
    assert (one["state"], one["merge"], one["customers"]) == ("merged", first.json()["id"], [customers[0]] * 2)
    assert api.post(address, {}, "application/json").status_code == 409


def test_a_pair_is_refused_for_good(api: Client) -> None:
    number, _customers = a_pair()
    address = f"/api/v1/possible-merges/{number}/refuse/"
    assert api.post(address, {}, "application/json").json()["state"] == "refused"
    assert api.post(address, {}, "application/json").status_code == 409
    assert listed(api, "?state=open") == []
    assert api.post("/api/v1/possible-merges/987654/refuse/", {}, "application/json").status_code == 404


def test_a_search_for_duplicates_is_begun_once_and_followed(api: Client) -> None:
    make_customer(name="Una Lind", email="una.lind@a.org")
    make_customer(name="Una Lind", email="una.lind@b.org")
    begun = api.post("/api/v1/duplicate-searches/", {}, "application/json")
    assert begun.status_code == 202
    assert api.post("/api/v1/duplicate-searches/", {}, "application/json").json()["id"] == begun.json()["id"]
    assert (begun.json()["percent"], begun.json()["finished_at"]) == (0, None)
    work_on_duplicates()
    done = api.get(begun["Location"].replace("http://testserver", "")).json()
    assert (done["percent"], done["counts"]["new"]) == (100, 1)
    assert api.get("/api/v1/duplicate-searches/").json()["results"] == [done]
    assert len(listed(api, "?why=alike&state=open")) == 1
