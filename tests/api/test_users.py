"""/api/v1/me/, /api/v1/users/ and /api/v1/keys/."""

import json
from typing import Any

import pytest
from django.test import Client

from clm.lib.access.models import ApiKey, User
from tests.factories import PASSWORD, client_of, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def api() -> Client:
    return client_of("admin")


def send(api: Client, method: str, address: str, told: Any, code: int) -> Any:
    answer = api.generic(method, f"/api/v1/{address}", json.dumps(told), "application/json")
    assert answer.status_code == code, answer.content
    return answer.json() if answer.content else None


def test_a_key_says_whose_it_is_and_what_it_may() -> None:
    told = send(client_of("viewer"), "GET", "me/", None, 200)
    assert (told["kind"], told["role"], told["name"]) == ("key", "viewer", "test viewer")
    assert "customers.view" in told["may"]
    assert "customers.edit" not in told["may"]


def test_a_user_is_made_and_can_log_in(api: Client) -> None:
    told = {"email": "Ada@Example.org", "role": "agent", "name": " Ada  L ", "password": "engine of analysis"}
    made = send(api, "POST", "users/", told, 201)
    assert (made["email"], made["name"], made["role"], made["is_active"]) == ("ada@example.org", "Ada L", "agent", True)
    assert "password" not in made
    assert send(api, "GET", f"users/{made['id']}/", None, 200) == made
    assert Client().login(username="ada@example.org", password="engine of analysis")


def test_without_a_password_nobody_can_log_in_yet(api: Client) -> None:
    made = send(api, "POST", "users/", {"email": "ada@example.org", "role": "agent"}, 201)
    assert not User.objects.get(pk=made["id"]).has_usable_password()


@pytest.mark.parametrize(
    ("told", "field"),
    [
        ({"email": "ada", "role": "agent"}, "email"),
        ({"email": "ada@example.org", "role": "king"}, "role"),
        ({"email": "ada@example.org", "role": "agent", "password": "password"}, "password"),
        ({"email": "ada@example.org", "role": "agent", "time_zone": "Mars/Base"}, "time_zone"),
        ({"email": "ada@example.org", "role": "agent", "is_staff": True}, "is_staff"),
    ],
)
def test_a_user_that_cannot_be_names_the_member(api: Client, told: dict[str, Any], field: str) -> None:
    assert send(api, "POST", "users/", told, 400)["errors"][0]["field"] == field
    assert not User.objects.exists()


def test_an_address_belongs_to_one_user_whatever_its_case(api: Client) -> None:
    make_user("viewer", "ada@example.org")
    told = {"email": "ADA@example.org", "role": "agent"}
    assert "Another user" in send(api, "POST", "users/", told, 409)["detail"]


def test_the_last_admin_stays(api: Client) -> None:
    first = make_user("admin")
    for changes in ({"role": "viewer"}, {"is_active": False}):
        assert "last admin" in send(api, "PATCH", f"users/{first.pk}/", changes, 409)["detail"]
    second = make_user("admin")
    assert send(api, "PATCH", f"users/{first.pk}/", {"role": "viewer"}, 200)["role"] == "viewer"
    send(api, "PATCH", f"users/{second.pk}/", {"is_active": False}, 409)
    assert User.objects.get(pk=second.pk).is_active


def test_an_inactive_admin_is_none(api: Client) -> None:
    first, idle = make_user("admin"), make_user("admin")
    send(api, "PATCH", f"users/{idle.pk}/", {"is_active": False}, 200)
    send(api, "PATCH", f"users/{first.pk}/", {"role": "agent"}, 409)


def test_a_new_password_ends_the_sessions_and_a_role_counts_at_once(api: Client) -> None:
    user, browser = make_user("agent"), Client()
    browser.force_login(user)
    assert browser.get("/customers/new/").status_code == 200
    send(api, "PATCH", f"users/{user.pk}/", {"role": "viewer"}, 200)
    assert browser.get("/customers/new/").status_code == 403
    send(api, "PATCH", f"users/{user.pk}/", {"password": "another good one"}, 200)
    assert browser.get("/customers/").status_code == 302
    assert not Client().login(username=user.email, password=PASSWORD)


def test_users_are_listed_by_role(api: Client) -> None:
    make_user("agent", "a@example.org")
    make_user("viewer", "v@example.org")
    assert [one["email"] for one in send(api, "GET", "users/?role=agent", None, 200)["results"]] == ["a@example.org"]
    assert len(send(api, "GET", "users/?is_active=true", None, 200)["results"]) == 2
    assert send(api, "GET", "users/?is_active=false", None, 200)["results"] == []
    assert send(api, "GET", "users/?email=V@example.org", None, 200)["results"][0]["role"] == "viewer"
    assert send(api, "GET", "users/?is_active=maybe", None, 400)["errors"][0]["field"] == "is_active"


def test_a_key_is_shown_once_works_and_ends_with_its_revocation(api: Client) -> None:
    made = send(api, "POST", "keys/", {"name": "till", "role": "viewer"}, 201)
    client = Client(headers={"Authorization": f"Bearer {made['secret']}"})
    assert client.get("/api/v1/me/").json()["id"] == made["id"]
    shown = send(api, "GET", f"keys/{made['id']}/", None, 200)
    assert "secret" not in shown
    assert shown["prefix"] == made["secret"][:10]
    assert send(api, "PATCH", f"keys/{made['id']}/", {"role": "agent"}, 200)["role"] == "agent"
    assert client.get("/api/v1/me/").json()["role"] == "agent"
    revoked = send(api, "POST", f"keys/{made['id']}/revoke/", None, 200)
    assert client.get("/api/v1/me/").status_code == 401
    assert send(api, "POST", f"keys/{made['id']}/revoke/", None, 200) == revoked
    assert "revoked" in send(api, "PATCH", f"keys/{made['id']}/", {"role": "admin"}, 409)["detail"]
    assert [one["id"] for one in send(api, "GET", "keys/?is_revoked=true", None, 200)["results"]] == [made["id"]]
    assert made["id"] not in [one["id"] for one in send(api, "GET", "keys/?is_revoked=false", None, 200)["results"]]
    assert ApiKey.objects.count() == 2
