"""Lists of customers in order and as files, and all that is wrong with a request said at once."""

import csv
import io
from typing import Any

import pytest
from django.test import Client

from clm.lib.formulas import harmless as safe
from customers.ingest import clock
from customers.merge import merge
from customers.models import Customer
from tests.factories import client_of, make_customer
from tests.lifecycle.making import ago, happened, settle, tell

JSON = "application/json"


@pytest.fixture
def api(installed_once: None, db: None) -> Client:
    return client_of("marketer")


@pytest.fixture
def people(api: Client) -> dict[str, int]:
    """Ann spent most, Bo came last, Cy is known by an id alone, and somebody by a device alone."""
    made = {
        "ann": make_customer(ago(days=9), ago(days=8), amount=50_00, name="Ann"),
        "bo": make_customer(ago(days=2), amount=10_00, name="bo"),
        "cy": make_customer(ago(days=5), amount=20_00),
    }
    tell(happened("x", "Page Viewed", ago(hours=1), identities=[("anonymous_id", "device")]))
    settle()
    made["visitor"] = Customer.objects.get(is_anonymous=True).pk
    return made


def listed(api: Client, query: str) -> list[str]:
    """Ids in order, over all pages of two."""
    address: str | None = f"/api/v1/customers/?page_size=2&{query}"
    found: list[str] = []
    while address:
        answer = api.get(address)
        assert answer.status_code == 200, answer.content
        found += [row["id"] for row in answer.json()["results"]]
        address = answer.json()["next"]
    return found


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("sort=-last_seen", "bo cy ann visitor"),
        ("sort=last_seen", "ann cy bo visitor"),
        ("sort=-revenue", "ann cy bo visitor"),
        ("sort=revenue", "bo cy ann visitor"),
        ("sort=-orders", "ann cy bo visitor"),
        ("sort=name", "ann bo cy visitor"),
        ("sort=-name", "bo ann cy visitor"),
        ("sort=-since", "bo cy ann visitor"),
        ("sort=-created", "visitor cy bo ann"),
        ("", "visitor cy bo ann"),
        ("who=known&sort=-revenue", "ann cy bo"),
        ("who=anonymous", "visitor"),
        ("search=n&sort=name", ""),
        ("segment=active_customer&sort=revenue", "bo cy ann"),
    ],
)
def test_a_list_is_sorted(query: str, names: str, api: Client, people: dict[str, int]) -> None:
    assert listed(api, query) == [str(people[name]) for name in names.split()]


def test_as_of_an_earlier_instant_the_order_is_of_then(api: Client, people: dict[str, int]) -> None:
    then = ago(days=4).isoformat().replace("+", "%2B")
    assert listed(api, f"sort=-last_seen&as_of={then}") == [str(people["cy"]), str(people["ann"])]


