"""/api/v1/customers/: what developers read, write and rely on."""

from typing import Any

import pytest
from django.test import Client

from customers.ingest import clock
from customers.merge import merge
from customers.models import Touchpoint
from tests.factories import client_of, make_customer, make_order
from tests.lifecycle.making import ago, customer_of, happened, settle, tell

JSON = "application/json"


@pytest.fixture
def api(installed_once: None, db: None) -> Client:
    return client_of("agent")


def get(api: Client, address: str, code: int = 200) -> Any:
    answer = api.get(address)
    assert answer.status_code == code, answer.content
    return answer.json()


def test_a_page_of_customers(api: Client) -> None:
    customer = make_customer(ago(days=3), ago(days=60), amount=1250, name="Anna", email="anna@example.org")
    body = get(api, "/api/v1/customers/?stage=seven:retention&model=seven&model=five")
    assert (body["next"], body["previous"], body["currency"]) == (None, None, "EUR")
    (row,) = body["results"]
    assert row["id"] == str(customer)
    assert (row["name"], row["email"], row["orders"], row["revenue"]) == ("Anna", "anna@example.org", 2, "25.00")
    assert row["known_as"] == "Anna"
    assert row["last_seen"].endswith("Z")
    assert {model: one["stage"] for model, one in row["stages"].items()} == {"seven": "retention", "five": "retention"}
    assert get(api, "/api/v1/customers/?stage=seven:lapsed")["results"] == []


def test_pages_follow_by_their_addresses(api: Client) -> None:
    made = [str(make_customer()) for _ in range(5)][::-1]
    address: str | None = "/api/v1/customers/?page_size=2&search="
    seen, pages = [], []
    while address:
        body = get(api, address)
        pages.append(body)
        seen += [row["id"] for row in body["results"]]
        address = body["next"]
    assert seen == made
    assert get(api, pages[2]["previous"])["results"] == pages[1]["results"]
    assert pages[0]["previous"] is None


def test_one_customer(api: Client) -> None:
    customer = make_customer(ago(days=3), amount=1250, name="Anna", plan="pro")
    body = get(api, f"/api/v1/customers/{customer}/")
    assert (body["id"], body["name"], body["revenue"], body["currency"]) == (str(customer), "Anna", "12.50", "EUR")
    assert body["traits"] == {"name": "Anna", "plan": "pro"}
    assert body["is_active"] is True
    assert body["merged_into"] is None
    assert body["stages"]["seven"]["stage"] == "acquisition"
    assert body["stages"]["seven"]["next"]["stage"] == "lapsed"
    assert body["identities"][0]["kind"] == "user_id"


def test_a_merged_customer_is_answered_with_the_survivor(api: Client) -> None:
    first, second = make_customer(ago(days=3)), make_customer(ago(days=2))
    merge(customers=(first, second), now=clock())
    settle()
    body = get(api, f"/api/v1/customers/{second}/")
    assert (body["id"], body["merged_into"], body["orders"]) == (str(first), str(first), 2)
    assert len(get(api, f"/api/v1/customers/{second}/timeline/")["results"]) == 2
    assert (
        get(api, f"/api/v1/customers/{second}/spells/")["results"]
        == get(api, f"/api/v1/customers/{first}/spells/")["results"]
    )
    api.patch(f"/api/v1/customers/{second}/", {"name": "Anna"}, JSON)
    assert get(api, f"/api/v1/customers/{first}/")["name"] == "Anna"


def test_a_customer_is_created_and_answered_at_once(api: Client) -> None:
    answer = api.post("/api/v1/customers/", {"name": "Zoë", "email": "ZOE@example.org", "note": "Met."}, JSON)
    body = answer.json()
    assert answer.status_code == 201
    assert answer["Location"] == f"/api/v1/customers/{body['id']}/"
    assert (body["name"], body["email"], body["touchpoints"]) == ("Zoë", "zoe@example.org", 2)
    assert body["stages"]["seven"]["stage"] == "awareness"
    assert get(api, answer["Location"]) == body
    again = api.post("/api/v1/customers/", {"email": "zoe@example.org"}, JSON)
    assert (again.status_code, again.json()["errors"][0]["field"]) == (400, "email")


def test_a_customer_is_corrected(api: Client) -> None:
    customer = make_customer(name="Ana")
    answer = api.patch(f"/api/v1/customers/{customer}/", {"name": "Anna", "phone": "123 456"}, JSON)
    assert answer.status_code == 200
    assert (answer.json()["name"], answer.json()["phone"]) == ("Anna", "123 456")
    untouched = api.patch(f"/api/v1/customers/{customer}/", {}, JSON)
    assert untouched.json()["name"] == "Anna"


