"""Addresses end with a slash: who only reads is led there, who sends something is told, ingestion is never led on."""

from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client

from tests.api.test_every_route import ROUTES, address
from tests.factories import client_of, make_user
from tests.lifecycle.making import installed

pytestmark = pytest.mark.django_db
ENDING = [(path, one) for path, one in ROUTES if path.endswith("/")]


@pytest.mark.parametrize(("path", "one"), ENDING, ids=[path for path, _one in ENDING])
def test_whoever_reads_is_led_to_the_slash_and_whoever_sends_is_told(path: str, one: Any) -> None:
    whole = address(path, one)
    short = whole.removesuffix("/")
    client = Client()
    answer = client.get(f"{short}?a=1&b=%C3%A9")
    assert (answer.status_code, answer["Location"]) == (301, f"{quote(whole)}?a=1&b=%C3%A9")
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        answer = client.generic(method, short, '{"a": 1}', "application/json")
        assert answer.status_code == 404, method
        assert whole in answer.content.decode(), method
        if path.startswith("api/"):
            assert answer["Content-Type"] == "application/problem+json"
            assert answer.json()["detail"].endswith(f"Send it again to {whole}")


def test_what_is_nowhere_is_not_there_with_or_without_a_slash() -> None:
    for nowhere in ("/nowhere", "/nowhere/", "/api/v1/nowhere", "/api/v1/nowhere/", "/static", "/healthz/"):
        answer = Client().get(nowhere)
        assert answer.status_code == 404, nowhere
        if nowhere.startswith("/api/"):
            assert answer.json()["detail"] == f"There is nothing at {nowhere}"
    # The browser would take it for another site's address.
    assert Client().get("/", PATH_INFO="//example.org/customers").status_code == 404


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS"])
@pytest.mark.parametrize("path", ["/v1", "/v1/batch", "/v1/batch/", "/v1/track", "/v1/nowhere", "/v1/nowhere/"])
def test_ingestion_is_never_led_anywhere(method: str, path: str) -> None:
    answer = Client().generic(method, path, '{"batch": []}', "application/json")
    taken = {"GET": 405, "HEAD": 405, "POST": 401, "OPTIONS": 204}  # nobody's key is sent along
    assert answer.status_code == (taken[method] if "batch" in path or "track" in path else 404)
    assert "Location" not in answer


def test_the_beginning_of_the_api_lists_what_can_be_read_and_where_it_is_described() -> None:
    installed()
    viewer, admin = client_of("viewer"), client_of("admin")
    told = viewer.get("/api/v1/").json()
    assert told["documentation"] == "http://testserver/api/v1/docs/"
    assert told["description"] == "http://testserver/api/v1/schema/"
    assert told["addresses"]["customers"] == "http://testserver/api/v1/customers/"
    assert "rules_evaluate" not in told["addresses"]  # it is asked by POST
    for name, place in told["addresses"].items():
        # Some must be told more before they answer, and of what customers are worth, and how they were won, nothing is
        # known yet.
        assert admin.get(place).status_code in ((404,) if name in ("value", "acquisition") else (200, 400)), name
    assert Client().get("/api/v1/").status_code == 401
    assert viewer.get("/api/v1/?surprise=1").status_code == 400


def test_a_page_that_is_sent_to_without_its_slash_says_so_to_people() -> None:
    browser = Client()
    browser.force_login(make_user("agent"))
    answer = browser.post("/customers/new", {"name": "Anna"})
    assert answer.status_code == 404
    assert "Send it again to /customers/new/" in answer.content.decode()
