"""The door: every address that client libraries know, every way to show a key, and no redirect."""

import base64
import gzip
import json
import zlib
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from customers.models import Reject, Touchpoint, TraitTelling
from customers.receiving import bodies, door, gate
from customers.receiving.write_keys import revoke_keys, rotate_key

from .sending import Sender, identify, track

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("path", ["batch", "b", "import"])
def test_a_batch_is_stored_and_answered_as_segment_does(sender: Sender, path: str, slash: str) -> None:
    answer = sender.post({"batch": [track("1"), identify("2")], "sentAt": None}, f"/v1/{path}{slash}")
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert Touchpoint.objects.get().type.name == "Feature Used"
    assert TraitTelling.objects.count() == 1


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("name", ["track", "identify", "page", "screen", "group", "alias"])
def test_each_call_has_an_address_and_a_short_one(sender: Sender, name: str, slash: str) -> None:
    for number, path in enumerate([name, name[0]]):
        body = {"messageId": str(number), "userId": "u", "event": "E", "groupId": "g", "previousId": "p"}
        assert sender.post(body, f"/v1/{path}{slash}").status_code == 200
    stored = {"track": ["E"], "page": ["Page Viewed"], "screen": ["Screen Viewed"]}.get(name, ["Created"])
    assert list(Touchpoint.objects.values_list("type__name", flat=True).distinct()) == stored


@pytest.mark.parametrize("method", ["get", "post", "put", "delete", "head", "options"])
@pytest.mark.parametrize(
    "path", ["/v1/batch", "/v1/batch/", "/v1/", "/v1/nothing", "/v1/track//", "/v1/../v1/batch", "/v1/m", "/v1/%00"]
)
def test_nothing_under_the_prefix_redirects_or_breaks(sender: Sender, settings: Any, path: str, method: str) -> None:
    settings.SECURE_SSL_REDIRECT = True
    settings.ALLOWED_HOSTS = ["elsewhere.example"]
    answer = getattr(sender.client, method)(path)
    assert answer.status_code < 300 or 400 <= answer.status_code < 500
    assert "Location" not in answer.headers and not answer.cookies


def test_the_key_comes_by_basic_by_bearer_or_in_the_body(sender: Sender) -> None:
    one = {"batch": [track("1")]}
    bearer = {"Authorization": f"Bearer {sender.key}"}
    for headers, body in ((sender.basic, one), (bearer, one), ({}, {**one, "writeKey": sender.key})):
        answer = sender.client.post("/v1/batch", json.dumps(body), "text/plain", headers=headers)
        assert answer.status_code == 200
    assert Touchpoint.objects.count() == 1


@pytest.mark.parametrize(
    "header",
    ["", "Basic", "Basic !!", "Basic " + base64.b64encode(b"\xff:").decode(), "Bearer x", "Bearer", "Digest x"],
)
def test_a_wrong_key_is_refused(sender: Sender, header: str) -> None:
    answer = Client(headers={"Authorization": header}).post("/v1/batch", b'{"batch":[]}', "application/json")
    assert answer.status_code == 401
    assert answer.json()["success"] is False


def test_a_revoked_key_stops_and_a_rotated_one_lives_on_for_its_grace(sender: Sender) -> None:
    former, now = sender.key, timezone.now()
    sender.key = rotate_key(source=sender.source, now=now, grace=timedelta(hours=1))
    assert sender.batch(track("1")).status_code == 200
    bearer = {"Authorization": f"Bearer {former}"}
    assert sender.client.post("/v1/batch", b"{}", "application/json", headers=bearer).status_code == 200
    assert door.door_of(former, now=now) is not None
    door.forget()
    assert door.door_of(former, now=now + timedelta(hours=2)) is None
    revoke_keys(source=sender.source, now=now)
    door.forget()
    assert sender.batch(track("2")).status_code == 401
    sender.key = rotate_key(source=sender.source, now=now)
    assert sender.batch(track("3")).status_code == 200
    door.forget()
    assert door.door_of(former, now=now) is None


def test_a_key_is_remembered_for_less_than_a_second(sender: Sender) -> None:
    assert door.KEPT_SECONDS < 1
    assert door.door_of(sender.key, now=timezone.now())
    with CaptureQueriesContext(
        connection,
    ) as asked:
        assert door.door_of(sender.key, now=timezone.now())
    assert len(asked) == 0


