"""One's own account."""

from django.test import Client

from clm.lib.access.models import User
from tests.keeping.conftest import faults, said


def test_name_zone_and_look_are_kept_and_followed(browsers: dict[str, Client]) -> None:
    viewer = browsers["viewer"]
    assert "data-theme" not in viewer.get("/account/").content.decode().split("<head>")[0]
    told = {"name": " Vera  V ", "time_zone": "Asia/Tokyo", "theme": "dark"}
    answer = viewer.post("/account/", told, follow=True)
    assert said(answer) == ["Saved."]
    assert 'data-theme="dark"' in answer.content.decode().split("<head>")[0]
    vera = User.objects.get(role="viewer")
    assert (vera.name, vera.time_zone, vera.theme) == ("Vera V", "Asia/Tokyo", "dark")
    assert 'data-theme="dark"' in viewer.get("/api/v1/docs/").content.decode()
    viewer.post("/account/", {**told, "theme": ""})
    assert User.objects.get(role="viewer").theme == ""


def test_nobody_raises_oneself_and_every_fault_is_named(browsers: dict[str, Client]) -> None:
    viewer = browsers["viewer"]
    answer = viewer.post("/account/", {"name": "x", "time_zone": "Mars/Base", "theme": "pink", "role": "admin"})
    assert answer.status_code == 422
    assert set(faults(answer)) == {"time_zone", "theme"}
    viewer.post("/account/", {"name": "x", "time_zone": "UTC", "theme": "", "role": "admin", "is_active": ""})
    me = User.objects.get(pk=User.objects.get(name="x").pk)
    assert (me.role, me.is_active) == ("viewer", True)
