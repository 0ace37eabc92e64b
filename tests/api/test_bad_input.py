"""Whatever is sent, the answer is a problem that names the place, never a crash."""

import json
from typing import Any

import pytest
from django.test import Client

from clm.lib.cursors import cursor
from tests.factories import client_of, make_customer


@pytest.fixture
def api(installed_once: None, db: None) -> Client:
    return client_of("admin")


def problem(answer: Any, code: int) -> Any:
    assert answer.status_code == code, answer.content
    assert answer["Content-Type"].startswith("application/problem+json")
    body = answer.json()
    assert body["status"] == code
    assert body["title"]
    return body


@pytest.mark.parametrize(
    "customer",
    ["0", "-1", "99999999999999999999", "9223372036854775808", "1e3", "١", "abc", "%00", "1%00", "%F0%9F", "01x"],
)
@pytest.mark.parametrize("tail", ["", "timeline/", "spells/", "why/"])
def test_an_id_that_cannot_be_is_not_there(api: Client, customer: str, tail: str) -> None:
    problem(api.get(f"/api/v1/customers/{customer}/{tail}"), 404)


@pytest.mark.parametrize(
    "address",
    [
        "/api/v1/customers/999999/",
        "/api/v1/stage-models/eight/",
        "/api/v1/stage-models/eight/counts/",
        "/api/v1/stage-models/eight/flows/",
        "/api/v1/segments/nobody/",
        "/api/v1/segments/nobody/members/",
        "/api/v1/metrics/happiness/",
        "/api/v1/nothing/",
        "/api/v2/customers/",
        "/api/",
    ],
)
def test_what_is_not_there_is_a_problem_too(api: Client, address: str) -> None:
    problem(api.get(address), 404)


def test_what_is_not_there_under_ingestion_is_told_as_its_clients_read_it(api: Client) -> None:
    answer = api.get("/v1/nothing")
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/json")
    assert answer.json() == {"success": False, "message": "There is no such address."}


@pytest.mark.parametrize(
    ("address", "field"),
    [
        ("customers/?limit=5", "limit"),
        ("customers/?page_size=0", "page_size"),
        ("customers/?page_size=201", "page_size"),
        ("customers/?page_size=x", "page_size"),
        ("customers/?page_size=1&page_size=2", "page_size"),
        ("customers/?cursor=x", "cursor"),
        ("customers/?cursor=", "cursor"),
        ("customers/?cursor=bjoxOmV2aWw", "cursor"),
        ("customers/?cursor=%00", "cursor"),
        ("customers/?search=%00", "search"),
        ("customers/?search=" + "x" * 201, "search"),
        ("customers/?stage=retention", "stage"),
        ("customers/?stage=eight:retention", "stage"),
        ("customers/?stage=seven:happy", "stage"),
        ("customers/?stage=seven:%00", "stage[0]"),
        ("customers/?model=eight", "model"),
        ("customers/?segment=nobody", "segment"),
        ("customers/?as_of=yesterday", "as_of"),
        ("customers/?as_of=10000-01-01", "as_of"),
        ("customers/?as_of=2100-01-01", "as_of"),
        ("customers/?as_of=2024-01-01T00:00:00", "as_of"),
        ("customers/?known_at=2100-01-01", "known_at"),
        ("customers/?as_of=2024-02-02&known_at=2024-02-01", "as_of"),
        ("customers/?falls_to=lapsed", "falls_to"),
        ("customers/?within_days=30", "within_days"),
        ("customers/?falls_to=seven:lapsed&within_days=99999", "within_days"),
        ("customers/?falls_to=seven:lapsed&as_of=2024-01-01", "as_of"),
        ("customers/?group=happy", "group"),
        ("customers/?from=2024-01-01", "from"),
        ("customers/?group=lost&known_at=2024-01-01", "known_at"),
        ("stage-models/?page_size=5", "page_size"),
        ("stage-models/seven/counts/?asof=2024-01-01", "asof"),
        ("stage-models/seven/counts/?as_of=2024-02-30", "as_of"),
        ("stage-models/seven/counts/?as_of=2024-01-01&as_of=2024-01-02", "as_of"),
        ("stage-models/seven/counts/?as_of=2024-02-02&known_at=2024-02-01", "as_of"),
        ("stage-models/seven/counts/?as_of=%00", "as_of"),
        ("stage-models/seven/flows/?from=2024-02-01&until=2024-01-01", "until"),
        ("stage-models/seven/flows/?to=2024-02-01", "to"),
        ("segments/active_customer/members/?as_of=x", "as_of"),
        ("metrics/crr/?from=2024-01-01&until=zzz", "until"),
        ("metrics/?from=2024-01-01", "from"),
    ],
)
def test_a_bad_parameter_is_named(api: Client, address: str, field: str) -> None:
    body = problem(api.get(f"/api/v1/{address}"), 400)
    assert body["errors"][0]["field"] == field
    assert body["errors"][0]["message"]


@pytest.mark.parametrize(
    ("tail", "field"),
    [
        ("timeline/?cursor=bjox", "cursor"),
        ("timeline/?role=gift", "role"),
        ("timeline/?type=%00", "type[0]"),
        ("timeline/?before=1", "before"),
        ("spells/?model=eight", "model"),
        ("why/?at=2100-01-01", "at"),
        ("why/?at=x", "at"),
        ("?expand=1", "expand"),
    ],
)
def test_a_bad_parameter_of_one_customer_is_named(api: Client, tail: str, field: str) -> None:
    body = problem(api.get(f"/api/v1/customers/{make_customer()}/{tail}"), 400)
    assert body["errors"][0]["field"] == field