def test_a_browser_may_ask_first_and_send_text(sender: Sender) -> None:
    asked = Client().options(
        "/v1/t", headers={"Origin": "https://shop.example", "Access-Control-Request-Method": "POST"}
    )
    assert (asked.status_code, asked["Access-Control-Allow-Origin"]) == (204, "*")
    body = json.dumps({**track("1"), "writeKey": sender.key})
    sent = Client().post("/v1/t", body, "text/plain", headers={"Origin": "https://shop.example"})
    assert (sent.status_code, sent["Access-Control-Allow-Origin"]) == (200, "*")
    assert Client().post("/v1/m", b'{"series":[]}', "text/plain").json() == {"success": True}
    assert Touchpoint.objects.count() == 1


def test_gzip_is_taken_with_and_without_its_header(sender: Sender) -> None:
    for number, headers in enumerate([{"Content-Encoding": "gzip"}, {}]):
        body = gzip.compress(json.dumps({"batch": [track(str(number))]}).encode())
        assert sender.post(body, **headers).status_code == 200
    halves = gzip.compress(b'{"batch":[') + gzip.compress(b"]}")
    assert sender.post(halves).status_code == 200
    assert sender.post(gzip.compress(b"{}")[:-9]).status_code == 400
    assert sender.post(b"\x1f\x8bnonsense").status_code == 400
    assert sender.post(b"{}", **{"Content-Encoding": "br"}).status_code == 415
    assert Touchpoint.objects.count() == 2


def test_a_bomb_is_not_inflated(sender: Sender) -> None:
    packer = zlib.compressobj(9, wbits=31)
    beginning = packer.compress(b'{"batch":[') + packer.flush(zlib.Z_FULL_FLUSH)
    # What stands between two full flushes may be repeated as it is: 300 MiB of blanks.
    blanks = packer.compress(b" " * 1024 * 1024) + packer.flush(zlib.Z_FULL_FLUSH)
    bomb = beginning + 300 * blanks + packer.flush()
    assert len(bomb) < 400_000
    assert len(zlib.decompressobj(wbits=31).decompress(bomb, 2 * bodies.LONGEST_BODY)) == 2 * bodies.LONGEST_BODY
    assert sender.post(bomb).status_code == 413


def test_a_body_may_have_five_mebibytes_and_no_more(sender: Sender) -> None:
    pad = b" " * (bodies.LONGEST_BODY - len(b'{"batch":[]}'))
    assert sender.post(b'{"batch":[' + pad + b"]}").status_code == 200
    assert sender.post(b'{"batch":[ ' + pad + b"]}").status_code == 413
    many = b'{"batch":[' + b"{}," * bodies.MOST_MESSAGES + b"{}]}"
    assert sender.post(many).status_code == 413


@pytest.mark.parametrize("body", [b"", b"[]", b"nonsense", b"{", b'{"batch":[}', b'"x"', b"null", b"{}}", b"\xff\xfe"])
def test_what_is_no_object_is_a_bad_request(sender: Sender, body: bytes) -> None:
    assert sender.post(body).status_code == 400


def test_whoever_finds_no_place_is_told_when_to_come_back(sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "WAIT_SECONDS", 0.01)
    taken = 0
    while gate._places.acquire(blocking=False):
        taken += 1
    try:
        answer = sender.batch(track("1"))
        assert (answer.status_code, answer["Retry-After"]) == (429, "2")
    finally:
        for _one in range(taken):
            gate._places.release()
    assert sender.batch(track("1")).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_tables_of_another_release_are_no_fault_of_who_sends(sender: Sender) -> None:
    def rename(old: str, new: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE customers_touchpoint RENAME COLUMN {old} TO {new}")

    rename("flags", "flags_of_later")
    try:
        answer = sender.batch(track("1"), track("2"))
        assert (answer.status_code, answer["Retry-After"]) == (503, "10")
    finally:
        rename("flags_of_later", "flags")
    assert not Reject.objects.exists()
    assert sender.batch(track("1"), track("2")).status_code == 200
    assert Touchpoint.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_a_lock_that_lasts_is_answered_with_the_word_to_come_back(
    sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("customers.receiving.receive.PATIENCE_MS", 200)
    holder = connection.copy()
    try:
        with holder.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(7301, 0)")
        answer = sender.batch(track("1"))
        assert (answer.status_code, answer["Retry-After"]) == (503, "10")
    finally:
        holder.close()
    assert sender.batch(track("1")).status_code == 200
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == ("0",)  # of that transaction alone
