"""The pages of sources: keys shown once, the last events, what was refused, tried again."""

import re

import pytest
from django.test import Client

from clm.lib.access.models import Role
from customers.models import Reject, Source, Touchpoint
from customers.receiving import door
from tests.factories import client_of, make_user

from .sending import Sender, track

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin() -> Client:
    browser = Client()
    browser.force_login(make_user(Role.ADMIN))
    return browser


def key_on(page: str) -> str:
    (key,) = set(re.findall(r"wk_[A-Za-z0-9_-]{32}", page))
    return key


def test_a_source_is_made_and_its_key_shown_once(admin: Client) -> None:
    form = admin.get("/sources/new/").content.decode()
    (form_id,) = re.findall(r'name="form_id" value="([^"]+)"', form)
    told = {"name": "Web shop", "form_id": form_id}
    made = admin.post("/sources/new/", told)
    key = key_on(made.content.decode())
    assert (made.status_code, made["Cache-Control"]) == (201, "no-store")
    bearer = {"Authorization": f"Bearer {key}"}
    assert Client().post("/v1/track", track("1"), "application/json", headers=bearer).status_code == 200
    again = admin.post("/sources/new/", told)
    assert again.status_code == 302 and Source.objects.filter(kind="api").count() == 1
    page = admin.get("/sources/web-shop/").content.decode()
    assert key not in page and key not in admin.get("/sources/").content.decode()
    assert "Feature Used" in page and 'aria-live="off"' in page
    assert "Feature Used" in admin.get("/sources/web-shop/tail/").content.decode()
    assert admin.post("/sources/new/", {"name": " ", "form_id": form_id}).status_code == 422


def test_a_key_is_exchanged_and_a_source_closed_after_asking(admin: Client, sender: Sender) -> None:
    where = f"/sources/{sender.source.key}"
    assert "goes on working" in admin.get(f"{where}/key/").content.decode()
    former, sender.key = sender.key, key_on(admin.post(f"{where}/key/").content.decode())
    assert sender.key != former and sender.batch(track("1")).status_code == 200
    assert "within a second" in admin.get(f"{where}/close/").content.decode().lower()
    assert admin.post(f"{where}/close/").status_code == 302
    door.forget()
    assert sender.batch(track("2")).status_code == 401
    assert "Closed" in admin.get(f"{where}/").content.decode()


def test_what_was_refused_is_shown_and_tried_again(admin: Client, sender: Sender) -> None:
    sender.batch(track("1", user="null", properties={"<b>": "</script>"}), track("2", "", user="u"))
    where = f"/sources/{sender.source.key}/"
    page = admin.get(where).content.decode()
    assert "means nobody" in page and "&lt;b&gt;" in page and '"<b>"' not in page
    first, second = Reject.objects.order_by("pk")
    Reject.objects.filter(pk=first.pk).update(raw=bytes(first.raw).replace(b'"null"', b'"ada"'))
    for reject in (first, second):
        assert admin.post(f"/rejects/{reject.pk}/retry/")["Location"] == where
    assert Touchpoint.objects.get().profile.identities.get().value == "ada"
    assert Reject.objects.get() == second
    assert admin.post(f"/rejects/{first.pk}/retry/").status_code == 404


def test_the_api_makes_exchanges_and_closes_and_only_for_admins() -> None:
    api = client_of("admin")
    made = api.post("/api/v1/sources/", {"name": "App"}, "application/json")
    assert (made.status_code, made["Location"]) == (201, "/api/v1/sources/app/")
    rotated = api.post("/api/v1/sources/app/rotate/")
    assert rotated.json()["write_key"] not in ("", made.json()["write_key"])
    assert api.post("/api/v1/sources/app/close/").json()["revoked_at"]
    assert api.post("/api/v1/sources/nothing/close/").status_code == 404
    Source.objects.create(key="files", name="Files", kind="import")
    assert api.post("/api/v1/sources/files/rotate/").status_code == 409
    for role in ("viewer", "agent", "marketer"):
        assert client_of(role).post("/api/v1/sources/", {"name": "App"}, "application/json").status_code == 403
    assert api.get("/api/v1/sources/app/").status_code in (200, 404)


def test_a_reject_is_tried_again_by_the_api(sender: Sender) -> None:
    sender.batch(track("1", ""))
    reject = Reject.objects.get()
    api = client_of("admin")
    assert api.post(f"/api/v1/rejects/{reject.pk}/retry/").json() == {"is_stored": False}
    Reject.objects.filter(pk=reject.pk).update(raw=bytes(reject.raw).replace(b'""', b'"E"'))
    assert api.post(f"/api/v1/rejects/{reject.pk}/retry/").json() == {"is_stored": True}
    assert api.post(f"/api/v1/rejects/{reject.pk}/retry/").status_code == 404