def test_a_cursor_far_outside_of_time_is_refused(api: Client) -> None:
    address = f"/api/v1/customers/{make_customer()}/timeline/?cursor={cursor('t', 2**63 - 1, 1)}"
    assert problem(api.get(address), 400)["errors"][0]["field"] == "cursor"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ("{}", "name"),
        ('{"name": "a\\u0000"}', "name"),
        ('{"name": "\\ud800"}', "name"),
        ('{"name": 5, "colour": "red"}', "colour"),
        ('{"name": []}', "name"),
        ('{"name": null}', "name"),
        ('{"email": "nobody"}', "email"),
        ('{"name": "' + "x" * 201 + '"}', "name"),
    ],
)
def test_a_body_that_cannot_be_used_names_its_member(api: Client, body: str, field: str) -> None:
    found = problem(api.post("/api/v1/customers/", body, "application/json"), 400)
    assert found["errors"][0]["field"] == field
    customer = make_customer(name="Anna")
    if body != "{}":
        problem(api.patch(f"/api/v1/customers/{customer}/", body, "application/json"), 400)


@pytest.mark.parametrize("body", ["", "{", "[]", '"text"', "null", "NaN", "\x00", '{"name": NaN}', "[" * 5000])
def test_what_is_no_json_object_is_refused(api: Client, body: str) -> None:
    for address in (
        "/api/v1/customers/",
        f"/api/v1/customers/{make_customer()}/touchpoints/",
        "/api/v1/rules/evaluate/",
    ):
        problem(api.post(address, body, "application/json"), 400)


def test_another_kind_of_body_is_refused(api: Client) -> None:
    problem(api.post("/api/v1/customers/", "name=Anna", "application/x-www-form-urlencoded"), 415)


@pytest.mark.parametrize(
    ("told", "field"),
    [
        ({"kind": "gift", "text": "x"}, "kind"),
        ({"kind": "call"}, "text"),
        ({"kind": "call", "text": ""}, "text"),
        ({"kind": "call", "text": "x", "occurred_at": "2100-01-01"}, "occurred_at"),
        ({"kind": "call", "text": "x", "occurred_at": "10000-01-01"}, "occurred_at"),
        ({"kind": "call", "text": "x", "occurred_at": 5, "author": "me"}, "author"),
        ({"kind": "call", "text": "x", "direction": "up"}, "direction"),
        ({"kind": "call", "text": "x", "message_id": "x" * 201}, "message_id"),
    ],
)
def test_a_bad_touchpoint_names_its_member(api: Client, told: dict[str, Any], field: str) -> None:
    answer = api.post(f"/api/v1/customers/{make_customer()}/touchpoints/", json.dumps(told), "application/json")
    assert problem(answer, 400)["errors"][0]["field"] == field


def test_a_method_that_is_not_there_is_refused(api: Client) -> None:
    for method, address in (
        ("delete", "/api/v1/customers/"),
        ("put", f"/api/v1/customers/{make_customer()}/"),
        ("post", "/api/v1/stage-models/seven/"),
        ("get", "/api/v1/rules/evaluate/"),
    ):
        answer = getattr(api, method)(address)
        assert answer.status_code == 405
        assert problem(answer, 405)
        assert answer["Allow"]


def test_a_crash_says_nothing_of_the_inside(api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(**_: object) -> None:
        raise RuntimeError("secret of the inside")

    monkeypatch.setattr("analytics.api.stages.stage_counts", crash)
    api.raise_request_exception = False
    answer = api.get("/api/v1/stage-models/seven/counts/")
    problem(answer, 500)
    assert b"secret" not in answer.content


@pytest.mark.parametrize(
    ("method", "address", "told", "field", "said"),
    [
        ("post", "catalogue/draft/", {"mappings": 1}, "mappings", "This must be a list."),
        ("post", "catalogue/draft/", {"mappings": [1]}, "mappings[0]", "This must be an object"),
        (
            "post",
            "catalogue/draft/",
            {"mappings": [{"name": "x", "role": "buyer"}]},
            "mappings[0].role",
            "It is one of exposure, visit, signup",
        ),
        ("post", "exports/", {"what": "customers", "format": "csv", "query": 1}, "query", "This must be an object"),
        ("post", "exchange-rates/", {"currency": "a\0b", "day": "2026-01-01", "rate": "1"}, "currency", "no text has"),
        ("patch", "installation/", {"support_opens": "9 am"}, "support_opens", "Write a time like 09:00"),
        ("patch", "installation/", {"support_days": "Mon"}, "support_days", "Monday is 1"),
        ("patch", "installation/", {"news_hours": "9" * 2_000}, "news_hours", "too many digits"),
        ("patch", "installation/", {"news_hours": -1}, "news_hours", "This must be at least 0."),
        ("patch", "installation/", {"margin_percent": "100.5"}, "margin_percent", "This must be at most 100."),
        ("get", "customers/?page_size=0", None, "page_size", "This must be at least 1."),
        ("get", "possible-merges/?score_from=101", None, "score_from", "This must be at most 100."),
        ("get", "catalogue/?sort=colour", None, "sort", "It is one of recent, count, name."),
    ],
)
def test_a_fault_names_its_place_and_the_way_out_in_plain_words(
    api: Client, method: str, address: str, told: Any, field: str, said: str
) -> None:
    body = (json.dumps(told), "application/json") if told is not None else ()
    found = problem(getattr(api, method)(f"/api/v1/{address}", *body), 400)["errors"][0]
    assert found["field"] == field
    assert said in found["message"]