def test_a_list_too_long_to_sort_says_so(api: Client, people: dict[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analytics.customer_list.COUNTED", 2)
    answer = api.get("/api/v1/customers/?sort=-revenue&segment=active_customer")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "sort"
    assert "too many to sort" in answer.json()["detail"]


def file_of(api: Client, query: str = "") -> tuple[bytes, list[dict[str, str]]]:
    answer = api.get(f"/api/v1/customers/export/?{query}", headers={"Accept": "text/csv"})
    assert answer.status_code == 200, answer.content
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.streaming
    sent = answer.getvalue()
    return sent, list(csv.DictReader(io.StringIO(sent.decode("utf-8-sig"), newline="")))


def test_the_file_holds_what_the_list_does_in_its_order(
    api: Client, people: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("analytics.exports.people.ROWS", 2)
    for query in (
        "sort=-revenue&segment=active_customer",
        "who=known&sort=name",
        "",
        "search=bo",
        "stage=seven:lapsed",
    ):
        _sent, rows = file_of(api, query)
        assert [row["id"] for row in rows] == listed(api, query), query
    ann = next(row for row in file_of(api, "model=seven&model=five")[1] if row["name"] == "Ann")
    assert (ann["orders"], ann["revenue"], ann["currency"]) == ("2", "100.00", "EUR")
    assert (ann["seven_stage"], ann["five_stage"]) == ("Retention", "Retention")
    assert ann["last_seen"].endswith("Z")


def test_the_byte_order_mark_is_a_choice(api: Client, people: dict[str, int]) -> None:
    assert file_of(api)[0].startswith(b"id,name")
    assert file_of(api, "bom=true")[0].startswith(b"\xef\xbb\xbfid,name")


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "＝1"])
def test_no_text_of_a_file_is_a_formula(text: str) -> None:
    assert safe(text) == f"'{text}"


def test_texts_stay_what_they_are() -> None:
    assert [safe(text) for text in ("", "Ann", "1-2", 'a "b", c')] == ["", "Ann", "1-2", 'a "b", c']


def test_a_name_that_would_be_a_formula_is_none_in_the_file(api: Client) -> None:
    make_customer(ago(days=1), name='=HYPERLINK("http://x.example")', phone="+44 20 7946 0018")
    (row,) = file_of(api)[1]
    assert row["name"] == '\'=HYPERLINK("http://x.example")'
    assert row["phone"] == "'+44 20 7946 0018"


def test_a_file_that_cannot_be_made_is_a_problem_document(api: Client) -> None:
    answer = api.get("/api/v1/customers/export/?stage=seven:nowhere", headers={"Accept": "text/csv"})
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    assert client_of("agent").get("/api/v1/customers/export/").status_code == 403


def test_all_that_is_wrong_with_a_question_is_said_at_once(api: Client) -> None:
    asked = "stage=seven:nowhere&stage=none&model=nine&segment=nobody&as_of=soon&known_at=2999-01-01&within_days=3"
    answer = api.get(f"/api/v1/customers/?{asked}&from=2025-01-01")
    assert answer.status_code == 400
    fields = [one["field"] for one in answer.json()["errors"]]
    assert fields == ["stage", "stage", "model", "as_of", "known_at", "within_days", "segment", "from"]


def test_all_that_is_wrong_with_a_customer_is_said_at_once(api: Client) -> None:
    answer = api.post("/api/v1/customers/", {"name": "Ann", "email": "ann@example.org", "external_id": "7"}, JSON)
    first: Any = answer.json()["id"]
    told = {"name": "x" * 201, "email": "ann@example.org", "phone": "none", "external_id": "7"}
    answer = api.post("/api/v1/customers/", told, JSON)
    assert answer.status_code == 400
    errors = {one["field"]: one for one in answer.json()["errors"]}
    assert set(errors) == {"name", "email", "phone", "external_id"}
    assert errors["email"]["customer"] == errors["external_id"]["customer"] == first
    assert "customer" not in errors["phone"]
    edited = api.patch(f"/api/v1/customers/{first}/", {"external_id": "8", "phone": "none"}, JSON)
    assert [one["field"] for one in edited.json()["errors"]] == ["phone"]
    assert api.patch(f"/api/v1/customers/{first}/", {"external_id": "8"}, JSON).status_code == 200


def test_an_address_without_its_slash_leads_to_the_one_with_it(api: Client) -> None:
    answer = api.get("/api/v1/customers?search=a%20b")
    assert (answer.status_code, answer["Location"]) == (301, "/api/v1/customers/?search=a%20b")
    answer = api.post("/api/v1/customers", {"name": "Ann"}, JSON)
    assert answer.status_code == 404  # a redirect would turn it into a reading
    assert "/api/v1/customers/" in answer.json()["detail"]
    assert Client().get("/customers?stage=retention")["Location"] == "/customers/?stage=retention"


def test_merged_ones_are_no_rows_of_a_file(api: Client, people: dict[str, int]) -> None:
    merge(customers=(people["ann"], people["bo"]), now=clock())
    settle()
    assert len(file_of(api)[1]) == 3