def test_a_call_is_logged_once_for_one_message_id(api: Client) -> None:
    customer = make_customer()
    told = {"kind": "call", "text": "Asked about delivery", "direction": "in", "message_id": "call-1"}
    first = api.post(f"/api/v1/customers/{customer}/touchpoints/", told, JSON)
    again = api.post(f"/api/v1/customers/{customer}/touchpoints/", told, JSON)
    assert (first.status_code, again.status_code) == (201, 200)
    (entry,) = get(api, f"/api/v1/customers/{customer}/timeline/?type=Call")["results"]
    assert (entry["text"], entry["author"], entry["role"]) == ("Asked about delivery", "test agent", "support")
    assert Touchpoint.objects.filter(type__name="Call").count() == 1


def test_a_timeline_by_pages_and_roles(api: Client) -> None:
    tell(
        *[make_order("anna", ago(days=n), 1000 + n) for n in range(1, 6)],
        happened("anna", "Page Viewed", ago(hours=1), properties={"path": "/"}),
    )
    settle()
    address = f"/api/v1/customers/{customer_of('anna')}/timeline/"
    body = get(api, f"{address}?page_size=4")
    assert [entry["role"] for entry in body["results"]] == ["visit", "purchase", "purchase", "purchase"]
    assert body["results"][0]["properties"] == {"path": "/"}
    assert body["results"][1]["amount"] == "10.01"
    rest = get(api, body["next"])
    assert ([entry["amount"] for entry in rest["results"]], rest["next"]) == (["10.04", "10.05"], None)
    assert len(get(api, f"{address}?role=visit")["results"]) == 1
    assert len(get(api, f"{address}?type=Order Completed&type=Page Viewed")["results"]) == 6


def test_spells_are_told_with_when_they_began_and_ended(api: Client) -> None:
    customer = make_customer("2024-01-01")
    body = get(api, f"/api/v1/customers/{customer}/spells/?model=seven")
    assert body["model"] == "seven"
    assert [(one["stage"], one["entered"], one["left"]) for one in body["results"]] == [
        ("acquisition", "2024-01-01T00:00:00.000Z", "2024-06-29T00:00:00.000Z"),
        ("lapsed", "2024-06-29T00:00:00.000Z", None),
    ]


def test_why_says_which_rule_held(api: Client) -> None:
    customer = make_customer("2024-01-01")
    body = get(api, f"/api/v1/customers/{customer}/why/?model=seven&at=2024-03-01")
    assert (body["model"], body["at"]) == ("seven", "2024-03-01T00:00:00.000Z")
    (current,) = [one for one in body["results"] if one["is_current"]]
    assert (current["stage"], current["reason"]["held"]) == ("acquisition", True)
    assert current["reason"]["until"] == "2024-06-29T00:00:00.000Z"
    assert current["reason"]["sentence"]
    assert body["results"][0]["stage"] == "advocacy"


def test_who_falls_to_lapsed(api: Client) -> None:
    soon = make_customer(ago(days=160))
    make_customer(ago(days=100))
    body = get(api, "/api/v1/customers/?falls_to=seven:lapsed&within_days=30")
    assert [row["id"] for row in body["results"]] == [str(soon)]


def test_the_past_is_asked_with_as_of(api: Client) -> None:
    customer = make_customer("2024-01-01", "2024-12-01")
    body = get(api, "/api/v1/customers/?stage=seven:lapsed&as_of=2024-08-01")
    assert [row["id"] for row in body["results"]] == [str(customer)]
    assert body["results"][0]["orders"] == 1
    assert body["results"][0]["stages"]["seven"]["since"] == "2024-06-29T00:00:00.000Z"
    nothing = get(api, "/api/v1/customers/?stage=seven:lapsed&as_of=2024-08-01&known_at=2024-08-01")
    assert nothing["results"] == []


def test_a_day_is_asked_up_to_its_end_and_an_instant_is_one(api: Client) -> None:
    customer = make_customer("2024-01-01T12:00:00Z")
    found = get(api, "/api/v1/customers/?stage=seven:acquisition&as_of=2024-01-01")
    assert [row["id"] for row in found["results"]] == [str(customer)]
    assert found["results"][0]["orders"] == 1
    assert get(api, "/api/v1/customers/?stage=seven:acquisition&as_of=2024-01-01T00:00:00Z")["results"] == []
    counts = get(api, "/api/v1/stage-models/seven/counts/?as_of=2024-01-01")
    assert (counts["as_of"], counts["customers"]) == ("2024-01-01T23:59:59.999Z", 1)
    assert get(api, f"/api/v1/customers/{customer}/why/?as_of=2024-01-01")["at"] == "2024-01-01T23:59:59.999Z"


@pytest.mark.parametrize("address", ["/api/v1/customers/", "/api/v1/customers/{}/", "/api/v1/customers/{}/timeline/"])
def test_an_answer_costs_the_same_queries_whoever_asks(
    api: Client, address: str, django_assert_max_num_queries
) -> None:
    tell(*[make_order("anna", ago(days=n)) for n in range(1, 30)])
    settle()
    for _ in range(10):
        make_customer()
    with django_assert_max_num_queries(22):
        get(api, address.format(customer_of("anna")))
