"""API keys on the pages: shown once, limited to what their owner may, revoked."""

import re
import uuid
from typing import Any

from django.test import Client

from clm.lib.access.models import ApiKey, Role, User
from clm.lib.access.table import TABLE
from tests.keeping.conftest import faults, said


def told(**more: str) -> dict[str, str]:
    return {"name": "till", "role": "agent", "form_id": str(uuid.uuid4()), **more}


def secret_in(answer: Any) -> str:
    (found,) = set(re.findall(r"clm_[\w-]{20,}", answer.content.decode()))
    return str(found)


def machine(secret: str) -> Client:
    return Client(headers={"Authorization": f"Bearer {secret}"})


def test_the_secret_is_shown_once_and_a_form_sent_twice_makes_one_key(admin: Client) -> None:
    form = told()
    made = admin.post("/keys/new/", form)
    assert made.status_code == 201
    assert "no-store" in made["Cache-Control"]
    secret = secret_in(made)
    assert machine(secret).get("/api/v1/me/").json()["name"] == "till"
    again = admin.post("/keys/new/", form, follow=True)
    assert "made already" in said(again)[0]
    assert secret not in again.content.decode()
    assert ApiKey.objects.count() == 1
    assert secret not in admin.get("/keys/").content.decode()


def test_every_fault_of_a_new_key_is_named_at_once(admin: Client) -> None:
    answer = admin.post("/keys/new/", told(name=" ", role="king"))
    assert answer.status_code == 422
    assert set(faults(answer)) == {"name", "role"}
    assert not ApiKey.objects.exists()


def test_a_key_of_ones_own_reaches_as_far_as_ones_own_role(browsers: dict[str, Client]) -> None:
    agent = browsers["agent"]
    assert "role" in faults(agent.post("/account/keys/new/", told(role="admin")))
    assert not ApiKey.objects.exists()
    secret = secret_in(agent.post("/account/keys/new/", told(role="agent")))
    assert machine(secret).get("/api/v1/me/").json()["role"] == "agent"
    key = ApiKey.objects.get()
    assert key.owner == User.objects.get(role="agent")
    assert "till" in agent.get("/account/").content.decode()


def test_nobody_revokes_the_key_of_another(admin: Client, browsers: dict[str, Client]) -> None:
    browsers["agent"].post("/account/keys/new/", told())
    key = ApiKey.objects.get()
    assert browsers["viewer"].post(f"/account/keys/{key.pk}/revoke/").status_code == 404
    assert browsers["viewer"].post(f"/keys/{key.pk}/revoke/").status_code == 403
    assert ApiKey.objects.get().revoked_at is None
    assert "never used" in admin.get(f"/keys/{key.pk}/revoke/").content.decode()
    admin.post(f"/keys/{key.pk}/revoke/")
    assert ApiKey.objects.get().revoked_at is not None


def test_the_list_says_whose_a_key_is_and_when_it_was_used(admin: Client, browsers: dict[str, Client]) -> None:
    secret = secret_in(admin.post("/keys/new/", told(name="shop")))
    browsers["agent"].post("/account/keys/new/", told(name="mine", role="viewer"))
    machine(secret).get("/api/v1/me/")

    def listed(query: str) -> list[str]:
        return [key.name for key in admin.get(f"/keys/{query}").context["keys"]]

    assert listed("") == ["mine", "shop"]
    assert listed("?state=used") == ["shop"]
    assert listed("?state=unused") == ["mine"]
    assert listed("?role=viewer") == ["mine"]
    assert listed("?state=revoked") == []
    admin.post(f"/keys/{ApiKey.objects.get(name='shop').pk}/revoke/")
    assert listed("?state=revoked") == ["shop"]
    assert machine(secret).get("/api/v1/me/").status_code == 401


def test_the_api_tells_owner_and_last_use(admin: Client) -> None:
    secret = secret_in(admin.post("/keys/new/", told(role="admin")))
    (key,) = machine(secret).get("/api/v1/keys/").json()["results"]
    assert key["owner"] is None
    assert key["last_used_at"] is not None


def test_roles_are_a_ladder_as_the_table_says() -> None:
    for roles, _label in TABLE.values():
        assert all(higher in roles for role in roles for higher in Role if higher.reaches(role))
