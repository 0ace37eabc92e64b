"""Who may ask what: a key or a login, a role, and a permission that every single address declares."""

from typing import Any

import pytest
from django.test import Client

from clm.lib.access.models import ApiKey
from tests.factories import PASSWORD, client_of, make_customer, make_user
from tests.lifecycle.making import installed

pytestmark = pytest.mark.django_db


def test_what_declares_nothing_is_not_there_even_for_an_admin() -> None:
    browser = Client()
    browser.force_login(make_user("admin"))
    assert browser.get("/account/confirm-email/").status_code == 404


def test_without_a_key_nothing_is_answered() -> None:
    answer = client_of(None).get("/api/v1/customers/")
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Bearer")
    assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    "header", ["Bearer wrong", "Bearer ", "Bearer \x00", "Basic abc", "Bearer é", "", "Bearer " + "x" * 5000]
)
def test_a_wrong_key_is_refused(header: str) -> None:
    assert Client(headers={"Authorization": header}).get("/api/v1/customers/").status_code == 401


def test_a_revoked_key_opens_nothing(django_user_model: Any) -> None:
    key, secret = ApiKey.issue(name="old", role="admin")
    client = Client(headers={"Authorization": f"Bearer {secret}"})
    assert client.get("/api/v1/customers/").status_code in (200, 404)
    key.revoked_at = key.created_at
    key.save()
    assert client.get("/api/v1/customers/").status_code == 401


@pytest.mark.parametrize(("role", "may"), [("viewer", False), ("agent", True), ("marketer", True), ("admin", True)])
def test_roles_decide_who_may_write(role: str, may: bool) -> None:
    installed()
    api, customer = client_of(role), make_customer()
    created = api.post("/api/v1/customers/", {"name": "Anna"}, "application/json").status_code
    edited = api.patch(f"/api/v1/customers/{customer}/", {"name": "B"}, "application/json").status_code
    told = {"kind": "note", "text": "x"}
    logged = api.post(f"/api/v1/customers/{customer}/touchpoints/", told, "application/json").status_code
    assert (created, edited, logged) == ((201, 200, 201) if may else (403, 403, 403))
    assert api.get(f"/api/v1/customers/{customer}/").status_code == 200


def test_somebody_logged_in_may_read_and_writes_only_with_a_token() -> None:
    installed()
    user = make_user("agent")
    browser = Client(enforce_csrf_checks=True)
    browser.login(username=user.email, password=PASSWORD)
    browser.force_login(user)
    assert browser.get("/api/v1/customers/").status_code == 200
    assert browser.post("/api/v1/customers/", {"name": "Anna"}, "application/json").status_code == 403


def test_an_inactive_login_opens_nothing() -> None:
    user = make_user("admin")
    browser = Client()
    browser.force_login(user)
    user.is_active = False
    user.save()
    assert browser.get("/api/v1/customers/").status_code in (401, 403)
