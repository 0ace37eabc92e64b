"""Files by the API: asked for, looked after, fetched by the key that asked."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from analytics.exports.jobs import make_waiting
from analytics.models import Export
from tests.factories import client_of, make_customer
from tests.lifecycle.making import ago, installed

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def api(settings: Any, tmp_path: Path) -> Client:
    settings.MEDIA_ROOT = tmp_path
    installed()
    make_customer(ago(days=2), name="Ann")
    make_customer(ago(days=2), name="Bo")
    return client_of("marketer")


def test_a_key_has_a_file_made_and_fetches_it(api: Client) -> None:
    body = {"what": "touchpoints", "format": "jsonl", "query": {"search": "ann", "stage": ["seven:acquisition"]}}
    made = api.post("/api/v1/exports/", json.dumps(body), "application/json")
    assert made.status_code == 201, made.content
    address = made["Location"]
    assert made.json()["state"] == "waiting"
    assert api.get(f"{address}file/").status_code == 404
    assert make_waiting() == 1
    told = api.get(address).json()
    assert (told["state"], told["rows"], told["query"]) == ("ready", 1, "stage=seven%3Aacquisition&search=ann")
    answer = api.get(f"{address}file/", headers={"Accept": "application/jsonl"})
    (line,) = answer.getvalue().decode().splitlines()  # type: ignore[attr-defined]
    assert json.loads(line)["known_as"] == "Ann"
    assert [one["id"] for one in api.get("/api/v1/exports/").json()["results"]] == [told["id"]]
    other = client_of("admin")
    assert other.get(address).status_code == 404
    assert other.get(f"{address}file/").status_code == 404
    assert other.get("/api/v1/exports/").json()["results"] == []
    assert api.delete(address).status_code == 204
    assert api.get(f"{address}file/").status_code == 404
    assert api.delete(address).status_code == 409


@pytest.mark.parametrize(
    "body",
    [
        {"query": {"colour": "red"}},
        {"query": {"stage": ["seven:nowhere"]}},
        {"query": {"as_of": "2999-01-01"}},
        {"format": "pdf"},
        {"what": "planets"},
        {"query": {"search": {"a": 1}}},
    ],
)
def test_what_cannot_be_made_is_refused_at_once(body: dict[str, Any], api: Client) -> None:
    answer = api.post("/api/v1/exports/", json.dumps(body), "application/json")
    assert answer.status_code == 400, answer.content
    assert not Export.objects.exists()


def test_lines_are_sent_at_once(api: Client) -> None:
    answer = api.get("/api/v1/customers/export/?format=jsonl&sort=name", headers={"Accept": "application/jsonl"})
    rows = [json.loads(line) for line in answer.getvalue().decode().splitlines()]  # type: ignore[attr-defined]
    assert [(row["name"], row["orders"], row["revenue"]) for row in rows] == [("Ann", 1, "100.00"), ("Bo", 1, "100.00")]
    assert isinstance(rows[0]["id"], str)
